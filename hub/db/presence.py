"""What surely does not stand in a large table, told from memory.

Of the values that a batch of checks asks for, nearly all are unknown, and each costs the database a page of its index,
which it reads anew after every write. A bit for each known value tells most of them beforehand: where it is not set,
the value is not there; where it is, the database is asked. (A Bloom filter with one hash function: what is asked for
nothing costs little, and a second function would cost every value.)

What is spared must not show in the time of an answer. So the number of those that the database is asked for is made up
to a multiple of an eighth of all (``made_up``), which a batch fills only where every eighth value is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

# With fewer bits for each value, one unknown one in sixteen looks known; it begins with twice as many.
LEAST_BITS: Final = 16
SMALLEST: Final = 1 << 16
# What is looked up, fetched and weighed is made up to a multiple of so many; what is looked up, for each PART of the
# values that are wanted.
STEP: Final = 8
PART: Final = 64


class Presence:
    """A bit for each value, which is given by a number of at least 32 even bits. Adding takes the caller's lock."""

    def __init__(self, expected: int) -> None:
        size = max(SMALLEST, 1 << (2 * LEAST_BITS * expected - 1).bit_length())
        self._bits = bytearray(size // 8)
        self._mask = size - 1
        self._room = size // LEAST_BITS

    @property
    def full(self) -> bool:
        """It holds so many values that too many unknown ones look known."""
        return self._room < 0

    def add(self, numbers: Sequence[int]) -> None:
        """Set the bits of these values."""
        bits, mask = self._bits, self._mask
        for number in numbers:
            bits[(number & mask) >> 3] |= 1 << (number & 7)
        self._room -= len(numbers)

    def holds(self, numbers: Iterable[int]) -> list[int]:
        """For each value 0 where it is surely absent, else 1."""
        bits, mask = self._bits, self._mask
        return [bits[(number & mask) >> 3] >> (number & 7) & 1 for number in numbers]


def made_up(possible: int, wanted: int) -> int:
    """How many values that nobody has are looked up beside the ``possible`` ones of those that are ``wanted``."""
    step = STEP * -(-max(wanted, 1) // PART)
    return step * max(1, -(-possible // step)) - possible
