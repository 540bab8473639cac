"""hub.stix.values: one text per value, and the kind told by content."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hub.errors import InvalidInput
from hub.stix.values import MAX_CHARACTERS, Kind, Value, canonical, detect, sort_code_account_of
from hub.stix.values.suffixes import has_known_suffix, is_public_suffix

EIP55 = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
TAPROOT = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"  # BIP 350
SEGWIT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"  # BIP 173
GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
MONERO = (  # the Monero project's donation address
    "888tNkZrPN6JsEgekjMnABU4TBzc2Dt29EPAvkRxbANsAnjyPbb3iQ1YBRk1UXcdRsiKc9dhwMVgN5S9cQUiyoogDavup3H"
)


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        ("domain", "Evil[.]Example[.]COM.", "evil.example.com"),
        ("domain", "4.3.2.1.0.8.b.d.0.1.0.0.2.ip6.arpa", "4.3.2.1.0.8.b.d.0.1.0.0.2.ip6.arpa"),
        ("domain", "_dmarc.name.bit", "_dmarc.name.bit"),
        ("domain", "xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("domain", "MÜNCHEN。de", "xn--mnchen-3ya.de"),
        ("domain", "☃.net", "xn--n3h.net"),
        ("domain", "evil.example:8443", "evil.example"),
        ("domain", "example.github.io", "example.github.io"),
        ("url", "hxxps[:]//user:secret@Evil[.]example/a[.]php?x=1#part", "https://evil.example/a.php?x=1"),
        ("url", "hxxp[://]evil(.)example:80", "http://evil.example/"),
        ("url", "http://evil.example/a[.]php", "http://evil.example/a[.]php"),
        ("url", "http://evil.example./", "http://evil.example/"),
        ("url", "http://[2001:DB8::0:1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("url", "http://0x7f.1/", "http://127.0.0.1/"),
        ("url", "evil.example/login", "http://evil.example/login"),
        ("url", "tcp://user@EVIL.example.:443/#x", "tcp://evil.example:443/"),
        ("ipv4", "198.51.100.7", "198.51.100.7"),
        ("ipv4", "198[.]51[.]100[.]7:4444", "198.51.100.7"),
        ("ipv6", "2001:0DB8:0000::0001", "2001:db8::1"),
        ("ipv6", "[2001:db8::1]:443", "2001:db8::1"),
        ("ipv6", "::FFFF:c633:6407", "::ffff:198.51.100.7"),
        ("ipv4-cidr", "198.51.100.7/24", "198.51.100.0/24"),
        ("ipv6-cidr", "2001:db8::1/32", "2001:db8::/32"),
        ("email", "Bob.Smith+Tag@MÜNCHEN.de", "bob.smith+tag@xn--mnchen-3ya.de"),
        ("email", "mailto:bob[at]evil[.]test", "bob@evil.test"),
        ("email", "Jürgen@example.org", "jürgen@example.org"),
        ("md5", "D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e"),
        ("sha512", " " + "Ab" * 64, "ab" * 64),
        ("btc", GENESIS, GENESIS),
        ("btc", SEGWIT.upper(), SEGWIT),
        ("btc", TAPROOT, TAPROOT),
        ("eth", EIP55, EIP55.lower()),
        ("eth", EIP55[2:], EIP55.lower()),
        ("xmr", MONERO, MONERO),
        ("ltc", "LNf2JDiuunBz7GMDKFYHN4rq5meXWxiwfb", "LNf2JDiuunBz7GMDKFYHN4rq5meXWxiwfb"),
        ("ltc", "3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "3P14159f73E4gFr7JterCCQh9QjiTjiZrG"),
        ("trx", "TBHTJqAy4DhHhmT3dNceJYNRz4SdLofLre", "TBHTJqAy4DhHhmT3dNceJYNRz4SdLofLre"),
        ("wallet", "rnXyVQzgxZe7TR1EPzTkGj2jxH4LMJYh66", "rnXyVQzgxZe7TR1EPzTkGj2jxH4LMJYh66"),
        (
            "wallet",
            "bitcoincash:qpf2cphc5dkuclkqur7lhj2yuqq9pk3hmukle77vhq",
            "qpf2cphc5dkuclkqur7lhj2yuqq9pk3hmukle77vhq",
        ),
        ("phone", "+44 (0)20 7946 0123", "442079460123"),
        ("phone", "020 7946 0123", "442079460123"),
        ("phone", "442079460123", "442079460123"),
        ("phone", "0044 7700-900123", "447700900123"),
        ("phone", "7700900123", "447700900123"),
        ("phone", "tel:+1-202-555-0143;ext=12", "12025550143"),
        ("phone", "+4407890129093", "447890129093"),
        ("iban", "gb33 BUKB 2020 1555 5555 55", "GB33BUKB20201555555555"),
        ("bank-account", "20-20-15 55555555", "20201555555555"),
        ("bank-account", "202015 55555555", "20201555555555"),
        ("bank-account", "20201555555555", "20201555555555"),
        ("bank-account", "20-20-15 5555555", "20201505555555"),
        ("bank-account", "20-20-15 / 555555", "20201500555555"),
        ("company", "sc 1234", "SC001234"),
        ("company", "1234567", "01234567"),
        ("company", "R12", "R0000012"),
        ("company", "ip12345r", "IP12345R"),
        ("social-handle", "Telegram:@Bob", "telegram:bob"),
        ("user-agent", " curl/8.5.0\n", "curl/8.5.0"),
        ("vehicle", "ab12 cde", "AB12CDE"),
        ("asn", "AS64496", "64496"),
        ("ja3", "E7D705A3286E19EA42F587B344EE6865", "e7d705a3286e19ea42f587b344ee6865"),
    ],
)
def test_canonical_text(kind: str, raw: str, expected: str) -> None:
    assert canonical(Kind(kind), raw) == Value(Kind(kind), expected)


@pytest.mark.parametrize(
    ("asked", "raw", "expected"),
    [
        ("domain", "198.51.100.7:80", Value(Kind.IPV4, "198.51.100.7")),
        ("domain", "2001:db8::1", Value(Kind.IPV6, "2001:db8::1")),
        ("ipv4", "2001:db8::1", Value(Kind.IPV6, "2001:db8::1")),
        ("ipv4-cidr", "198.51.100.7/32", Value(Kind.IPV4, "198.51.100.7")),
        ("ipv6-cidr", "2001:db8::1/128", Value(Kind.IPV6, "2001:db8::1")),
        ("sha256", "d41d8cd98f00b204e9800998ecf8427e", Value(Kind.MD5, "d41d8cd98f00b204e9800998ecf8427e")),
        ("wallet", GENESIS, Value(Kind.BTC, GENESIS)),
    ],
)
def test_the_content_decides_the_nearer_kind(asked: str, raw: str, expected: Value) -> None:
    assert canonical(Kind(asked), raw) == expected


@pytest.mark.parametrize(
    ("kind", "raw", "reason"),
    [
        ("domain", "co.uk", "public suffix"),
        ("domain", "anything.ck", "public suffix"),
        ("domain", "*.evil.example", "wildcard"),
        ("domain", "evil", "two labels"),
        ("domain", "a..example", "empty label"),
        ("domain", f"{'a' * 64}.example", "63"),
        ("domain", ".".join(["a" * 60] * 5), "253"),
        ("domain", "1.2.3.4.5", "number"),
        ("domain", "evil.example:99999", "characters"),
        ("domain", "\ud800.example", "is not a domain name"),
        ("url", "javascript:alert(1)", "is not a URL"),
        ("url", "file:///etc/passwd", "no network"),
        ("url", "http://", "is not a URL"),
        ("url", "http://a b.example/", "is not a URL"),
        ("url", "http://a..example/", "no valid host"),
        ("url", "http://evil.example/\ud800", "is not a URL"),
        ("url", "http://evil.example/" + "é" * 4000, "longer"),
        ("ipv4", "198.51.100.07", "is not an IP address"),
        ("ipv4", "198.51.100", "is not an IP address"),
        ("ipv6", "fe80::1%eth0", "is not an IP address"),
        ("ipv4-cidr", "198.51.100.0/33", "is not an IP address"),
        ("email", "bob@198.51.100.7", "of a domain"),
        ("email", "bob", "is not an e-mail address"),
        ("email", "a..b@evil.example", "before @"),
        ("sha1", "0x" + "ab" * 20, "is not an MD5"),
        ("btc", GENESIS[:-1] + "b", "valid BTC"),
        ("btc", TAPROOT[:-1] + "q", "valid BTC"),
        ("xmr", MONERO[:-1] + "J", "valid XMR"),
        ("eth", EIP55[:-1] + "D", "valid ETH"),
        ("ltc", GENESIS, "valid LTC"),
        ("wallet", "d41d8cd98f00b204e9800998ecf8427e", "is not a wallet"),
        ("wallet", EIP55[:-1] + "D", "EIP-55"),
        ("phone", "12", "possible telephone"),
        ("phone", "call me", "is not a telephone"),
        ("iban", "GB34BUKB20201555555555", "check digits"),
        ("iban", "GB33BUKB2020155555555ß", "is not an IBAN"),
        ("bank-account", "20-20-15", "sort code"),
        ("company", "XX123456", "company number"),
        ("company", "00000000", "company number"),
        ("social-handle", "bob", "platform"),
        ("social-handle", "telegram:", "account name"),
        ("user-agent", "  ", "user agent"),
        ("vehicle", "1234", "vehicle"),
        ("asn", "AS4294967296", "autonomous"),
        ("ja3", "e7d7", "JA3"),
    ],
)
def test_refused_with_a_reason(kind: str, raw: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        canonical(Kind(kind), raw)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("card", ["4111 1111 1111 1111", "4242424242424242", "3782-822463-10005"])
def test_a_card_number_is_refused_and_never_repeated(kind: Kind, card: str) -> None:
    raws = [card]
    if kind is not Kind.URL:  # a URL's path may hold any digits; only the text beside them matters there
        raws.append(f"number {card} of the card")
    for raw in raws:
        with pytest.raises(InvalidInput) as refused:
            canonical(kind, raw)
        told = f"{refused.value} {refused.value.advice}"
        assert "1111" not in told
        assert "4242" not in told
        assert "8224" not in told


def test_a_sort_code_with_an_account_may_look_like_a_card() -> None:
    # 14 digits with a Diners Club prefix and a Luhn check digit that holds.
    assert canonical(Kind.BANK_ACCOUNT, "30-56-93 09025904").text == "30569309025904"
    with pytest.raises(InvalidInput, match="card"):
        detect("30569309025904")
    assert detect("30-56-93 09025904") == Value(Kind.BANK_ACCOUNT, "30569309025904")


def test_messages_stay_short() -> None:
    with pytest.raises(InvalidInput) as refused:
        canonical(Kind.DOMAIN, "x" * MAX_CHARACTERS)
    assert refused.value.message.count("x") <= 80
    with pytest.raises(InvalidInput, match="longer than 8192"):
        canonical(Kind.USER_AGENT, "x" * (MAX_CHARACTERS + 1))
    with pytest.raises(InvalidInput, match="longer than 8192"):
        detect("x" * (MAX_CHARACTERS + 1))


@pytest.mark.parametrize("raw", [None, b"evil.example", 7, ["evil.example"]])
def test_only_text_is_a_value(raw: Any) -> None:
    with pytest.raises(InvalidInput):
        canonical(Kind.DOMAIN, raw)
    with pytest.raises(InvalidInput):
        detect(raw)


@pytest.mark.parametrize(
    ("raw", "kind", "text"),
    [
        ("evil.example", Kind.DOMAIN, "evil.example"),
        ("Evil[.]example", Kind.DOMAIN, "evil.example"),
        ("evil dot co dot uk", Kind.DOMAIN, "evil.co.uk"),
        ("evil.com:8080", Kind.DOMAIN, "evil.com"),
        ("evil.com/login", Kind.URL, "http://evil.com/login"),
        ("198.51.100.7:8080/login", Kind.URL, "http://198.51.100.7:8080/login"),
        ("hxxps://evil[.]com", Kind.URL, "https://evil.com/"),
        ("http://evil.com/a[.]php", Kind.URL, "http://evil.com/a[.]php"),
        ("198.51.100.7", Kind.IPV4, "198.51.100.7"),
        ("198.51.100.7:443", Kind.IPV4, "198.51.100.7"),
        ("198.51.100.0/24", Kind.IPV4_CIDR, "198.51.100.0/24"),
        ("2001:db8::/32", Kind.IPV6_CIDR, "2001:db8::/32"),
        ("[2001:db8::1]:443", Kind.IPV6, "2001:db8::1"),
        ("bob(at)evil(dot)com", Kind.EMAIL, "bob@evil.com"),
        ("AB" * 16, Kind.MD5, "ab" * 16),
        ("ab" * 20, Kind.SHA1, "ab" * 20),
        ("0x" + "ab" * 20, Kind.ETH, "0x" + "ab" * 20),
        (EIP55, Kind.ETH, EIP55.lower()),
        (TAPROOT, Kind.BTC, TAPROOT),
        ("XnPFsRWTaSgiVauosEwQ6dEitGYXgwznz2", Kind.WALLET, "XnPFsRWTaSgiVauosEwQ6dEitGYXgwznz2"),
        ("GB33 BUKB 2020 1555 5555 55", Kind.IBAN, "GB33BUKB20201555555555"),
        ("20-20-15 55555555", Kind.BANK_ACCOUNT, "20201555555555"),
        ("07700 900123", Kind.PHONE, "447700900123"),
        ("+44 20 7946 0123", Kind.PHONE, "442079460123"),
        ("00442079460123", Kind.PHONE, "442079460123"),
        ("as64496", Kind.ASN, "64496"),
    ],
)
def test_detect(raw: str, kind: Kind, text: str) -> None:
    assert detect(raw) == Value(kind, text)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "evil.exe",
        "report.doc",
        "com.android.vending",
        "kernel32.dll",
        "co.uk",
        "name.unknowntld",
        "hello world",
        "12:34:56",
        "01-02-2024",
        "0.1234567890",
        "7700900123",
        "20201555555555",
        "abc123",
        GENESIS[:-1] + "b",
        EIP55[:-1] + "D",
        "GB34BUKB20201555555555",
        "evil.exe/x",
        "4111-1111-1111-1111",
        "\ud800",
    ],
)
def test_detect_takes_nothing_by_chance(raw: str) -> None:
    with pytest.raises(InvalidInput):
        detect(raw)


def test_a_british_iban_holds_a_sort_code_and_an_account() -> None:
    iban = canonical(Kind.IBAN, "GB33BUKB20201555555555")
    assert sort_code_account_of(iban) == canonical(Kind.BANK_ACCOUNT, "20-20-15 55555555")
    assert sort_code_account_of(canonical(Kind.IBAN, "DE89370400440532013000")) is None
    assert sort_code_account_of(Value(Kind.DOMAIN, "evil.example")) is None


def test_suffixes() -> None:
    assert is_public_suffix("co.uk")
    assert is_public_suffix("x.ck")
    assert not is_public_suffix("www.ck")
    assert not is_public_suffix("github.io")
    assert is_public_suffix("xn--55qx5d.cn")
    assert has_known_suffix("evil.onion")
    assert not has_known_suffix("evil.exe")


def test_nothing_asks_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    for raw in ("evil.co.uk", "bob@evil.co.uk", "http://evil.co.uk/", "+442079460123", GENESIS):
        detect(raw)


def test_slow_libraries_wait_until_they_are_needed() -> None:
    program = (
        "import sys\n"
        "from hub.stix.values import Kind, canonical, detect\n"
        "detect('evil.co.uk'), detect('ab' * 32), detect('0x' + 'ab' * 20), detect('http://evil.co.uk/')\n"
        "loaded = {'bip_utils', 'schwifty', 'phonenumbers', 'tldextract'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[3])


def test_every_sanctioned_address_is_recognised(shared_data: Path) -> None:
    found = {
        file.stem.rpartition("_")[2]: {detect(line).kind for line in file.read_text().split()}
        for file in (shared_data / "ofac-sdn-crypto").glob("*.txt")
        if not file.name.startswith("LICENSE")
    }
    assert found["ETH"] == {Kind.ETH}
    assert found["LTC"] == {Kind.LTC}
    assert found["TRX"] == {Kind.TRX}
    assert found["XBT"] == {Kind.BTC, Kind.TRX}  # one is filed under the wrong chain
    assert found["XMR"] == {Kind.XMR, Kind.SHA256}  # one is a payment id
    for chain in ("BTG", "DASH", "XRP", "XVG", "ZEC"):
        assert found[chain] == {Kind.WALLET}


def test_feeds_are_read_without_loss(shared_data: Path) -> None:
    addresses = (shared_data / "tor-exit" / "tor-exit-nodes.lst").read_text().split()
    assert {detect(line).kind for line in addresses} == {Kind.IPV4, Kind.IPV6}
    domains = (shared_data / "disposable-email-domains" / "disposable_email_blocklist.conf").read_text().split()
    assert {detect(line) for line in domains} == {Value(Kind.DOMAIN, line) for line in domains}
    phones = (shared_data / "spam-numbers-tr" / "numbers.txt").read_text().split()
    assert {detect(line).text for line in phones} == {line.removeprefix("+") for line in phones}
    accounts = json.loads((shared_data / "polkadot-js-phishing" / "address.json").read_text())
    kinds = {detect(account).kind for owned in accounts.values() for account in owned}
    assert kinds == {Kind.WALLET}


@pytest.mark.parametrize("text", ["198.51.100.7/33", "198.51.100.0/999"])
def test_a_network_with_too_long_a_prefix_is_no_page(text: str) -> None:
    with pytest.raises(InvalidInput, match="no network"):
        detect(text)
    assert detect(f"http://{text}").kind is Kind.URL
