"""The demonstration's members and their credentials."""

from __future__ import annotations

from dataclasses import dataclass

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.auth import Actor, Role
from hub.cli.demo import credentials as kept_credentials
from hub.cli.demo.credentials import DemoCredential
from hub.cli.member import create_member
from hub.factory import Hub
from hub.members import credentials, membership
from hub.members.membership import MemberKind
from hub.members.records import Credential, Member, SharingGroup
from hub.stix.tlp import Tlp


@dataclass(frozen=True, slots=True)
class DemoMember:
    """An invented organisation."""

    name: str
    kind: MemberKind
    clearance: Tlp
    groups: tuple[str, ...]
    roles: tuple[Role, ...]
    anonymous: bool = False


BANKS, TELECOMS = "banks", "telecoms"
READS = (Role.READER,)
SHARES = (Role.READER, Role.CONTRIBUTOR)
NORTHBANK = "Northbank"
LARKPAY = "Larkpay"
HARBOUR = "Harbour Mutual Insurance"
POLICE = "Eastshire Constabulary"
CERT = "Isles CERT"
REPORTING_PARTNER = "Report Fraud (demonstration)"
MEMBERS = (
    DemoMember(NORTHBANK, MemberKind.BANK, Tlp.AMBER_STRICT, (BANKS,), SHARES),
    DemoMember("Southbridge Building Society", MemberKind.BANK, Tlp.GREEN, (), READS),
    DemoMember(LARKPAY, MemberKind.PAYMENTS, Tlp.AMBER, (BANKS,), SHARES),
    DemoMember("Meridian Mobile", MemberKind.TELCO, Tlp.AMBER, (TELECOMS,), READS),
    DemoMember(HARBOUR, MemberKind.INSURER, Tlp.AMBER, (BANKS,), SHARES, anonymous=True),
    DemoMember(POLICE, MemberKind.LAW_ENFORCEMENT, Tlp.AMBER_STRICT, (BANKS, TELECOMS), READS),
    DemoMember(CERT, MemberKind.CERT, Tlp.AMBER, (TELECOMS,), SHARES),
    DemoMember(REPORTING_PARTNER, MemberKind.REPORT_FRAUD, Tlp.AMBER, (BANKS, TELECOMS), (Role.REPORTING_PARTNER,)),
)


def load(hub: Hub) -> dict[str, DemoCredential]:
    """Every member's credential by its name; one that is no longer known, or was never kept, is issued anew."""
    folder = hub.settings.data_dir
    kept = kept_credentials.read(folder)
    held: dict[str, DemoCredential] = {}
    with hub.database.unit_of_work() as session:
        for group in (BANKS, TELECOMS):
            if session.scalar(select(SharingGroup).where(SharingGroup.name == group)) is None:
                membership.add_group(session, group)
    for one in MEMBERS:
        held[one.name] = _credential(hub, one, kept.get(one.name))
        if held[one.name] != kept.get(one.name):
            kept_credentials.write(folder, kept | held)
    return held


def actor_of(session: Session, credential: DemoCredential) -> Actor | None:
    """The member as the hub would know it on a request; None where it has been suspended meanwhile."""
    status = session.scalar(select(Member.status).join(Credential).where(Credential.username == credential.username))
    if status != credentials.ACTIVE:
        return None
    return credentials.authenticate(session, credentials.token_hash(credential.token), credential.username)


def _credential(hub: Hub, one: DemoMember, kept: DemoCredential | None) -> DemoCredential:
    with hub.database.unit_of_work() as session:
        member = session.scalar(select(Member).where(Member.name == one.name))
        if member is not None:
            if kept is not None and _is_known(session, kept):
                return kept
            return DemoCredential(*credentials.issue(session, member))
    made = create_member(hub, one.name, one.kind, one.clearance, one.groups, list(one.roles), one.anonymous)
    click.echo(f"Added {one.name}", err=True)
    return DemoCredential(made["username"], made["token"])


def _is_known(session: Session, kept: DemoCredential) -> bool:
    stored = session.scalar(
        select(Credential.username).where(Credential.token_hash == credentials.token_hash(kept.token))
    )
    return stored == kept.username
