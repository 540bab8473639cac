"""The record of searches: kept in the transaction that counts them, before anybody gets an answer.

Searches that come in together are committed together: the first to have its turn writes all that wait. So many
small searches cost one commit, and each still waits for its own.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import orjson
from sqlalchemy.orm import Session

from hub import clock
from hub.audit.log import Event, record_all
from hub.checks.filings.gateways import Basis
from hub.checks.searching import quotas, sampling
from hub.checks.searching.answers import LETTERS, Answer, Outcome
from hub.checks.searching.records import Search, SearchAnswer, SearchMatch, SearchSample
from hub.clock import DAY
from hub.db import Database
from hub.db.bulk import execute, insert_rows
from hub.db.database import lock_appends
from hub.errors import HubError
from hub.sealing import Vault
from hub.settings import Checks


@dataclass(frozen=True, slots=True)
class Made:
    """A search as it is to be kept. ``matches`` are (position, filing or indicator id)."""

    member_id: str
    actor: str
    basis: Basis
    channel: str
    case_reference: str
    answers: Sequence[Answer]
    hashes: bytes
    near: bytes
    matches: Sequence[tuple[int, str]]
    counted: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    at: int = field(default_factory=clock.micros)

    @property
    def outcomes(self) -> str:
        """One letter for each subject."""
        return "".join(LETTERS[one.outcome] for one in self.answers)


@dataclass(slots=True)
class _Waiting:
    """A search on its way into the database, and what became of it."""

    made: Made
    row: dict[str, Any]
    answer: dict[str, Any]
    sampled: bool
    done: bool = False
    due_at: int | None = None
    error: Exception | None = None


class SearchLog:
    """Keeps searches; one for each process."""

    def __init__(self, database: Database, vault: Vault, limits: Checks) -> None:
        self._database = database
        self._vault = vault
        self._limits = limits
        self._arriving = Lock()
        self._turn = Lock()
        self._queue: list[_Waiting] = []

    def keep(self, made: Made) -> int | None:
        """Count and keep a search; when it must be justified by, in microseconds, None unless it was drawn.

        Raises TooMany where the member's quota is used up, NotPermitted while a justification is overdue: then
        nothing is kept and nothing may be answered.
        """
        if not made.counted:
            sampling.refuse_overdue(self._database.select, made.member_id, made.basis.purpose)
        one = self._sealed(made)
        with self._arriving:
            self._queue.append(one)
        with self._turn:
            if not one.done:
                with self._arriving:
                    together, self._queue = self._queue, []
                self._write(together)
        if one.error is not None:
            raise one.error
        return one.due_at

    def _write(self, together: Sequence[_Waiting]) -> None:
        try:
            with self._database.unit_of_work() as session:
                lock_appends(session)
                kept = [one for one in together if self._allowed(session, one)]
                self._store(session, kept)
        except Exception as error:
            for one in together:  # each hears of it in its own thread
                one.error = one.error or error
        for one in together:
            one.done = True

    def _allowed(self, session: Session, one: _Waiting) -> bool:
        made = one.made
        try:
            if not made.counted:
                quotas.consume(session, made.member_id, made.basis.purpose, len(made.answers), self._limits)
        except HubError as refusal:
            one.error = refusal
            return False
        return True

    def _store(self, session: Session, kept: Sequence[_Waiting]) -> None:
        if not kept:
            return
        first = execute(session, "SELECT coalesce(max(no), 0) + 1 FROM check_search")[0][0]
        searches, answers, matches, samples = [], [], [], []
        for no, one in enumerate(kept, first):
            searches.append({"no": no, **one.row})
            answers.append({"search_no": no, **one.answer})
            matches += _padded(no, one.made.matches)
            if one.sampled:
                one.due_at = clock.micros() + self._limits.justify_days * DAY
                samples.append(_sample(no, one))
        insert_rows(session, Search, searches)
        insert_rows(session, SearchAnswer, answers)
        insert_rows(session, SearchMatch, matches)
        if samples:
            insert_rows(session, SearchSample, samples)
        audited = [Event(one.made.member_id, "check:search", one.made.id, after=_audited(one.made)) for one in kept]
        record_all(session, audited)

    def _sealed(self, made: Made) -> _Waiting:
        """The rows of a search, made outside the transaction."""
        row = {
            "id": made.id,
            "member_id": made.member_id,
            "actor": made.actor,
            "at": made.at,
            "purpose": made.basis.purpose.value,
            "gateway": made.basis.gateway.value,
            "channel": made.channel,
            "size": len(made.answers),
            "outcomes": made.outcomes,
            "hashes": made.hashes,
            "near": made.near,
            "sealed": self._vault.seal(made.case_reference.encode(), case_context(made.id)),
        }
        answer = {
            "sealed": self._vault.seal(packed(made.answers), answer_context(made.id)),
            "delete_after": made.at + self._limits.keep_answers_days * DAY,
        }
        return _Waiting(made, row, answer, sampling.drawn(self._limits))


def packed(answers: Sequence[Answer]) -> bytes:
    """Answers as they are kept, in one shape each."""
    return orjson.dumps([list(one) for one in answers])


def unpacked(kept: bytes) -> list[Answer]:
    """The answers that ``packed`` gave."""
    found = (Answer(*row) for row in orjson.loads(kept))
    return [one._replace(outcome=Outcome(one.outcome)) for one in found]


def case_context(search_id: str) -> str:
    """What the case reference of a search is sealed for."""
    return f"check-search:{search_id}"


def answer_context(search_id: str) -> str:
    """What the answers of a search are sealed for."""
    return f"check-answer:{search_id}"


def _padded(no: int, matches: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    """The rows of what was matched, filled up to a power of two, at least one: a miss writes as a hit does."""
    wanted = 1
    while wanted < len(matches):
        wanted *= 2
    padding = [(-1 - n, "") for n in range(wanted - len(matches))]
    return [{"search_no": no, "position": at, "known_ref": ref} for at, ref in (*matches, *padding)]


def _sample(no: int, one: _Waiting) -> dict[str, Any]:
    return {
        "search_no": no,
        "member_id": one.made.member_id,
        "purpose": one.made.basis.purpose.value,
        "due_at": one.due_at,
        "justified_at": None,
    }


def _audited(made: Made) -> dict[str, Any]:
    """What the audit log holds of a search; ``sha256`` binds the hashes of the values and their outcomes."""
    return {
        "by": made.actor,
        "purpose": made.basis.purpose.value,
        "gateway": made.basis.gateway.value,
        "channel": made.channel,
        "subjects": len(made.answers),
        "outcomes": dict(Counter(one.outcome.value for one in made.answers)),
        "sha256": hashlib.sha256(made.hashes + made.outcomes.encode()).hexdigest(),
    }
