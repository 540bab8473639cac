"""Dated certificates of membership and of cessation (as DORA article 45(3) has supervisors told of both).

A certificate is the facts of its day, numbered, hashed and unchangeable; its page prints them.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.errors import Conflict, NotFound
from hub.members.vetting.party import Party
from hub.members.vetting.records import AgreementAcceptance, CaseStep, MembershipCertificate, VettingCase
from hub.members.vetting.states import IN_FORCE, State
from hub.stix.canonical import canonical_json

MEMBERSHIP, CESSATION = "membership", "cessation"


def issue(session: Session, case: VettingCase, by: Party, kind: str) -> MembershipCertificate:
    """Certify what is so today. Raises Conflict where it is not so."""
    state = State(case.state)
    if (kind == MEMBERSHIP and state not in IN_FORCE) or (kind == CESSATION and state is not State.CLOSED):
        raise Conflict(f"there is no {kind} to certify")
    now = clock.micros()
    facts = _facts(session, case, kind)
    count = session.scalars(select(func.count()).select_from(MembershipCertificate)).one()
    certificate = MembershipCertificate(
        number=f"{clock.timestamp(now)[:4]}-{count + 1:05d}",
        case_id=case.id,
        kind=kind,
        facts=facts,
        sha256=hashlib.sha256(canonical_json(facts)).digest(),
        by=by.id,
        at=now,
    )
    session.add(certificate)
    session.flush()
    after = {"number": certificate.number, "sha256": certificate.sha256.hex()}
    record(session, by.id, f"certificate:{kind}", case.id, after=after)
    return certificate


def find(session: Session, case: VettingCase, number: str) -> MembershipCertificate:
    """A certificate of a case by its number. Raises NotFound, also for another's."""
    found = session.get(MembershipCertificate, number)
    if found is None or found.case_id != case.id:
        raise NotFound("there is no such certificate")
    return found


def of_case(session: Session, case: VettingCase) -> list[MembershipCertificate]:
    """The certificates of a case, newest first."""
    return list(
        session.scalars(
            select(MembershipCertificate)
            .where(MembershipCertificate.case_id == case.id)
            .order_by(MembershipCertificate.at.desc())
        )
    )


def _facts(session: Session, case: VettingCase, kind: str) -> dict[str, Any]:
    steps = session.scalars(select(CaseStep).where(CaseStep.case_id == case.id).order_by(CaseStep.id)).all()
    began = next(step.at for step in steps if step.before == State.APPROVED_UNSIGNED and step.after == State.ACTIVE)
    agreement = session.scalar(
        select(AgreementAcceptance)
        .where(AgreementAcceptance.case_id == case.id)
        .order_by(AgreementAcceptance.at.desc())
        .limit(1)
    )
    assert agreement is not None
    facts: dict[str, Any] = {
        "organisation": case.name,
        "registration": case.registration,
        "regulator_reference": case.regulator_reference,
        "kind": case.kind,
        "member_since": clock.timestamp(began)[:10],
        "agreement": {"version": agreement.version, "sha256": agreement.sha256.hex()},
    }
    if kind == CESSATION:
        facts["ceased"] = clock.timestamp(next(s.at for s in reversed(steps) if s.after == State.OFFBOARDING))[:10]
        facts["closed"] = clock.timestamp(case.since)[:10]
    return facts
