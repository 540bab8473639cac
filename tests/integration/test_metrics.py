"""The metrics say what the database says, and only to scrapers near by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.cli.imports import take_in
from tests.live import LocalHub, local


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[LocalHub]:
    with local(database_url, tmp_path / "data") as made:
        yield made


def test_metrics_follow_the_database(hub: LocalHub, tmp_path: Path) -> None:
    hub.add_member("First Bank")
    (tmp_path / "list.txt").write_text("evil-one.com\nevil-two.com\n10.0.0.1\n")
    take_in(hub.hub, tmp_path / "list.txt", "list")
    answer = hub.get("/metrics")
    assert answer.status_code == 200
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    ((entries,),) = hub.hub.database.select("SELECT COUNT(*) FROM entry")
    assert samples[("hub_log_entries_total",)] == entries
    assert samples[("hub_indicators", "domain")] == 2
    assert samples[("hub_quarantined",)] == 1
    assert samples[("hub_members", "active")] == 1
    assert samples[("hub_submissions", "complete")] == 1


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("203.0.113.9", {}, 404),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 404),
    ],
)
def test_only_scrapers_on_this_machine_get_them(
    hub: LocalHub, address: str, headers: dict[str, str], status: int
) -> None:
    answer = hub.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == status
