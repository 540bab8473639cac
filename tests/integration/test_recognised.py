"""Readings that a source has made before are passed over, and only for as long as that changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.cli.imports import summary, take_in
from hub.feeds import sources, values_batch
from hub.stix.tlp import Tlp
from hub.stix.values import Kind, Value
from tests.live import LocalHub, local


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[LocalHub]:
    with local(database_url, tmp_path / "data", intake={"batch": 10}) as made:
        yield made


@pytest.fixture
def sifted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was sifted, as it stood in the file."""
    seen: list[str] = []
    real = values_batch.sift

    def sift(reading: Any, rules: Any) -> Any:
        seen.append(reading.raw)
        return real(reading, rules)

    monkeypatch.setattr(values_batch, "sift", sift)
    return seen


def fed(hub: LocalHub, tmp_path: Path, rows: list[str], source: str = "feed", **options: Any) -> dict[str, Any]:
    path = tmp_path / "feed.csv"
    path.write_text("\n".join(["type,indicator,classification", *rows]) + "\n")
    return summary(take_in(hub.hub, path, source, **options))


def rows(*numbers: int) -> list[str]:
    return [f"domain,evil-{number}.example,scam" for number in numbers]


def test_only_what_changed_is_sifted(hub: LocalHub, tmp_path: Path, sifted: list[str]) -> None:
    first = fed(hub, tmp_path, [*rows(*range(30)), "ip,10.0.0.1,scam"])
    assert (first["new"], first["quarantined"], len(sifted)) == (30, 1, 31)
    sifted.clear()
    again = fed(hub, tmp_path, [*rows(*range(1, 30)), "ip,10.0.0.1,scam", *rows(99)])
    assert sifted == ["10.0.0.1", "evil-99.example"]
    assert (again["read"], again["accepted"], again["new"], again["unchanged"], again["quarantined"]) == (
        31, 30, 1, 29, 1,
    )  # fmt: skip
    assert again["indicators"] == {"domain": 30}


def test_another_word_is_another_reading(hub: LocalHub, tmp_path: Path, sifted: list[str]) -> None:
    fed(hub, tmp_path, rows(1, 2))
    sifted.clear()
    found = fed(hub, tmp_path, [*rows(1), "domain,evil-2.example,phishing"])
    assert sifted == ["evil-2.example"]
    assert (found["unchanged"], found["updated"]) == (1, 1)


@pytest.mark.parametrize("options", [{"tlp": Tlp.AMBER, "groups": ("banks",)}, {"collection": "shared"}])
def test_for_another_audience_everything_is_read_anew(
    hub: LocalHub, tmp_path: Path, sifted: list[str], options: dict[str, Any]
) -> None:
    hub.add_member("Bank", groups=("banks",))
    fed(hub, tmp_path, rows(1, 2))
    sifted.clear()
    assert fed(hub, tmp_path, rows(1, 2), **options)["updated"] == 2
    assert len(sifted) == 2
    [(known,)] = hub.hub.database.select("SELECT COUNT(*) FROM known_reading")
    assert known == 2, "what was read in another way is forgotten"


def test_each_source_speaks_for_itself(hub: LocalHub, tmp_path: Path) -> None:
    fed(hub, tmp_path, rows(1), "one")
    assert fed(hub, tmp_path, rows(1), "two")["sighted"] == 1


def test_what_was_taken_back_is_said_anew(hub: LocalHub, tmp_path: Path) -> None:
    fed(hub, tmp_path, rows(1, 2))
    parts = hub.hub.intake()
    with hub.hub.database.unit_of_work() as session:
        source = sources.by_name(session, "feed")
        assert source is not None
        assert parts.merger.retract(session, source, [Value(Kind.DOMAIN, "evil-1.example")]) == 1
    found = fed(hub, tmp_path, rows(1, 2, 3))
    assert (found["new"], found["unchanged"]) == (2, 1)
