"""Parts of vetting that need no database: what files are, names to show, free text, who acts as what."""

from __future__ import annotations

import pytest

from hub.auth import Role
from hub.errors import InvalidInput
from hub.members.vetting import wording
from hub.members.vetting.evidence import media_type, shown_name
from hub.members.vetting.party import Capacity, person

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20 + b"\xff\xd9"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"%PDF-1.4\n...\n%%EOF\n", "application/pdf"),
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        ("Größe: 5 £\r\n\tfine".encode(), "text/plain"),
        (b"<html><script>alert(1)</script>", "text/plain"),
    ],
)
def test_media_types(content: bytes, found: str) -> None:
    assert media_type(content) == found


@pytest.mark.parametrize(
    "content",
    [
        b"", b"MZ", b"MZ\x90\0", b"PK\x03\x04", b"\x7fELF", b"GIF89a\0", b"\xff\xd8\xff cut", PNG[:8], b"%PDF-1.4 cut",
        b"#!/bin/sh\n", b"\x1b[31mred", b"\xff\xfea\0", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"a\0b", b"\xed\xa0\x80",
    ],
)  # fmt: skip
def test_everything_else_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        media_type(content)
    assert caught.value.where == "file"
    assert caught.value.advice


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"), ("C:\\Users\\me\\extract.pdf", "extract.pdf"), ("", "file"), ("..", "file"),
        ("a\r\nSet-Cookie: b=c", "aSet-Cookie: b=c"), ('"; filename="x.html', "filename=x.html"), ("/", "file"),
        ("a" * 500 + ".pdf", "a" * 96 + ".pdf"), ("bank\u202efdp.exe", "bankfdp.exe"), ("naïve.pdf", "naïve.pdf"),
    ],
)  # fmt: skip
def test_names_are_only_words(given: str, shown: str) -> None:
    assert shown_name(given).strip() == shown


@pytest.mark.parametrize("text", ["", "  ", "a\0b", "a\x1bb", "x" * 201, "Bank\u202eknaB", "zero\u200bwidth", "\ud800"])
def test_lines_that_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        wording.line(text, "name")
    assert caught.value.where == "name"


def test_prose_keeps_its_lines() -> None:
    assert wording.prose(" one\r\ntwo\n<b>three</b> ", "why") == "one\ntwo\n<b>three</b>"
    assert wording.prose("", "why", optional=True) == ""
    with pytest.raises(InvalidInput):
        wording.prose("x" * 4001, "why")


def test_addresses_and_domains() -> None:
    assert wording.email("Ada@Bank.Example", "email") == "ada@bank.example"
    assert wording.domain("BANK.example.", "domain") == "bank.example"
    for wrong in ("", "ada", "ada@", "ada@bank.example, ben@bank.example", "ada@bank.example\nBcc: x@y.example"):
        with pytest.raises(InvalidInput):
            wording.email(wrong, "email")
    for wrong in ("", "192.0.2.1", "bank", "https://bank.example/"):
        with pytest.raises(InvalidInput):
            wording.domain(wrong, "domain")


def test_who_acts_as_what() -> None:
    everything = person("p", list(Role))
    assert Capacity.MEMBER not in everything.capacities
    # A member's people never act for the hub, whatever roles they were given.
    assert person("p", list(Role), member_id="m").capacities == {Capacity.MEMBER}
    assert person("p", [Role.ADMINISTRATOR]).capacities == {Capacity.DUTY}
    assert not person("p", [Role.AUDITOR, Role.ANALYST]).capacities
    for capacity in (Capacity.HUB, Capacity.APPLICANT, Capacity.SPONSOR):
        assert capacity not in everything.capacities
