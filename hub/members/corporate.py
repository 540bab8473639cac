"""Corporate groups: who belongs together, by what the companies and their parents are called and registered as.

A sponsor stands for an applicant as somebody independent, so it must not be of the applicant's own group. Each
organisation has keys: its name, its registration number, and those of its ultimate parent. Two that share a key are
of one group; the database compares them too (migration 0003).
"""

from __future__ import annotations

import re
import unicodedata

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from hub.members.records import CorporateKey

# What a company adds to the name that it shares with its parent.
LEGAL_WORDS = frozenset({
    "plc", "ltd", "limited", "llp", "inc", "incorporated", "corp", "corporation", "co", "company", "sa", "ag", "se",
    "gmbh", "bv", "nv", "spa", "ab", "oy", "group", "holding", "holdings", "uk", "the",
})  # fmt: skip
WORD = re.compile(r"[^\W_]+")
# Shorter ones are placeholders ("n/a", "none", "-") rather than numbers.
SHORTEST_NUMBER = 5


def keys(name: str, registration: str = "", parent: str = "", parent_registration: str = "") -> frozenset[str]:
    """An organisation's keys; what is empty or no number gives none."""
    found = {_name(name), _name(parent), _number(registration), _number(parent_registration)}
    return frozenset(found - {""})


def keep(session: Session, organisation: str, held: frozenset[str]) -> None:
    """Set the keys of a case or a member, named by its id."""
    session.execute(delete(CorporateKey).where(CorporateKey.organisation == organisation))
    session.add_all(CorporateKey(organisation=organisation, key=key) for key in sorted(held))
    session.flush()


def of(session: Session, organisation: str) -> frozenset[str]:
    """The keys of a case or a member."""
    return frozenset(session.scalars(select(CorporateKey.key).where(CorporateKey.organisation == organisation)))


def related(organisation: str) -> Select[str]:
    """The ids of everything that shares a key with a case or a member, as a query."""
    own = select(CorporateKey.key).where(CorporateKey.organisation == organisation)
    return select(CorporateKey.organisation).where(
        CorporateKey.key.in_(own), CorporateKey.organisation != organisation
    )  # fmt: skip


def _name(text: str) -> str:
    words = WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    telling = [word for word in words if word not in LEGAL_WORDS] or words
    return f"name:{''.join(telling)}" if telling else ""


def _number(text: str) -> str:
    plain = "".join(WORD.findall(unicodedata.normalize("NFKC", text).casefold())).lstrip("0")
    named = any(character.isdigit() for character in plain) and len(plain) >= SHORTEST_NUMBER
    return f"number:{plain}" if named else ""
