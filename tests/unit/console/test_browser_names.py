"""What the account page calls a browser."""

from __future__ import annotations

import pytest

from hub.console.account import browser_of

CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36{}"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (CHROME.format("X11; Linux x86_64", ""), "Chrome on Linux"),
        (CHROME.format("Windows NT 10.0; Win64; x64", " Edg/149.0"), "Edge on Windows"),
        (CHROME.format("Linux; Android 10; K", ""), "Chrome on Android"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:150.0) Gecko/20100101 Firefox/150.0", "Firefox on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Version/26.0 Safari/604.1", "Safari on iPhone"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Unknown"),
    ],
)
def test_a_browser_by_its_common_name(sent: str, said: str) -> None:
    assert browser_of(sent) == said
