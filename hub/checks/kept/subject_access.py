"""Subject access: what is held about a person, who filed it and who searched for it (UK GDPR article 15).

A named person decides what is disclosed. What the crime exemption keeps back (DPA 2018 schedule 2 paragraph 2) is left
out of the person's copy without a trace; that it was, what and why stays on record here.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.checks.filings.parts import Envelope
from hub.checks.filings.records import Filing, FilingIdentifier
from hub.checks.index import open_index
from hub.checks.kept.mentions import NOT_SEARCHED, Mention, Mentioned
from hub.checks.precheck.records import SubjectAccessRequest
from hub.checks.searching.answers import OUTCOMES
from hub.checks.searching.hashes import SearchHashes
from hub.checks.searching.names import alike
from hub.checks.searching.reading import who_searched
from hub.checks.searching.records import Search
from hub.checks.subjects import NAME_AND_POSTCODE, Subject, indicator_values
from hub.errors import Conflict, InvalidInput, NotFound
from hub.sealing import Vault
from hub.stix.canonical import canonical_json

LONGEST_REFERENCE: Final = 100
ANONYMOUS: Final = (
    "withheld: the organisation shares without its name; ask the hub, which puts your request to it"
    " (DPA 2018 schedule 2 paragraph 16)"
)
EXEMPTION: Final = "DPA 2018 schedule 2 paragraph 2 (crime)"


@dataclass(frozen=True, slots=True)
class Held:
    """A filing about the person. ``possible``: found by a like name with the same birth date or postcode only, or by
    the same name and postcode where the birth date is another one or not told.
    """

    filing: Filing
    document: dict[str, Any]
    possible: bool

    @property
    def conditions(self) -> str:
        """What its owner asks for whoever passes it on, "" for nothing."""
        return str(self.document.get("conditions", ""))


@dataclass(frozen=True, slots=True)
class Searched:
    """A search for the person, with its place in the search."""

    search: Search
    place: int


@dataclass(frozen=True, slots=True)
class Holding:
    """Everything that is held about a person, before anything is decided."""

    filings: list[Held]
    searches: list[Searched]
    mentions: list[Mention]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a named person decided. ``withheld`` are ids of what is held that the crime exemption covers."""

    reference: str
    decided_by: str
    withheld: frozenset[str] = frozenset()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """A member as a person may be told of it."""

    name: str
    anonymous: bool


def find(session: Session, vault: Vault, subjects: Sequence[Subject], mentioned: Mentioned) -> Holding:
    """Everything held about any of ``subjects``, whoever may see it: for those who decide, not for the person.

    ``mentioned`` finds what feeds, members and reporting partners said of them beside filings.
    """
    if not subjects:
        raise InvalidInput("a request names at least one identifier")
    searches: dict[str, Searched] = {}
    for subject in subjects:
        for search, place in who_searched(session, SearchHashes(vault), subject):
            searches.setdefault(f"{search.id}.{place}", Searched(search, place))
    ordered = sorted(searches.values(), key=lambda one: (one.search.at, one.place))
    values = {value for subject in subjects for value in indicator_values(subject)}
    mentions = mentioned(session, sorted(values, key=lambda one: (one.kind, one.text)))
    return Holding(_filings(session, vault, subjects), ordered, mentions)


def answer(
    session: Session, vault: Vault, holding: Holding, decision: Decision, owners: Mapping[str, Owner]
) -> dict[str, Any]:
    """The person's copy, as JSON; the decision is recorded and audited.

    What is only possibly about this person is not disclosed: it may be somebody else's. Raises InvalidInput for an
    exemption without a reason or of what is not held; Conflict where the reference was answered already.
    """
    _check(session, holding, decision)
    theirs = [one for one in holding.filings if not one.possible]
    filings = [_told_filing(one, owners) for one in theirs if one.filing.id not in decision.withheld]
    searches = [_told_search(one, owners) for one in holding.searches if search_id(one) not in decision.withheld]
    mentions = [_told_mention(one, owners) for one in holding.mentions if one.id not in decision.withheld]
    told = {
        "reference": decision.reference,
        "at": clock.timestamp(clock.micros()),
        "filings": filings,
        "searches": searches,
        "mentions": mentions,
        "not_searched": list(NOT_SEARCHED),
        "rights": (
            "You may ask for correction, object, or complain to the Information Commissioner's Office."
            " Data may have been left out where the law allows it."
        ),
    }
    _keep(session, vault, holding, decision, told)
    return told


def search_id(searched: Searched) -> str:
    """The id of one check, as it was given in its answer."""
    return f"{searched.search.id}.{searched.place}"


def looked_at(session: Session, by: str, reference: str, holding: Holding) -> None:
    """Record that somebody looked at what is held, before deciding."""
    after = {
        "filings": len(holding.filings), "searches": len(holding.searches), "mentions": len(holding.mentions),
    }  # fmt: skip
    record(session, by, "subject-access:look", reference, after=after)


def _filings(session: Session, vault: Vault, subjects: Iterable[Subject]) -> list[Held]:
    index = open_index(session, vault)
    found: dict[str, Held] = {}
    for subject in subjects:
        for tag, term in index.tagged(subject):
            rows = session.execute(
                select(Filing, FilingIdentifier)
                .join(FilingIdentifier, FilingIdentifier.filing_id == Filing.id)
                .where(FilingIdentifier.tag == tag)
            )
            for filing, identifier in rows:
                envelope = Envelope.of(vault, filing)
                document = envelope.open_document(filing.sealed, filing.version)
                exact = term.exact and identifier.exact and not _another(document, identifier.facet, subject)
                if not exact and not _like(envelope, identifier, subject):
                    continue
                known = found.get(filing.id)
                if known is None or (known.possible and exact):
                    found[filing.id] = Held(filing, document, possible=not exact)
    return sorted(found.values(), key=lambda one: one.filing.filed_at)


def _another(document: Mapping[str, Any], facet: str, subject: Subject) -> bool:
    """Whether a person of the same name and postcode may be another one: father and son, until the birth date is the
    same.
    """
    if subject.person is None or facet != NAME_AND_POSTCODE:
        return False
    born = document["subject"]["person"].get("date_of_birth")
    return born is not None and born != subject.person.born


def _like(envelope: Envelope, identifier: FilingIdentifier, subject: Subject) -> bool:
    """Whether an inexact term of a person is one of a like name; of another kind (a mailbox) it may be theirs."""
    if subject.person is None:
        return True
    name = envelope.open_identifier(identifier.position, identifier.sealed)["name"]
    return alike(name, subject.person.name)


def _check(session: Session, holding: Holding, decision: Decision) -> None:
    if not 0 < len(decision.reference.strip()) <= LONGEST_REFERENCE:
        raise InvalidInput(f"a reference has 1 to {LONGEST_REFERENCE} characters", where="reference")
    if session.scalar(select(SubjectAccessRequest.id).where(SubjectAccessRequest.reference == decision.reference)):
        raise Conflict("a request with this reference was answered already", where="reference")
    if decision.withheld and not decision.reason.strip():
        raise InvalidInput("the crime exemption needs its reason, which is kept", where="reason")
    held = {one.filing.id for one in holding.filings} | {search_id(one) for one in holding.searches}
    held |= {one.id for one in holding.mentions}
    if unknown := sorted(decision.withheld - held):
        raise InvalidInput(f"{unknown[0]} is not among what is held", where="withhold")


def _told_filing(held: Held, owners: Mapping[str, Owner]) -> dict[str, Any]:
    filing, owner = held.filing, owners[held.filing.member_id]
    return {
        "id": filing.id,
        "source": ANONYMOUS if owner.anonymous else owner.name,
        "tier": filing.tier,
        "category": filing.category,
        "role": filing.role,
        "state": filing.state,
        "purpose": filing.purpose,
        "legal_gateway": filing.legal_gateway,
        "filed_at": clock.timestamp(filing.filed_at),
        "kept_until": clock.timestamp(filing.valid_until),
        "content": held.document,
    }


def _told_search(searched: Searched, owners: Mapping[str, Owner]) -> dict[str, Any]:
    search, owner = searched.search, owners[searched.search.member_id]
    return {
        "id": search_id(searched),
        "by": ANONYMOUS if owner.anonymous else owner.name,
        "at": clock.timestamp(search.at),
        "purpose": search.purpose,
        "legal_gateway": search.gateway,
        "outcome": OUTCOMES[search.outcomes[searched.place]].value,
    }


def _told_mention(mention: Mention, owners: Mapping[str, Owner]) -> dict[str, Any]:
    owner = owners[mention.member_id] if mention.member_id else Owner(mention.source, anonymous=False)
    return {
        "id": mention.id,
        "what": mention.what,
        "source": ANONYMOUS if owner.anonymous else owner.name,
        "value": mention.value,
        "category": mention.category,
        "state": mention.state,
        "at": clock.timestamp(mention.at),
    }


def _keep(session: Session, vault: Vault, holding: Holding, decision: Decision, told: dict[str, Any]) -> None:
    """Write the request down: the copy and the reason sealed, the rest of the decision in the open and audited."""
    request_id = f"subject-access--{uuid.uuid4()}"
    disclosed = len(told["filings"]) + len(told["searches"]) + len(told["mentions"])
    possible = [one.filing.id for one in holding.filings if one.possible]
    kept = {"told": told, "withheld": sorted(decision.withheld), "possible": possible, "reason": decision.reason}
    session.add(
        SubjectAccessRequest(
            id=request_id, at=clock.micros(), reference=decision.reference, decided_by=decision.decided_by,
            exemption=bool(decision.withheld), disclosed=disclosed, withheld=len(decision.withheld),
            sealed=vault.seal(canonical_json(kept), _context(request_id)),
        )
    )  # fmt: skip
    session.flush()
    after = {"disclosed": disclosed, "withheld": len(decision.withheld), "possible": len(possible)}
    if decision.withheld:
        after_law = {**after, "exemption": EXEMPTION}
        record(session, decision.decided_by, "subject-access:exempt", request_id, after=after_law, why="kept, sealed")
    record(session, decision.decided_by, "subject-access:answer", request_id, after=after)


def read(session: Session, vault: Vault, reference: str) -> dict[str, Any]:
    """The record of an answered request: the person's copy, what was withheld and why. For the auditor.

    Raises NotFound.
    """
    found = session.scalar(select(SubjectAccessRequest).where(SubjectAccessRequest.reference == reference))
    if found is None or not found.sealed:
        raise NotFound("there is no such request, or its answer is not kept any longer")
    kept: dict[str, Any] = json.loads(vault.open(found.sealed, _context(found.id)))
    return {"decided_by": found.decided_by, "at": clock.timestamp(found.at), **kept}


def _context(request_id: str) -> str:
    return f"{request_id}:answer"
