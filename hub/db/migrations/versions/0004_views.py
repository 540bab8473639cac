"""Key scopes, redacted fields, unmasking.

Revision: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.db.triggers import forbid, watch
from hub.db.vetting_rules import refuse

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for table in ("credential", "client_certificate"):
        op.add_column(table, sa.Column("scopes", sa.JSON(), nullable=True))
        op.add_column(table, sa.Column("networks", sa.JSON(), nullable=True))
    op.create_table(
        "credential_refusal",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_credential_refusal")),
    )
    op.add_column("visibility_class", sa.Column("fields", sa.Text(), nullable=False, server_default=""))
    op.add_column("visibility_class", sa.Column("personal", sa.SmallInteger(), nullable=False, server_default="0"))
    # A grant of personal data decides what its member sees of such fields.
    watch(("membership_grant",))
    _create_unmasking()
    _guard_unmasking()


def _create_unmasking() -> None:
    op.create_table(
        "unmasking",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("shown_until", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'open') = (shown_until IS NOT NULL)", name=op.f("ck_unmasking_shown_while_open")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_unmasking_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unmasking")),
        sa.UniqueConstraint("id", "requested_by", name=op.f("uq_unmasking_id_requested_by")),
    )
    op.create_table(
        "unmasking_voice",
        sa.Column("unmasking_id", sa.Integer(), nullable=False),
        sa.Column("function", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("barred", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("person_id <> requested_by", name=op.f("ck_unmasking_voice_not_by_who_asked")),
        sa.CheckConstraint("function IN ('legal', 'operations')", name=op.f("ck_unmasking_voice_function")),
        sa.CheckConstraint("verdict IN ('approve', 'refuse')", name=op.f("ck_unmasking_voice_verdict")),
        sa.CheckConstraint("barred = '' OR function = 'legal'", name=op.f("ck_unmasking_voice_barred_by_legal")),
        sa.ForeignKeyConstraint(
            ["unmasking_id", "requested_by"],
            ["unmasking.id", "unmasking.requested_by"],
            name=op.f("fk_unmasking_voice_unmasking_id"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_unmasking_voice_person_id")),
        sa.PrimaryKeyConstraint("unmasking_id", "function", name=op.f("pk_unmasking_voice")),
        sa.UniqueConstraint("unmasking_id", "person_id", name=op.f("uq_unmasking_voice_unmasking_id_person_id")),
    )


def _guard_unmasking() -> None:
    """Two people, one of each function, neither of them the one who asked: whoever writes."""
    refuse("unmasking_begins", "unmasking", "INSERT", "NEW.state <> 'requested'", "an unmasking begins as a request")
    refuse(
        "unmasking_path", "unmasking", "UPDATE OF state",
        "NEW.state <> OLD.state AND (OLD.state <> 'requested' OR NEW.state NOT IN ('open', 'refused'))",
        "an unmasking cannot change from this state to that",
    )  # fmt: skip
    refuse(
        "unmasking_four_eyes", "unmasking", "UPDATE OF state",
        "NEW.state = 'open' AND OLD.state <> 'open' AND (SELECT count(*) FROM unmasking_voice v"
        " WHERE v.unmasking_id = NEW.id AND v.verdict = 'approve') < 2",
        "an unmasking takes legal and operations",
    )  # fmt: skip
    refuse(
        "unmasking_shown_no_longer", "unmasking", "UPDATE OF shown_until",
        "OLD.shown_until IS NOT NULL AND NEW.shown_until > OLD.shown_until",
        "the time in which the answer is shown is not extended",
    )  # fmt: skip
    refuse(
        "unmasking_voice_of_its_role", "unmasking_voice", "INSERT",
        "NOT EXISTS (SELECT 1 FROM person p WHERE p.id = NEW.person_id AND p.member_id IS NULL"
        " AND CAST(p.roles AS TEXT) LIKE"
        " CASE NEW.function WHEN 'legal' THEN '%\"approver\"%' ELSE '%\"vetting-officer\"%' END)",
        "legal is an approver of the hub, operations a vetting officer",
    )  # fmt: skip
    refuse(
        "unmasking_voice_in_time", "unmasking_voice", "INSERT",
        "NOT EXISTS (SELECT 1 FROM unmasking u WHERE u.id = NEW.unmasking_id AND u.state = 'requested')",
        "this request is decided",
    )  # fmt: skip
    forbid("unmasking", "UPDATE OF id, subject, member_id, reason, requested_by, requested_at", "DELETE")
    forbid("unmasking_voice", "UPDATE", "DELETE")
