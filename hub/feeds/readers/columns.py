"""What the columns of a feed's CSV file mean.

Publishers name the same thing in many ways; a name that is not in these tables is left alone, so ids,
port numbers and links to the publisher's own page never become indicators.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from hub.feeds.readers import shape
from hub.stix.values import Kind

_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")

# A column that holds any kind of value; the type column, where there is one, says which.
_ANY_TEXT = """
indicator indicators value ioc iocs ioc_value indicator_value indicator_of_compromise observable
artifact c2 c2_server c2_address cnc hash file_hash
"""
_ANY = frozenset(_ANY_TEXT.split())
# A column whose name says what it holds. None: an address, a host or a hash, decided by its content.
_TYPED: dict[str, Kind | None] = {
    **dict.fromkeys(("url", "uri", "phishing_url", "malware_url", "phish_url"), Kind.URL),
    **dict.fromkeys(("domain", "domain_name", "domains", "fqdn"), Kind.DOMAIN),
    **dict.fromkeys(("host", "hostname", "host_name", "ip_or_domain"), None),
    **dict.fromkeys(
        ("ip", "ips", "ip_address", "ipaddress", "dst_ip", "src_ip", "dest_ip", "ipv4", "ipv6", "cidr"), None
    ),
    **dict.fromkeys(("md5", "md5_hash", "hash_md5"), Kind.MD5),
    **dict.fromkeys(("sha1", "sha1_hash", "hash_sha1", "sha_1"), Kind.SHA1),
    **dict.fromkeys(("sha256", "sha256_hash", "hash_sha256", "sha_256"), Kind.SHA256),
    **dict.fromkeys(("sha512", "sha512_hash", "hash_sha512", "sha_512"), Kind.SHA512),
    **dict.fromkeys(("email", "email_address", "mail", "e_mail"), Kind.EMAIL),
    **dict.fromkeys(("phone", "phone_number", "phone_no", "telephone", "telephone_number"), Kind.PHONE),
    **dict.fromkeys(("msisdn", "mobile", "mobile_number", "caller"), Kind.PHONE),
    "iban": Kind.IBAN,
    **dict.fromkeys(("bank_account", "uk_account"), Kind.BANK_ACCOUNT),
    **dict.fromkeys(("wallet", "wallet_address", "crypto_address", "btc_address", "eth_address"), None),
    "company_number": Kind.COMPANY,
    "user_agent": Kind.USER_AGENT,
    "ja3": Kind.JA3,
}
_KIND_WORDS: dict[str, Kind | None] = {
    **dict.fromkeys(("domain", "domain_name", "fqdn"), Kind.DOMAIN),
    **dict.fromkeys(("url", "uri"), Kind.URL),
    **dict.fromkeys(("email", "email_addr", "email_address", "email_src"), Kind.EMAIL),
    **dict.fromkeys(("md5", "md5_hash"), Kind.MD5),
    **dict.fromkeys(("sha1", "sha1_hash"), Kind.SHA1),
    **dict.fromkeys(("sha256", "sha256_hash"), Kind.SHA256),
    **dict.fromkeys(("phone", "phone_number", "msisdn"), Kind.PHONE),
    "iban": Kind.IBAN,
    **dict.fromkeys(("bank_account", "account"), Kind.BANK_ACCOUNT),
    **dict.fromkeys(("user_agent", "useragent"), Kind.USER_AGENT),
    "ja3": Kind.JA3,
    "vehicle": Kind.VEHICLE,
    "company": Kind.COMPANY,
    **dict.fromkeys(("social_handle", "handle"), Kind.SOCIAL_HANDLE),
}
_TYPE = frozenset({"type", "indicator_type", "ioc_type", "entity_type", "kind", "observable_type"})
_LABELS_TEXT = """
classification class category threat threat_type threat_name malware malware_family
malware_printable family tags tag listingreason listing_reason reason campaign actor
verdict disposition assessment judgement judgment
"""
_LABELS = frozenset(_LABELS_TEXT.split())
_TLP = frozenset({"tlp", "tlp_label", "tlp_marking", "tlp_color", "tlp_colour", "traffic_light_protocol"})
_DESCRIPTION = frozenset({"description", "comment", "comments", "message", "notes", "note"})
_FIRST_SEEN_TEXT = """
first_seen first_seen_utc firstseen dateadded date_added added detected_date detection_date
listingdate listing_date date created timestamp first_reported
"""
_FIRST_SEEN = frozenset(_FIRST_SEEN_TEXT.split())
_LAST_SEEN = frozenset({"last_seen", "last_seen_utc", "lastseen", "last_online", "last_reported"})
_SORT_CODE = frozenset({"sort_code", "sortcode", "bank_sort_code"})
_ACCOUNT = frozenset({"account_number", "account", "account_no", "account_num", "acc_no", "bank_account_number"})
_HOST_NAMES = frozenset({"host", "hostname", "host_name", "domain", "domain_name", "fqdn"})
_ADDRESS_NAMES = frozenset({"ip", "ip_address", "ipaddress", "dst_ip", "dest_ip", "ipv4"})


class Header(Enum):
    """Where the names of the columns came from."""

    ROW = "row"
    COMMENT = "comment"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ValueColumn:
    """One column that holds indicators; ``any_kind`` when the row's type column says which."""

    index: int
    name: str
    kind: Kind | None
    any_kind: bool = False
    beside_url: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things stand in a row; an index is None where the file has no such column."""

    width: int
    header: Header
    values: tuple[ValueColumn, ...]
    labels: tuple[int, ...] = ()
    type: int | None = None
    description: int | None = None
    tlp: int | None = None
    first_seen: int | None = None
    last_seen: int | None = None
    url: int | None = None
    host: int | None = None
    path: int | None = None
    sort_code: int | None = None
    account: int | None = None


def plain_name(cell: str) -> str:
    """A column name in the tables' spelling: "SHA256 Hash" is ``sha256_hash``."""
    return _NOT_A_LETTER.sub("_", cell.strip().lower()).strip("_")


def from_header(cells: Sequence[str], header: Header = Header.ROW) -> Layout | None:
    """The layout that a header row describes; None when none of its names is a value column."""
    names = [plain_name(cell) for cell in cells]

    def first(known: frozenset[str]) -> int | None:
        return next((index for index, name in enumerate(names) if name in known), None)

    url = next((index for index, name in enumerate(names) if _TYPED.get(name) is Kind.URL), None)
    path = first(frozenset({"path"}))
    values = tuple(
        ValueColumn(
            index,
            name,
            None if name in _ANY else _TYPED[name],
            any_kind=name in _ANY,
            beside_url=url is not None and name in _HOST_NAMES | _ADDRESS_NAMES,
        )
        for index, name in enumerate(names)
        if name in _ANY or name in _TYPED
    )
    sort_code, account = first(_SORT_CODE), first(_ACCOUNT)
    if not values and (sort_code is None or account is None):
        return None
    return Layout(
        width=len(names),
        header=header,
        values=values,
        labels=tuple(index for index, name in enumerate(names) if name in _LABELS),
        type=first(_TYPE),
        description=first(_DESCRIPTION),
        tlp=first(_TLP),
        first_seen=first(_FIRST_SEEN),
        last_seen=first(_LAST_SEEN),
        url=url,
        host=first(_HOST_NAMES) if url is None and path is not None else None,
        path=path,
        sort_code=sort_code,
        account=account,
    )


def from_content(rows: Sequence[Sequence[str]]) -> Layout | None:
    """The layout that the first rows suggest where no header names it; None if no column holds values."""
    widths = [len(row) for row in rows]
    width = max(set(widths), key=widths.count, default=0)
    if 5 * widths.count(width) < 4 * len(widths):
        return None  # prose with commas in it
    values: list[ValueColumn] = []
    dated: int | None = None
    for index in range(min(width, 100)):
        cells = [cell for row in rows if index < len(row) and (cell := row[index].strip())]
        if cells and 5 * sum(map(_is_value, cells)) >= 3 * len(cells):
            values.append(ValueColumn(index, str(index + 1), None))
        elif cells and dated is None and all(map(shape.rfc3339, cells)):
            dated = index
    return Layout(width, Header.NONE, tuple(values), first_seen=dated) if values else None


def _is_value(cell: str) -> bool:
    return shape.looks_like_indicator(cell) or shape.hashes_in(cell) is not None


@lru_cache(maxsize=1024)
def kind_of(word: str) -> Kind | None:
    """The kind that a cell of a type column names; None leaves it to the content."""
    return _KIND_WORDS.get(plain_name(word))
