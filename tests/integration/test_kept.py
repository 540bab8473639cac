"""What is kept of checks: correction notices, retention, and what a person is told who asks for access."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DBAPIError

from hub import clock
from hub.audit.records import AuditEvent
from hub.checks.filings import filing
from hub.checks.filings.records import Filing, FilingEvent, FilingIdentifier, FilingVersion
from hub.checks.kept import retention, subject_access
from hub.checks.kept.subject_access import Decision
from hub.checks.precheck.records import SubjectAccessRequest
from hub.checks.searching import watch
from hub.checks.searching.hashes import SearchHashes
from hub.checks.searching.reading import who_searched
from hub.checks.searching.records import CheckJob, Search, SearchAnswer, SearchHash, SearchMatch
from hub.checks.subjects import SubjectKind, canonical_subject
from hub.clock import DAY, SECOND
from hub.errors import Conflict, InvalidInput
from hub.factory import checks as joined
from hub.factory import upkeep
from hub.factory.mentions import mentions
from hub.feeds.records import Submission
from hub.members.people_records import OutgoingMessage
from tests import filings
from tests.commands import Commands
from tests.live import LocalHub, TestMember, local
from tests.operations import tell
from tests.people import add_person

BASIS = {"purpose": "payee-check", "legal_gateway": "serious-crime-act-2007-s68", "case_reference": "CASE-1"}
NOTICES = "/api/v1/notices"


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[LocalHub]:
    with local(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def bank(hub: LocalHub) -> TestMember:
    return hub.add_member("Filing Bank", groups=["banks"], roles=["contributor", "reader"])


@pytest.fixture
def asker(hub: LocalHub) -> TestMember:
    return hub.add_member("Asking Bank", groups=["banks"])


def check(hub: LocalHub, asker: TestMember, *subjects: dict[str, Any]) -> list[dict[str, Any]]:
    answer = hub.request("POST", "/api/v1/checks", asker, json={**BASIS, "subjects": list(subjects)})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["answers"]
    return found


def phone(number: int) -> dict[str, Any]:
    return {"kind": "phone", "value": f"+44 7700 900{number}"}


def notices_of(hub: LocalHub, member: TestMember, **query: str) -> list[dict[str, Any]]:
    answer = hub.get(NOTICES, member, query_string=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["notices"]
    return found


def audited(hub: LocalHub, action: str) -> list[AuditEvent]:
    with hub.hub.database.reading() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id)))


def run_retention(hub: LocalHub, **periods: int) -> dict[str, int]:
    kinds = upkeep.retention_kinds(hub.hub)
    if periods:
        kinds = retention.kinds(hub.hub.filings(), hub.settings.retention.model_copy(update=periods))
    return retention.run(hub.hub.database, kinds, "hub")


def rows(hub: LocalHub, table: Any) -> int:
    with hub.hub.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_correction_reaches_everyone_who_got_a_match_on_it(
    hub: LocalHub, bank: TestMember, asker: TestMember
) -> None:
    """With the ids of their own checks, and nobody else; by the API and by a letter to the primary contact."""
    bystander = hub.add_member("Bystander", groups=["banks"])
    add_person(hub, "contact@asking.example", ("primary-contact",), asker.member_id)
    add_person(hub, "reader@asking.example", ("reader",), asker.member_id)
    (filed,) = filings.filed(hub, bank, filings.intelligence(subject={"phone": "+44 7700 900501"}))
    first = check(hub, asker, phone(500), phone(501))
    second = check(hub, asker, phone(501))
    assert [one["outcome"] for one in first] == ["no_match", "match"]
    check(hub, bystander, phone(500))
    assert upkeep.make_notices(hub.hub) == 0
    desk = hub.hub.filings()
    with hub.hub.database.unit_of_work() as session:
        filing.dispute(session, desk, "hub", "hub", filed, "the number was given to somebody else")
    assert upkeep.make_notices(hub.hub) == 1
    assert upkeep.make_notices(hub.hub) == 0
    (notice,) = notices_of(hub, asker)
    assert notice["what"] == "disputed"
    assert notice["checks"] == [first[1]["check_id"], second[0]["check_id"]]
    assert filed not in json.dumps(notice)
    assert notices_of(hub, bystander) == notices_of(hub, bank) == []
    with hub.hub.database.reading() as session:
        letters = list(
            session.scalars(
                select(OutgoingMessage).where(OutgoingMessage.subject == "Correction of a match that you were given")
            )
        )
        bodies = [hub.hub.vault.open(one.body, f"outgoing-message:{one.id}").decode() for one in letters]
    assert [one.recipient for one in letters] == ["contact@asking.example"]
    assert first[1]["check_id"] in bodies[0]
    assert "900501" not in bodies[0]
    # Checked again it answers nothing; settled and withdrawn, the asker hears of each in turn.
    assert check(hub, asker, phone(501))[0]["outcome"] == "no_match"
    with hub.hub.database.unit_of_work() as session:
        filing.end_dispute(session, desk, "hub", "hub", filed, "it was not")
        filing.withdraw(session, desk, "credential:x", bank.member_id, filed)
    assert upkeep.make_notices(hub.hub) == 2
    assert [one["what"] for one in notices_of(hub, asker, since=notice["at"])] == ["dispute-ended", "withdrawn"]
    assert len(audited(hub, "correction-notice:make")) == 3


def test_a_match_that_was_read_while_the_dispute_was_written_is_corrected_too(
    hub: LocalHub, bank: TestMember, asker: TestMember
) -> None:
    """The search states a later instant than the dispute, whose transaction was not over yet."""
    (filed,) = filings.filed(hub, bank, filings.intelligence(subject={"phone": "+44 7700 900503"}))
    with clock.as_of(clock.micros() + SECOND // 2):
        (answer,) = check(hub, asker, phone(503))
    with hub.hub.database.unit_of_work() as session:
        filing.dispute(session, hub.hub.filings(), "hub", "hub", filed, "the holder's own")
    assert upkeep.make_notices(hub.hub) == 1
    assert [one["checks"] for one in notices_of(hub, asker)] == [[answer["check_id"]]]


def test_an_amendment_is_a_correction_and_running_out_is_none(
    hub: LocalHub, bank: TestMember, asker: TestMember
) -> None:
    document = filings.intelligence(subject={"phone": "+44 7700 900502"})
    filings.filed(hub, bank, document)
    check(hub, asker, phone(502))
    filings.filed(hub, bank, {**document, "grade": "2C:P"})
    assert upkeep.make_notices(hub.hub) == 1
    assert [one["what"] for one in notices_of(hub, asker)] == ["amended"]
    with clock.as_of(clock.micros() + 400 * DAY):
        assert run_retention(hub)["filings_expired"] == 1
        assert upkeep.make_notices(hub.hub) == 0


@pytest.mark.parametrize("since", ["yesterday", "2026-11-02", "2026-11-02T10:00:00", "9" * 400, "2026-13-01T00:00:00Z"])
@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_since_is_an_instant(hub: LocalHub, asker: TestMember, since: str) -> None:
    answer = hub.get(NOTICES, asker, query_string={"since": since})
    assert answer.status_code == 400
    assert answer.get_json()["where"] == "since"


def test_what_is_due_is_deleted_and_the_run_says_so(hub: LocalHub, bank: TestMember, asker: TestMember) -> None:
    """Each at its own time: answers and jobs, intelligence that has run out, searches, and six years for all else."""
    number = {"phone": "+44 7700 900503"}
    filings.filed(hub, bank, filings.intelligence(subject=number), filings.known_fraud(subject=number))
    assert check(hub, asker, phone(503))[0]["outcome"] == "match"
    now = clock.micros()
    with hub.hub.database.unit_of_work() as session:
        session.add(
            CheckJob(
                id="job", member_id=asker.member_id, actor="a", purpose="payee-check", gateway="x", format="csv",
                case_reference=b"", state="complete", received_at=now, finished_at=now, total=0, done=0, raw=b"sealed",
                failure=None, lease_by=None, lease_until=None, delete_after=now + DAY,
            )
        )  # fmt: skip
    assert not any(run_retention(hub).values())
    assert audited(hub, "retention:run") == []
    with clock.as_of(now + 200 * DAY):
        # A phone number is good for a month; known fraud waits for its approval for as long as it likes.
        deleted = run_retention(hub)
        assert {name: count for name, count in deleted.items() if count} == {
            "filings_expired": 1, "answers": 1, "jobs": 1, "quota_counters": deleted["quota_counters"],
        }  # fmt: skip
        assert (rows(hub, CheckJob), rows(hub, SearchAnswer), rows(hub, Search)) == (0, 0, 1)
    with clock.as_of(now + 600 * DAY):
        deleted = run_retention(hub)
        assert deleted["filings_erased"] == 1
        assert rows(hub, Filing) == 1
    with clock.as_of(now + (6 * 366) * DAY):
        deleted = run_retention(hub, searches_days=9999)  # the database's own clock is not moved
        assert (deleted["filings_expired"], deleted["filings_erased"]) == (1, 1)
        for table in (Filing, FilingIdentifier, FilingVersion, FilingEvent):
            assert rows(hub, table) == 0
    said = [json.loads(one.detail)["after"] for one in audited(hub, "retention:run")]
    assert [one["filings_erased"] for one in said] == [0, 1, 1]
    assert {one.actor for one in audited(hub, "filing:erase")} == {"hub"}


def test_searches_go_once_their_time_is_over_and_not_a_year_before(
    hub: LocalHub, bank: TestMember, asker: TestMember
) -> None:
    """The database itself keeps the record of searches for a year, whoever deletes."""
    filings.filed(hub, bank, filings.intelligence(subject={"phone": "+44 7700 900504"}))
    check(hub, asker, phone(504))
    for table in (SearchMatch, Search):
        with pytest.raises(DBAPIError, match="kept for a year"), hub.hub.database.unit_of_work() as session:
            session.execute(delete(SearchAnswer))
            session.execute(delete(table))
    with clock.as_of(clock.micros() - 7 * 365 * DAY):
        check(hub, asker, phone(504))
    assert rows(hub, Search) == 2
    assert run_retention(hub)["searches"] == 1
    assert rows(hub, Search) == 1
    with hub.hub.database.reading() as session:
        assert list(session.scalars(select(SearchMatch.search_no).distinct())) == list(
            session.scalars(select(Search.no))
        )


def test_who_searched_is_found_by_index_and_what_is_not_in_it_yet_too(hub: LocalHub, asker: TestMember) -> None:
    looks = joined.watch(hub.hub)
    wanted = canonical_subject(SubjectKind.PHONE, "+44 7700 900511")

    def searched() -> list[tuple[int, int]]:
        with hub.hub.database.reading() as session:
            return [(one.no, place) for one, place in who_searched(session, SearchHashes(hub.hub.vault), wanted)]

    with clock.as_of(clock.micros() - 7 * 365 * DAY):
        check(hub, asker, phone(511))
    check(hub, asker, phone(512), phone(511), {"kind": "phone", "value": "nonsense"})
    check(hub, asker, phone(512))
    assert searched() == [(2, 1), (1, 0)]
    assert looks.look() == 3
    assert rows(hub, SearchHash) == 4  # not the one that was no number
    assert searched() == [(2, 1), (1, 0)]
    check(hub, asker, phone(511))
    assert searched() == [(4, 0), (2, 1), (1, 0)]
    # What the watch has seen is looked up, not read: without its row there, a search is not found.
    with hub.hub.database.unit_of_work() as session:
        session.execute(delete(SearchHash).where(SearchHash.search_no == 1))
    assert searched() == [(4, 0), (2, 1)]
    for change in (delete(SearchHash), update(SearchHash).values(search_no=3)):
        with (
            pytest.raises(DBAPIError, match=r"kept for a year|append-only"),
            hub.hub.database.unit_of_work() as session,
        ):
            session.execute(change)
    with clock.as_of(clock.micros() - 7 * 365 * DAY):
        check(hub, asker, phone(511))
    assert looks.look() == 2
    assert rows(hub, SearchHash) == 5
    assert run_retention(hub)["searches"] == 2
    assert rows(hub, SearchHash) == 4


def test_a_large_search_is_looked_at_by_itself(
    hub: LocalHub, asker: TestMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "VALUES_AT_ONCE", 3)
    for numbers in ((513,), (514, 515), (516, 517, 518, 519), (520,)):
        check(hub, asker, *map(phone, numbers))
    looks = joined.watch(hub.hub)
    assert [looks.look() for _ in range(4)] == [2, 1, 1, 0]
    assert rows(hub, SearchHash) == 8


def test_a_dry_run_only_counts_and_the_command_deletes(
    hub: LocalHub, bank: TestMember, asker: TestMember, database_url: str
) -> None:
    with clock.as_of(clock.micros() - 7 * 365 * DAY):
        check(hub, asker, phone(505))
    commands = Commands(database_url, hub.settings.data_dir, HUB_RETENTION__SUBMISSIONS_DAYS="1")
    with clock.as_of(clock.micros() - 3 * DAY):
        filings.filed(hub, bank, filings.intelligence(subject={"phone": "+44 7700 900506"}))
    counted = commands("retention", "run", "--dry-run", "--json").document
    assert (counted["searches"], counted["submissions"]) == (1, 1)
    assert rows(hub, Search) == 1
    assert commands("retention", "run", "--json").document == counted
    assert rows(hub, Search) == 0
    with hub.hub.database.reading() as session:
        assert [len(raw) for raw in session.scalars(select(Submission.raw))] == [0]
    (said,) = audited(hub, "retention:run")
    assert said.actor == "operator"
    assert "searches" in commands("retention", "run").out


PERSON = {"name": "Ada Quillfeather", "date_of_birth": "1980-02-29"}


def held(hub: LocalHub, *subjects: tuple[str, Any]) -> Any:
    found = [canonical_subject(SubjectKind(kind), raw) for kind, raw in subjects]
    with hub.hub.database.reading() as session:
        return subject_access.find(session, hub.hub.vault, found, mentions)


def answered(hub: LocalHub, holding: Any, decision: Decision) -> dict[str, Any]:
    with hub.hub.database.unit_of_work() as session:
        return subject_access.answer(session, hub.hub.vault, holding, decision, upkeep.owners(session))


def test_a_person_is_told_what_is_held_by_whom_and_who_searched(
    hub: LocalHub, bank: TestMember, asker: TestMember
) -> None:
    shy = hub.add_member("Shy Insurer", kind="insurer", groups=["banks"], roles=["contributor"], anonymous=True)
    filings.filed(hub, bank, filings.intelligence(subject={"person": PERSON, "phone": "+44 7700 900507"}))
    filings.filed(hub, shy, filings.intelligence(subject={"phone": "+44 7700 900507"}))
    filings.filed(hub, bank, filings.intelligence(subject={"person": {**PERSON, "name": "Ada Quilfeather"}}))
    filings.filed(hub, bank, filings.intelligence(subject={"person": {**PERSON, "name": "Bob Stone"}}))
    check(hub, asker, {"kind": "person", **PERSON}, phone(507), phone(508))
    check(hub, shy, {"kind": "person", "name": "Somebody Else", "date_of_birth": "1980-02-29"})
    holding = held(hub, ("person", PERSON), ("phone", "+44 7700 900507"))
    # A like name with the same birth date may be theirs: shown to who decides, not given to the person.
    assert [one.possible for one in holding.filings] == [False, False, True]
    told = answered(hub, holding, Decision("SAR-7", "officer"))
    assert [one["source"].split(":")[0] for one in told["filings"]] == ["Filing Bank", "withheld"]
    assert "Shy" not in json.dumps(told)
    assert told["filings"][0]["content"]["subject"]["person"]["name"] == "Ada Quillfeather"
    assert [(one["by"], one["purpose"], one["outcome"]) for one in told["searches"]] == [
        ("Asking Bank", "payee-check", "match"),
        ("Asking Bank", "payee-check", "match"),
    ]
    with pytest.raises(Conflict, match="answered already"):
        answered(hub, holding, Decision("SAR-7", "officer"))


def test_a_person_is_told_who_else_named_them_and_what_could_not_be_searched(hub: LocalHub, bank: TestMember) -> None:
    number, mailbox = "442079460509", "named@elsewhere.example"
    partner = hub.add_member("Report Desk", kind="report-fraud", roles=["reporting-partner"])
    report = {
        "report": {
            "reference": "R-509", "kind": "crime", "reporter_kind": "victim", "reported_at": "2026-11-03T10:15:00Z",
            "nfib_code": "3A", "narrative": "they called me", "grade": "2B:P",
        },
        "suspects": [{"name": "Ada Quillfeather", "phone": f"+{number}"}],
        "victim": {"name": "Sam Sampleton", "phone": "07700 900510", "email": "sam@victim.example"},
    }  # fmt: skip
    answer = hub.request("POST", "/api/v1/reports", partner, json=report)
    assert answer.status_code == 202, answer.text
    hub.work()
    shy = hub.add_member("Shy Sharer", kind="insurer", groups=["banks"], roles=["contributor"], anonymous=True)
    tell(hub, f"+{number}\n{mailbox}\n", shy, "amber", ("banks",))
    tell(hub, f"{mailbox}\n", "open-list")
    told = answered(hub, held(hub, ("phone", f"+{number}"), ("email", mailbox)), Decision("SAR-9", "officer"))
    assert sorted((one["what"], one["source"].split(":")[0], one["value"]) for one in told["mentions"]) == [
        ("indicator", "Report Desk", number), ("indicator", "open-list", mailbox), ("indicator", "withheld", number),
        ("indicator", "withheld", mailbox), ("report", "Report Desk", number),
    ]  # fmt: skip
    (reported,) = [one for one in told["mentions"] if one["what"] == "report"]
    assert (reported["category"], reported["state"]) == ("3A", "published")
    assert "not by names" in told["not_searched"][0]
    assert "Shy" not in json.dumps(told)
    assert "Sampleton" not in json.dumps(told)
    # The name of a suspect and the victim's own number stand sealed in the report: nothing finds them.
    assert held(hub, ("person", PERSON), ("phone", "07700 900510")).mentions == []
    # The exemption covers a mention as it does a filing.
    again = held(hub, ("phone", f"+{number}"))
    hidden = frozenset(one.id for one in again.mentions if one.what == "report")
    told = answered(hub, again, Decision("SAR-10", "officer", hidden, "an arrest is planned"))
    assert [one["what"] for one in told["mentions"]] == ["indicator", "indicator"]


def test_nobody_is_given_what_is_held_about_another_of_their_name_and_address(hub: LocalHub, bank: TestMember) -> None:
    son = {"name": "Alan Penrose", "date_of_birth": "1990-01-02", "postcode": "SW1A 1AA"}
    filings.filed(hub, bank, filings.intelligence(subject={"person": son}, grade="2B:C", conditions="Not to be shown."))
    for asked, possible in (
        (son, False), ({**son, "postcode": "EC1A 1BB"}, False), ({**son, "date_of_birth": "1960-01-02"}, True),
        ({"name": son["name"], "postcode": son["postcode"]}, True),
    ):  # fmt: skip
        holding = held(hub, ("person", asked))
        assert [one.possible for one in holding.filings] == [possible], asked
    assert holding.filings[0].conditions == "Not to be shown."
    assert answered(hub, holding, Decision("SAR-11", "officer"))["filings"] == []


def test_the_crime_exemption_is_a_recorded_decision(hub: LocalHub, bank: TestMember, asker: TestMember) -> None:
    filings.filed(hub, bank, filings.intelligence(subject={"person": PERSON}))
    check(hub, asker, {"kind": "person", **PERSON})
    holding = held(hub, ("person", PERSON))
    hidden = holding.filings[0].filing.id
    for wrong in (
        Decision("SAR-8", "officer", frozenset({hidden})),  # no reason
        Decision("SAR-8", "officer", frozenset({"filing--unknown"}), "a reason"),
        Decision(" ", "officer"),
    ):
        with pytest.raises(InvalidInput):
            answered(hub, holding, wrong)
    told = answered(hub, holding, Decision("SAR-8", "officer", frozenset({hidden}), "an arrest is planned"))
    assert told["filings"] == []
    assert len(told["searches"]) == 1
    # The person's copy does not show that anything is missing.
    assert "withheld" not in json.dumps(told)
    (event,) = audited(hub, "subject-access:exempt")
    assert event.actor == "officer"
    assert json.loads(event.detail)["after"]["exemption"] == "DPA 2018 schedule 2 paragraph 2 (crime)"
    assert "arrest" not in event.detail
    with hub.hub.database.reading() as session:
        kept = session.scalars(select(SubjectAccessRequest)).one()
        assert (kept.decided_by, kept.exemption, kept.withheld) == ("officer", True, 1)
        whole = subject_access.read(session, hub.hub.vault, "SAR-8")
    assert (whole["withheld"], whole["reason"]) == ([hidden], "an arrest is planned")
    with clock.as_of(clock.micros() + 400 * DAY):
        assert run_retention(hub)["subject_access_answers"] == 1
    assert rows(hub, SubjectAccessRequest) == 1  # that it was answered, by whom and how, stays


def test_the_command_asks_for_a_named_person(
    hub: LocalHub, bank: TestMember, asker: TestMember, database_url: str
) -> None:
    filings.filed(hub, bank, filings.intelligence(subject={"person": PERSON, "phone": "+44 7700 900509"}))
    officer = add_person(hub, "officer@hub.example", ("vetting-officer",))
    add_person(hub, "somebody@bank.example", ("reader",), bank.member_id)
    commands = Commands(database_url, hub.settings.data_dir)
    whose = ("--person", PERSON["name"], PERSON["date_of_birth"], "", "--identifier", "phone=+44 7700 900509")
    for nobody in ("nobody@hub.example", "somebody@bank.example"):
        refused = commands("subject-access", "SAR-9", "--by", nobody, *whose, code=1)
        assert "no active person of the hub" in refused.err
    seen = commands("subject-access", "SAR-9", "--by", "officer@hub.example", *whose, "--json").document
    assert [one["sure"] for one in seen["filings"]] == [True]
    assert rows(hub, SubjectAccessRequest) == 0
    told = commands("subject-access", "SAR-9", "--by", "officer@hub.example", *whose, "--answer").document
    assert [one["source"] for one in told["filings"]] == ["Filing Bank"]
    assert {one.actor for action in ("look", "answer") for one in audited(hub, f"subject-access:{action}")} == {
        officer.person_id
    }
    alone = commands("subject-access", "X", "--by", "officer@hub.example", "--person", "Ada", "", "", code=1)
    assert "name alone" in alone.err
    nothing = commands("subject-access", "X", "--by", "officer@hub.example", code=1)
    assert "at least one identifier" in nothing.err


def test_the_keys_are_listed_and_rotated_by_command(hub: LocalHub, bank: TestMember, database_url: str) -> None:
    filings.filed(hub, bank, filings.intelligence(subject={"phone": "+44 7700 900510"}))
    upkeep.set_builder(hub.hub).run()
    commands = Commands(database_url, hub.settings.data_dir)
    (first,) = commands("keys", "list", "--json").document["precheck"]
    rotated = commands("keys", "rotate", "precheck", "--why", "a drill", "--json").document
    assert rotated["public_key"] != first["public_key"]
    assert rotated["sets"] >= 1
    assert commands("keys", "rotate", "wrapping", "--json").document == {"key": 2, "rows": 1}
    rings = commands("keys", "list", "--json").document["rings"]
    assert rings == {"check-index": [1], "wrapping": [1, 2], "precheck": [1, 2]}
    assert "a drill" in audited(hub, "precheck-key:make")[-1].detail
