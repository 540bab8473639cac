"""From a kind to the function that knows its canonical text."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import Final

from hub.errors import InvalidInput
from hub.stix.cards import contains_card
from hub.stix.values import bank_accounts, digests, emails, hosts, registrations, urls, wallets
from hub.stix.values.kinds import MAX_CHARACTERS, Kind, Value, refusal

# What may be a card number and nothing else.
_DIGITS_IN_GROUPS: Final = re.compile(r"[\d\s.\-\u2010-\u2015]{13,60}")


def canonical(kind: Kind, raw: str) -> Value:
    """Return the value of ``kind`` that ``raw`` spells.

    Where the content shows a nearer kind, the value has that one: a hash's length decides its algorithm, a
    network of one address is an address, and a domain column may hold addresses. Raises ``InvalidInput``
    with the reason; at most 80 characters of ``raw`` are repeated in it, and never a card number.
    """
    if not isinstance(raw, str):
        raise InvalidInput("a value is given as text")
    if len(raw) > MAX_CHARACTERS:
        raise refusal(raw, f"is longer than {MAX_CHARACTERS} characters")
    return _CANONICALISERS[kind](raw)


def refuse_card(raw: str) -> None:
    """Raise ``InvalidInput`` where ``raw`` is digits in groups that hold a full payment card number."""
    if _DIGITS_IN_GROUPS.fullmatch(raw) and contains_card(raw):
        raise InvalidInput(
            "this is a full payment card number, which is never taken",
            advice="Give the first six digits with the issuer, or leave the number out.",
        )


@cache
def _from(module: str, name: str) -> Callable[[str], Value]:
    function: Callable[[str], Value] = getattr(import_module(f"hub.stix.values.{module}"), name)
    return function


def _lazily(module: str, name: str) -> Callable[[str], Value]:
    # These modules bring libraries that are slow to load and that most feeds never need.
    def load_and_apply(raw: str) -> Value:
        return _from(module, name)(raw)

    return load_and_apply


def _not_a_card(canonicalise: Callable[[str], Value]) -> Callable[[str], Value]:
    def checked(raw: str) -> Value:
        refuse_card(raw.strip())
        return canonicalise(raw)

    return checked


def _card_only_otherwise(canonicalise: Callable[[str], Value]) -> Callable[[str], Value]:
    # A sort code with an account and a telephone number may pass for a card by chance.
    def checked(raw: str) -> Value:
        try:
            return canonicalise(raw)
        except InvalidInput:
            refuse_card(raw.strip())
            raise

    return checked


_CANONICALISERS: Final[dict[Kind, Callable[[str], Value]]] = {
    Kind.DOMAIN: hosts.domain,
    Kind.URL: urls.url,
    Kind.IPV4: hosts.address,
    Kind.IPV6: hosts.address,
    Kind.IPV4_CIDR: hosts.address,
    Kind.IPV6_CIDR: hosts.address,
    Kind.EMAIL: emails.email,
    Kind.MD5: digests.digest,
    Kind.SHA1: digests.digest,
    Kind.SHA256: digests.digest,
    Kind.SHA512: digests.digest,
    Kind.BTC: partial(wallets.wallet_on, Kind.BTC),
    Kind.ETH: partial(wallets.wallet_on, Kind.ETH),
    Kind.XMR: partial(wallets.wallet_on, Kind.XMR),
    Kind.LTC: partial(wallets.wallet_on, Kind.LTC),
    Kind.TRX: partial(wallets.wallet_on, Kind.TRX),
    Kind.WALLET: wallets.wallet,
    Kind.PHONE: _card_only_otherwise(_lazily("phones", "phone")),
    Kind.IBAN: _lazily("ibans", "iban"),
    Kind.BANK_ACCOUNT: _card_only_otherwise(bank_accounts.bank_account),
    Kind.COMPANY: _not_a_card(registrations.company),
    Kind.SOCIAL_HANDLE: registrations.social_handle,
    Kind.USER_AGENT: registrations.user_agent,
    Kind.VEHICLE: _not_a_card(registrations.vehicle),
    Kind.ASN: _not_a_card(hosts.asn),
    Kind.JA3: digests.ja3,
}
