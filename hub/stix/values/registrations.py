"""Names that a register or a platform gave: companies, vehicles, accounts of social media, user agents."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from hub.stix.cards import contains_card
from hub.stix.values.kinds import Kind, Value, refusal

# Companies House: the letters of a company number tell jurisdiction and legal form.
_PREFIXES: Final = (
    "AC|BR|CE|CN|CS|ES|FC|FE|GE|GN|GS|IC|IP|LP|NA|NC|NF|NI|NL|NO|NP|NR|NV|NZ|OC|OE|PC|RC|RS|SA|SC|SE|SF|SG"
    "|SI|SL|SO|SP|SR|SZ|ZC"
)
_COMPANY: Final = re.compile(rf"()([0-9]{{1,8}})|({_PREFIXES})([0-9]{{1,6}})|(R)([0-9]{{1,7}})")
_SOCIETY: Final = re.compile(r"(?:IP|SP|NP|NO)[0-9]{5}R")  # registered societies with a trailing R
_VEHICLE: Final = re.compile(r"(?=[0-9]*[A-Z])[A-Z0-9]{2,10}")
_PLATFORM: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_MAX_HANDLE: Final = 128
_MAX_USER_AGENT: Final = 2048


def company(raw: str) -> Value:
    """Return a UK company number as Companies House writes it: upper case, 8 characters."""
    text = re.sub(r"\s", "", raw)
    text = text.upper() if text.isascii() else ""
    if _SOCIETY.fullmatch(text):
        return Value(Kind.COMPANY, text)
    match = _COMPANY.fullmatch(text)
    if match is None or not int(match.group(match.lastindex or 0)):
        raise refusal(raw, "is not a company number of Companies House")
    prefix, number = (part for part in match.groups() if part is not None)
    return Value(Kind.COMPANY, prefix + number.zfill(8 - len(prefix)))


def vehicle(raw: str) -> Value:
    """Return a vehicle registration mark in upper case without blanks and dashes."""
    text = re.sub(r"[\s.-]", "", raw)
    text = text.upper() if text.isascii() else ""
    if not _VEHICLE.fullmatch(text):
        raise refusal(raw, "is not a vehicle registration")
    return Value(Kind.VEHICLE, text)


def social_handle(raw: str) -> Value:
    """Return ``platform:handle`` in folded case, without the @ before the handle."""
    platform, colon, handle = _folded(raw).partition(":")
    platform, handle = platform.strip(), handle.strip().lstrip("@")
    if not colon or not _PLATFORM.fullmatch(platform):
        raise refusal(
            raw, "does not name its platform", advice="Write the platform before the handle, as telegram:bob."
        )
    if not handle or len(handle) > _MAX_HANDLE or not handle.isprintable() or " " in handle:
        raise refusal(raw, "is not an account name")
    _refuse_card(raw, handle)
    return Value(Kind.SOCIAL_HANDLE, f"{platform}:{handle}")


def user_agent(raw: str) -> Value:
    """Return a User-Agent field value without the blanks around it."""
    text = raw.strip()
    if not text or len(text) > _MAX_USER_AGENT or not text.isprintable():
        raise refusal(raw, "is not a user agent")
    _refuse_card(raw, text)
    return Value(Kind.USER_AGENT, text)


def _folded(raw: str) -> str:
    """Fold case for matching without case (Unicode 3.13 D146, twice normalised so that folding is stable)."""
    text = raw
    for _ in range(2):
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return text


def _refuse_card(raw: str, text: str) -> None:
    if contains_card(text):
        raise refusal(raw, "holds a full payment card number, which is never taken")
