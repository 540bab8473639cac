"""What a process knows to be absent from the checking index and from the indicators: nothing that is there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from hub.audit.records import AuditEvent
from hub.checks.filings.records import FilingIdentifier
from hub.checks.kept import rotation
from hub.checks.searching import filed, known_tags
from hub.checks.searching.known_tags import KnownTags
from hub.db import presence
from hub.feeds import checkable, present
from hub.feeds.present import PresentValues
from hub.feeds.records import Indicator, SourceRecord
from hub.ledger import pages
from hub.ledger.collections import by_alias
from hub.ledger.pages import Versions
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, canonical
from tests import filings
from tests.engines import DatabaseEngine, SQLite
from tests.known import put_contribution
from tests.live import LocalHub, TestMember, local

OF_A_VALUE = {"key": "k", "stix_id": "k", "generation": 0, "created": 0, "modified": 0, "content": b""}
ABSENT = [bytes([number]) * 16 for number in range(200)]


@pytest.fixture
def hub(database_engine: DatabaseEngine, tmp_path: Path) -> Iterator[LocalHub]:
    with database_engine.migrated() as url, local(url, tmp_path) as made:
        yield made


@pytest.fixture
def bank(hub: LocalHub) -> TestMember:
    return hub.add_member("First Bank", groups=("banks",), roles=("reader", "contributor"), clearance="amber+strict")


def tags_of(hub: LocalHub) -> list[bytes]:
    with hub.hub.database.reading() as session:
        return list(session.scalars(select(FilingIdentifier.tag)))


def pairs_of(hub: LocalHub) -> set[tuple[str, str]]:
    with hub.hub.database.reading() as session:
        return {(one.kind, one.value) for one in session.scalars(select(Indicator))}


def caught_up(known: KnownTags, epochs: list[int]) -> int:
    """Ask until something is known to be absent; how many times everything was possible before."""
    for times in range(50):
        if len(known.possible(ABSENT, epochs)) < len(ABSENT):
            return times
    pytest.fail("it never reads to the end")


def test_what_is_filed_amended_and_rotated_is_possible_at_once(
    hub: LocalHub, bank: TestMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_tags, "TAGS_AT_ONCE", 3)
    monkeypatch.setattr(known_tags, "EVENTS_AT_ONCE", 4)
    monkeypatch.setattr(rotation, "BATCH", 2)
    filings.filed(hub, bank, *(filings.intelligence() for _ in range(7)))
    known = KnownTags(hub.hub.database)
    assert known.possible(ABSENT, [1]) == ABSENT, "nothing is left out before all was read"
    assert caught_up(known, [1]) >= 1
    assert set(tags_of(hub)) <= set(known.possible([*tags_of(hub), *ABSENT], [1]))

    reference = "amended-1"
    for subject in ({"phone": "+44 7700 900811"}, {"phone": "+44 7700 900812"}, filings.account(77)):
        filings.filed(hub, bank, filings.intelligence(reference=reference, subject=subject))
        assert set(tags_of(hub)) <= set(known.possible([*tags_of(hub), *ABSENT], [1]))
    caught_up(known, [1])

    assert known.possible(ABSENT, [2, 1]) == ABSENT, "during a rotation everything is looked up"
    assert rotation.rotate_index(hub.hub.database, hub.hub.vault, "operator", grace_seconds=0).number == 2
    assert set(tags_of(hub)) <= set(known.possible([*tags_of(hub), *ABSENT], [2]))
    caught_up(known, [2])
    assert set(tags_of(hub)) <= set(known.possible([*tags_of(hub), *ABSENT], [2]))


def test_every_write_of_the_index_is_in_the_audit_log(hub: LocalHub, bank: TestMember) -> None:
    """The tags are followed by these events: one that is named otherwise would hide filings."""
    filings.filed(hub, bank, filings.intelligence(reference="one"))
    filings.filed(hub, bank, filings.intelligence(reference="one"))
    filings.filed(hub, bank, filings.known_fraud())
    with hub.hub.database.reading() as session:
        actions = set(session.scalars(select(AuditEvent.action).where(AuditEvent.action.startswith("filing:"))))
    assert actions == known_tags.WRITTEN


def test_more_than_was_expected_is_read_anew(hub: LocalHub, bank: TestMember, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "SMALLEST", 64)
    known, values = KnownTags(hub.hub.database), PresentValues(hub.hub.database)
    seen: set[tuple[str, str]] = set()
    for _ in range(4):
        filings.filed(hub, bank, *(filings.intelligence() for _ in range(6)))
        assert set(tags_of(hub)) <= set(known.possible([*tags_of(hub), *ABSENT], [1]))
        assert pairs_of(hub) > seen
        seen = pairs_of(hub)
        assert seen <= set(values.possible(sorted(seen)))


def test_an_indicator_is_possible_at_once(hub: LocalHub, bank: TestMember, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(present, "AT_ONCE", 3)
    unknown = [("phone", f"+4477009{number:05d}") for number in range(200)]
    filings.filed(hub, bank, *(filings.intelligence() for _ in range(7)))
    values = PresentValues(hub.hub.database)
    assert values.possible(unknown) == unknown, "nothing is left out before all was read"
    assert any(len(values.possible(unknown)) < len(unknown) for _ in range(20))
    for _ in range(3):
        before = pairs_of(hub)
        filings.filed(hub, bank, filings.intelligence())
        (fresh,) = pairs_of(hub) - before
        assert values.possible([*unknown, fresh]).count(fresh) == 1
        assert pairs_of(hub) <= set(values.possible(sorted(pairs_of(hub))))


def test_indicators_of_the_highest_numbers_are_heard(hub: LocalHub, bank: TestMember) -> None:
    asker = hub.add_member("Second Bank", groups=("banks",), roles=("reader",), clearance="amber+strict")
    with hub.hub.database.unit_of_work() as session:
        session.execute(insert(Indicator).values(id=2**31 - 2, kind="domain", value="last.example", **OF_A_VALUE))
    subject = filings.account(91)
    filings.filed(hub, bank, filings.intelligence(subject=subject))
    asked = {
        **filings.BASIS,
        "purpose": "payee-check",
        "subject": {"kind": "bank-account", "value": "20-20-15 00000091"},
    }
    for _ in range(3):
        assert hub.request("POST", "/api/v1/checks", asker, json=asked).get_json()["answers"][0]["outcome"] == "match"


def test_a_british_iban_is_found_by_its_account_and_an_account_by_its_iban(hub: LocalHub, bank: TestMember) -> None:
    account, iban = "20-20-15 00000093", "GB44 BARC 2020 1500 0000 94"
    with hub.hub.database.unit_of_work() as session:
        source = SourceRecord(name="a feed", source_class="feed", grade="2B", independence_group="a feed")
        session.add(source)
        session.flush()
        collection = by_alias(session, "fraud")
        assert collection is not None
        for kind, raw in ((Kind.BANK_ACCOUNT, account), (Kind.IBAN, iban)):
            put_contribution(session, canonical(kind, raw), source, collections=[collection.no], tlp=int(Tlp.GREEN))
    same = {account: ("bank-account", "iban"), iban: ("iban", "bank-account")}
    spelt = {
        ("bank-account", account): account, ("iban", account): "GB71 BARC 2020 1500 0000 93",
        ("iban", iban): iban, ("bank-account", iban): "20-20-15 00000094",
    }  # fmt: skip
    for named, kinds in same.items():
        for kind in kinds:
            asked = {**filings.BASIS, "purpose": "payee-check", "subject": {"kind": kind, "value": spelt[kind, named]}}
            answer = hub.request("POST", "/api/v1/checks", bank, json=asked).get_json()["answers"][0]
            assert (answer["outcome"], answer["sources"]) == ("match", "1"), (named, kind)


def test_no_statement_reads_more_than_it_is_asked_for(sqlite: SQLite) -> None:
    """A sort or a walk through a table would cost each check as much as everything that is known."""
    tags = filed.STATEMENTS["sqlite"], (32, bytes(32), bytes(16))
    among = checkable.AMONG["sqlite"]
    said = checkable.BY_VALUE + among, ("phone", '["+447700900800"]')
    by_account = checkable.BY_ACCOUNT + among, ("bank-account", '["20201500000001"]')
    with sqlite.migrated() as url, sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        for sql, values in (tags, said, by_account, (checkable.DECOYS, (5, 3))):
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            assert not [step for step in plan if "TEMP B-TREE" in step], plan
            # What is chosen first, eight rows, is then walked through; so are the texts and places that were given.
            chosen = {step.split()[1] for step in plan if step.startswith(("MATERIALIZE ", "CO-ROUTINE "))}
            walked = {step.split()[1] for step in plan if step.startswith("SCAN ")}
            assert walked <= chosen | {"json_each", "place", "found", "CONSTANT"}, plan
    connection.close()


@pytest.mark.parametrize("versions", [1, 3])
def test_versions_that_hardly_any_object_has_are_found_by_an_index(sqlite: SQLite, versions: int) -> None:
    asked = Versions(last=False, exact=tuple(f"199{n}-01-01T00:00:00Z" for n in range(versions)), added=(5,))
    for streams in ((1, 2, 3), tuple(range(1, 450))):
        sql, values = pages._by_version(pages.RECORD_COLUMNS, streams, asked, 0, 10**6, 101)
        with sqlite.migrated() as url, closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            plan = {row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)}
        reads = {step for step in plan if step.startswith(("SEARCH e", "SCAN e"))}
        bounds = f"(stream_id=? AND version_key=?{' AND seq>? AND seq<?' if len(streams) == 3 else ''})"
        by_version = f"SEARCH entry USING COVERING INDEX ix_entry_stream_version {bounds}"
        by_time = "SEARCH entry USING INDEX sqlite_autoindex_entry_2 (date_added=?)"
        assert reads <= {by_version, by_time, "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)"}, reads
        assert {by_version, by_time} <= reads
