"""Counts the distinct values of the sample feeds with nothing but regular expressions.

Knows none of the hub's code, so that ``expected.json`` is a second opinion. Run by hand when a sample
changes: ``python tests/golden/count.py ../shared/data > tests/golden/expected.json``, and look at the
difference before keeping it.
"""

from __future__ import annotations

import gzip
import ipaddress
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

HASHES = {32: "md5", 40: "sha1", 64: "sha256"}
PLAIN_LISTS = (
    "ipsum/level-3.txt",
    "ipsum/level-5.txt",
    "ipsum/level-8.txt",
    "large/ipsum.txt.gz",
    "amnesty/2019-03-06_egypt_oauth.domains.txt",
    "amnesty/2020-03-12_uzbekistan.domains.txt",
    "amnesty/2020-03-12_uzbekistan.ips.txt",
    "amnesty/2021-07-18_nso.v4_domains.txt",
    "amnesty/2021-10-07_donot.sha256.txt",
    "abuse.ch/malwarebazaar_md5_recent.txt",
    "abuse.ch/urlhaus-filter-hosts.txt",
    "durablenapkin/adguard.txt",
    "durablenapkin/hosts.txt",
    "tor-exit/tor-exit-nodes.lst",
)
STIX_VALUES = {
    "domain-name:value": "domain",
    "email-addr:value": "email",
    "url:value": "url",
    "ipv4-addr:value": "ipv4",
    "file:hashes.sha256": "sha256",
}


def text_of(path: Path) -> str:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")


def refanged(value: str) -> str:
    return value.strip().strip('"').replace("[.]", ".").replace("hxxp", "http")


def sorted_out(value: str) -> tuple[str, str] | None:
    """The kind and a comparable form; None for an address that is not public."""
    bare = refanged(value)
    if re.match(r"https?://", bare):
        scheme, host, rest = re.fullmatch(r"(https?)://([^/?#]+)([^#]*)(?:#.*)?", bare, re.S).groups()
        return "url", f"{scheme}://{host.lower()}{rest or '/'}"
    if "/" in bare:
        return "url", bare
    if "@" in bare:
        local, host = bare.rsplit("@", 1)
        return "email", f"{local}@{host.lower()}"
    if re.fullmatch(r"[0-9a-fA-F]+", bare) and len(bare) in HASHES:
        return HASHES[len(bare)], bare.lower()
    without_port = re.sub(r"^([^:]+):\d+$", r"\1", bare)
    try:
        address = ipaddress.ip_address(without_port)
    except ValueError:
        return "domain", without_port.lower().rstrip(".")
    return (f"ipv{address.version}", str(address)) if address.is_global else None


def of_list(text: str) -> Iterator[str]:
    for line in text.splitlines():
        partial_rule = re.match(r"(?:\|\||\.).*(?:\*|\.$)", line)
        if not re.match(r"\s*[#!\[]|\s*$", line) and not partial_rule:
            yield re.sub(r"^\|\||\^$|^0\.0\.0\.0 |\s.*", "", re.sub(r"^0\.0\.0\.0 ", "", line))


def of_infoblox(text: str) -> Iterator[str]:
    for line in text.splitlines()[1:]:
        if match := re.fullmatch(r'[a-z0-9]+,("[^"]*"|[^,]*),([^,]*),[^,]*', line):
            if match[2] != "legitimate":
                yield match[1]
        else:
            raise ValueError(line)


def of_stix(text: str) -> Iterator[str]:
    for pattern in re.findall(r'"pattern"\s*:\s*"((?:[^"\\]|\\.)*)"', text):
        for name, value in re.findall(r"([a-z0-9:.-]+)\s*=\s*'((?:[^'\\]|\\.)*)'", pattern):
            if name in STIX_VALUES:
                yield value


def of_abuse_ch(text: str, number: int, pair: int | None = None) -> Iterator[str]:
    """Cells of one column of rows that are quoted throughout; ``pair`` is joined to it where not empty."""
    for line in text.splitlines():
        if re.match(r'#|\s*$|"(?:first_seen_utc|host)"', line):
            continue
        cells = line.strip('"').split('","')
        yield cells[number] + (cells[pair] if pair is not None else "")


OWN_LAYOUT: dict[str, Callable[[str], Iterable[str]]] = {
    "amnesty/2018-08-01_nso.indicators.csv": lambda text: re.findall(r'"([^",]+)"', text),
    "abuse.ch/sslblacklist.csv": lambda text: re.findall(r"^[0-9a-f]{40}(?=,)", text, re.MULTILINE),
    "abuse.ch/feodo_ipblocklist.csv": lambda text: of_abuse_ch(text, 1),
    "abuse.ch/urlhaus-filter-splunk-online.csv": lambda text: of_abuse_ch(text, 0, 1),
    "abuse.ch/urlhaus_csv_online_2026-08-18_excerpt.csv": lambda text: of_abuse_ch(text, 2),
}


def values(name: str, text: str) -> Iterable[str]:
    if name in PLAIN_LISTS:
        return of_list(text)
    if name in OWN_LAYOUT:
        return OWN_LAYOUT[name](text)
    return of_stix(text) if name.endswith(".stix2") else of_infoblox(text)


def count(data: Path) -> dict[str, dict[str, int]]:
    files = [data / name for name in PLAIN_LISTS]
    for pattern in (
        "infoblox/csv/*.csv",
        "large/*.csv",
        "amnesty/*.stix2",
        "amnesty/*.csv",
        "abuse.ch/*.csv",
    ):
        files += data.glob(pattern)
    counts: dict[str, dict[str, int]] = {}
    for path in sorted(files):
        name = path.relative_to(data).as_posix()
        found: defaultdict[str, set[str]] = defaultdict(set)
        for value in values(name, text_of(path)):
            if value and (placed := sorted_out(value)):
                found[placed[0]].add(placed[1])
        counts[name] = {kind: len(distinct) for kind, distinct in sorted(found.items())}
    return counts


if __name__ == "__main__":
    print(json.dumps(count(Path(sys.argv[1])), indent=2, sort_keys=True))
