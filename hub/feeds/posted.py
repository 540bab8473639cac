"""What members post without writing STIX: values, and sightings of what is known; every field bounded, none unknown.

``{"indicators": [{"value": …}, …], "tlp": …, "groups": […]}`` and ``{"sightings": [{"indicator": …}, …]}``. A text
that is no value is no fault of the body: the intake refuses that row alone and says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from hub.documents import grade as grades
from hub.documents.faults import Fault, InvalidDocument, flattened
from hub.documents.fields import Line, Moment, Strict, Text
from hub.errors import InvalidInput, TooLarge
from hub.feeds.readers.labels import LABEL_LIMIT, MOST_LABELS, labels_of
from hub.feeds.readers.reading import DESCRIPTION_LIMIT, RawIndicator
from hub.stix.tlp import Tlp
from hub.stix.values import MAX_CHARACTERS, Kind

MOST_ROWS = 1_000
MOST_GROUPS = 100
MOST_IN_ROW = 1_000_000
INDICATOR_ID = re.compile(r"indicator--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
KINDS = tuple(kind.value for kind in Kind)
LABELS = tuple(tlp.label for tlp in Tlp if tlp is not Tlp.RED)


class InvalidPost(InvalidDocument):
    """Posted indicators or sightings have faults."""

    title = "The rows are not valid"
    called = "body"


class Spelling(fields.String):
    """A value in any spelling; what it is, the intake decides."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kw: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kw)
        if not text.strip():
            raise ValidationError("must not be empty")
        if len(text) > MAX_CHARACTERS:
            raise ValidationError(f"must not be longer than {MAX_CHARACTERS} characters")
        return text


class KindName(fields.String):
    """The name of a kind of value."""

    def __init__(self, **options: Any) -> None:
        known = validate.OneOf(KINDS, error="must be one of: {choices}")
        described = {"description": "Where it is left out, the value shows it"}
        super().__init__(validate=known, metadata=described, **options)


class Seen(Strict):
    """A row that may say when."""

    first_seen = Moment(metadata={"type": "string", "description": "A date, or a time with its zone"})
    last_seen = Moment(metadata={"type": "string", "description": "A date, or a time with its zone"})

    @validates_schema
    def _in_order(self, row: Mapping[str, Any], **_: Any) -> None:
        first, last = _instant(row.get("first_seen")), _instant(row.get("last_seen"))
        if first and last and first > last:
            raise ValidationError("must not lie before first_seen", "last_seen")


class PostedIndicatorSchema(Seen):
    """One value. Without a time it counts as seen now, and again whenever it is posted after a while."""

    value = Spelling(required=True, metadata={"description": "In any spelling: hxxps://evil[.]example"})
    kind = KindName()
    labels = fields.List(Line(LABEL_LIMIT), validate=validate.Length(max=MOST_LABELS))
    description = Text(DESCRIPTION_LIMIT, metadata={"description": "For the hub's analysts; it is not passed on"})
    confidence = fields.Integer(
        strict=True, validate=validate.Range(0, 100), metadata={"description": "As in STIX; the hub's grade bounds it"}
    )


class PostedIndicatorsSchema(Strict):
    """Up to 1,000 values, and whom they are for."""

    indicators = fields.List(fields.Nested(PostedIndicatorSchema), required=True)
    tlp = fields.String(
        validate=validate.OneOf(LABELS, error="must be one of: {choices}"),
        metadata={"description": "Without one, that of the collection that the kind of value goes to"},
    )
    groups = fields.List(
        Line(100), validate=validate.Length(min=1, max=MOST_GROUPS),
        metadata={"description": "Names of sharing groups that you are in; all of them where it is left out"},
    )  # fmt: skip


class PostedSightingSchema(Seen):
    """You saw it: an indicator by its id, or a value. Without a time it was seen today."""

    indicator = fields.String(validate=validate.Regexp(INDICATOR_ID.pattern + r"\Z", error="must be an indicator's id"))
    value = Spelling(metadata={"description": "In any spelling: hxxps://evil[.]example"})
    kind = KindName()
    count = fields.Integer(strict=True, validate=validate.Range(1, MOST_IN_ROW))

    @validates_schema
    def _one_of_both(self, row: Mapping[str, Any], **_: Any) -> None:
        if ("indicator" in row) == ("value" in row):
            raise ValidationError("must have an indicator or a value, one of both")
        if "indicator" in row and "kind" in row:
            raise ValidationError("goes with a value", "kind")


class PostedSightingsSchema(Strict):
    """Up to 1,000 sightings."""

    sightings = fields.List(fields.Nested(PostedSightingSchema), required=True)


@dataclass(frozen=True, slots=True)
class PostedIndicators:
    """What a body says of whom its values are for: ``tlp`` and ``groups`` are None where it says nothing."""

    rows: list[dict[str, Any]]
    tlp: Tlp | None
    groups: list[str] | None


@dataclass(frozen=True, slots=True)
class PostedSighting:
    """One row of sightings. Times are RFC 3339 in UTC; either ``indicator`` or ``raw`` is set."""

    where: str
    indicator: str | None
    raw: str | None
    kind: Kind | None
    count: int
    first_seen: str | None
    last_seen: str | None


_INDICATORS = PostedIndicatorsSchema()
_SIGHTINGS = PostedSightingsSchema()


def load_indicators(document: Any) -> PostedIndicators:
    """The body of posted indicators. Raises InvalidPost with every fault found (at most 100), TooLarge."""
    loaded = _loaded(_INDICATORS, document, "indicators")
    return PostedIndicators(
        loaded["indicators"], Tlp.parse(loaded["tlp"]) if "tlp" in loaded else None, loaded.get("groups")
    )


def readings_of(posted: PostedIndicators, source_grade: str) -> list[RawIndicator]:
    """The readings of a body, for a source of this 3x5x2 grade."""
    return [
        RawIndicator(
            f"indicators[{place}]",
            row["value"],
            kind=_kind(row),
            labels=labels_of(row.get("labels", ())),
            first_seen=_instant(row.get("first_seen")),
            last_seen=_instant(row.get("last_seen")),
            description=row.get("description"),
            grade=_grade(row.get("confidence"), source_grade),
        )
        for place, row in enumerate(posted.rows)
    ]


def load_sightings(document: Any) -> list[PostedSighting]:
    """The rows of posted sightings. Raises InvalidPost with every fault found (at most 100), TooLarge."""
    return [
        PostedSighting(
            f"sightings[{place}]",
            row.get("indicator"),
            row.get("value"),
            _kind(row),
            row.get("count", 1),
            *_span(_instant(row.get("first_seen")), _instant(row.get("last_seen"))),
        )
        for place, row in enumerate(_loaded(_SIGHTINGS, document, "sightings")["sightings"])
    ]


def _loaded(schema: Strict, document: Any, name: str) -> Any:
    if not isinstance(document, dict) or name not in document:
        raise InvalidInput(f"must be an object with {name}", where="body", advice=f'Send {{"{name}": [ … ]}}')
    rows = document[name]
    if isinstance(rows, list) and len(rows) > MOST_ROWS:
        raise TooLarge(f"a body holds at most {MOST_ROWS} rows, this one has {len(rows)}", where=name)
    if rows == []:
        raise InvalidPost([Fault(name, f"must hold 1 to {MOST_ROWS} rows")])
    try:
        return schema.load(document)
    except ValidationError as error:
        raise InvalidPost(flattened(error.messages)) from None


def _kind(row: Mapping[str, Any]) -> Kind | None:
    return Kind(row["kind"]) if "kind" in row else None


def _instant(moment: str | None) -> str | None:
    """A moment in RFC 3339; a date is its beginning."""
    return moment if moment is None or len(moment) > len("2026-11-22") else f"{moment}T00:00:00Z"


def _span(first: str | None, last: str | None) -> tuple[str | None, str | None]:
    """Both ends where one is stated: what was seen once was seen first and last then."""
    return first or last, last or first


def _grade(confidence: int | None, source_grade: str) -> str | None:
    return None if confidence is None else str(grades.at_most(confidence, source_grade[0]))
