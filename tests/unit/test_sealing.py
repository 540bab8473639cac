"""The hub's secret: sealed bytes open only with it, in their own place, unaltered."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hub.errors import IntegrityFailure
from hub.sealing import Vault

SECRET = bytes(range(32))


@pytest.fixture
def vault() -> Vault:
    return Vault(SECRET)


@pytest.mark.parametrize("content", [b"", b"x", b"victim" * 100_000])
def test_what_is_sealed_opens(vault: Vault, content: bytes) -> None:
    sealed = vault.seal(content, "report:1")
    assert vault.open(sealed, "report:1") == content
    assert len(content) < 6 or content[:6] not in sealed


def test_the_same_content_is_never_sealed_the_same(vault: Vault) -> None:
    assert len({vault.seal(b"same", "here") for _ in range(50)}) == 50


def test_another_place_does_not_open_it(vault: Vault) -> None:
    with pytest.raises(IntegrityFailure, match="report:2"):
        vault.open(vault.seal(b"content", "report:1"), "report:2")


def test_another_secret_does_not_open_it(vault: Vault) -> None:
    with pytest.raises(IntegrityFailure):
        Vault(b"\x01" * 32).open(vault.seal(b"content", "here"), "here")


def test_every_altered_byte_is_seen(vault: Vault) -> None:
    sealed = vault.seal(b"content", "here")
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(IntegrityFailure):
            vault.open(bytes(altered), "here")


@pytest.mark.parametrize("length", [0, 5, 12, 27])
def test_cut_bytes_do_not_open(vault: Vault, length: int) -> None:
    with pytest.raises(IntegrityFailure):
        vault.open(vault.seal(b"content", "here")[:length], "here")


def test_each_label_has_a_key_of_its_own(vault: Vault) -> None:
    keys = {vault.derive(label) for label in ("seal", "source-commitment", "cursor")}
    assert len(keys) == 3
    assert all(len(key) == 32 for key in keys)
    assert SECRET not in keys
    assert vault.derive("seal") == Vault(SECRET).derive("seal") != Vault(b"\x01" * 32).derive("seal")


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    sealed = Vault.in_folder(folder).seal(b"content", "here")
    path = folder / "hub.secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [entry.name for entry in folder.iterdir()] == ["hub.secret"]
    assert Vault.in_folder(folder).open(sealed, "here") == b"content"


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_damaged_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "hub.secret").write_bytes(content)
    with pytest.raises(IntegrityFailure, match="32 bytes"):
        Vault.in_folder(tmp_path)


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    code = """import sys, pathlib
from hub.sealing import Vault
print(Vault.in_folder(pathlib.Path(sys.argv[1])).derive('x').hex())"""
    root = Path(__file__).resolve().parent.parent.parent
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "keys")], cwd=root, stdout=subprocess.PIPE, env=os.environ
        )
        for _ in range(4)
    ]
    assert len({process.communicate(timeout=60)[0] for process in running}) == 1
    assert [entry.name for entry in (tmp_path / "keys").iterdir()] == ["hub.secret"]


def test_a_ring_makes_numbered_keys_that_can_be_destroyed(tmp_path: Path) -> None:
    ring = Vault.in_folder(tmp_path).ring("index")
    assert (ring.newest, ring.add(), ring.newest) == (1, 2, 2)
    first = ring.key(1)
    assert len(first) == 32
    assert first != ring.key(2)
    assert Vault.in_folder(tmp_path).ring("index").key(1) == first
    assert Vault.in_folder(tmp_path).ring("another").key(1) != first
    assert stat.S_IMODE((tmp_path / "index" / "1.key").stat().st_mode) == 0o600
    ring.remove(1)
    with pytest.raises(IntegrityFailure, match="no key 1"):
        ring.key(1)
    assert ring.numbers() == [2]


def test_a_data_key_is_wrapped_anew_and_still_opens_what_it_sealed(tmp_path: Path) -> None:
    vault = Vault.in_folder(tmp_path)
    key, wrapped = vault.new_data_key("filing:1")
    sealed = key.seal(b"content", "document")
    assert vault.rewrapped(wrapped, "filing:1") == wrapped
    vault.ring("wrapping").add()
    again = vault.rewrapped(wrapped, "filing:1")
    assert again != wrapped
    vault.ring("wrapping").remove(1)
    assert vault.data_key(again, "filing:1").open(sealed, "document") == b"content"
    for place, bytes_ in (("filing:2", again), ("filing:1", wrapped), ("filing:1", b""), ("filing:1", again[:-1])):
        with pytest.raises(IntegrityFailure):
            vault.data_key(bytes_, place)


def test_a_vault_without_a_folder_has_no_rings(vault: Vault) -> None:
    with pytest.raises(IntegrityFailure, match="no folder"):
        vault.new_data_key("filing:1")
