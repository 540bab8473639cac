"""Recognising the victim's own data wherever else in a report it turns up.

A report is written by people: the victim's number lands among the suspect's, the narrative quotes an
e-mail address, a phishing link carries it. None of that may leave the hub or become an indicator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote

from hub.errors import InvalidInput
from hub.stix.refang import refang
from hub.stix.values import Kind, Value, canonical, sort_code_account_of

# Shorter texts ("Ann", "N1") stand inside too many others to be told apart.
_SHORTEST = 5
_PHONE_TAIL = 9
_ACCOUNT_DIGITS = 8
_NOT_A_WORD = re.compile(r"[\W_]+")
_IDENTITY = (
    "name",
    "date_of_birth",
    "address",
    "postcode",
    "phone",
    "email",
    "account_number",
    "iban",
    "wallet",
)
_KINDS = {"phone": Kind.PHONE, "email": Kind.EMAIL, "iban": Kind.IBAN, "wallet": Kind.WALLET}


class VictimData:
    """What a victim section holds, ready to be compared with any other text."""

    def __init__(self, victim: Mapping[str, Any]) -> None:
        self._traces = frozenset(_traces(victim))
        self._values = frozenset(_values(victim))

    def touches(self, text: str) -> bool:
        """Whether ``text`` holds any of the victim's data, however it is spaced, encoded or defanged."""
        if not self._traces:
            return False
        plain, decoded = _squeezed(refang(text)), _squeezed(unquote(unquote(text)))
        return any(trace in plain or trace in decoded for trace in self._traces)

    def owns(self, value: Value) -> bool:
        """Whether a canonical value is one of the victim's own."""
        return value in self._values


def _squeezed(text: str) -> str:
    return _NOT_A_WORD.sub("", text.casefold())


def _traces(victim: Mapping[str, Any]) -> Iterator[str]:
    for name in _IDENTITY:
        trace = _squeezed(victim.get(name, ""))
        if name == "phone":
            trace = trace[-_PHONE_TAIL:]  # the same with and without the country's code
        if name == "iban" and trace.startswith("gb"):
            yield trace[-_ACCOUNT_DIGITS:]
        if len(trace) >= _SHORTEST:
            yield trace


def _values(victim: Mapping[str, Any]) -> Iterator[Value]:
    stated = [(kind, victim[name]) for name, kind in _KINDS.items() if name in victim]
    if "sort_code" in victim and "account_number" in victim:
        stated.append((Kind.BANK_ACCOUNT, f"{victim['sort_code']} {victim['account_number']}"))
    for kind, raw in stated:
        try:
            value = canonical(kind, raw)
        except InvalidInput:
            continue
        yield value
        if account := sort_code_account_of(value):
            yield account


@cache
def nobody() -> VictimData:
    """The data of a report without a victim section."""
    return VictimData({})
