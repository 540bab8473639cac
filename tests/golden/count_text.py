"""Counts the distinct values of advisories, wallet, phone and YAML lists with regular expressions alone.

Knows none of the hub's code, so that ``expected_text.json`` is a second opinion. Run by hand when a sample
changes: ``python tests/golden/count_text.py ../shared/data > tests/golden/expected_text.json``, and look at
the difference before keeping it.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

HASHES = {32: "md5", 40: "sha1", 64: "sha256"}
ADVISORIES = (
    "unit42/2020-12-11-TA551-IOCs-for-IcedID.txt",
    "unit42/Appendix-C.txt",
    "unit42/Appendix-D.txt",
    "unit42/Netwalker_IOCs.text",
)
LISTS = (
    "unit42/Conti_IOCs.txt",
    "unit42/Gamaredon_IoCs_JAN2022.txt",
    "unit42/Phishing_User_Credentials_with_Coronavirus_Domains",
    "unit42/Skimmer_IOC.txt",
    "unit42/c2_domains.txt",
    "unit42/hardcodedpeers.txt",
    "unit42/hashes.csv",
    "unit42/menuPass",
    "stalkerware/certificates.yaml",
    "stalkerware/quad9_blocklist.txt",
)
TABLES = ("unit42/c2_w_timestamps.csv", "unit42/keybase_ioc.csv", "unit42/venomrat_iocs.csv")
BASE58 = "[1-9A-HJ-NP-Za-km-z]"
WALLETS = {
    "eth": r"0x[0-9a-fA-F]{40}",
    "btc": rf"[13]{BASE58}{{25,33}}|bc1[0-9a-z]{{20,80}}",
    "trx": rf"T{BASE58}{{33}}",
    "ltc": rf"[LM]{BASE58}{{33}}",
    "xmr": rf"[48]{BASE58}{{94}}(?:{BASE58}{{11}})?",
}
# Ends of file names, and what else stands in code without being a host.
FILES = "dll exe tmp db js lnk cfg log json msi dat cur ps1 vbs hta docx doc pdf png xlsb txt bat dtt inf ini ocx"
# Seen by hand: programs' strings and windows of banking software in rtm, a torrent's hash in kryptocibule, and a
# Monero address whose checksum does not hold.
NO_VALUES = {
    *("cbmain.ex", "client.jks", "dbo.detected", "elba.raiffeisen", "elbrus.raiffeisen", "getapula.pdb", "ibank.odb"),
    *("wbemscripting.swbemlocator", "wupos.westernunion", "3hrhgchfvmzk7d7yft4pbjbxvbrjgpgh"),
    "442uo8WrKgVBhDqvGvaUBdhK8Qgm7yYnsZnyNsSGisosFurCE93URqP23HuLBX8yXveb4zWueZ6anHwJAt8DNmdnSt391KF",
}


def kind_of(value: str) -> tuple[str, str] | None:
    """The kind of a bare value and a comparable form; None for what is none."""
    value = re.sub(r"^h(?:xx|tt)p", "http", value.replace("[.]", ".").replace("[:]", ":"))
    if re.fullmatch("[0-9a-fA-F]+", value) and len(value) in HASHES:
        return HASHES[len(value)], value.lower()
    chain = next((kind for kind, form in WALLETS.items() if re.fullmatch(form, value)), None)
    return (chain, value.lower() if chain == "eth" else value) if chain else in_a_network(value)


def in_a_network(value: str) -> tuple[str, str] | None:
    if match := re.fullmatch(r"(\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?", value):
        return "ipv4", match[1]
    if match := re.fullmatch(r"(https?)://([^/?#]+)([^#]*)", value):
        return "url", f"{match[1]}://{match[2].lower()}{match[3] or '/'}"
    if match := re.fullmatch(
        r"((?:[\w-]+\.)+(?!(?:" + "|".join(FILES.split()) + r")\b)[a-z]{2,20})(?::\d+)?", value, re.I
    ):
        return "domain", match[1].lower()
    if re.fullmatch(r"(?:[\w-]+\.)+[a-z]{2,10}/[\w/.%-]*", value):
        return "url", f"http://{value}"
    return None


def of_advisory(text: str) -> Iterator[str]:
    """Hashes and wallets anywhere, defanged words, and what stands alone in code, in a cell or on a line of code."""
    yield from re.findall(r"(?<!\w)(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})(?!\w)", text)
    for form in WALLETS.values():
        yield from re.findall(rf"(?<!\w)(?:{form})(?!\w)", text)
    for word in re.findall(r"[^\s|`+\"']*(?:\[\.\]|hxxp)[^\s|`+\"']*", text):
        yield word.strip("()*,;")
    for block in re.findall(r"^(?:----|```)\n(.*?)^(?:----|```)$", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if "\\" not in line:
                yield from line.split() if re.match(r"^\S+$|^\d+\.\d+\.\d+\.\d+\s", line.strip()) else []
    yield from re.findall(r"`\+?\\?([^`\s|+]+)\+?`", text)


def of_lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line.startswith("#"):
            yield re.sub(r"^- certificate: ", "", line).split("\t")[0].replace("\xa0", "").strip()


def of_cells(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield from (cell.strip() for cell in line.split(","))


def count(data: Path) -> dict[str, dict[str, int]]:
    advisories = [*ADVISORIES, *(path.relative_to(data).as_posix() for path in data.glob("eset/*.adoc"))]
    wallets = [path.relative_to(data).as_posix() for path in data.glob("ofac-sdn-crypto/*_*_*.txt")]
    counts = {}
    for name in sorted(
        [*advisories, *LISTS, *TABLES, *wallets, "unit42/xmr_wallets.txt", "spam-numbers-tr/numbers.txt"]
    ):
        raw = (data / name).read_bytes()
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1252")
        read = of_advisory if name in advisories else of_cells if name in TABLES else of_lines
        found: defaultdict[str, set[str]] = defaultdict(set)
        for value in read(text):
            if "{" in value or value in NO_VALUES or value.lower() in NO_VALUES:
                continue
            if name in wallets or name.startswith("unit42/xmr"):
                placed = kind_of(value) or (("wallet", value) if len(value) > 25 and name in wallets else None)
                placed = None if placed and placed[0] == "sha256" else placed
            elif name.startswith("spam"):
                placed = ("phone", value) if value else None
            else:
                placed = kind_of(value)
            if placed:
                found[placed[0]].add(placed[1])
        counts[name] = {kind: len(distinct) for kind, distinct in sorted(found.items())}
    return counts


if __name__ == "__main__":
    print(json.dumps(count(Path(sys.argv[1])), indent=2, sort_keys=True))
