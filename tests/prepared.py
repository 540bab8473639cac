"""Prepared hubs to begin from: preparing one takes longer than most tests, and comes out the same each time.

The first ``begin`` of a process for some settings prepares a hub and keeps a copy of its database and data folder;
every later one with the same settings is given that copy. Their keys are therefore the same.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from itertools import count
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from hub.factory import Hub, assemble, prepare
from hub.settings import Settings

_numbers = count(1)
# By product and settings, without their places.
_kept: dict[tuple[bool, str], _Copy] = {}


class _Copy:
    """A copy of a hub at rest: of its database and of its data folder."""

    def __init__(self, settings: Settings) -> None:
        folder = Path(tempfile.mkdtemp(dir=os.environ["TEST_RUN_FOLDER"]))
        self._folder, self._file = folder / "data", folder / "hub.db"
        self._name = f"prepared_{os.getpid()}_{next(_numbers)}"
        shutil.copytree(settings.data_dir, self._folder)
        url = settings.database_location
        if _is_sqlite(url):
            shutil.copyfile(_file(url), self._file)
        else:
            _run_sql(url, "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", self._name, _database(url))

    def give(self, settings: Settings) -> None:
        """Put the copy where ``settings`` look for a hub."""
        shutil.copytree(self._folder, settings.data_dir, dirs_exist_ok=True)
        url = settings.database_location
        if _is_sqlite(url):
            shutil.copyfile(self._file, _file(url))
        else:
            _run_sql(url, "DROP DATABASE {} WITH (FORCE)", _database(url))
            _run_sql(url, "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", _database(url), self._name)


def begin(settings: Settings) -> Hub:
    """A prepared hub; from a copy where the database and the folder are new."""
    if not _is_new(settings):
        return _prepared(settings)
    key = (_is_sqlite(settings.database_location), settings.model_dump_json(exclude={"database_url", "data_dir"}))
    if key not in _kept:
        _prepared(settings).database.close()
        _kept[key] = _Copy(settings)
    else:
        _kept[key].give(settings)
    return assemble(settings)


def _prepared(settings: Settings) -> Hub:
    hub = assemble(settings)
    prepare(hub)
    return hub


def _is_new(settings: Settings) -> bool:
    """Whether nothing was ever done here, but for the migrations."""
    if settings.data_dir.is_dir() and any(settings.data_dir.iterdir()):
        return False
    question, url = "SELECT 1 FROM collection LIMIT 1", settings.database_location
    try:
        if _is_sqlite(url):
            # Read as it stands: no file is made, none is left beside it.
            with closing(sqlite3.connect(f"file:{_file(url)}?immutable=1", uri=True)) as connection:
                return connection.execute(question).fetchone() is None
        with psycopg.connect(_plain(url)) as session:
            return session.execute(question).fetchone() is None
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
        return False


def _is_sqlite(url: str) -> bool:
    return url.startswith("sqlite:///")


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _plain(url: str) -> str:
    """The URL as libpq knows it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _database(url: str) -> str:
    return str(conninfo_to_dict(_plain(url))["dbname"])


def _run_sql(url: str, statement: str, *names: str) -> None:
    with psycopg.connect(_plain(url), dbname="postgres", autocommit=True) as session:
        session.execute(SQL(statement).format(*map(Identifier, names)))
