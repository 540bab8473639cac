"""Vetting on both databases: the whole life of a membership, and the rules that the database holds by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import export
from hub.auth import Role
from hub.clock import DAY
from hub.db.vetting_rules import LEGAL
from hub.errors import Conflict, IntegrityFailure, InvalidInput, NotFound, NotPermitted, Unauthenticated
from hub.members import corporate, credentials, membership
from hub.members.membership import MemberKind
from hub.members.records import Credential, Member
from hub.members.vetting import (
    agreements,
    cases,
    certificates,
    decisions,
    emergencies,
    grants,
    letters,
    links,
    offboarding,
    requirements,
    reviews,
    sponsors,
    suspensions,
)
from hub.members.vetting.evidence import of_case as evidence_of
from hub.members.vetting.party import Capacity, Party, person
from hub.members.vetting.records import AgreementAcceptance, Grant, SponsorInvitation, VettingCase
from hub.members.vetting.states import TRANSITIONS, State
from hub.stix.tlp import Tlp
from tests.vetting import (
    APPLICATION,
    FIRST,
    FOURTH,
    NAMESPACE,
    OFFICER,
    SECOND,
    THIRD,
    Office,
    office,
    publish,
    sponsor,
)

APPROVE, REJECT = decisions.APPROVE, decisions.REJECT


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Office]:
    with office(database_url, tmp_path) as opened:
        yield opened


def refused(desk: Office, sql: str, **values: object) -> str:
    """What the database says to a statement that it must refuse."""
    with pytest.raises(DBAPIError) as caught, desk.database.unit_of_work() as session:
        session.execute(text(sql), values)
    return str(caught.value.orig)


def change(desk: Office, sql: str, **values: object) -> None:
    with desk.database.unit_of_work() as session:
        session.execute(text(sql), values)


def test_the_database_knows_the_same_transitions() -> None:
    assert sorted(LEGAL) == sorted(f"{before}>{after}" for before, after in TRANSITIONS)


def test_the_whole_life(desk: Office) -> None:
    case_id, member_id = desk.admit()
    assert (desk.state(case_id), desk.status(member_id)) == ("active", "active")
    with desk.database.unit_of_work() as session:
        _, token = credentials.issue(session, session.get_one(Member, member_id))
        accepted = session.scalars(select(AgreementAcceptance)).one()
        assert (accepted.address, accepted.sha256) == ("192.0.2.7", agreements.current(session).sha256)
    hashed = credentials.token_hash(token)
    with desk.database.reading() as session:
        assert credentials.authenticate(session, hashed, None).member_id == member_id

    with desk.database.unit_of_work() as session:
        suspensions.suspend(session, cases.hold(session, case_id), FIRST, "a key was found in public")
    assert desk.status(member_id) == "suspended"
    with desk.database.reading() as session, pytest.raises(Unauthenticated):
        credentials.authenticate(session, hashed, None)

    for who, lifted in ((FIRST, False), (OFFICER, True)):
        with desk.database.unit_of_work() as session:
            assert suspensions.lift(session, cases.hold(session, case_id), who, "the key is replaced") is lifted
    assert desk.status(member_id) == "active"

    with desk.database.unit_of_work() as session:
        case = cases.hold(session, case_id)
        proof = certificates.issue(session, case, OFFICER, certificates.MEMBERSHIP)
        assert proof.facts["organisation"] == "New Bank"
        offboarding.begin(session, case, OFFICER, "a merger")
    assert desk.status(member_id) == "offboarding"
    with desk.database.unit_of_work() as session:
        case = cases.hold(session, case_id)
        with pytest.raises(Conflict, match="still to do"):
            offboarding.close(session, case, OFFICER)
        for step in requirements.OFFBOARDING_STEPS:
            offboarding.tick(session, case, OFFICER, step, "done")
        ceased = offboarding.close(session, case, OFFICER)
        assert ceased.kind == "cessation"
        assert ceased.facts["ceased"] == clock.timestamp(clock.micros())[:10]
        assert all(one.revoked_at for one in session.scalars(select(Credential)))
    assert (desk.state(case_id), desk.status(member_id)) == ("closed", "closed")
    with desk.database.reading() as session:
        assert export.verify(session) > 20
        steps = [event for event in export.events(session) if event["action"] == "case:advance"]
        assert [step["after"]["state"] for step in steps][-2:] == ["offboarding", "closed"]
        assert all(step["before"]["state"] and step["why"] for step in steps)


def test_four_eyes_hold_against_sql_by_hand(desk: Office) -> None:
    case_id = desk.apply()
    desk.screen(case_id)
    insert = (
        "INSERT INTO vetting_decision (case_id, round, officer_id, approver_id, verdict, reason, at)"
        " VALUES (:case, :round, :officer, :approver, 'approve', 'by hand', 1)"
    )
    declare = (
        "INSERT INTO conflict_declaration (case_id, person_id, conflicted, explanation, at)"
        " VALUES (:case, :person, :conflicted, '', 1)"
    )
    for name, conflicted in (("first", False), ("second", False), ("third", True), ("officer", False)):
        change(desk, declare, case=case_id, person=name, conflicted=conflicted)
    now = {"case": case_id, "round": "decision", "officer": "officer"}
    # The officer, under the own name and by naming another one; an old officer; one with a conflict; one undeclared.
    assert "officer" in refused(desk, insert, **now, approver="officer")
    assert "officer" in refused(desk, insert, **(now | {"officer": "first"}), approver="officer")
    assert "conflict" in refused(desk, insert, **now, approver="third")
    assert "conflict" in refused(desk, insert, **now, approver="undeclared")
    assert "up for it" in refused(desk, insert, **(now | {"round": "appeal"}), approver="first")
    change(desk, insert, **now, approver="first")
    # Not twice the same, and not on with one.
    assert refused(desk, insert, **now, approver="first")
    forward = "UPDATE vetting_case SET state = 'approved_unsigned' WHERE id = :case"
    assert "two approvers" in refused(desk, forward, case=case_id)
    # One who has decided does not become the officer, so that nobody is both in any order.
    officer = "INSERT INTO case_officer (case_id, person_id, at) VALUES (:case, :person, 1)"
    assert "decided" in refused(desk, officer, case=case_id, person="first")
    assert "conflict" in refused(desk, officer, case=case_id, person="third")
    assert "one of its officers" in refused(
        desk, "UPDATE vetting_case SET officer_id = 'first' WHERE id = :case", case=case_id
    )
    change(desk, insert, **now, approver="second")
    change(desk, forward, case=case_id)
    assert "signed agreement" in refused(
        desk, "UPDATE vetting_case SET state = 'active' WHERE id = :case", case=case_id
    )


def test_no_state_is_jumped_over_by_sql(desk: Office) -> None:
    case_id = desk.apply()
    legal = {after for before, after in TRANSITIONS if before is State.SUBMITTED}
    for state in set(State) - legal - {State.SUBMITTED}:
        assert refused(desk, "UPDATE vetting_case SET state = :state WHERE id = :case", state=state, case=case_id)
    columns = "id, since, created_at, name, kind, domain, registration, regulator_reference, purpose, anonymous,"
    columns += "primary_name, primary_email, deputy_name, deputy_email, clearance, roles, groups"
    copied = columns.replace("id,", "'copy',", 1)
    insert = f"INSERT INTO vetting_case ({columns}, state) SELECT {copied}, 'active' FROM vetting_case"
    assert "draft" in refused(desk, insert)


def test_what_is_append_only_stays(desk: Office) -> None:
    case_id, member_id = desk.admit()
    with desk.database.unit_of_work() as session:
        suspensions.suspend(session, cases.hold(session, case_id), FIRST, "a reason")
    for table, column in (
        ("evidence", "sha256"), ("vetting_decision", "reason"), ("case_step", "why"), ("sponsor_answer", "statement"),
        ("conflict_declaration", "explanation"), ("agreement", "text"), ("agreement_acceptance", "signatory"),
        ("suspension", "reason"), ("audit_event", "detail"),
    ):  # fmt: skip
        assert "append-only" in refused(desk, f"UPDATE {table} SET {column} = {column}")
        assert "append-only" in refused(desk, f"DELETE FROM {table}")
    # The gate: not even the member's own row can be opened past its case.
    assert "only while its case is" in refused(desk, "UPDATE member SET status = 'active' WHERE id = :m", m=member_id)
    with desk.database.unit_of_work() as session, pytest.raises(DBAPIError):
        membership.set_status(session, member_id, "active")
    assert "takes two" in refused(desk, "UPDATE vetting_case SET state = 'active' WHERE id = :case", case=case_id)
    assert desk.status(member_id) == "suspended"


def test_an_old_lift_does_not_lift_a_new_suspension(desk: Office) -> None:
    case_id, _ = desk.admit()
    with desk.database.unit_of_work() as session:
        suspensions.suspend(session, cases.hold(session, case_id), FIRST, "once")
    for who in (FIRST, SECOND):
        with desk.database.unit_of_work() as session:
            suspensions.lift(session, cases.hold(session, case_id), who, "over")
    assert "stands on file" in refused(
        desk, "UPDATE vetting_case SET state = 'suspended' WHERE id = :case", case=case_id
    )
    with desk.database.unit_of_work() as session:
        case = cases.hold(session, case_id)
        suspensions.suspend(session, case, FIRST, "twice")
        suspensions.lift(session, case, FIRST, "one voice")
        with pytest.raises(Conflict, match="agreed already"):
            suspensions.lift(session, case, FIRST, "the same voice")
    assert desk.state(case_id) == "suspended"


def test_rejection_and_appeal_by_others(desk: Office) -> None:
    case_id = desk.apply()
    desk.screen(case_id)
    desk.decide(case_id, (FIRST, APPROVE), (SECOND, REJECT))
    assert desk.state(case_id) == "rejected"
    with desk.database.unit_of_work() as session:
        decisions.appeal(session, cases.hold(session, case_id), "the file was mixed up", desk.settings.vetting)
    for who in (FIRST, SECOND, OFFICER):
        with pytest.raises(NotPermitted):
            desk.decide(case_id, (who, APPROVE))
    insert = (
        "INSERT INTO vetting_decision (case_id, round, officer_id, approver_id, verdict, reason, at)"
        " VALUES (:case, 'appeal', 'officer', 'first', 'approve', 'by hand', 1)"
    )
    assert "other people" in refused(desk, insert, case=case_id)
    desk.decide(case_id, (THIRD, APPROVE), (FOURTH, APPROVE))
    assert desk.state(case_id) == "approved_unsigned"
    assert desk.status(desk.sign(case_id)) == "active"


def test_an_appeal_comes_in_time_and_once(desk: Office) -> None:
    case_id = desk.apply()
    desk.screen(case_id)
    desk.decide(case_id, (FIRST, REJECT))
    periods = desk.settings.vetting
    with desk.database.unit_of_work() as session:
        case = cases.hold(session, case_id)
        case.since -= (periods.appeal_days + 1) * DAY
        with pytest.raises(Conflict, match="over"):
            decisions.appeal(session, case, "late", periods)
        case.since = clock.micros()
        decisions.appeal(session, case, "in time", periods)
    desk.decide(case_id, (THIRD, REJECT))
    with desk.database.unit_of_work() as session, pytest.raises(Conflict, match="decided already"):
        decisions.appeal(session, cases.hold(session, case_id), "again", periods)


def test_questions_and_answers(desk: Office) -> None:
    case_id = desk.apply()
    with desk.database.unit_of_work() as session:
        case = cases.hold(session, case_id)
        cases.take(session, case, OFFICER)
        with letters.changing(session, desk.post, case_id):
            first = cases.ask(session, case, OFFICER, "Who owns you?")
        second = cases.ask(session, case, OFFICER, "And who owns them?")
    with desk.database.unit_of_work() as session:
        case = cases.hold(session, case_id)
        cases.answer(session, case, first.id, "A holding")
        assert case.state == "info_requested"
        with pytest.raises(Conflict, match="answered already"):
            cases.answer(session, case, first.id, "Another one")
        cases.answer(session, case, second.id, "A family")
        assert case.state == "screening"
        with pytest.raises(NotFound):
            cases.answer(session, case, 999, "To nothing")


def test_only_the_officer_works_on_a_case(desk: Office) -> None:
    case_id = desk.apply()
    other = person("other", [Role.VETTING_OFFICER])
    with desk.database.unit_of_work() as session:
        case = cases.hold(session, case_id)
        cases.take(session, case, OFFICER)
        for who in (other, FIRST, cases.applicant(case)):
            with pytest.raises(NotPermitted):
                cases.ask(session, case, who, "Who are you?")
        cases.take(session, case, other)
        with pytest.raises(NotPermitted):
            cases.ask(session, case, OFFICER, "Still me?")
        cases.declare(session, case, OFFICER, conflict=True, explanation="my bank")
        with pytest.raises(NotPermitted):
            cases.take(session, case, OFFICER)


def test_links_hold_once_and_for_their_purpose(desk: Office) -> None:
    case_id = desk.apply()
    with desk.database.unit_of_work() as session:
        case = cases.hold(session, case_id)
        cases.take(session, case, OFFICER)
        old = links.issue(session, case, links.Purpose.APPLICANT, 30)
        links.end_all(session, case)
        new = links.issue(session, case, links.Purpose.APPLICANT, 30)
        with pytest.raises(NotFound):
            links.follow(session, old, links.Purpose.APPLICANT)
        with pytest.raises(NotFound):
            links.follow(session, new, links.Purpose.SPONSOR)
        assert links.follow(session, new, links.Purpose.APPLICANT).case_id == case_id
        link = links.follow(session, new, links.Purpose.APPLICANT)
        links.use_up(session, link)
        with pytest.raises(NotFound):
            links.use_up(session, link)
        sponsor(session, case, desk.settings, confirmed=False)
        assert requirements.sponsor(session, case)


def test_a_new_member_may_not_sponsor(desk: Office) -> None:
    desk.admit()
    other = desk.apply(
        name="Other Bank", domain="other.example", primary_email="a@other.example", registration="765432"
    )
    with desk.database.reading() as session:
        case = cases.find(session, other)
        assert [member.name for member in sponsors.eligible(session, case, desk.settings.vetting)] == ["City Police"]


def test_what_falls_due(desk: Office) -> None:
    periods = desk.settings.vetting
    case_id, member_id = desk.admit()
    with desk.database.unit_of_work() as session:
        lapsing = cases.apply(session, APPLICATION).id
    rejected = desk.apply(name="Third Bank", domain="third.example", primary_email="a@third.example")
    desk.screen(rejected)
    desk.decide(rejected, (FIRST, REJECT))

    def due(days: float) -> reviews.Done:
        with desk.database.unit_of_work() as session:
            return reviews.run_due(session, clock.micros() + int(days * DAY), desk.post, desk.files)

    assert due(periods.reply_days - 1) == reviews.Done()
    assert due(periods.reply_days + 1) == reviews.Done(lapsed=1)
    assert desk.state(lapsing) == "lapsed"
    assert due(periods.review_days + 1) == reviews.Done(reviews_opened=1, files_erased=3)
    assert (desk.state(case_id), desk.status(member_id)) == ("review_due", "active")
    with desk.database.unit_of_work() as session:
        erased = evidence_of(session, cases.find(session, rejected))
        assert len(erased) == 3
        assert not any(desk.files.stands(one) for one in erased)
        with pytest.raises(NotFound, match="erased"):
            desk.files.read(erased[0])
        reviews.pass_review(session, cases.hold(session, case_id), OFFICER, "all well")
    assert desk.state(case_id) == "active"
    assert due(periods.review_days + 1).reviews_opened == 1
    assert due(periods.review_reply_days - 1) == reviews.Done()
    assert due(periods.review_reply_days + 1).suspended == 1
    assert (desk.state(case_id), desk.status(member_id)) == ("suspended", "suspended")


def test_a_new_agreement_waits_for_signatures(desk: Office) -> None:
    case_id, member_id = desk.admit()
    own = Party("ada", frozenset({Capacity.MEMBER}), member_id)
    with desk.database.unit_of_work() as session:
        assert not agreements.unsigned(session)
        publish(session, "2027-01")
        assert [case.id for case in agreements.unsigned(session)] == [case_id]
        case = cases.hold(session, case_id)
        signing = {"signatory": "Cy", "position": "Director", "address": "192.0.2.7"}
        with pytest.raises(Conflict, match="newer"):
            agreements.accept(session, case, own, version="2026-01", **signing)
        with pytest.raises(NotPermitted):
            agreements.accept(session, case, OFFICER, version="2027-01", **signing)
        agreements.accept(session, case, own, version="2027-01", **signing)
        assert not agreements.unsigned(session)
    forged = (
        "INSERT INTO agreement_acceptance (case_id, version, sha256, signatory, position, by, address, at)"
        " SELECT case_id, version, :other, signatory, position, by, address, at FROM agreement_acceptance"
    ).replace(" position,", ' "position",').replace(" by,", ' "by",')  # fmt: skip
    assert "hash" in refused(desk, forged, other=b"x" * 32)


def test_grants_are_decided_by_others_and_end(desk: Office) -> None:
    _, member_id = desk.admit()
    contact = person("ada", [Role.PRIMARY_CONTACT], member_id=member_id)
    with desk.database.unit_of_work() as session:
        member = session.get_one(Member, member_id)
        grant = grants.ask(
            session, member, contact, kind="clearance", value="amber", purpose="a joint case", days=10, lawful_basis=""
        )
        for who in (contact, OFFICER):
            with pytest.raises(NotPermitted):
                grants.approve(session, grant, who, "for us", desk.settings.vetting)
        assert member.clearance == 1
        assert grants.approve(session, grants.hold(session, grant.id), FIRST, "needed", desk.settings.vetting)
        assert member.clearance == 2
    with desk.database.unit_of_work() as session:
        assert grants.expire(session, clock.micros() + 11 * DAY) == 1
    with desk.database.reading() as session:
        assert session.get_one(Member, member_id).clearance == 1

    asked = (
        "INSERT INTO membership_grant"
        " (member_id, kind, value, purpose, lawful_basis, requested_by, requested_at, expires_at, state)"
        " VALUES (:member, :kind, 'x', 'p', :basis, 'first', 1, 2, :state)"
    )
    given = {"member": member_id, "kind": "group", "basis": "", "state": "requested"}
    assert "request" in refused(desk, asked, **(given | {"state": "active"}))
    assert refused(desk, asked, **(given | {"kind": "personal-data"}))
    change(desk, asked, **given)
    with desk.database.reading() as session:
        grant_id = session.scalars(select(Grant.id).where(Grant.state == "requested")).one()
    voice = (
        "INSERT INTO grant_approval"
        " (grant_id, person_id, requested_by, member_id, person_member_id, capacity, reason, at)"
        " VALUES (:grant, :person, :asked, :member, :of, 'approver', 'r', 1)"
    )
    by = {"grant": grant_id, "person": "second", "asked": "first", "member": member_id, "of": ""}
    assert refused(desk, voice, **(by | {"person": "first"}))
    assert refused(desk, voice, **(by | {"person": "first", "asked": "nobody"}))
    assert refused(desk, voice, **(by | {"of": member_id}))
    raised = "UPDATE membership_grant SET state = 'active' WHERE id = :grant"
    assert "approvals" in refused(desk, raised, grant=grant_id)
    change(desk, voice, **by)
    change(desk, raised, grant=grant_id)
    assert "append-only" in refused(desk, "UPDATE membership_grant SET expires_at = 99")


def test_personal_data_takes_the_data_protection_officer(desk: Office) -> None:
    _, member_id = desk.admit()
    periods = desk.settings.vetting.model_copy(update={"data_protection_officer": "dpo@hub.example"})
    dpo = person("dpo", [Role.AUDITOR], email="dpo@hub.example")
    with desk.database.unit_of_work() as session:
        member = session.get_one(Member, member_id)
        grant = grants.ask(
            session, member, OFFICER, kind="personal-data", value="victim fields", purpose="restitution", days=10,
            lawful_basis="UK GDPR article 6(1)(f)",
        )  # fmt: skip
        assert not grants.approve(session, grant, FIRST, "needed", periods)
        with pytest.raises(Conflict):
            grants.approve(session, grant, SECOND, "needed too", periods)
        assert not grants.holds_personal_data(session, member_id, clock.micros())
        assert grants.approve(session, grant, dpo, "the basis holds", periods)
        assert grants.holds_personal_data(session, member_id, clock.micros())


def test_overlapping_grants_give_back_what_was_before(desk: Office) -> None:
    _, member_id = desk.admit()
    with desk.database.unit_of_work() as session:
        member = session.get_one(Member, member_id)
        periods = desk.settings.vetting
        for value, days in (("amber", 5), ("amber+strict", 10)):
            grant = grants.ask(
                session, member, OFFICER, kind="clearance", value=value, purpose="p", days=days, lawful_basis=""
            )
            grants.approve(session, grant, FIRST, "r", periods)
        assert member.clearance == 3
        grants.expire(session, clock.micros() + 6 * DAY)
        assert member.clearance == 3
        grants.expire(session, clock.micros() + 11 * DAY)
        assert member.clearance == 1


def test_break_glass_ends_and_is_reviewed_by_another(desk: Office) -> None:
    with desk.database.unit_of_work() as session:
        taken = emergencies.take(session, FIRST, "analyst", "the feed leaks names", desk.settings.vetting)
        assert emergencies.roles_of(session, "first", clock.micros()) == {"analyst"}
        assert emergencies.roles_of(session, "first", taken.expires_at) == set()
        with pytest.raises(Conflict):
            emergencies.take(session, FIRST, "analyst", "more", desk.settings.vetting)
        with pytest.raises(NotPermitted):
            emergencies.review(session, taken.id, FIRST, "all fine")
        assert emergencies.end(session, taken.expires_at) == 1
        emergencies.review(session, taken.id, SECOND, "all fine")
    assert refused(desk, "UPDATE break_glass SET reviewed_by = person_id")
    assert "append-only" in refused(desk, "UPDATE break_glass SET expires_at = 99")


def test_an_altered_audit_log_is_found(desk: Office) -> None:
    desk.apply()
    with desk.database.reading() as session:
        count = export.verify(session)
    drop = (
        "DROP TRIGGER audit_event_update_refused"
        if desk.database.product == "sqlite"
        else "DROP TRIGGER audit_event_update_refused ON audit_event"
    )
    change(desk, drop)
    change(desk, "UPDATE audit_event SET actor = 'somebody else' WHERE id = 2")
    with desk.database.reading() as session, pytest.raises(IntegrityFailure) as caught:
        export.verify(session)
    assert count > 1
    assert caught.value.where == "event 2"


def test_a_taken_name_is_found_at_the_end(desk: Office) -> None:
    desk.admit()
    case_id = desk.apply()
    desk.screen(case_id)
    desk.decide(case_id, (FIRST, APPROVE), (SECOND, APPROVE))
    with pytest.raises(Conflict, match="exists already"):
        desk.sign(case_id)
    with desk.database.reading() as session:
        assert session.get_one(VettingCase, case_id).member_id is None


def established(desk: Office, session: Session, name: str, *held: str) -> Member:
    """A member of long standing, with keys of its group."""
    found = membership.add_member(session, name, kind=MemberKind.BANK, clearance=Tlp.AMBER, namespace=NAMESPACE)
    found.created_at -= 400 * DAY
    corporate.keep(session, found.id, corporate.of(session, found.id) | set(held))
    return found


@pytest.mark.parametrize(
    ("sponsor_name", "held", "applied"),
    [
        ("Sister Bank plc", ("name:bigbank",), {"parent": "Big Bank Group Holdings PLC"}),
        ("Sister Bank plc", ("number:7654321",), {"parent_registration": "0765 4321"}),
        ("Big Bank plc", (), {"parent": "BIG BANK LTD"}),  # the parent itself
        ("Daughter Bank", ("name:new",), {"name": "New Ltd"}),  # the applicant's own daughter
        ("Twin", ("number:1234567",), {}),  # the same registration
    ],
)
def test_a_sponsor_is_of_another_corporate_group(
    desk: Office, sponsor_name: str, held: tuple[str, ...], applied: dict[str, str]
) -> None:
    case_id = desk.apply(**applied)
    with desk.database.unit_of_work() as session:
        related = established(desk, session, sponsor_name, *held)
        free = established(desk, session, "Free Bank")
        case = cases.hold(session, case_id)
        cases.take(session, case, OFFICER)
        assert [one.name for one in sponsors.eligible(session, case, desk.settings.vetting)] == ["Free Bank"]
        with pytest.raises(InvalidInput, match="another group"):
            sponsors.invite(session, case, OFFICER, related.id, "x@y.example", desk.settings.vetting)
        _, token = sponsors.invite(session, case, OFFICER, free.id, "x@y.example", desk.settings.vetting)
    with pytest.raises(DBAPIError, match="another corporate group"), desk.database.unit_of_work() as session:
        session.add(
            SponsorInvitation(case_id=case_id, member_id=related.id, email="x@y.example", by="x", at=clock.micros())
        )
    # What the officer finds out afterwards counts as well: for an answer that is to come, and for one that was given.
    with desk.database.unit_of_work() as session:
        cases.set_parent(session, cases.hold(session, case_id), OFFICER, "Free Bank Holdings", "")
    answered = {
        "name": "Di", "statement": "We know them.", "in_confidence": "", "address": "192.0.2.1"
    }  # fmt: skip
    with pytest.raises(Conflict, match="another corporate group"), desk.database.unit_of_work() as session:
        link = links.follow(session, token, links.Purpose.SPONSOR)
        sponsors.answer(session, link, confirmed=True, **answered)
    with desk.database.unit_of_work() as session:
        case = cases.hold(session, case_id)
        cases.set_parent(session, case, OFFICER, "", "")
        sponsors.answer(
            session, links.follow(session, token, links.Purpose.SPONSOR), confirmed=True, **answered
        )  # fmt: skip
        assert requirements.sponsor(session, case) == ""
        cases.set_parent(session, case, OFFICER, "Free Bank", "")
        assert "own corporate group" in requirements.sponsor(session, case)


def test_the_database_admits_nobody_with_a_sponsor_of_their_own_group(desk: Office) -> None:
    case_id = desk.apply()
    desk.screen(case_id)
    desk.decide(case_id, (FIRST, decisions.APPROVE), (SECOND, decisions.APPROVE))
    with desk.database.unit_of_work() as session:
        police = session.scalars(select(Member).where(Member.name == "City Police")).one()
        corporate.keep(session, police.id, corporate.of(session, case_id))
    with pytest.raises(Conflict, match="own corporate group"):
        desk.sign(case_id)
    with desk.database.unit_of_work() as session:
        case = cases.hold(session, case_id)
        publish(session)
        accepted = {"signatory": "Cy", "position": "Director", "address": "192.0.2.7"}
        agreements.accept(session, case, cases.applicant(case), version=agreements.current(session).version, **accepted)
    said = refused(desk, "UPDATE vetting_case SET state = 'active' WHERE id = :id", id=case_id)
    assert "a sponsor of another group" in said


def test_a_member_takes_its_group_along(desk: Office) -> None:
    case_id, member_id = desk.admit(parent="Big Bank Group plc")
    with desk.database.reading() as session:
        assert corporate.of(session, member_id) == corporate.of(session, case_id) == {
            "name:newbank", "name:bigbank", "number:1234567",
        }  # fmt: skip
