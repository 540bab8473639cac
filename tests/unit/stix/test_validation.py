"""One fault at a time in good objects, and good objects of every origin."""

from __future__ import annotations

import copy
import json
import time
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import stix2

from hub.errors import InvalidInput
from hub.stix.canonical import parse_json
from hub.stix.validation import _schema_ids, check

UUID = "3f1b6c0e-8f0d-4f52-9a0f-3f5d9b7c1a10"
TIME = "2026-11-20T09:00:00.000Z"
DAY = "2026-11-20T09:00:00Z"
IDENTITY = f"identity--{UUID}"
MARKING = f"marking-definition--{UUID}"
INDICATOR = f"indicator--{UUID}"
EXTENSION = "extension-definition--9b0f7c86-7d3c-4f0e-9c55-2f6f3c8f5a11"


class Removed(Enum):
    """What stands for a property that is taken away."""

    REMOVED = "removed"


LEFT_OUT = Removed.REMOVED


def versioned(object_type: str, **properties: Any) -> dict[str, Any]:
    common = {"type": object_type, "spec_version": "2.1", "id": f"{object_type}--{UUID}"}
    return {**common, "created": TIME, "modified": TIME, **properties}


def observable(object_type: str, **properties: Any) -> dict[str, Any]:
    return {"type": object_type, "spec_version": "2.1", "id": f"{object_type}--{UUID}", **properties}


GOOD: dict[str, dict[str, Any]] = {
    "indicator": versioned(
        "indicator",
        created_by_ref=IDENTITY,
        name="Mule account (APP fraud)",
        description="Account named in 3 APP scam reports",
        indicator_types=["malicious-activity"],
        pattern="[url:value = 'https://hmrc-refund.example/pay']",
        pattern_type="stix",
        pattern_version="2.1",
        valid_from=DAY,
        valid_until="2026-12-20T09:00:00Z",
        confidence=72,
        lang="en-GB",
        revoked=False,
        labels=["app-fraud"],
        kill_chain_phases=[{"kill_chain_name": "mitre-f3", "phase_name": "execution"}],
        external_references=[
            {"source_name": "cve", "external_id": "CVE-2026-12345", "hashes": {"MD5": "a" * 32}},
            {"source_name": "report", "url": "https://a.example/"},
        ],
        object_marking_refs=[MARKING],
        granular_markings=[
            {"selectors": ["description", "labels.[0]"], "marking_ref": MARKING},
            {"selectors": ["external_references.[0].hashes.MD5"], "lang": "fr"},
        ],
        extensions={
            EXTENSION: {
                "extension_type": "property-extension",
                "profile": "hub-prov-1",
                "set": ["confidence"],
                "orig": {"confidence": 60},
                "seed": "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8",
                "claim": "eyJhbGciOiJFZDI1NTE5Iiwi",
                "receipt": "eyJhbGciOiJFZDI1NTE5Iiwi",
            }
        },
    ),
    "malware": versioned(
        "malware",
        name="Dridex",
        is_family=True,
        first_seen=DAY,
        last_seen=DAY,
        sample_refs=[f"file--{UUID}"],
        operating_system_refs=[f"software--{UUID}"],
    ),
    "relationship": versioned(
        "relationship",
        relationship_type="indicates",
        source_ref=INDICATOR,
        target_ref=f"malware--{UUID}",
        start_time=DAY,
        stop_time="2026-11-20T09:00:00.001Z",
    ),
    "sighting": versioned(
        "sighting",
        sighting_of_ref=INDICATOR,
        where_sighted_refs=[IDENTITY, f"location--{UUID}"],
        observed_data_refs=[f"observed-data--{UUID}"],
        first_seen=DAY,
        last_seen=DAY,
        count=3,
    ),
    "observed-data": versioned(
        "observed-data",
        first_observed=DAY,
        last_observed=DAY,
        number_observed=1,
        object_refs=[f"url--{UUID}", f"relationship--{UUID}"],
    ),
    "opinion": versioned("opinion", opinion="disagree", object_refs=[INDICATOR]),
    "note": versioned("note", content="Seen twice", object_refs=[INDICATOR]),
    "location": versioned("location", latitude=51.5, longitude=-0.1, precision=1000.0),
    "report": versioned("report", name="Weekly", published=DAY, object_refs=[INDICATOR]),
    "identity": versioned("identity", name="A bank", identity_class="organization"),
    "statement": {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": MARKING,
        "created": DAY,
        "definition_type": "statement",
        "definition": {"statement": "For anti-fraud use only"},
    },
    "tlp 2.0": {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        "created": "2022-10-01T00:00:00.000Z",
        "name": "TLP:AMBER",
        "extensions": {
            "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
                "extension_type": "property-extension",
                "tlp_2_0": "amber",
            }
        },
    },
    "extension-definition": versioned(
        "extension-definition",
        created_by_ref=IDENTITY,
        name="Provenance",
        schema="https://hub.example/schema.json",
        version="1.0.0",
        extension_types=["property-extension"],
    ),
    "language-content": versioned(
        "language-content", object_ref=INDICATOR, object_modified=TIME, contents={"de": {"name": "Konto"}}
    ),
    "file": observable(
        "file",
        name="a.exe",
        hashes={"SHA-256": "c" * 64},
        mtime=DAY,
        parent_directory_ref=f"directory--{UUID}",
        extensions={"windows-pebinary-ext": {"pe_type": "exe", "time_date_stamp": DAY}},
    ),
    "url": observable("url", value="https://a.example/"),
    "ipv4-addr": observable("ipv4-addr", value="192.0.2.0/24", belongs_to_refs=[f"autonomous-system--{UUID}"]),
    "ipv6-addr": observable("ipv6-addr", value="2001:db8::1"),
    "domain-name": observable("domain-name", value="a.example", resolves_to_refs=[f"ipv4-addr--{UUID}"]),
    "network-traffic": observable(
        "network-traffic",
        protocols=["tcp"],
        dst_ref=f"domain-name--{UUID}",
        dst_port=443,
        start=DAY,
        end=DAY,
        is_active=False,
    ),
    "email-message": observable("email-message", is_multipart=False, from_ref=f"email-addr--{UUID}", date=DAY),
    "bank-account": observable(
        "bank-account",
        account_number="20201555555555",
        extensions={"extension-definition--f19f3291-6a84-5674-b311-d75a925d5bd9": {"extension_type": "new-sco"}},
    ),
    "x-case": versioned("x-case", x_number="12/34", details={"opened": DAY}),
    "x-thing": {"type": "x-thing", "id": f"x-thing--{UUID}", "value": "y"},
}

# (object, property or path of keys, value there, where the fault is named)
FAULTS: list[tuple[str, tuple[str | int, ...], Any, str]] = [
    ("indicator", ("type",), LEFT_OUT, "type"),
    ("indicator", ("type",), 5, "type"),
    ("indicator", ("type",), "indicatr", "type"),
    ("indicator", ("type",), "bundle", "type"),
    ("indicator", ("spec_version",), LEFT_OUT, "spec_version"),
    ("indicator", ("spec_version",), "2.0", "spec_version"),
    ("indicator", ("spec_version",), "2.2", "spec_version"),
    ("indicator", ("id",), LEFT_OUT, "id"),
    ("indicator", ("id",), "indicator--1", "id"),
    ("indicator", ("id",), f"malware--{UUID}", "id"),
    ("indicator", ("id",), "indicator--3f1b6c0e-8f0d-4f52-7a0f-3f5d9b7c1a10", "id"),
    ("indicator", ("id",), "indicator--3f1b6c0e-8f0d-0f52-9a0f-3f5d9b7c1a10", "id"),
    ("indicator", ("id",), f"{INDICATOR}\n", "id"),
    ("indicator", ("created",), LEFT_OUT, "created"),
    ("indicator", ("created",), "2026-11-20T09:00:00Z", "created"),
    ("indicator", ("created",), "2026-11-20T09:00:00.000+00:00", "created"),
    ("indicator", ("created",), "2026-02-30T09:00:00.000Z", "created"),
    ("indicator", ("modified",), "2026-11-20T08:59:59.999Z", "modified"),
    ("indicator", ("valid_from",), LEFT_OUT, "valid_from"),
    ("indicator", ("valid_from",), "2026-06-30T23:59:60Z", "valid_from"),
    ("indicator", ("valid_until",), DAY, "valid_until"),
    ("indicator", ("valid_until",), "2026-11-20T09:00:00.0Z", "valid_until"),
    ("indicator", ("valid_until",), "2025-11-20T09:00:00Z", "valid_until"),
    ("indicator", ("pattern",), "[url:value = ]", "pattern"),
    ("indicator", ("pattern",), "", "pattern"),
    ("indicator", ("pattern",), 5, "pattern"),
    ("indicator", ("pattern_type",), LEFT_OUT, "pattern_type"),
    ("indicator", ("confidence",), 101, "confidence"),
    ("indicator", ("confidence",), -1, "confidence"),
    ("indicator", ("confidence",), "high", "confidence"),
    ("indicator", ("confidence",), 7.5, "confidence"),
    ("indicator", ("name",), None, "name"),
    ("indicator", ("labels",), [], "labels"),
    ("indicator", ("labels",), ["a", 5], "labels[1]"),
    ("indicator", ("revoked",), "yes", "revoked"),
    ("indicator", ("lang",), "en_GB", "lang"),
    ("indicator", ("created_by_ref",), f"malware--{UUID}", "created_by_ref"),
    ("indicator", ("created_by_ref",), "me", "created_by_ref"),
    ("indicator", ("object_marking_refs",), [MARKING, IDENTITY], "object_marking_refs[1]"),
    ("indicator", ("Custom",), 1, "Custom"),
    ("indicator", ("xy",), 1, "xy"),
    ("indicator", ("good_name!",), 1, "good_name!"),
    ("indicator", ("severity",), "high", ""),
    ("indicator", ("x_list",), {"a_b": [1, {"c_d": []}]}, "x_list.a_b[1].c_d"),
    ("indicator", ("x_map",), {"a_b": {}}, "x_map.a_b"),
    ("indicator", ("x_null",), {"a_b": None}, "x_null.a_b"),
    ("indicator", ("x_ref",), "nothing", "x_ref"),
    ("indicator", ("x_refs",), [IDENTITY, f"bundle--{UUID}"], "x_refs[1]"),
    ("indicator", ("kill_chain_phases", 0, "phase_name"), LEFT_OUT, "kill_chain_phases[0].phase_name"),
    ("indicator", ("external_references", 0, "external_id"), "CVE-26", "external_references[0].external_id"),
    ("indicator", ("external_references", 0, "hashes", "MD5"), "a" * 31, "external_references[0].hashes.MD5"),
    ("indicator", ("external_references", 1, "source_name"), LEFT_OUT, "external_references[1].source_name"),
    (
        "indicator",
        ("granular_markings", 0, "selectors", 1),
        "labels.[1]",
        "granular_markings[0].selectors[1]",
    ),
    ("indicator", ("granular_markings", 0, "selectors", 0), "title", "granular_markings[0].selectors[0]"),
    ("indicator", ("granular_markings", 0, "selectors", 0), "name.[0]", "granular_markings[0].selectors[0]"),
    (
        "indicator",
        ("granular_markings", 0, "selectors", 0),
        "labels.first",
        "granular_markings[0].selectors[0]",
    ),
    ("indicator", ("granular_markings", 0, "selectors", 0), "Name!", "granular_markings[0].selectors[0]"),
    (
        "indicator",
        ("granular_markings", 0, "selectors", 0),
        f"labels.[{'9' * 5000}]",
        "granular_markings[0].selectors[0]",
    ),
    ("indicator", ("granular_markings", 0, "selectors"), [], "granular_markings[0].selectors"),
    ("indicator", ("granular_markings", 0, "marking_ref"), IDENTITY, "granular_markings[0].marking_ref"),
    ("indicator", ("granular_markings", 0, "marking_ref"), LEFT_OUT, "granular_markings[0]"),
    ("indicator", ("granular_markings", 0, "lang"), "fr", "granular_markings[0]"),
    ("indicator", ("granular_markings", 1, "lang"), "", "granular_markings[1].lang"),
    ("indicator", ("extensions",), {}, "extensions"),
    ("indicator", ("extensions", "mine"), {"a_b": 1}, "extensions.mine"),
    (
        "indicator",
        ("extensions", EXTENSION, "extension_type"),
        LEFT_OUT,
        f"extensions.{EXTENSION}.extension_type",
    ),
    (
        "indicator",
        ("extensions", EXTENSION, "extension_type"),
        "new",
        f"extensions.{EXTENSION}.extension_type",
    ),
    ("indicator", ("extensions", EXTENSION, "orig"), {}, f"extensions.{EXTENSION}.orig"),
    ("malware", ("name",), LEFT_OUT, ""),
    ("malware", ("is_family",), LEFT_OUT, "is_family"),
    ("malware", ("last_seen",), "2026-11-20T08:59:59.9Z", "last_seen"),
    ("malware", ("sample_refs",), [f"url--{UUID}"], "sample_refs[0]"),
    ("malware", ("operating_system_refs",), [f"file--{UUID}"], "operating_system_refs[0]"),
    ("relationship", ("relationship_type",), "Indicates", "relationship_type"),
    ("relationship", ("target_ref",), LEFT_OUT, "target_ref"),
    ("relationship", ("target_ref",), f"relationship--{UUID}", "target_ref"),
    ("relationship", ("source_ref",), f"bundle--{UUID}", "source_ref"),
    ("relationship", ("stop_time",), DAY, "stop_time"),
    ("sighting", ("sighting_of_ref",), f"url--{UUID}", "sighting_of_ref"),
    ("sighting", ("where_sighted_refs",), [IDENTITY, INDICATOR], "where_sighted_refs[1]"),
    ("sighting", ("observed_data_refs",), [INDICATOR], "observed_data_refs[0]"),
    ("sighting", ("count",), -1, "count"),
    ("sighting", ("last_seen",), "2026-11-19T09:00:00Z", "last_seen"),
    ("observed-data", ("number_observed",), 0, "number_observed"),
    ("observed-data", ("last_observed",), "2026-11-20T08:00:00Z", "last_observed"),
    ("observed-data", ("object_refs",), [f"malware--{UUID}"], "object_refs[0]"),
    ("opinion", ("opinion",), "no", "opinion"),
    ("note", ("content",), LEFT_OUT, "content"),
    ("note", ("object_refs",), [f"bundle--{UUID}"], "object_refs[0]"),
    ("location", ("latitude",), 91, "latitude"),
    ("location", ("longitude",), LEFT_OUT, ""),
    ("report", ("published",), "2026-11-31T09:00:00Z", "published"),
    ("identity", ("name",), LEFT_OUT, "name"),
    ("statement", ("definition",), {}, "definition.statement"),
    ("statement", ("definition", "statement"), 5, "definition.statement"),
    ("statement", ("created",), "2026-02-29T09:00:00Z", "created"),
    ("statement", ("object_marking_refs",), [INDICATOR], "object_marking_refs[0]"),
    ("extension-definition", ("extension_types",), ["new"], "extension_types[0]"),
    ("language-content", ("contents",), {"de": 5}, "contents.de"),
    ("language-content", ("contents",), {"de_x": {"name": "x"}}, "contents.de_x"),
    ("language-content", ("object_ref",), f"language-content--{UUID}", "object_ref"),
    ("file", ("hashes", "SHA-256"), "c" * 63, "hashes.SHA-256"),
    ("file", ("hashes",), {}, "hashes"),
    ("file", ("mtime",), "2026-04-31T09:00:00Z", "mtime"),
    ("file", ("parent_directory_ref",), f"file--{UUID}", "parent_directory_ref"),
    (
        "file",
        ("extensions", "windows-pebinary-ext", "time_date_stamp"),
        "2026-02-30T00:00:00Z",
        "extensions.windows-pebinary-ext.time_date_stamp",
    ),
    ("url", ("value",), LEFT_OUT, "value"),
    ("ipv4-addr", ("value",), "192.0.2.256", "value"),
    ("ipv4-addr", ("value",), "192.0.2.0/33", "value"),
    ("ipv4-addr", ("belongs_to_refs",), ["0"], "belongs_to_refs[0]"),
    ("ipv6-addr", ("value",), "2001:db8::g", "value"),
    ("domain-name", ("resolves_to_refs",), [f"url--{UUID}"], "resolves_to_refs[0]"),
    ("network-traffic", ("dst_ref",), f"url--{UUID}", "dst_ref"),
    ("network-traffic", ("dst_port",), 70000, "dst_port"),
    ("network-traffic", ("protocols",), [], "protocols"),
    ("network-traffic", ("end",), "2026-11-20T08:00:00Z", "end"),
    ("email-message", ("from_ref",), f"url--{UUID}", "from_ref"),
    ("bank-account", ("extensions",), LEFT_OUT, "type"),
    ("bank-account", ("id",), LEFT_OUT, "id"),
    ("x-case", ("id",), f"x-cases--{UUID}", "id"),
    ("x-case", ("modified",), LEFT_OUT, "modified"),
    ("x-case", ("details", "modified"), "2026-02-30T00:00:00Z", "details.modified"),
    ("x-thing", ("id",), "x-thing--1", "id"),
]


@pytest.mark.parametrize("name", GOOD)
def test_good_objects_pass(name: str) -> None:
    check(GOOD[name])


@pytest.mark.parametrize(("name", "path", "value", "where"), FAULTS, ids=lambda part: str(part)[:40])
def test_a_single_fault_is_found_where_it_is(name: str, path: tuple[str | int, ...], value: Any, where: str) -> None:
    planted = copy.deepcopy(GOOD[name])
    holder: Any = planted
    for step in path[:-1]:
        holder = holder[step]
    if value is LEFT_OUT:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    with pytest.raises(InvalidInput) as refused:
        check(planted)
    assert (refused.value.where or "") == where
    assert refused.value.message


def test_enough_faults_are_planted() -> None:
    assert len(FAULTS) >= 40


def test_times_are_compared_at_any_precision() -> None:
    good = GOOD["relationship"]
    check({**good, "start_time": "2026-11-20T09:00:00.1234567Z", "stop_time": "2026-11-20T09:00:00.1234568Z"})
    with pytest.raises(InvalidInput, match="not after"):
        check({**good, "start_time": "2026-11-20T09:00:00.120Z", "stop_time": "2026-11-20T09:00:00.12Z"})


def test_patterns_of_other_languages_are_not_parsed() -> None:
    check({**GOOD["indicator"], "pattern_type": "yara", "pattern": "rule a { condition: true }"})


@pytest.mark.parametrize("value", [None, [], "indicator", 5])
def test_what_is_no_object_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput):
        check(value)


@pytest.mark.parametrize("object_type", sorted(_schema_ids()))
def test_every_schema_is_complete(object_type: str) -> None:
    with pytest.raises(InvalidInput):
        check({"type": object_type, "spec_version": "2.1"})


@pytest.mark.parametrize("name", GOOD)
def test_values_of_any_form_anywhere_are_refused_in_order(name: str) -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = {"a_b": deep}
    odd = [
        None,
        True,
        -1,
        2**70,
        float("nan"),
        "",
        "\ud800",
        [],
        [[]],
        [{}],
        {},
        {"a": []},
        {1: 2},
        b"x",
        deep,
    ]
    for key in [*GOOD[name], "granular_markings", "extensions", "lang", "x_a_refs", "modified"]:
        for value in odd:
            with suppress(InvalidInput):
                check({**GOOD[name], key: value})
            if key == "extensions":
                with suppress(InvalidInput):
                    check({**GOOD[name], "type": "mine", key: {EXTENSION: {"extension_type": value}}})


def test_large_objects_take_linear_time() -> None:
    start = time.perf_counter()
    check({**GOOD["report"], "object_refs": [INDICATOR] * 40_000})
    check({**GOOD["indicator"], "x_list": [{"a_b": 1}] * 200_000})
    with pytest.raises(InvalidInput):
        check({**GOOD["indicator"], **{f"A{i}": None for i in range(50_000)}})
    assert time.perf_counter() - start < 5


def test_hostile_names_and_depth() -> None:
    nested: Any = {"a_b": 1}
    for _ in range(60):
        nested = {"a_b": nested}
    check({**GOOD["indicator"], "x_deep": nested})
    for object_type in ("x-" + "a" * 100_000 + "!", "x-" + "a-" * 50_000, "x-a\n"):
        with pytest.raises(InvalidInput):
            check({**GOOD["x-case"], "type": object_type, "id": f"{object_type}--{UUID}"})


def _objects(file: Path) -> list[dict[str, Any]]:
    whole = parse_json(file.read_bytes())
    if isinstance(whole, dict):
        whole = whole["objects"] if whole["type"] == "bundle" else [whole]
    # Beside the objects of the fraud extensions stand JSON schemas, of "type": "object".
    return [obj for obj in whole if "spec_version" in obj or obj["type"] != "object"]


# In the examples of the standard's own authors: base64 shortened for print ("VBORw0KGgo...== ...").
ODD_EXAMPLES = {"payload_bin": 3}


def test_oasis_examples(shared_data: Path) -> None:
    refused: dict[str, int] = {}
    count = 0
    for file in sorted((shared_data / "oasis-stix-examples").glob("*.json")):
        for obj in _objects(file):
            count += 1
            try:
                check(obj)
            except InvalidInput as fault:
                refused[str(fault.where)] = refused.get(str(fault.where), 0) + 1
    assert count > 150
    assert refused == ODD_EXAMPLES


@pytest.mark.parametrize(
    ("pattern", "least"),
    [("amnesty/*.stix2", 4000), ("mitre-f3/*.json", 150), ("stix2-fraud-extensions/*.json", 10)],
)
def test_real_objects_pass(shared_data: Path, pattern: str, least: int) -> None:
    count = 0
    for file in sorted(shared_data.glob(pattern)):
        for obj in _objects(file):
            check(obj)
            count += 1
    assert count >= least


def test_stix_2_0_is_refused_for_its_version(shared_data: Path) -> None:
    for obj in _objects(shared_data / "unit42" / "stix20.2024-07-15-phishing.json"):
        with pytest.raises(InvalidInput) as refused:
            check(obj)
        assert refused.value.where == "spec_version"


def test_objects_of_the_stix2_library_pass() -> None:
    author = stix2.Identity(name="A bank", identity_class="organization")
    indicator = stix2.Indicator(
        pattern="[domain-name:value = 'a.example']",
        pattern_type="stix",
        valid_from="2026-11-20T09:00:00Z",
        created_by_ref=author,
        object_marking_refs=[stix2.TLP_AMBER],
        granular_markings=[{"selectors": ["pattern"], "marking_ref": stix2.TLP_RED}],
    )
    built = [
        author,
        indicator,
        stix2.Malware(name="Dridex", is_family=True),
        stix2.Relationship(indicator, "indicates", stix2.Malware(name="x", is_family=False)),
        stix2.Sighting(indicator, where_sighted_refs=[author]),
        stix2.Note(content="x", object_refs=[indicator]),
        stix2.Opinion(opinion="agree", object_refs=[indicator]),
        stix2.Report(name="r", published="2026-11-20T09:00:00Z", object_refs=[indicator]),
        stix2.Location(country="GB"),
        stix2.URL(value="https://a.example/"),
        stix2.IPv4Address(value="192.0.2.1"),
        stix2.EmailAddress(value="x@example.com"),
        stix2.File(hashes={"SHA-256": "c" * 64}),
        stix2.UserAccount(account_type="telegram", account_login="bob"),
        stix2.AutonomousSystem(number=64496),
        stix2.MarkingDefinition(definition_type="statement", definition={"statement": "x"}),
        stix2.TLP_WHITE,
        stix2.TLP_GREEN,
        stix2.TLP_AMBER,
        stix2.TLP_RED,
    ]
    for obj in built:
        check(json.loads(obj.serialize()))
