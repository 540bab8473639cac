"""The whole database as one SQLite file, and back: taken of either product while it serves, loaded into either.

The file has the hub's own schema. So an old one is brought to the present schema by the same migrations as any
database, and a hub that has outgrown SQLite moves to PostgreSQL by it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import JSON, Boolean, Connection, Table, inspect, text
from sqlalchemy.engine import make_url

from hub.db.bulk import insert_values
from hub.db.database import Database, Row
from hub.db.migrate import migrate
from hub.db.records import Record
from hub.errors import Conflict, IntegrityFailure

ROWS = 1000
NOTHING_OVERWRITTEN = "Restore into a new one: nothing is overwritten."


def take(database: Database, path: Path) -> None:
    """Write all that ``database`` holds at one instant into a new file at ``path``.

    Raises Unavailable, and Conflict where its schema is not the present one.
    """
    if database.product == "sqlite":
        with database.reading() as session:
            session.execute(text("VACUUM INTO :path"), {"path": str(path)})
        return
    migrate(_url(path))
    with _opened(_url(path)) as target, database.engine.connect() as source:
        source.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        with target.engine.begin() as writing, _unguarded(writing):
            if _revision(source) != _revision(writing):
                raise Conflict("the database is of another version than this program", advice="Run: hub init")
            _copy(source, writing)
    _close_up(path)


def load(path: Path, url: str) -> None:
    """Fill the empty database at ``url`` from a snapshot, which is brought to the present schema on the way.

    Raises Conflict where there are tables already, IntegrityFailure where the file is no sound database.
    """
    refuse_filled(url)
    _check(path)
    migrate(_url(path))
    database = make_url(url)
    if database.get_backend_name() == "sqlite":
        _close_up(path)
        Path(str(database.database)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, str(database.database))
        return
    migrate(url)
    with (
        _opened(_url(path)) as source,
        _opened(url) as target,
        source.engine.connect() as reading,
        target.engine.begin() as writing,
    ):
        with _unguarded(writing):
            _copy(reading, writing)
        _continue_numbers(writing)


def refuse_filled(url: str) -> None:
    """Raise Conflict where the database at ``url`` has tables, or its file is there."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        filled = Path(str(parsed.database)).exists()
    else:
        with _opened(url) as database, database.reading() as session:
            filled = bool(inspect(session.connection()).get_table_names())
    if filled:
        raise Conflict("the database is not empty", where="database_url", advice=NOTHING_OVERWRITTEN)


def rows(path: Path) -> dict[str, int]:
    """How many rows each table of a snapshot has."""
    with closing(sqlite3.connect(path)) as snapshot:
        return {
            str(table.name): snapshot.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0]  # noqa: S608 (our own names)
            for table in Record.metadata.sorted_tables
        }


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


def _close_up(path: Path) -> None:
    """Bring into the one file what SQLite keeps beside it while it is written."""
    with closing(sqlite3.connect(path)) as written:
        written.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def _check(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path)) as snapshot:
            sound = snapshot.execute("PRAGMA quick_check").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        sound = False
    if not sound:
        raise IntegrityFailure("the snapshot of the database is damaged", where=path.name)


@contextmanager
def _unguarded(connection: Connection) -> Iterator[None]:
    """A block in which no trigger fires: rows that were written by the rules are not judged by them once more."""
    if connection.dialect.name == "postgresql":
        _switch_triggers(connection, "DISABLE")
        yield
        _switch_triggers(connection, "ENABLE")
        return
    triggers = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    for name, _ in triggers:
        connection.execute(text(f'DROP TRIGGER "{name}"'))
    yield
    for _, definition in triggers:
        connection.exec_driver_sql(definition)


def _switch_triggers(connection: Connection, switch: str) -> None:
    for table in Record.metadata.sorted_tables:
        connection.execute(text(f'ALTER TABLE "{table.name}" {switch} TRIGGER USER'))


def _revision(connection: Connection) -> str:
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def _copy(source: Connection, target: Connection) -> None:
    """Every row of every table; what migrations have put there already goes first."""
    tables = Record.metadata.sorted_tables
    unknown = set(inspect(source).get_table_names()) - {table.name for table in tables} - {"alembic_version"}
    if unknown:
        raise RuntimeError(f"not every table was imported: {sorted(unknown)}")
    for table in reversed(tables):
        target.execute(table.delete())
    for table in tables:
        columns = [column.name for column in table.columns]
        for batch in _batches(source, table):
            insert_values(target, table, columns, _fitting(target, table, batch))


def _batches(source: Connection, table: Table) -> Iterator[list[Row]]:
    """Rows as the driver gives them, but JSON as the text that is stored."""
    as_text = "CAST({} AS TEXT)" if source.dialect.name == "postgresql" else "{}"
    shown = [
        as_text.format(f'"{one.name}"') if isinstance(one.type, JSON) else f'"{one.name}"' for one in table.columns
    ]
    order = ", ".join(f'"{one.name}"' for one in table.primary_key.columns)
    found = source.execution_options(stream_results=True).exec_driver_sql(
        f'SELECT {", ".join(shown)} FROM "{table.name}" ORDER BY {order}'  # noqa: S608 (our own names)
    )
    for batch in found.partitions(ROWS):
        yield [tuple(row) for row in batch]


def _fitting(target: Connection, table: Table, batch: list[Row]) -> list[Row]:
    """SQLite keeps truth as 0 and 1, which a binary COPY does not take for it."""
    truths = [place for place, one in enumerate(table.columns) if isinstance(one.type, Boolean)]
    if target.dialect.name != "postgresql" or not truths:
        return batch
    fitting = []
    for row in batch:
        values = list(row)
        for place in truths:
            values[place] = None if values[place] is None else bool(values[place])
        fitting.append(tuple(values))
    return fitting


def _continue_numbers(connection: Connection) -> None:
    """Let PostgreSQL number new rows after those that were copied."""
    for table in Record.metadata.sorted_tables:
        for column in table.primary_key.columns:
            found = connection.execute(
                text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
            )
            if (sequence := found.scalar()) is not None:
                connection.execute(
                    text(f'SELECT setval(:sequence, coalesce(max("{column.name}"), 0) + 1, false) FROM "{table.name}"'),  # noqa: S608 (our own names)
                    {"sequence": sequence},
                )
