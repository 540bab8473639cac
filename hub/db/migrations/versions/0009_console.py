"""Who made a key; who was invited under an address that is somebody else's already.

Revision: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db.filing_rules import guard_keys

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
    op.add_column("person", sa.Column("invited_as", sa.Text(), nullable=True))
