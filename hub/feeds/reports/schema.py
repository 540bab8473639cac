"""The fraud report as partners send it: five sections, every field bounded, nothing unknown let in.

``{"report": {…}, "loss": {…}, "payments": […], "suspects": […], "victim": {…}}``; only ``report`` is
required. A malformed identifier (an IBAN with a typo) is no fault of the report: the intake refuses that
value alone and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from hub.documents import grade, nfib
from hub.documents.faults import Fault, InvalidReport, flattened
from hub.documents.fields import Amount, BirthDate, Line, Moment, SocialSchema, Strict, Text
from hub.documents.table import Misshapen
from hub.errors import InvalidInput
from hub.feeds.reports import currency
from hub.feeds.reports.report import Report, from_sections

BATCH_LIMIT = 1_000
SUSPECT_LIMIT = 50
PAYMENT_LIMIT = 100
NARRATIVE_LIMIT = 20_000

# What partners call a file beside the report; nothing here keeps one.
_ATTACHED = frozenset({"attachment", "attachments", "file", "files", "documents", "images", "screenshots"})

KINDS = ("crime", "information")
REPORTER_KINDS = ("victim", "business", "third_party")
_CHANNELS_TEXT = """
phone text_message email website social_media messaging_app dating_app advert letter in_person other
"""
CHANNELS = tuple(_CHANNELS_TEXT.split())
_METHODS_TEXT = """
faster_payment chaps bank_transfer card cash crypto gift_card cheque money_service other
"""
METHODS = tuple(_METHODS_TEXT.split())
AGE_BANDS = ("0-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75-84", "85+", "unknown")


def _one_of(*choices: str, required: bool = False) -> fields.String:
    return fields.String(required=required, validate=validate.OneOf(choices))


class CompanySchema(Strict):
    """A company by name, number in its register, or both."""

    name = Line(200)
    number = Line(20)


class BeneficiarySchema(Strict):
    """Where money went."""

    name = Line(200)
    sort_code = Line(12)
    account_number = Line(34)
    iban = Line(50)
    wallet = Line(150)


class PaymentSchema(Strict):
    """A payment that the victim made or was asked for."""

    method = _one_of(*METHODS, required=True)
    amount = Amount(required=True)
    currency = fields.String(validate=validate.OneOf(currency.CODES, error="not an ISO 4217 currency code"))
    date = Moment()
    beneficiary = fields.Nested(BeneficiarySchema)


class SuspectSchema(Strict):
    """Whatever is known of one suspect."""

    name = Line(200)
    alias = Line(200)
    date_of_birth = BirthDate()
    address = Line(500)
    phone = Line(40)
    email = Line(320)
    url = Line(4096)
    social = fields.Nested(SocialSchema)
    company = fields.Nested(CompanySchema)
    sort_code = Line(12)
    account_number = Line(34)
    iban = Line(50)
    wallet = Line(150)
    vehicle = Line(20)


class VictimSchema(Strict):
    """Never leaves the hub; see ``Report.protected``."""

    name = Line(200)
    date_of_birth = BirthDate()
    address = Line(500)
    postcode = Line(12)
    phone = Line(40)
    email = Line(320)
    sort_code = Line(12)
    account_number = Line(34)
    iban = Line(50)
    wallet = Line(150)
    age_band = _one_of(*AGE_BANDS)
    vulnerability = Text(1_000)
    support_consent = fields.Boolean(truthy={True}, falsy={False})


class LossSchema(Strict):
    """What was asked for, lost and got back, in one currency."""

    attempted = Amount()
    lost = Amount()
    recovered = Amount()
    currency = fields.String(
        required=True, validate=validate.OneOf(currency.CODES, error="not an ISO 4217 currency code")
    )

    @validates_schema
    def _recovered_is_part_of_lost(self, loss: Mapping[str, Any], **_: Any) -> None:
        if Decimal(loss.get("recovered", "0")) > Decimal(loss.get("lost", loss.get("recovered", "0"))):
            raise ValidationError("more cannot be recovered than was lost", "recovered")


class HeadSchema(Strict):
    """The section called ``report``."""

    reference = Line(64, pattern=r"[A-Za-z0-9][A-Za-z0-9 ._/:-]*", required=True)
    kind = _one_of(*KINDS, required=True)
    reporter_kind = _one_of(*REPORTER_KINDS, required=True)
    reported_at = Moment(required=True)
    first_incident = Moment()
    last_incident = Moment()
    nfib_code = fields.String(required=True)
    contact_channel = _one_of(*CHANNELS)
    platform = Line(100)
    narrative = Text(NARRATIVE_LIMIT)
    grade = fields.String()
    conditions = Line(500)

    @validates_schema
    def _known_code_and_grade(self, head: Mapping[str, Any], **_: Any) -> None:
        for name, understood in (("nfib_code", nfib.code), ("grade", grade.parse)):
            try:
                understood(head[name]) if name in head else None
            except InvalidInput as error:
                raise ValidationError(f"{error.message}. {error.advice or ''}".strip(), name) from None

    @validates_schema
    def _conditions_need_their_handling(self, head: Mapping[str, Any], **_: Any) -> None:
        conditional = head.get("grade", "").strip().upper().endswith("C") and len(head["grade"].strip()) > 2
        if conditional and "conditions" not in head:
            raise ValidationError("handling C needs the conditions stated", "conditions")
        if "conditions" in head and not conditional:
            raise ValidationError("conditions go with a grade whose handling is C, such as 2B:C", "conditions")

    @validates_schema
    def _incidents_in_order(self, head: Mapping[str, Any], **_: Any) -> None:
        first, last = head.get("first_incident"), head.get("last_incident")
        if first and last and first[:10] > last[:10]:
            raise ValidationError("must not lie before first_incident", "last_incident")
        if first and first[:10] > head["reported_at"][:10]:
            raise ValidationError("must not lie after reported_at", "first_incident")


class ReportSchema(Strict):
    """One whole report."""

    report = fields.Nested(HeadSchema, required=True)
    loss = fields.Nested(LossSchema)
    payments = fields.List(fields.Nested(PaymentSchema))
    suspects = fields.List(fields.Nested(SuspectSchema))
    victim = fields.Nested(VictimSchema)


_SCHEMA = ReportSchema()


def load_report(document: Mapping[str, Any] | Misshapen, where: str = "") -> Report:
    """One report from its JSON document; ``where`` is its place in a batch ("reports[3]").

    Raises InvalidReport with every fault found (at most 100), none of which repeats a value.
    """
    prefix = f"{where}." if where else ""
    if not isinstance(document, Mapping):
        fault = document.fault if isinstance(document, Misshapen) else "must be a JSON object"
        raise InvalidReport([Fault(where or "report", fault)])
    for name, limit in (("suspects", SUSPECT_LIMIT), ("payments", PAYMENT_LIMIT)):
        entries = document.get(name)
        if isinstance(entries, list) and len(entries) > limit:
            raise InvalidReport([Fault(prefix + name, f"must not hold more than {limit} entries")])
    try:
        sections = _SCHEMA.load(document)
    except ValidationError as error:
        raise InvalidReport([_clear(fault) for fault in flattened(error.messages, where)]) from None
    return from_sections(sections, where)


def _clear(fault: Fault) -> Fault:
    """The fault; of a file that was sent along, what to do instead."""
    if fault.where.rpartition(".")[2] not in _ATTACHED:
        return fault
    return Fault(fault.where, "attachments are not taken; keep the file and tell what it shows in the narrative")


def parts(document: Any) -> list[tuple[str, Any]]:
    """The reports of a document, each with its place: one report, a list or ``{"reports": […]}``.

    Raises InvalidReport for an empty batch or one of over 1,000.
    """
    if isinstance(document, Mapping) and "reports" in document:
        if set(document) != {"reports"}:
            raise InvalidReport([Fault("reports", "a batch holds nothing beside reports")])
        document = document["reports"]
        if not isinstance(document, list):
            raise InvalidReport([Fault("reports", "must be a list")])
    if not isinstance(document, list):
        return [("", document)]
    if not 1 <= len(document) <= BATCH_LIMIT:
        raise InvalidReport([Fault("reports", f"must hold 1 to {BATCH_LIMIT} reports")])
    return [(f"reports[{index}]", entry) for index, entry in enumerate(document)]


def load_batch(document: Any) -> list[Report]:
    """All reports of a document, or InvalidReport with the faults of all of them."""
    reports: list[Report] = []
    faults: list[Fault] = []
    for where, entry in parts(document):
        try:
            reports.append(load_report(entry, where))
        except InvalidReport as error:
            faults += error.faults
    if faults:
        raise InvalidReport(faults)
    return reports
