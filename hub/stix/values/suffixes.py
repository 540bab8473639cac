"""The Public Suffix List (publicsuffix.org), read from the snapshot that tldextract's wheel carries.

The snapshot is read as a plain file: importing tldextract costs a quarter of a second and brings an HTTP
client along, and this house never asks the network about a name that it was sent.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from ada_url import idna_to_ascii

# Top-level names of RFC 2606, RFC 6761, RFC 6762 and ICANN's "internal"; no public suffixes, yet no file
# name extensions either.
_SPECIAL_USE: Final = frozenset({"example", "test", "invalid", "localhost", "local", "internal"})
_END_OF_REGISTRIES: Final = "// ===END ICANN DOMAINS==="


class _Suffixes(NamedTuple):
    rules: frozenset[str]
    exceptions: frozenset[str]
    top_level: frozenset[str]


def is_public_suffix(name: str) -> bool:
    """Tell whether a registry sells names directly under ``name`` (lower case ASCII), as under ``co.uk``.

    Only the registries' part of the list counts: a hosting firm's domain is one that somebody answers for.
    """
    rules, exceptions, _ = _suffixes()
    if name in rules:
        return True
    _, _, parent = name.partition(".")
    return f"*.{parent}" in rules and name not in exceptions


def has_known_suffix(name: str) -> bool:
    """Tell whether ``name`` (lower case ASCII) ends in a top-level domain that exists or is reserved."""
    return name.rpartition(".")[2] in _suffixes().top_level


@cache
def _suffixes() -> _Suffixes:
    spec = find_spec("tldextract")
    assert spec is not None
    assert spec.origin is not None
    registries, _, _ = Path(spec.origin).with_name(".tld_set_snapshot").read_text("utf-8").partition(_END_OF_REGISTRIES)
    listed = {
        line if line.isascii() else idna_to_ascii(line).decode()
        for line in registries.splitlines()
        if line and not line.startswith("//")
    }
    exceptions = frozenset(line[1:] for line in listed if line.startswith("!"))
    rules = frozenset(line for line in listed if not line.startswith("!"))
    return _Suffixes(rules, exceptions, frozenset(rule.rpartition(".")[2] for rule in rules) | _SPECIAL_USE)
