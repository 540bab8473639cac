"""What an applicant, a sponsor and the hub's people are told, with the change that it tells of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from hub.audit import record
from hub.auth import Role
from hub.members import outbox, people
from hub.members.invitations import Post
from hub.members.vetting import cases, links
from hub.members.vetting.links import Purpose
from hub.members.vetting.party import Capacity, Party
from hub.members.vetting.records import BreakGlass, SponsorInvitation, VettingCase
from hub.members.vetting.states import State

# state -> (subject, text); a letter on one of LINKED carries a new link to the case.
TEXTS = {
    State.DRAFT: (
        "Confirm your application",
        "somebody applied for {name} to become a member. To confirm the application, open the link below.",
    ),
    State.SUBMITTED: (
        "Your application has arrived",
        (
            "your application for {name} has arrived. A vetting officer will look at it. The link below shows where it"
            " stands, and lets you add evidence."
        ),
    ),
    State.INFO_REQUESTED: (
        "A question about your application",
        (
            "we need to know more about your application for {name}. The link below shows the question. Without an"
            " answer in {reply_days} days the application lapses."
        ),
    ),
    State.APPROVED_UNSIGNED: (
        "Your application is approved",
        (
            "the application of {name} is approved. To become a member, read and accept the agreement at the link below"
            " within {reply_days} days."
        ),
    ),
    State.REJECTED: (
        "Your application is not accepted",
        (
            "the application of {name} is not accepted. The link below shows the reason, and lets you appeal once"
            " within {appeal_days} days. Other people decide an appeal."
        ),
    ),
    State.LAPSED: ("Your application has lapsed", "we had no reply, so the application of {name} has lapsed."),
    State.ACTIVE: ("The membership is in force", "the membership of {name} is in force."),
    State.REVIEW_DUE: ("Your membership is reviewed", "the yearly review of the membership of {name} has begun."),
    State.SUSPENDED: (
        "The membership is suspended",
        "the membership of {name} is suspended as of now: no request is answered. A vetting officer will be in touch.",
    ),
    State.OFFBOARDING: ("The membership ends", "the membership of {name} is ending; access has ended."),
    State.CLOSED: (
        "The membership has ended",
        "the membership of {name} has ended, and every key is revoked. The hub gives you the certificate of cessation.",
    ),
}
LINKED = frozenset({State.DRAFT, State.SUBMITTED, State.INFO_REQUESTED, State.APPROVED_UNSIGNED, State.REJECTED})
ALERTED = frozenset({Role.ADMINISTRATOR, Role.AUDITOR, Role.APPROVER})


@contextmanager
def changing(session: Session, post: Post, case_id: str) -> Iterator[VettingCase]:
    """Hold a case to change it; its primary contact is told of the state it ends in. Raises NotFound."""
    case = cases.hold(session, case_id)
    before = case.state
    yield case
    if case.state != before:
        tell(session, post, case)


def tell(session: Session, post: Post, case: VettingCase) -> None:
    """Tell the primary contact where the case stands, where there is something to tell."""
    state = State(case.state)
    if state not in TEXTS:
        return
    periods = post.settings.vetting
    subject, text = TEXTS[state]
    said = text.format(name=case.name, reply_days=periods.reply_days, appeal_days=periods.appeal_days)
    lines = [f"Hello {case.primary_name},", said]
    if state in LINKED:
        days = max(periods.link_days, periods.reply_days, periods.appeal_days)
        token = links.issue(session, case, Purpose.APPLICANT, days)
        lines += [f"{post.settings.base_url}/console/apply/{token}", f"The link holds for {days} days."]
    outbox.put(session, post.vault, case.primary_email, subject, "\n\n".join(lines) + "\n")


def again(session: Session, post: Post, case: VettingCase, by: Party) -> None:
    """Send the letter of the present state anew, with a new link; earlier links end."""
    cases.require(by, Capacity.OFFICER)
    links.end_all(session, case)
    tell(session, post, case)
    record(session, by.id, "case:letter", case.id, after={"state": case.state})


def to_sponsor(session: Session, post: Post, case: VettingCase, invitation: SponsorInvitation, token: str) -> None:
    """Ask a sponsor, by a link that is good for one answer."""
    text = (
        f"Hello,\n\n{case.name} ({case.domain}) applies to become a member of {post.settings.identity.name} and"
        " your organisation is named as its sponsor. To confirm or decline, open:\n\n"
        f"{post.settings.base_url}/console/sponsor/{token}\n\n"
        f"The link takes one answer, within {post.settings.vetting.link_days} days.\n"
    )
    outbox.put(session, post.vault, invitation.email, f"Will you sponsor {case.name}?", text)


def alert(session: Session, post: Post, emergency: BreakGlass, who: str) -> None:
    """Tell the hub's administrators, auditors and approvers that somebody has taken an emergency role."""
    text = (
        f"{who} has taken the role {emergency.role} in an emergency. It ends by itself after"
        f" {post.settings.vetting.break_glass_hours} hours.\n\nThe reason given: {emergency.reason}\n\n"
        f"Please review it: {post.settings.base_url}/console/emergencies\n"
    )
    for person in people.of_member(session, None):
        if person.status == people.ACTIVE and ALERTED & {Role(role) for role in person.roles}:
            outbox.put(session, post.vault, person.email, "Alert: an emergency role was taken", text)
