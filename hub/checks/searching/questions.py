"""What a search asks, read from a member's JSON: each subject in its canonical form, or why it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.checks.filings.gateways import Basis, Purpose, basis
from hub.checks.searching.answers import Answer, Outcome
from hub.checks.subjects import Subject, SubjectKind, canonical_subject, refuse_card
from hub.errors import InvalidInput, TooLarge

MOST_REFERENCE: Final = 200
MOST_KIND_SHOWN: Final = 40
PERSON_FIELDS: Final = frozenset({"name", "date_of_birth", "postcode"})
ITEM_FIELDS: Final = frozenset({"kind", "value", "ref"}) | PERSON_FIELDS
PURPOSES: Final = tuple(Purpose)
_KINDS: Final = {kind.value: kind for kind in SubjectKind}


@dataclass(frozen=True, slots=True)
class Asked:
    """One subject of a search; ``refusal`` is its answer where nothing can be searched."""

    kind: str
    ref: str | None
    subject: Subject | None
    refusal: Answer | None


@dataclass(frozen=True, slots=True)
class Question:
    """A search: its basis, its case, and what is asked for. ``channel``: "api", "job", "console"."""

    basis: Basis
    case_reference: str
    asked: Sequence[Asked]
    channel: str = "api"


def question(document: Any, member_kind: str, most: int) -> Question:
    """The search that a JSON document asks for: ``subject`` or ``subjects``, ``purpose``, ``legal_gateway`` and
    ``case_reference``.

    Raises InvalidInput where the document is none, TooLarge for more than ``most`` subjects. A subject that cannot
    be searched is no error: its answer says so.
    """
    if not isinstance(document, dict):
        raise InvalidInput("a search is a JSON object", advice="docs/checks.md shows one.")
    known = {"purpose", "legal_gateway", "case_reference", "subject", "subjects"}
    if unknown := sorted(set(document) - known):
        raise InvalidInput("this field is not known here", where=unknown[0][:MOST_KIND_SHOWN])
    if ("subject" in document) == ("subjects" in document):
        raise InvalidInput("give either one subject or a list of subjects", where="subjects")
    given = [document["subject"]] if "subject" in document else document["subjects"]
    if not isinstance(given, list) or not given:
        raise InvalidInput("must be a list of at least one subject", where="subjects")
    if len(given) > most:
        raise TooLarge(
            f"a search holds at most {most:,} subjects, this one has {len(given):,}", where="subjects",
            advice="Send a file to /api/v1/checks/jobs instead.",
        )  # fmt: skip
    return Question(
        basis_of(document, member_kind),
        case_of(document),
        [asked(one, f"subjects[{n}]") for n, one in enumerate(given)],
    )


def basis_of(document: Mapping[str, Any], member_kind: str) -> Basis:
    """The purpose and the legal gateway. Raises InvalidInput where the law does not cover them for such a member."""
    purpose, gateway = (_text(document, name, required=True) for name in ("purpose", "legal_gateway"))
    return basis(purpose, gateway, member_kind, filing=False)


def case_of(document: Mapping[str, Any]) -> str:
    """The asker's own case, which every search has. Raises InvalidInput."""
    return _text(document, "case_reference", required=True)


def asked(given: Any, where: str) -> Asked:
    """One subject. Raises InvalidInput where it is not even an object with a kind."""
    if not isinstance(given, dict):
        raise InvalidInput('a subject is an object such as {"kind": "phone", "value": "…"}', where=where)
    if not given.keys() <= ITEM_FIELDS:
        unknown = sorted(given.keys() - ITEM_FIELDS)[0][:MOST_KIND_SHOWN]
        raise InvalidInput("this field is not known here", where=f"{where}.{unknown}")
    name = given.get("kind")
    if not isinstance(name, str):
        raise InvalidInput("is required", where=f"{where}.kind")
    ref = _text(given, "ref", where=f"{where}.") or None
    kind = _KINDS.get(name)
    if kind is None:
        return _refused(name, ref, Outcome.NOT_SEARCHABLE, f"this kind is not checked: {', '.join(_KINDS)}")
    if kind is SubjectKind.PERSON:
        raw: Any = {field: given[field] for field in PERSON_FIELDS & given.keys()}
        if not any(raw.get(field) for field in ("date_of_birth", "postcode")):
            return _refused(
                name, ref, Outcome.NOT_SEARCHABLE, "a name alone is not searched: add a date of birth or a postcode"
            )
    else:
        raw = given.get("value")
    try:
        return Asked(name, ref, canonical_subject(kind, raw), None)
    except InvalidInput as error:
        advice = f" {error.advice}" if error.advice else ""
        return _refused(name, ref, Outcome.INVALID, f"{error}.{advice}" if advice else str(error))


def _refused(kind: str, ref: str | None, outcome: Outcome, reason: str) -> Asked:
    shown = kind[:MOST_KIND_SHOWN] if kind.isprintable() else "?"
    return Asked(shown, ref, None, Answer(shown, ref, outcome, reason))


def _text(given: Mapping[str, Any], name: str, *, where: str = "", required: bool = False) -> str:
    found = given.get(name)
    if found is None and not required:
        return ""
    if not isinstance(found, str) or not found.strip() or len(found) > MOST_REFERENCE or not found.isprintable():
        raise InvalidInput(f"must be a text of 1 to {MOST_REFERENCE} printable characters", where=f"{where}{name}")
    refuse_card(found, f"{where}{name}")
    return found.strip()
