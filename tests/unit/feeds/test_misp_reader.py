"""MISP events and feeds."""

from __future__ import annotations

import io
import json
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.errors import InvalidInput, TooLarge
from hub.feeds.readers import RawIndicator, Reading, Unread, choose, opened
from hub.feeds.readers.misp import MispEvents
from hub.feeds.readers.misp_feed import MispFeed, events_in, is_feed, packed, read_feed
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, canonical, detect

MISP = MispEvents()
UUID = "2c0c0a1e-5a3d-4b51-9c1c-000000000001"
OTHER = "2c0c0a1e-5a3d-4b51-9c1c-000000000002"


def attribute(kind: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"type": kind, "value": value, "to_ids": True, "category": "Other", **more}


def event(*attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Event": {"uuid": UUID, "info": "An event", "Orgc": {"name": "x"}, "Attribute": list(attributes), **more}}


def tags(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def read(document: Any) -> list[Reading]:
    return list(MISP.read(json.dumps(document).encode()))


def only(document: Any) -> RawIndicator:
    (found,) = read(document)
    assert isinstance(found, RawIndicator)
    return found


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("domain", "bad.example", [(Kind.DOMAIN, "bad.example")]),
        ("hostname|port", "bad.example|8080", [(Kind.DOMAIN, "bad.example")]),
        ("domain|ip", "bad.example|192.0.2.7", [(Kind.DOMAIN, "bad.example"), (Kind.IPV4, "192.0.2.7")]),
        ("ip-dst", "2001:db8::7", [(Kind.IPV6, "2001:db8::7")]),
        ("ip-src|port", "192.0.2.7|443", [(Kind.IPV4, "192.0.2.7")]),
        ("ip-dst", "192.0.2.0/24", [(Kind.IPV4_CIDR, "192.0.2.0/24")]),
        ("url", "http://bad.example/a", [(Kind.URL, "http://bad.example/a")]),
        ("email-src", "a@bad.example", [(Kind.EMAIL, "a@bad.example")]),
        ("filename|sha1", "a|b.exe|" + "A" * 40, [(Kind.SHA1, "a" * 40)]),
        ("malware-sample", "a.exe|" + "0" * 32, [(Kind.MD5, "0" * 32)]),
        ("btc", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", [(Kind.BTC, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT")]),
        ("iban", "GB33 BUKB 2020 1555 5555 55", [(Kind.IBAN, "GB33BUKB20201555555555")]),
        ("bank-account-nr", "GB33BUKB20201555555555", [(Kind.IBAN, "GB33BUKB20201555555555")]),
        ("bank-account-nr", "20-20-15 55555555", [(Kind.BANK_ACCOUNT, "20201555555555")]),
        ("phone-number", "+44 20 7946 0123", [(Kind.PHONE, "442079460123")]),
        ("twitter-id", "@Bob", [(Kind.SOCIAL_HANDLE, "twitter:bob")]),
        ("AS", "AS64496", [(Kind.ASN, "64496")]),
        ("user-agent", "Bad/1.0", [(Kind.USER_AGENT, "Bad/1.0")]),
    ],
)
def test_types(kind: str, value: str, expected: list[tuple[Kind, str]]) -> None:
    found = read(event(attribute(kind, value)))
    values = [canonical(one.kind, one.raw) for one in found if isinstance(one, RawIndicator) and one.kind]
    assert [(one.kind, one.text) for one in values] == expected


def test_a_url_attribute_that_holds_a_bare_host_is_read_as_the_host() -> None:
    found = only(event(attribute("url", "www.bad-host.com ")))
    assert found.kind is None
    assert detect(found.raw).kind is Kind.DOMAIN


@pytest.mark.parametrize("flag", [False, None, 0, "0", "false", [], {}])
def test_what_is_not_for_detection_is_no_indicator(flag: Any) -> None:
    (found,) = read(event(attribute("domain", "bad.example", to_ids=flag)))
    assert isinstance(found, Unread)
    assert "to_ids" in found.reason


@pytest.mark.parametrize("flag", [True, 1, "1", "true"])
def test_flags_of_older_instances(flag: Any) -> None:
    assert only(event(attribute("domain", "bad.example", to_ids=flag))).raw == "bad.example"


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (attribute("regkey", "HKLM\\Run"), "MISP type regkey has no indicator form"),
        (attribute("x509-fingerprint-sha1", "a" * 40), "MISP type x509-fingerprint-sha1 has no indicator form"),
        (attribute("domain", "bad.example", deleted=True), "deleted upstream"),
        (attribute("domain", ""), "the attribute has no value"),
        (attribute("domain", {"a": 1}), "the attribute has no value"),
        ({"value": "bad.example", "to_ids": True}, "MISP type that is missing has no indicator form"),
        (attribute("filename|md5", "a|"), "a part of the filename|md5 value is missing"),
        (attribute("cc-number", "4111111111111111"), "a payment card number, which is never taken"),
    ],
)
def test_every_attribute_that_stays_out_says_why(one: dict[str, Any], reason: str) -> None:
    (found,) = read(event(one))
    assert isinstance(found, Unread)
    assert found.reason == reason
    assert "4111" not in found.raw


def test_the_strictest_label_of_event_object_and_attribute_holds() -> None:
    plain, strict = attribute("domain", "a.example"), attribute("domain", "b.example", Tag=tags("tlp:amber+strict"))
    inner = attribute("iban", "GB33BUKB20201555555555", Tag=tags("tlp:white"))
    document = event(plain, strict, Object=[{"name": "bank-account", "Attribute": [inner], "Tag": tags("tlp:amber")}])
    document["Event"]["Tag"] = tags("tlp:green", "phishing")
    found = [one for one in read(document) if isinstance(one, RawIndicator)]
    assert [one.tlp for one in found] == [Tlp.GREEN, Tlp.AMBER_STRICT, Tlp.AMBER]
    assert all(one.labels == ("phishing",) for one in found)


def test_a_label_in_unknown_words_never_widens() -> None:
    assert only(event(attribute("domain", "a.example"), Tag=tags("tlp:unclear"))).tlp is Tlp.AMBER_STRICT


def test_tags_become_plain_labels() -> None:
    names = ('misp-galaxy:mitre-attack-pattern="Phishing - T1566"', "kill-chain:Delivery", "x" * 100, 'osint:a="b"')
    assert only(event(attribute("domain", "a.example", Tag=tags(*names)))).labels == (
        "phishing - t1566",
        "kill-chain:delivery",
        "x" * 64,
        'osint:a="b"',
    )


@pytest.mark.parametrize(
    ("more", "legitimate"),
    [
        ({"Tag": tags('false-positive:risk="high"')}, True),
        ({"Tag": tags('false-positive:risk="low"')}, False),
        ({"Tag": tags('false-positive:confirmed="true"')}, True),
        ({"warnings": [{"match": "Top 1000"}]}, True),
        ({"Sighting": [{"type": "0"}, {"type": "1"}]}, True),
        ({"Sighting": [{"type": "0"}]}, False),
    ],
)
def test_marks_of_false_positives(more: dict[str, Any], legitimate: bool) -> None:
    assert only(event(attribute("domain", "a.example", **more))).legitimate is legitimate


def test_times() -> None:
    seen = {"first_seen": "2026-01-01T00:00:00+01:00", "last_seen": "2026-02-01T00:00:00.000000+00:00"}
    found = only(event(attribute("domain", "a.example", timestamp="1767225600", **seen)))
    assert (found.first_seen, found.last_seen) == ("2025-12-31T23:00:00Z", "2026-02-01T00:00:00Z")
    changed = only(event(attribute("domain", "a.example", timestamp="1767225600")))
    assert (changed.first_seen, changed.last_seen) == ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
    never = only(event(attribute("domain", "a.example", timestamp="99999999999999999999")))
    assert (never.first_seen, never.last_seen) == (None, None)


def test_a_uk_account_number_is_completed_by_the_sort_code_of_its_object() -> None:
    parts = [
        {"type": "text", "object_relation": "sort-code", "value": "20-20-15", "to_ids": False},
        attribute("bank-account-nr", "55555555", object_relation="account"),
    ]
    found = read(event(Object=[{"name": "bank-account", "Attribute": parts}]))
    assert isinstance(found[1], RawIndicator)
    assert canonical(Kind.BANK_ACCOUNT, found[1].raw).text == "20201555555555"


@pytest.mark.parametrize(
    "document",
    [
        event(attribute("domain", "a.example")),
        [event(attribute("domain", "a.example"))],
        {"response": [event(attribute("domain", "a.example"))]},
        {"response": event(attribute("domain", "a.example"))},
        {"response": {"Attribute": [attribute("domain", "a.example")]}},
        {"response": [{"Object": {"name": "x", "Attribute": [attribute("domain", "a.example")]}}]},
        event(attribute("domain", "a.example"))["Event"],
    ],
)
def test_forms_of_the_document(document: Any) -> None:
    assert only(document).raw == "a.example"
    assert choose(json.dumps(document).encode()).name == "misp"


def test_places() -> None:
    document = event(attribute("domain", "a.example"), Object=[{"Attribute": [attribute("domain", "b.example")]}])
    assert [one.where for one in read(document)] == [
        f"event {UUID}, attribute 1",
        f"event {UUID}, object 1, attribute 1",
    ]


@pytest.mark.parametrize("document", [{}, [], 7, "x", {"Event": 7}, {"response": {}}, {"response": [1, None]}])
def test_what_holds_no_event_is_refused(document: Any) -> None:
    with pytest.raises(InvalidInput):
        read(document)


@pytest.mark.parametrize(
    "broken", [7, "x", None, [1], {"Attribute": 5}, {"Tag": 5, "Attribute": [5, {"Tag": [5, {}]}]}]
)
def test_wrong_types_inside_are_passed_over(broken: Any) -> None:
    found = read(event(attribute("domain", "a.example"), Object=[broken], Tag=broken))
    assert isinstance(found[0], RawIndicator)


def test_truncated_json_names_the_place() -> None:
    with pytest.raises(InvalidInput) as refused:
        list(MISP.read(b'{"Event": {"Attribute": [\n{"type": "domain"'))
    assert "line 2" in str(refused.value)


def test_many_attributes_take_linear_time() -> None:
    one = json.dumps(attribute("domain", "a.example", Tag=tags("tlp:green"))).encode()
    raw = b'{"Event": {"Attribute": [' + b",".join([one] * 100_000) + b"]}}"
    started = time.monotonic()
    assert sum(isinstance(reading, RawIndicator) for reading in MISP.read(raw)) == 100_000
    assert time.monotonic() - started < 30


MANIFEST: dict[str, Any] = {
    UUID: {"info": "a", "Orgc": {"name": "x"}, "timestamp": 5},
    OTHER: {"info": "b", "timestamp": "6"},
}


def test_a_manifest_alone_is_refused_with_advice() -> None:
    raw = json.dumps(MANIFEST).encode()
    assert choose(raw).name == "misp"
    with pytest.raises(InvalidInput, match="manifest") as refused:
        list(MISP.read(raw))
    assert refused.value.advice
    assert events_in(raw) == {UUID: "5", OTHER: "6"}


def test_a_feed_survives_missing_and_broken_events() -> None:
    files = {f"{OTHER}.json": b"{", f"{UUID}.json": json.dumps(event(attribute("domain", "a.example"))).encode()}
    listed = {"not-a-uuid/../../../../../../etc/hosts": {"info": "c"}}
    asked: list[str] = []

    def fetch(name: str) -> bytes | None:
        asked.append(name)
        return files.get(name)

    missing = "2c0c0a1e-5a3d-4b51-9c1c-000000000003"
    manifest = json.dumps(MANIFEST | {missing: {"info": "d"}}).encode()
    found = list(read_feed(manifest, fetch))
    assert [type(one) for one in found] == [RawIndicator, Unread, Unread]
    assert isinstance(found[1], Unread)
    assert "cannot be read" in found[1].reason
    with pytest.raises(InvalidInput):
        list(read_feed(json.dumps(listed).encode(), fetch))
    odd = {"../" * 12: {"info": "c"}}
    assert [type(one) for one in read_feed(json.dumps(odd).encode(), fetch)] == [Unread]
    assert asked == [f"{UUID}.json", f"{OTHER}.json", f"{missing}.json"]


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"a": 1}', b'"x"'])
def test_what_is_no_manifest_is_refused_before_anything_is_fetched(raw: bytes) -> None:
    def fetch(name: str) -> bytes | None:
        raise AssertionError(name)

    with pytest.raises(InvalidInput):
        list(read_feed(raw, fetch))


def test_an_empty_manifest_lists_nothing() -> None:
    assert events_in(b"{}") == {}


def feed_files() -> dict[str, bytes]:
    return {
        "manifest.json": json.dumps({UUID: {"info": "a", "timestamp": "5"}}).encode(),
        f"{UUID}.json": json.dumps(event(attribute("domain", "a.example"))).encode(),
        f"{OTHER}.json": json.dumps(event(attribute("domain", "not-listed.example"))).encode(),
        "hashes.csv": f"{'0' * 32},{UUID}\n".encode(),
    }


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def gzipped_tar(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("passwd.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return made.getvalue()


@pytest.mark.parametrize("pack", [zipped, gzipped_tar])
@pytest.mark.parametrize("folder", ["", "feed/", "a/b/"])
def test_a_whole_feed_in_one_archive(pack: Callable[[dict[str, bytes]], bytes], folder: str) -> None:
    raw = opened(pack({folder + name: content for name, content in feed_files().items()}))
    reader = choose(raw, "feed.zip")
    assert reader.name == "misp-feed"
    [only] = reader.read(raw)
    assert isinstance(only, RawIndicator)
    assert (only.raw, only.where) == ("a.example", f"event {UUID}, attribute 1")


def test_a_folder_is_the_same_feed(tmp_path: Path) -> None:
    for name, content in feed_files().items():
        (tmp_path / name).write_bytes(content)
    assert is_feed(tmp_path)
    assert [one.raw for one in MispFeed().read(packed(tmp_path)) if isinstance(one, RawIndicator)] == ["a.example"]
    (tmp_path / "manifest.json").unlink()
    assert not is_feed(tmp_path)


def test_the_table_of_hashes_alone_is_no_feed() -> None:
    reader = choose(feed_files()["hashes.csv"], "hashes.csv")
    assert reader.name == "misp-feed"
    with pytest.raises(InvalidInput) as refused:
        list(reader.read(feed_files()["hashes.csv"]))
    assert refused.value.advice


def test_other_archives_of_several_files_are_refused() -> None:
    with pytest.raises(InvalidInput, match="2 files"):
        opened(zipped({"a.txt": b"a", "b.txt": b"b"}))
    with pytest.raises(InvalidInput, match="no MISP feed"):
        list(MispFeed().read(opened(gzipped_tar({"a.txt": b"a"}))))
    with pytest.raises(InvalidInput):
        list(MispFeed().read(opened(gzipped_tar(feed_files()))[:700]))


def test_a_feed_that_unpacks_to_too_much_is_refused() -> None:
    files = feed_files() | {f"{n}.json": bytes(1_000_000) for n in range(30)}
    with pytest.raises(TooLarge):
        opened(zipped(files), 5_000_000)
    with pytest.raises(TooLarge):
        opened(zipped(files))
    with pytest.raises(TooLarge):
        opened(gzipped_tar(files), 5_000_000)


@pytest.mark.parametrize(
    ("tag", "phase"),
    [
        ("kill-chain:Delivery", ("lockheed-martin-cyber-kill-chain", "delivery")),
        ("kill-chain:Command and Control", ("lockheed-martin-cyber-kill-chain", "command-and-control")),
        ('misp-galaxy:mitre-attack-tactic="Initial Access - TA0001"', ("mitre-attack", "initial-access")),
        ("mitre-attack:defense-evasion", ("mitre-attack", "defense-evasion")),
        ("mitre-f3:monetization", ("mitre-f3", "monetization")),
        ('misp-galaxy:mitre-attack-pattern="Phishing - T1566"', None),
        ("kill-chain:", None),
    ],
)
def test_kill_chain_phases(tag: str, phase: tuple[str, str] | None) -> None:
    tagged = event(attribute("domain", "a.example", Tag=[{"name": "tlp:green"}]))
    tagged["Event"]["Tag"] = [{"name": tag}]
    [found] = MISP.read(json.dumps(tagged).encode())
    assert isinstance(found, RawIndicator)
    assert found.kill_chain_phases == ((phase,) if phase else ())
