"""Searches that were made, read again: by their member, with what has become of what they rested on since."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.orm import Session

from hub import clock
from hub.checks.filings.gateways import Basis, Gateway, Purpose
from hub.checks.filings.records import DISPUTED as DISPUTED_FILING
from hub.checks.filings.records import LIVE as LIVE_FILING
from hub.checks.filings.records import Filing
from hub.checks.searching.answers import DISPUTED, EXPIRED, LIVE, Answer
from hub.checks.searching.hashes import HASH_BYTES, SearchHashes
from hub.checks.searching.knowledge import KnownIndicators
from hub.checks.searching.records import Search, SearchAnswer, SearchHash, SearchMatch, SearchSample, WatchedUntil
from hub.checks.searching.searches import answer_context, case_context, unpacked
from hub.checks.subjects import Subject
from hub.db.bulk import chunks
from hub.errors import NotFound
from hub.sealing import Vault

LONGEST_ID = 60


def search_of(session: Session, member_id: str, check_id: str) -> tuple[Search, int | None]:
    """(the search, the subject's place where one is named) of "UUID" or "UUID.PLACE".

    Raises NotFound where there is none, or it is another member's.
    """
    possible = len(check_id) <= LONGEST_ID and check_id.isprintable()
    search_id, _, place = check_id.partition(".") if possible else ("", "", "")
    found = session.scalar(select(Search).where(Search.id == search_id, Search.member_id == member_id))
    named = int(place) if place.isascii() and place.isdigit() else None
    if found is None or (named is None and check_id != search_id) or (named is not None and named >= found.size):
        raise NotFound("there is no such check", advice="The id of a check is in its answer.")
    return found, named


def basis_of(search: Search) -> Basis:
    """What a search was made for."""
    return Basis(Purpose(search.purpose), Gateway(search.gateway))


def case_reference_of(vault: Vault, search: Search) -> str:
    """The case that a search was made for."""
    return vault.open(search.sealed, case_context(search.id)).decode()


def justify_by(session: Session, search_no: int) -> int | None:
    """When a justification is due that was not given yet, in microseconds."""
    return session.scalar(
        select(SearchSample.due_at).where(SearchSample.search_no == search_no, SearchSample.justified_at.is_(None))
    )


def answers_of(session: Session, vault: Vault, indicators: KnownIndicators, search: Search) -> list[Answer]:
    """The answers as they were given, with the present ``status`` of what they rested on.

    Raises NotFound when they are not kept any longer.
    """
    kept = session.get(SearchAnswer, search.no)
    if kept is None or kept.delete_after <= clock.micros():
        raise NotFound("the answers of this check are not kept any longer")
    answers = unpacked(vault.open(kept.sealed, answer_context(search.id)))
    rests_on: dict[int, list[str]] = {}
    for row in session.scalars(select(SearchMatch).where(SearchMatch.search_no == search.no)):
        rests_on.setdefault(row.position, []).append(row.known_ref)
    states = _states(session, indicators, [ref for refs in rests_on.values() for ref in refs])
    return [
        one._replace(status=_status([states[ref] for ref in rests_on.get(place, ())])) if one.found else one
        for place, one in enumerate(answers)
    ]


def who_searched(session: Session, hashes: SearchHashes, subject: Subject) -> list[tuple[Search, int]]:
    """Every search for ``subject`` that is on record, with its place in it, the newest first.

    Found by index as far as the watch has come; what was searched since then is read as a whole.
    A person who was searched by name and birth date is found by these, one by name and postcode by those.
    """
    wanted = hashes.all_of(subject)
    indexed_until = session.scalar(select(WatchedUntil.search_no)) or 0
    indexed = select(SearchHash.search_no).where(SearchHash.hash.in_(wanted))
    found = {one.no: one for one in session.scalars(select(Search).where(Search.no.in_(indexed)))}
    later = select(Search).where(Search.no > indexed_until, or_(*(_holds(session, one) for one in wanted)))
    found |= {one.no: one for one in session.scalars(later)}
    placed = [(found[no], _place(found[no].hashes, wanted)) for no in sorted(found, reverse=True)]
    return [(search, place) for search, place in placed if place is not None]


def _holds(session: Session, hashed: bytes) -> ColumnElement[bool]:
    """The bytes stand somewhere among a search's hashes."""
    if session.get_bind().dialect.name == "postgresql":
        return func.position(literal(hashed).op("IN")(Search.hashes)) > 0
    return func.instr(Search.hashes, hashed) > 0


def _place(hashes: bytes, wanted: Sequence[bytes]) -> int | None:
    """The first subject with one of the ``wanted`` hashes."""
    each = (hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES))
    return next((place for place, one in enumerate(each) if one in wanted), None)


def _states(session: Session, indicators: KnownIndicators, refs: Sequence[str]) -> dict[str, str]:
    """The present state of filings and indicators by id; what is gone has run out."""
    states = dict.fromkeys(refs, EXPIRED)
    filings = [ref for ref in refs if ref.startswith("filing--")]
    now = clock.micros()
    for part in chunks(filings):
        rows = session.execute(select(Filing.id, Filing.state, Filing.valid_until).where(Filing.id.in_(part)))
        for row in rows:
            if row.state == DISPUTED_FILING:
                states[row.id] = DISPUTED
            elif row.state == LIVE_FILING and row.valid_until > now:
                states[row.id] = LIVE
    rest = [ref for ref in refs if ref and not ref.startswith("filing--")]
    return states | dict.fromkeys(indicators.standing(rest), LIVE)


def _status(states: Sequence[str]) -> str:
    """Live while anything is; disputed while nothing is and anything may become so again."""
    return next((one for one in (LIVE, DISPUTED) if one in states), EXPIRED)
