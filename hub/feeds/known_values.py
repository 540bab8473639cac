"""Every checkable value of the ledger with who may know of it: what the sets of the private pre-check are built of."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
from sqlalchemy.orm import Session

from hub import clock
from hub.clock import DAY
from hub.feeds.checkable import SUSPECTED_FALSE
from hub.feeds.indicator import FRAUD_KINDS
from hub.ledger.classes import Audience
from hub.stix.tlp import Tlp
from hub.stix.values import Kind
from hub.stix.values.validity import VALID_DAYS

BATCH = 5000
KINDS = ", ".join(f"'{kind.value}'" for kind in sorted(FRAUD_KINDS))  # constants: nothing that anybody sends
PAGE = (
    "SELECT i.id, c.source_id, i.kind, i.value, c.collections, c.groups, c.tlp, c.last_seen, c.grade"
    " FROM indicator i JOIN contribution c ON c.indicator_id = i.id"
    " WHERE i.kind IN (…) AND c.tlp < ? AND (i.id > ? OR (i.id = ? AND c.source_id > ?))"
    " ORDER BY i.id, c.source_id LIMIT ?"
)


def known_values(session: Session) -> Iterator[tuple[int, Audience, str, str]]:
    """(collection number, audience, kind, canonical text) of each contribution of a fraud kind that has not run out."""
    now = clock.micros()
    connection = session.connection()
    sql = PAGE.replace("…", KINDS)
    if connection.dialect.name == "postgresql":
        sql = sql.replace("?", "%s")
    at = (0, 0)
    while rows := connection.exec_driver_sql(sql, (int(Tlp.RED), at[0], at[0], at[1], BATCH)).all():
        for row in rows:
            kind = Kind(row.kind)
            if row.grade[1:2] == SUSPECTED_FALSE or row.last_seen + VALID_DAYS[kind] * DAY <= now:
                continue
            audience = Audience(Tlp(row.tlp), frozenset(_listed(row.groups)))
            for collection_no in _listed(row.collections):
                yield collection_no, audience, row.kind, row.value
        at = (rows[-1].id, rows[-1].source_id)


def _listed(column: list[int] | str) -> list[int]:
    """A JSON column: a text on SQLite, a list already on PostgreSQL."""
    found: list[int] = orjson.loads(column) if isinstance(column, str) else column
    return found
