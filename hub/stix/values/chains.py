"""Checksums of cryptocurrency addresses. Slow to import: only ``wallets`` loads it, once one is met."""

from __future__ import annotations

from typing import Final

from bip_utils import (
    Base58Alphabets,
    Base58ChecksumError,
    Base58Decoder,
    Base58XmrDecoder,
    BchBech32Decoder,
    Bech32ChecksumError,
    Kekkak256,
    SegwitBech32Decoder,
    SS58ChecksumError,
    SS58Decoder,
)

from hub.stix.values.kinds import Kind, Value

_FAULTS: Final = (ValueError, Base58ChecksumError, Bech32ChecksumError, SS58ChecksumError)
# First byte of a Base58Check address: P2PKH and P2SH of Bitcoin and Litecoin, and Tron's.
_VERSIONS: Final = {0x00: Kind.BTC, 0x05: Kind.BTC, 0x30: Kind.LTC, 0x32: Kind.LTC, 0x41: Kind.TRX}
_SEGWIT: Final = {"bc": Kind.BTC, "ltc": Kind.LTC}
# Monero's standard, integrated and sub-addresses, with their lengths in bytes.
_MONERO: Final = {18: 69, 19: 77, 42: 69}


def recognise(text: str) -> Value | None:
    """Return the address with a valid checksum that ``text`` is, or ``None``.

    Base58Check, SS58 and CashAddr addresses of chains that are not told apart are ``WALLET``.
    """
    for read in (_segwit, _cashaddr, _monero, _base58check, _ripple, _ss58):
        try:
            found = read(text)
        except _FAULTS:
            continue
        if found is not None:
            return found
    return None


def eip55(digits: str) -> str:
    """Return 40 lower-case hexadecimal digits with the capitals that are their checksum (EIP-55)."""
    digest = Kekkak256.QuickDigest(digits.encode()).hex()
    return "".join(
        digit.upper() if int(nibble, 16) >= 8 else digit for digit, nibble in zip(digits, digest, strict=False)
    )


def _segwit(text: str) -> Value | None:
    prefix, separator, _ = text.partition("1")
    if not separator or prefix not in _SEGWIT:
        return None
    SegwitBech32Decoder.Decode(prefix, text)
    return Value(_SEGWIT[prefix], text)


def _cashaddr(text: str) -> Value | None:
    address = text.removeprefix("bitcoincash:")
    if len(address) != 42:
        return None
    BchBech32Decoder.Decode("bitcoincash", f"bitcoincash:{address}")
    return Value(Kind.WALLET, address)


def _monero(text: str) -> Value | None:
    if len(text) not in {95, 106}:
        return None
    decoded = Base58XmrDecoder.Decode(text)
    holds = Kekkak256.QuickDigest(decoded[:-4])[:4] == decoded[-4:]
    return Value(Kind.XMR, text) if holds and _MONERO.get(decoded[0]) == len(decoded) else None


def _base58check(text: str) -> Value | None:
    if len(text) > 36:
        return None
    payload = Base58Decoder.CheckDecode(text)
    if len(payload) == 21:
        return Value(_VERSIONS.get(payload[0], Kind.WALLET), text)
    return Value(Kind.WALLET, text) if len(payload) == 22 else None  # Zcash has two bytes of version


def _ripple(text: str) -> Value | None:
    if not text.startswith("r") or len(text) > 36:
        return None
    payload = Base58Decoder.CheckDecode(text, Base58Alphabets.RIPPLE)
    return Value(Kind.WALLET, text) if len(payload) == 21 and payload[0] == 0 else None


def _ss58(text: str) -> Value | None:
    if not 46 <= len(text) <= 49:
        return None
    SS58Decoder.Decode(text)
    return Value(Kind.WALLET, text)
