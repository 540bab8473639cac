"""What is good once: challenges and states that were used, kept until they would have expired anyway."""

from __future__ import annotations

import hashlib

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hub import clock
from hub.members.sign_in_records import SpentChallenge


def spend(session: Session, what: bytes, expires_at: int) -> bool:
    """Whether ``what`` is used for the first time; from now on it is used up, for every process."""
    digest = hashlib.sha256(what).digest()
    if session.get(SpentChallenge, digest) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(SpentChallenge(digest=digest, expires_at=expires_at))
    except IntegrityError:  # another process was faster
        return False
    return True


def forget(session: Session) -> int:
    """Forget what has expired; how many those were."""
    late = delete(SpentChallenge).where(SpentChallenge.expires_at < clock.micros()).returning(SpentChallenge.digest)
    return len(session.execute(late).all())
