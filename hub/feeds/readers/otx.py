"""Pulses of the Open Threat Exchange, as its API gives them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hub.errors import InvalidInput
from hub.feeds.readers import shape
from hub.feeds.readers.json_text import document_of, opening_of, text_in
from hub.feeds.readers.labels import labels_of, tlp_of
from hub.feeds.readers.reading import DESCRIPTION_LIMIT, RawIndicator, Reading, unread
from hub.stix.values import Kind

_PULSE = re.compile(r'"(?:pulse_source|targeted_countries|author_name|adversary|extract_source)"\s*:')
_INDICATORS = re.compile(r'"indicators"\s*:\s*\[')
# What an entry has in OTX and nowhere else.
_ENTRY = re.compile(r'"type"\s*:\s*"(?:FileHash-|IPv4"|IPv6"|CIDR"|hostname"|BitcoinAddress")')

_KINDS: dict[str, Kind] = {
    "domain": Kind.DOMAIN,
    "hostname": Kind.DOMAIN,
    "url": Kind.URL,
    "uri": Kind.URL,
    "ipv4": Kind.IPV4,
    "ipv6": Kind.IPV6,
    "cidr": Kind.IPV4_CIDR,
    "email": Kind.EMAIL,
    "filehash-md5": Kind.MD5,
    "filehash-sha1": Kind.SHA1,
    "filehash-sha256": Kind.SHA256,
    "bitcoinaddress": Kind.BTC,
    "ja3": Kind.JA3,
}


class OtxPulses:
    """The indicators of a pulse, of a list of pulses, or of a page of the API (``results``)."""

    name = "otx"

    def fits(self, head: bytes, filename: str) -> int:  # noqa: ARG002 (the content alone decides)
        """92 for JSON with the members of a pulse."""
        start = opening_of(head)
        return 92 if start and _INDICATORS.search(start) and (_PULSE.search(start) or _ENTRY.search(start)) else 0

    def read(self, raw: bytes) -> Iterator[Reading]:
        """One ``RawIndicator`` an entry; ``Unread`` for a type that has no indicator form.

        Raises InvalidInput where the text is no JSON (naming the place) or holds no pulse.
        """
        pulses = _pulses(document_of(raw))
        if not pulses:
            raise InvalidInput("the JSON document holds no OTX pulse: nothing in it has a list of indicators")
        for number, pulse in enumerate(pulses, 1):
            yield from _of_pulse(pulse, f"pulse {text_in(pulse, 'id')[:40] or number}")


def _pulses(document: Any) -> list[dict[str, Any]]:
    listed = document.get("results") if isinstance(document, dict) else document
    found = listed if isinstance(listed, list) else [document]
    return [one for one in found if isinstance(one, dict) and isinstance(one.get("indicators"), list)]


def _of_pulse(pulse: dict[str, Any], name: str) -> Iterator[Reading]:
    labels = labels_of((*_texts(pulse, "tags"), *_texts(pulse, "malware_families"), text_in(pulse, "adversary")))
    label = text_in(pulse, "tlp") or text_in(pulse, "TLP")
    tlp = tlp_of(label) if label else None
    for number, one in enumerate(pulse["indicators"], 1):
        where = f"{name}, indicator {number}"
        kind, raw = text_in(one, "type"), text_in(one, "indicator")
        if not raw:
            yield unread(where, kind, "the entry names no indicator")
        elif kind.lower() not in _KINDS:
            yield unread(where, raw, f"OTX type {kind[:40] or 'that is missing'} has no indicator form")
        elif one.get("is_active") in (0, False):
            yield unread(where, raw, "the pulse no longer holds it active")
        else:
            seen = shape.rfc3339(text_in(one, "created"))
            text = text_in(one, "description") or text_in(one, "title") or text_in(pulse, "name")
            yield RawIndicator(
                where,
                raw,
                _KINDS[kind.lower()],
                labels,
                seen,
                description=text[:DESCRIPTION_LIMIT] or None,
                tlp=tlp,
            )


def _texts(pulse: dict[str, Any], name: str) -> list[str]:
    found = pulse.get(name)
    if not isinstance(found, list):
        return []
    return [text for one in found if (text := one if isinstance(one, str) else text_in(one, "display_name"))]
