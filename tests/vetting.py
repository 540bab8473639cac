"""An organisation's way into membership, step by step, for tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.auth import Role
from hub.db import Database
from hub.members import membership
from hub.members.invitations import Post
from hub.members.membership import MemberKind
from hub.members.records import Member
from hub.members.vetting import activation, agreements, cases, decisions, links, sponsors
from hub.members.vetting.cases import Application
from hub.members.vetting.evidence import EvidenceFolder
from hub.members.vetting.party import Party, person
from hub.members.vetting.records import Agreement, VettingCase
from hub.sealing import Vault
from hub.settings import Settings, load
from hub.stix.tlp import Tlp

NAMESPACE = uuid.UUID("00000000-0000-5000-8000-000000000001")
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
OFFICER = person("officer", [Role.VETTING_OFFICER], email="officer@hub.example")
FIRST = person("first", [Role.APPROVER], email="first@hub.example")
SECOND = person("second", [Role.APPROVER], email="second@hub.example")
THIRD = person("third", [Role.APPROVER], email="third@hub.example")
FOURTH = person("fourth", [Role.APPROVER], email="fourth@hub.example")
APPLICATION = Application(
    name="New Bank",
    kind="bank",
    domain="newbank.example",
    registration="01234567",
    regulator_reference="FRN 123456",
    purpose="Mule accounts reach us late.",
    primary_name="Ada Primary",
    primary_email="ada@newbank.example",
    deputy_name="Ben Deputy",
    deputy_email="ben@newbank.example",
)


@dataclass(frozen=True, slots=True)
class Office:
    """A database, its settings and the folder of evidence."""

    database: Database
    settings: Settings
    vault: Vault
    files: EvidenceFolder

    @property
    def post(self) -> Post:
        """What letters need."""
        return Post(self.vault, self.settings)

    def apply(self, **changes: str) -> str:
        """A confirmed application; gives the case's id."""
        with self.database.unit_of_work() as session:
            case = cases.apply(session, replace(APPLICATION, **changes))
            cases.confirm(session, case)
            return case.id

    def screen(self, case_id: str) -> None:
        """Up to the decision, with a sponsor and all the evidence."""
        with self.database.unit_of_work() as session:
            case = cases.hold(session, case_id)
            cases.take(session, case, OFFICER)
            cases.declare(session, case, OFFICER, conflict=False, explanation="")
            for kind in ("registry-extract", "sanctions-check", "signatory-authority"):
                self.files.add(session, case, OFFICER, kind, f"{kind}.pdf", PDF)
            cases.to_due_diligence(session, case, OFFICER, "the organisation exists")
            sponsor(session, case, self.settings)
            cases.to_decision(session, case, OFFICER, "nothing against it")

    def decide(self, case_id: str, *verdicts: tuple[Party, str]) -> None:
        """Verdicts in their order, each with the declaration before it."""
        for who, verdict in verdicts:
            with self.database.unit_of_work() as session:
                case = cases.hold(session, case_id)
                if not cases.declarations(session, case, who.id):
                    cases.declare(session, case, who, conflict=False, explanation="")
                decisions.decide(session, case, who, verdict, "as the file shows")

    def sign(self, case_id: str) -> str:
        """Sign the agreement and be admitted; gives the member's id."""
        with self.database.unit_of_work() as session:
            case = cases.hold(session, case_id)
            publish(session)
            version = agreements.current(session).version
            agreements.accept(
                session, case, cases.applicant(case), version=version, signatory="Cy Signatory", position="Director",
                address="192.0.2.7",
            )  # fmt: skip
            return activation.admit(session, case, cases.applicant(case), NAMESPACE).id

    def admit(self, **changes: str) -> tuple[str, str]:
        """The whole way: (the case's id, the member's id)."""
        case_id = self.apply(**changes)
        self.screen(case_id)
        self.decide(case_id, (FIRST, decisions.APPROVE), (SECOND, decisions.APPROVE))
        return case_id, self.sign(case_id)

    def state(self, case_id: str) -> str:
        """Where the case stands."""
        with self.database.reading() as session:
            return session.get_one(VettingCase, case_id).state

    def status(self, member_id: str) -> str:
        """What the gate of every request sees."""
        with self.database.reading() as session:
            return session.get_one(Member, member_id).status


@contextmanager
def office(url: str, folder: Path) -> Iterator[Office]:
    """An office on a migrated database."""
    settings = load(database_url=url, data_dir=folder)
    database, vault = Database(url), Vault(b"v" * 32)
    files = EvidenceFolder(folder / "evidence", vault, 1_000_000)
    try:
        yield Office(database, settings, vault, files)
    finally:
        database.close()


def publish(session: Session, version: str = "2026-01") -> None:
    """A version of the agreement, unless it is there."""
    if session.get(Agreement, version) is None:
        agreements.publish(session, version, f"The parties agree. ({version})", "operator")


def sponsor(session: Session, case: VettingCase, settings: Settings, *, confirmed: bool = True) -> None:
    """Have the police, which may sponsor at once, answer for the applicant."""
    police = session.scalar(select(Member).where(Member.name == "City Police"))
    if police is None:
        police = membership.add_member(
            session, "City Police", kind=MemberKind.LAW_ENFORCEMENT, clearance=Tlp.AMBER, namespace=NAMESPACE
        )
    _, token = sponsors.invite(session, case, OFFICER, police.id, "desk@police.example", settings.vetting)
    link = links.follow(session, token, links.Purpose.SPONSOR)
    sponsors.answer(
        session, link, confirmed=confirmed, name="Di Sergeant", statement="We know them.", in_confidence="",
        address="192.0.2.9",
    )  # fmt: skip
