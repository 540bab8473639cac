"""What the checking service's codes are called on the pages."""

from __future__ import annotations

from typing import Final

from hub.checks.filings.forms_schema import CASE_TYPES
from hub.checks.filings.gateways import CHECKING_PURPOSES, TABLE, Gateway, Purpose
from hub.documents import nfib

Choices = list[tuple[str, str]]

PURPOSES: Final = {
    Purpose.PAYEE_CHECK: "Check a payee before a payment",
    Purpose.APPLICATION_CHECK: "Check an application",
    Purpose.CUSTOMER_REVIEW: "Review a customer",
    Purpose.FRAUD_PREVENTION: "Prevent fraud",
    Purpose.FRAUD_INVESTIGATION: "Investigate fraud",
    Purpose.CRIME_INVESTIGATION: "Investigate crime",
}
KINDS: Final = {
    "bank-account": "Sort code and account number",
    "iban": "IBAN",
    "phone": "Telephone number",
    "email": "E-mail address",
    "company": "Company number",
    "person": "Person",
    "wallet": "Wallet address",
    "btc": "Bitcoin address",
    "eth": "Ethereum address",
    "xmr": "Monero address",
    "ltc": "Litecoin address",
    "trx": "Tron address",
    "url": "Web address",
    "domain": "Domain name",
    "social-handle": "Social media account",
    "vehicle": "Vehicle registration",
    "device": "Device",
    "nino": "National Insurance number",
    "passport": "Passport",
}
ROLES: Final = {
    "mule-account": "Mule account",
    "payee": "Payee",
    "suspect": "Suspect",
    "beneficiary": "Beneficiary",
    "merchant": "Merchant",
    "false-identity": "False identity",
    "impersonated-victim": "Impersonated victim",
}
TIERS: Final = {"known_fraud": "Known fraud", "intelligence": "Intelligence", "protect": "Protected identity"}
ACTIONS: Final = {
    "none": "None yet",
    "account-closed": "Account closed",
    "product-refused": "Product refused",
    "product-withdrawn": "Product withdrawn",
    "product-ended": "Product ended",
    "customer-exited": "Customer exited",
    "account-restricted": "Account restricted",
    "payment-stopped": "Payment stopped",
    "payment-returned": "Payment returned",
    "reported-to-police": "Reported to the police",
    "monitored": "Monitored",
}
PILLARS: Final = {
    "reasonable_grounds": "There are reasonable grounds to believe that fraud was committed",
    "clear_evidence": "The evidence is clear, relevant and rigorous",
    "recognised_case_type": "It is a recognised case type",
    "product_refused_or_ended": "The product was refused, withdrawn or ended because of it",
}
OUTCOMES: Final = {
    "match": ("Match", "red"),
    "possible": ("Possible match", "yellow"),
    "no_match": ("No match", "grey"),
    "invalid": ("Not searched", "grey"),
    "not_searchable": ("Not searched", "grey"),
}
DECISIONS: Final = {
    "proceeded": "Went ahead",
    "declined": "Declined",
    "referred": "Referred to somebody else",
    "reported": "Reported",
    "none": "Nothing decided",
}
STATES: Final = {
    "pending": "yellow",
    "live": "green",
    "disputed": "orange",
    "withdrawn": "grey",
    "expired": "grey",
    "refused": "red",
}
EVENTS: Final = {
    "file": "Filed",
    "amend": "Amended",
    "approve": "Approved",
    "refuse": "Refused",
    "dispute": "Disputed",
    "end-dispute": "Dispute ended",
    "withdraw": "Withdrawn",
    "expire": "Expired",
}
STATUS: Final = {
    "live": "Still stands",
    "disputed": "Disputed since: do not rely on it until that is settled",
    "expired": "Stands no longer",
}
HANDLING: Final = {"P": "May be used lawfully", "C": "Ask the owner for its conditions first, with the contact token"}
CHANNELS: Final = {"api": "API", "job": "File", "console": "Console"}
# Source and intelligence of the police 3x5x2 grade.
_SOURCE: Final = {"1": "a reliable source", "2": "an untested source", "3": "a source that is not reliable"}
_INTELLIGENCE: Final = {
    "A": "known directly",
    "B": "known indirectly but corroborated",
    "C": "known indirectly",
    "D": "not known",
    "E": "suspected to be false",
}
# STIX 2.1 appendix A, "None / Low / Med / High".
_BANDS: Final = ((70, "High"), (30, "Medium"), (1, "Low"), (0, "None"))


def gateways(member_kind: str, *, filing: bool) -> Choices:
    """The legal gateways that are open to a kind of member, with their laws."""
    needed = frozenset(Purpose) - CHECKING_PURPOSES if filing else frozenset(Purpose)
    return [
        (one.value, rule.law) for one, rule in TABLE.items() if member_kind in rule.kinds and rule.purposes & needed
    ]


def purposes(member_kind: str, *, filing: bool) -> Choices:
    """The purposes that a gateway of this kind of member covers."""
    covered = {purpose for rule in TABLE.values() if member_kind in rule.kinds for purpose in rule.purposes}
    return [
        (one.value, said) for one, said in PURPOSES.items()
        if one in covered and not (filing and one in CHECKING_PURPOSES)
    ]  # fmt: skip


def law(gateway: str) -> str:
    """The law that a gateway is."""
    return TABLE[Gateway(gateway)].law


def categories() -> Choices:
    """Case types and the codes of the NFIB, to choose from."""
    codes = [(one.code, f"{one.code}: {one.title}") for one in nfib.table().codes.values()]
    return [*((one, _spoken(one)) for one in CASE_TYPES), *codes]


def category(code: str | None) -> str:
    """A category in words; what labels of indicators say stands as it is."""
    if not code:
        return "Not stated"
    found = nfib.table().codes.get(code)
    return f"{found.title} ({code})" if found is not None else _spoken(code)


def grade(text: str | None) -> str:
    """A 3x5x2 grade in words: "1B: a reliable source, known indirectly but corroborated"."""
    if not text or len(text) < 2:
        return "Not stated"
    return f"{text}: {_SOURCE.get(text[0], '')}, {_INTELLIGENCE.get(text[1], '')}"


def confidence(number: int | None) -> str:
    """A confidence as its band with the number."""
    if number is None:
        return "Not stated"
    return f"{next(word for least, word in _BANDS if number >= least)} ({number} of 100)"


def sources(band: str | None) -> str:
    """A band of independent sources in words."""
    return {"1": "1 other organisation", "2": "2 others", "3-5": "3 to 5 others", "6+": "6 or more others"}.get(
        band or "", "–"
    )


def _spoken(slug: str) -> str:
    return slug.replace("-", " ").capitalize()
