"""What the merge keeps of each statement; how PostgreSQL keeps the bodies of the log.

Revision: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NO_LIST = "[]"


def upgrade() -> None:
    """Apply."""
    for name in ("kill_chain_phases", "derived_from"):
        op.add_column("contribution", sa.Column(name, sa.JSON(), nullable=False, server_default=NO_LIST))
    op.add_column("contribution", sa.Column("echo", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("quarantined", sa.Column("derived_from", sa.JSON(), nullable=False, server_default=NO_LIST))
    op.add_column("indicator", sa.Column("falls_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_indicator_falls_at", "indicator", ["falls_at"])
    # What stands here was never weighed again: the next runs of the housekeeping look at each once.
    op.execute("UPDATE indicator SET falls_at = modified WHERE length(content) > 0")
    op.create_index("ix_disclosure_member_id", "disclosure", ["member_id", "collection_no", "last_seq", "id"])
    if op.get_bind().dialect.name == "postgresql":
        # A row of the log has some 2 kB, just where PostgreSQL begins to compress and to move values elsewhere:
        # a signed body hardly shrinks, and is read whole. So only a row that fits no page is treated so.
        op.execute("ALTER TABLE entry SET (toast_tuple_target = 8160)")
