"""Wallet, phone and YAML lists."""

from __future__ import annotations

import pytest

from hub.errors import InvalidInput, TooLarge
from hub.feeds.readers import RawIndicator, choose, reader, yaml_events
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, canonical, detect

BTC, ETH, BCH = "12HQDsicffSBaYdJ6BhnE22sfjTESmmzKx", "0x" + "4f" * 20, "qpf2cphc5dkuclkqur7lhj2yuqq9pk3hmukle77vhq"


def kinds(name: str, raw: bytes) -> list[Kind]:
    found = [one for one in reader(name).read(raw) if isinstance(one, RawIndicator)]
    return [(canonical(one.kind, one.raw) if one.kind else detect(one.raw)).kind for one in found]


@pytest.mark.parametrize(
    ("filename", "content", "name"),
    [
        ("sanctioned_addresses_XBT.txt", BTC, "wallets"),
        ("sanctioned_addresses_BCH.json", f'[\n "{BCH}"\n]', "wallets"),
        ("xmr_wallets.txt", "4" + "B" * 94, "wallets"),
        ("ip_addresses_EU.txt", "5.6.7.8\n5.6.7.9", "list"),
        ("numbers.txt", "+442079460123\n+442079460124", "phones"),
        ("scam-phones.txt", "442079460123\n442079460124", "phones"),
        ("account_numbers.txt", "55555555\n55555556", "list"),
        ("numbers.txt", "evil.com\nevil.net", "list"),
        ("appid.yaml", "- package: com.spy.mobile\n  name: Spy", "yaml"),
        ("certificates", "- certificate: " + "AB" * 20 + "\n  name: Spy", "yaml"),
        ("iocs", "domains:\n  - evil.com\n  - evil.net\n", "yaml"),
    ],
)
def test_which_reader(filename: str, content: str, name: str) -> None:
    assert choose(content.encode(), filename).name == name


def test_a_wallet_list_holds_wallets_only() -> None:
    hexadecimal = "5be5543ff73456ab9f2d207887e2af87322c651ea1a873c5b25b7ffae456c320"
    assert kinds("wallets", f"{BTC}\n{ETH}\n{BCH}\n# comment\n".encode()) == [Kind.BTC, Kind.ETH, Kind.WALLET]
    with pytest.raises(InvalidInput):
        kinds("wallets", hexadecimal.encode())


def test_the_same_address_on_several_chains_is_one_value() -> None:
    assert canonical(Kind.WALLET, ETH) == canonical(Kind.WALLET, ETH.upper().replace("0X", "0x"))


def test_phones_with_and_without_plus() -> None:
    readings = list(reader("phones").read(b"+902127053327\n902127053327\n07700 900123\n"))
    assert [canonical(one.kind, one.raw).text for one in readings] == ["902127053327"] * 2 + ["447700900123"]


def test_json_arrays() -> None:
    assert kinds("wallets", f'["{BTC}", "{ETH}"]'.encode()) == [Kind.BTC, Kind.ETH]
    with pytest.raises(InvalidInput):
        list(reader("wallets").read(b'["a"'))


def test_yaml_shapes() -> None:
    entries = b"- certificate: " + b"AB" * 20 + b"\n  name: Spy\n- certificate: " + b"CD" * 20 + b"\n  name: Spy\n"
    assert kinds("yaml", entries) == [Kind.SHA1, Kind.SHA1]
    lists = b"---\ndomains:\n  - evil.com\n  - evil.net\nip_addresses: [5.6.7.8]\nnotes: [see the blog post]\n"
    assert kinds("yaml", lists) == [Kind.DOMAIN, Kind.DOMAIN, Kind.IPV4]


def test_packages_are_no_domains() -> None:
    with pytest.raises(InvalidInput, match="list of indicators"):
        list(reader("yaml").read(b"- package: com.mspy.info\n  name: mSpy\n- package: com.android.app\n  name: x\n"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: &x [1]\nb: *x\n", "anchors"),
        ("a: &a [x]\n" + "".join(f"a{n}: &a{n} [*a, *a]\n" for n in range(9)), "anchors"),
        ("- [" * 40, "nested|not valid"),
        ("[" * 5_000, "nested"),
        ("{" * 5_000, "nested|key"),
        ("a: [1, 2\nb: c", "not valid YAML"),
        ("\tbroken: [", "not valid YAML"),
        ("? [a, b]\n: c", "no key"),
    ],
)
def test_bad_yaml_is_refused(content: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        yaml_events.load(content)


def test_tags_stay_text_and_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert yaml_events.load("- !!python/object/apply:os.system [x]\n- 2020-01-01\n- 0x1F") == [
        ["x"],
        "2020-01-01",
        "0x1F",
    ]
    assert yaml_events.load("") == ""
    monkeypatch.setattr(yaml_events, "SIZE_LIMIT", 10)
    with pytest.raises(TooLarge):
        yaml_events.load("a: " + "b" * 20)


def test_a_hash_column_that_goes_on_with_domains() -> None:
    content = b"SHA256\n" + b"ab" * 32 + b"\n keyscratch.com\n"
    assert kinds("csv", content) == [Kind.SHA256, Kind.DOMAIN]


def test_telephone_numbers_as_people_write_them() -> None:
    content = b"(020) 7946 0123\ntel:+442079460124\n+44 20 7946 0125 ext 12\n07700 900126\n447700900127\n"
    assert choose(content, "uk-phone-numbers.txt").name == "phones"


def test_a_label_above_a_named_list_holds() -> None:
    found = list(reader("phones").read(b"# TLP:AMBER\n07700 900126\n"))
    assert [one.tlp for one in found if isinstance(one, RawIndicator)] == [Tlp.AMBER]
