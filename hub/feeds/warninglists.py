"""Warning lists: values that are almost never hostile, so that a feed which names one is probably wrong.

The files are MISP's warning lists (JSON with ``name``, ``type`` and ``list``). Types read here: ``string`` (the very
value; a leading dot stands for everything below), ``hostname`` (the name and everything below), ``cidr``, and
``mailbox`` (the part before the @, at any domain), which is this hub's own. A look-up costs a few dictionary reads,
however long the lists are.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path
from typing import Any

from hub.errors import InvalidInput
from hub.stix.canonical import parse_json
from hub.stix.values import Kind, Value, canonical
from hub.stix.values.urls import host_of

TYPES = ("string", "hostname", "cidr", "mailbox")
_ADDRESSES = frozenset({Kind.IPV4, Kind.IPV6, Kind.IPV4_CIDR, Kind.IPV6_CIDR})
_BITS = {4: 32, 6: 128}


class WarningLists:
    """Several lists as one. Empty until lists are added."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._suffixes: dict[str, str] = {}
        self._mailboxes: dict[str, str] = {}
        # version -> length of the prefix -> first address -> list
        self._networks: dict[int, dict[int, dict[int, str]]] = {4: {}, 6: {}}
        self._starts: dict[int, list[int]] = {4: [], 6: []}
        self._content = hashlib.sha256()

    @classmethod
    def in_folder(cls, folder: Path, switched_off: Collection[str] = ()) -> WarningLists:
        """Every ``*.json`` of a folder but those whose file is named in ``switched_off`` ("bank-website").

        Raises InvalidInput for a folder that is not there, a file that is no warning list, and a name in
        ``switched_off`` without a file.
        """
        if not folder.is_dir():
            raise InvalidInput(f"there is no folder {str(folder)!r}", where="intake.warninglists")
        files = {path.stem: path for path in sorted(folder.glob("*.json"))}
        unknown = sorted(set(switched_off) - files.keys())
        if unknown:
            raise InvalidInput(
                f"there is no warning list {unknown[0]!r}",
                where="intake.warninglists_off",
                advice=f"There are: {', '.join(files)}.",
            )
        lists = cls()
        for name, path in files.items():
            if name not in switched_off:
                lists.add(name, _parsed(path))
        return lists

    def add(self, name: str, document: Any) -> None:
        """Add one list under ``name``. Raises InvalidInput for what is no list of a known type."""
        kind, entries = _checked(name, document)
        self._content.update("\n".join([name, kind, *entries, ""]).encode())
        for entry in entries:
            if kind == "cidr":
                self._add_network(name, entry)
            elif kind == "mailbox":
                self._mailboxes.setdefault(entry.lower().removesuffix("@"), name)
            elif kind == "hostname" or entry.startswith("."):
                self._suffixes.setdefault(_plain(entry), name)
            else:
                self._texts.setdefault(_plain(entry), name)
        for version, by_length in self._networks.items():
            self._starts[version] = sorted(start for starts in by_length.values() for start in starts)

    @property
    def digest(self) -> str:
        """A hash of all lists in the order they were added: equal exactly where they hold the same."""
        return self._content.hexdigest()

    def hit(self, value: Value) -> str | None:
        """The name of a list that holds ``value``, None where none does.

        A popular site holds its domain back and an address of the site alone (``https://site.example/``), never
        a page in it or a mailbox at it: those are what phishing on a big host looks like.
        """
        if value.kind in _ADDRESSES:
            return self._network_hit(value.text)
        if site := site_of(value):
            by_address = ":" in site or site.rpartition(".")[2].isdigit()
            return self._network_hit(site) if by_address else self._name_hit(site)
        if value.kind is Kind.URL:
            return None
        if value.kind is Kind.EMAIL:
            return self._mailboxes.get(value.text.partition("@")[0].lower()) or self._texts.get(value.text)
        return self._texts.get(value.text)

    def _name_hit(self, name: str) -> str | None:
        found = self._texts.get(name) or self._texts.get(name.removeprefix("www."))
        rest = name
        while found is None and rest:
            found = self._suffixes.get(rest)
            rest = rest.partition(".")[2]
        return found

    def _network_hit(self, text: str) -> str | None:
        """A list that holds the address or the whole network, or an address inside it."""
        if "/" not in text:
            address = IPv6Address(text) if ":" in text else IPv4Address(text)
            return self._around(address.version, int(address), _BITS[address.version])
        network = ip_network(text)
        first, last = int(network.network_address), int(network.broadcast_address)
        found = self._around(network.version, first, network.prefixlen)
        return found or self._inside(network.version, first, last)

    def _around(self, version: int, first: int, longest: int) -> str | None:
        bits = _BITS[version]
        for length, starts in self._networks[version].items():
            if length <= longest:
                found = starts.get(first >> (bits - length) << (bits - length))
                if found is not None:
                    return found
        return None

    def _inside(self, version: int, first: int, last: int) -> str | None:
        listed = self._starts[version]
        position = bisect_left(listed, first)
        if position == len(listed) or listed[position] > last:
            return None
        return next(
            starts[listed[position]] for starts in self._networks[version].values() if listed[position] in starts
        )

    def _add_network(self, name: str, entry: str) -> None:
        try:
            network = ip_network(entry.strip(), strict=False)
        except ValueError:
            raise InvalidInput(f"{entry[:60]!r} is no network", where=name) from None
        by_length = self._networks[network.version].setdefault(network.prefixlen, {})
        by_length.setdefault(int(network.network_address), name)


def site_of(value: Value) -> str:
    """The site that a value stands for as a whole: a domain, or the host of an address without a path. "" for all
    else: what stands in a site says nothing about it.
    """
    if value.kind is Kind.DOMAIN:
        return value.text
    if value.kind is Kind.URL and not value.text.partition("://")[2].partition("/")[2]:
        return host_of(value.text)
    return ""


def _parsed(path: Path) -> Any:
    try:
        return parse_json(path.read_bytes())
    except InvalidInput as error:
        raise InvalidInput(f"not a warning list: {error.message}", where=path.name) from None


def _checked(name: str, document: Any) -> tuple[str, list[str]]:
    if not isinstance(document, dict) or not isinstance(document.get("list"), list):
        raise InvalidInput("not a warning list: it has no list", where=name)
    kind = document.get("type")
    if kind not in TYPES:
        raise InvalidInput(
            f"warning lists of the type {str(kind)[:20]!r} are not read", where=name,
            advice=f"Types read here: {', '.join(TYPES)}.",
        )  # fmt: skip
    entries = document["list"]
    if not all(isinstance(entry, str) and entry.strip(" .") for entry in entries):
        raise InvalidInput("an entry of the list is no text", where=name)
    return kind, entries


def _plain(entry: str) -> str:
    """An entry as canonical values are written."""
    bare = entry.strip().strip(".").lower()
    if bare.isascii():
        return bare
    try:
        return canonical(Kind.DOMAIN, bare).text
    except InvalidInput:
        return bare
