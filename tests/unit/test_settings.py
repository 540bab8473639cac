"""Settings: every default documented, every override understood, every mistake one clear line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from hub.errors import InvalidInput
from hub.settings import CONFIG_FOLDER, Settings, load

DEFAULT = CONFIG_FOLDER / "default.toml"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)


def names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from names(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def test_the_file_and_the_model_know_the_same_settings() -> None:
    assert {name for name, _ in flat(tomllib.loads(DEFAULT.read_text()))} == set(names(Settings))


def test_every_setting_is_documented() -> None:
    """A comment stands above it, above the settings before it in one block, or above its section."""
    undocumented = []
    described = False
    for line in DEFAULT.read_text().splitlines():
        if line.startswith("#"):
            described = True
        elif not line.strip():
            described = False
        elif (match := re.match(r"(\w+) = ", line)) and not described and match[1] not in SPEAK_FOR_THEMSELVES:
            undocumented.append(line)
    assert undocumented == []


SPEAK_FOR_THEMSELVES = {"title", "description", "bind"}


def test_every_setting_can_be_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = load()
    for name, value in flat(tomllib.loads(DEFAULT.read_text())):
        variable = "HUB_" + name.replace(".", "__").upper()
        if isinstance(value, list):
            continue
        monkeypatch.setenv(variable, str(value).lower() if isinstance(value, bool) else str(value))
        assert load() == plain, variable
        monkeypatch.delenv(variable)


def test_who_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "hub.toml"
    file.write_text('base_url = "https://file.example/"\n[taxii]\ndefault_page = 7\nmax_page = 70\n')
    monkeypatch.setenv("HUB_CONFIG", str(file))
    monkeypatch.setenv("HUB_TAXII__MAX_PAGE", "77")
    found = load(data_dir=tmp_path)
    assert (found.taxii.default_page, found.taxii.max_page) == (7, 77)
    assert (found.base_url, found.data_dir) == ("https://file.example", tmp_path)
    assert found.taxii.title
    assert found.database_location == f"sqlite:///{tmp_path / 'hub.db'}"
    monkeypatch.setenv("HUB_DATABASE_URL", "postgresql://db.example/hub")
    assert load().database_location == "postgresql://db.example/hub"


def test_they_are_frozen() -> None:
    with pytest.raises(Exception, match="frozen"):
        load().taxii.max_page = 3


@pytest.mark.parametrize(
    ("variable", "value", "where"),
    [
        ("HUB_TAXII__MAX_PAGE", "many", "taxii.max_page"),
        ("HUB_TAXII__MAX_PAGE", "0", "taxii.max_page"),
        ("HUB_TAXII__MAXPAGE", "5", "taxii.maxpage"),
        ("HUB_INTAKE__RESERVED", "maybe", "intake.reserved"),
        ("HUB_INTAKE__LEASE_SECONDS", "-1", "intake.lease_seconds"),
        ("HUB_INTAKE__DEFAULT_GRADE", "9Z", "intake.default_grade"),
        ("HUB_LOG__LEVEL", "loud", "log.level"),
        ("HUB_SERVER__BIND", "nowhere", "server.bind"),
        ("HUB_BASE_URL", "hub.example", "base_url"),
        ("HUB_BASE_URL", "https://hub.example/below?x", "base_url"),
        ("HUB_NOTHING__AT_ALL", "1", "HUB_NOTHING__AT_ALL"),
        ("HUB_TYPO", "1", "HUB_TYPO"),
        ("HUB_CONFIG", "/nowhere/hub.toml", "HUB_CONFIG"),
    ],
)
def test_a_mistake_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, where: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidInput) as refused:
        load()
    assert refused.value.where == where
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "content", [b"not toml", b"\xff\xfe", b"[taxii]\nmax_page = 'x'", b"unknown = 1", b"[taxii]\nunknown = 1"]
)
def test_a_wrong_file_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    file = tmp_path / "hub.toml"
    file.write_bytes(content)
    monkeypatch.setenv("HUB_CONFIG", str(file))
    with pytest.raises(InvalidInput) as refused:
        load()
    assert "\n" not in str(refused.value)
    assert refused.value.where
