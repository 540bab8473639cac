"""The legal gateways: on which law something may be filed or checked, for which purposes, by which kinds of member.

One table answers every question of the form "may this member share this for that purpose"; what is filed and
what is searched keep the answer with them. It states the hub's own rule and is not legal advice: each member
answers for its own basis.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.errors import InvalidInput


class Purpose(StrEnum):
    """What a filing or a search is for."""

    FRAUD_PREVENTION = "fraud-prevention"
    FRAUD_INVESTIGATION = "fraud-investigation"
    CRIME_INVESTIGATION = "crime-investigation"
    APPLICATION_CHECK = "application-check"
    PAYEE_CHECK = "payee-check"
    CUSTOMER_REVIEW = "customer-review"


# What somebody who searches does with one answer; a filing is never made for these.
CHECKING_PURPOSES: Final = frozenset({Purpose.APPLICATION_CHECK, Purpose.PAYEE_CHECK, Purpose.CUSTOMER_REVIEW})


class Gateway(StrEnum):
    """The law that something is shared under."""

    SCA_2007_S68 = "serious-crime-act-2007-s68"
    CCA_2013_S7 = "crime-and-courts-act-2013-s7"
    ECCTA_2023_S188 = "eccta-2023-s188"
    ECCTA_2023_S189 = "eccta-2023-s189"
    DPA_2018_SCH1_P14 = "dpa-2018-sch1-para14"
    DPA_2018_SCH2_P2 = "dpa-2018-sch2-para2"


@dataclass(frozen=True, slots=True)
class Rule:
    """What one gateway is good for. ``actions``: one of these has to have been taken where something is filed."""

    law: str
    purposes: frozenset[Purpose]
    kinds: frozenset[str]
    note: str
    actions: frozenset[str] = frozenset()


_REGULATED: Final = frozenset({"bank", "payments"})
_PRIVATE: Final = _REGULATED | {"telco", "insurer"}
_PUBLIC: Final = frozenset({"law-enforcement", "report-fraud", "government", "cert", "hub"})
_FRAUD: Final = frozenset({Purpose.FRAUD_PREVENTION, Purpose.FRAUD_INVESTIGATION}) | CHECKING_PURPOSES
_CRIME: Final = frozenset({Purpose.FRAUD_PREVENTION, Purpose.FRAUD_INVESTIGATION, Purpose.CRIME_INVESTIGATION})
# "Exited, refused or restricted": what makes a customer one whose data sections 188 and 189 let pass.
SAFEGUARDS: Final = frozenset(
    {
        "account-closed", "account-restricted", "product-refused", "product-withdrawn", "product-ended",
        "customer-exited",
    }
)  # fmt: skip

TABLE: Final[dict[Gateway, Rule]] = {
    Gateway.SCA_2007_S68: Rule(
        "Serious Crime Act 2007, section 68", _FRAUD, _PRIVATE | _PUBLIC,
        "To prevent fraud, as a member of a specified anti-fraud organisation or under its arrangements.",
    ),
    Gateway.CCA_2013_S7: Rule(
        "Crime and Courts Act 2013, section 7", _CRIME, _PRIVATE | _PUBLIC,
        "To or from the National Crime Agency; what comes from HMRC needs its consent to be passed on.",
    ),
    Gateway.ECCTA_2023_S188: Rule(
        "Economic Crime and Corporate Transparency Act 2023, section 188", _FRAUD, _REGULATED,
        "Directly between relevant businesses, about a customer exited, refused or restricted.", SAFEGUARDS,
    ),
    Gateway.ECCTA_2023_S189: Rule(
        "Economic Crime and Corporate Transparency Act 2023, section 189", _FRAUD, _REGULATED,
        "Through a third party such as the hub, about a customer exited, refused or restricted.", SAFEGUARDS,
    ),
    Gateway.DPA_2018_SCH1_P14: Rule(
        "Data Protection Act 2018, schedule 1, paragraph 14", _FRAUD, _PRIVATE | _PUBLIC,
        "To prevent fraud, as a member of an anti-fraud organisation or under its arrangements.",
    ),
    Gateway.DPA_2018_SCH2_P2: Rule(
        "Data Protection Act 2018, schedule 2, paragraph 2", _CRIME | CHECKING_PURPOSES, _PRIVATE | _PUBLIC,
        "To prevent or detect crime, where the usual notice would be likely to prejudice that.",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Basis:
    """Why something is shared: what is stored with every filing and every search."""

    purpose: Purpose
    gateway: Gateway


def basis(purpose: str, gateway: str, member_kind: str, *, filing: bool, action: str = "") -> Basis:
    """The basis that the texts name. ``filing``: something is filed, after ``action``; otherwise it is a search.

    Raises InvalidInput at "purpose", "legal_gateway" or "action" where there is no such thing, where the law does
    not cover the purpose or is not one for this kind of member.
    """
    meant = _purpose(purpose, filing=filing)
    if gateway not in set(Gateway):
        raise InvalidInput("is not a legal gateway", where="legal_gateway", advice=_one_of(Gateway))
    rule = TABLE[law := Gateway(gateway)]
    if member_kind not in rule.kinds:
        possible = [one for one in Gateway if member_kind in TABLE[one].kinds and meant in TABLE[one].purposes]
        advice = _one_of(possible) if possible else "Ask the hub which basis your organisation has."
        raise InvalidInput(f"{law} is not for a member of the kind {member_kind}", where="legal_gateway", advice=advice)
    if meant not in rule.purposes:
        raise InvalidInput(f"{law} does not cover {meant}", where="purpose", advice=_one_of(rule.purposes))
    if filing and rule.actions and action not in rule.actions:
        raise InvalidInput(
            f"{law} asks for a customer who was exited, refused or restricted", where="action",
            advice=_one_of(rule.actions),
        )  # fmt: skip
    return Basis(meant, law)


def _purpose(text: str, *, filing: bool) -> Purpose:
    known = [one for one in Purpose if not (filing and one in CHECKING_PURPOSES)]
    if text not in known:
        raise InvalidInput(
            f"is not a purpose to {'file' if filing else 'check'} for", where="purpose", advice=_one_of(known)
        )
    return Purpose(text)


def _one_of(known: Iterable[str]) -> str:
    return "It is one of " + ", ".join(sorted(known)) + "."
