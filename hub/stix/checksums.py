"""Check digits over decimal digits: Luhn's for cards, MOD 97 for IBANs."""

from __future__ import annotations

from typing import Final

# What a digit in a doubled position adds to the sum.
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn_holds(digits: str) -> bool:
    """Tell whether decimal ``digits`` end in their check digit (ISO/IEC 7812-1 Annex B)."""
    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[::2]) + sum(_DOUBLED[number] for number in numbers[1::2])) % 10 == 0


def mod97_holds(text: str) -> bool:
    """Tell whether ``text``, ASCII letters and digits of any case, has an IBAN's check digits (ISO 13616-1).

    Longer texts than an IBAN's 34 characters never hold.
    """
    if not (15 <= len(text) <= 34 and text.isascii() and text.isalnum()):
        return False
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 == 1
