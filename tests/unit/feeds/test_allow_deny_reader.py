"""Deny lists with the rightful names beside them."""

from __future__ import annotations

import json

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers import RawIndicator, choose
from hub.feeds.readers.allow_deny import AllowAndDeny

LISTS = AllowAndDeny()


def test_allowed_names_are_handed_on_as_legitimate() -> None:
    raw = json.dumps({"allow": ["good.example"], "deny": ["bad.example"], "denySub": ["x.example/bad"]}).encode()
    assert choose(raw).name == "allow-deny"
    assert list(LISTS.read(raw)) == [
        RawIndicator("deny[0]", "bad.example"),
        RawIndicator("denySub[0]", "x.example/bad"),
        RawIndicator("allow[0]", "good.example", legitimate=True),
    ]


def test_the_other_names_of_such_lists() -> None:
    raw = (
        b'{"version": 2, "tolerance": 1, "fuzzylist": ["good.example"], "whitelist": [], "blacklist": ["bad.example"]}'
    )
    assert choose(raw).name == "allow-deny"
    found = [(one.raw, one.legitimate) for one in LISTS.read(raw) if isinstance(one, RawIndicator)]
    assert found == [("bad.example", False), ("good.example", True)]


def test_an_entry_that_is_no_text_is_counted() -> None:
    assert [type(one).__name__ for one in LISTS.read(b'{"deny": [7, null, "", ["x"], "a.example"]}')] == [
        *["Unread"] * 4,
        "RawIndicator",
    ]


@pytest.mark.parametrize("raw", [b"", b"[]", b"7", b"{}", b'{"allow": ["a"]}', b'{"deny": {}}', b'{"deny": ["a"'])
def test_what_has_no_deny_list_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        list(LISTS.read(raw))
