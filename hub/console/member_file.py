"""The member file for all of the hub's staff: facts, people, keys, grants, polls; the case where one may read it."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.auth import Permission
from hub.console import naming
from hub.console.furniture import blueprint, page, person, reading
from hub.ledger.records import LastPoll
from hub.members import attestation, keys, membership, people, providers
from hub.members.records import ClientCertificate
from hub.members.vetting import cases, grants, requirements
from hub.stix.tlp import Tlp
from hub.web.guard import allow

STEPS = 50


@blueprint.get("/members/<member_id>")
@allow(Permission.MEMBERS_READ)
def member(member_id: str) -> Response:
    """One member."""
    may_read_case = person().may(Permission.CASES_READ)
    with reading() as session:
        found = membership.by_id(session, member_id)
        case = cases.of_member(session, found.id)
        steps = requirements.last_steps(session, case, STEPS) if case is not None and may_read_case else []
        return page(
            "member.html", found.name, back=url_for("console.members"), member=found, case=case, steps=steps,
            tlp_of=Tlp, groups=membership.groups_of(session, found.id), people=people.of_member(session, found.id),
            grants=grants.of_member(session, found.id), attested=attestation.last(session, found.id),
            names=naming.actors(session, {step.by for step in steps}), may_read_case=may_read_case,
            may_set_quotas=person().may(Permission.CHECKS_HANDLE),
            may_set_sign_in=person().may(Permission.SIGN_IN_CHANGE), provider=providers.of_member(session, found.id),
            **access(session, found.id),
        )  # fmt: skip


def access(session: Session, member_id: str) -> dict[str, Any]:
    """How a member's systems reach the hub: keys, certificates, polls."""
    certificates = session.scalars(
        select(ClientCertificate)
        .where(ClientCertificate.member_id == member_id)
        .order_by(ClientCertificate.created_at.desc())
    )
    polls = session.scalars(select(LastPoll).where(LastPoll.member_id == member_id).order_by(LastPoll.at.desc()))
    return {
        "keys": keys.of_member(session, member_id),
        "client_certificates": list(certificates),
        "polls": list(polls),
        "aliases": naming.aliases(session),
        "now": clock.micros(),
    }
