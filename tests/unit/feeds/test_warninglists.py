"""Warning lists: exact, suffix, CIDR and mailbox matching, and what the shipped ones hold."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from hub.errors import InvalidInput
from hub.feeds.readers.reading import RawIndicator
from hub.feeds.sift import Held, Rules, sift
from hub.feeds.warninglists import WarningLists
from hub.settings import CONFIG_FOLDER, load
from hub.stix.values import Kind, Value, detect

SHIPPED = CONFIG_FOLDER / "warninglists"


def lists(**entries: tuple[str, list[str]]) -> WarningLists:
    made = WarningLists()
    for name, (kind, values) in entries.items():
        made.add(name, {"type": kind, "list": values})
    return made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("popular.com", "top"),
        ("www.popular.com", "top"),
        ("sub.popular.com", None),
        ("notpopular.com", None),
        ("https://popular.com/", "top"),
        ("https://www.popular.com", "top"),
        ("https://popular.com/~eve/login.php", None),
        ("https://popular.com/?redirect=x", None),
        ("eve@popular.com", None),
        ("mybank.com", "banks"),
        ("online.mybank.com", "banks"),
        ("mybank.com.evil.net", None),
        ("https://online.mybank.com/", "banks"),
        ("below.dotted.org", "dotted"),
        ("8.8.8.8", "resolvers"),
        ("8.8.8.9", None),
        ("8.8.8.0/24", "resolvers"),
        ("http://8.8.8.8/", "resolvers"),
        ("http://8.8.8.8/payload.exe", None),
        ("203.0.112.77", "net"),
        ("203.0.112.0/28", "net"),
        ("203.0.114.1", None),
        ("2001:4860:4860::8888", "resolvers"),
        ("2001:4860:4860::8889", None),
        ("abuse@anybody.com", "boxes"),
        ("abuser@anybody.com", None),
        ("d41d8cd98f00b204e9800998ecf8427e", "hashes"),
        ("D41D8CD98F00B204E9800998ECF8427F", None),
    ],
)
def test_matching(text: str, found: str | None) -> None:
    made = lists(
        top=("string", ["Popular.com"]),
        banks=("hostname", [".mybank.com"]),
        dotted=("string", [".dotted.org"]),
        resolvers=("cidr", ["8.8.8.8", "2001:4860:4860::8888"]),
        net=("cidr", ["203.0.112.0/23"]),
        boxes=("mailbox", ["abuse@"]),
        hashes=("string", ["d41d8cd98f00b204e9800998ecf8427e"]),
    )
    assert made.hit(detect(text)) == found


def test_a_hit_goes_to_quarantine_with_the_name_of_the_list() -> None:
    rules = Rules(publish_reserved=False, warnings=lists(top=("string", ["popular.com"])))
    held = sift(RawIndicator("line 1", "popular[.]com"), rules)
    assert isinstance(held, Held)
    assert (held.status, held.reason) == ("quarantined", "it is on the warning list top")
    assert sift(RawIndicator("line 2", "other.com"), rules) == Value(Kind.DOMAIN, "other.com")


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"type": "string"},
        {"type": "regex", "list": ["a+"]},
        {"type": "substring", "list": ["a"]},
        {"type": "string", "list": [1]},
        {"type": "string", "list": ["."]},
        {"type": "cidr", "list": ["not a network"]},
    ],
)
def test_what_is_no_list_is_refused(document: object) -> None:
    with pytest.raises(InvalidInput):
        WarningLists().add("bad", document)


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps({"type": "string", "list": ["one.com"]}))
    (tmp_path / "two.json").write_text(json.dumps({"type": "string", "list": ["two.com"]}))
    (tmp_path / "NOTICE").write_text("no list")
    assert WarningLists.in_folder(tmp_path).hit(detect("two.com")) == "two"
    assert WarningLists.in_folder(tmp_path, ["two"]).hit(detect("two.com")) is None
    with pytest.raises(InvalidInput, match="three"):
        WarningLists.in_folder(tmp_path, ["three"])
    with pytest.raises(InvalidInput, match="folder"):
        WarningLists.in_folder(tmp_path / "none")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(InvalidInput, match=r"bad\.json"):
        WarningLists.in_folder(tmp_path)


def test_the_shipped_lists_hold_what_they_should() -> None:
    made = WarningLists.in_folder(SHIPPED)
    expected = {
        "google.com": "cloudflare-top1k",
        "www.hsbc.co.uk": "bank-website",
        "9.9.9.9": "public-resolvers",
        "security@eset.com": "contact-mailboxes",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": "common-ioc-false-positive",
        "208.100.26.229": "sinkholes",
    }
    assert {text: made.hit(detect(text)) for text in expected} == expected
    for text in ("evil.blogspot.com", "eve.github.io", "a.duckdns.org", "https://docs.google.com/forms/d/x"):
        assert made.hit(detect(text)) is None


def test_every_shipped_list_is_in_the_notice() -> None:
    notice = (SHIPPED / "NOTICE").read_text()
    assert all(path.stem in notice for path in SHIPPED.glob("*.json"))


def test_the_settings_name_the_shipped_folder() -> None:
    intake = load().intake
    assert (CONFIG_FOLDER.parent / intake.warninglists).resolve() == SHIPPED
    assert intake.warninglists_off == []


def test_a_look_up_does_not_grow_with_the_list() -> None:
    made = lists(
        names=("hostname", [f"n{number}.com" for number in range(50_000)]),
        nets=("cidr", [f"{a}.{b}.7.0/24" for a in range(20, 60) for b in range(256)]),
    )
    values = [detect(text) for text in ("a.b.c.d.e.n49999.com", "59.255.7.9", "unlisted.com", "59.0.0.0/8")]
    start = time.process_time()
    for _ in range(2_000):
        for value in values:
            made.hit(value)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("northbank.com", True),
        ("www.mail.northbank.com", True),
        ("https://northbank.com/", True),
        ("https://northbank.com/hacked/page", False),
        ("someone@northbank.com", False),
        ("northbank.com.evil.net", False),
        ("notnorthbank.com", False),
    ],
)
def test_a_members_own_site_is_held(text: str, held: bool) -> None:
    rules = Rules(publish_reserved=True, own=frozenset({"northbank.com"}))
    found = sift(RawIndicator("line 1", text), rules)
    assert isinstance(found, Held) == held
    if isinstance(found, Held):
        assert (found.status, found.reason) == ("quarantined", "it belongs to a member of this hub")


def test_other_members_are_other_rules() -> None:
    keys = {Rules(False, own=frozenset(names)).key for names in ((), ("a.com",), ("b.com",), ("a.com", "b.com"))}
    assert len(keys) == 4
