"""What the merge keeps of each statement; how PostgreSQL keeps the bodies of the log.

Revision: 0008
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "postgresql":
        # A row of the log has some 2 kB, just where PostgreSQL begins to compress and to move values elsewhere:
        # a signed body hardly shrinks, and is read whole. So only a row that fits no page is treated so.
        op.execute("ALTER TABLE entry SET (toast_tuple_target = 8160)")
