"""Metrics for Prometheus, read from the database at each scrape: the same whichever process answers."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Flask, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from hub import clock
from hub.db import Database
from hub.errors import NotFound
from hub.web.guard import PUBLIC, allow
from hub.web.services import services

blueprint = Blueprint("metrics", __name__)
LOOPBACK = ("127.0.0.1", "::1")
FORWARDED = ("Forwarded", "X-Forwarded-For")
Metric = CounterMetricFamily | GaugeMetricFamily


def install(app: Flask) -> None:
    """Add the metrics endpoint."""
    app.register_blueprint(blueprint)


@blueprint.get("/metrics")
@allow(PUBLIC)
def metrics() -> Response:
    """The metrics, for scrapers on this machine (or behind its proxy's own rules) only."""
    # A proxy on this machine comes from loopback as well, for anybody: it says so by its header.
    near = request.remote_addr in LOOPBACK and not any(name in request.headers for name in FORWARDED)
    if not near and not services().settings.server.metrics_everywhere:
        raise NotFound("there is nothing here")
    registry = CollectorRegistry()
    registry.register(HubCollector(services().database))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class HubCollector(Collector):
    """What an operator watches: the log's growth, the inbox, quarantine, feeds, members."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[Metric]:
        """Each metric."""
        ((entries,),) = self._database.select("SELECT seq FROM log_head")
        yield CounterMetricFamily("hub_log_entries", "Entries of the log", value=entries)
        yield self._labelled("hub_submissions", "Submissions by state", "state", "submission", "state")
        yield self._labelled("hub_members", "Members by status", "status", "member", "status")
        yield self._labelled("hub_indicators", "Merged indicators by kind", "kind", "indicator", "kind")
        ((oldest,),) = self._database.select("SELECT MIN(received_at) FROM submission WHERE state = 'pending'")
        waited = 0.0 if oldest is None else (clock.micros() - oldest) / 1_000_000
        yield GaugeMetricFamily("hub_inbox_oldest_seconds", "How long the oldest submission has waited", value=waited)
        ((held,),) = self._database.select("SELECT COUNT(*) FROM quarantined")
        yield GaugeMetricFamily("hub_quarantined", "Values in quarantine", value=held)
        failing = GaugeMetricFamily("hub_feed_failures", "Failed runs in a row", labels=["feed"])
        for name, failures in self._database.select("SELECT name, failures FROM feed WHERE enabled"):
            failing.add_metric([name], failures)
        yield failing

    def _labelled(self, name: str, help_text: str, label: str, table: str, column: str) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, help_text, labels=[label])
        sql = f"SELECT {column}, COUNT(*) FROM {table} GROUP BY {column} ORDER BY {column}"  # noqa: S608 (constants)
        for value, count in self._database.select(sql):
            family.add_metric([value], count)
        return family
