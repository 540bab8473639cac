"""The bits of what is in a table: never a miss for what was added."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.db.presence import LEAST_BITS, SMALLEST, Presence, made_up

numbers = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=300)


@given(numbers, numbers, st.integers(0, 5000))
def test_what_was_added_is_never_absent(added: list[int], others: list[int], expected: int) -> None:
    presence = Presence(expected)
    presence.add(added)
    assert presence.holds(added) == [1] * len(added)
    assert all(present in (0, 1) for present in presence.holds(others))


def test_most_of_what_was_not_added_is_absent() -> None:
    presence = Presence(100_000)
    presence.add([number * 0x9E3779B97F4A7C15 % 2**64 >> 16 for number in range(100_000)])
    strangers = [number * 0x9E3779B97F4A7C15 % 2**64 >> 16 for number in range(200_000, 300_000)]
    assert sum(presence.holds(strangers)) < 100_000 / LEAST_BITS
    assert not presence.full


def test_nothing_is_present_in_an_empty_one() -> None:
    assert Presence(0).holds([0, 1, -1, 2**40]) == [0, 0, 0, 0]


def test_it_is_full_once_too_many_were_added() -> None:
    presence = Presence(0)
    presence.add(list(range(SMALLEST // LEAST_BITS)))
    assert not presence.full
    presence.add([1])
    assert presence.full


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_what_is_looked_up_does_not_tell_how_much_is_known(possible: int, wanted: int) -> None:
    possible = min(possible, wanted)
    asked = possible + made_up(possible, wanted)
    assert asked >= 8
    assert asked % 8 == 0
    if possible <= wanted // 8:
        assert asked == made_up(0, wanted), "the same as where nothing is known"
