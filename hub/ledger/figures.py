"""Figures of the log: what was added on which day, and what members were given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import func, literal, select, true, union_all
from sqlalchemy.orm import Session

from hub.ledger.records import Collection, Disclosure, Entry, LastPoll, Stream


@dataclass(frozen=True, slots=True)
class Polled:
    """How often a member has asked, when last (microseconds), and how many objects it was given."""

    polls: int
    last: int
    objects: int


@dataclass(frozen=True, slots=True)
class Holding:
    """How many objects a collection holds in their last version, and when the newest was added (microseconds)."""

    objects: int
    newest: int | None


def objects_by_day(session: Session, edges: Sequence[int]) -> dict[str, list[int]]:
    """How many object versions of each STIX type were added between each two neighbours of ``edges`` (microseconds).

    Counted by stream and place in the log, so that an index answers it and no object is read.
    """
    places = [_place(session, edge) for edge in edges]
    days = [(number, after, upto) for number, (after, upto) in enumerate(pairwise(places))]
    days = [day for day in days if day[1] < day[2]]
    if not days:
        return {}
    spans = union_all(
        *(
            select(literal(number).label("day"), literal(after).label("after"), literal(upto).label("upto"))
            for number, after, upto in days
        )
    ).subquery()
    counted = (
        select(func.count())
        .select_from(Entry)
        .where(Entry.stream_id == Stream.id, Entry.seq > spans.c.after, Entry.seq <= spans.c.upto)
        .scalar_subquery()
    )
    found: dict[str, list[int]] = {}
    for stix_type, day, count in session.execute(
        select(Stream.stix_type, spans.c.day, counted).join_from(Stream, spans, true())
    ):
        if count:
            found.setdefault(stix_type, [0] * (len(edges) - 1))[day] += count
    return found


def polls(session: Session, since: int) -> dict[str, Polled]:
    """By member: all its polls, and what it was given from ``since`` (microseconds) on."""
    given = objects_given(session, since)
    rows = session.execute(
        select(LastPoll.member_id, func.sum(LastPoll.polls), func.max(LastPoll.at)).group_by(LastPoll.member_id)
    )
    return {member: Polled(int(count), int(last), given[member]) for member, count, last in rows}


def objects_given(session: Session, since: int) -> Counter[str]:
    """How many objects each member was given from ``since`` (microseconds) on."""
    rows = session.execute(
        select(Disclosure.member_id, func.sum(Disclosure.objects))
        .where(Disclosure.at >= since)
        .group_by(Disclosure.member_id)
    )
    return Counter({member: int(count) for member, count in rows})


def holdings(session: Session) -> dict[int, Holding]:
    """What each collection holds, by its number."""
    found = dict.fromkeys(session.scalars(select(Collection.no)), Holding(0, None))
    counted = (
        select(Entry.stream_id, func.count().label("objects"), func.max(Entry.seq).label("newest"))
        .where(Entry.latest == 1)
        .group_by(Entry.stream_id)
        .subquery()
    )
    rows = session.execute(
        select(Stream.collection_no, func.sum(counted.c.objects), func.max(counted.c.newest))
        .join(counted, counted.c.stream_id == Stream.id)
        .group_by(Stream.collection_no)
    ).all()
    newest_ones = session.execute(select(Entry.seq, Entry.date_added).where(Entry.seq.in_([row[2] for row in rows])))
    added = dict(newest_ones.all())
    return found | {no: Holding(int(objects), added.get(newest)) for no, objects, newest in rows}


def _place(session: Session, at: int) -> int:
    """The seq of the newest entry that was added at ``at`` or before, 0 where there is none."""
    found = select(Entry.seq).where(Entry.date_added <= at).order_by(Entry.date_added.desc()).limit(1)
    return session.scalar(found) or 0
