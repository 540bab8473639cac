"""Private pre-check, subject access, retention.

Revision: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db.retention_rules import keep_searches

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "precheck_epoch",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("refused_after", sa.BigInteger()),
        sa.Column("building_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_precheck_epoch"),
    )
    op.create_table(
        "precheck_output",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("value_key", sa.LargeBinary(), nullable=False),
        sa.Column("output", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["precheck_epoch.number"], name="fk_precheck_output_epoch"),
        sa.PrimaryKeyConstraint("epoch", "value_key", name="pk_precheck_output"),
    )
    op.create_table(
        "precheck_set",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("collection_no", sa.Integer()),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("superseded_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["epoch"], ["precheck_epoch.number"], name="fk_precheck_set_epoch"),
        sa.ForeignKeyConstraint(["collection_no"], ["collection.no"], name="fk_precheck_set_collection_no"),
        sa.ForeignKeyConstraint(["class_id"], ["visibility_class.id"], name="fk_precheck_set_class_id"),
        sa.PrimaryKeyConstraint("version", name="pk_precheck_set"),
    )
    op.create_index("ix_precheck_set_audience", "precheck_set", ["collection_no", "class_id"])
    op.create_table(
        "correction_notice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_correction_notice_member_id"),
        sa.PrimaryKeyConstraint("id", name="pk_correction_notice"),
        sa.UniqueConstraint("event_id", "member_id", name="uq_correction_notice_event_id_member_id"),
    )
    op.create_index("ix_correction_notice_member_id", "correction_notice", ["member_id", "at"])
    op.create_table(
        "subject_access_request",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("exemption", sa.Boolean(), nullable=False),
        sa.Column("disclosed", sa.Integer(), nullable=False),
        sa.Column("withheld", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("decided_by <> ''", name="ck_subject_access_request_decided_by"),
        sa.CheckConstraint("exemption OR withheld = 0", name="ck_subject_access_request_withheld"),
        sa.PrimaryKeyConstraint("id", name="pk_subject_access_request"),
        sa.UniqueConstraint("reference", name="uq_subject_access_request_reference"),
    )
    keep_searches()
