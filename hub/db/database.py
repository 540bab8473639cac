"""Engines, units of work and the hot read path, the same for SQLite and PostgreSQL.

Three ways in, by what the caller needs:

* ``unit_of_work()`` writes: one transaction, committed at the end, rolled back on any error. On SQLite it
  starts with BEGIN IMMEDIATE, so that a reader never turns into a writer half-way.
* ``reading()`` reads through SQLAlchemy with autocommit.
* ``select(sql, …)`` is the hot path: one prepared statement on a pooled raw cursor, without SQLAlchemy's
  compiler and row objects (3 to 4 times faster on a page of bodies). ``look_up`` is the same for scattered rows.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from hub.errors import InvalidInput, Unavailable

Row = tuple[Any, ...]

# The advisory lock that serialises appends on PostgreSQL; any constant that nothing else uses.
APPEND_LOCK = 0x4855_424C
APPENDING = "the transaction that holds the append lock"
SQLITE_BUSY_MS = 30_000
# Only where pages of bodies are read: each write by another connection unmaps the whole file, and two writers that
# take turns would pay a fault for every page they come back to, a sixth of what the intake costs.
MAPPED_BYTES = 1 << 30
# Of a connection for scattered rows: a batch of checks touches some thousand pages, and a write forgets them.
SCATTERED_CACHE_KIB = 16_384
SQLITE_LOOKS_EVERY = 0.001
SQLITE_TAKEN = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT)
# PostgreSQL's SQLSTATEs and SQLite's words for a table or a column that the newest migration would bring.
NOT_PREPARED = ("42P01", "42703", "no such table", "no such column", "has no column named")


class Database:
    """One process's access to one database. ``url``: sqlite:///PATH or postgresql://…"""

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise InvalidInput(
                "this is no database URL", where="database_url", advice="Give sqlite:///PATH or postgresql://…"
            ) from None
        self.product = parsed.get_backend_name()
        if self.product == "sqlite":
            if not parsed.database:
                raise InvalidInput("an in-memory SQLite database cannot be shared by processes", where="database_url")
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self._path = parsed.database
            self.engine = _sqlite_engine(url)
        elif self.product == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
            self.engine = create_engine(
                parsed, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, hide_parameters=True
            )
            self._conninfo = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        else:
            raise InvalidInput(f"{self.product!r} is not supported: use sqlite or postgresql", where="database_url")
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._local = threading.local()

    @contextmanager
    def unit_of_work(self) -> Iterator[Session]:
        """One write transaction. Raises Unavailable where the database cannot be reached."""
        with self._translated(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Reads outside a transaction: each statement sees what is committed when it starts."""
        with (
            self._translated(),
            Session(self._autocommit, expire_on_commit=False, autoflush=False) as session,
        ):
            yield session

    def select(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows of one statement, parameters as ``?``; the hot path of pages and polls."""
        return self._rows(sql, parameters, mapped=True)

    def look_up(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """As ``select``, for rows that lie scattered over a large table.

        SQLite maps the file anew after every write of another connection, and then each page that is touched
        costs a fault: for a thousand of them three times what reading them into a cache does.
        """
        return self._rows(sql, parameters, mapped=self.product != "sqlite")

    def _rows(self, sql: str, parameters: Sequence[Any], *, mapped: bool) -> list[Row]:
        cursor = self._raw(mapped)
        try:
            if self.product == "postgresql":
                sql = _with_percent(sql)
            return cursor.execute(sql, parameters).fetchall()  # type: ignore[no-any-return] # two drivers
        except (sqlite3.OperationalError, psycopg.OperationalError) as error:
            self._drop_raw()
            raise Unavailable("the database cannot be reached", advice="Try again in a moment.") from error

    def check(self) -> None:
        """Raise Unavailable unless the database answers."""
        self.select("SELECT 1")

    def close(self) -> None:
        """Close every connection of this process."""
        self._drop_raw()
        self.engine.dispose()

    def _raw(self, mapped: bool) -> Any:
        """A cursor for all of the thread's statements: making one costs a third of a short statement."""
        cursors = self._local.__dict__
        name = "mapped" if mapped else "scattered"
        if (cursor := cursors.get(name)) is None:
            cursor = cursors[name] = self._sqlite_cursor(mapped) if self.product == "sqlite" else self._psycopg_cursor()
        return cursor

    def _sqlite_cursor(self, mapped: bool) -> sqlite3.Cursor:
        connection = sqlite3.connect(self._path, isolation_level=None, cached_statements=512)
        _prepare_sqlite(connection)
        connection.execute("PRAGMA query_only = ON")
        if mapped:
            connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
        else:
            connection.execute(f"PRAGMA cache_size = -{SCATTERED_CACHE_KIB}")
        return connection.cursor()

    def _psycopg_cursor(self) -> psycopg.Cursor[Row]:
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True, prepare_threshold=1)
        except psycopg.OperationalError as error:
            raise Unavailable("the database cannot be reached", advice="Try again in a moment.") from error
        return connection.cursor(binary=True)

    def _drop_raw(self) -> None:
        cursors = list(self._local.__dict__.values())
        self._local.__dict__.clear()
        for cursor in cursors:
            cursor.connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:  # of BEGIN, which is ours and not SQLAlchemy's
            raise Unavailable("the database is busy or cannot be written", advice="Try again in a moment.") from error
        except (OperationalError, ProgrammingError) as error:
            if _lacks_schema(error):
                raise Unavailable("the hub is not prepared", advice="Run: hub init") from error
            if isinstance(error, ProgrammingError):
                raise
            raise Unavailable("the database cannot be reached or is busy", advice="Try again in a moment.") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise Unavailable("the database connection was lost", advice="Try again in a moment.") from error
            raise


@lru_cache(maxsize=1024)
def _with_percent(sql: str) -> str:
    return sql.replace("?", "%s")


def _lacks_schema(error: DBAPIError) -> bool:
    said = f"{getattr(error.orig, 'sqlstate', None)} {error.orig}"
    return any(words in said for words in NOT_PREPARED)


def lock_appends(session: Session) -> None:
    """Take the one lock under which the log grows, until the transaction ends (SQLite's BEGIN IMMEDIATE is it)."""
    if session.get_bind().dialect.name != "postgresql":
        return
    # Taken within a savepoint, it ends with that: it is remembered for the innermost transaction.
    within = session.get_nested_transaction() or session.get_transaction()
    if within is None or session.info.get(APPENDING) is not within:
        session.connection().exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (APPEND_LOCK,))
        session.info[APPENDING] = session.get_nested_transaction() or session.get_transaction()


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": SQLITE_BUSY_MS / 1000})

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves; sqlite3's own guess starts too late
        _prepare_sqlite(connection)

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            _begin_immediate(connection.connection.driver_connection)

    return engine


def _begin_immediate(connection: sqlite3.Connection) -> None:
    """Take SQLite's one write lock within SQLITE_BUSY_MS.

    SQLite's own waiting sleeps up to a tenth of a second between two looks: writers that hold the lock for
    milliseconds would leave it free most of the time.
    """
    deadline = time.monotonic() + SQLITE_BUSY_MS / 1000
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode not in SQLITE_TAKEN or time.monotonic() >= deadline:
                    raise
            time.sleep(SQLITE_LOOKS_EVERY)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MS}")


def _prepare_sqlite(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -65536")
