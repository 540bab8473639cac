"""The rules of filings that hold in the database itself, whoever writes: one statement for both dialects.

Known fraud counts only once a second person of the same member has approved this very version; what has ended
stays so; a filing's history is append-only until the filing has ended and is erased as a whole.
"""

from __future__ import annotations

from alembic import op

from hub.db.triggers import forbid
from hub.db.vetting_rules import refuse

# Every legal change of a filing's state; ``hub.checks.filings.filing`` says who may make it.
LEGAL = (
    "pending>live", "pending>refused", "pending>withdrawn", "pending>expired",
    "live>pending", "live>disputed", "live>withdrawn", "live>expired",
    "disputed>live", "disputed>pending", "disputed>withdrawn", "disputed>expired",
)  # fmt: skip
KEPT = "id, member_id, source_group, reference, filed_at"

# (name, event, condition under which the change is refused, reason)
RULES = (
    (
        "filing_begins", "INSERT",
        ("NEW.state NOT IN ('pending', 'live') OR (NEW.tier = 'known_fraud' AND NEW.state <> 'pending')"
        " OR NEW.approved_by IS NOT NULL OR NEW.version <> 1"),
        "known fraud begins pending, and nothing begins approved",
    ),
    (
        "filing_path", "UPDATE OF state",
        "NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN ({legal})",
        "a filing cannot change from this state to that",
    ),
    (
        "filing_ended", "UPDATE OF sealed, version, valid_until, ended_at",
        "OLD.state IN ('withdrawn', 'expired', 'refused')",
        "a filing that has ended stays as it is",
    ),
    (
        "filing_approver", "UPDATE OF approved_by",
        ("NEW.approved_by IS NOT NULL AND (OLD.approved_by IS NULL OR OLD.approved_by <> NEW.approved_by) AND ("
        " OLD.state <> 'pending' OR NEW.version <> OLD.version OR NEW.filed_by <> OLD.filed_by"
        " OR NOT EXISTS (SELECT 1 FROM person p"
        "  WHERE p.id = NEW.approved_by AND p.member_id = NEW.member_id AND p.status = 'active'))"),
        "an approver is another active person of the same member, and approves what waits as it stands",
    ),
    (
        "filing_version_moves", "UPDATE OF sealed, tier, filed_by, version, pillars, evidence",
        ("(NEW.sealed <> OLD.sealed OR NEW.tier <> OLD.tier OR NEW.filed_by <> OLD.filed_by"
        " OR NEW.pillars <> OLD.pillars OR NEW.evidence <> OLD.evidence OR NEW.version <> OLD.version) AND ("
        " NEW.version <> OLD.version + 1 OR NEW.approved_by IS NOT NULL)"),
        "what a filing says changes with its version only, and no version begins approved",
    ),
    (
        "filing_not_live_unapproved", "UPDATE OF state, tier, version, approved_by",
        "NEW.tier = 'known_fraud' AND NEW.state = 'live' AND NEW.version <> OLD.version",
        "a new version of known fraud waits for its approval",
    ),
)  # fmt: skip


# What a key has filed is its issuer's as much as if they had filed it themselves.
KEY_FILED = (
    "NEW.approved_by IS NOT NULL AND EXISTS (SELECT 1 FROM credential c"
    " WHERE 'credential:' || c.username = NEW.filed_by AND c.issued_by = NEW.approved_by)"
)


def guard_keys() -> None:
    """Who made a key does not approve what it files, and who made it stays written."""
    refuse("filing_key_issuer", "filing", "UPDATE OF approved_by, filed_by", KEY_FILED,
           "whoever made a key does not approve what the key has filed")  # fmt: skip
    forbid("credential", "UPDATE OF username, issued_by")


def guard_filings() -> None:
    """Create every trigger of this file."""
    legal = ", ".join(f"'{change}'" for change in LEGAL)
    for name, event, condition, reason in RULES:
        refuse(name, "filing", event, condition.format(legal=legal), reason)
    forbid("filing", f"UPDATE OF {KEPT}")
    for table in ("filing_version", "filing_event"):
        forbid(table, "UPDATE")
        _keep_until_ended(table)


def _keep_until_ended(table: str) -> None:
    """Refuse the deletion of a filing's history while the filing still stands."""
    condition = (
        "EXISTS (SELECT 1 FROM filing f WHERE f.id = OLD.filing_id"
        " AND f.state NOT IN ('withdrawn', 'expired', 'refused'))"
    )
    name, reason = f"{table}_kept", f"{table} is kept while its filing stands"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN"
            f" RAISE EXCEPTION '{reason}' USING ERRCODE = 'check_violation'; END IF; RETURN OLD; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    else:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE DELETE ON {table} WHEN {condition}"
            f" BEGIN SELECT RAISE(ABORT, '{reason}'); END"
        )
