"""The tables of vetting. All but the case and the grant are append-only; ``hub.db.vetting_rules`` holds the triggers.

``person_id`` and its like name people of the console, or the source of a letter's link; the hub itself is ``hub``.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Record, Timestamp


class VettingCase(Record):
    """An organisation on its way to membership, and its file for as long as it is a member.

    ``parent`` is the ultimate parent company, "" where it has none.
    """

    __tablename__ = "vetting_case"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text, index=True)
    since: Mapped[Timestamp]
    created_at: Mapped[Timestamp]
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    domain: Mapped[str] = mapped_column(Text)
    registration: Mapped[str] = mapped_column(Text)
    regulator_reference: Mapped[str] = mapped_column(Text)
    parent: Mapped[str] = mapped_column(Text, default="")
    parent_registration: Mapped[str] = mapped_column(Text, default="")
    purpose: Mapped[str] = mapped_column(Text)
    anonymous: Mapped[bool] = mapped_column(Boolean)
    primary_name: Mapped[str] = mapped_column(Text)
    primary_email: Mapped[str] = mapped_column(Text)
    deputy_name: Mapped[str] = mapped_column(Text)
    deputy_email: Mapped[str] = mapped_column(Text)
    clearance: Mapped[int] = mapped_column(SmallInteger)
    roles: Mapped[list[str]] = mapped_column(JSON)
    groups: Mapped[list[str]] = mapped_column(JSON)
    officer_id: Mapped[str | None] = mapped_column(Text)
    member_id: Mapped[str | None] = mapped_column(ForeignKey("member.id"), unique=True)
    reviewed_at: Mapped[int | None] = mapped_column(BigInteger)


class CaseStep(Record):
    """One change of state."""

    __tablename__ = "case_step"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("vetting_case.id"), index=True)
    at: Mapped[Timestamp]
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)


class CaseOfficer(Record):
    """A person who has worked on a case as its officer, now or before: never one who decides it."""

    __tablename__ = "case_officer"

    case_id: Mapped[str] = mapped_column(ForeignKey("vetting_case.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[Timestamp]


class CaseLink(Record):
    """A link of a letter, known by the SHA-256 of its random token."""

    __tablename__ = "case_link"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("vetting_case.id"), index=True)
    purpose: Mapped[str] = mapped_column(Text)
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("sponsor_invitation.id"))
    expires_at: Mapped[Timestamp]
    used_at: Mapped[int | None] = mapped_column(BigInteger)


class SponsorInvitation(Record):
    """A member that is asked to stand for an applicant."""

    __tablename__ = "sponsor_invitation"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("vetting_case.id"), index=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id"))
    email: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class SponsorAnswer(Record):
    """What the sponsor said, once. ``in_confidence`` is for the hub alone."""

    __tablename__ = "sponsor_answer"

    invitation_id: Mapped[int] = mapped_column(ForeignKey("sponsor_invitation.id"), primary_key=True)
    confirmed: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(Text)
    statement: Mapped[str] = mapped_column(Text)
    in_confidence: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]
    address: Mapped[str] = mapped_column(Text)


class InformationRequest(Record):
    """A question of the officer's to the applicant."""

    __tablename__ = "information_request"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("vetting_case.id"), index=True)
    question: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class InformationAnswer(Record):
    """The applicant's answer, once."""

    __tablename__ = "information_answer"

    request_id: Mapped[int] = mapped_column(ForeignKey("information_request.id"), primary_key=True)
    answer: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class Evidence(Record):
    """A file of the case; its sealed bytes lie in the evidence folder under its id."""

    __tablename__ = "evidence"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("vetting_case.id"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    filename: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class ConflictDeclaration(Record):
    """A person's word on whether they have a conflict of interest in a case."""

    __tablename__ = "conflict_declaration"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("vetting_case.id"), index=True)
    person_id: Mapped[str] = mapped_column(Text)
    conflicted: Mapped[bool] = mapped_column(Boolean)
    explanation: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class VettingDecision(Record):
    """One approver's verdict. ``round`` is the state in which it falls: ``decision`` or ``appeal``."""

    __tablename__ = "vetting_decision"
    __table_args__ = (
        UniqueConstraint("case_id", "round", "approver_id"),
        CheckConstraint("approver_id <> officer_id", name="approver_is_not_the_officer"),
        CheckConstraint("verdict IN ('approve', 'reject')", name="verdict"),
        CheckConstraint("length(reason) > 0", name="has_a_reason"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("vetting_case.id"))
    round: Mapped[str] = mapped_column(Text)
    officer_id: Mapped[str] = mapped_column(Text)
    approver_id: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class Agreement(Record):
    """A version of the membership agreement."""

    __tablename__ = "agreement"

    version: Mapped[str] = mapped_column(Text, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class AgreementAcceptance(Record):
    """The signatory's acceptance of one version: the hash of what was shown, when, and from which address."""

    __tablename__ = "agreement_acceptance"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("vetting_case.id"), index=True)
    version: Mapped[str] = mapped_column(ForeignKey("agreement.version"))
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    signatory: Mapped[str] = mapped_column(Text)
    position: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class MembershipReview(Record):
    """The outcome of an annual review."""

    __tablename__ = "membership_review"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("vetting_case.id"), index=True)
    findings: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class Suspension(Record):
    """A suspension, by one duty officer."""

    __tablename__ = "suspension"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("vetting_case.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class SuspensionLift(Record):
    """One of the two voices that lift a suspension."""

    __tablename__ = "suspension_lift"

    suspension_id: Mapped[int] = mapped_column(ForeignKey("suspension.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class OffboardingStep(Record):
    """A point of the off-boarding list that is done."""

    __tablename__ = "offboarding_step"

    case_id: Mapped[str] = mapped_column(ForeignKey("vetting_case.id"), primary_key=True)
    step: Mapped[str] = mapped_column(Text, primary_key=True)
    note: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class MembershipCertificate(Record):
    """A dated certificate of membership or cessation: the facts as they stood on its day."""

    __tablename__ = "membership_certificate"

    number: Mapped[str] = mapped_column(Text, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("vetting_case.id"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class Grant(Record):
    """A right beyond what a member was admitted with: a higher TLP ceiling, a group, personal data."""

    __tablename__ = "membership_grant"
    __table_args__ = (
        # What an approval refers to, so that the database compares the two people.
        UniqueConstraint("id", "requested_by", "member_id"),
        CheckConstraint("kind <> 'personal-data' OR length(lawful_basis) > 0", name="has_a_lawful_basis"),
        CheckConstraint("expires_at > requested_at", name="expires_after_request"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    member_id: Mapped[str] = mapped_column(ForeignKey("member.id"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    lawful_basis: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp]
    state: Mapped[str] = mapped_column(Text)
    replaced: Mapped[int | None] = mapped_column(SmallInteger)


class GrantApproval(Record):
    """One approver's voice for a grant: never the one who asked, never one of the member's own people."""

    __tablename__ = "grant_approval"
    __table_args__ = (
        ForeignKeyConstraint(
            ["grant_id", "requested_by", "member_id"],
            ["membership_grant.id", "membership_grant.requested_by", "membership_grant.member_id"],
        ),
        CheckConstraint("person_id <> requested_by", name="not_by_who_asked"),
        CheckConstraint("person_member_id <> member_id", name="not_by_who_gains"),
        CheckConstraint("capacity IN ('approver', 'data-protection')", name="capacity"),
    )

    grant_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    person_id: Mapped[str] = mapped_column(Text, primary_key=True)
    requested_by: Mapped[str] = mapped_column(Text)
    member_id: Mapped[str] = mapped_column(Text)
    person_member_id: Mapped[str] = mapped_column(Text)
    capacity: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]


class BreakGlass(Record):
    """A role that a person took for an emergency: short, reported at once, reviewed by somebody else."""

    __tablename__ = "break_glass"
    __table_args__ = (CheckConstraint("reviewed_by IS NULL OR reviewed_by <> person_id", name="reviewed_by_another"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    person_id: Mapped[str] = mapped_column(Text, index=True)
    role: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp]
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    reviewed_by: Mapped[str | None] = mapped_column(Text)
