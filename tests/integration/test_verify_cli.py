"""``hub verify``: what members pull over HTTP is checked offline, with the keys that the hub serves."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.commands import Commands
from tests.engines import SQLite
from tests.live import LiveHub, TestMember, serving

EXTENSION = "extension-definition--9b0f7c86-7d3c-4f0e-9c55-2f6f3c8f5a11"
SIGNED = "/taxii2/signed/collections"


@pytest.fixture(scope="module")
def hub(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    with sqlite.migrated() as url, serving(url, tmp_path_factory.mktemp("verify")) as made:
        yield made


@pytest.fixture(scope="module")
def bank(hub: LiveHub) -> TestMember:
    made = hub.add_member("Verifying Bank", groups=("banks",), roles=("contributor",))
    objects = [
        {
            "type": "indicator", "spec_version": "2.1", "id": f"indicator--44444444-0000-4000-8000-{n:012d}",
            "created": "2026-11-01T00:00:00.000Z", "modified": f"2026-11-0{1 + n % 3}T00:00:00.000Z",
            "pattern": f"[domain-name:value = 'verify{n}.example']", "pattern_type": "stix",
            "valid_from": "2026-11-01T00:00:00Z", "name": f"Nümber {n}", "confidence": n,
        }
        for n in range(5)
    ]  # fmt: skip
    assert hub.add(f"{SIGNED}/shared/objects/", made, objects)["success_count"] == 5
    return made


@pytest.fixture(scope="module")
def verify(hub: LiveHub, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs the command over a document; gives (exit code, one report for each object)."""
    folder = tmp_path_factory.mktemp("offline")
    keys = folder / "jwks.json"
    keys.write_bytes(hub.get("/.well-known/jwks.json").content)
    # Offline: another data folder, no database.
    commands = Commands("sqlite:////nowhere/at/all.db", folder)

    def run(document: Any, *options: str, code: int) -> list[dict[str, Any]]:
        path = folder / "pulled.json"
        path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
        ended = commands("verify", path, "--keys", keys, *options, code=code)
        return [json.loads(line) for line in ended.out.splitlines()]

    run.commands, run.keys, run.folder = commands, keys, folder  # type: ignore[attr-defined] # attributes of the helper function
    return run


def pulled(hub: LiveHub, bank: TestMember, alias: str, **query: str) -> bytes:
    answer = hub.get(f"{SIGNED}/{alias}/objects/", bank, params={"limit": "10000", **query})
    assert answer.status_code == 200
    return answer.content


@pytest.mark.parametrize("alias", ["shared", "cyber", "sightings", "fraud", "vocabulary"])
def test_an_envelope_is_sound(hub: LiveHub, bank: TestMember, verify: Any, alias: str) -> None:
    document = pulled(hub, bank, alias)
    reports = verify(document, code=0)
    assert [report["id"] for report in reports] == [one["id"] for one in json.loads(document)["objects"]]
    assert {report["result"] for report in reports} == {"sound"}


def test_a_bundle_is_sound(hub: LiveHub, bank: TestMember, verify: Any) -> None:
    objects = json.loads(pulled(hub, bank, "shared", **{"match[type]": "indicator"}))["objects"]
    bundle = {"type": "bundle", "id": "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d", "objects": objects}
    reports = verify(bundle, "--require", "receipt", code=0)
    assert {(report["levels"][0], report["source"]) for report in reports} == {("receipt", "member")}
    assert verify(objects, code=0)
    assert verify(objects[0], code=0)


def test_as_a_process_from_standard_input(hub: LiveHub, bank: TestMember, verify: Any) -> None:
    import subprocess

    done = subprocess.run(
        verify.commands.command("verify", "-", "--keys", verify.keys),
        input=pulled(hub, bank, "shared"),
        capture_output=True,
        env=verify.commands.whole_environment,
        cwd=Path(__file__).parent.parent.parent,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert all(json.loads(line)["result"] == "sound" for line in done.stdout.splitlines())


def test_every_change_is_seen(hub: LiveHub, bank: TestMember, verify: Any) -> None:
    envelope = json.loads(pulled(hub, bank, "shared", **{"match[type]": "indicator"}))
    original = envelope["objects"][0]
    for name in original:
        removed = copy.deepcopy(envelope)
        del removed["objects"][0][name]
        changed = copy.deepcopy(envelope)
        held = changed["objects"][0][name]
        changed["objects"][0][name] = (
            held + 1 if isinstance(held, int) else {} if isinstance(held, dict) else held + "x"
        )
        for altered in (removed, changed):
            reports = verify(altered, code=1)
            assert reports[0]["result"] != "sound", name
            assert {report["result"] for report in reports[1:]} <= {"sound"}
    added = copy.deepcopy(envelope)
    added["objects"][0]["x_added"] = "new"
    verify(added, code=1)
    inside = copy.deepcopy(envelope)
    inside["objects"][0]["extensions"][EXTENSION]["more"] = 1
    verify(inside, code=1)
    swapped = copy.deepcopy(envelope)
    one, two = (swapped["objects"][n]["extensions"] for n in (0, 1))
    one[EXTENSION], two[EXTENSION] = two[EXTENSION], one[EXTENSION]
    verify(swapped, code=1)


def test_without_a_receipt(hub: LiveHub, bank: TestMember, verify: Any) -> None:
    plain = hub.get("/taxii2/plain/collections/shared/objects/", bank, params={"match[type]": "indicator"}).content
    assert {report["reason"] for report in verify(plain, code=1)} == {"no receipt"}
    own = {
        "type": "extension-definition", "spec_version": "2.1",
        "id": "extension-definition--77777777-0000-4000-8000-000000000001", "name": "Own", "schema": "https://x.example/",
        "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z", "version": "1.0.0",
        "extension_types": ["property-extension"], "created_by_ref": bank.identity_ref,
    }  # fmt: skip
    assert hub.add(f"{SIGNED}/shared/objects/", bank, [own])["success_count"] == 1
    found = hub.get(f"{SIGNED}/shared/objects/{own['id']}/", bank).content
    assert [report["result"] for report in verify(found, code=3)] == ["unmet"]
    sound = pulled(hub, bank, "shared", **{"match[type]": "indicator"})
    verify(sound, "--require", "log", code=3)


def test_other_keys(hub: LiveHub, bank: TestMember, verify: Any, tmp_path: Path) -> None:
    path = tmp_path / "pulled.json"
    path.write_bytes(pulled(hub, bank, "shared", **{"match[type]": "indicator"}))
    none = tmp_path / "none.json"
    none.write_text('{"keys": []}')
    assert verify.commands("verify", path, "--keys", none, code=1).out


@pytest.mark.parametrize(
    "document", [b"", b"no json", b'{"objects": [', b'{"objects": 7}', b"17", b'{"a": 1, "a": 2}', b"[" * 5000]
)
def test_unreadable(verify: Any, document: bytes) -> None:
    assert verify(document, code=2) == []


def test_bad_usage(verify: Any, tmp_path: Path) -> None:
    good = tmp_path / "empty.json"
    good.write_text('{"objects": []}')
    bad = tmp_path / "bad.json"
    bad.write_text("no keys")
    verify.commands("verify", tmp_path / "nowhere", "--keys", verify.keys, code=2)
    verify.commands("verify", good, "--keys", tmp_path / "nowhere", code=2)
    verify.commands("verify", good, "--keys", bad, code=2)
    verify.commands("verify", good, "--keys", verify.keys, "--require", "faith", code=2)
    verify.commands("verify", good, code=2)


def test_the_keys_are_public(hub: LiveHub) -> None:
    answer = requests.get(f"{hub.url}/.well-known/jwks.json", timeout=10)
    assert answer.status_code == 200
    assert all("d" not in key for key in answer.json()["keys"])
