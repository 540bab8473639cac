"""Writers that want SQLite's one write lock at the same time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.db import Database
from hub.errors import Unavailable


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    path = tmp_path / "shared.db"
    database = Database(f"sqlite:///{path}")
    with database.unit_of_work() as session:
        session.execute(text("CREATE TABLE note (words TEXT)"))
    database.close()
    return path


def test_a_writer_looks_again_every_millisecond(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own waiting would sleep up to a tenth of a second between two looks."""
    first, second = (Database(f"sqlite:///{shared}") for _ in range(2))
    slept: list[float] = []
    with ExitStack() as held:
        held.enter_context(first.unit_of_work()).execute(text("INSERT INTO note VALUES ('first')"))

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) == 3:
                held.close()

        monkeypatch.setattr("hub.db.database.time.sleep", sleep)
        with second.unit_of_work() as session:
            session.execute(text("INSERT INTO note VALUES ('second')"))
    assert slept == [0.001] * 3
    assert first.select("SELECT words FROM note") == [("first",), ("second",)]
    first.close()
    second.close()


def test_a_writer_gives_up_in_the_end(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (Database(f"sqlite:///{shared}") for _ in range(2))
    monkeypatch.setattr("hub.db.database.SQLITE_BUSY_MS", 20)
    with first.unit_of_work() as holder:
        holder.execute(text("INSERT INTO note VALUES ('first')"))
        with pytest.raises(Unavailable, match="busy"), second.unit_of_work() as session:
            session.execute(text("INSERT INTO note VALUES ('second')"))
        with second.reading() as session:
            assert session.execute(text("SELECT count(*) FROM note")).scalar_one() == 0
    with second.unit_of_work() as session:
        session.execute(text("INSERT INTO note VALUES ('third')"))
    assert second.select("SELECT words FROM note") == [("first",), ("third",)]
    first.close()
    second.close()


@pytest.mark.parametrize("statement", ["SELECT * FROM nowhere", "SELECT lyrics FROM note"])
def test_a_schema_that_is_too_old_is_named(statement: str, shared: Path) -> None:
    database = Database(f"sqlite:///{shared}")
    with pytest.raises(Unavailable, match="not prepared") as refused, database.reading() as session:
        session.execute(text(statement))
    assert refused.value.advice == "Run: hub init"
    database.close()
