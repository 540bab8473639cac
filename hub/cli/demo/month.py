"""A month in the demonstration's life: what members and feeds bring each day, and how each member polls.

Every day is played with the clock set to it, through the inbox, the intake and the TAXII edge, as any other day.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Actor, Role
from hub.cli.demo.checking import checks_of, filings_of
from hub.cli.demo.credentials import DemoCredential
from hub.cli.demo.objects import envelope
from hub.cli.demo.organisations import CERT, HARBOUR, LARKPAY, MEMBERS, NORTHBANK, REPORTING_PARTNER, actor_of
from hub.cli.demo.reports import generate
from hub.cli.demo.timeline import Event
from hub.cli.imports import take_in
from hub.clock import DAY
from hub.factory import Hub
from hub.factory.app import create_app
from hub.feeds import inbox, lease, sources
from hub.feeds.records import SourceRecord, Submission
from hub.feeds.worker import worker_name
from hub.ledger import collections
from hub.stix.canonical import canonical_json
from hub.stix.tlp import Tlp
from hub.web.services import EXTENSION

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
DAYS = 30
REPORTS = 120
# Day, file and source; samples/NOTICE says where each is from. All are public, so TLP:CLEAR.
FEEDS = (
    (1, "ipsum-level-5.txt", "ipsum"),
    (2, "durablenapkin-hosts.txt", "durablenapkin"),
    (5, "ofac-sanctioned-xbt.txt", "ofac-sdn"),
    (9, "volexity-xegroup.csv", "volexity"),
    (14, "unit42-conti.txt", "unit42"),
    (20, "volexity-charming-cypress.csv", "volexity"),
    (26, "eset-samples.sha256", "eset"),
    (28, "member-watchlist.txt", "larkpay-watchlist"),
)
ENVELOPES = {4: NORTHBANK, 11: HARBOUR, 18: CERT, 24: LARKPAY}
POLLED = ("fraud", "cyber", "shared", "sightings")
PAGE = 1000
TAXII = {"Accept": "application/taxii+json;version=2.1", "User-Agent": "taxii2-client/2.3.0"}


@dataclass(slots=True)
class _Reader:
    """One member's TAXII client: how far it has come in each collection."""

    client: FlaskClient
    auth: tuple[str, str]
    urls: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)

    def poll(self) -> None:
        """Pull what is new in every collection that it reads."""
        if not self.urls:
            listed = self._get("/taxii2/signed/collections/").get("collections", [])
            found = {one.get("alias"): one["id"] for one in listed if one["can_read"]}
            self.urls = {
                alias: f"/taxii2/signed/collections/{found[alias]}/objects/" for alias in POLLED if alias in found
            }
        for alias, url in self.urls.items():
            more = True
            while more:
                after = f"&added_after={self.after[alias]}" if alias in self.after else ""
                more = bool(self._get(f"{url}?limit={PAGE}{after}", alias).get("more"))

    def _get(self, url: str, alias: str = "") -> dict[str, Any]:
        answer = self.client.get(url, auth=self.auth, headers=TAXII)
        if last := answer.headers.get("X-TAXII-Date-Added-Last"):
            self.after[alias] = last
        shown: dict[str, Any] = answer.get_json()
        return shown


@dataclass
class Month:
    """The days that are played. ``played`` counts those that brought something new."""

    hub: Hub
    held: dict[str, DemoCredential]
    played: int = 0

    def events(self, today: int) -> list[Event]:
        """Each day up to ``today`` (microseconds)."""
        reports = _reports_by_day(today)
        return [Event(today - (DAYS - day) * DAY, partial(self._day, day, reports[day])) for day in range(1, DAYS + 1)]

    def close(self) -> None:
        """Let the edge go through which the members polled."""
        if self.played:
            self._edge.extensions[EXTENSION].close()

    def _day(self, day: int, reports: list[dict[str, Any]]) -> None:
        if _play(self.hub, self.held, day, reports):
            self._file_and_check(day)
            _poll(self._readers, day)
            self._edge.extensions[EXTENSION].disclosures.flush()  # else the days of one second are one entry
            self.played += 1

    def _file_and_check(self, day: int) -> None:
        today = clock.timestamp(clock.micros())[:10]
        for name, document in filings_of(day, today):
            _finish(self.hub, self._post("/api/v1/filings", name, document)["id"])
        for name, document in checks_of(day):
            self._post("/api/v1/checks", name, document)

    def _post(self, path: str, name: str, document: dict[str, Any]) -> dict[str, Any]:
        held = self.held[name]
        answer = self._edge.test_client().post(path, json=document, auth=(held.username, held.token))
        shown: dict[str, Any] = answer.get_json()
        if answer.status_code not in (200, 202):
            raise RuntimeError(f"{path} of the demonstration: {shown}")
        return shown

    @cached_property
    def _edge(self) -> Flask:
        quiet = self.hub.settings.log.model_copy(update={"level": "warning"})
        return create_app(self.hub.settings.model_copy(update={"log": quiet}))

    @cached_property
    def _readers(self) -> list[_Reader]:
        reading = [self.held[one.name] for one in MEMBERS if Role.READER in one.roles]
        return [_Reader(self._edge.test_client(), (one.username, one.token)) for one in reading]


def _play(hub: Hub, held: dict[str, DemoCredential], day: int, reports: list[dict[str, Any]]) -> bool:
    """What arrives on a day; gives whether any of it was new."""
    fresh = [_feed(hub, SAMPLES / name, source) for on, name, source in FEEDS if on == day]
    if day in ENVELOPES:
        fresh.append(_share(hub, ENVELOPES[day], held[ENVELOPES[day]], day))
    if reports:
        raw = canonical_json({"reports": reports})
        fresh.append(_push(hub, held[REPORTING_PARTNER], inbox.REPORTS, raw, len(reports), day))
    return any(fresh)


def _poll(readers: list[_Reader], day: int) -> None:
    """Most members poll every day, one misses some, one is quiet for a week."""
    for number, reader in enumerate(readers):
        if number == 1 and day % 3 == 0:
            continue
        if number == 3 and 12 <= day < 19:
            continue
        reader.poll()


def _reports_by_day(today: int) -> dict[int, list[dict[str, Any]]]:
    last: date = datetime.fromtimestamp(today / 1_000_000, UTC).date()
    by_day: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for report in generate(REPORTS, last):
        reported = date.fromisoformat(report["report"]["reported_at"][:10])
        by_day[DAYS - (last - reported).days].append(report)
    return by_day


def _feed(hub: Hub, path: Path, source: str) -> bool:
    with hub.database.reading() as session:
        earlier = session.scalar(
            select(Submission.id)
            .join(SourceRecord, SourceRecord.id == Submission.source_id)
            .where(SourceRecord.name == source, Submission.filename == path.name)
        )
    if earlier is not None:
        return _finish(hub, earlier)
    take_in(hub, path, source, tlp=Tlp.CLEAR)
    return True


def _share(hub: Hub, name: str, credential: DemoCredential, day: int) -> bool:
    with hub.database.reading() as session:
        actor = actor_of(session, credential)
    author = None if actor is None or actor.sighted_ref != actor.identity_ref else actor.identity_ref
    objects = envelope(hub.namespace, name, author, clock.micros())
    return _push(hub, credential, inbox.ENVELOPE, canonical_json({"objects": objects}), len(objects), day)


def _push(hub: Hub, credential: DemoCredential, kind: str, raw: bytes, total: int, day: int) -> bool:
    """What a member sends; not again where the day's push is there, whatever became of it."""
    key = f"demo-{day}"
    with hub.database.unit_of_work() as session:
        actor = actor_of(session, credential)
        if actor is None:
            return False
        submission = session.scalar(
            select(Submission.id).where(Submission.member_id == actor.member_id, Submission.idempotency_key == key)
        )
        fresh = submission is None
        if submission is None:
            submission = _receive(hub, session, actor, kind, raw, total, key)
    return _finish(hub, submission) or fresh


def _receive(hub: Hub, session: Session, actor: Actor, kind: str, raw: bytes, total: int, key: str) -> str:
    source = sources.of_member(session, actor, hub.settings.intake.default_grade)
    shared = collections.by_alias(session, "shared") if kind == inbox.ENVELOPE else None
    arrival = inbox.Arrival(
        kind, source.id, actor.member_id, raw, total, actor.member_id, shared.no if shared else None,
        groups=actor.groups, idempotency_key=key,
    )  # fmt: skip
    return inbox.receive(session, hub.vault, arrival).id


def _finish(hub: Hub, submission_id: str) -> bool:
    """Process a submission that waits, or that an interrupted start has left behind; gives whether it did."""
    parts, worker = hub.intake(), worker_name()
    with hub.database.unit_of_work() as session:
        claimed = lease.claim(session, worker, parts.lease_micros, submission_id)
    if claimed is None:
        return False
    parts.run(claimed, worker)
    return True
