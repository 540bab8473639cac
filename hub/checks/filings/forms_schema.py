"""The fields of a filing, as marshmallow schemas; what goes together is for ``forms``."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from marshmallow import ValidationError, fields, validate

from hub.checks.filings.records import INTELLIGENCE, KNOWN_FRAUD
from hub.documents.fields import BirthDate, Line, Moment, SocialSchema, Strict

VICTIM: Final = "impersonated-victim"
FALSE_IDENTITY: Final = "false-identity"
ROLES: Final = ("mule-account", "payee", "suspect", "beneficiary", "merchant", FALSE_IDENTITY, VICTIM)
# Case types that the anti-fraud organisations recognise beside the NFIB codes; the wording is the hub's own.
CASE_TYPES: Final = (
    "application-fraud", "identity-fraud", "facility-takeover", "misuse-of-facility", "asset-conversion",
    "false-insurance-claim", "insider-fraud",
)  # fmt: skip
UNRECOGNISED: Final = "90"
# The fourth pillar: the product was refused, withdrawn or ended because of the fraud.
ENDING_ACTIONS: Final = ("account-closed", "product-refused", "product-withdrawn", "product-ended", "customer-exited")
ACTIONS: Final = (
    *ENDING_ACTIONS, "account-restricted", "payment-stopped", "payment-returned", "reported-to-police", "monitored",
    "none",
)  # fmt: skip
PILLARS: Final = ("reasonable_grounds", "clear_evidence", "recognised_case_type", "product_refused_or_ended")
TLPS: Final = ("green", "amber", "amber+strict", "red")
_POINTER: Final = r"[A-Za-z0-9][A-Za-z0-9 ._/:#-]*"


class MemberId(fields.Field[str]):
    """A member's id. Not a line of text: the digits of an id can look like a card's."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        try:
            return str(UUID(value))
        except (TypeError, ValueError, AttributeError):
            raise ValidationError("must be a member's id") from None


class Day(fields.Field[str]):
    """A day, ``yyyy-mm-dd``, that may lie ahead."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        try:
            return date.fromisoformat(value).isoformat()
        except (TypeError, ValueError):
            raise ValidationError("must be a day such as 2027-05-31") from None


class FiledPersonSchema(Strict):
    """A person; a name alone is not enough."""

    name = Line(200, required=True)
    date_of_birth = BirthDate()
    postcode = Line(12)


class FiledPassportSchema(Strict):
    """A passport by its country (three letters of ICAO 9303) and number."""

    country = Line(3, required=True)
    number = Line(20, required=True)


class FiledSubjectSchema(Strict):
    """Everything by which the subject of one filing is known."""

    sort_code = Line(12)
    account_number = Line(34)
    iban = Line(50)
    phone = Line(40)
    email = Line(320)
    url = Line(4096)
    domain = Line(260)
    wallet = Line(150)
    company = Line(20)
    social = fields.Nested(SocialSchema)
    vehicle = Line(20)
    device = Line(150)
    person = fields.Nested(FiledPersonSchema)
    nino = Line(20)
    passport = fields.Nested(FiledPassportSchema)


class FiledPillarsSchema(Strict):
    """The four pillars of known fraud."""

    reasonable_grounds = fields.Boolean(truthy={True}, falsy={False})
    clear_evidence = fields.Boolean(truthy={True}, falsy={False})
    recognised_case_type = fields.Boolean(truthy={True}, falsy={False})
    product_refused_or_ended = fields.Boolean(truthy={True}, falsy={False})


class FilingSchema(Strict):
    """One whole filing."""

    purpose = Line(60, required=True)
    legal_gateway = Line(60, required=True)
    case_reference = Line(64, pattern=_POINTER, required=True)
    reference = Line(64, pattern=_POINTER, required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    tier = fields.String(required=True, validate=validate.OneOf((INTELLIGENCE, KNOWN_FRAUD)))
    category = Line(40, required=True)
    grade = Line(10, required=True)
    conditions = Line(500)
    evidence = Line(200, pattern=_POINTER)
    pillars = fields.Nested(FiledPillarsSchema)
    action = fields.String(validate=validate.OneOf(ACTIONS))
    tlp = fields.String(validate=validate.OneOf(TLPS))
    recipients = fields.List(MemberId())
    reported_at = Moment(required=True)
    first_seen = Moment()
    last_seen = Moment()
    valid_until = Day()
    subject = fields.Nested(FiledSubjectSchema, required=True)
