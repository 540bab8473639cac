"""The checking service: a batch of 1,000 against 1,000,000 filed identifiers and as many indicators, and single checks
over HTTP.

A batch is measured in the process, from canonical subjects to answers: tags, both look-ups, visibility, weighing.
Reading the JSON into canonical subjects, and keeping the search, are told beside it.
"""

from __future__ import annotations

import itertools
import random
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.orm import Session

from bench.client import Client
from bench.results import Measured, ms
from bench.server import hub_server
from bench.store import open_hub
from hub import clock
from hub.auth import Actor, CredentialKind, Role
from hub.checks.filings.parts import Envelope
from hub.checks.filings.records import Filing, FilingIdentifier
from hub.checks.index import CheckIndex
from hub.checks.searching import questions
from hub.checks.searching.checking import Checks
from hub.checks.searching.questions import Question
from hub.checks.subjects import SubjectKind, canonical_subject, terms
from hub.db.bulk import insert_rows
from hub.factory import Hub
from hub.factory.checks import checking
from hub.feeds.records import Contribution, Indicator, SourceRecord
from hub.ledger.classes import Audience, class_id
from hub.ledger.collections import by_alias
from hub.ledger.views import Views
from hub.members import credentials, membership
from hub.members.membership import MemberKind
from hub.members.records import Credential, Member
from hub.stix.tlp import Tlp

BATCH = 1000
# Of a batch, one subject in so many is known.
KNOWN_EVERY = 50
ROUNDS = 60
# A process reads beforehand what is known (``hub.db.presence``), a part with each of its first searches.
WARM_UP = 120
WRITTEN_AT_ONCE = 5000
SINGLE_SECONDS = 8.0
CONNECTIONS = 8
DAY = 86_400_000_000
BASIS = {"purpose": "payee-check", "legal_gateway": "serious-crime-act-2007-s68", "case_reference": "bench"}
TARGET = {"sqlite": "≤ 10", "postgresql": "≤ 20"}


@dataclass(frozen=True, slots=True)
class Filled:
    """A hub whose checking index holds many accounts, and an asker with its credential."""

    data: Path
    url: str
    asker: tuple[str, str]
    known: int


def account(number: int) -> str:
    """The n-th bank account: spread over sort codes, as real ones are."""
    spread = number * 2_654_435_761 % 10**12
    return f"{spread // 10**8 % 10**6:06d} {spread % 10**8:08d}"


def fill(data: Path, url: str, known: int) -> Filled:
    """A hub with ``known`` filed accounts of two members, ten to a filing, and an indicator of a feed for each of as
    many others.
    """
    hub = open_hub(data, url, intake={"reserved": "publish"})
    with hub.database.unit_of_work() as session:
        group = membership.add_group(session, "banks").id
        asker, *filers = (_member(hub, session, name) for name in ("Asking Bank", "First Bank", "Second Bank"))
        username, token = credentials.issue(session, asker)
        of_class = class_id(session, Audience(Tlp.AMBER, frozenset({group})))
    index, now = CheckIndex(hub.vault), clock.micros()
    numbers = iter(range(known))
    while part := list(itertools.islice(numbers, WRITTEN_AT_ONCE)):
        filings, identifiers = [], []
        for start in range(0, len(part), 10):
            filing_id = f"filing--{uuid.uuid4()}"
            filer = filers[start // 10 % 2]
            envelope, wrapped = Envelope.made(hub.vault, filing_id)
            filings.append(_filing(filing_id, filer.id, of_class, wrapped, now))
            sealed = envelope.seal_identifier(0, "bank-account", "", "")
            for position, number in enumerate(part[start : start + 10]):
                subject = canonical_subject(SubjectKind.BANK_ACCOUNT, account(number))
                term = terms(subject)[0]
                identifiers.append(
                    {
                        "filing_id": filing_id, "position": position, "kind": term.facet, "facet": term.facet,
                        "exact": True, "epoch": index.epoch, "tag": index.tag(term.facet, term.text),
                        "valid_until": now + 365 * DAY, "published": False, "sealed": sealed,
                    }
                )  # fmt: skip
        with hub.database.unit_of_work() as session:
            insert_rows(session, Filing, filings)
            insert_rows(session, FilingIdentifier, identifiers)
    _fill_indicators(hub, range(known, 2 * known))
    if hub.database.product == "postgresql":
        with hub.database.reading() as session:
            session.connection().exec_driver_sql("ANALYZE")
    hub.database.close()
    return Filled(data, url, (username, token), known)


def _fill_indicators(hub: Hub, accounts: Iterable[int]) -> None:
    now, numbers = clock.micros(), itertools.count(1)
    with hub.database.unit_of_work() as session:
        source = SourceRecord(name="bench", source_class="feed", grade="2B", independence_group="bench")
        session.add(source)
        session.flush()
        collection = by_alias(session, "fraud")
        assert collection is not None
        source_id, no = source.id, collection.no
    parts = iter(accounts)
    while part := list(itertools.islice(parts, WRITTEN_AT_ONCE)):
        subjects = [canonical_subject(SubjectKind.BANK_ACCOUNT, account(number)) for number in part]
        indicators = [_indicator(next(numbers), one.text, now) for one in subjects]
        said = [
            {
                "indicator_id": one["id"], "source_id": source_id, "collections": [no], "fingerprint": b"",
                "first_seen": now, "last_seen": now, "count": 1, "grade": "2B", "tlp": int(Tlp.GREEN), "groups": [],
                "labels": [], "sighting_created": 0, "sighting_modified": 0,
            }
            for one in indicators
        ]  # fmt: skip
        with hub.database.unit_of_work() as session:
            insert_rows(session, Indicator, indicators)
            insert_rows(session, Contribution, said)


def batches(product: str, filled: Filled) -> Iterator[Measured]:
    """1,000 subjects at once, each time others: most unknown, one in fifty known, by a filing or by an indicator."""
    hub = open_hub(filled.data, filled.url)
    checks = checking(hub, Views(hub.database, hub.view_signer))
    actor = _actor(hub, filled.asker[0])
    chance = random.Random(7)
    spent: dict[str, list[float]] = {"read": [], "answer": [], "cpu": [], "whole": []}
    for turn in range(-WARM_UP, ROUNDS):
        document = {**BASIS, "subjects": list(_subjects(chance, filled.known))}
        if turn < 0:
            checks.answered(actor, questions.question(document, "bank", BATCH))
            continue
        started = time.perf_counter()
        asked = questions.question(document, "bank", BATCH)
        read = time.perf_counter()
        cpu = time.process_time()
        answers, _matches = checks.answered(actor, asked)
        cpu, answered = time.process_time() - cpu, time.perf_counter()
        found = sum(one.found for one in answers)
        assert found == BATCH // KNOWN_EVERY, f"{found} were found"
        for name, seconds in (("read", read - started), ("answer", answered - read), ("cpu", cpu)):
            spent[name].append(seconds)
        spent["whole"].append(_kept(checks, actor, asked))
    middle = {name: statistics.median(seconds) for name, seconds in spent.items()}
    yield Measured(
        f"check of {BATCH:,} accounts against {filled.known:,} filed and as many indicators, from subjects to answers",
        product,
        middle["answer"] * 1000, TARGET[product],
        f"{ms(middle['cpu'])} of CPU, best {ms(min(spent['answer']))}; reading the JSON into canonical subjects"
        f" {ms(middle['read'])} more; with the record and its commit {ms(middle['whole'])} in all", " ms",
    )  # fmt: skip
    hub.database.close()


def singles(product: str, filled: Filled, log: Path) -> Iterator[Measured]:
    """One subject in each request, over HTTP, two web processes; the clients are processes of their own."""
    settings = {"HUB_CHECKS__PER_HOUR": "100000000", "HUB_CHECKS__PER_DAY": "100000000"}
    arguments = ("--workers", "2", "--no-worker")
    with hub_server(filled.data, filled.url, log, *arguments, HUB_SERVER__THREADS=str(CONNECTIONS), **settings) as port:
        command = [sys.executable, "-m", "bench.checks", str(port), *filled.asker, str(filled.known)]
        run = subprocess.run(command, capture_output=True, check=True, text=True)
    done, seconds, median, slow = orjson.loads(run.stdout)
    yield Measured(
        f"single checks over HTTP, 2 web processes, {CONNECTIONS} connections", product, done / seconds, "≥ 500",
        f"median {ms(median)}, 95 % within {ms(slow)}", " checks/s",
    )  # fmt: skip


def ask_singly(port: int, credential: tuple[str, str], known: int) -> tuple[int, float, float, float]:
    """(checks, seconds, median seconds, 95th percentile) of ``CONNECTIONS`` connections that ask without a pause."""
    taken: list[list[float]] = [[] for _ in range(CONNECTIONS)]
    warm = threading.Barrier(CONNECTIONS)

    def ask(own: list[float], seed: int) -> None:
        chance = random.Random(seed)
        client = Client(port, credential, content_type="application/json")

        def once() -> float:
            body = orjson.dumps({**BASIS, "subject": next(_subjects(chance, known))})
            started = time.perf_counter()
            answer = client.post("/api/v1/checks", body)
            assert answer.status == 200, bytes(answer.body)
            return time.perf_counter() - started

        for _ in range(WARM_UP):
            once()
        warm.wait()
        until = time.monotonic() + SINGLE_SECONDS
        while time.monotonic() < until:
            own.append(once())

    threads = [threading.Thread(target=ask, args=(own, seed)) for seed, own in enumerate(taken)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    every = sorted(itertools.chain.from_iterable(taken))
    return len(every), SINGLE_SECONDS, statistics.median(every), every[len(every) * 95 // 100]


def _kept(checks: Checks, actor: Actor, asked: Question) -> float:
    started = time.perf_counter()
    checks.search(actor, asked, counted=True)
    return time.perf_counter() - started


def _subjects(chance: random.Random, known: int) -> Iterator[dict[str, Any]]:
    for n in range(BATCH):
        number = chance.randrange(2 * known) if n % KNOWN_EVERY == 0 else 2 * known + chance.randrange(10**9)
        yield {"kind": "bank-account", "value": account(number)}


def _member(hub: Hub, session: Session, name: str) -> Member:
    return membership.add_member(
        session, name, kind=MemberKind.BANK, clearance=Tlp.AMBER_STRICT, groups=("banks",), roles=[Role.READER],
        namespace=hub.namespace,
    )  # fmt: skip


def _actor(hub: Hub, username: str) -> Actor:
    with hub.database.reading() as session:
        member = session.get_one(Member, session.get_one(Credential, username).member_id)
        return credentials.actor_of(session, member, CredentialKind.TOKEN, username, None)


def _filing(filing_id: str, member_id: str, of_class: int, wrapped: bytes, now: int) -> dict[str, Any]:
    return {
        "id": filing_id, "member_id": member_id, "source_group": member_id, "reference": filing_id,
        "tier": "intelligence", "category": "5D", "role": "mule-account", "grade": "2B:P",
        "purpose": "fraud-prevention", "legal_gateway": "serious-crime-act-2007-s68", "case_reference": "bench",
        "evidence": "", "pillars": 0, "action": "", "tlp": int(Tlp.AMBER), "class_id": of_class, "state": "live",
        "version": 1, "filed_by": "credential:bench", "filed_at": now, "amended_at": now, "approved_by": None,
        "approved_at": None, "disputed_by": None, "ended_at": None, "reported_at": now, "first_seen": now - 9 * DAY,
        "last_seen": now, "valid_until": now + 365 * DAY, "wrapped_key": wrapped, "sealed": b"",
    }  # fmt: skip


def _indicator(number: int, text: str, now: int) -> dict[str, Any]:
    made = f"indicator--{uuid.uuid4()}"
    return {
        "id": number, "key": made, "stix_id": made, "generation": 0, "kind": "bank-account", "value": text,
        "account": text, "created": now, "modified": now, "content": b"bench", "falls_at": None,
    }  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    """The clients' own process: PORT USER TOKEN KNOWN."""
    port, username, token, known = arguments
    sys.stdout.buffer.write(orjson.dumps(ask_singly(int(port), (username, token), int(known))))


if __name__ == "__main__":
    main(sys.argv[1:])
