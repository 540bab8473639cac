"""Free text: advisories and reports as people write them, in plain text, Markdown or AsciiDoc.

Taken anywhere: hashes, wallets, and what is defanged, since nobody defangs a link that is meant to be followed.
Taken only where values are listed (a code block, inline code, a table's cell, a line of its own): addresses,
domains, URLs and e-mail addresses that are written plainly. The publisher's own links stand in sentences. What
looks like a file, a path, a package or a version is no value. ``docs/formats/text.md`` states the rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hub.errors import InvalidInput
from hub.feeds.readers import shape, text
from hub.feeds.readers.advisory_lines import Line, lines_of
from hub.feeds.readers.labels import tlp_above
from hub.feeds.readers.reading import DESCRIPTION_LIMIT, RawIndicator, Reading, unread
from hub.stix.refang import refang
from hub.stix.values import Kind, detect

TOKEN_LIMIT = 4096
SAMPLE_LINES = 400
WRAPPINGS = 8  # layers of markup around one word

_HASHES = frozenset({Kind.MD5, Kind.SHA1, Kind.SHA256, Kind.SHA512})
_WALLETS = frozenset({Kind.BTC, Kind.ETH, Kind.XMR, Kind.LTC, Kind.TRX})
_NETWORK = frozenset({Kind.DOMAIN, Kind.URL, Kind.IPV4, Kind.IPV6, Kind.IPV4_CIDR, Kind.IPV6_CIDR, Kind.EMAIL})
_DEFANGED = re.compile(r"\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)|\[:\]|\[://\]|\[@\]|\[at\]|\bhxxp|\bfxp", re.IGNORECASE)
# What a mark is put on; a text that explains the marks themselves writes them alone.
_HELD = re.compile(r"\w[.@:]+\w|://\w")
# "evil [.] com": the blanks belong to the mark.
_SPACED_MARK = re.compile(r" (\[\.\]|\[dot\]|\(dot\)|\[@\]|\[at\]) ", re.IGNORECASE)
# Markup and punctuation around a value; a bracket belongs to it only where its partner is inside.
_AROUND_START = "\"'`+*_<>“”‘’«»,;:=~"
_AROUND_END = "\"'`+*_<>“”‘’«»,;:!?~"
_TEMPLATE = re.compile(r"[{}<>*|]|\[\w+\]|\bXX+\b")
_HEX = re.compile(r"[0-9a-fA-F]{32,128}")
_WALLET = re.compile(
    r"0x[0-9a-fA-F]{40}|(?:bc1|ltc1)[02-9ac-hj-np-z]{11,87}|[13LMT][1-9A-HJ-NP-Za-km-z]{25,34}"
    r"|[48][1-9A-HJ-NP-Za-km-z]{94,105}"
)
_PLAIN_HOST = re.compile(r"(?:[\w-]{1,63}\.)+([a-z]{2,24}|xn--[a-z0-9-]{2,59})(?::\d{1,5})?(/\S*)?", re.IGNORECASE)
# Top-level domains that are also ends of file names: a bare name under them is taken for a file.
_FILE_ENDS = frozenset({"md", "mov", "pl", "ps", "py", "rs", "sh", "so", "zip"})
# How a package or a class is named: the other way round.
_REVERSED = frozenset({"android", "com", "org", "net", "io", "java", "javax", "microsoft", "system"})
# Roots outside the public one, whose names no suffix list knows.
_OTHER_ROOTS = frozenset({"bit", "bazar", "coin", "emc", "lib", "i2p"})
# A plain link to these is a reference, wherever it stands.
_REFERENCES = re.compile(
    r"(?:https?://)?(?:[\w-]+\.)*(?:welivesecurity\.com|eset(?:static)?\.com|github\.com/eset|misp-project\.org"
    r"|unit42\.paloaltonetworks\.com|paloaltonetworks\.com|virustotal\.com|mitre\.org|otx\.alienvault\.com"
    r"|apache\.org/licenses|creativecommons\.org|opensource\.org|gnu\.org/licenses|abuse\.ch|any\.run|hybrid-analysis\.com)(?![\w.-]*\w)\S*",
    re.IGNORECASE,
)
# "sha256:…", "MD5=…", "domain:evil[.]com": what a value is called, written close to it.
_CALLED = re.compile(
    r"^(?:md5|sha-?(?:1|256|512)|hash|url|uri|domain|host(?:name)?|ip(?:v[46])?(?:-?addr(?:ess)?)?|c2|c&c|e?-?mail|btc|eth"
    r"|wallet)[:=](?!//)(?=.)",
    re.IGNORECASE,
)
# "[the site](hxxp://evil[.]com)": the words of a Markdown link end at a word of their own.
_LINK = re.compile(r"\]\((?=\w{2,8}[\[:])")
_VERSION_WORDS = frozenset({"version", "versions", "ver", "ver.", "v", "v.", "release", "build", "firmware"})


@dataclass(frozen=True, slots=True)
class _Token:
    """A word of a line without its markup; ``listed`` where values are listed rather than talked about."""

    raw: str
    listed: bool
    before: str


class Advisory:
    """Text for people, with values in it."""

    name = "text"

    def fits(self, head: bytes, filename: str) -> int:
        """85 for AsciiDoc or fenced Markdown with values, 72 for a list with sentences in it, 59 for other prose.

        0 where it holds no value; 20 where a list is all there is.
        """
        start = text.decode_head(head)
        if not start.strip() or text.looks_structured(start):
            return 0
        sample = text.lines(start)[:SAMPLE_LINES]
        found = sum(isinstance(one, RawIndicator) for one in _readings("\n".join(sample)))
        if not found:
            return 0
        if _is_marked_up(sample) or filename.lower().endswith((".adoc", ".md")):
            return 85
        words = [line.split() for line in sample if line.strip() and line.lstrip()[0] not in "#;!"]
        begun = sum(_is_value(each[0]) for each in words)
        if not any(len(each) > 1 and not _is_value(each[0]) for each in words):
            return 20
        # A list reader takes what a line begins with; where that is no less than what is here, it knows better.
        return 72 if begun <= found and 2 * begun > len(words) else 59

    def read(self, raw: bytes) -> Iterator[Reading]:
        """One ``RawIndicator`` a value, each once, with the heading above it as its description.

        ``Unread`` for templates that stand for several names.
        """
        content = text.decode(raw)
        tlp = tlp_above(content[: text.HEAD])
        for reading in _readings(content):
            yield replace(reading, tlp=tlp) if tlp is not None and isinstance(reading, RawIndicator) else reading


def _is_value(word: str) -> bool:
    try:
        return shape.looks_like_indicator(word) and bool(detect(word))
    except InvalidInput:
        return False


def _is_marked_up(sample: list[str]) -> bool:
    return any(line.startswith(("= ", "|===", "```")) for line in sample) or sum(line == "----" for line in sample) > 1


def _readings(content: str) -> Iterator[Reading]:
    seen: set[str] = set()
    for line in lines_of(content):
        for token in _tokens(line):
            if token.raw in seen:
                continue
            reading = _reading(token, line)
            if reading is not None:
                seen.add(token.raw)
                yield reading


def _tokens(line: Line) -> Iterator[_Token]:
    """The words of a line, each with whether it is listed there."""
    for part in line.parts:
        before = ""
        for word in _LINK.sub("] (", _SPACED_MARK.sub(r"\1", part.text)).split():
            bare = _CALLED.sub("", _stripped(word)) if len(word) <= TOKEN_LIMIT else ""
            if bare:
                yield _Token(bare, part.listed, before)
            before = bare.lower()


def _stripped(word: str) -> str:
    """``word`` without markup around it, a sentence's full stop and brackets that it did not open."""
    for _ in range(WRAPPINGS):
        bare = word.lstrip(_AROUND_START).rstrip(_AROUND_END)
        if bare.endswith(".") and not bare.endswith("[."):
            bare = bare[:-1]
        for opening, closing in ("()", "[]"):
            if bare.startswith(opening) and not re.match(r"[\[(](?:\.|dot|at|@)[\])]", bare, re.IGNORECASE):
                bare = bare[1:]
            if bare.endswith(closing) and bare.count(closing) > bare.count(opening):
                bare = bare[:-1]
        if bare == word:
            break
        word = bare
    # AsciiDoc's backslash keeps a link from being followed.
    return word.removeprefix("\\") if word.startswith("\\http") else word


def _reading(token: _Token, line: Line) -> Reading | None:
    raw, where = token.raw, f"line {line.number}"
    if _HEX.fullmatch(raw) or _WALLET.fullmatch(raw):
        return _taken(raw, where, line, _HASHES | _WALLETS)
    if _DEFANGED.search(raw):
        if not _HELD.search(refang(raw)):
            return None
        if _TEMPLATE.search(refang(raw).split("?")[0]):
            return unread(where, raw, "it stands for several names, not for one")
        return RawIndicator(where, raw, _other_root(refang(raw)), description=_description(line))
    return _plain(token, where, line) if token.listed else None


def _plain(token: _Token, where: str, line: Line) -> Reading | None:
    """What nobody has defanged, in a place where values are listed."""
    raw = token.raw
    if "://" in raw and _TEMPLATE.search(raw.split("?")[0]):
        return unread(where, raw, "it stands for several names, not for one")
    if token.before in _VERSION_WORDS or _REFERENCES.fullmatch(raw) or not _is_plain_value(raw):
        return None
    if (kind := _other_root(raw)) is not None:
        return RawIndicator(where, raw, kind, description=_description(line))
    return _taken(raw, where, line, _NETWORK)


def _is_plain_value(raw: str) -> bool:
    """Whether a word that nobody defanged reads as a host, address, URL or mailbox rather than as a file or package."""
    if "\\" in raw or "%" in raw.split("/", 1)[0] or not shape.looks_like_indicator(raw):
        return False
    host = _PLAIN_HOST.fullmatch(raw)
    if host is None or host[1].isdigit():
        return True
    labels = re.split(r"[/:]", raw, maxsplit=1)[0].split(".")
    end = labels[-1]
    if host[2] is None and end in _FILE_ENDS:
        return False
    # The end of a name is written small; "Pterodo.PS" is what a scanner calls a program.
    return end.islower() and not (len(labels) > 2 and labels[0].lower() in _REVERSED)


def _other_root(raw: str) -> Kind | None:
    """A domain under a root that only some resolvers know."""
    return Kind.DOMAIN if "/" not in raw and raw.rsplit(".", 1)[-1] in _OTHER_ROOTS else None


def _taken(raw: str, where: str, line: Line, kinds: frozenset[Kind]) -> RawIndicator | None:
    try:
        kind = detect(raw).kind
    except InvalidInput:
        return None
    return RawIndicator(where, raw, description=_description(line)) if kind in kinds else None


def _description(line: Line) -> str | None:
    return line.heading[:DESCRIPTION_LIMIT] or None
