"""What the short way takes for valid is valid the long way; and what the hub itself writes goes the short way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.stix.short_way import _OF_OBSERVABLES, _PROPERTIES, _REFERENCES, is_plainly_valid
from hub.stix.validation import _check_in_full

UUID = "3f1b6c0e-8f0d-4f52-9a0f-3f5d9b7c1a10"
TIME = "2026-11-20T09:00:00.000Z"
DAY = "2026-11-20T09:00:00Z"


def ref(object_type: str) -> str:
    return f"{object_type}--{UUID}"


def versioned(object_type: str, **properties: Any) -> dict[str, Any]:
    common = {"type": object_type, "spec_version": "2.1", "id": ref(object_type), "created": TIME, "modified": TIME}
    return {**common, "created_by_ref": ref("identity"), **properties}


def observable(object_type: str, **properties: Any) -> dict[str, Any]:
    return {"type": object_type, "spec_version": "2.1", "id": ref(object_type), **properties}


USUAL = [
    versioned(
        "indicator", name="domain: evil.example", indicator_types=["malicious-activity"], pattern_version="2.1",
        pattern="[domain-name:value = 'evil.example']", pattern_type="stix", valid_from=DAY, confidence=48,
        valid_until="2027-02-18T09:00:00Z", labels=["phishing"], object_marking_refs=[ref("marking-definition")],
        kill_chain_phases=[{"kill_chain_name": "mitre-attack", "phase_name": "impact"}],
        external_references=[{"source_name": "feed", "description": "named by this source"}],
    ),
    versioned(
        "indicator", pattern=f"[file:hashes.'SHA-256' = '{'ab' * 32}'] OR [url:value = 'http://evil.example/']",
        pattern_type="stix", valid_from=DAY, revoked=True, lang="en-GB",
    ),
    versioned(
        "sighting", sighting_of_ref=ref("indicator"), where_sighted_refs=[ref("identity")], first_seen=DAY,
        last_seen=DAY, count=3, summary=False, observed_data_refs=[ref("observed-data")],
    ),
    versioned(
        "relationship", relationship_type="derived-from", source_ref=ref("indicator"), target_ref=ref("malware"),
        start_time=DAY, stop_time="2026-11-21T09:00:00Z",
    ),
    versioned(
        "observed-data", first_observed=DAY, last_observed=DAY, number_observed=1,
        object_refs=[ref("ipv4-addr"), ref("file")],
    ),
    versioned("report", name="A report", published=DAY, object_refs=[ref("indicator"), ref("malware")]),
    versioned("malware", name="Emotet", is_family=True, aliases=["Geodo"], sample_refs=[ref("file")]),
    versioned("identity", name="A bank", identity_class="organization", sectors=["financial-services"]),
    versioned("grouping", context="suspicious-activity", object_refs=[ref("indicator")]),
    versioned("note", content="Seen twice.", authors=["An analyst"], object_refs=[ref("indicator")]),
    observable("ipv4-addr", value="198.51.100.7"),
    observable("domain-name", value="evil.example", resolves_to_refs=[ref("ipv4-addr")]),
    observable("file", hashes={"MD5": "ab" * 16}, name="invoice.exe", size=10, defanged=True),
]  # fmt: skip
NAMES = [
    *_PROPERTIES,
    *_REFERENCES,
    *_OF_OBSERVABLES,
    "type",
    "id",
    "severity",
    "objects",
    "x_own",
    "granular_markings",
]
TYPES = ["identity", "bundle", "indicator", "malware", "sighting", "marking-definition", "software", "ab", "x-own"]
times = st.sampled_from([TIME, DAY, "2026-11-20T09:00:00.00Z", "2026-11-20T09:00:00.0001Z", "2026-11-20"]) | (
    st.sampled_from(["2026-02-30T00:00:00.000Z", "0000-01-01T00:00:00.000Z", "2026-11-20T09:00:60.000Z"])
)
references = st.sampled_from([ref(object_type) for object_type in TYPES]) | st.sampled_from(
    [f"identity--{UUID},identity--{UUID}", f"identity--{UUID}\n", f"a--b--{UUID}", f"{'a' * 300}--{UUID}", UUID]
)
patterns = st.sampled_from(["[a:b = 'c']", "[a:b = 'c", "[file:hashes.MD5 = 'x']", "[a:b = '\ud800']", "[AND:b = 'c']"])
words = st.sampled_from(
    ["", "x", "é", "\ud800", "cve", "CVE-2020-1234", "CAPEC-1", "stix", "sigma", "2.0", "en", "e_n"]
)
texts = times | references | patterns | words | st.text(max_size=5)
numbers = st.sampled_from([-1, 0, 1, 100, 101, 10**9, 2**53, 5.0, 0.5, True, False])
plain = texts | numbers | st.none()
parts = st.sampled_from(["source_name", "external_id", "url", "kill_chain_name", "phase_name", "MD5", "SHA-256", "x"])
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(parts, inner, max_size=3), max_leaves=5
)


@pytest.mark.parametrize("usual", USUAL, ids=lambda usual: usual["type"])
def test_what_nearly_all_objects_look_like_goes_the_short_way(usual: dict[str, Any]) -> None:
    assert is_plainly_valid(usual, usual["type"])
    _check_in_full(usual, usual["type"])


@settings(max_examples=1500)
@given(st.data())
def test_the_short_way_takes_nothing_that_the_long_way_refuses(data: st.DataObject) -> None:
    obj = dict(data.draw(st.sampled_from(USUAL)))
    for _ in range(data.draw(st.integers(1, 2))):
        name = data.draw(st.sampled_from(sorted(obj)) | st.sampled_from(NAMES))
        obj.pop(name, None)
        if data.draw(st.integers(0, 5)):
            obj[name] = data.draw(anything)
    if type(obj.get("type")) is str and is_plainly_valid(obj, obj["type"]):
        _check_in_full(obj, obj["type"])
