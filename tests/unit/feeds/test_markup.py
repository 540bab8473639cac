"""XML read within bounds."""

from __future__ import annotations

import time

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers.markup import DEPTH_LIMIT, TEXT_LIMIT, elements

WANTED = frozenset({"w"})
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12))
    + b"]><a><w>&m;</w></a>"
)


def test_wanted_elements_come_complete_with_those_around_them() -> None:
    raw = b'<a xmlns:x="u" k="v"><t>title</t><b><x:w x:p="1"><c>one</c>tail</x:w></b><w/></a>'
    (first, around), (second, _) = elements(raw, WANTED)
    assert (first.name, first.namespace, first.attributes, first.text, first.line) == ("w", "u", {"p": "1"}, "tail", 1)
    assert first.text_of("c") == "one"
    assert [one.name for one in around] == ["a", "b"]
    assert around[0].attributes == {"k": "v"}
    assert around[0].text_of("t") == "title"
    assert second.children == []
    assert [(one.name, [outer.name for outer in above]) for one, above in first.walk()] == [("c", [])]


def test_an_outer_wanted_element_holds_the_inner_one() -> None:
    ((found, _),) = elements(b"<a><w><w>x</w></w></a>", WANTED)
    assert found.text_of("w") == "x"


@pytest.mark.parametrize(
    "raw",
    [
        BOMB,
        b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://192.0.2.1/x">]><a>&x;</a>',
        b'<!DOCTYPE a PUBLIC "p" "http://192.0.2.1/x.dtd"><a/>',
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://192.0.2.1/x"> %p;]><a/>',
        BOMB.decode().replace('<?xml version="1.0"?>', "").encode("utf-16"),
    ],
)
def test_a_document_type_declaration_is_refused_at_once(raw: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(InvalidInput, match="document type declaration") as refused:
        list(elements(raw, WANTED))
    assert refused.value.where is not None
    assert time.monotonic() - started < 1


def test_broken_xml_names_line_and_column() -> None:
    with pytest.raises(InvalidInput) as refused:
        list(elements(b"<a>\n  <w>", WANTED))
    assert refused.value.where == "line 2 column 6"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"x",
        b"\x00\x01",
        b"<a><b></a>",
        b"<a>&undefined;</a>",
        b"<x:a/>",
        b'<?xml version="1.0" encoding="big5"?><a/>',
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b'<?xml version="1.0" encoding="utf-8"?><a>\xff</a>',
        b"<a/><b/>",
        b"<a>" * (DEPTH_LIMIT + 1),
        b"<a>" * 1_000_000,
    ],
)
def test_what_cannot_be_read_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        list(elements(raw, WANTED))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "us-ascii", "windows-1252"])
def test_encodings(encoding: str) -> None:
    word = "caf" if encoding == "us-ascii" else "café"
    declared = encoding.replace("-sig", "")
    raw = f'<?xml version="1.0" encoding="{declared}"?><w>{word}</w>'.encode(encoding)
    ((found, _),) = elements(raw, WANTED)
    assert found.text == word


def test_memory_and_time_are_bounded_by_the_size_of_the_text() -> None:
    started = time.monotonic()
    names = b"".join(b"<n%d>x</n%d>" % (n, n) for n in range(200_000))
    assert list(elements(b"<a>" + names + b"</a>", WANTED)) == []
    ((found, _),) = elements(b"<w>" + b"a<!---->" * 500_000 + b"</w>", WANTED)
    assert found.text == "a" * TEXT_LIMIT
    assert sum(1 for _ in elements(b"<a>" + b"<w>1</w>" * 300_000 + b"</a>", WANTED)) == 300_000
    assert time.monotonic() - started < 30
