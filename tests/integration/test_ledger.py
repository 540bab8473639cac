"""The ledger on both databases: numbering, versions, ownership, immutability, receipts, and the schema itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

import hub.factory  # noqa: F401 (brings in the tables of every room)
from hub.audit import record
from hub.auth import Actor, CredentialKind, Role, permissions_of
from hub.db import Database, Record
from hub.factory import tables
from hub.ledger import collections, pages
from hub.ledger.append import Appended, Log, Source, draft
from hub.ledger.classes import Audience
from hub.ledger.pages import Query, Versions
from hub.ledger.records import DetachedReceipt, Entry, LogHead
from hub.ledger.views import Views
from hub.provenance.blinding import EXTENSION_ID
from hub.provenance.encoding import b64u, unb64u
from hub.provenance.keys import FileSigner, PublishedKey, jwks
from hub.provenance.keys import Role as KeyRole
from hub.provenance.published import carries_receipt
from hub.provenance.verify import verify_bundle
from hub.stix.canonical import canonical_json
from hub.stix.tlp import Tlp, marking_object
from tests.objects import domain, indicator, malware, statement

MINE, THEIRS = Source(1, "feed", "a feed"), Source(2, "member", "identity--2")
GREEN = Audience(Tlp.GREEN)
EVERY = Versions(last=False, every=True)
READER = Actor(
    "m1", "m1-1", "bank", "identity--1", "identity--1", frozenset({Role.READER}), Tlp.AMBER, frozenset({1}),
    permissions_of([Role.READER], CredentialKind.TOKEN),
)  # fmt: skip
OLD, MIDDLE, NEW = "2024-01-01T00:00:00.000Z", "2024-01-01T00:00:00.25Z", "2025-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Ledger:
    """A log with one collection, and what reads it."""

    database: Database
    signer: FileSigner
    log: Log
    views: Views
    collection_no: int

    def append(
        self, objects: Sequence[dict[str, Any]], source: Source = MINE, audience: Audience = GREEN, op: str = "add"
    ) -> list[Appended]:
        drafts = [draft(obj, self.collection_no, audience, source, op) for obj in objects]
        with self.database.unit_of_work() as session:
            return self.log.append(session, drafts)

    def seqs(self, **question: Any) -> list[int]:
        query = Query(self.collection_no, **{"limit": 1000, **question})
        page = pages.objects(self.database, self.views, READER, self.views.head(), query)
        return [row[0] for row in page.rows]

    def entries(self) -> list[Entry]:
        with self.database.reading() as session:
            return list(session.scalars(select(Entry).order_by(Entry.seq)))

    def execute(self, sql: str) -> None:
        with self.database.unit_of_work() as session:
            session.execute(text(sql))


@pytest.fixture
def ledger(database_url: str, tmp_path: Path) -> Iterator[Ledger]:
    database = Database(database_url)
    signer = FileSigner.read_or_create(tmp_path / "receipt.pem")
    with database.unit_of_work() as session:
        number = collections.add(session, "main", "Main", read=["members"]).no
    yield Ledger(database, signer, Log(signer, b"k" * 32), Views(database, signer), number)
    database.close()


def test_entries_are_numbered_densely_and_dated_apart(ledger: Ledger) -> None:
    for size in (1, 7, 0, 40):
        ledger.append([indicator(f"{size} {n}") for n in range(size)])
    entries = ledger.entries()
    assert [entry.seq for entry in entries] == list(range(1, 49))
    dates = [entry.date_added for entry in entries]
    assert dates == sorted(set(dates))
    with ledger.database.reading() as session:
        head = session.get_one(LogHead, 1)
        assert (head.seq, head.date_added) == (48, dates[-1])


def test_dates_rise_even_when_the_clock_goes_back(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.append([indicator(1)])
    monkeypatch.setattr("hub.clock.micros", lambda: 1_000_000)
    ledger.append([indicator(2), indicator(3)])
    first, second, third = (entry.date_added for entry in ledger.entries())
    assert (second - first, third - second) == (1, 1)


def test_a_failed_transaction_leaves_no_gap(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.database.unit_of_work() as session:
        ledger.log.append(session, [draft(indicator(1), ledger.collection_no, GREEN, MINE)])
        raise ZeroDivisionError
    assert [one.seq for one in ledger.append([indicator(2)])] == [1]


@pytest.mark.parametrize("order", [(OLD, MIDDLE, NEW), (NEW, MIDDLE, OLD), (MIDDLE, NEW, OLD), (NEW, OLD, MIDDLE)])
@pytest.mark.parametrize("at_once", [True, False])
def test_the_last_and_the_first_version_are_so_by_instant(
    ledger: Ledger, order: tuple[str, ...], at_once: bool
) -> None:
    versions = [indicator("one", modified=modified) for modified in order]
    for batch in [versions] if at_once else [[version] for version in versions]:
        ledger.append(batch)
    place = {modified: order.index(modified) + 1 for modified in order}
    assert ledger.seqs() == [place[NEW]]
    assert ledger.seqs(versions=Versions(last=False, first=True)) == [place[OLD]]
    assert ledger.seqs(versions=Versions(first=True)) == sorted([place[OLD], place[NEW]])
    assert ledger.seqs(versions=Versions(last=False, exact=("2024-01-01T00:00:00.250Z",))) == [place[MIDDLE]]
    assert ledger.seqs(versions=EVERY) == [1, 2, 3]


def test_the_same_again_changes_nothing(ledger: Ledger) -> None:
    ledger.append([indicator(1), domain(1)])
    again = ledger.append([indicator(1), domain(1), indicator(2), indicator(2)])
    assert [(one.seq, one.refused) for one in again] == [(None, None), (None, None), (3, None), (None, None)]
    # The same version in another collection is an entry of its own.
    with ledger.database.unit_of_work() as session:
        other = collections.add(session, "other", "Other", read=["members"]).no
        assert ledger.log.append(session, [draft(indicator(1), other, GREEN, MINE)]) == [Appended(4)]


def test_one_version_has_one_content(ledger: Ledger) -> None:
    ledger.append([indicator(1)])
    (refused,) = ledger.append([indicator(1, name="another content")])
    assert refused.seq is None and "other content" in str(refused.refused)
    # The same instant in other words is the same version.
    (refused,) = ledger.append([indicator(1, modified="2024-01-01T00:00:00Z")])
    assert refused.seq is None and refused.refused
    assert len(ledger.entries()) == 1


def test_only_the_source_of_an_id_versions_it(ledger: Ledger) -> None:
    ledger.append([indicator(1)])
    refused, added = ledger.append([indicator(1, modified=NEW), indicator(2)], THEIRS)
    assert "another source" in str(refused.refused) and added.seq == 2
    assert ledger.append([indicator(1, modified=NEW)], MINE) == [Appended(3, known=True)]
    assert ledger.seqs() == [2, 3]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entry SET body = {empty} WHERE seq = 1",
        "UPDATE entry SET stix_id = 'indicator--x'",
        "UPDATE entry SET version = NULL",
        "UPDATE entry SET date_added = date_added + 1",
        "UPDATE entry SET digest = {empty}",
        "UPDATE entry SET statement = ''",
        "DELETE FROM entry WHERE seq = 1",
        "UPDATE audit_event SET action = 'nothing'",
        "UPDATE audit_event SET chain = {empty}",
        "DELETE FROM audit_event",
    ],
)
def test_the_log_and_the_audit_log_are_append_only(ledger: Ledger, change: str) -> None:
    ledger.append([indicator(1)])
    with ledger.database.unit_of_work() as session:
        record(session, "operator", "thing:add", "a thing")
    empty = "''::bytea" if ledger.database.product == "postgresql" else "x''"
    with pytest.raises(DBAPIError, match="append-only"):
        ledger.execute(change.format(empty=empty))
    (entry,) = ledger.entries()
    assert entry.stix_id == indicator(1)["id"]


def test_what_was_accepted_comes_back_byte_for_byte(ledger: Ledger) -> None:
    objects = [
        indicator(1, name='Grüße ☃ "quoted" \u2028', confidence=70),
        indicator(2, extensions={"extension-definition--a": {"extension_type": "property-extension", "z": 1}}),
        malware(3, aliases=["a", "b"]),
        domain(4),
        statement(5),
        marking_object(Tlp.GREEN),
    ]
    ledger.append(objects)
    page = pages.objects(
        ledger.database, ledger.views, READER, ledger.views.head(), Query(ledger.collection_no, limit=100)
    )
    assert [pages.without_receipt(row) for row in page.rows] == [canonical_json(obj) for obj in objects]
    for row, obj in zip(page.rows, objects, strict=True):
        assert canonical_json(json.loads(row[2])) == bytes(row[2])
        assert (EXTENSION_ID in json.loads(row[2]).get("extensions", {})) == carries_receipt(obj)


def test_receipts_verify_against_the_published_keys(ledger: Ledger) -> None:
    objects = [indicator(1), malware(2), domain(3), marking_object(Tlp.GREEN)]
    ledger.append(objects)
    with ledger.database.reading() as session:
        detached = list(session.scalars(select(DetachedReceipt)))
    by_seq = {entry.seq: entry for entry in ledger.entries()}
    proofs = [
        {
            "id": by_seq[one.seq].stix_id,
            "modified": None,
            "seed": b64u(bytes(one.seed)).decode(),
            "receipt": one.receipt,
        }
        for one in detached
    ]
    # The marking cannot carry its receipt inside.
    assert [one.seq for one in detached] == [4]
    keys = jwks([PublishedKey(ledger.signer.public_jwk(), KeyRole.HUB_RECEIPT, "http://hub.example", from_idx=0)])
    envelope = b'{"objects":[' + b",".join(bytes(entry.body) for entry in by_seq.values()) + b"]}"
    reports = verify_bundle(envelope, keys, {"proofs": proofs}, ["receipt"])
    assert [(one.result, one.idx) for one in reports[:3]] == [("sound", 1), ("sound", 2), ("sound", 3)]
    assert reports[3].result == "sound"
    tampered = envelope.replace(b"Malware 2", b"Malware 3")
    assert [one.result for one in verify_bundle(tampered, keys, {"proofs": proofs}, [])][1] == "invalid"


def test_each_statement_names_the_one_before_it(ledger: Ledger) -> None:
    ledger.append([indicator(1)])
    ledger.append([indicator(1, modified=MIDDLE), indicator(2), indicator(1, modified=NEW)], op="revise")
    payloads = [_statement(entry) for entry in ledger.entries()]
    hashes = [entry.statement for entry in ledger.entries()]
    assert [payload["idx"] for payload in payloads] == [1, 2, 3, 4]
    assert [payload.get("prev") for payload in payloads] == [None, hashes[0], None, hashes[1]]


def _statement(entry: Entry) -> dict[str, Any]:
    receipt = json.loads(entry.body)["extensions"][EXTENSION_ID]["receipt"]
    payload: dict[str, Any] = json.loads(unb64u(receipt.split(".")[1], where="receipt"))
    return payload


def test_every_plan_of_a_page_gives_the_same(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The short scan, the merge of streams and the whole scan differ in nothing but speed."""
    drafts = []
    for n in range(60):
        mine, theirs = frozenset({1, 100 + n}), frozenset({2, 100 + n})
        for obj, audience in (
            (indicator(f"{n} 0"), Audience(Tlp.AMBER, mine)),
            (indicator(f"{n} 1"), Audience(Tlp.AMBER, mine)),
            (indicator(f"{n} 0", modified=NEW), GREEN),
            (malware(n), Audience(Tlp.AMBER, theirs)),
        ):
            drafts.append(draft(obj, ledger.collection_no, audience, MINE))
    with ledger.database.unit_of_work() as session:
        ledger.log.append(session, drafts)
    streams = ledger.views.of(READER, ledger.views.head()).stream_ids(ledger.collection_no)
    assert len(streams) > 48
    questions: list[dict[str, Any]] = [
        {},
        {"limit": 7, "after": 31},
        {"versions": EVERY, "limit": 50, "after": 100},
        {"versions": EVERY, "types": ("malware",)},
        {"limit": 5, "after": 236},
    ]
    answers = []
    for scanned, merged in ((2, 400), (0, 400), (0, 0), (1000, 0)):
        monkeypatch.setattr(pages, "SCANNED", scanned)
        monkeypatch.setattr(pages, "MERGED_STREAMS", merged)
        answers.append([ledger.seqs(**question) for question in questions])
    assert [len(one) for one in answers[0]] == [120, 7, 50, 0, 2]
    assert all(answer == answers[0] for answer in answers)


def test_the_migrations_make_the_tables_of_the_models(database_url: str) -> None:
    assert tables.ALL
    database = Database(database_url)
    with database.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        differences = compare_metadata(context, Record.metadata)
    database.close()
    assert differences == []
