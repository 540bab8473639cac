"""Hubs to test against: one inside the test's process (``local_hub``), and one behind a real server (``live_hub``).

Both stand on an own database and data folder, let reserved values through and limit no rates. ``local()`` and
``serving()`` make further ones with other settings, on any database of ``tests/engines.py``. The fixtures stand in
conftest.py.
"""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from hub.auth import Role
from hub.cli.member import create_member
from hub.factory import Hub, assemble, prepare
from hub.feeds.worker import Worker
from hub.ledger import collections
from hub.members import membership
from hub.members.membership import MemberKind
from hub.members.records import SharingGroup
from hub.settings import Settings, load
from hub.stix.tlp import Tlp
from hub.telemetry import configure_logging
from hub.web.services import EXTENSION
from tests.applications import application
from tests.prepared import begin

ROOT = Path(__file__).resolve().parent.parent
LOCAL_URL = "http://localhost"
TAXII_21 = "application/taxii+json;version=2.1"
STARTS_IN = 60
STOPS_IN = 40
DONE_IN = 60


@dataclass(frozen=True, slots=True)
class TestMember:
    """A member with its credential; ``headers`` carry it as HTTP Basic, ``auth`` fits ``requests``."""

    __test__ = False  # not a test, whatever its name

    name: str
    member_id: str
    identity_ref: str
    username: str
    token: str

    @property
    def auth(self) -> tuple[str, str]:
        """(user name, token)."""
        return self.username, self.token

    @property
    def headers(self) -> dict[str, str]:
        """The Authorization header."""
        packed = base64.b64encode(f"{self.username}:{self.token}".encode()).decode()
        return {"Authorization": f"Basic {packed}"}


class Kept:
    """What both kinds of hub give: direct access to its parts, and members made in no time."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    @property
    def settings(self) -> Settings:
        """The hub's settings."""
        return self.hub.settings

    def add_member(
        self,
        name: str,
        kind: str = "bank",
        clearance: str = "amber",
        groups: Sequence[str] = (),
        roles: Sequence[str] = ("reader",),
        anonymous: bool = False,
    ) -> TestMember:
        """An active member; sharing groups that are not there yet are made."""
        self._add_groups(groups)
        created = create_member(
            self.hub,
            name,
            MemberKind(kind),
            Tlp.parse(clearance),
            tuple(groups),
            [Role(role) for role in roles],
            anonymous,
        )
        return TestMember(name, **created)

    def add_collection(
        self,
        alias: str,
        read: Sequence[str] = ("members",),
        write: Sequence[str] = ("role:contributor",),
        default_tlp: str = "green",
    ) -> str:
        """A collection that holds nothing yet; gives its id."""
        with self.hub.database.unit_of_work() as session:
            tlp = Tlp.parse(default_tlp)
            return collections.add(
                session, alias, f"The collection {alias}", read=read, write=write, default_tlp=tlp
            ).id

    def suspend(self, member: TestMember) -> None:
        """Suspend a member."""
        with self.hub.database.unit_of_work() as session:
            membership.set_status(session, member.member_id, "suspended")

    def _add_groups(self, names: Sequence[str]) -> None:
        with self.hub.database.unit_of_work() as session:
            known = set(session.scalars(select(SharingGroup.name)))
            for name in names:
                if name not in known:
                    membership.add_group(session, name)


class LocalHub(Kept):
    """A hub in this process: requests go straight into the application, the intake works when it is told to."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._worker = Worker(hub.intake(), 0.0, Event())

    @cached_property
    def app(self) -> Flask:
        """The application; made when a test first asks for it, as many never do."""
        return application(self.settings)

    @cached_property
    def client(self) -> FlaskClient:
        """A client of the application."""
        return self.app.test_client()

    def close(self) -> None:
        """Let go of what the application and the hub hold."""
        if "app" in vars(self):
            self.app.extensions[EXTENSION].close()
        self.hub.database.close()

    def request(self, method: str, path: str, member: TestMember | None = None, **more: Any) -> TestResponse:
        """One request as ``member`` (None: without a credential)."""
        headers = {**(member.headers if member else {}), **more.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **more)

    def get(self, path: str, member: TestMember | None = None, **more: Any) -> TestResponse:
        """GET; ``query_string`` takes a mapping or a text."""
        return self.request("GET", path, member, **more)

    def post(self, path: str, member: TestMember, objects: Sequence[Any], **more: Any) -> TestResponse:
        """POST ``objects`` as an envelope."""
        return self.request("POST", path, member, json={"objects": list(objects)}, content_type=TAXII_21, **more)

    def work(self) -> int:
        """Process the inbox to its end; how many submissions that were."""
        worked = 0
        while self._worker.work_once():
            worked += 1
        return worked

    def add(self, path: str, member: TestMember, objects: Sequence[Any]) -> dict[str, Any]:
        """POST ``objects`` to a collection's objects URL, process them, give the final status resource."""
        answer = self.post(path, member, objects)
        assert answer.status_code == 202, answer.text
        self.work()
        root = "/".join(path.split("/")[:3])
        final = self.get(f"{root}/status/{answer.get_json(force=True)['id']}/", member).get_json(force=True)
        assert final["status"] == "complete"
        return final


class LiveHub(Kept):
    """A hub behind ``hub serve``, with its intake worker beside it."""

    def __init__(self, hub: Hub, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
        super().__init__(hub)
        self.url = url
        self.process = process
        self.log = log

    def request(self, method: str, path: str, member: TestMember | None = None, **more: Any) -> requests.Response:
        """One request as ``member``; ``path`` may be a whole URL."""
        url = path if path.startswith("http") else self.url + path
        auth = member.auth if member else None
        return requests.request(method, url, auth=auth, timeout=more.pop("timeout", 30), **more)

    def get(self, path: str, member: TestMember | None = None, **more: Any) -> requests.Response:
        """GET; ``params`` as of ``requests``."""
        return self.request("GET", path, member, **more)

    def post(self, path: str, member: TestMember, objects: Sequence[Any], **more: Any) -> requests.Response:
        """POST ``objects`` as an envelope."""
        headers = {"Content-Type": TAXII_21, **more.pop("headers", {})}
        return self.request("POST", path, member, json={"objects": list(objects)}, headers=headers, **more)

    def wait_done(self, url: str, member: TestMember, seconds: float = DONE_IN) -> dict[str, Any]:
        """Poll a TAXII status or an API submission until it is finished; gives its last state."""

        def finished() -> dict[str, Any] | None:
            answer = self.get(url, member)
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            return found if found.get("status", found.get("state")) in ("complete", "failed") else None

        return wait_for(finished, seconds, lambda: f"{url} is not done; the server says:\n{self.said()}")

    def add(self, path: str, member: TestMember, objects: Sequence[Any]) -> dict[str, Any]:
        """POST ``objects`` to a collection's objects URL and wait for the final status resource."""
        answer = self.post(path, member, objects)
        assert answer.status_code == 202, answer.text
        return self.wait_done(answer.headers["Location"], member)

    def said(self, most: int = 4000) -> str:
        """The end of the server's log."""
        return self.log.read_text(errors="replace")[-most:]


def wait_for(ready: Callable[[], Any], seconds: float, otherwise: Callable[[], str]) -> Any:
    """What ``ready`` gives once it is true; fails with ``otherwise`` after ``seconds``."""
    until = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < until, otherwise()
        time.sleep(0.02)
    return found


@contextmanager
def local(database_url: str, data_dir: Path, **settings: Any) -> Iterator[LocalHub]:
    """A prepared hub in this process. ``settings`` as in config/default.toml: ``taxii={"max_page": 5}``."""
    settings.setdefault("base_url", LOCAL_URL)
    settings.setdefault("limits", {"enabled": False})
    settings["intake"] = {"reserved": "publish", **settings.get("intake", {})}
    chosen = load(database_url=database_url, data_dir=data_dir, **settings)
    configure_logging(chosen.log)  # whoever wrote to the log before may have closed what it was written to
    made = LocalHub(begin(chosen))
    try:
        yield made
    finally:
        made.close()


@contextmanager
def serving(
    database_url: str,
    data_dir: Path,
    *,
    workers: int = 1,
    host: str = "127.0.0.1",
    environment: dict[str, str] | None = None,
) -> Iterator[LiveHub]:
    """A prepared hub behind ``hub serve`` with ``workers`` web processes, and as many intake workers up to two.

    ``environment`` adds HUB_SECTION__NAME settings.

    ``host`` is what its addresses name: "localhost" where a host name is needed, as for passkeys.

    Ends it with SIGTERM and asserts that it goes cleanly.
    """
    port = free_port()
    url = f"http://{host}:{port}"
    own = {
        "HUB_DATABASE_URL": database_url,
        "HUB_DATA_DIR": str(data_dir),
        "HUB_BASE_URL": url,
        "HUB_INTAKE__RESERVED": "publish",
        "HUB_INTAKE__WORKERS": str(min(workers, 2)),
        "HUB_LIMITS__ENABLED": "false",
        **(environment or {}),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    hub = assemble(
        load(
            database_url=database_url,
            data_dir=data_dir,
            base_url=own["HUB_BASE_URL"],
            intake={"reserved": own["HUB_INTAKE__RESERVED"]},
        )
    )
    prepare(hub)
    log = data_dir / "server.log"
    command = [sys.executable, "-m", "hub.cli", "serve", "--bind", f"127.0.0.1:{port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            cwd=ROOT,
            env=inherited | own,
            stdout=output,
            stderr=output,
        )
    served = LiveHub(hub, url, process, log)
    try:
        wait_for(lambda: _answers(served), STARTS_IN, lambda: f"did not start:\n{served.said()}")
        yield served
        assert process.poll() is None, f"the server has ended by itself:\n{served.said()}"
    finally:
        hub.database.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOPS_IN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server does not stop on SIGTERM:\n{served.said()}") from None
    assert process.returncode == 0, f"the server ended with {process.returncode}:\n{served.said()}"


def _answers(served: LiveHub) -> bool:
    assert served.process.poll() is None, f"the server has ended:\n{served.said()}"
    try:
        return served.get("/readyz", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
