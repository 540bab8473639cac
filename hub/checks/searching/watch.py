"""The watch over searches: planted values, too many finds, numbers asked for one after the other.

It reads the record of searches after they were answered, so that no answer waits for it or shows by its time that
somebody is watching. An alarm is kept, audited and sent to the duty officer, once for its kind and window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event
from typing import Any, Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.checks.searching.answers import LETTERS, Outcome
from hub.checks.searching.canaries import planted
from hub.checks.searching.hashes import HASH_BYTES, NEAR_BYTES, NO_HASH, NO_NEIGHBOURHOOD
from hub.checks.searching.records import Alarm, Search, SearchHash, WatchedUntil
from hub.clock import HOUR
from hub.db import Database
from hub.db.bulk import insert_rows
from hub.errors import Conflict, InvalidInput, NotFound, Unavailable
from hub.settings import Checks

log = structlog.get_logger(__name__)

AT_ONCE: Final = 500
# The lock of a database with one writer is held for so many values, so that no answer waits long.
VALUES_AT_ONCE: Final = 1000
LOOKS_EVERY_SECONDS: Final = 1.0
CANARY, HIT_RATE, SEQUENCE = "canary", "hit-rate", "sequence"
FOUND: Final = {LETTERS[Outcome.MATCH], LETTERS[Outcome.POSSIBLE]}
SEARCHED: Final = FOUND | {LETTERS[Outcome.NO_MATCH]}
HUB: Final = "hub"

# Sends a message to an address, within the transaction: (session, recipient, subject, text).
Tell = Callable[[Session, str, str, str], None]


class Watch:
    """Looks at what was searched; any process may, one at a time does."""

    def __init__(self, database: Database, limits: Checks, tell: Tell) -> None:
        self._database = database
        self._limits = limits
        self._tell = tell

    def run(self, stop: Event) -> None:
        """Watch until ``stop`` is set."""
        while not stop.is_set():
            try:
                while self.look():
                    pass
            except Unavailable as error:
                log.warning("the watch waits for the database", error=str(error))
            stop.wait(LOOKS_EVERY_SECONDS)

    def look(self) -> int:
        """Look at the searches since the last look; how many there were, at most ``AT_ONCE``."""
        ((newest,),) = self._database.select("SELECT coalesce(max(no), 0) FROM check_search")
        ((until,),) = self._database.select("SELECT search_no FROM check_watched_until")
        if newest <= until:
            return 0
        with self._database.unit_of_work() as session:
            watched = session.scalar(select(WatchedUntil).with_for_update(skip_locked=True))
            if watched is None:
                return 0
            fresh = list(
                session.scalars(select(Search).where(Search.no > watched.search_no).order_by(Search.no).limit(AT_ONCE))
            )
            fresh = _within(fresh)
            if fresh:
                watched.search_no = fresh[-1].no
                _index(session, fresh)
                self._look_at(session, fresh)
        return len(fresh)

    def _look_at(self, session: Session, fresh: Sequence[Search]) -> None:
        canaries = {one.hash: one for one in planted(session)}
        for search in fresh:
            asked = _asked(search)
            touched = sorted(canaries[one].id for one in asked & canaries.keys())
            if touched:
                detail = {"search": search.id, "actor": search.actor, "canaries": touched}
                self._raise(session, search.member_id, CANARY, search.id, detail)
        for member_id in sorted({search.member_id for search in fresh}):
            since = min(search.at for search in fresh if search.member_id == member_id) - HOUR
            lately = list(
                session.scalars(
                    select(Search).where(Search.member_id == member_id, Search.at >= since, Search.no <= fresh[-1].no)
                )
            )
            self._look_at_finds(session, member_id, lately)
            self._look_at_sequences(session, member_id, lately)

    def _look_at_finds(self, session: Session, member_id: str, lately: Sequence[Search]) -> None:
        for purpose in sorted({search.purpose for search in lately}):
            letters = "".join(search.outcomes for search in lately if search.purpose == purpose)
            found = sum(letters.count(letter) for letter in FOUND)
            searched = sum(letters.count(letter) for letter in SEARCHED)
            if found >= self._limits.hit_least and found >= self._limits.hit_share * searched:
                detail = {"purpose": purpose, "found": found, "searched": searched}
                self._raise(session, member_id, HIT_RATE, f"{purpose}:{_hour(lately)}", detail)

    def _look_at_sequences(self, session: Session, member_id: str, lately: Sequence[Search]) -> None:
        neighbours: dict[bytes, set[bytes]] = {}
        for search in lately:
            for n in range(search.size):
                near = search.near[n * NEAR_BYTES : (n + 1) * NEAR_BYTES]
                if near != NO_NEIGHBOURHOOD:
                    neighbours.setdefault(near, set()).add(search.hashes[n * HASH_BYTES : (n + 1) * HASH_BYTES])
        most = max((len(asked) for asked in neighbours.values()), default=0)
        if most >= self._limits.neighbours:
            detail = {"numbers": most, "neighbourhoods": sum(len(one) >= most // 2 for one in neighbours.values())}
            self._raise(session, member_id, SEQUENCE, str(_hour(lately)), detail)

    def _raise(self, session: Session, member_id: str, kind: str, window: str, detail: dict[str, Any]) -> None:
        same = select(Alarm.id).where(Alarm.member_id == member_id, Alarm.kind == kind, Alarm.window == window)
        if session.scalar(same) is not None:
            return
        session.add(
            Alarm(
                at=clock.micros(), member_id=member_id, kind=kind, window=window, detail=detail, handled_at=None,
                handled_by=None, note="",
            )
        )  # fmt: skip
        session.flush()
        record(session, HUB, "check-alarm:raise", member_id, after={"kind": kind, "window": window, **detail})
        log.warning("alarm", kind=kind, member=member_id, **detail)
        if self._limits.duty_officer:
            text = WORDS[kind].format(member=member_id, **detail) + "\n\nhub check alarms shows all that are open.\n"
            self._tell(session, self._limits.duty_officer, f"Checking service: {SUBJECTS[kind]}", text)


SUBJECTS: Final = {
    CANARY: "a planted value was asked for",
    HIT_RATE: "unusually many finds",
    SEQUENCE: "numbers asked for one after the other",
}
WORDS: Final = {
    CANARY: "The member {member} ({actor}) asked for a planted value in search {search}. It was not told so.",
    HIT_RATE: "The member {member} had {found} finds among {searched} subjects within an hour for {purpose}.",
    SEQUENCE: "The member {member} asked for {numbers} different numbers of one hundred within an hour.",
}


def _within(fresh: list[Search]) -> list[Search]:
    """The first of them, with so many values as are looked at in one transaction; one search at least."""
    values = 0
    for place, search in enumerate(fresh):
        values += search.size
        if values > VALUES_AT_ONCE and place:
            return fresh[:place]
    return fresh


def _asked(search: Search) -> set[bytes]:
    """The hashes of what a search asked for."""
    return {search.hashes[at : at + HASH_BYTES] for at in range(0, len(search.hashes), HASH_BYTES)}


def _index(session: Session, fresh: Sequence[Search]) -> None:
    """Let each search be found by what it asked for (``reading.who_searched``)."""
    rows = [{"hash": one, "search_no": search.no} for search in fresh for one in sorted(_asked(search) - {NO_HASH})]
    if rows:
        insert_rows(session, SearchHash, rows)


def alarms(session: Session, *, open_only: bool = True) -> list[Alarm]:
    """Alarms, the newest first."""
    found = select(Alarm).order_by(Alarm.id.desc())
    return list(session.scalars(found.where(Alarm.handled_at.is_(None)) if open_only else found))


def handle(session: Session, by: str, alarm_id: int, note: str) -> Alarm:
    """Close an alarm, with what was found out. Raises NotFound, Conflict, InvalidInput."""
    alarm = session.get(Alarm, alarm_id)
    if alarm is None:
        raise NotFound(f"there is no alarm {alarm_id}")
    if alarm.handled_at is not None:
        raise Conflict("this alarm was handled already")
    if not note.strip():
        raise InvalidInput("say what was found out", where="note")
    alarm.handled_at, alarm.handled_by, alarm.note = clock.micros(), by, note.strip()
    session.flush()
    record(session, by, "check-alarm:handle", str(alarm_id), why=alarm.note)
    return alarm


def _hour(lately: Sequence[Search]) -> int:
    return max(search.at for search in lately) // HOUR
