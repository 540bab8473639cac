"""STIX 2.1 to 2.0 and back: what is kept, what is left out; OASIS's own library reads every result."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import stix2

from hub.stix import tlp
from hub.stix.downconvert import NotIn20, down, id20, ids21, milliseconds
from hub.stix.tlp import Tlp, marking_object
from hub.stix.upconvert import upconvert
from hub.stix.validation import check
from tests.objects import T0, domain, indicator, malware, object_id, statement

WHO = object_id("identity", "who")
WHAT = object_id("indicator", 1)
MUTEX = {"0": {"type": "mutex", "name": "m"}}
MITRE_F3 = Path(__file__).resolve().parents[3] / "config/vocabulary/mitre-f3-v1.1.json"


def an(stix_type: str, **more: Any) -> dict[str, Any]:
    """An object of any type with what all have in common."""
    common = {"type": stix_type, "spec_version": "2.1", "id": object_id(stix_type, 1), "created": T0, "modified": T0}
    return {**common, **more}


KEPT = [
    indicator(1),
    indicator(2, indicator_types=["malicious-activity"], labels=["phish", "malicious-activity"], confidence=70),
    indicator(3, name="n", valid_until="2030-01-01T00:00:00Z", revoked=True, lang="en", created_by_ref=WHO),
    indicator(4, pattern="[file:name = 'START EXISTS file:ctime'] FOLLOWEDBY [url:value = 'x']"),
    indicator(5, extensions={tlp.EXTENSION_ID: {"extension_type": "property-extension", "tlp_2_0": "amber"}}),
    indicator(6, external_references=[{"source_name": "s", "description": "d"}], x_own=[1, {"a": "b"}]),
    malware(1, malware_types=["trojan"], aliases=["a"], first_seen=T0, sample_refs=[object_id("file", 1)]),
    an("attack-pattern", name="a", aliases=["b"], kill_chain_phases=[{"kill_chain_name": "k", "phase_name": "p"}]),
    an("campaign", name="c", objective="o"),
    an("course-of-action", name="c"),
    an("identity", name="i", identity_class="organization", sectors=["financial-services"], roles=["r"]),
    an("identity", name="i"),
    an("intrusion-set", name="i", goals=["g"]),
    an("observed-data", first_observed=T0, last_observed=T0, number_observed=1, objects=MUTEX),
    an("report", name="r", published=T0, object_refs=[object_id("indicator", 1)], report_types=["campaign"]),
    an("threat-actor", name="t", threat_actor_types=["crime-syndicate"], first_seen=T0),
    an("tool", name="t", tool_version="1"),
    an("vulnerability", name="v"),
    an("relationship", relationship_type="indicates", source_ref=WHAT, target_ref=WHO, start_time=T0),
    an("sighting", sighting_of_ref=object_id("indicator", 1), where_sighted_refs=[WHO], count=2, description="d"),
    statement(1),
]  # fmt: skip
LEFT_OUT = [
    domain(1),
    an("grouping", context="c", object_refs=[WHO]),
    an("infrastructure", name="i"),
    an("location", region="r"),
    an("note", content="c", object_refs=[WHO]),
    an("incident", name="i"),
    an("x-own-type", x_own=1),
    marking_object(Tlp.AMBER),
    indicator(1, pattern_type="sigma", pattern="s"),
    indicator(1, pattern="[url:value = 'x'] START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z'"),
    indicator(1, pattern="[EXISTS url:value]"),
    indicator(1, pattern="[file:ctime > t'2020-01-01T00:00:00Z']"),
    {name: value for name, value in malware(1).items() if name != "name"},
    an("report", name="r", published=T0, object_refs=[object_id("url", 1)]),
    an("relationship", relationship_type="located-at", source_ref=WHO, target_ref=object_id("location", 1)),
    an("sighting", sighting_of_ref=object_id("indicator", 1), where_sighted_refs=[object_id("location", 1)]),
    an("observed-data", first_observed=T0, last_observed=T0, number_observed=1, object_refs=[object_id("url", 1)]),
    indicator(1, granular_markings=[{"marking_ref": Tlp.RED.marking_id, "selectors": ["confidence"]}], confidence=1),
]


@pytest.mark.parametrize("obj", KEPT, ids=lambda obj: obj["type"])
def test_what_is_kept_is_valid_stix_20(obj: dict[str, Any]) -> None:
    before = json.dumps(obj)
    shown = down(obj)
    assert json.dumps(obj) == before, "the given object stays as it is"
    parsed = stix2.parse(shown, allow_custom=True, version="2.0")
    assert type(parsed).__module__.startswith("stix2.v20")
    assert "spec_version" not in shown
    assert shown["id"] == id20(obj["id"])
    lost = [name for name in obj if name not in shown and f"x_{name}" not in shown]
    assert set(lost) <= {
        "spec_version", "pattern_type", "pattern_version", "sample_refs",
        "indicator_types", "malware_types", "report_types", "threat_actor_types",
    }  # fmt: skip


@pytest.mark.parametrize("obj", LEFT_OUT, ids=lambda obj: obj["type"])
def test_what_would_lose_its_meaning_is_left_out(obj: dict[str, Any]) -> None:
    with pytest.raises(NotIn20):
        down(obj)


@pytest.mark.parametrize(
    ("label", "marking_id"),
    [
        (Tlp.CLEAR, tlp.TLP1_WHITE_ID),
        (Tlp.GREEN, tlp.TLP1_GREEN_ID),
        (Tlp.AMBER, tlp.TLP1_AMBER_ID),
        (Tlp.AMBER_STRICT, tlp.TLP1_RED_ID),
        (Tlp.RED, tlp.TLP1_RED_ID),
    ],
)
def test_a_tlp_marking_is_never_weakened(label: Tlp, marking_id: str) -> None:
    part = {"marking_ref": label.marking_id, "selectors": ["name"]}
    shown = down(indicator(1, name="n", object_marking_refs=[label.marking_id], granular_markings=[part]))
    assert shown["object_marking_refs"] == [marking_id]
    assert shown["granular_markings"] == [{"marking_ref": marking_id, "selectors": ["name"]}]
    assert marking_id in {stix2.TLP_WHITE.id, stix2.TLP_GREEN.id, stix2.TLP_AMBER.id, stix2.TLP_RED.id}
    assert (tlp.of_marking_id(marking_id) or Tlp.CLEAR) >= label


def test_several_tlp_markings_stay_as_strict_as_they_were() -> None:
    for one, two in product(Tlp, repeat=2):
        obj = indicator(1, object_marking_refs=sorted({one.marking_id, two.marking_id}))
        assert (tlp.object_tlp(down(obj)) or Tlp.CLEAR) >= max(one, two)


def test_labels_hold_the_types_first_and_each_once() -> None:
    assert down(KEPT[1])["labels"] == ["malicious-activity", "phish"]
    assert down(indicator(1))["labels"] == ["unknown"]
    assert down(indicator(2, confidence=70))["x_confidence"] == 70


def test_marks_of_language_go_with_the_language() -> None:
    marks = [{"lang": "fr", "selectors": ["name"]}]
    assert "granular_markings" not in down(indicator(1, name="n", granular_markings=marks))


@pytest.mark.parametrize("version", "1345")
def test_the_way_back_from_an_id_finds_it(version: str) -> None:
    stix_id = f"indicator--6f1c2a54-5d0e-{version}a7c-9d6f-3a1b0c9e8d77"
    shown = id20(stix_id)
    assert UUID(shown.partition("--")[2]).version == 4
    assert stix_id in ids21(shown)
    assert ids21(shown)[0] == shown
    if version != "4":
        assert ids21(stix_id) == (stix_id,), "no 2.0 client was given this id"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000Z"),
        ("2020-01-01T00:00:00.1Z", "2020-01-01T00:00:00.100Z"),
        ("2020-01-01T00:00:00.123456789Z", "2020-01-01T00:00:00.123Z"),
    ],
)
def test_versions_have_milliseconds(given: str, shown: str) -> None:
    assert milliseconds(given) == shown


@pytest.mark.parametrize("obj", KEPT, ids=lambda obj: obj["type"])
def test_the_way_up_gives_valid_stix_21(obj: dict[str, Any]) -> None:
    back = upconvert(down(obj))
    check(back)
    assert back["id"] == id20(obj["id"])
    for name in ("name", "pattern", "modified", "indicator_types"):
        assert back.get(name) == (
            obj.get(name) or (["unknown"] if name == "indicator_types" and "pattern" in obj else None)
        )


def test_a_whole_vocabulary_goes_down() -> None:
    """MITRE F3 as it is shipped: every attack pattern, relationship and identity of it."""
    objects = json.loads(MITRE_F3.read_text())["objects"]
    shown = []
    for obj in objects:
        try:
            shown.append(down(obj))
        except NotIn20:
            assert obj["type"] not in {"attack-pattern", "identity", "course-of-action"}, obj["id"]
    assert len(shown) > len(objects) / 2
    for obj in shown:
        stix2.parse(obj, allow_custom=True, version="2.0")
