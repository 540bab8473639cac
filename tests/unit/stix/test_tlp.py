"""hub.stix.tlp: labels, their order, and the published markings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import stix2

from hub.errors import InvalidInput
from hub.stix import tlp
from hub.stix.tlp import Tlp, marking_object, object_tlp, of_marking_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TLP:CLEAR", Tlp.CLEAR),
        ("white", Tlp.CLEAR),
        ("tlp:green", Tlp.GREEN),
        ("Amber", Tlp.AMBER),
        ("TLP:AMBER+STRICT", Tlp.AMBER_STRICT),
        ("amber strict", Tlp.AMBER_STRICT),
        ("amber_strict", Tlp.AMBER_STRICT),
        (" TLP: RED ", Tlp.RED),
    ],
)
def test_parse(text: str, expected: Tlp) -> None:
    assert Tlp.parse(text) is expected


@pytest.mark.parametrize("text", ["", "TLP", "orange", "red!", "amber+", "tlpcoln", "r" * 100, None, 4])
def test_parse_refuses(text: str) -> None:
    with pytest.raises(InvalidInput, match="TLP label"):
        Tlp.parse(text)


def test_labels_round_and_in_order() -> None:
    assert [one.label for one in Tlp] == ["clear", "green", "amber", "amber+strict", "red"]
    assert all(Tlp.parse(one.label) is one for one in Tlp)
    assert sorted(Tlp, reverse=True)[0] is Tlp.RED


@pytest.mark.parametrize("one", list(Tlp))
def test_marking_objects(one: Tlp) -> None:
    marking = marking_object(one)
    assert of_marking_id(marking["id"]) is one
    assert marking == {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": one.marking_id,
        "created": "2022-10-01T00:00:00.000Z",
        "name": f"TLP:{one.label.upper()}",
        "extensions": {
            "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
                "extension_type": "property-extension",
                "tlp_2_0": one.label,
            }
        },
    }
    assert json.loads(stix2.parse(marking).serialize()) == marking


def test_tlp_1_is_understood() -> None:
    markings = (stix2.TLP_WHITE, stix2.TLP_GREEN, stix2.TLP_AMBER, stix2.TLP_RED)
    assert [of_marking_id(one.id) for one in markings] == [Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.RED]
    assert of_marking_id("marking-definition--00000000-0000-4000-8000-000000000000") is None


def test_the_strictest_marking_counts() -> None:
    assert object_tlp({"object_marking_refs": [tlp.GREEN_ID, tlp.TLP1_AMBER_ID, tlp.CLEAR_ID]}) is Tlp.AMBER
    assert object_tlp({"object_marking_refs": [tlp.AMBER_STRICT_ID, tlp.TLP1_AMBER_ID]}) is Tlp.AMBER_STRICT
    assert object_tlp({"object_marking_refs": ["marking-definition--unknown"]}) is None
    assert object_tlp({}) is None
    assert object_tlp({"object_marking_refs": "not a list"}) is None
    assert object_tlp({"object_marking_refs": [None, {}, tlp.RED_ID]}) is Tlp.RED


def test_a_published_object_is_read(shared_data: Path) -> None:
    path = shared_data / "stix2-fraud-extensions" / "extension-definition.bank-account.json"
    assert object_tlp(json.loads(path.read_text())) is Tlp.CLEAR
