"""Free text: what is a value, what only looks like one, and that the time taken is linear."""

from __future__ import annotations

import time

import pytest

from hub.feeds.readers import RawIndicator, Unread, choose, reader
from hub.stix.tlp import Tlp

SHA1 = "AF1F08A0D2E0D40E99FCABA6C1C090B093AC0756"
SHA256 = "4d88b3d8b58a07aefb26814add372f780f8e76bdda4092e4e48db3f865ae8902"
WALLET = "18sn7w8ktbBNgsX8LeeeLMqKS84xMG54si"


def values(text: str) -> list[str]:
    return [one.raw for one in reader("text").read(text.encode()) if isinstance(one, RawIndicator)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The loader called evil[.]com and 198[.]18.4.4 over TLS.", ["evil[.]com", "198[.]18.4.4"]),
        ("See hxxps://evil[.]com/a(b)?c=1).", ["hxxps://evil[.]com/a(b)?c=1"]),
        ("written evil [.] com by hand", ["evil[.]com"]),
        ("mail bob[at]evil[.]com now", ["bob[at]evil[.]com"]),
        (f"The file {SHA1} was dropped.", [SHA1]),
        (f"- SHA256 hash: {SHA256}", [SHA256]),
        (f"Pay to {WALLET}!", [WALLET]),
        ("|`+161.35.106[.]28+` |`+N/A+` |2023-09-18", ["161.35.106[.]28"]),
        ("|evil.com |Azure hosting provider inc.com ltd", ["evil.com"]),
        ("It used `evil.com` and `5.6.7.8`.", ["evil.com", "5.6.7.8"]),
        (r"- `\http://evil.com/index.html`", ["http://evil.com/index.html"]),
        ("* evil.com\n* 5.6.7.8:443", ["evil.com", "5.6.7.8:443"]),
        ("5.6.7.8 - first server\n5.6.7.9 - second server", ["5.6.7.8", "5.6.7.9"]),
        ("= Title\n\n----\nevil.com\n5.6.7.8 evil.net\n----", ["evil.com", "5.6.7.8", "evil.net"]),
        ("text\n\n```\nhttp://evil.com/x\n```\nevil.net is talked about", ["http://evil.com/x"]),
        ("= T\n\n----\nvpnkeep.bit\n----", ["vpnkeep.bit"]),
    ],
)
def test_values(text: str, found: list[str]) -> None:
    assert values(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "The blog post is available at\nhttps://www.welivesecurity.com/2019/10/03/casbaneiro-trojan/.",
        "- https://www.virustotal.com/gui/file/abc",
        "- port 443 - facebook.com",
        "Visit example.com or write to threatintel@publisher.com for more.",
        "= T\n\n----\narmsvc.exe\nthumbs.db\ninstall.sh\nC:\\Users\\Public\\evil.com\n%TEMP%\\a.com\n----",
        "- `Microsoft.Exchange.Clients.OwaAuth.dll`",
        "- Win32/Spy.RTM.A\n- VBS/Pterodo.PS\n- Pterodo.GA",
        "`com.spy.mobile.info` is a package",
        "`version 1.2.3.4` or v 5.6.7.8 and build 9.8.7.6",
        "= T\n\n----\nversion 1.2.3.4\n----",
        "-----BEGIN PUBLIC KEY-----\nMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC5VGPiBWYOHbmeM8xOR4KhahM5",
    ],
)
def test_what_only_looks_like_a_value(text: str) -> None:
    assert values(text) == []


def test_a_template_is_named_and_not_taken() -> None:
    found = list(reader("text").read(b"= T\n\n----\nserver-{1,30}[.]evil.com\n----\n- `\\http://5.6.7.8/a{1,2}.dat`"))
    assert [(type(one), one.where) for one in found] == [(Unread, "line 4"), (Unread, "line 6")]


def test_the_heading_above_describes_the_value() -> None:
    text = "= Report\n\n== C&C servers\n\n- evil[.]com\n\nHASHES OF THE LOADER:\n\n- " + SHA1
    found = [one.description for one in reader("text").read(text.encode()) if isinstance(one, RawIndicator)]
    assert found == ["C&C servers", "HASHES OF THE LOADER"]


def test_a_value_is_read_once_at_its_first_place() -> None:
    found = list(reader("text").read(b"evil[.]com here\n\nand evil[.]com there"))
    assert [one.where for one in found] == ["line 1"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("= Advisory\n\nAn analysis.\n\n----\nevil.com\nevil.net\n----\n", "text"),
        ("We saw evil[.]com used by the group.\n\nIt dropped a file.", "text"),
        (f"SAMPLES SEEN IN MARCH:\n\n{SHA256}  invoice.xlsb\n", "text"),
        ("evil.com\nevil.net\n", "list"),
        ("# Cluster 1 domains\n\nevil.com\nevil.net\n", "list"),
        ("0.0.0.0 evil.com\n0.0.0.0 evil.net\n", "list"),
        ("evil.com seen in march\nevil.net seen in may\n", "list"),
        ("2017-08-02 16:28:51,api.evil.ru\n2017-08-02 10:21:16,api.evil.xyz\n", "csv"),
    ],
)
def test_which_files_are_free_text(text: str, name: str) -> None:
    assert choose(text.encode()).name == name


@pytest.mark.parametrize(
    "text",
    [
        "(" * 200_000,
        "`" * 200_000,
        "a[.]" * 50_000,
        "x " * 100_000,
        "=" * 200_000,
        ("|" + "a|" * 5_000 + "\n") * 20,
        "- evil.com\n" * 20_000,
        ("word\n" * 20_000),
        "[.] " * 50_000,
        ("a." * 1_000 + "com\n") * 100,
    ],
)
def test_time_is_linear(text: str) -> None:
    start = time.process_time()
    list(reader("text").read(text.encode()))
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (f"Seen as sha256:{'a' * 64}, today.", "a" * 64),
        (f"MD5={'b' * 32}", "b" * 32),
        ("It asked URL:hxxp://evil[.]com/x twice.", "hxxp://evil[.]com/x"),
        ("and domain:evil[.]com.", "evil[.]com"),
        ("see [the site](hxxp://evil[.]com/x) of theirs", "hxxp://evil[.]com/x"),
        ("see hxxp[s]://evil[.]com/x of theirs", "hxxp[s]://evil[.]com/x"),
    ],
)
def test_values_close_to_what_they_are_called(line: str, value: str) -> None:
    assert [one.raw for one in reader("text").read(line.encode()) if isinstance(one, RawIndicator)] == [value]


def test_marks_that_are_explained_are_no_values() -> None:
    assert list(reader("text").read(b"Dots are `[.]`, http is hxxp, and a name is cut as in bob[at].")) == []


def test_a_label_above_the_text_holds_for_all_of_it() -> None:
    found = list(reader("text").read(b"TLP:AMBER+STRICT\n\nThey used hxxp://evil[.]com/a.\n"))
    assert [(one.raw, one.tlp) for one in found if isinstance(one, RawIndicator)] == [
        ("hxxp://evil[.]com/a", Tlp.AMBER_STRICT)
    ]
