"""hub.stix.ids and hub.stix.vocabulary: ids that others compute alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
import stix2
from stix2.properties import StringProperty

from hub.errors import InvalidInput
from hub.stix.ids import SCO_NAMESPACE, hub_id, hub_namespace, sco_id
from hub.stix.vocabulary import EXTENSION_BY_TYPE, extension_definitions

# The ids printed in the examples of STIX 2.1 predate the final text of section 2.9. These are the ids to
# which the committee's own list corrects them (issue 318 of oasis-tcs/cti-stix2).
CORRECTED = {
    "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4",
    "file--1190f2c9-166f-55f1-9706-eea3971d8082": "file--ba8965d8-e4ec-5f9c-a4df-1c460994ca58",
    "directory--255cb0e4-8bdb-5d63-bb32-9c6f0b733ab2": "directory--ab82f84a-5afc-5ea7-8d98-9fcbc277eda6",
    "domain-name--3c10e93f-798e-5a26-a0c1-08156efab7f5": "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7",
    "artifact--ca17bcf8-9846-5ab4-8662-75c1bf6e63ee": "artifact--a785c567-cc53-52a1-abeb-026bb7ddf8ba",
    "autonomous-system--f720c34b-98ae-597f-ade5-27dc241e8c74": (
        "autonomous-system--3aa27478-50b5-5ab8-9da9-cdc12b657fff"
    ),
}


@pytest.fixture(scope="module")
def examples(shared_data: Path) -> list[dict[str, Any]]:
    objects = json.loads((shared_data / "oasis-stix-examples" / "sco-examples-bundle.json").read_text())
    assert len(objects) > 80
    return objects


def test_the_corrected_ids_of_the_standards_examples(examples: list[dict[str, Any]]) -> None:
    by_id = {obj["id"]: obj for obj in examples}
    assert {printed: sco_id(by_id[printed]) for printed in CORRECTED} == CORRECTED


def test_the_same_ids_as_stix2(examples: list[dict[str, Any]]) -> None:
    compared = set()
    for obj in examples:
        content = {name: value for name, value in obj.items() if name != "id"}
        if obj["type"] == "process":
            continue
        assert sco_id(obj) == stix2.parse(content, allow_custom=True).id
        compared.add(obj["type"])
    assert len(compared) == 17


@pytest.mark.parametrize(
    ("stix_type", "contributing", "others"),
    [
        ("bank-account", {"iban": "GB33BUKB20201555555555"}, {"currency": "GBP"}),
        ("bank-account", {"account_number": "20201555555555", "iban": "GB33BUKB20201555555555"}, {}),
        ("cryptocurrency-wallet", {"value": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"}, {}),
        ("cryptocurrency-transaction", {"symbol": "BTC", "value": "00"}, {}),
        ("phone-number", {"value": "447700900123"}, {"country": "GBR"}),
        ("user-agent", {"value": "Mozilla/5.0 é \u20ac"}, {}),
    ],
)
def test_fraud_objects_have_the_ids_that_stix2_gives(
    stix_type: str, contributing: dict[str, str], others: dict[str, str]
) -> None:
    # The type is no part of what is hashed, so a type of its own keeps the library's registry clean.
    observable = stix2.v21.observables.CustomObservable(
        f"x-oracle-{stix_type}-{len(contributing)}",
        [(name, StringProperty()) for name in contributing],
        list(contributing),
    )(type("Oracle", (), {}))
    expected = observable(**contributing).id.rpartition("--")[2]
    assert sco_id({"type": stix_type, **contributing, **others}) == f"{stix_type}--{expected}"


def test_one_hash_contributes_by_preference() -> None:
    both = {"type": "file", "hashes": {"SHA-256": "b" * 64, "MD5": "a" * 32, "SSDEEP": "x"}}
    assert sco_id(both) == sco_id({"type": "file", "hashes": {"MD5": "a" * 32}})
    rest = {"type": "file", "hashes": {"TLSH": "x", "SSDEEP": "y"}}
    assert sco_id(rest) == sco_id({"type": "file", "hashes": {"SSDEEP": "y", "TLSH": "x"}})


def test_nothing_contributes_means_a_random_id() -> None:
    process = {"type": "process", "pid": 1}
    assert sco_id(process) != sco_id(process)
    assert UUID(sco_id(process).rpartition("--")[2]).version == 4
    assert UUID(sco_id({"type": "file", "size": 1}).rpartition("--")[2]).version == 4


@pytest.mark.parametrize(
    "obj",
    [
        {},
        {"type": "indicator"},
        {"type": ["file"]},
        {"type": "file", "hashes": {}},
        {"type": "file", "hashes": 1},
    ],
)
def test_what_is_no_observable_is_refused(obj: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        sco_id(obj)


def test_hub_ids() -> None:
    namespace = hub_namespace("https://hub.example/")
    assert namespace == uuid5(NAMESPACE_URL, "https://hub.example/")
    assert namespace != SCO_NAMESPACE
    expected = uuid5(namespace, '["indicator","domain","evil.example"]')
    assert hub_id(namespace, "indicator", "domain", "evil.example") == f"indicator--{expected}"
    # Parts cannot be joined in two ways.
    assert hub_id(namespace, "indicator", "a", "b,c") != hub_id(namespace, "indicator", "a,b", "c")
    assert hub_id(namespace, "indicator", "a") != hub_id(hub_namespace("https://other.example/"), "indicator", "a")


def test_extension_definitions(shared_data: Path) -> None:
    definitions = extension_definitions()
    assert {obj["id"] for obj in definitions} == set(EXTENSION_BY_TYPE.values())
    assert "payment-card" not in EXTENSION_BY_TYPE
    for stix_type, obj in zip(sorted(EXTENSION_BY_TYPE), definitions, strict=True):
        published = shared_data / "stix2-fraud-extensions" / f"extension-definition.{stix_type}.json"
        assert obj == json.loads(published.read_text())
        assert obj["id"] == EXTENSION_BY_TYPE[stix_type]
        assert obj["extension_types"] == ["new-sco"]
    definitions[0]["name"] = "changed"
    assert extension_definitions()[0]["name"] != "changed"
