"""From a valid form to the rows of a filing: for whom it is, how long it holds, under which tags it is found."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.checks.filings.forms import Form
from hub.checks.filings.parts import Envelope
from hub.checks.filings.records import INTELLIGENCE, KNOWN_FRAUD, LIVE, LONGEST_MICROS, PENDING, Filing
from hub.checks.index import CheckIndex
from hub.checks.subjects import Subject, SubjectKind, Term, terms
from hub.clock import DAY
from hub.ledger.classes import Audience
from hub.ledger.records import ClassGroup, ClassRecipient, VisibilityClass
from hub.stix.tlp import Tlp
from hub.stix.values import Kind
from hub.stix.values.validity import VALID_DAYS

# Kinds that do not identify people or their money: GREEN where nothing else is said (FRAUD.md, "Grading").
IMPERSONAL: Final = frozenset({SubjectKind.URL, SubjectKind.DOMAIN, SubjectKind.COMPANY})
# What only checking knows holds a year as intelligence.
CHECKING_ONLY_DAYS: Final = 365


def write(filing: Filing, form: Form, audience: Audience, of_class: int, by: str, now: int) -> None:
    """Set what ``form`` says as the present version of ``filing``, which is not approved by anybody yet.

    The caller has set id, member, ``filed_at``, ``wrapped_key`` and the last ``version``.
    """
    filing.tier, filing.category, filing.role, filing.grade = form.tier, form.category, form.role, _graded(form)
    filing.purpose, filing.legal_gateway = form.basis.purpose.value, form.basis.gateway.value
    filing.case_reference, filing.evidence = form.case_reference, form.evidence
    filing.pillars, filing.action = form.pillars, form.action
    filing.tlp, filing.class_id = int(audience.tlp), of_class
    filing.version += 1
    filing.state = LIVE if form.tier == INTELLIGENCE else PENDING
    filing.filed_by, filing.amended_at = by, now
    filing.approved_by = filing.approved_at = filing.disputed_by = None
    filing.reported_at, filing.first_seen, filing.last_seen = form.reported_at, form.first_seen, form.last_seen
    filing.valid_until = max(valid_until(form, subject.kind, filing.filed_at) for subject in form.subjects)


def identifier_rows(index: CheckIndex, envelope: Envelope, filing: Filing, form: Form) -> list[dict[str, Any]]:
    """The rows of the checking index for ``form``: each text once, the exact meaning before the other."""
    found: dict[tuple[str, str], tuple[Subject, Term]] = {}
    for subject in form.subjects:
        for term in terms(subject):
            known = found.get((term.facet, term.text))
            if known is None or (term.exact and not known[1].exact):
                found[term.facet, term.text] = (subject, term)
    return [
        {
            "filing_id": filing.id,
            "position": position,
            "kind": subject.kind.value,
            "facet": term.facet,
            "exact": term.exact,
            "epoch": index.epoch,
            "tag": index.tag(term.facet, term.text),
            "valid_until": valid_until(form, subject.kind, filing.filed_at),
            "published": False,
            "sealed": envelope.seal_identifier(position, term.facet, term.text, *_of_person(subject)),
        }
        for position, (subject, term) in enumerate(found.values())
    ]


def _of_person(subject: Subject) -> tuple[str, str]:
    """(name, birth date) of a person, "" for what there is not."""
    return (subject.person.name, subject.person.born or "") if subject.person else ("", "")


def valid_until(form: Form, kind: SubjectKind, filed_at: int) -> int:
    """How long an identifier of ``kind`` answers: known fraud for six years, intelligence by its kind; never
    longer than its member says.
    """
    longest = filed_at + LONGEST_MICROS
    if form.valid_until is not None:
        longest = min(longest, form.valid_until)
    if form.tier == KNOWN_FRAUD:
        return longest
    days = VALID_DAYS[Kind(kind.value)] if kind.value in set(Kind) else CHECKING_ONLY_DAYS
    return min(longest, form.last_seen + days * DAY)


def audience_of(form: Form, groups: frozenset[int]) -> Audience:
    """Whom a filing is for: handling C asks for AMBER+STRICT, otherwise AMBER where it holds personal data and
    GREEN where it holds none; never less than its member asks for.
    """
    personal = any(subject.kind not in IMPERSONAL for subject in form.subjects)
    own = Tlp.AMBER_STRICT if form.grade.handling == "C" else Tlp.AMBER if personal else Tlp.GREEN
    return Audience(max(own, form.tlp or own), groups, form.recipients)


def audience_of_class(session: Session, of_class: int) -> Audience:
    """The audience that a visibility class stands for."""
    tlp = session.get_one(VisibilityClass, of_class).tlp
    groups = session.scalars(select(ClassGroup.group_id).where(ClassGroup.class_id == of_class))
    named = session.scalars(select(ClassRecipient.member_id).where(ClassRecipient.class_id == of_class))
    return Audience(Tlp(tlp), frozenset(groups), frozenset(named))


def _graded(form: Form) -> str:
    """The grade with its handling, P where none is stated."""
    return f"{form.grade.source}{form.grade.intelligence}:{form.grade.handling or 'P'}"
