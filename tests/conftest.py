"""Fixtures that every kind of test shares."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engines import PRODUCTS, DatabaseEngine, PostgreSQL, SQLite
from tests.postgres_server import join_run, leave_run, open_run

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.live import LiveHub, LocalHub

ROOT = Path(__file__).resolve().parent.parent
# What fails most cheaply comes first; the longest tests not last, where one process would wait for the other's.
ROOMS = ("unit", "golden", "property", "architecture", "integration", "browser", "conformance", "security")
# Without the hub's own prefix: the hub refuses settings that it does not know.
RUN_FOLDER = "TEST_RUN_FOLDER"
_users = pytest.StashKey[object]()


def pytest_configure(config: pytest.Config) -> None:
    """Open the run: one folder for all its processes, named in the environment that workers inherit."""
    # The hub is started a hundred times: it must not be compiled each time, whatever the environment says.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if not _is_worker(config):
        os.environ[RUN_FOLDER] = str(open_run())
    config.stash[_users] = join_run(Path(os.environ[RUN_FOLDER]))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the run: workers only let go, the process that opened it waits for the server's end."""
    users = config.stash[_users]
    if _is_worker(config):
        users.close()
    else:
        leave_run(Path(os.environ.pop(RUN_FOLDER)), users)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the rooms in the order of ROOMS; within a room the order stays."""
    items.sort(key=lambda test: _room(test.path))


def pytest_collection_finish() -> None:
    """Leave what collecting has made, which lives to the end, out of every garbage collection."""
    gc.collect()
    gc.freeze()


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _room(path: Path) -> int:
    return next((place for place, room in enumerate(ROOMS) if room in path.parts), len(ROOMS))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real feed files that stands beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    assert folder.is_dir(), f"the sample feeds are missing: expected them in {folder}"
    return folder


@pytest.fixture(scope="session")
def worker_name(request: pytest.FixtureRequest) -> str:
    """gw0, gw1, … under xdist, main without it."""
    return getattr(request.config, "workerinput", {"workerid": "main"})["workerid"]


@pytest.fixture(scope="session")
def sqlite(worker_name: str) -> SQLite:
    """SQLite, for tests of what only it does."""
    return SQLite(Path(os.environ[RUN_FOLDER]), worker_name)


@pytest.fixture(scope="session")
def postgresql(worker_name: str) -> Iterator[PostgreSQL]:
    """PostgreSQL, for tests of what only it does."""
    product = PostgreSQL(Path(os.environ[RUN_FOLDER]), worker_name)
    yield product
    product.close()


@pytest.fixture(params=PRODUCTS)
def database_engine(request: pytest.FixtureRequest) -> DatabaseEngine:
    """Each product in turn; ``parametrize("database_engine", ["sqlite"], indirect=True)`` picks one."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def database_url(database_engine: DatabaseEngine) -> Iterator[str]:
    """HUB_DATABASE_URL of a database at the newest revision that holds no rows, on each product in turn."""
    with database_engine.migrated() as url:
        yield url


@pytest.fixture
def empty_database_url(database_engine: DatabaseEngine) -> Iterator[str]:
    """HUB_DATABASE_URL of a database that was never migrated, on each product in turn."""
    with database_engine.empty() as url:
        yield url


# The hub is imported in the fixtures only, so that the tests of pure rooms start at once.


@pytest.fixture(scope="module")
def local_hub(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    """A hub in this process on SQLite, shared by the tests of one module: name members and objects apart."""
    from tests.live import local

    with sqlite.migrated() as url, local(url, tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def app_client(local_hub: LocalHub) -> FlaskClient:
    """The Flask test client of ``local_hub``."""
    return local_hub.client


@pytest.fixture(scope="module", params=PRODUCTS)
def live_hub(request: pytest.FixtureRequest) -> LiveHub:
    """A hub behind a real server on each product in turn, shared by all: name members, people and values apart."""
    hub: LiveHub = request.getfixturevalue(f"hub_on_{request.param}")
    return hub


@pytest.fixture(scope="session")
def hub_on_sqlite(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """A web process and an intake worker."""
    from tests.live import serving

    with sqlite.migrated() as url, serving(url, tmp_path_factory.mktemp("hub-sqlite")) as hub:
        yield hub


@pytest.fixture(scope="session")
def hub_on_postgresql(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    """2 web processes and 2 intake workers."""
    from tests.live import serving

    with postgresql.migrated() as url, serving(url, tmp_path_factory.mktemp("hub-pg"), workers=2) as hub:
        yield hub
