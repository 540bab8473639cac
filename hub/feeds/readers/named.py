"""Lists of one kind that only the file's name tells: wallets and telephone numbers.

``sanctioned_addresses_XBT.txt`` holds addresses whose form is shared by many chains, ``numbers.txt`` digits that
might as well be account numbers. One value a line, or a JSON array of texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from hub.errors import InvalidInput
from hub.feeds.readers import text
from hub.feeds.readers.labels import tlp_above
from hub.feeds.readers.reading import RawIndicator, Reading, unread
from hub.stix.canonical import parse_json
from hub.stix.values import Kind, detect

SAMPLE_LINES = 200
LINE_LIMIT = 400
CHAINS = frozenset({Kind.BTC, Kind.ETH, Kind.XMR, Kind.LTC, Kind.TRX, Kind.WALLET})

_WALLET_FILE = re.compile(r".*(?:wallet|(?<![a-z])addresses[_-][A-Z]{3,5}\b|crypto[_-]?address)", re.IGNORECASE)
_PHONE_FILE = re.compile(
    r"(?!.*(?:account|card|company|iban|sort|vat)).*(?:phone|numbers?\b|msisdn|callers?\b)", re.IGNORECASE
)
_WALLET = re.compile(r"[0-9A-Za-z:]{24,120}")
_PHONE = re.compile(r"(?:tel:)?\(?\+?[0-9][0-9 ()./-]{6,24}(?: ?(?:ext?\.?|x) ?[0-9]{1,6})?", re.IGNORECASE)
_MONERO = re.compile(r"[48][0-9A-Za-z]{90,110}")
_COMMENT = ("#", ";", "//")


class NamedList:
    """A list whose kind the file's name tells; ``form`` is how its lines look."""

    def __init__(
        self, name: str, in_name: re.Pattern[str], form: re.Pattern[str], kind_of: Callable[[str], Kind | None]
    ) -> None:
        self.name = name
        self._in_name = in_name
        self._form = form
        self._kind_of = kind_of

    def fits(self, head: bytes, filename: str) -> int:
        """82 when the file's name tells the kind and nine of ten of its first lines have the form."""
        if not self._in_name.match(filename.rpartition("/")[2].rsplit(".", 1)[0]):
            return 0
        start = text.decode_head(head)
        if start.lstrip()[:1] == "[":
            lines = re.findall(r'"([^"]*)"', start)[:SAMPLE_LINES]
        else:
            lines = [value for _, value in _lines(start)][:SAMPLE_LINES]
        form = sum(self._form.fullmatch(line) is not None for line in lines)
        return 82 if lines and 10 * form >= 9 * len(lines) else 0

    def read(self, raw: bytes) -> Iterator[Reading]:
        """One ``RawIndicator`` a line, with its kind; an address whose checksum names a chain has that one."""
        content = text.decode(raw)
        if content.lstrip()[:1] == "[":
            yield from self._of_array(parse_json(content.encode()))
            return
        tlp = tlp_above(content[: text.HEAD])
        for number, line in _lines(content):
            where = f"line {number}"
            if len(line) > LINE_LIMIT:
                yield unread(where, line, f"the line is longer than {LINE_LIMIT} characters")
            else:
                yield RawIndicator(where, line, self._kind_of(line), tlp=tlp)

    def _of_array(self, document: object) -> Iterator[Reading]:
        if not isinstance(document, list):
            raise InvalidInput("not a JSON array of texts")
        for index, value in enumerate(document):
            where = f"[{index}]"
            if isinstance(value, str) and len(value) <= LINE_LIMIT:
                yield RawIndicator(where, value, self._kind_of(value))
            else:
                yield unread(where, str(value)[:LINE_LIMIT], "not a text of bearable length")


def _lines(content: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.lines(content), 1):
        value = line.strip().strip("\",'")
        if value and not value.startswith(_COMMENT):
            yield number, value


def _wallet_kind(line: str) -> Kind | None:
    try:
        kind = detect(line).kind
    except InvalidInput:
        # Nothing else is so long: a Monero address with a fault, which is better refused than kept as unknown.
        return None if _MONERO.fullmatch(line) else Kind.WALLET
    # What else it might be by its form, it is not in a list of wallets.
    return kind if kind in CHAINS else Kind.WALLET


def _phone_kind(_: str) -> Kind:
    return Kind.PHONE


WALLETS = NamedList("wallets", _WALLET_FILE, _WALLET, _wallet_kind)
PHONES = NamedList("phones", _PHONE_FILE, _PHONE, _phone_kind)
