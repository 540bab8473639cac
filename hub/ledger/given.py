"""Which objects a member was given before: who says later what it read here is an echo."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from hub.db.bulk import select_in
from hub.ledger.disclosures import holds
from hub.ledger.records import Disclosure, LastPoll

ENTRIES = "SELECT seq, stix_id FROM entry WHERE collection_no = ? AND stix_id IN (…)"
ROWS = 1000


def given_to(session: Session, member_id: str, stix_ids: Iterable[str]) -> set[str]:
    """Those of ``stix_ids`` of which the member was given a version in any collection, as the ledger knows by now.

    A member that has never asked for a page costs one look-up. Otherwise the pages are read that it was given since
    the oldest of the versions, in order, until all are found.
    """
    wanted = sorted(set(stix_ids))
    if not wanted:
        return set()
    found: set[str] = set()
    for collection_no in session.scalars(select(LastPoll.collection_no).where(LastPoll.member_id == member_id)).all():
        missing = [stix_id for stix_id in wanted if stix_id not in found]
        entries = {row.seq: row.stix_id for row in select_in(session, ENTRIES, missing, [collection_no])}
        found |= _given(session, member_id, collection_no, entries)
    return found


def _given(session: Session, member_id: str, collection_no: int, entries: dict[int, str]) -> set[str]:
    """The objects of ``entries`` (seq → id) that stand in a page of the collection that the member was given."""
    if not entries:
        return set()
    seqs = sorted(entries)
    pages = select(Disclosure.id, Disclosure.first_seq, Disclosure.last_seq, Disclosure.runs).where(
        Disclosure.member_id == member_id, Disclosure.collection_no == collection_no, Disclosure.first_seq <= seqs[-1]
    )
    found: set[str] = set()
    last, wanted = (seqs[0], 0), set(entries.values())
    while len(found) < len(wanted):
        after = tuple_(Disclosure.last_seq, Disclosure.id) > last
        rows = session.execute(pages.where(after).order_by(Disclosure.last_seq, Disclosure.id).limit(ROWS)).all()
        if not rows:
            break
        for page in rows:
            within = seqs[bisect_left(seqs, page.first_seq) : bisect_right(seqs, page.last_seq)]
            found.update(entries[seq] for seq in within if holds(page.runs, page.first_seq, seq))
        last = (rows[-1].last_seq, rows[-1].id)
    return found
