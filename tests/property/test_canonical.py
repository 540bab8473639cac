"""The fast ways of reading and writing give what the slow and certain ones give."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import InvalidInput
from hub.stix.canonical import canonical_json, parse_json


def _is_character(text: str) -> bool:
    return not any(ord(c) == 0 or 0xFDD0 <= ord(c) <= 0xFDEF or ord(c) & 0xFFFE == 0xFFFE for c in text)


characters = st.text(st.characters(exclude_categories=["Cs"])).filter(_is_character)
names = st.one_of(st.sampled_from(["a", "b", "id", "type", "é", "\U0001f600", "\ufb33", '"', "\\"]), characters)
numbers = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not 2**53 <= abs(x) < 1e21),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, characters),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=5)),
    max_leaves=25,
)


@given(values)
def test_canonical_form_is_that_of_rfc8785(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@given(values)
def test_reading_the_canonical_form_gives_it_again(value: Any) -> None:
    canonical = canonical_json(value)
    assert canonical_json(parse_json(canonical)) == canonical


@given(values, st.booleans(), st.sampled_from([None, 1]))
def test_reading_gives_what_was_written(value: Any, ascii_only: bool, indent: int | None) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert parse_json(raw) == value


class _Repeated(dict[str, Any]):
    """A dictionary that writes one member twice."""

    def items(self) -> Any:
        members = list(super().items())
        return [*members, members[0]]


@given(st.dictionaries(names, values, min_size=1, max_size=4), values, st.booleans())
def test_a_repeated_name_is_always_found(members: dict[str, Any], beside: Any, ascii_only: bool) -> None:
    encoder = json.JSONEncoder(ensure_ascii=ascii_only)
    repeated = "{" + ",".join(
        f"{encoder.encode(name)}:{encoder.encode(inner)}" for name, inner in _Repeated(members).items()
    )
    raw = f"[{encoder.encode(beside)},{repeated}}}]".encode()
    with pytest.raises(InvalidInput, match="twice"):
        parse_json(raw)


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        value = parse_json(raw)
    except InvalidInput:
        return
    assert json.loads(raw) == value


@given(values, st.integers(0, 200), st.sampled_from(list('"\\{}[]:,0e.u')))
def test_damaged_text_is_read_alike_or_refused(value: Any, position: int, mark: str) -> None:
    text = json.dumps(value)
    damaged = text[:position] + mark + text[position + 1 :]
    try:
        read = parse_json(damaged.encode())
    except InvalidInput:
        return
    assert json.loads(damaged) == read
