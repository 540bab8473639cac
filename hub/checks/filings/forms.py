"""The form of a filing: what a member writes, field by field, and the filing that it comes to.

``{"purpose", "legal_gateway", "case_reference", "filings": [{…}, …]}``, one filing alone, or a list of them; a
filing may state the first three itself. docs/filings.md explains every field, docs/examples/bank-filing.json is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from marshmallow import ValidationError

from hub import clock
from hub.checks.filings.forms_schema import (
    CASE_TYPES,
    ENDING_ACTIONS,
    FALSE_IDENTITY,
    PILLARS,
    UNRECOGNISED,
    VICTIM,
    FilingSchema,
)  # fmt: skip
from hub.checks.filings.gateways import Basis, basis
from hub.checks.filings.open_fields import repeating
from hub.checks.filings.records import ALL_PILLARS, INTELLIGENCE, KNOWN_FRAUD
from hub.checks.subjects import Subject, SubjectKind, canonical_subject
from hub.clock import DAY
from hub.documents import grade as grades
from hub.documents import nfib
from hub.documents.faults import Fault, InvalidFiling, flattened
from hub.documents.table import Misshapen
from hub.errors import InvalidInput, TooLarge
from hub.stix.tlp import Tlp

BATCH_LIMIT: Final = 1_000
MOST_RECIPIENTS: Final = 50
FRAME: Final = ("purpose", "legal_gateway", "case_reference")

IDENTITY_KINDS: Final = frozenset({SubjectKind.PERSON, SubjectKind.NINO, SubjectKind.PASSPORT})
T = TypeVar("T")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


_SCHEMA = FilingSchema()


@dataclass(frozen=True, slots=True)
class Form:
    """A filing that is valid. Times in microseconds; ``document`` is what was written, to be sealed.

    ``pillars`` is a sum of bits in the order of PILLARS; ``valid_until`` is the end of the day that the member
    itself limits it to.
    """

    reference: str
    case_reference: str
    basis: Basis
    role: str
    tier: str
    category: str
    grade: grades.Grade
    conditions: str
    evidence: str
    pillars: int
    action: str
    tlp: Tlp | None
    recipients: frozenset[str]
    reported_at: int
    first_seen: int
    last_seen: int
    valid_until: int | None
    subjects: tuple[Subject, ...]
    document: dict[str, Any]


def parts(document: Any) -> list[tuple[str, Any]]:
    """The filings of a document with their places, each with what its frame says.

    Raises InvalidFiling for a frame that is none, TooLarge for more than 1,000 filings.
    """
    frame: dict[str, Any] = {}
    if isinstance(document, Mapping) and "filings" in document:
        unknown = [name for name in document if name not in (*FRAME, "filings")]
        if unknown:
            raise InvalidFiling([Fault("filings", f"beside filings a batch holds only {', '.join(FRAME)}")])
        frame = {name: document[name] for name in FRAME if name in document}
        document = document["filings"]
        if not isinstance(document, list):
            raise InvalidFiling([Fault("filings", "must be a list")])
    if not isinstance(document, list):
        return [("", document)]
    if len(document) > BATCH_LIMIT:
        raise TooLarge(
            f"a batch holds at most {BATCH_LIMIT:,} filings, this one has {len(document):,}", where="filings",
            advice="Send several batches.",
        )  # fmt: skip
    if not document:
        raise InvalidFiling([Fault("filings", "must hold at least one filing")])
    return [(f"filings[{n}]", {**frame, **one} if isinstance(one, Mapping) else one) for n, one in enumerate(document)]


def load_filing(document: Any, member_kind: str, where: str = "") -> Form:
    """One filing of a member of this kind from its JSON document; ``where`` is its place in a batch.

    Raises InvalidFiling with every fault found (at most 100), none of which repeats a value.
    """
    prefix = f"{where}." if where else ""
    if not isinstance(document, Mapping):
        fault = document.fault if isinstance(document, Misshapen) else "must be a JSON object"
        raise InvalidFiling([Fault(where or "filing", fault)])
    if isinstance(named := document.get("recipients"), list) and len(named) > MOST_RECIPIENTS:
        raise InvalidFiling([Fault(f"{prefix}recipients", f"must not name more than {MOST_RECIPIENTS}")])
    try:
        said = _SCHEMA.load(document)
    except ValidationError as error:
        raise InvalidFiling(flattened(error.messages, where)) from None
    found = _Faults(prefix)
    subjects = tuple(_subjects(said["subject"], found))
    grade = found.noting("grade", lambda: grades.parse(said["grade"]))
    on = found.noting("", lambda: _basis(said, member_kind))
    category = found.noting("category", lambda: _category(said["category"]))
    for at, message in (*_crossed(said, grade, category, subjects), *repeating(said, subjects)):
        found.add(at, message)
    if found.faults or grade is None or on is None or category is None:
        raise InvalidFiling(found.faults)
    reported = _micros(said["reported_at"])
    last = _micros(said["last_seen"]) if "last_seen" in said else reported
    return Form(
        reference=said["reference"], case_reference=said["case_reference"], basis=on, role=said["role"],
        tier=said["tier"], category=category, grade=grade, conditions=said.get("conditions", ""),
        evidence=said.get("evidence", ""), pillars=_pillars(said), action=said.get("action", "none"),
        tlp=Tlp.parse(said["tlp"]) if "tlp" in said else None, recipients=frozenset(said.get("recipients", ())),
        reported_at=reported, first_seen=_micros(said["first_seen"]) if "first_seen" in said else min(last, reported),
        last_seen=last, valid_until=_end_of(said["valid_until"]) if "valid_until" in said else None,
        subjects=subjects, document=said,
    )  # fmt: skip


def category_labels(category: str) -> tuple[str, ...]:
    """Labels for an indicator out of a filing of this category."""
    return (category,) if category in CASE_TYPES else nfib.labels(category)


class _Faults:
    """The faults of one filing while it is read."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.faults: list[Fault] = []

    def add(self, at: str, message: str) -> None:
        """Note a fault at a place within the filing."""
        self.faults.append(Fault(self._prefix + at, message))

    def noting(self, at: str, read: Callable[[], T]) -> T | None:
        """What ``read`` gives; None where it raises InvalidInput, whose place is within ``at``."""
        try:
            return read()
        except InvalidInput as error:
            place = ".".join(part for part in (at, error.where) if part)
            self.add(place, f"{error.message}. {error.advice}" if error.advice else error.message)
            return None


def _subjects(subject: Mapping[str, Any], found: _Faults) -> Iterator[Subject]:
    """Every identifier of the subject, once each."""
    seen: set[Subject] = set()
    for at, kind, raw in _written(subject, found):
        read = found.noting(f"subject.{at}", lambda kind=kind, raw=raw: canonical_subject(kind, raw))  # type: ignore[misc] # mypy cannot infer a lambda's defaults
        if read is not None and read not in seen:
            seen.add(read)
            yield read
    if not subject:
        found.add("subject", "must hold at least one identifier")


_PLAIN: Final = {
    "iban": SubjectKind.IBAN, "phone": SubjectKind.PHONE, "email": SubjectKind.EMAIL, "url": SubjectKind.URL,
    "domain": SubjectKind.DOMAIN, "wallet": SubjectKind.WALLET, "company": SubjectKind.COMPANY,
    "vehicle": SubjectKind.VEHICLE, "device": SubjectKind.DEVICE, "person": SubjectKind.PERSON,
    "nino": SubjectKind.NINO,
}  # fmt: skip


def _written(subject: Mapping[str, Any], found: _Faults) -> Iterator[tuple[str, SubjectKind, Any]]:
    """(field, kind, text) of what stands in the subject."""
    sort_code, account = subject.get("sort_code"), subject.get("account_number")
    if sort_code and account:
        yield "account_number", SubjectKind.BANK_ACCOUNT, f"{sort_code} {account}"
    elif sort_code or account:
        found.add("subject.sort_code", "a sort code and an account number go together")
    yield from ((name, kind, subject[name]) for name, kind in _PLAIN.items() if name in subject)
    if social := subject.get("social"):
        yield "social", SubjectKind.SOCIAL_HANDLE, f"{social['platform']}:{social['handle']}"
    if passport := subject.get("passport"):
        yield "passport", SubjectKind.PASSPORT, f"{passport['country']}:{passport['number']}"


def _basis(said: Mapping[str, Any], member_kind: str) -> Basis:
    action = said.get("action", "none")
    return basis(said["purpose"], said["legal_gateway"], member_kind, filing=True, action=action)


def _category(text: str) -> str:
    """An NFIB code or a recognised case type, as it is stored."""
    slug = text.casefold().replace(" ", "-").replace("_", "-")
    if slug in CASE_TYPES:
        return slug
    try:
        return nfib.code(text).code
    except InvalidInput:
        raise InvalidInput(
            "must be an NFIB code or a recognised case type", advice=f"Case types: {', '.join(CASE_TYPES)}."
        ) from None


def _crossed(
    said: Mapping[str, Any], grade: grades.Grade | None, category: str | None, subjects: tuple[Subject, ...]
) -> Iterator[tuple[str, str]]:
    """(place, fault) of what does not go together."""
    conditional = grade is not None and grade.handling == "C"
    if conditional and "conditions" not in said:
        yield "conditions", "handling C needs the conditions stated"
    if "conditions" in said and grade is not None and not conditional:
        yield "conditions", "conditions go with a grade whose handling is C, such as 2B:C"
    if said["tier"] == KNOWN_FRAUD:
        yield from _pillar_faults(said, category)
    if said["role"] == VICTIM and said["tier"] != INTELLIGENCE:
        yield "tier", "an impersonated victim is innocent: file it as intelligence"
    if said["role"] == FALSE_IDENTITY and subjects and not any(one.kind in IDENTITY_KINDS for one in subjects):
        yield "subject", "a false identity has a person, a national insurance number or a passport"
    if (said.get("tlp") == "red") != bool(said.get("recipients")):
        yield "recipients", "TLP red names its recipients by their member ids, and only TLP red does"
    first, last = said.get("first_seen"), said.get("last_seen")
    if first and (last or said["reported_at"])[:10] < first[:10]:
        yield "first_seen", "must not lie after last_seen or reported_at"
    if "valid_until" in said and _end_of(said["valid_until"]) < clock.micros():
        yield "valid_until", "is past: it would answer nobody"


def _pillar_faults(said: Mapping[str, Any], category: str | None) -> Iterator[tuple[str, str]]:
    stated = said.get("pillars", {})
    for name in PILLARS:
        if not stated.get(name):
            yield f"pillars.{name}", "known fraud stands on all four pillars; otherwise file it as intelligence"
    if "evidence" not in said:
        yield "evidence", "known fraud needs a pointer to its evidence in your own files"
    if category == UNRECOGNISED:
        yield "category", "known fraud needs a recognised case type"
    if said.get("action") not in ENDING_ACTIONS:
        yield "action", f"known fraud needs a product refused, withdrawn or ended: {', '.join(ENDING_ACTIONS)}"


def _pillars(said: Mapping[str, Any]) -> int:
    stated = said.get("pillars", {})
    return sum(1 << bit for bit, name in enumerate(PILLARS) if stated.get(name)) & ALL_PILLARS


def _end_of(day: str) -> int:
    """The last microsecond of a day."""
    return _micros(day) + DAY - 1


def _micros(text: str) -> int:
    moment = datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)
