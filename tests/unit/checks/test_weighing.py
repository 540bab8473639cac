"""What statements weigh together: the design's own examples."""

from __future__ import annotations

import pytest

from hub.checks.searching.answers import Outcome, answer
from hub.checks.searching.names import alike
from hub.checks.searching.weighing import Voice, band, combined


def voice(group: str, grade: str = "1C", **more: object) -> Voice:
    said = {"ref": f"filing--{group}", "tier": "intelligence", "category": "5D", "role": "mule-account", "tlp": 2}
    return Voice(**{**said, "group": group, "grade": grade, "first_seen": 0, "last_seen": 0, **more})  # type: ignore[arg-type] # by name


@pytest.mark.parametrize(
    ("voices", "weight"),
    [
        ([voice("a bank")], 54),
        ([voice("a bank"), voice("another")], 79),
        ([voice("a bank")] * 5, 54),
        ([voice("a bank", "1A")], 75),
        ([voice("a bank", "1A"), voice("another", "3D")], 91),
        ([voice("a bank", "3D"), voice("a bank", "1C")], 54),
        ([voice("report-fraud", "2C", reports=2)], 59),
        ([voice("report-fraud", "2C", reports=9)], 74),
    ],
)
def test_statements_weigh_together_as_the_design_says(voices: list[Voice], weight: int) -> None:
    assert combined(voices) == weight


def test_the_number_of_sources_is_told_in_bands() -> None:
    assert [band(n) for n in range(1, 9)] == ["1", "2", "3-5", "3-5", "3-5", "6+", "6+", "6+"]


def test_an_echo_is_no_source_and_has_no_vote() -> None:
    heard = [voice("a bank", "1C"), voice("another", "1A", echo=True), voice("a third", "1B", echo=True)]
    told = answer("phone", None, heard)
    assert (told.confidence, told.sources) == (54, "1")
    alone = answer("phone", None, heard[1:])
    assert (alone.confidence, alone.sources) == (75, "1")


def test_what_is_exact_silences_what_is_only_like_it() -> None:
    told = answer("person", None, [voice("a", exact=False, tier="known_fraud"), voice("b")])
    assert (told.outcome, told.tier, told.sources) == (Outcome.MATCH, "intelligence", "1")
    assert answer("person", None, [voice("a", exact=False)]).outcome is Outcome.POSSIBLE


def test_who_was_impersonated_is_protected_whatever_else_is_known() -> None:
    voices = [voice("a", tier="known_fraud", grade="1A"), voice("b", role="impersonated-victim", grade="2B")]
    told = answer("person", None, voices)
    assert (told.tier, told.marker, told.confidence) == ("protect", "impersonated-victim", 48)
    assert "innocent" in told.words


@pytest.mark.parametrize(
    ("one", "other", "may_be_one"),
    [
        ("john smith", "jon smith", True),
        ("alice mary smith", "alice smith", True),
        ("jones mary", "jones mark", True),
        ("john smith", "jane smith", False),
        ("smith", "john smith", False),
        ("lee", "leo", False),
    ],
)
def test_names_are_compared_as_wholes(one: str, other: str, may_be_one: bool) -> None:
    assert alike(one, other) is may_be_one is alike(other, one)
