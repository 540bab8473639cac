"""Searches, quotas, alarms.

Revision: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db.triggers import forbid

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "check_alarm",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("window", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("handled_at", sa.BigInteger(), nullable=True),
        sa.Column("handled_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_alarm")),
    )
    op.create_index("ix_check_alarm_window", "check_alarm", ["member_id", "kind", "window"], unique=True)
    op.create_table(
        "check_canary",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_canary")),
        sa.UniqueConstraint("hash", name=op.f("uq_check_canary_hash")),
    )
    op.create_table(
        "check_job",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("case_reference", sa.LargeBinary(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("lease_by", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("delete_after", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_job")),
    )
    op.create_index("ix_check_job_state", "check_job", ["state", "received_at"], unique=False)
    op.create_table(
        "check_quota",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("per_hour", sa.Integer(), nullable=False),
        sa.Column("per_day", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "purpose", name=op.f("pk_check_quota")),
    )
    op.create_table(
        "check_quota_use",
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "purpose", "period", "start", name=op.f("pk_check_quota_use")),
    )
    op.create_table(
        "check_search",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("outcomes", sa.Text(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("near", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_check_search")),
        sa.UniqueConstraint("id", name=op.f("uq_check_search_id")),
    )
    op.create_index("ix_check_search_member_id_at", "check_search", ["member_id", "at"], unique=False)
    op.create_table(
        "check_watched_until",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("search_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_watched_until")),
    )
    op.create_table(
        "check_answer",
        sa.Column("search_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("delete_after", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["search_no"], ["check_search.no"], name=op.f("fk_check_answer_search_no")),
        sa.PrimaryKeyConstraint("search_no", name=op.f("pk_check_answer")),
    )
    op.create_index("ix_check_answer_delete_after", "check_answer", ["delete_after"], unique=False)
    op.create_table(
        "check_decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("search_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("justifies", sa.SmallInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["search_no"], ["check_search.no"], name=op.f("fk_check_decision_search_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_decision")),
    )
    op.create_index("ix_check_decision_search_no", "check_decision", ["search_no"], unique=False)
    op.create_table(
        "check_job_part",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["check_job.id"], name=op.f("fk_check_job_part_job_id")),
        sa.PrimaryKeyConstraint("job_id", "start", name=op.f("pk_check_job_part")),
    )
    op.create_table(
        "check_match",
        sa.Column("search_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("known_ref", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["search_no"], ["check_search.no"], name=op.f("fk_check_match_search_no")),
        sa.PrimaryKeyConstraint("search_no", "position", "known_ref", name=op.f("pk_check_match")),
    )
    op.create_index("ix_check_match_known_ref", "check_match", ["known_ref"], unique=False)
    op.create_table(
        "check_sample",
        sa.Column("search_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("justified_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["search_no"], ["check_search.no"], name=op.f("fk_check_sample_search_no")),
        sa.PrimaryKeyConstraint("search_no", name=op.f("pk_check_sample")),
    )
    op.create_index(
        "ix_check_sample_member_id_purpose", "check_sample", ["member_id", "purpose", "justified_at"], unique=False
    )
    for table in ("check_search", "check_match", "check_decision"):
        forbid(table, "UPDATE", "DELETE")
    op.execute("INSERT INTO check_watched_until (id, search_no) VALUES (1, 0)")
