"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for a lost device."""

from __future__ import annotations

import base64
import hashlib
import secrets

import pyotp
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from hub import clock
from hub.members.people_records import Person, RecoveryCode
from hub.sealing import Vault

STEP_SECONDS = 30
# Codes of the step before and after count too, for a clock that is a little off (RFC 6238 section 5.2).
TOLERANCE = 1
RECOVERY_CODES = 10
# Without letters and digits that look alike.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    """A secret of 160 bits in base32."""
    return pyotp.random_base32()


def address(secret: str, email: str, issuer: str) -> str:
    """The ``otpauth:`` address that an app reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def seal(vault: Vault, person_id: str, secret: str) -> bytes:
    """The secret as it is stored."""
    return vault.seal(secret.encode(), f"totp:{person_id}")


def opened(vault: Vault, person: Person) -> str | None:
    """The person's secret, None before there is one."""
    return None if person.totp_secret is None else unsealed(vault, person.id, person.totp_secret)


def unsealed(vault: Vault, person_id: str, sealed: bytes) -> str:
    """What ``seal`` gave for this person. Raises IntegrityFailure for anything else."""
    return vault.open(sealed, f"totp:{person_id}").decode()


def step_of(secret: str, code: str, after: int) -> int | None:
    """The time step that ``code`` is good for, None where it is good for none after step ``after``."""
    code = code.replace(" ", "")
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        return None
    totp = pyotp.TOTP(secret)
    now = clock.micros() // 1_000_000 // STEP_SECONDS
    found = None
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        if secrets.compare_digest(totp.generate_otp(step), code) and step > after:
            found = step
    return found


def new_recovery_codes(session: Session, person: Person) -> list[str]:
    """Ten new recovery codes, shown once; the earlier ones end."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    codes = [f"{_letters()}-{_letters()}" for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(person_id=person.id, code_hash=_hash(person.id, code), used_at=None) for code in codes)
    session.flush()
    return codes


def use_recovery_code(session: Session, person: Person, code: str) -> bool:
    """Whether ``code`` is one that is still good; it is used up then."""
    found = session.get(RecoveryCode, (person.id, _hash(person.id, code)), with_for_update=True)
    if found is None or found.used_at is not None:
        return False
    found.used_at = clock.micros()
    session.flush()
    return True


def recovery_codes_left(session: Session, person_id: str) -> int:
    """How many recovery codes are still good."""
    counted = select(func.count()).where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
    return session.scalar(counted) or 0


def _letters() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(5))


def _hash(person_id: str, code: str) -> bytes:
    """50 random bits that are guessed only here, against the lock-out: a plain hash is enough."""
    plain = code.lower().replace("-", "").replace(" ", "")
    return hashlib.sha256(base64.b64encode(person_id.encode()) + plain.encode()).digest()
