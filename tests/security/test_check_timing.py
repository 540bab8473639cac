"""Neither the time nor the work of a check tells what it may not tell in words.

The statements are counted exactly. The times are compared as medians of samples taken in turns, with a band that
noise does not leave and that a lookup, an opening of a seal or an index scan made for one case alone would.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import event

from hub.checks.filings import parts as filing_parts
from hub.checks.searching import canaries, knowledge
from hub.checks.subjects import SubjectKind, canonical_subject
from hub.db import Database
from hub.db.presence import STEP
from hub.ledger.classes import Audience
from hub.members import membership
from hub.stix.tlp import Tlp
from tests.engines import DatabaseEngine
from tests.known import put_filing
from tests.live import LocalHub, TestMember, local

URL = "/api/v1/checks"
BASIS = {"purpose": "payee-check", "legal_gateway": "serious-crime-act-2007-s68", "case_reference": "C"}
ROUNDS = 60
# How far two medians may lie apart: noise of a busy machine stays within it.
BAND = 1.6
TRIES = 4
FOUND, HIDDEN, DISPUTED, OWN, RED, PLANTED, NOTHING = "found", "hidden", "disputed", "own", "red", "planted", "nothing"
ACCOUNTS = {
    name: f"20-20-15 {n:08d}" for n, name in enumerate((FOUND, HIDDEN, DISPUTED, OWN, RED, PLANTED, NOTHING), 1)
}
PEOPLE = {
    FOUND: {"name": "Ada Quillfeather", "date_of_birth": "1980-02-29"},
    HIDDEN: {"name": "Bob Penrose", "date_of_birth": "1981-03-01"},
    NOTHING: {"name": "Eve Nobody", "date_of_birth": "1982-04-02"},
}


@pytest.fixture
def hub(database_engine: DatabaseEngine, tmp_path: Path) -> Iterator[LocalHub]:
    limits = {"sample_share": 0.0, "per_hour": 10**6, "per_day": 10**6}
    with database_engine.migrated() as url, local(url, tmp_path, checks=limits) as made:
        yield made


@pytest.fixture
def asker(hub: LocalHub) -> TestMember:
    """An asker, and one filing of each sort that it may find, may not hear of, or has made itself."""
    filer = hub.add_member("Filer", groups=["banks", "others"])
    asker = hub.add_member("Asker", groups=["banks"], clearance="red")
    with hub.hub.database.unit_of_work() as session:
        vault = hub.hub.vault
        banks, others = (membership.group_ids(session, [name]) for name in ("banks", "others"))

        def put(of: str, member: TestMember, audience: Audience, state: str = "live") -> None:
            subjects = [canonical_subject(SubjectKind.BANK_ACCOUNT, ACCOUNTS[of])]
            subjects += [canonical_subject(SubjectKind.PERSON, PEOPLE[of])] if of in PEOPLE else []
            put_filing(session, vault, member.member_id, subjects, audience, state=state)

        put(FOUND, filer, Audience(Tlp.AMBER, banks))
        put(HIDDEN, filer, Audience(Tlp.AMBER, others))
        put(DISPUTED, filer, Audience(Tlp.AMBER, banks), "disputed")
        put(OWN, asker, Audience(Tlp.AMBER, banks))
        put(RED, filer, Audience(Tlp.RED, frozenset(), frozenset({filer.member_id})))
        canaries.add(session, vault, "operator", SubjectKind.BANK_ACCOUNT, ACCOUNTS[PLANTED], "planted")
        for n in range(200):  # others, so that there are decoys as in life
            subject = canonical_subject(SubjectKind.BANK_ACCOUNT, f"20-20-16 {n:08d}")
            put_filing(session, vault, filer.member_id, [subject], Audience(Tlp.AMBER, banks))
    return asker


def ask(hub: LocalHub, asker: TestMember, subject: dict[str, Any]) -> dict[str, Any]:
    answer = hub.request("POST", URL, asker, json={**BASIS, "subject": subject})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()["answers"][0]
    return found


def account(of: str) -> dict[str, Any]:
    return {"kind": "bank-account", "value": ACCOUNTS[of]}


def person(of: str) -> dict[str, Any]:
    return {"kind": "person", **PEOPLE[of]}


def worked(hub: LocalHub, work: Callable[[], object]) -> Counter[str]:
    """Every statement that ran, how many rows each gave, how many were weighed, and how many names were opened."""
    seen: Counter[str] = Counter()
    read, opened, decide = Database._rows, filing_parts.Envelope.opened, knowledge._hearable

    def counted_read(self: Database, sql: str, parameters: Any, *, mapped: bool) -> Any:
        rows = read(self, sql, parameters, mapped=mapped)
        seen[sql] += 1
        seen[f"rows of {sql}"] += len(rows)
        return rows

    def counted_open(*given: Any) -> Any:
        seen["names opened"] += 1
        return opened(*given)

    def counted_rows(*given: Any) -> bool:
        seen["rows weighed"] += 1
        return decide(*given)

    def counted_statement(_c: Any, _cursor: Any, statement: str, _p: Any, _context: Any, _many: bool) -> None:
        seen[statement] += 1

    engine = hub.app.extensions["hub"].database.engine
    event.listen(engine, "before_cursor_execute", counted_statement)
    try:
        with (
            patch.object(Database, "_rows", counted_read),
            patch.object(filing_parts.Envelope, "opened", counted_open),
            patch.object(knowledge, "_hearable", counted_rows),
        ):
            work()
    finally:
        event.remove(engine, "before_cursor_execute", counted_statement)
    return seen


def test_the_same_work_is_done_whatever_is_known(hub: LocalHub, asker: TestMember) -> None:
    for of, cases in ((account, list(ACCOUNTS)), (person, list(PEOPLE))):
        ask(hub, asker, of(NOTHING))
        done = {case: worked(hub, partial(ask, hub, asker, of(case))) for case in cases}
        assert done[NOTHING]["rows weighed"] == STEP
        assert done[NOTHING]["names opened"] == (STEP if of is person else 0)
        for case, seen in done.items():
            assert seen == done[NOTHING], case


def test_what_may_not_be_heard_is_a_miss_in_every_word(hub: LocalHub, asker: TestMember) -> None:
    assert ask(hub, asker, account(FOUND))["outcome"] == "match"
    nothing = ask(hub, asker, account(NOTHING))
    for case in (HIDDEN, DISPUTED, OWN, RED, PLANTED):
        assert {**ask(hub, asker, account(case)), "check_id": ""} == {**nothing, "check_id": ""}, case


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_the_same_time_passes_whatever_is_known(hub: LocalHub, asker: TestMember) -> None:
    """CPU time of the answering, which is all that differs: the record of it is one commit in every case."""
    checks = hub.app.extensions["hub"].checks
    actor = _actor(hub, asker)
    for of in (account, person):
        cases = [case for case in (FOUND, HIDDEN, DISPUTED, OWN, RED, NOTHING) if of is account or case in PEOPLE]
        asked = {case: _question(of(case)) for case in cases}
        for _ in range(TRIES):
            middle = _medians({case: lambda q=q: checks.told(_search(checks, actor, q)) for case, q in asked.items()})
            if all(1 / BAND < middle[case] / middle[NOTHING] < BAND for case in cases):
                break
        else:
            pytest.fail(f"the medians lie too far apart: {middle}")


def _actor(hub: LocalHub, asker: TestMember) -> Any:
    from hub.members.credentials import authenticate, token_hash

    with hub.hub.database.reading() as session:
        return authenticate(session, token_hash(asker.token), asker.username)


def _question(subject: dict[str, Any]) -> Any:
    from hub.checks.searching.questions import question

    return question({**BASIS, "subject": subject}, "bank", 1)


def _search(checks: Any, actor: Any, asked: Any) -> Any:
    from hub.checks.searching.checking import Checked

    answers, _ = checks.answered(actor, asked)
    return Checked("0", 0, asked, answers, None)


def _medians(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    taken: dict[str, list[float]] = {case: [] for case in works}
    for turn in range(ROUNDS):
        order = list(works.items())
        for case, work in order[turn % len(order) :] + order[: turn % len(order)]:
            started = time.thread_time()
            work()
            taken[case].append(time.thread_time() - started)
    return {case: statistics.median(seconds) for case, seconds in taken.items()}
