"""UK bank accounts: a sort code and an account number."""

from __future__ import annotations

import re
from typing import Final

from hub.stix.values.kinds import Kind, Value, refusal

_SORT_CODE_AND_ACCOUNT: Final = re.compile(
    r"([0-9]{2})[ -]?([0-9]{2})[ -]?([0-9]{2})(?:[ ,;:/|-]{0,3}([0-9]{7,8})|[ ,;:/|-]{1,3}([0-9]{6}))"
)


def bank_account(raw: str) -> Value:
    """Return a UK sort code with its account number as 14 digits, the account padded to 8 from the left.

    This is the form of Open Banking's ``UK.OBIE.SortCodeAccountNumber``.
    """
    match = _SORT_CODE_AND_ACCOUNT.fullmatch(raw.strip())
    if match is None:
        raise refusal(
            raw,
            "is not a sort code of 6 digits with an account number",
            advice="Write it as 20-20-15 55555555, or give an IBAN.",
        )
    account = (match.group(4) or match.group(5)).zfill(8)
    return Value(Kind.BANK_ACCOUNT, "".join(match.group(1, 2, 3)) + account)


def sort_code_account_of(iban: Value) -> Value | None:
    """Return the sort code and account number that a British IBAN holds, ``None`` for any other value."""
    if iban.kind is not Kind.IBAN or not iban.text.startswith("GB"):
        return None
    return Value(Kind.BANK_ACCOUNT, iban.text[8:])


def account_of(value: Value) -> str | None:
    """Return the 14 digits of a UK bank account or of a British IBAN, ``None`` for any other value."""
    account = value if value.kind is Kind.BANK_ACCOUNT else sort_code_account_of(value)
    return account.text if account else None
