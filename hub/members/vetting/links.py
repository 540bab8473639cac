"""The links of letters: random, stored as a hash, bound to one case, one purpose and an end."""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum

from sqlalchemy import update
from sqlalchemy.orm import Session

from hub import clock
from hub.clock import DAY
from hub.errors import NotFound
from hub.members.vetting.records import CaseLink, VettingCase


class Purpose(StrEnum):
    """What a link is for."""

    APPLICANT = "applicant"
    SPONSOR = "sponsor"


def issue(session: Session, case: VettingCase, purpose: Purpose, days: int, invitation_id: int | None = None) -> str:
    """A new link's token."""
    token = secrets.token_urlsafe(32)
    session.add(
        CaseLink(
            token_hash=_hash(token), case_id=case.id, purpose=purpose, invitation_id=invitation_id,
            expires_at=clock.micros() + days * DAY, used_at=None,
        )
    )  # fmt: skip
    session.flush()
    return token


def end_all(session: Session, case: VettingCase) -> None:
    """Every link of the applicant ends."""
    now = clock.micros()
    session.execute(
        update(CaseLink)
        .where(CaseLink.case_id == case.id, CaseLink.purpose == Purpose.APPLICANT, CaseLink.expires_at > now)
        .values(expires_at=now)
    )


def follow(session: Session, token: str, purpose: Purpose) -> CaseLink:
    """The link of a token. Raises NotFound, in the same words, where it is unknown, used or at its end."""
    link = session.get(CaseLink, _hash(token))
    if link is None or link.purpose != purpose or link.used_at is not None or link.expires_at <= clock.micros():
        raise NotFound(
            "this link is not valid, or not any more",
            advice="Use the link of the newest message, or ask the hub for another one.",
        )
    return link


def use_up(session: Session, link: CaseLink) -> None:
    """The link opens nothing from now on. Raises NotFound where somebody was faster."""
    used = session.execute(
        update(CaseLink)
        .where(CaseLink.token_hash == link.token_hash, CaseLink.used_at.is_(None))
        .values(used_at=clock.micros())
        .returning(CaseLink.used_at)
    ).all()
    if not used:
        raise NotFound("this link is not valid, or not any more")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
