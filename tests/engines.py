"""The two database products that the hub runs on, as the tests see them.

Each gives databases that no other test touches, either empty or at the newest revision. Migrations run once
per product and run of the tests: what a test gets is a copy of that template.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg.sql import SQL, Identifier

from tests.postgres_server import alone, ensure_server

PRODUCTS = ("sqlite", "postgresql")
TEMPLATE = "hub_template"


class DatabaseEngine(Protocol):
    """A product: ``empty()`` and ``migrated()`` are contexts that give the URL of a database of one's own."""

    product: str

    def empty(self) -> Iterator[str]: ...
    def migrated(self) -> Iterator[str]: ...
    def close(self) -> None: ...


class SQLite:
    """Files ``hub_<worker>_<n>.db`` in the run's folder."""

    product = "sqlite"

    def __init__(self, run: Path, worker: str) -> None:
        self._run = run
        self._worker = worker
        self._template = run / f"{TEMPLATE}.db"
        self._names = count(1)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """A file that does not exist yet."""
        path = self._run / f"hub_{self._worker}_{next(self._names)}.db"
        try:
            yield f"sqlite:///{path}"
        finally:
            for leftover in self._run.glob(f"{path.name}*"):
                leftover.unlink()

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """A copy of the template."""
        self._ensure_template()
        with self.empty() as url:
            shutil.copyfile(self._template, url.removeprefix("sqlite:///"))
            yield url

    def close(self) -> None:
        """Nothing is held open."""

    def _ensure_template(self) -> None:
        with alone(self._run / "sqlite-template.lock"):
            if self._template.exists():
                return
            with self.empty() as url:
                _migrate(url)
                # A backup takes in what is still in the write-ahead log, which a copied file would lack.
                draft = self._template.with_suffix(".draft")
                with (
                    closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as source,
                    closing(sqlite3.connect(draft)) as target,
                ):
                    source.backup(target)
                draft.rename(self._template)


class PostgreSQL:
    """Databases ``hub_<worker>_<n>`` on the run's server, which the first one to come here starts."""

    product = "postgresql"

    def __init__(self, run: Path, worker: str) -> None:
        self._run = run
        self._worker = worker
        self._socket = ensure_server(run)
        self._names = count(1)
        self._admin = psycopg.connect(self._url("postgres"), autocommit=True)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """A database without any table."""
        with self._copy_of("template0") as url:
            yield url

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """A copy of the template."""
        self._ensure_template()
        with self._copy_of(TEMPLATE) as url:
            yield url

    def close(self) -> None:
        """Give the connection back."""
        self._admin.close()

    @contextmanager
    def _copy_of(self, template: str) -> Iterator[str]:
        name = f"hub_{self._worker}_{next(self._names)}"
        self._run_sql("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
        try:
            yield self._url(name)
        finally:
            # FORCE, because a test may rightly end while a pool of the hub's is open.
            self._run_sql("DROP DATABASE {} WITH (FORCE)", name)

    def _ensure_template(self) -> None:
        with alone(self._run / "postgresql-template.lock"):
            if self._admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
                return
            with self._copy_of("template0") as url:
                _migrate(url)
                self._run_sql("CREATE DATABASE {} TEMPLATE {}", TEMPLATE, url.split("@/")[1].split("?")[0])

    def _run_sql(self, statement: str, *names: str) -> None:
        self._admin.execute(SQL(statement).format(*map(Identifier, names)))

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._socket}"


def _migrate(url: str) -> None:
    from hub.db import migrate  # here, so that tests without a database start without SQLAlchemy

    migrate(url)
