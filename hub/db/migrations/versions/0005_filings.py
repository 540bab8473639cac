"""Filings and the checking index.

Revision: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub import clock
from hub.db.filing_rules import guard_filings

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATES = "'pending', 'live', 'disputed', 'withdrawn', 'expired', 'refused'"
SIX_YEARS = 2191 * 86_400_000_000


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "filing",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("source_group", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("legal_gateway", sa.Text(), nullable=False),
        sa.Column("case_reference", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("pillars", sa.SmallInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("tlp", sa.SmallInteger(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("filed_by", sa.Text(), nullable=False),
        sa.Column("filed_at", sa.BigInteger(), nullable=False),
        sa.Column("amended_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.Text()),
        sa.Column("approved_at", sa.BigInteger()),
        sa.Column("disputed_by", sa.Text()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("reported_at", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_filing"),
        sa.UniqueConstraint("member_id", "reference", name="uq_filing_member_id_reference"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_filing_member_id"),
        sa.ForeignKeyConstraint(["class_id"], ["visibility_class.id"], name="fk_filing_class_id"),
        sa.CheckConstraint(f"state IN ({STATES})", name="ck_filing_state"),
        sa.CheckConstraint("approved_by IS NULL OR approved_by <> filed_by", name="ck_filing_four_eyes"),
        sa.CheckConstraint(
            "tier = 'intelligence' OR (tier = 'known_fraud' AND pillars = 15 AND evidence <> '')",
            name="ck_filing_tier",
        ),
        sa.CheckConstraint(
            "tier <> 'known_fraud' OR state <> 'live' OR approved_by IS NOT NULL", name="ck_filing_approved"
        ),
        sa.CheckConstraint(f"valid_until <= filed_at + {SIX_YEARS}", name="ck_filing_six_years"),
        sa.CheckConstraint("purpose <> '' AND legal_gateway <> '' AND case_reference <> ''", name="ck_filing_basis"),
    )
    op.create_index("ix_filing_due", "filing", ["state", "valid_until"])
    op.create_table(
        "filing_identifier",
        sa.Column("filing_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("facet", sa.Text(), nullable=False),
        sa.Column("exact", sa.Boolean(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("filing_id", "position", name="pk_filing_identifier"),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name="fk_filing_identifier_filing_id"),
    )
    op.create_index("ix_filing_identifier_tag", "filing_identifier", ["tag", "valid_until"])
    op.create_table(
        "filing_version",
        sa.Column("filing_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("filed_by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("filing_id", "version", name="pk_filing_version"),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name="fk_filing_version_filing_id"),
    )
    op.create_table(
        "filing_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("filing_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_filing_event"),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name="fk_filing_event_filing_id"),
    )
    op.create_index("ix_filing_event_filing_id", "filing_event", ["filing_id"])
    epochs = op.create_table(
        "index_epoch",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("epoch", name="pk_index_epoch"),
    )
    op.bulk_insert(epochs, [{"epoch": 1, "made_at": clock.micros(), "retired_at": None}])
    guard_filings()
