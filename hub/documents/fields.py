"""The kinds of field that a report or a filing is made of: bounded lines and texts, moments, amounts, names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

from hub import clock
from hub.stix import cards

CARD_REFUSED = "this may be a payment card number, which must not be sent; leave it out"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_AMOUNT = re.compile(r"\d{1,12}(?:\.\d{1,4})?")
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_OLDEST_BIRTH = date(1900, 1, 1)


class Strict(Schema):
    """A section that knows all its fields."""

    class Meta:
        unknown = RAISE


class Line(fields.String):
    """One line of at most ``limit`` characters, trimmed; a payment card number is an error."""

    def __init__(self, limit: int, pattern: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.limit = limit
        self.pattern = re.compile(pattern) if pattern else None

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kw: Any) -> str:
        line: str = super()._deserialize(value, attr, data, **kw).strip()
        if not line:
            raise ValidationError("must not be empty; leave the field out instead")
        if len(line) > self.limit:
            raise ValidationError(f"must not be longer than {self.limit} characters")
        if _CONTROL.search(line):
            raise ValidationError("must be one line without control characters")
        if cards.contains_card(line):
            raise ValidationError(CARD_REFUSED)
        if self.pattern and not self.pattern.fullmatch(line):
            raise ValidationError("holds characters that are not allowed here")
        return line


class Text(fields.String):
    """Several lines of at most ``limit`` characters; payment card numbers in it are redacted."""

    def __init__(self, limit: int, **options: Any) -> None:
        super().__init__(**options)
        self.limit = limit

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kw: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kw)
        if len(text) > self.limit:
            raise ValidationError(f"must not be longer than {self.limit} characters")
        if _UNPRINTABLE.search(text):
            raise ValidationError("must not hold control characters")
        return cards.redact_cards(text)


class Moment(fields.Field[str]):
    """A date, or a date and time with its zone, in ISO 8601; kept as RFC 3339 in UTC or as a date.

    Between 1970 and tomorrow: a report tells what has happened.
    """

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str) or len(value) > 40:
            raise ValidationError("must be a date such as 2026-11-02 or 2026-11-02T09:30:00Z")
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValidationError("must be a date such as 2026-11-02 or 2026-11-02T09:30:00Z") from None
        whole_day = len(value) <= 10
        if moment.tzinfo is None and not whole_day:
            raise ValidationError("a time needs its zone, for example Z or +01:00")
        aware = moment.replace(tzinfo=UTC) if whole_day else moment
        if not _EARLIEST <= aware <= clock.now() + timedelta(days=1):
            raise ValidationError("must lie between 1970 and today")
        return aware.strftime("%Y-%m-%d") if whole_day else _utc(aware)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class BirthDate(fields.Field[str]):
    """A date of birth, ``yyyy-mm-dd``, from 1900 to today."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        try:
            born = date.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            born = None
        if born is None or not _OLDEST_BIRTH <= born <= clock.now().date():
            raise ValidationError("must be a date of birth such as 1980-02-29")
        return born.isoformat()


class Amount(fields.Field[str]):
    """A sum of money as a decimal string, for example ``"1250.00"``; never a JSON number."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
            raise ValidationError('must be a decimal string such as "1250.00"')
        return value


class SocialSchema(Strict):
    """A name on a platform."""

    platform = Line(50, required=True)
    handle = Line(200, required=True)
