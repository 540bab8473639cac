"""Search among the indicators: by value in any written form, id, kind, source, label and state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, exists, func, or_, select
from sqlalchemy.orm import Session

from hub.clock import DAY
from hub.errors import InvalidInput, NotFound
from hub.feeds.records import Contribution, Indicator, SourceRecord
from hub.stix.refang import refang
from hub.stix.values import MAX_CHARACTERS, Kind, Value, canonical, detect
from hub.stix.values.validity import VALID_DAYS

PAGE = 50
SHORTEST_PART = 3
PREFIX = "indicator--"


class State(StrEnum):
    """How an indicator stands."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; "" and None leave a part open. ``before`` is a row id to go on before."""

    text: str = ""
    kind: str = ""
    source_id: int | None = None
    label: str = ""
    state: str = ""
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One indicator of a list. Times in microseconds; ``tlp`` is the strictest stated, None once revoked."""

    row_id: int
    stix_id: str
    kind: str
    value: str
    modified: int
    state: State
    sources: int
    last_seen: int | None
    tlp: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of lines, the newest indicator first. ``read_as``: the value that the text was read as."""

    lines: list[Line] = field(default_factory=list)
    more: bool = False
    read_as: Value | None = None


def search(session: Session, wanted: Wanted, now: int) -> Found:
    """A page of what fits. Raises InvalidInput for a text that is neither a value, an id, nor a part to look for."""
    conditions, read_as = _conditions(session, wanted, now)
    if wanted.before is not None:
        conditions.append(Indicator.id < wanted.before)
    rows = session.scalars(select(Indicator).where(*conditions).order_by(Indicator.id.desc()).limit(PAGE + 1)).all()
    return Found(_lines(session, rows[:PAGE], now), len(rows) > PAGE, read_as)


def find(session: Session, stix_id: str) -> Indicator:
    """The indicator with this id, also one that it had before a revocation gave it the present one. Raises NotFound."""
    found = session.scalar(select(Indicator).where(or_(Indicator.stix_id == stix_id, Indicator.key == stix_id)))
    if found is None:
        raise NotFound("there is no such indicator")
    return found


def line_of(session: Session, indicator: Indicator, now: int) -> Line:
    """One indicator as a list shows it."""
    return _lines(session, [indicator], now)[0]


def contributions(session: Session, indicator: Indicator) -> list[tuple[Contribution, SourceRecord]]:
    """Who says what of an indicator now, the first to say it first."""
    rows = session.execute(
        select(Contribution, SourceRecord)
        .join(SourceRecord, SourceRecord.id == Contribution.source_id)
        .where(Contribution.indicator_id == indicator.id)
        .order_by(Contribution.first_seen, SourceRecord.id)
    )
    return [(row[0], row[1]) for row in rows]


def valid_until(kind: str, last_seen: int) -> int:
    """When an indicator of this kind ends that was seen last at ``last_seen``; both in microseconds."""
    return last_seen + VALID_DAYS[Kind(kind)] * DAY


def _conditions(session: Session, wanted: Wanted, now: int) -> tuple[list[ColumnElement[bool]], Value | None]:
    conditions, read_as = _of_text(session, wanted) if wanted.text else ([], None)
    if wanted.kind and read_as is None:
        conditions.append(Indicator.kind == wanted.kind)
    if wanted.source_id is not None:
        conditions.append(_said(Contribution.source_id == wanted.source_id))
    if wanted.label:
        conditions.append(_said(_has_label(wanted.label)))
    if wanted.state:
        conditions.append(_in_state(wanted.state, now))
    return conditions, read_as


def _of_text(session: Session, wanted: Wanted) -> tuple[list[ColumnElement[bool]], Value | None]:
    """An id, a value as it may be written, else a part of one."""
    text = wanted.text.strip()
    if text.startswith(PREFIX):
        return [or_(Indicator.stix_id == text, Indicator.key == text)], None
    read_as = _read(text, wanted.kind)
    if read_as is not None:
        exact = and_(Indicator.kind == read_as.kind.value, Indicator.value == read_as.text)
        if session.scalar(select(Indicator.id).where(exact)) is not None:
            return [exact], read_as
    part = refang(text).lower()
    if len(part) < SHORTEST_PART:
        raise InvalidInput(f"Enter a value, an id, or at least {SHORTEST_PART} characters of a value", where="text")
    return [func.lower(Indicator.value).contains(part, autoescape=True)], None


def _read(text: str, kind: str) -> Value | None:
    if len(text) > MAX_CHARACTERS:
        return None
    try:
        return canonical(Kind(kind), text) if kind else detect(text)
    except (InvalidInput, ValueError):
        return None


def _said(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Contribution.indicator_id == Indicator.id, condition)


def _has_label(label: str) -> ColumnElement[bool]:
    """The JSON list of labels holds this one, in either way that JSON spells what is not ASCII."""
    stored = cast(Contribution.labels, Text)
    spelled = {json.dumps(label), json.dumps(label, ensure_ascii=False)}
    return or_(*(stored.contains(text, autoescape=True) for text in sorted(spelled)))


def _in_state(state: str, now: int) -> ColumnElement[bool]:
    revoked = Indicator.content == b""
    if state == State.REVOKED:
        return revoked
    holds = or_(
        *(
            and_(
                Indicator.kind.in_([kind.value for kind, lasts in VALID_DAYS.items() if lasts == days]),
                _said(Contribution.last_seen > now - days * DAY),
            )
            for days in sorted(set(VALID_DAYS.values()))
        )
    )
    return and_(~revoked, holds if state == State.VALID else ~holds)


def _lines(session: Session, rows: Sequence[Indicator], now: int) -> list[Line]:
    said: dict[int, Any] = {row.indicator_id: row for row in session.execute(_sums([row.id for row in rows]))}
    return [_line(row, said.get(row.id), now) for row in rows]


def _sums(ids: Sequence[int]) -> Select[Any, Any, Any, Any]:
    return (
        select(
            Contribution.indicator_id,
            func.count().label("sources"),
            func.max(Contribution.last_seen).label("last_seen"),
            func.max(Contribution.tlp).label("tlp"),
        )
        .where(Contribution.indicator_id.in_(ids))
        .group_by(Contribution.indicator_id)
    )


def _line(row: Indicator, said: Any, now: int) -> Line:
    last_seen = said.last_seen if said else None
    if not row.content:
        state = State.REVOKED
    else:
        state = State.VALID if last_seen is not None and valid_until(row.kind, last_seen) > now else State.EXPIRED
    return Line(
        row.id, row.stix_id, row.kind, row.value, row.modified, state, said.sources if said else 0, last_seen,
        said.tlp if said else None,
    )  # fmt: skip
