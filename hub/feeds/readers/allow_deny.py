"""Lists of phishing sites with the sites that only look like some: an object with deny and allow lists."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.errors import InvalidInput
from hub.feeds.readers.json_text import document_of, opening_of
from hub.feeds.readers.reading import RawIndicator, Reading, unread

_DENIED = ("deny", "denySub", "blacklist", "blocklist", "denylist")
# A fuzzy list holds the names that phishing sites imitate: the rightful ones.
_ALLOWED = ("allow", "whitelist", "allowlist", "fuzzylist")
_MEMBERS = re.compile(r'"(deny|blacklist|blocklist|denylist|allow|whitelist|allowlist|fuzzylist)"\s*:\s*\[')


class AllowAndDeny:
    """What is denied becomes indicators; what is allowed is handed on as legitimate."""

    name = "allow-deny"

    def fits(self, head: bytes, filename: str) -> int:  # noqa: ARG002 (the content alone decides)
        """80 where a deny list or an allow list stands in the first bytes of an object."""
        start = opening_of(head)
        return 80 if start.lstrip().startswith("{") and _MEMBERS.search(start[:2000]) else 0

    def read(self, raw: bytes) -> Iterator[Reading]:
        """One ``RawIndicator`` an entry.

        Raises InvalidInput where the text is no JSON (naming the place) or has no deny list.
        """
        document = document_of(raw)
        denied = {
            name: document[name]
            for name in _DENIED
            if isinstance(document, dict) and isinstance(document.get(name), list)
        }
        if not denied:
            raise InvalidInput(
                "the JSON document has no deny list",
                advice="A list of harmless names alone is a warning list, not a feed.",
            )
        for name, entries in denied.items():
            yield from _of_list(name, entries, legitimate=False)
        for name in _ALLOWED:
            if isinstance(document.get(name), list):
                yield from _of_list(name, document[name], legitimate=True)


def _of_list(name: str, entries: list[object], *, legitimate: bool) -> Iterator[Reading]:
    for index, entry in enumerate(entries):
        if isinstance(entry, str) and entry.strip():
            yield RawIndicator(f"{name}[{index}]", entry, legitimate=legitimate)
        else:
            yield unread(f"{name}[{index}]", str(entry)[:100], "the entry is no text")
