"""The fields of a filing as a form of the console: names as the columns of the CSV form, ``subject_person_name``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.checks.filings.forms_schema import PILLARS
from hub.console.furniture import Form
from hub.documents.faults import Fault


@dataclass(frozen=True, slots=True)
class Field:
    """A line of an identifier: its name in the form, what it is called, and how it is written."""

    name: str
    label: str
    hint: str = ""


# The identifiers that a filing may be about, each with its fields.
IDENTIFIERS: Final[dict[str, tuple[str, tuple[Field, ...]]]] = {
    "bank-account": (
        "Bank account",
        (
            Field("subject_sort_code", "Sort code", "Such as 20-20-15"),
            Field("subject_account_number", "Account number"),
        ),
    ),
    "iban": ("IBAN", (Field("subject_iban", "IBAN", "A British one also answers for its sort code and account"),)),
    "phone": ("Telephone number", (Field("subject_phone", "Telephone number"),)),
    "email": ("E-mail address", (Field("subject_email", "E-mail address"),)),
    "url": ("Web address", (Field("subject_url", "Web address"),)),
    "domain": ("Domain name", (Field("subject_domain", "Domain name"),)),
    "wallet": ("Wallet", (Field("subject_wallet", "Wallet address"),)),
    "company": ("Company", (Field("subject_company", "Company number", "As at Companies House, such as 01234567"),)),
    "social": (
        "Social media account",
        (
            Field("subject_social_platform", "Platform", "Such as telegram"),
            Field("subject_social_handle", "Name there"),
        ),
    ),
    "vehicle": ("Vehicle", (Field("subject_vehicle", "Registration mark"),)),
    "device": ("Device", (Field("subject_device", "Device", "imei:…, fingerprint:…, android-id:…, idfa:…, mac:…"),)),
    "person": (
        "Person (for checking only)",
        (
            Field("subject_person_name", "Name", "With a date of birth or a postcode: a name alone is not enough"),
            Field("subject_person_date_of_birth", "Date of birth", "Such as 1980-02-29"),
            Field("subject_person_postcode", "Postcode"),
        ),
    ),
    "nino": ("National Insurance number (for checking only)", (Field("subject_nino", "National Insurance number"),)),
    "passport": (
        "Passport (for checking only)",
        (
            Field("subject_passport_country", "Country", "Three letters, such as GBR"),
            Field("subject_passport_number", "Passport number"),
        ),
    ),
}
_NESTED: Final = ("subject_social", "subject_person", "subject_passport", "subject")
SUBJECT: Final = tuple(field.name for _, fields in IDENTIFIERS.values() for field in fields)
PLAIN: Final = (
    "purpose", "legal_gateway", "case_reference", "reference", "role", "tier", "category", "grade", "conditions",
    "evidence", "action", "tlp", "reported_at", "first_seen", "last_seen", "valid_until",
)  # fmt: skip
# What is said where a field that every filing has is empty.
MISSING: Final = {
    "purpose": "Choose a purpose", "legal_gateway": "Choose the law that it rests on",
    "case_reference": "Enter your case reference", "reference": "Enter your reference", "role": "Choose what it is",
    "tier": "Choose how sure it is", "category": "Choose a category", "grade": "Choose a grade",
    "reported_at": "Enter the day when it was reported",
}  # fmt: skip
ALL: Final = (*PLAIN, *SUBJECT, "recipients", "pillars")


def document(form: Form) -> dict[str, Any]:
    """The document of a filing that a form sent; empty fields are left out."""
    for name in ALL:
        form.values.setdefault(name, "")
    made: dict[str, Any] = {"subject": {}}
    for name in (*PLAIN, *SUBJECT):
        if text := form.text(name, MISSING.get(name, ""), most=4096):
            holder = made
            for part in _place(name)[:-1]:
                holder = holder.setdefault(part, {})
            holder[_place(name)[-1]] = text
    if recipients := form.text("recipients", most=4096).split():
        made["recipients"] = recipients
    stated = set(form.chosen("pillars"))
    if made.get("tier") == "known_fraud" or stated & set(PILLARS):
        made["pillars"] = {name: name in stated for name in PILLARS}
    return made


def filled(kept: Mapping[str, Any]) -> Form:
    """The form of a filing's document, to be amended."""
    values: dict[str, Any] = {**dict.fromkeys(ALL, ""), **flat(kept)}
    values["recipients"] = " ".join(kept.get("recipients", ()))
    values["pillars"] = [name for name, stated in kept.get("pillars", {}).items() if stated]
    return Form(**values)


def flat(kept: Mapping[str, Any]) -> dict[str, str]:
    """The lines of a filing's document by the names of the form, "" for what it does not say."""
    values = {}
    for name in (*PLAIN, *SUBJECT):
        found: Any = kept
        for part in _place(name):
            found = found.get(part, "") if isinstance(found, Mapping) else ""
        values[name] = str(found)
    return values


def lines(kept: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whom a filing's document is about: (what it is called, its text)."""
    values = flat(kept)
    known = (field for _, fields in IDENTIFIERS.values() for field in fields)
    return [(field.label, values[field.name]) for field in known if values[field.name]]


def refuse(form: Form, faults: list[Fault]) -> None:
    """Put the faults of a filing to the fields that they are about; some are about the filing as a whole."""
    for fault in faults:
        name = fault.where.replace(".", "_").partition("[")[0]
        name = "pillars" if name.startswith("pillars") else name
        place = next((one for one in ALL if one == name or one.startswith(f"{name}_")), "")
        text = fault.message[:1].upper() + fault.message[1:]
        if text.startswith("Missing data"):  # marshmallow's own words, of a part of a person, passport or account
            text = "Enter the other parts of it too"
        form.refuse(place, text)


def used(values: Mapping[str, Any]) -> list[str]:
    """The identifiers of which a form holds anything."""
    return [name for name, (_, fields) in IDENTIFIERS.items() if any(values.get(one.name) for one in fields)]


def _place(name: str) -> tuple[str, ...]:
    """``subject_person_name`` as ("subject", "person", "name")."""
    for prefix in _NESTED:
        if name.startswith(f"{prefix}_"):
            return (*prefix.split("_"), name.removeprefix(f"{prefix}_"))
    return (name,)
