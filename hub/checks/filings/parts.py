"""What the life cycle of filings works with: who files, what is published of it, and the seal around it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy.orm import Session

from hub.checks.filings.records import Filing
from hub.ledger.classes import Audience
from hub.sealing import DataKey, Vault
from hub.stix.canonical import canonical_json
from hub.stix.values import Value

# Before the user name of a key in ``Filing.filed_by``.
BY_KEY: Final = "credential:"
# Who disputes in the hub's own name, and may so about any filing.
HUB: Final = "hub"


@dataclass(frozen=True, slots=True)
class Filer:
    """A member that files, of a kind, and ``by`` whom: a person's id, or "credential:NAME" of an API key.

    ``groups`` are the sharing groups that AMBER filings are for.
    """

    member_id: str
    kind: str
    by: str
    groups: frozenset[int]


@dataclass(frozen=True, slots=True)
class Said:
    """What a filing says of one value, to be published as an indicator. Times in microseconds; grade as "1B"."""

    filing_id: str
    value: Value
    grade: str
    audience: Audience
    labels: tuple[str, ...]
    first_seen: int
    last_seen: int


class FilerOf(Protocol):
    """Knows the members; handed in by the composition root."""

    def __call__(self, session: Session, member: str, by: str) -> Filer:
        """The member with this id or name, filing through ``by``. Raises NotFound."""


class IssuerOf(Protocol):
    """Knows who made the members' keys; handed in by the composition root."""

    def __call__(self, session: Session, username: str) -> str | None:
        """The person who made an API key, None where an operator did."""


class Publisher(Protocol):
    """Publishes what is filed as indicators, with the member as the source; handed in by the composition root."""

    def say(self, session: Session, member_id: str, said: Sequence[Said]) -> Mapping[Value, str]:
        """Merge ``said``. Returns the values that a rule holds back, with the rule's reason."""

    def take_back(self, session: Session, member_id: str, values: Iterable[Value]) -> int:
        """Take back what the member's filings said of ``values``. Returns how many indicators were revoked."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts that filings are worked on with."""

    vault: Vault
    publisher: Publisher
    filer_of: FilerOf
    issuer_of: IssuerOf


class Envelope:
    """The key of one filing: it seals everything personal that is kept of it, and is itself wrapped by the hub's."""

    def __init__(self, key: DataKey) -> None:
        self._key = key

    @classmethod
    def made(cls, vault: Vault, filing_id: str) -> tuple[Envelope, bytes]:
        """A fresh key for a filing, and the key as it is stored."""
        key, wrapped = vault.new_data_key(wrapping_context(filing_id))
        return cls(key), wrapped

    @classmethod
    def of(cls, vault: Vault, filing: Filing) -> Envelope:
        """The key of a stored filing."""
        return cls.opened(vault, filing.id, filing.wrapped_key)

    @classmethod
    def opened(cls, vault: Vault, filing_id: str, wrapped_key: bytes) -> Envelope:
        """The key as it is stored, opened. Raises IntegrityFailure."""
        return cls(vault.data_key(wrapped_key, wrapping_context(filing_id)))

    def seal_document(self, document: Mapping[str, Any], version: int) -> bytes:
        """A version of the filing's document."""
        return self._key.seal(canonical_json(document), f"document:{version}")

    def open_document(self, sealed: bytes, version: int) -> dict[str, Any]:
        """What ``seal_document`` sealed."""
        document: dict[str, Any] = json.loads(self._key.open(sealed, f"document:{version}"))
        return document

    def seal_identifier(self, position: int, facet: str, text: str, name: str, born: str = "") -> bytes:
        """The open text of an identifier, with a person's canonical name and birth date."""
        opened = {"facet": facet, "text": text, "name": name, "born": born}
        return self._key.seal(canonical_json(opened), f"identifier:{position}")

    def open_identifier(self, position: int, sealed: bytes) -> dict[str, str]:
        """{"facet", "text", "name", "born"} of an identifier."""
        opened: dict[str, str] = json.loads(self._key.open(sealed, f"identifier:{position}"))
        return opened

    def seal_reason(self, why: str) -> bytes:
        """Why something was done to the filing."""
        return self._key.seal(why.encode(), "reason")

    def open_reason(self, sealed: bytes) -> str:
        """What ``seal_reason`` sealed."""
        return self._key.open(sealed, "reason").decode()


def wrapping_context(filing_id: str) -> str:
    """What a filing's key is wrapped for by the hub's own; the rotation of that one wraps it anew."""
    return f"filing-key:{filing_id}"


def open_person(vault: Vault, filing_id: str, position: int, wrapped_key: bytes, sealed: bytes) -> tuple[str, str]:
    """(canonical name, birth date) of a filed person, out of one row of the index; "" for what is not filed."""
    opened = Envelope.opened(vault, filing_id, wrapped_key).open_identifier(position, sealed)
    return opened["name"], opened.get("born", "")
