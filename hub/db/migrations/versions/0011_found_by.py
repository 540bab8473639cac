"""What is asked of large tables is found by an index; an IBAN is found by its account too.

Revision: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("indicator", sa.Column("account", sa.Text(), nullable=True))
    op.execute("UPDATE indicator SET account = value WHERE kind = 'bank-account'")
    op.execute("UPDATE indicator SET account = substr(value, 9) WHERE kind = 'iban' AND value LIKE 'GB%'")
    has_account = sa.text("account IS NOT NULL")
    op.create_index(
        "ix_indicator_account", "indicator", ["account"], sqlite_where=has_account, postgresql_where=has_account
    )
    op.create_index("ix_indicator_created", "indicator", ["created", "kind"])
    op.create_index("ix_entry_stream_version", "entry", ["stream_id", "version_key", "seq"])
    op.create_index("ix_audit_event_action", "audit_event", ["action", "id"])
    op.create_index("ix_submission_member", "submission", ["member_id", "received_at", "id"])
    op.create_index("ix_filing_filed_at", "filing", ["filed_at", "member_id"])
