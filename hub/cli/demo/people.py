"""The demonstration's people: one for each role of the console, with everything set up.

Their passwords and the keys of their authenticator apps lie in ``<data_dir>/demo-people.json``, readable by its owner
alone, so that each start can show them again. No other person's are ever written anywhere.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import select

from hub.auth import Role
from hub.factory import Hub
from hub.members import membership, passwords, people, second_factor
from hub.members.people_records import Person
from hub.members.records import Member

FILE_NAME = "demo-people.json"
RECOVERY_SHOWN = 3
# Name, role; the member's people come after the hub's own.
STAFF = (
    ("Ada Moss", Role.ADMINISTRATOR),
    ("Olu Fenn", Role.VETTING_OFFICER),
    ("Priya Lane", Role.APPROVER),
    ("Tom Birch", Role.APPROVER),
    ("Wren Cole", Role.ANALYST),
    ("Ines Hart", Role.AUDITOR),
)
CONTACTS = (("Jo Quill", Role.PRIMARY_CONTACT), ("Lee Marsh", Role.READER))


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """How one person signs in: ``key`` is the authenticator app's, ``codes`` are recovery codes, each good once."""

    name: str
    role: str
    email: str
    password: str
    key: str
    codes: list[str]


def load(hub: Hub, member_name: str, seen_at: int) -> list[DemoPerson]:
    """The people of the hub and of one member; those that are not there yet are made, last seen at ``seen_at``."""
    path = hub.settings.data_dir / FILE_NAME
    kept = {one["email"]: DemoPerson(**one) for one in json.loads(path.read_bytes())} if path.exists() else {}
    with hub.database.reading() as session:
        member_id = session.scalar(select(Member.id).where(Member.name == member_name))
        known = set(session.scalars(select(Person.email)))
    wanted: list[tuple[str, Role, str | None, str]] = [(name, role, None, "hub.example") for name, role in STAFF]
    wanted += [(name, role, member_id, "northbank.example") for name, role in CONTACTS if member_id is not None]
    for name, role, whose, domain in wanted:
        email = f"{name.lower().replace(' ', '.')}@{domain}"
        if email not in known:
            kept[email] = _make(hub, name, role, email, whose, seen_at)
            _write(path, list(kept.values()))
    return list(kept.values())


def _make(hub: Hub, name: str, role: Role, email: str, member_id: str | None, seen_at: int) -> DemoPerson:
    password, key = f"demo-{secrets.token_hex(6)}", second_factor.new_secret()
    hashed = passwords.hashed(password, email)
    with hub.database.unit_of_work() as session:
        person = people.add(session, membership.OPERATOR, email, name, [role], member_id)
        person.password_hash = hashed
        person.totp_secret = second_factor.seal(hub.vault, person.id, key)
        person.last_seen_at = seen_at
        for status in (people.IDENTITY_CHECKED, people.MFA_ENROLLED, people.ACTIVE):
            people.move(session, person, status, membership.OPERATOR, "demonstration")
        codes = second_factor.new_recovery_codes(session, person)
    return DemoPerson(name, role.value, email, password, key, codes)


def shown(found: list[DemoPerson]) -> list[str]:
    """Lines that say how each signs in."""
    lines = []
    for one in found:
        codes = ", ".join(one.codes[:RECOVERY_SHOWN])
        lines += [
            f"  {one.name}, {one.role}: {one.email}, password {one.password}",
            f"    authenticator key {one.key}, or a recovery code, each good once: {codes}",
        ]
    return lines


def _write(path: Path, found: list[DemoPerson]) -> None:
    """Replace the file in one step; it is never readable by others, not even for a moment."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    fresh.replace(path)
