"""The rules of vetting that hold in the database itself, whoever writes: one statement for both dialects.

Who decides is a matter of the tables (four eyes), not of the pages: an UPDATE by hand is refused as well.
"""

from __future__ import annotations

from alembic import op

from hub.db.triggers import forbid

# Every legal change of a case's state; ``hub.members.vetting.states`` says who may make it and what it needs.
LEGAL = (
    "draft>submitted", "draft>withdrawn", "draft>lapsed",
    "submitted>screening", "submitted>withdrawn",
    "screening>info_requested", "screening>due_diligence", "screening>withdrawn",
    "info_requested>screening", "info_requested>withdrawn", "info_requested>lapsed",
    "due_diligence>info_requested", "due_diligence>decision", "due_diligence>withdrawn",
    "decision>approved_unsigned", "decision>rejected", "decision>withdrawn",
    "rejected>appeal", "appeal>approved_unsigned", "appeal>rejected", "appeal>withdrawn",
    "approved_unsigned>active", "approved_unsigned>withdrawn", "approved_unsigned>lapsed",
    "active>review_due", "active>suspended", "active>offboarding",
    "review_due>active", "review_due>suspended", "review_due>offboarding",
    "suspended>active", "suspended>offboarding",
    "offboarding>closed",
)  # fmt: skip

APPEND_ONLY = (
    "case_step", "case_officer", "sponsor_invitation", "sponsor_answer", "information_request",
    "information_answer", "evidence", "conflict_declaration", "vetting_decision", "agreement",
    "agreement_acceptance", "membership_review", "suspension", "suspension_lift", "offboarding_step",
    "membership_certificate", "grant_approval",
)  # fmt: skip

# (name, table, event, condition under which the change is refused, reason)
RULES = (
    ("case_begins", "vetting_case", "INSERT", "NEW.state <> 'draft'", "a case begins as a draft"),
    (
        "case_path", "vetting_case", "UPDATE OF state",
        "NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN ({legal})",
        "a case cannot change from this state to that",
    ),
    (
        "case_four_eyes", "vetting_case", "UPDATE OF state",
        ("NEW.state = 'approved_unsigned' AND NEW.state <> OLD.state AND ("
        " (SELECT count(DISTINCT d.approver_id) FROM vetting_decision d"
        "  WHERE d.case_id = NEW.id AND d.round = OLD.state AND d.verdict = 'approve') < 2"
        " OR EXISTS (SELECT 1 FROM vetting_decision d"
        "  WHERE d.case_id = NEW.id AND d.round = OLD.state AND d.verdict = 'reject'))"),
        "an approval takes two approvers and no rejection",
    ),
    (
        "case_admission", "vetting_case", "UPDATE OF state",
        ("OLD.state = 'approved_unsigned' AND NEW.state = 'active' AND ("
        " NOT EXISTS (SELECT 1 FROM agreement_acceptance a WHERE a.case_id = NEW.id)"
        " OR NOT EXISTS (SELECT 1 FROM sponsor_answer a JOIN sponsor_invitation i ON i.id = a.invitation_id"
        "  WHERE i.case_id = NEW.id AND a.confirmed))"),
        "a member is admitted with a sponsor and a signed agreement",
    ),
    (
        "case_suspension", "vetting_case", "UPDATE OF state",
        ("NEW.state = 'suspended' AND OLD.state <> 'suspended' AND NOT EXISTS ("
        " SELECT 1 FROM suspension s WHERE s.case_id = NEW.id"
        " AND s.id NOT IN (SELECT l.suspension_id FROM suspension_lift l))"),
        "a suspension stands on file",
    ),
    (
        "case_lifting", "vetting_case", "UPDATE OF state",
        ("OLD.state = 'suspended' AND NEW.state = 'active' AND (SELECT count(*) FROM suspension_lift l"
        " WHERE l.suspension_id = (SELECT max(s.id) FROM suspension s WHERE s.case_id = NEW.id)) < 2"),
        "lifting a suspension takes two people",
    ),
    (
        "case_officer_known", "vetting_case", "UPDATE OF officer_id",
        ("NEW.officer_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM case_officer o"
        " WHERE o.case_id = NEW.id AND o.person_id = NEW.officer_id)"),
        "the officer of a case is one of its officers",
    ),
    (
        "case_member_stays", "vetting_case", "UPDATE OF member_id",
        "OLD.member_id IS NOT NULL AND (NEW.member_id IS NULL OR NEW.member_id <> OLD.member_id)",
        "a case keeps its member",
    ),
    (
        "officer_has_not_decided", "case_officer", "INSERT",
        "EXISTS (SELECT 1 FROM vetting_decision d WHERE d.case_id = NEW.case_id AND d.approver_id = NEW.person_id)",
        "one who has decided a case cannot be its officer",
    ),
    (
        "officer_without_conflict", "case_officer", "INSERT",
        ("EXISTS (SELECT 1 FROM conflict_declaration c WHERE c.case_id = NEW.case_id"
        " AND c.person_id = NEW.person_id AND c.conflicted)"),
        "one with a conflict of interest cannot be the officer of a case",
    ),
    (
        "decision_in_its_round", "vetting_decision", "INSERT",
        ("NEW.round NOT IN ('decision', 'appeal') OR NOT EXISTS (SELECT 1 FROM vetting_case c"
        " WHERE c.id = NEW.case_id AND c.state = NEW.round AND c.officer_id = NEW.officer_id)"),
        "a decision falls while its case is up for it, beside its officer",
    ),
    (
        "decision_not_by_officer", "vetting_decision", "INSERT",
        "EXISTS (SELECT 1 FROM case_officer o WHERE o.case_id = NEW.case_id AND o.person_id = NEW.approver_id)",
        "an officer of a case cannot decide it",
    ),
    (
        "decision_without_conflict", "vetting_decision", "INSERT",
        ("EXISTS (SELECT 1 FROM conflict_declaration c WHERE c.case_id = NEW.case_id"
        " AND c.person_id = NEW.approver_id AND c.conflicted)"
        " OR NOT EXISTS (SELECT 1 FROM conflict_declaration c WHERE c.case_id = NEW.case_id"
        " AND c.person_id = NEW.approver_id)"),
        "an approver declares to have no conflict of interest",
    ),
    (
        "appeal_by_others", "vetting_decision", "INSERT",
        ("NEW.round = 'appeal' AND EXISTS (SELECT 1 FROM vetting_decision d"
        " WHERE d.case_id = NEW.case_id AND d.approver_id = NEW.approver_id AND d.round = 'decision')"),
        "an appeal is decided by other people",
    ),
    (
        "acceptance_of_what_was_shown", "agreement_acceptance", "INSERT",
        "NOT EXISTS (SELECT 1 FROM agreement a WHERE a.version = NEW.version AND a.sha256 = NEW.sha256)",
        "an acceptance carries the hash of its version",
    ),
    (
        "member_gate", "member", "UPDATE OF status",
        ("NEW.status = 'active' AND OLD.status <> 'active' AND EXISTS (SELECT 1 FROM vetting_case c"
        " WHERE c.member_id = NEW.id AND c.state NOT IN ('active', 'review_due'))"),
        "a member is active only while its case is",
    ),
    (
        "grant_begins", "membership_grant", "INSERT", "NEW.state <> 'requested'", "a grant begins as a request",
    ),
    (
        "grant_path", "membership_grant", "UPDATE OF state",
        ("NEW.state <> OLD.state AND OLD.state || '>' || NEW.state NOT IN"
        " ('requested>active', 'requested>refused', 'active>expired', 'active>revoked')"),
        "a grant cannot change from this state to that",
    ),
    (
        "grant_by_hub_people", "grant_approval", "INSERT",
        "EXISTS (SELECT 1 FROM person p WHERE p.id = NEW.person_id AND p.member_id IS NOT NULL)",
        "grants are decided by people of the hub",
    ),
    (
        "grant_approved", "membership_grant", "UPDATE OF state",
        ("NEW.state = 'active' AND OLD.state <> 'active' AND ("
        " NOT EXISTS (SELECT 1 FROM grant_approval a WHERE a.grant_id = NEW.id AND a.capacity = 'approver')"
        " OR (NEW.kind = 'personal-data' AND NOT EXISTS (SELECT 1 FROM grant_approval a"
        "  WHERE a.grant_id = NEW.id AND a.capacity = 'data-protection')))"),
        "a grant needs its approvals",
    ),
)  # fmt: skip


def guard_vetting() -> None:
    """Create every trigger of this file."""
    legal = ", ".join(f"'{change}'" for change in LEGAL)
    for name, table, event, condition, reason in RULES:
        refuse(name, table, event, condition.format(legal=legal), reason)
    for table in APPEND_ONLY:
        forbid(table, "UPDATE", "DELETE")
    forbid("vetting_case", "DELETE")
    forbid(
        "membership_grant",
        "UPDATE OF member_id, kind, value, purpose, lawful_basis, requested_by, requested_at, expires_at",
        "DELETE",
    )
    forbid("break_glass", "UPDATE OF person_id, role, reason, at, expires_at", "DELETE")


def refuse(name: str, table: str, event: str, condition: str, reason: str) -> None:
    """Refuse ``event`` on ``table`` where ``condition`` holds (NEW, OLD); an integrity error on both engines."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN"
            f" RAISE EXCEPTION '{reason}' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    else:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition}"
            f" BEGIN SELECT RAISE(ABORT, '{reason}'); END"
        )
