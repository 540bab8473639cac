"""Passkeys, sign-in through an organisation's own provider, reminders, corporate groups.

Revision: 0003
"""

from __future__ import annotations

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

from hub.db.vetting_rules import refuse

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SHARED_KEY = (
    "SELECT 1 FROM corporate_key a JOIN corporate_key b ON b.key = a.key"
    " WHERE a.organisation = {case} AND b.organisation = {member}"
)
WITHOUT_INDEPENDENT_SPONSOR = (
    "OLD.state = 'approved_unsigned' AND NEW.state = 'active' AND NOT EXISTS (SELECT 1 FROM sponsor_answer a"
    " JOIN sponsor_invitation i ON i.id = a.invitation_id WHERE i.case_id = NEW.id AND a.confirmed"
    " AND NOT EXISTS ({shared}))"
)
# As hub.members.corporate had them on this day.
LEGAL_WORDS = frozenset({
    "plc", "ltd", "limited", "llp", "inc", "incorporated", "corp", "corporation", "co", "company", "sa", "ag", "se",
    "gmbh", "bv", "nv", "spa", "ab", "oy", "group", "holding", "holdings", "uk", "the",
})  # fmt: skip


def upgrade() -> None:
    """Apply."""
    _sign_in()
    _corporate_groups()


def _sign_in() -> None:
    op.add_column("browser_session", sa.Column("begun_by", sa.Text(), nullable=False, server_default="password"))
    op.create_table(
        "passkey",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("person_id", sa.Text(), sa.ForeignKey("person.id", name="fk_passkey_person_id"), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger()),
        sa.UniqueConstraint("credential_id", name="uq_passkey_credential_id"),
    )
    op.create_index("ix_passkey_person", "passkey", ["person_id"])
    op.create_table(
        "spent_challenge",
        sa.Column("digest", sa.LargeBinary(), primary_key=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "sign_in_provider",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column(
            "member_id", sa.Text(), sa.ForeignKey("member.id", name="fk_sign_in_provider_member_id"), nullable=False
        ),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_secret", sa.LargeBinary(), nullable=False),
        sa.Column("domains", sa.JSON(), nullable=False),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.Column("acr", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("member_id", name="uq_sign_in_provider_member_id"),
    )
    op.create_table(
        "provider_subject",
        sa.Column("issuer", sa.Text(), primary_key=True),
        sa.Column("subject", sa.Text(), primary_key=True),
        sa.Column(
            "person_id", sa.Text(), sa.ForeignKey("person.id", name="fk_provider_subject_person_id"), nullable=False
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_provider_subject_person", "provider_subject", ["person_id"])
    op.create_table(
        "reminder",
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("subject", sa.Text(), primary_key=True),
        sa.Column("due_at", sa.BigInteger(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )


def _corporate_groups() -> None:
    # A plain ADD COLUMN on both engines: a copied table would lose its triggers on SQLite.
    op.add_column("vetting_case", sa.Column("parent", sa.Text(), nullable=False, server_default=""))
    op.add_column("vetting_case", sa.Column("parent_registration", sa.Text(), nullable=False, server_default=""))
    kept = op.create_table(
        "corporate_key",
        sa.Column("organisation", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
    )
    op.create_index("ix_corporate_key_key", "corporate_key", ["key"])
    named = sa.column("id", sa.Text), sa.column("name", sa.Text)
    rows = [
        {"organisation": row[0], "key": f"name:{key}"}
        for table in ("member", "vetting_case")
        for row in op.get_bind().execute(sa.select(*named).select_from(sa.table(table)))
        if (key := _plain(row[1]))
    ]
    if rows:
        op.bulk_insert(kept, rows)
    shared = SHARED_KEY.format(case="NEW.case_id", member="NEW.member_id")
    refuse(
        "sponsor_of_another_group", "sponsor_invitation", "INSERT", f"EXISTS ({shared})",
        "a sponsor is of another corporate group",
    )  # fmt: skip
    shared = SHARED_KEY.format(case="NEW.id", member="i.member_id")
    refuse(
        "case_sponsor_independent", "vetting_case", "UPDATE OF state",
        WITHOUT_INDEPENDENT_SPONSOR.format(shared=shared),
        "a member is admitted with a sponsor of another group",
    )  # fmt: skip


def _plain(name: str) -> str:
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", name).casefold())
    return "".join([word for word in words if word not in LEGAL_WORDS] or words)
