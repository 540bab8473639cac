"""The demonstration's membership cases: organisations in every state, each brought there by the desk's own steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Role
from hub.cli.demo.organisations import POLICE
from hub.cli.demo.timeline import Event
from hub.clock import DAY
from hub.factory import Hub
from hub.factory.initial import publish_identity
from hub.members import membership
from hub.members.invitations import Post
from hub.members.people_records import Person
from hub.members.records import Member
from hub.members.vetting import (
    activation,
    agreements,
    cases,
    certificates,
    decisions,
    links,
    offboarding,
    reviews,
    sponsors,
    suspensions,
)  # fmt: skip
from hub.members.vetting.cases import Application
from hub.members.vetting.evidence import EvidenceFolder
from hub.members.vetting.party import Party, person
from hub.members.vetting.records import VettingCase

ADDRESS = "192.0.2.10"
EVIDENCE = ("registry-extract", "sanctions-check", "signatory-authority", "security-attestation")


@dataclass(frozen=True, slots=True)
class Desk:
    """The hub's people at the vetting desk, and what they work with."""

    hub: Hub
    files: EvidenceFolder
    officer: Party
    first: Party
    second: Party
    sponsor: str

    def step(self, case_id: str, act: Callable[[Session, VettingCase], object]) -> None:
        """One change of a case in a transaction of its own."""
        with self.hub.database.unit_of_work() as session:
            act(session, cases.hold(session, case_id))


@dataclass(frozen=True, slots=True)
class DemoCase:
    """One organisation: when it applied (days before today), and the steps it has come since, a day apart."""

    name: str
    kind: str
    domain: str
    primary: str
    deputy: str
    applied: int
    steps: tuple[Callable[[Desk, str], None], ...]
    purpose: str = "Mule accounts and phishing pages reach us too late; we want to act on them the same day."


def events(hub: Hub, today: int) -> list[Event]:
    """Every step of each case that is not there yet; ``today`` (microseconds) is the demonstration's present day."""
    with hub.database.reading() as session:
        known = set(session.scalars(select(VettingCase.name)))
        desk = _desk(hub, session)
    if desk is None:
        return []
    return [event for case in CASES if case.name not in known for event in _steps(desk, case, today)]


def run_due(hub: Hub) -> None:
    """What has fallen due by now: the reviews of members of a year's standing."""
    with hub.database.unit_of_work() as session:
        reviews.run_due(session, clock.micros(), Post(hub.vault, hub.settings), _files(hub))


def _desk(hub: Hub, session: Session) -> Desk | None:
    """The desk; None where its people or the sponsor are no longer there."""
    staff = session.scalars(select(Person).where(Person.member_id.is_(None)).order_by(Person.created_at, Person.email))
    held: dict[str, list[Party]] = {role.value: [] for role in Role}
    for one in staff:
        for role in one.roles:
            held[role].append(person(one.id, [Role(name) for name in one.roles], email=one.email))
    sponsor = session.scalar(select(Member.id).where(Member.name == POLICE))
    officers, approvers = held[Role.VETTING_OFFICER], held[Role.APPROVER]
    if not officers or len(approvers) < 2 or sponsor is None:
        return None
    return Desk(hub, _files(hub), officers[0], approvers[0], approvers[1], sponsor)


def _files(hub: Hub) -> EvidenceFolder:
    return EvidenceFolder(hub.settings.data_dir / "evidence", hub.vault, hub.settings.vetting.evidence_bytes)


def _steps(desk: Desk, case: DemoCase, today: int) -> list[Event]:
    """The application and what follows, a day apart."""
    applied = today - case.applied * DAY
    case_ids: list[str] = []

    def apply() -> None:
        host = case.domain
        application = Application(
            name=case.name, kind=case.kind, domain=host, registration=f"{sum(map(ord, case.name)) * 7919 % 10**8:08d}",
            regulator_reference="", purpose=case.purpose,
            primary_name=case.primary, primary_email=_address(case.primary, host),
            deputy_name=case.deputy, deputy_email=_address(case.deputy, host),
        )  # fmt: skip
        with desk.hub.database.unit_of_work() as session:
            made = cases.apply(session, application)
            cases.confirm(session, made)
            case_ids.append(made.id)

    def follow(step: Callable[[Desk, str], None]) -> Callable[[], None]:
        return lambda: step(desk, case_ids[0])

    later = [Event(applied + number * DAY, follow(step)) for number, step in enumerate(case.steps, 1) if step != _wait]
    return [Event(applied, apply), *later]


def _address(name: str, domain: str) -> str:
    return f"{name.lower().replace(' ', '.')}@{domain}"


def _take(desk: Desk, case_id: str) -> None:
    desk.step(case_id, lambda session, case: cases.take(session, case, desk.officer))
    desk.step(case_id, lambda session, case: cases.declare(session, case, desk.officer, conflict=False, explanation=""))


def _ask(desk: Desk, case_id: str) -> None:
    question = "Please send the current extract of your company register: the one on file is of last year."
    desk.step(case_id, lambda session, case: cases.ask(session, case, desk.officer, question))


def _file(desk: Desk, case_id: str) -> None:
    def act(session: Session, case: VettingCase) -> None:
        for kind in EVIDENCE:
            text = f"{kind.replace('-', ' ').capitalize()} of {case.name}: invented for the demonstration.\n"
            desk.files.add(session, case, desk.officer, kind, f"{kind}.txt", text.encode())

    desk.step(case_id, act)


def _screened(desk: Desk, case_id: str) -> None:
    desk.step(
        case_id,
        lambda session, case: cases.to_due_diligence(session, case, desk.officer, "the register shows it"),
    )


def _sponsored(desk: Desk, case_id: str) -> None:
    def act(session: Session, case: VettingCase) -> None:
        periods = desk.hub.settings.vetting
        _, token = sponsors.invite(session, case, desk.officer, desk.sponsor, "desk@eastshire.example", periods)
        link = links.follow(session, token, links.Purpose.SPONSOR)
        sponsors.answer(
            session, link, confirmed=True, name="Sgt Noor Ellis", in_confidence="", address=ADDRESS,
            statement="We have worked with their fraud team on three cases this year.",
        )  # fmt: skip

    desk.step(case_id, act)


def _proposed(desk: Desk, case_id: str) -> None:
    desk.step(
        case_id, lambda session, case: cases.to_decision(session, case, desk.officer, "nothing speaks against it")
    )


def _verdict(desk: Desk, case_id: str, by: Party, verdict: str, reason: str) -> None:
    def act(session: Session, case: VettingCase) -> None:
        cases.declare(session, case, by, conflict=False, explanation="")
        decisions.decide(session, case, by, verdict, reason)

    desk.step(case_id, act)


def _first_approval(desk: Desk, case_id: str) -> None:
    _verdict(desk, case_id, desk.first, decisions.APPROVE, "the evidence is complete")


def _second_approval(desk: Desk, case_id: str) -> None:
    _verdict(desk, case_id, desk.second, decisions.APPROVE, "I agree with the officer's findings")


def _rejection(desk: Desk, case_id: str) -> None:
    _verdict(desk, case_id, desk.first, decisions.REJECT, "the registration with the regulator has lapsed")


def _appeal(desk: Desk, case_id: str) -> None:
    grounds = "The registration was renewed on the day after your check; the new number is on the public register."
    desk.step(case_id, lambda session, case: decisions.appeal(session, case, grounds, desk.hub.settings.vetting))


def sign(desk: Desk, case_id: str) -> None:
    """The signatory accepts the agreement; from then on the organisation is a member."""

    def act(session: Session, case: VettingCase) -> None:
        by = cases.applicant(case)
        agreements.accept(
            session, case, by, version=agreements.current(session).version, signatory=case.deputy_name,
            position="Company Secretary", address=ADDRESS,
        )  # fmt: skip
        member = activation.admit(session, case, by, desk.hub.namespace)
        publish_identity(desk.hub, session, membership.identity_object(member))

    desk.step(case_id, act)


def _certify(desk: Desk, case_id: str) -> None:
    desk.step(case_id, lambda session, case: certificates.issue(session, case, desk.officer, certificates.MEMBERSHIP))


def _suspend(desk: Desk, case_id: str) -> None:
    reason = "One of its keys polled from a network that is not the member's; held until it is explained."
    desk.step(case_id, lambda session, case: suspensions.suspend(session, case, desk.officer, reason))


def _lift(desk: Desk, case_id: str) -> None:
    reason = "The network belongs to its new provider; the contract is on file."
    desk.step(case_id, lambda session, case: suspensions.lift(session, case, desk.officer, reason))


def _leave(desk: Desk, case_id: str) -> None:
    reason = "The bank merges with another at the end of the quarter."
    desk.step(case_id, lambda session, case: offboarding.begin(session, case, desk.officer, reason))
    desk.step(case_id, lambda session, case: offboarding.tick(session, case, desk.officer, "notice", "told by letter"))


def _wait(_desk: Desk, _case_id: str) -> None:
    """A day on which nothing happens."""


SCREENED = (_take, _file, _screened)
DECIDED = (*SCREENED, _sponsored, _proposed)
HALF_APPROVED = (*DECIDED, _first_approval)
APPROVED = (*HALF_APPROVED, _second_approval)
APPEALED = (*DECIDED, _rejection, _appeal)
ADMITTED = (*APPROVED, sign)
LEFT, HELD = (*ADMITTED, _certify, *(_wait,) * 350, _leave), (*ADMITTED, *(_wait,) * 180, _suspend, _lift)
CASES = (
    DemoCase("Old Harbour Bank", "bank", "oldharbour.example", "Iris Quay", "Ned Mole", 390, LEFT),
    DemoCase("Fenland Pay", "payments", "fenlandpay.example", "Una Reed", "Col Sedge", 380, (*ADMITTED, _certify)),
    DemoCase("Marrow Lending", "payments", "marrow.example", "Gil Stone", "Eve Lark", 200, HELD),
    DemoCase("Aldermere Bank", "bank", "aldermere.example", "May Alder", "Rhys Mere", 24, (*ADMITTED, _certify)),
    DemoCase("Quickcoin Exchange", "payments", "quickcoin.example", "Zed Swift", "Kit Vale", 20, APPEALED),
    DemoCase("Thistle Payments", "payments", "thistle.example", "Isla Burr", "Ewan Heath", 15, APPROVED),
    DemoCase("Kestrel Insurance", "insurer", "kestrel.example", "Bea Hawk", "Tam Wing", 11, HALF_APPROVED),
    DemoCase("Gorse Building Society", "bank", "gorse.example", "Lyn Furze", "Abe Moor", 8, SCREENED),
    DemoCase("Brindle Telecom", "telco", "brindle.example", "Roy Tabby", "Fay Dapple", 6, (_take, _ask)),
    DemoCase("Westmoor Credit Union", "bank", "westmoor.example", "Ann Fell", "Joe Tarn", 2, ()),
)
