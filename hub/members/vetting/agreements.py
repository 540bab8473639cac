"""The membership agreement: versions, and acceptances that name the very text that was shown."""

from __future__ import annotations

import hashlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.errors import Conflict, NotPermitted
from hub.members.vetting import wording
from hub.members.vetting.party import Capacity, Party
from hub.members.vetting.records import Agreement, AgreementAcceptance, VettingCase
from hub.members.vetting.states import IN_FORCE, State

LONGEST = 100_000
MAY_SIGN = frozenset({Capacity.APPLICANT, Capacity.MEMBER})


def publish(session: Session, version: str, text: str, by: str) -> Agreement:
    """A new version, in force at once. Raises Conflict where the version exists."""
    name = wording.line(version, "version", most=40)
    if session.get(Agreement, name) is not None:
        raise Conflict(f"version {name} exists already", where="version")
    body = wording.prose(text, "text", most=LONGEST)
    published = Agreement(
        version=name, text=body, sha256=hashlib.sha256(body.encode()).digest(), by=by, at=clock.micros()
    )
    session.add(published)
    session.flush()
    record(session, by, "agreement:publish", name, after={"sha256": published.sha256.hex()})
    return published


def newest(session: Session) -> Agreement | None:
    """The version in force, None before the first."""
    return session.scalar(select(Agreement).order_by(Agreement.at.desc(), Agreement.version.desc()).limit(1))


def current(session: Session) -> Agreement:
    """The version in force. Raises Conflict where none has been published."""
    found = newest(session)
    if found is None:
        raise Conflict("no agreement has been published yet", advice="Publish one: hub vetting agreement VERSION FILE")
    return found


def accept(
    session: Session, case: VettingCase, by: Party, *, version: str, signatory: str, position: str, address: str
) -> AgreementAcceptance:
    """The signatory accepts ``version``, which must be the newest: nobody signs what has been replaced meanwhile.

    Raises Conflict where it is not, or the case does not wait for a signature.
    """
    if not MAY_SIGN & by.capacities or (by.member_id and by.member_id != case.member_id):
        raise NotPermitted("the agreement is signed by the member's own signatory")
    if State(case.state) not in {State.APPROVED_UNSIGNED} | IN_FORCE:
        raise Conflict("the case does not wait for a signature")
    shown = current(session)
    if version != shown.version:
        raise Conflict("there is a newer version of the agreement", advice="Read it and sign that one.")
    if shown.version in signed(session, case):
        raise Conflict(f"version {shown.version} is signed already")
    accepted = AgreementAcceptance(
        case_id=case.id,
        version=shown.version,
        sha256=shown.sha256,
        signatory=wording.line(signatory, "signatory"),
        position=wording.line(position, "position"),
        by=by.id,
        address=address,
        at=clock.micros(),
    )
    session.add(accepted)
    session.flush()
    record(
        session, by.id, "agreement:accept", case.id,
        after={"version": version, "sha256": shown.sha256.hex(), "signatory": accepted.signatory},
    )  # fmt: skip
    return accepted


def signed(session: Session, case: VettingCase) -> dict[str, AgreementAcceptance]:
    """Every acceptance of a case by version."""
    rows = session.scalars(select(AgreementAcceptance).where(AgreementAcceptance.case_id == case.id))
    return {one.version: one for one in rows}


def unsigned(session: Session) -> list[VettingCase]:
    """Members in force that have not signed the newest version."""
    latest = newest(session)
    if latest is None:
        return []
    done = select(AgreementAcceptance.case_id).where(AgreementAcceptance.version == latest.version)
    return list(
        session.scalars(
            select(VettingCase)
            .where(VettingCase.state.in_([state.value for state in IN_FORCE]), VettingCase.id.not_in(done))
            .order_by(VettingCase.name)
        )
    )
