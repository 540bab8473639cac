"""What a list without times still holds counts as seen.

Revision: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("feed", sa.Column("listed_is_seen", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("source", sa.Column("listed_is_seen", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name in ("renew_at", "gone_at"):
        op.add_column("contribution", sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_index("ix_contribution_renewal", "contribution", ["source_id", "gone_at", "renew_at"])
    # Which values came without times was not kept. Those were seen once, at a time of the hub's own clock, which has
    # fractions of a second; the times that sources state hardly ever have.
    op.execute(
        "UPDATE contribution SET renew_at = last_seen WHERE first_seen = last_seen AND last_seen % 1000000 <> 0"
        " AND source_id IN (SELECT id FROM source WHERE member_id IS NULL AND source_class = 'feed')"
    )
