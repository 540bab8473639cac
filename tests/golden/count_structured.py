"""Counts the distinct values of the sample feeds in JSON and XML, with the standard library alone.

The second opinion beside ``count.py`` for files whose rows have a type: MISP, OpenIOC, STIX 1.x and 2.0,
ThreatFox, Feodo, OTX, name servers' zones and lists by name. Run by hand when a sample changes:
``python tests/golden/count_structured.py ../shared/data > tests/golden/expected_structured.json``.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from count import sorted_out, text_of

# Looked at one by one: public suffixes, a file's name, a TLSH hash in a field for SHA-256, beginnings and
# parts of URLs and addresses, a user agent's part.
NO_VALUES = {
    "org.im",
    "org.in",
    "comimport-wallet.html",
    "t1fde0f101c9395f39ecd16430b41041a59107c73c904087309fb8d0e8d87e0077129f3f",
    "103.41.124.",
}
URL_PART = re.compile(r"[?/].*|[a-z]+=|(?:user|camp)_\d+|mod_unload|modversions|username|password")

MISP_TEXT = {"filename", "text", "regkey", "link", "comment", "other", "AS"}
OPENIOC_ITEM = re.compile(
    r'<IndicatorItem\b([^>]*)>\s*<Context\b[^>]*\bsearch="([^"]*)"[^>]*/>\s*'
    r"<Content\b[^>]*>([^<]*)</Content>"
)
OPENIOC_TERM = re.compile(
    r"DnsEntryItem/(?:Host|RecordName)|PortItem/remoteIP|FileItem/(?:Md5|Sha1)sum|Email/From"
    r"|Network/(?:URI|DNS|String)"
)
STIX20_VALUE = re.compile(
    r"(?:domain-name:value|url:value|ipv4-addr:value|email-addr:value|email-message:from_ref\.value"
    r"|file:hashes\.(?:'[^']+'|[\w-]+))\s*=\s*'((?:[^'\\]|\\.)*)'"
)

Rows = Iterator[tuple[str, str | None]]  # (a row, the value in it or None where it holds none that counts)


def of_misp(text: str) -> Rows:
    number = 0
    pending: list[Any] = [json.loads(text)]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending += part
        elif isinstance(part, dict):
            pending += part.values()
            if "type" in part and "value" in part and "category" in part:
                number += 1
                if part.get("to_ids") is not True or part["type"] in MISP_TEXT:
                    yield f"{number}", None
                elif part["type"].startswith("filename|"):
                    yield f"{number}", part["value"].split("|")[-1]
                else:
                    yield from ((f"{number}", piece) for piece in part["value"].split("|"))


def of_openioc(text: str) -> Rows:
    for number, (attributes, term, content) in enumerate(OPENIOC_ITEM.findall(text)):
        good = OPENIOC_TERM.fullmatch(term) and "not" not in attributes and 'negate="true"' not in attributes
        value = content.strip().replace("&amp;", "&")
        yield f"{number}", value if good and not (URL_PART.fullmatch(value)) else None


def of_stix1(text: str) -> Rows:
    for indicator in re.findall(r"<(?:stix|stixCommon):Indicator\b.*?</(?:stix|stixCommon):Indicator>", text, re.S):
        for prefix, value in re.findall(r"<(DomainNameObj|AddressObj):\w*Value\b[^>]*>([^<]+)<", indicator):
            yield f"{prefix} {value}", value


def of_stix20(text: str) -> Rows:
    for number, obj in enumerate(json.loads(text)["objects"]):
        if obj["type"] != "indicator":
            yield f"{number}", None
            continue
        found = STIX20_VALUE.findall(obj["pattern"])
        for value in found or [None]:
            # What a domain resolved to may be a shared host; the domain beside it is the value.
            yield f"{number}", value


def of_named(member: str) -> Callable[[str], Rows]:
    def rows(text: str) -> Rows:
        for number, value in enumerate(re.findall(rf'"{member}"\s*:\s*"([^"]*)"', text)):
            yield f"{number}", value

    return rows


def of_deny(text: str) -> Rows:
    for name, listed in json.loads(text).items():
        for entry in listed:
            yield f"{name} {entry}", None if name == "allow" else entry


def of_sites(text: str) -> Rows:
    for number, address in enumerate(re.findall(r'^\t\t"(\w+)",?$', text, re.M)):
        yield f"{number}", address


def of_lines(written: str) -> Callable[[str], Rows]:
    def rows(text: str) -> Rows:
        for number, value in enumerate(re.findall(written, text, re.M)):
            yield f"{number}", value

    return rows


FORMATS: dict[str, tuple[str, Callable[[str], Rows]]] = {
    "infoblox/misp-feed/*-*.json": ("misp", of_misp),
    "eset/*misp*.json": ("misp", of_misp),
    "stalkerware/misp_event.json": ("misp", of_misp),
    "misp-stix-pairs/*_collection_[12].json": ("misp", of_misp),
    "fireeye-openioc/*.ioc": ("openioc", of_openioc),
    "eset/windigo.ioc": ("openioc", of_openioc),
    "misp-stix-pairs/*.xml": ("stix1", of_stix1),
    "opentaxii/*.xml": ("stix1", of_stix1),
    "misp-stix-pairs/*_stix20.json": ("stix", of_stix20),
    "unit42/stix20.*.json": ("stix", of_stix20),
    "abuse.ch/threatfox_*.json": ("json", of_named("ioc_value")),
    "abuse.ch/feodo.json": ("json", of_named("ip_address")),
    "abuse.ch/urlhaus-filter-rpz.conf": ("list", of_lines(r"^(\S+) CNAME \.$")),
    "abuse.ch/urlhaus-filter-unbound.conf": ("list", of_lines(r'^local-zone: "([^"]+)" always_nxdomain$')),
    "abuse.ch/urlhaus-filter-online.txt": ("list", of_lines(r"^([^!\s].*)$")),
    "otx/*.json": ("otx", of_named("indicator")),
    "polkadot-js-phishing/all.json": ("allow-deny", of_deny),
    "polkadot-js-phishing/address.json": ("json", of_sites),
}


def placed(value: str) -> tuple[str, str] | None:
    if re.fullmatch(r"[1-9A-HJ-NP-Za-km-z]{45,49}", value):
        return "wallet", value
    host = value if value.isascii() else value.encode("idna").decode()
    return sorted_out(host)


def count(data: Path) -> dict[str, dict[str, Any]]:
    counts: dict[str, dict[str, Any]] = {}
    for pattern, (name, read) in FORMATS.items():
        for path in sorted(data.glob(pattern)):
            found: defaultdict[str, set[str]] = defaultdict(set)
            rows: set[str] = set()
            refused = 0
            for row, value in read(text_of(path)):
                rows.add(row)
                if value in NO_VALUES:
                    refused += 1
                elif value is not None and (kind := placed(value)):
                    found[kind[0]].add(kind[1])
            counts[path.relative_to(data).as_posix()] = {
                "format": name,
                "rows": len(rows),
                "refused": refused,
                "values": {kind: len(distinct) for kind, distinct in sorted(found.items())},
            }
    return counts


if __name__ == "__main__":
    print(json.dumps(count(Path(sys.argv[1])), indent=2, sort_keys=True))
