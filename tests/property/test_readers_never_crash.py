"""Whatever bytes arrive, a reader reads them or raises InvalidInput."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import InvalidInput
from hub.feeds.readers import READERS, choose
from hub.feeds.reports import narrative, schema

# Pieces that steer the random text into the branches that matter.
PIECES = st.sampled_from(
    [
        "type,indicator\n",
        "#",
        '"',
        ",",
        "\n",
        "\r",
        "\t",
        "||",
        "^",
        "0.0.0.0 ",
        "hxxp://",
        "[.]",
        "{",
        "}",
        "[",
        "]",
        '"objects":',
        '"nfib_code":',
        "reference,nfib_code,reporter_kind\n",
        "20-20-15",
        "55555555",
        "\x00",
        "\ud7ff",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=40).map("".join)
FILES = st.one_of(
    st.binary(max_size=300), TEXTS.map(lambda text: text.encode()), TEXTS.map(lambda t: t.encode("utf-16"))
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["report", "suspects", "victim", "phone", "reports", "objects", "type", "id", "grade"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(FILES, st.sampled_from(["a.csv", "a.txt", "a.stix2", ""]))
@settings(max_examples=400, deadline=None)
def test_files(raw: bytes, name: str) -> None:
    for reader in READERS:
        assert 0 <= reader.fits(raw, name) <= 100
        try:
            list(reader.read(raw))
        except InvalidInput:
            continue
    try:
        choose(raw, name)
    except InvalidInput:
        return


@given(JSON)
@settings(max_examples=300, deadline=None)
def test_documents(document: object) -> None:
    raw = json.dumps(document).encode()
    for reader in READERS:
        try:
            list(reader.read(raw))
        except InvalidInput:
            continue
    try:
        schema.load_batch(document)
    except InvalidInput:
        return


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_narratives(text: str) -> None:
    narrative.identifiers(text)
