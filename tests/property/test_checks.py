"""What a check says is exactly what the design says, for random filings, contributions, members and askers.

The oracle below states the rule once more in plain Python: who may hear what, what silences what, how much it
weighs. It shares no code with the service but the grades' table, which is written out again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub import clock
from hub.auth import Actor, CredentialKind, Role, permissions_of
from hub.checks.filings.gateways import Basis, Gateway, Purpose
from hub.checks.searching.checking import Checks
from hub.checks.searching.hashes import SearchHashes
from hub.checks.searching.knowledge import Knowledge
from hub.checks.searching.questions import Asked, Question
from hub.checks.searching.searches import SearchLog
from hub.checks.searching.viewers import Viewers
from hub.checks.subjects import Subject, SubjectKind, canonical_subject
from hub.db import Database
from hub.feeds.checkable import CheckableIndicators
from hub.feeds.records import SourceRecord
from hub.ledger import collections
from hub.ledger.classes import Audience
from hub.ledger.views import Views
from hub.members.records import Member
from hub.provenance.keys import FileSigner
from hub.sealing import Vault
from hub.settings import load
from hub.stix.tlp import Tlp
from tests.engines import DatabaseEngine
from tests.known import DAY, put_contribution, put_filing

MEMBERS = ("m1", "m2", "m3", "m4")
GROUPS = (1, 2)
# The source, by its place, that passes on victims' reports: these are no echo.
VICTIMS = 2
READERS = (frozenset({"members"}), frozenset({"member:m1", "group:1"}))
WORTH = {
    "1A": 90, "1B": 72, "1C": 54, "1D": 45, "1E": 0, "2A": 60, "2B": 48, "2C": 36, "2D": 30, "2E": 0,
    "3A": 20, "3B": 16, "3C": 12, "3D": 10, "3E": 0,
}  # fmt: skip
BASIS = Basis(Purpose.PAYEE_CHECK, Gateway.SCA_2007_S68)

audiences = st.builds(
    Audience,
    st.sampled_from(Tlp),
    st.frozensets(st.sampled_from(GROUPS), max_size=2),
    st.frozensets(st.sampled_from(MEMBERS), max_size=2),
)
grades = st.builds(lambda grade, handling: f"{grade}:{handling}", st.sampled_from(sorted(WORTH)), st.sampled_from("PC"))


@dataclass(frozen=True, slots=True)
class Filed:
    """A filing that is to be made. ``subject`` is one of the example's; ages in days."""

    subject: int
    member: str
    audience: Audience
    grade: str
    tier: str
    role: str
    state: str
    group: str | None
    first: int
    last: int
    runs_out: int


@dataclass(frozen=True, slots=True)
class Contributed:
    """A contribution of a source (by its place) to one of the example's subjects."""

    subject: int
    source: int
    tlp: Tlp
    groups: frozenset[int]
    collections: frozenset[int]
    grade: str
    count: int
    last: int
    echo: bool


filed = st.builds(
    Filed,
    st.integers(0, 1),
    st.sampled_from(MEMBERS),
    audiences,
    grades,
    st.sampled_from(["intelligence", "intelligence", "known_fraud"]),
    st.sampled_from(["mule-account", "suspect", "false-identity", "impersonated-victim"]),
    st.sampled_from(["live", "live", "live", "disputed", "withdrawn", "expired"]),
    st.sampled_from([None, None, "one house"]),
    st.integers(50, 400),
    st.integers(1, 49),
    st.sampled_from([30, 30, 30, -1]),
)
contributed = st.builds(
    Contributed,
    st.integers(0, 1),
    st.integers(0, 3),
    st.sampled_from(Tlp),
    st.frozensets(st.sampled_from(GROUPS), max_size=2),
    st.frozensets(st.sampled_from([0, 1]), min_size=1, max_size=2),
    st.sampled_from(["1A", "2B", "3D", "1E"]),
    st.integers(1, 5),
    st.sampled_from([1, 100, 400]),
    st.sampled_from([False, False, True]),
)


def actor(member_id: str, clearance: Tlp, groups: frozenset[int]) -> Actor:
    """A key of somebody who reads and writes: what one may write one need not be able to read."""
    roles = [Role.READER, Role.CONTRIBUTOR]
    return Actor(
        member_id, f"{member_id}-1", "bank", "identity--1", "identity--1", frozenset(roles), clearance, groups,
        permissions_of(roles, CredentialKind.TOKEN),
    )  # fmt: skip


askers = st.builds(
    actor, st.sampled_from(MEMBERS), st.sampled_from(Tlp), st.frozensets(st.sampled_from(GROUPS), max_size=2)
)


# The oracle.


@dataclass(frozen=True, slots=True)
class Said:
    """One statement that the asker may hear."""

    group: str
    grade: str
    tlp: int
    tier: str
    role: str
    first: int
    last: int
    votes: int
    left: float
    echo: bool = False


def left(days: int) -> float:
    """What is left of a confidence about an account so long after it was seen: three tenths when it runs out."""
    return max(0.3, 1 - 0.7 * days / 365)


def may_see(asker: Actor, tlp: Tlp, groups: frozenset[int], named: frozenset[str]) -> bool:
    if tlp > asker.clearance:
        return False
    if tlp in (Tlp.CLEAR, Tlp.GREEN):
        return True
    return asker.member_id in named if tlp is Tlp.RED else bool(groups & asker.groups)


def may_read(asker: Actor, readers: frozenset[str]) -> bool:
    return bool(readers & {"members", f"member:{asker.member_id}", *(f"group:{group}" for group in asker.groups)})


def expected(said: list[Said]) -> dict[str, Any]:
    if not said:
        return {"outcome": "no_match", "tier": None, "confidence": None, "sources": None, "marker": None}
    said = [one for one in said if one.role == "impersonated-victim"] or said
    votes: dict[str, list[float]] = {}
    for one in [one for one in said if not one.echo] or [max(said, key=lambda one: WORTH[one.grade[:2]])]:
        votes[one.group] = max(votes.get(one.group, []), [WORTH[one.grade[:2]] * one.left] * one.votes)
    doubt, every = 1.0, [vote for group in votes.values() for vote in group]
    for vote in every:
        doubt *= 1 - vote / 100
    confidence = round(100 * (1 - doubt))
    sources = len(votes)
    victims = {"impersonated-victim"} & {one.role for one in said}
    fraud = any(one.tier == "known_fraud" for one in said)
    return {
        "outcome": "match",
        "tier": "protect" if victims else "known_fraud" if fraud else "intelligence",
        "confidence": confidence if len(every) > 1 else min(75, confidence),
        "sources": str(sources) if sources < 3 else "3-5" if sources < 6 else "6+",
        "first_seen": datetime.fromtimestamp(min(one.first for one in said) // 10**6, UTC).strftime("%Y-%m"),
        "last_seen": datetime.fromtimestamp(max(one.last for one in said) // 10**6, UTC).strftime("%Y-%m"),
        "grade": {WORTH[one.grade[:2]]: one.grade[:2] for one in said}[max(WORTH[one.grade[:2]] for one in said)],
        "handling": "C" if any(one.grade.endswith(":C") for one in said) else "P",
        "tlp": Tlp(max(one.tlp for one in said)).label,
        "status": "live",
    }


@dataclass(slots=True)
class World:
    """A database with members, sources and two collections, used by every example of one product."""

    database: Database
    vault: Vault
    checks: Checks
    sources: list[SourceRecord]
    collections: list[int]
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def subjects(self) -> list[Subject]:
        """Two accounts that nobody has heard of."""
        return [canonical_subject(SubjectKind.BANK_ACCOUNT, f"20-20-15 {next(self.numbers):08d}") for _ in range(2)]

    def told(self, asker: Actor, subjects: list[Subject]) -> list[dict[str, Any]]:
        """What the service answers, with the search recorded."""
        asked = [Asked(one.kind.value, None, one, None) for one in subjects]
        checked = self.checks.search(asker, Question(BASIS, "case", asked))
        answers: list[dict[str, Any]] = self.checks.told(checked)["answers"]
        return answers


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[World]:
    engine: DatabaseEngine = request.getfixturevalue(request.param)
    with engine.migrated() as url:
        database, vault = Database(url), Vault.in_folder(tmp_path)
        with database.unit_of_work() as session:
            session.add_all(
                Member(
                    id=one, name=one, kind="bank", status="active", clearance=4, roles=["reader"], anonymous=False,
                    identity_ref="identity--1", sighted_ref="identity--1", created_at=0,
                )
                for one in MEMBERS
            )  # fmt: skip
            sources = [
                SourceRecord(
                    name="member:m1", source_class="member", member_id="m1", grade="2B", independence_group="m1"
                ),
                SourceRecord(
                    name="member:m2", source_class="member", member_id="m2", grade="2B", independence_group="m2"
                ),
                SourceRecord(name="report-fraud", source_class="report-fraud", grade="2B", independence_group="rf"),
                SourceRecord(name="a feed", source_class="feed", grade="2B", independence_group="a feed"),
            ]
            session.add_all(sources)
            made = [
                collections.add(session, f"c{n}", f"c{n}", read=sorted(readers), write=["members"]).no
                for n, readers in enumerate(READERS)
            ]
        limits = load(data_dir=tmp_path, checks={"per_hour": 10**6, "per_day": 10**6, "sample_share": 0.0}).checks
        views = Views(database, FileSigner.read_or_create(tmp_path / "view.pem"))
        knowledge = Knowledge(database, vault, CheckableIndicators(database))
        checks = Checks(
            knowledge, Viewers(database, views), SearchHashes(vault), SearchLog(database, vault, limits), vault
        )
        yield World(database, vault, checks, sources, made)
        database.close()


def test_an_answer_is_what_the_asker_may_hear(world: World) -> None:
    examples = 50 if world.database.product == "sqlite" else 20

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(filed, max_size=7),
        st.lists(contributed, max_size=5, unique_by=lambda one: (one.subject, one.source)),
        st.lists(askers, min_size=1, max_size=4),
    )
    def check(filings: list[Filed], contributions: list[Contributed], who: list[Actor]) -> None:
        subjects, now = world.subjects(), clock.micros()
        _put(world, subjects, filings, contributions, now)
        for asker in who:
            answers = world.told(asker, subjects)
            assert [list(one) for one in answers] == [list(answers[0])] * 2, "one shape, whatever was found"
            for place, answer in enumerate(answers):
                heard = _heard(asker, place, filings, contributions, now)
                wanted = expected(heard)
                assert {name: answer[name] for name in wanted} == wanted

    check()


def test_every_audience_before_every_asker(world: World) -> None:
    """All of them, since a rule that is wrong for one label, group and clearance alone is seldom drawn."""
    groups = [frozenset(one) for one in ((), (1,), (1, 2))]
    filed_for = [
        Audience(*one) for one in itertools.product(Tlp, groups, [frozenset[str](), frozenset({"m1"})])
    ]  # fmt: skip
    said_for = list(itertools.product(Tlp, groups, [0, 1]))
    numbers = itertools.count(50_000_000)
    subjects = [
        canonical_subject(SubjectKind.BANK_ACCOUNT, f"20-20-15 {next(numbers)}") for _ in (*filed_for, *said_for)
    ]
    with world.database.unit_of_work() as session:
        for subject, audience in zip(subjects, filed_for, strict=False):
            put_filing(session, world.vault, "m2", [subject], audience)
        for subject, (tlp, own, place) in zip(subjects[len(filed_for) :], said_for, strict=True):
            value, readable = subject.value, [world.collections[place]]
            assert value is not None
            put_contribution(
                session, value, world.sources[3], collections=readable, tlp=int(tlp), groups=sorted(own), grade="2B"
            )
    for member_id, clearance, own in itertools.product(("m1", "m4"), Tlp, groups):
        asker = actor(member_id, clearance, own)
        wanted = [may_see(asker, one.tlp, one.groups, one.recipients) for one in filed_for] + [
            may_see(asker, tlp, named, frozenset()) and may_read(asker, READERS[place])
            for tlp, named, place in said_for
        ]
        answers = world.told(asker, subjects)
        assert [one["outcome"] == "match" for one in answers] == wanted, asker


def _put(
    world: World, subjects: list[Subject], filings: list[Filed], contributions: list[Contributed], now: int
) -> None:
    with world.database.unit_of_work() as session:
        for one in filings:
            put_filing(
                session, world.vault, one.member, [subjects[one.subject]], one.audience, tier=one.tier,
                grade=one.grade, role=one.role, state=one.state, group=one.group, first_seen=now - one.first * DAY,
                last_seen=now - one.last * DAY, valid_until=now + one.runs_out * DAY,
            )  # fmt: skip
        for said in contributions:
            value = subjects[said.subject].value
            assert value is not None
            readable = [world.collections[n] for n in said.collections]
            put_contribution(
                session, value, world.sources[said.source], collections=readable, tlp=int(said.tlp),
                groups=sorted(said.groups), grade=said.grade, count=said.count, last_seen=now - said.last * DAY,
                echo=said.echo and said.source != VICTIMS,
            )  # fmt: skip


def _heard(asker: Actor, subject: int, filings: list[Filed], contributions: list[Contributed], now: int) -> list[Said]:
    heard = [
        Said(
            one.group or one.member, one.grade, int(one.audience.tlp), one.tier, one.role, now - one.first * DAY,
            now - one.last * DAY, 1, left(one.last) if one.tier == "intelligence" else 1.0,
        )
        for one in filings
        if one.subject == subject
        and one.member != asker.member_id
        and one.state == "live"
        and one.runs_out > 0
        and one.grade[1] != "E"
        and may_see(asker, one.audience.tlp, one.audience.groups, one.audience.recipients)
    ]  # fmt: skip
    groups = ["m1", "m2", "rf", "a feed"]
    contributed = [
        one
        for one in contributions
        if one.subject == subject
        and groups[one.source] != asker.member_id
        and one.last < 365
        and one.grade != "1E"
        and may_see(asker, one.tlp, one.groups, frozenset())
        and any(may_read(asker, READERS[n]) for n in one.collections)
    ]
    echoes = [one for one in contributed if one.echo and one.source != VICTIMS]
    return heard + [
        Said(
            groups[one.source], one.grade, int(one.tlp), "intelligence", "", now - (one.last + 1) * DAY,
            now - one.last * DAY, min(3, one.count) if one.source == VICTIMS else 1,
            left(min([one.last, *(echo.last for echo in echoes)])), one in echoes,
        )
        for one in contributed
    ]  # fmt: skip
