"""Stores of a wished size: a prepared hub whose log is filled by bulk inserts of one object's copies."""

from __future__ import annotations

import random
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import psycopg.sql
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.auth import Role
from hub.factory import Hub, assemble, prepare
from hub.ledger.append import draft
from hub.ledger.classes import Audience, stream_id
from hub.ledger.collections import by_alias
from hub.ledger.records import Entry, LogHead
from hub.members import credentials, membership
from hub.members.membership import MemberKind
from hub.settings import load
from hub.stix.tlp import Tlp
from hub.telemetry import configure_logging
from tests.postgres_server import ensure_server, join_run

COLLECTION = "cyber"
TYPES = ("indicator", "malware", "relationship")
# One entry in so many is for the narrow member.
NARROW_EVERY = 1000
MICROSECONDS_APART = 137
COLUMNS = [column.name for column in Entry.__table__.columns]


@dataclass(frozen=True, slots=True)
class Store:
    """A hub to serve, two members' credentials, one indicator's id, and when the n-th bulk entry was added."""

    data: Path
    url: str
    entries: int
    broad: tuple[str, str]
    narrow: tuple[str, str]
    known_id: str
    first_added: int

    def added(self, n: int) -> int:
        """``date_added`` of the n-th bulk entry, in microseconds."""
        return self.first_added + n * MICROSECONDS_APART


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A PostgreSQL server of one's own in ``folder`` until the block ends; gives the folder of its socket."""
    folder.chmod(0o711)  # the server runs as another account where this one is root
    run = folder / "postgresql"
    run.mkdir()
    with join_run(run):
        yield str(ensure_server(run))


def create_database(socket: str, name: str) -> str:
    """A new database on the server of ``postgresql``; gives its URL."""
    with psycopg.connect(f"postgresql://postgres@/postgres?host={socket}", autocommit=True) as admin:
        admin.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
    return f"postgresql://postgres@/{name}?host={socket}"


def open_hub(data: Path, url: str, **settings: Any) -> Hub:
    """A prepared hub with the default settings but for ``settings``."""
    hub = assemble(load(data_dir=data, database_url=url, **settings))
    configure_logging(hub.settings.log.model_copy(update={"level": "error"}))
    prepare(hub)
    return hub


def build(data: Path, url: str, entries: int) -> Store:
    """A hub with ``entries`` objects of some 2 kB in one collection; one in a thousand is for the narrow member."""
    hub = open_hub(data, url)
    with hub.database.unit_of_work() as session:
        everybody, few = (membership.add_group(session, name).id for name in ("everybody", "few"))
        broad = _member(hub, session, "Broad Bank", ("everybody", "few"))
        narrow = _member(hub, session, "Narrow Bank", ("few",))
        collection = by_alias(session, COLLECTION)
        assert collection is not None
        common = [
            stream_id(session, collection.no, Audience(tlp, frozenset({everybody})), stix_type)
            for tlp in (Tlp.AMBER, Tlp.AMBER_STRICT)
            for stix_type in TYPES
        ]
        one = draft(template(), collection.no, Audience(Tlp.AMBER, frozenset({few})), hub.own_source(session).of_ledger)
        (appended,) = hub.log.append(session, [one])
        pattern = session.execute(select(*Entry.__table__.columns).where(Entry.seq == appended.seq)).one()._asdict()
        first_added = session.get_one(LogHead, 1).date_added + 1
        session.get_one(LogHead, 1).seq += entries
        session.get_one(LogHead, 1).date_added += 1 + entries * MICROSECONDS_APART
    _fill(url or f"sqlite:///{data.absolute() / 'hub.db'}", _rows(pattern, common, entries, first_added))
    hub.database.close()
    return Store(data, url, entries, broad, narrow, pattern["stix_id"], first_added)


def template() -> dict[str, Any]:
    """An indicator as feeds give them, some 2 kB when signed."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.UUID(int=1, version=4)}",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "name": "domain: login-secure-payee-check.example",
        "description": "Seen in text messages that pretend to come from a bank's fraud team. " * 7,
        "indicator_types": ["malicious-activity", "phishing"],
        "pattern": "[domain-name:value = 'login-secure-payee-check.example']",
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_until": "2026-04-01T00:00:00Z",
        "confidence": 60,
        "labels": ["phishing", "impersonation", "smishing"],
        "external_references": [{"source_name": "a feed", "description": "named by this source"}],
        "object_marking_refs": [Tlp.AMBER.marking_id],
    }


def _member(hub: Hub, session: Session, name: str, groups: tuple[str, ...]) -> tuple[str, str]:
    member = membership.add_member(
        session, name, kind=MemberKind.BANK, clearance=Tlp.AMBER_STRICT, groups=groups,
        roles=[Role.READER, Role.CONTRIBUTOR], namespace=hub.namespace,
    )  # fmt: skip
    return credentials.issue(session, member)


def _rows(pattern: dict[str, Any], common: list[int], entries: int, first_added: int) -> Iterator[tuple[Any, ...]]:
    """Copies of the row ``pattern`` with ids of their own, spread over the streams."""
    chance = random.Random(1)
    before, after = pattern["body"].split(pattern["stix_id"].encode())
    for n in range(entries):
        stix_id = f"indicator--{uuid.UUID(int=chance.getrandbits(128), version=4)}"
        row = {
            **pattern,
            "seq": pattern["seq"] + 1 + n,
            "date_added": first_added + n * MICROSECONDS_APART,
            "stix_id": stix_id,
            "body": before + stix_id.encode() + after,
        }
        if n % NARROW_EVERY:
            row["stream_id"] = chance.choice(common)
        yield tuple(row[name] for name in COLUMNS)


def _fill(url: str, rows: Iterator[tuple[Any, ...]]) -> None:
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
            connection.execute("PRAGMA cache_size = -1048576")
            marks = ", ".join("?" * len(COLUMNS))
            connection.executemany(f"INSERT INTO entry ({', '.join(COLUMNS)}) VALUES ({marks})", rows)
        return
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.cursor().copy(f"COPY entry ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        connection.execute("VACUUM ANALYZE")
