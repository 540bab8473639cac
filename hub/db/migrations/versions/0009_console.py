"""Who made a key; who was invited under an address that is somebody else's already; which entries were
given without some of their parts; searches by what they asked for.

Revision: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db.filing_rules import guard_keys
from hub.db.retention_rules import keep_search_hashes

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("credential", sa.Column("issued_by", sa.Text(), nullable=True))
    # Keys that were made before: the audit log knows by whom.
    op.execute(
        "UPDATE credential SET issued_by = (SELECT max(e.actor) FROM audit_event e JOIN person p ON p.id = e.actor"
        " WHERE e.action = 'credential:issue' AND e.subject = credential.username)"
    )
    guard_keys()
    # A plain ADD COLUMN on both engines: a copied table would lose its triggers on SQLite.
    op.create_table(
        "check_search_hash",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("search_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["search_no"], ["check_search.no"], name="fk_check_search_hash_search_no"),
        sa.PrimaryKeyConstraint("hash", "search_no", name="pk_check_search_hash"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_check_search_hash_search_no", "check_search_hash", ["search_no"])
    keep_search_hashes()
    # The watch begins anew, and so writes the hashes of older searches too; an alarm is raised once for its window.
    op.execute("UPDATE check_watched_until SET search_no = 0")
    op.add_column("disclosure", sa.Column("redacted", sa.LargeBinary(), nullable=True))
    op.add_column("person", sa.Column("invited_as", sa.Text(), nullable=True))
