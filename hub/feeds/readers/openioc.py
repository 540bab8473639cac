"""OpenIOC 1.0 and 1.1, the XML that Mandiant's tools write."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.errors import InvalidInput
from hub.feeds.readers import text
from hub.feeds.readers.labels import labels_of, tlp_of
from hub.feeds.readers.markup import Element, elements
from hub.feeds.readers.reading import DESCRIPTION_LIMIT, RawIndicator, Reading, unread
from hub.stix.tlp import Tlp
from hub.stix.values import Kind

_ROOT = re.compile(r"<(?:[\w.-]+:)?(?:ioc|OpenIOC)[\s>]")
_ROOTS = frozenset({"ioc", "OpenIOC"})
_WANTED = frozenset({"link", "IndicatorItem"})

# By the term that an item searches, in lower case. None: the content decides (a host, an address or a URL).
_KINDS: dict[str, Kind | None] = {
    **dict.fromkeys(("network/uri", "network/string", "network/http_referr", "network/httpreferr"), None),
    **dict.fromkeys(("urlhistoryitem/url", "filedownloadhistoryitem/sourceurl"), Kind.URL),
    **dict.fromkeys(
        ("dnsentryitem/host", "dnsentryitem/recordname", "dnsentryitem/recorddata/host", "network/dns"),
        Kind.DOMAIN,
    ),
    **dict.fromkeys(("urlhistoryitem/hostname", "cookiehistoryitem/hostname"), Kind.DOMAIN),
    **dict.fromkeys(("dnsentryitem/recorddata/ipv4address", "dnsentryitem/recorddata/ipv6address"), Kind.IPV4),
    **dict.fromkeys(("routeentryitem/destination", "network/ip"), Kind.IPV4),
    **dict.fromkeys(("email/from", "email/replyto", "email/sender"), Kind.EMAIL),
    "network/useragent": Kind.USER_AGENT,
}
_KIND_BY_LAST_STEP = {
    "remoteip": Kind.IPV4,
    "md5sum": Kind.MD5,
    "sha1sum": Kind.SHA1,
    "sha256sum": Kind.SHA256,
}
_NEGATED = frozenset({"isnot", "containsnot"})
_WHOLE = frozenset({"", "is", "contains"})
_LABELLING = frozenset({"threatgroup", "threatcategory", "category", "family", "malwarefamily", "threat-actor"})


class OpenIoc:
    """Each ``IndicatorItem`` names one value; how AND and OR join them is not kept."""

    name = "openioc"

    def fits(self, head: bytes, filename: str) -> int:
        """95 for a root element of OpenIOC, 40 for another XML file that is called ``.ioc``."""
        start = text.decode_head(head)
        if not start.lstrip().startswith("<"):
            return 0
        if _ROOT.search(start):
            return 95
        return 40 if filename.lower().endswith(".ioc") else 0

    def read(self, raw: bytes) -> Iterator[Reading]:
        """One reading an item: a ``RawIndicator``, or ``Unread`` with the reason.

        Raises InvalidInput where the XML is broken (naming the place) or the document is no OpenIOC.
        """
        words: list[str] = []
        tlp: Tlp | None = None
        number = 0
        for element, around in elements(raw, _WANTED):
            if not around or around[0].name not in _ROOTS:
                raise InvalidInput("the XML document is no OpenIOC", where=f"line {element.line}")
            if element.name == "IndicatorItem":
                number += 1
                yield _reading(f"item {number}, line {element.line}", element, around, labels_of(words), tlp)
            elif element.attributes.get("rel", "").lower() == "tlp":
                tlp = tlp_of(element.text)
            elif element.attributes.get("rel", "").lower() in _LABELLING and len(words) < 20:
                words.append(element.text)
        if not number and not _ROOT.search(text.decode_head(raw)):
            raise InvalidInput("the XML document is no OpenIOC: it has no IndicatorItem")


def _reading(
    where: str, item: Element, around: tuple[Element, ...], labels: tuple[str, ...], tlp: Tlp | None
) -> Reading:
    search, value = _search(item), _value(item)
    condition = item.attributes.get("condition", "").lower()
    if condition in _NEGATED or any(map(_is_negated, (item, *around))):
        return unread(where, value, "the item is negated: it says what is not there")
    last_step = search.rpartition("/")[2]
    if search not in _KINDS and last_step not in _KIND_BY_LAST_STEP:
        return unread(where, value, f"OpenIOC term {search[:60] or 'that is missing'} has no indicator form")
    if not value:
        return unread(where, value, "the item has no content")
    kind = _KINDS[search] if search in _KINDS else _KIND_BY_LAST_STEP[last_step]
    if condition not in _WHOLE or (condition == "contains" and kind is Kind.USER_AGENT):
        return unread(where, value, f"the condition {condition[:20]} asks for a part of a value")
    description = around[0].text_of("short_description")
    if not description and len(around) > 1:
        description = _metadata(around[0])
    return RawIndicator(where, value, kind, labels, description=description[:DESCRIPTION_LIMIT] or None, tlp=tlp)


def _search(item: Element) -> str:
    context = item.child("Context")
    found = context.attributes.get("search") if context is not None else None
    return (found or item.attributes.get("search", "")).strip().lower()


def _value(item: Element) -> str:
    """The content of an item: as text, or in an attribute of the content or of the item itself."""
    content = item.child("Content")
    if content is not None:
        found = content.text.strip() or content.attributes.get("value") or content.attributes.get("content")
        if found:
            return found.strip()
    return (item.attributes.get("value") or item.attributes.get("content") or "").strip()


def _is_negated(element: Element) -> bool:
    return element.attributes.get("negate", "").lower() == "true"


def _metadata(root: Element) -> str:
    metadata = root.child("metadata")
    return "" if metadata is None else metadata.text_of("short_description")
