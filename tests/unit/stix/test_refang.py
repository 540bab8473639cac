"""hub.stix.refang: defang marks are undone, everything else stays."""

from __future__ import annotations

import time

import pytest

from hub.stix.refang import refang


@pytest.mark.parametrize(
    ("defanged", "plain"),
    [
        ("evil[.]example", "evil.example"),
        ("evil(.)example", "evil.example"),
        ("evil{.}example", "evil.example"),
        ("evil[dot]example", "evil.example"),
        ("evil (DOT) example", "evil.example"),
        ("evil dot example", "evil.example"),
        ("a[[.]]b", "a.b"),
        ("evil[.example", "evil.example"),
        ("evil.]example", "evil.example"),
        ("hxxp://evil.example/", "http://evil.example/"),
        ("hXXps://evil.example/", "https://evil.example/"),
        ("h**p://evil.example/", "http://evil.example/"),
        ("fxp://evil.example/", "ftp://evil.example/"),
        ("hxxps[:]//evil[.]example", "https://evil.example"),
        ("hxxps[://]evil[.]example", "https://evil.example"),
        ("hxxps:[//]evil[.]example", "https://evil.example"),
        ("bob[@]evil[.]example", "bob@evil.example"),
        ("bob (at) evil (dot) example", "bob@evil.example"),
        ("bob at evil dot example", "bob@evil.example"),
        ("198[.]51[.]100[.]7", "198.51.100.7"),
        ("2001[:]db8[:][:]1", "2001:db8::1"),
        ("evil\u200b.exam\u00adple\ufeff", "evil.example"),
    ],
)
def test_marks_are_undone(defanged: str, plain: str) -> None:
    assert refang(defanged) == plain
    assert refang(plain) == plain


@pytest.mark.parametrize(
    "text",
    [
        "http://[2001:db8::1]/",
        "http://[::]:80/",
        "http://[::ffff:198.51.100.7]/",
        "She wore a polka dot dress (red) at noon.",
        "array[0].name(x)",
        "https://evil.example/wiki/Name_(band)",
        "evil.example",
        "",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert refang(text) == text


@pytest.mark.parametrize(
    "piece", ["[", "[ ", "[.", "[.]", " ", "(at", " dot ", "hxxp", "]", "[[.]", "://", "\u200b", "a dot b "]
)
def test_time_is_linear(piece: str) -> None:
    started = time.perf_counter()
    refang(piece * 100_000)
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("hxxp[s]://evil[.]example", "https://evil.example"),
        ("http(s)[:]//evil.example", "https://evil.example"),
        ("evil\\.example", "evil.example"),
        ("help(s): none", "help(s): none"),
    ],
)
def test_marks_of_regular_expressions_and_options(text: str, plain: str) -> None:
    assert refang(text) == plain
    assert refang(plain) == plain
