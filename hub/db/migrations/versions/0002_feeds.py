"""The quarantine's decisions and the feeds' ceilings.

Revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db.triggers import forbid

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# What was held before this revision has no statement of its own: it is released as its source's grade, AMBER.
AMBER = "2"
NO_LIST = "[]"


def upgrade() -> None:
    """Apply."""
    _quarantine()
    op.add_column("reported_value", sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("source", sa.Column("allows_wider", sa.Text(), nullable=False, server_default=""))
    op.add_column("source", sa.Column("reading_context", sa.LargeBinary(), nullable=False, server_default=""))
    op.add_column("feed", sa.Column("allows_wider", sa.Text(), nullable=False, server_default=""))
    op.add_column("feed", sa.Column("tlp_ceiling", sa.SmallInteger(), nullable=False, server_default=AMBER))
    op.execute("UPDATE feed SET tlp_ceiling = tlp")
    op.add_column("submission", sa.Column("tlp_ceiling", sa.SmallInteger(), nullable=True))
    op.create_table(
        "known_reading",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("indicator_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["indicator_id", "source_id"],
            ["contribution.indicator_id", "contribution.source_id"],
            name="fk_known_reading_contribution",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source_id", "digest", name=op.f("pk_known_reading")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_known_reading_contribution", "known_reading", ["indicator_id", "source_id"])


def _quarantine() -> None:
    """What an entry needs to be released as it was said, what was decided of it, and each decision for good."""
    op.add_column("quarantined", sa.Column("state", sa.Text(), nullable=False, server_default="held"))
    op.add_column("quarantined", sa.Column("origin", sa.Text(), nullable=False, server_default="value"))
    op.add_column("quarantined", sa.Column("collection_no", sa.Integer(), nullable=True))
    op.add_column("quarantined", sa.Column("grade", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE quarantined SET grade = (SELECT s.grade FROM source s WHERE s.id = quarantined.source_id)")
    op.add_column("quarantined", sa.Column("tlp", sa.SmallInteger(), nullable=False, server_default=AMBER))
    for name in ("groups", "labels", "kill_chain_phases"):
        op.add_column("quarantined", sa.Column(name, sa.JSON(), nullable=False, server_default=NO_LIST))
    for name in ("first_seen", "last_seen", "decided_at"):
        op.add_column("quarantined", sa.Column(name, sa.BigInteger(), nullable=True))
    for name in ("replaced_kind", "replaced_value", "decided_by", "decision"):
        op.add_column("quarantined", sa.Column(name, sa.Text(), nullable=True))
    op.create_index("ix_quarantined_state_id", "quarantined", ["state", "id"])
    op.create_table(
        "quarantine_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["quarantined.id"], name=op.f("fk_quarantine_decision_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine_decision")),
    )
    op.create_index("ix_quarantine_decision_entry_id", "quarantine_decision", ["entry_id"])
    forbid("quarantine_decision", "UPDATE", "DELETE")
