"""The look-up of filings: what stands under a number of tags, made up with decoys to a multiple of ``STEP``.

One statement finds both, whatever the number of tags: they are given as one value, end to end. So a statement is
prepared once, and a batch of a thousand has one value to bind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Final, NamedTuple

from hub.checks.index import TAG_BYTES
from hub.db import Database
from hub.db.presence import STEP, made_up

COLUMNS: Final = (
    "i.tag, f.id, i.position, i.exact, i.facet, i.valid_until, f.member_id, f.source_group, f.tier, f.category,"
    " f.role, f.grade, f.tlp, f.class_id, f.state, f.first_seen, f.last_seen, f.wrapped_key, i.sealed"
)
# The parameters of both: how many bytes, the tags, and the tag from which on the decoys are taken.
SQLITE: Final = """
    WITH RECURSIVE place(at) AS (SELECT 1 UNION ALL SELECT at + 16 FROM place WHERE at + 16 < ?),
    found AS MATERIALIZED (
        SELECT 0 AS decoy, {columns}
        FROM place CROSS JOIN filing_identifier i ON i.tag = substr(?, at, 16) JOIN filing f ON f.id = i.filing_id
    )
    SELECT * FROM found UNION ALL SELECT * FROM (
        SELECT * FROM (
            SELECT 1, {columns} FROM filing_identifier i JOIN filing f ON f.id = i.filing_id
            WHERE i.tag >= ? ORDER BY i.tag LIMIT 8
        ) AS others LIMIT 8 - (SELECT count(*) FROM found) % 8
    )
"""
# OFFSET 0: one look into the index for each tag, whatever the planner believes about so many. LIMIT 8: to it, a
# limit that it does not know is a tenth of the table, for which it starts further processes.
POSTGRESQL: Final = """
    WITH found AS MATERIALIZED (
        SELECT one.* FROM generate_series(1, ?, 16) AS place(at) CROSS JOIN LATERAL (
            SELECT 0 AS decoy, {columns} FROM filing_identifier i JOIN filing f ON f.id = i.filing_id
            WHERE i.tag = substr(?, at, 16) OFFSET 0
        ) AS one
    )
    SELECT * FROM found UNION ALL SELECT * FROM (
        SELECT * FROM (
            SELECT 1, {columns} FROM filing_identifier i JOIN filing f ON f.id = i.filing_id
            WHERE i.tag >= ? ORDER BY i.tag LIMIT 8
        ) AS others LIMIT 8 - (SELECT count(*) FROM found) % 8
    ) AS decoys
"""
STATEMENTS: Final = {
    "sqlite": SQLITE.replace("{columns}", COLUMNS),
    # A % stands for itself where it is written twice.
    "postgresql": POSTGRESQL.replace("{columns}", COLUMNS).replace("%", "%%"),
}


class Filed(NamedTuple):
    """One identifier with what its filing says. ``decoy``: nobody asked for it."""

    decoy: int
    tag: bytes
    filing_id: str
    position: int
    exact: bool
    facet: str
    valid_until: int
    member_id: str
    source_group: str
    tier: str
    category: str
    role: str
    grade: str
    tlp: int
    class_id: int
    state: str
    first_seen: int
    last_seen: int
    wrapped_key: bytes
    sealed: bytes


def filed(database: Database, tags: Sequence[bytes], possible: Sequence[bytes]) -> list[Filed]:
    """What stands under ``tags``, of which all but the ``possible`` ones are known to be unknown, and decoys.

    ``possible`` is made up with tags that nobody has, so that a known one and an unknown one cost the same. The decoys
    are the same ones whenever the same is asked, from the lower half of all tags, so that enough follow.
    """
    chance = hashlib.shake_256(b"".join(tags)).digest((1 + made_up(len(possible), len(tags))) * TAG_BYTES)
    nobodys = [chance[at : at + TAG_BYTES] for at in range(TAG_BYTES, len(chance), TAG_BYTES)]
    joined = b"".join(sorted({*possible, *nobodys}))  # in order, so that neighbours are read together
    start = bytes((chance[0] & 0x7F, *chance[1:TAG_BYTES]))
    rows = [Filed(*row) for row in database.look_up(STATEMENTS[database.product], (len(joined), joined, start))]
    spare = cycle([row for row in rows if row.decoy])  # where there are too few, some serve twice
    return rows + list(islice(spare, -len(rows) % STEP))
