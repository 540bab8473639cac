"""From a value to the pattern that finds it, and from a pattern to the values that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hub.errors import InvalidInput
from hub.stix.pattern.parser import parse
from hub.stix.pattern.syntax import (
    Combined,
    Comparison,
    Constant,
    ObjectPath,
    Observation,
    Pattern,
    Qualified,
)
from hub.stix.values import Kind, Value, canonical, detect

_WRITTEN: Final = {
    Kind.DOMAIN: "domain-name:value = '{}'",
    Kind.URL: "url:value = '{}'",
    Kind.IPV4: "ipv4-addr:value = '{}'",
    Kind.IPV6: "ipv6-addr:value = '{}'",
    Kind.IPV4_CIDR: "ipv4-addr:value ISSUBSET '{}'",
    Kind.IPV6_CIDR: "ipv6-addr:value ISSUBSET '{}'",
    Kind.EMAIL: "email-addr:value = '{}'",
    Kind.MD5: "file:hashes.MD5 = '{}'",
    Kind.SHA1: "file:hashes.'SHA-1' = '{}'",
    Kind.SHA256: "file:hashes.'SHA-256' = '{}'",
    Kind.SHA512: "file:hashes.'SHA-512' = '{}'",
    Kind.BTC: "cryptocurrency-wallet:value = '{}'",
    Kind.ETH: "cryptocurrency-wallet:value = '{}'",
    Kind.XMR: "cryptocurrency-wallet:value = '{}'",
    Kind.LTC: "cryptocurrency-wallet:value = '{}'",
    Kind.TRX: "cryptocurrency-wallet:value = '{}'",
    Kind.WALLET: "cryptocurrency-wallet:value = '{}'",
    Kind.PHONE: "phone-number:value = '{}'",
    Kind.IBAN: "bank-account:iban = '{}'",
    Kind.BANK_ACCOUNT: "bank-account:account_number = '{}'",
    Kind.COMPANY: "x-company:company_number = '{}'",
    Kind.USER_AGENT: "user-agent:value = '{}'",
    Kind.VEHICLE: "x-vehicle:registration = '{}'",
    Kind.ASN: "autonomous-system:number = {}",
    Kind.JA3: "network-traffic:x_ja3 = '{}'",
}
_ADDRESSES: Final = frozenset({Kind.IPV4, Kind.IPV6, Kind.IPV4_CIDR, Kind.IPV6_CIDR})
_HOSTS: Final = _ADDRESSES | {Kind.DOMAIN}
_WALLETS: Final = frozenset({Kind.BTC, Kind.ETH, Kind.XMR, Kind.LTC, Kind.TRX, Kind.WALLET})

# By path: the kind to read its text as, and the kinds that the text may turn out to be.
_READ: Final[dict[str, tuple[Kind, frozenset[Kind]]]] = {
    "domain-name:value": (Kind.DOMAIN, _HOSTS),
    "url:value": (Kind.URL, frozenset({Kind.URL})),
    "ipv4-addr:value": (Kind.IPV4, _ADDRESSES),
    "ipv6-addr:value": (Kind.IPV6, _ADDRESSES),
    "email-addr:value": (Kind.EMAIL, frozenset({Kind.EMAIL})),
    "email-message:from_ref.value": (Kind.EMAIL, frozenset({Kind.EMAIL})),
    "email-message:sender_ref.value": (Kind.EMAIL, frozenset({Kind.EMAIL})),
    "cryptocurrency-wallet:value": (Kind.WALLET, _WALLETS),
    "phone-number:value": (Kind.PHONE, frozenset({Kind.PHONE})),
    "bank-account:iban": (Kind.IBAN, frozenset({Kind.IBAN})),
    "bank-account:account_number": (Kind.BANK_ACCOUNT, frozenset({Kind.BANK_ACCOUNT})),
    "x-company:company_number": (Kind.COMPANY, frozenset({Kind.COMPANY})),
    "x-vehicle:registration": (Kind.VEHICLE, frozenset({Kind.VEHICLE})),
    "user-agent:value": (Kind.USER_AGENT, frozenset({Kind.USER_AGENT})),
    "network-traffic:extensions.http-request-ext.request_header.User-Agent": (
        Kind.USER_AGENT,
        frozenset({Kind.USER_AGENT}),
    ),
    "autonomous-system:number": (Kind.ASN, frozenset({Kind.ASN})),
    "network-traffic:x_ja3": (Kind.JA3, frozenset({Kind.JA3})),
}
_ENDPOINTS: Final = frozenset({"network-traffic:src_ref.value", "network-traffic:dst_ref.value"})
_HASHES: Final = {"MD5": Kind.MD5, "SHA1": Kind.SHA1, "SHA256": Kind.SHA256, "SHA512": Kind.SHA512}


def pattern_for(value: Value) -> str:
    """Return the STIX pattern that finds ``value``; ``values_in`` gives it back."""
    text = value.text.replace("\\", "\\\\").replace("'", "\\'")
    if value.kind is Kind.SOCIAL_HANDLE:
        platform, _, login = text.partition(":")
        return f"[user-account:account_type = '{platform}' AND user-account:account_login = '{login}']"
    written = _WRITTEN[value.kind].format(text)
    if value.kind is Kind.LTC and text.startswith("3"):
        # Litecoin's older script addresses look like Bitcoin's.
        written += " AND cryptocurrency-wallet:chain = 'ltc'"
    return f"[{written}]"


def values_in(pattern: str) -> list[Value]:
    """Return the canonical values that the equalities of a pattern stand for, in order, each once.

    Counted are ``=`` and ``IN``, and ``ISSUBSET`` on addresses, where they are not negated. Left out are
    paths that name no value of ours (also what a domain resolves to, which may be a shared host) and texts
    that have no canonical form. Raises ``InvalidInput`` where the pattern itself is not valid.
    """
    found: dict[Value, None] = {}
    for comparison, beside in _equalities(parse(pattern)):
        for constant in comparison.constants:
            value = _value_of(comparison.path, constant, beside)
            if value is not None and (comparison.operator != "ISSUBSET" or value.kind in _ADDRESSES):
                found[value] = None
    return list(found)


def _equalities(pattern: Pattern) -> Iterator[tuple[Comparison, dict[str, Constant]]]:
    """Yield each equality with the equalities, by path, that stand beside it under the same AND."""
    alone: dict[str, Constant] = {}
    pending: list[tuple[Pattern | Comparison | Combined, dict[str, Constant]]] = [(pattern, alone)]
    while pending:
        part, beside = pending.pop()
        if isinstance(part, Comparison):
            if part.operator in ("=", "IN", "ISSUBSET") and not part.negated:
                yield part, beside
        elif isinstance(part, Combined):
            beside = _equal_beside(part) if part.operator == "AND" else alone
            pending += [(operand, beside) for operand in reversed(part.operands)]
        elif isinstance(part, Observation | Qualified):
            pending.append((part.expression, alone))
        else:
            pending += [(operand, alone) for operand in reversed(part.operands)]


def _equal_beside(combined: Combined) -> dict[str, Constant]:
    return {
        _path_text(operand.path): operand.constants[0]
        for operand in combined.operands
        if isinstance(operand, Comparison) and operand.operator == "=" and not operand.negated
    }


def _value_of(path: ObjectPath, constant: Constant, beside: dict[str, Constant]) -> Value | None:
    raw = str(constant) if type(constant) is int else constant
    if not isinstance(raw, str):
        return None
    try:
        return _read(path, raw, beside)
    except InvalidInput:
        return None


def _read(path: ObjectPath, raw: str, beside: dict[str, Constant]) -> Value | None:
    name = _path_text(path)
    if name in _ENDPOINTS:
        return _of(_HOSTS, detect(raw))
    if "hashes" in path.steps[:-1] and path.object_type in ("file", "artifact"):
        kind = _HASHES.get(str(path.steps[-1]).upper().replace("-", "").replace("_", ""))
        return _of({kind}, canonical(kind, raw)) if kind else None
    if name == "user-account:account_login":
        platform = beside.get("user-account:account_type")
        return canonical(Kind.SOCIAL_HANDLE, f"{platform}:{raw}") if isinstance(platform, str) else None
    if name not in _READ:
        return None
    kind, allowed = _READ[name]
    if kind is Kind.WALLET and beside.get("cryptocurrency-wallet:chain") == "ltc":
        kind = Kind.LTC
    if kind is Kind.PHONE and raw.isdecimal():
        # The phone-number object has E.164 without its plus sign.
        raw = f"+{raw}"
    return _of(allowed, canonical(kind, raw))


def _of(kinds: frozenset[Kind] | set[Kind], value: Value) -> Value | None:
    return value if value.kind in kinds else None


def _path_text(path: ObjectPath) -> str:
    """Write a path without quotes, so that one written with and without them is the same."""
    steps = [f"[{'*' if step is None else step}]" if type(step) is not str else step for step in path.steps]
    return f"{path.object_type}:{'.'.join(steps)}"
