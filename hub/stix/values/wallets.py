"""Cryptocurrency addresses: their look. The check of their checksums is in ``chains``, loaded when needed."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Final

from hub.stix.values.kinds import Kind, Value, refusal

_BASE58: Final = "[1-9A-HJ-NP-Za-km-z]"
_BECH32: Final = "[02-9ac-hj-np-z]"
_ETHEREUM: Final = re.compile(r"0[xX][0-9a-fA-F]{40}")
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
# What the checksums can be tried on: Base58Check, SS58, Monero, SegWit of two chains, CashAddr.
_CHECKED: Final = re.compile(
    rf"{_BASE58}{{25,36}}|{_BASE58}{{46,49}}|[48]{_BASE58}{{94}}|4{_BASE58}{{105}}"
    rf"|(?:bc|ltc)1{_BECH32}{{11,71}}|(?:bitcoincash:)?[qp]{_BECH32}{{41}}",
)
_CHECKED_UPPER: Final = re.compile(r"(?:BC|LTC)1[02-9AC-HJ-NP-Z]{11,71}|(?:BITCOINCASH:)?[QP][02-9AC-HJ-NP-Z]{41}")
_PLAUSIBLE: Final = re.compile(r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{20,128}|0x[0-9a-f]{40,64}")


def recognise(text: str) -> Value | None:
    """Return the address of known form with a valid checksum that ``text`` is, or ``None``."""
    if _ETHEREUM.fullmatch(text):
        return _ethereum(text)
    if _CHECKED_UPPER.fullmatch(text):
        text = text.lower()
    if not _CHECKED.fullmatch(text):
        return None
    found: Value | None = import_module("hub.stix.values.chains").recognise(text)
    return found


def wallet_on(kind: Kind, raw: str) -> Value:
    """Return the address on the chain that ``kind`` names; its checksum has to hold.

    Ethereum's are lower case; one in mixed case has to be as EIP-55 writes it.
    """
    text = raw.strip()
    if kind is Kind.ETH and len(text) == 40 and _HEX.fullmatch(text):
        text = f"0x{text}"
    found = recognise(text)
    if found is not None and found.kind is Kind.BTC and kind is Kind.LTC and found.text.startswith("3"):
        # Litecoin's older script addresses look like Bitcoin's.
        return Value(Kind.LTC, found.text)
    if found is None or found.kind is not kind:
        raise refusal(raw, f"is not a valid {kind.value.upper()} address")
    return found


def wallet(raw: str) -> Value:
    """Return the address; of kind ``WALLET`` where its form does not tell the chain."""
    text = raw.strip()
    found = recognise(text)
    if found is not None:
        return found
    if _ETHEREUM.fullmatch(text):
        raise refusal(raw, "is not a wallet address: its capitals do not fit EIP-55")
    if text[:2] in {"0x", "0X"}:
        text = text.lower()
    if _HEX.fullmatch(text) or not _PLAUSIBLE.fullmatch(text):
        raise refusal(raw, "is not a wallet address")
    return Value(Kind.WALLET, text)


def _ethereum(text: str) -> Value | None:
    digits = text[2:]
    if digits != digits.lower() and digits != digits.upper():
        expected: str = import_module("hub.stix.values.chains").eip55(digits.lower())
        if digits != expected:
            return None
    return Value(Kind.ETH, f"0x{digits.lower()}")
