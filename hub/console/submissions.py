"""What a member has submitted, and what became of it."""

from __future__ import annotations

from flask import Response, request, url_for

from hub.auth import Permission
from hub.console.furniture import blueprint, page, person, reading
from hub.feeds import inbox, submitted
from hub.web.guard import allow

MOST_OUTCOMES = 500
STATES = {inbox.COMPLETE: "green", inbox.FAILED: "red", inbox.RUNNING: "blue", inbox.PENDING: "grey"}
OUTCOMES = {"success": "green", "failure": "red", "refused": "red", "quarantined": "yellow"}


@blueprint.get("/submissions")
@allow(Permission.OWN_SUBMISSIONS_READ)
def own_submissions() -> Response:
    """The submissions, the latest first."""
    before = request.args.get("before", "")
    with reading() as session:
        found = submitted.of_member(
            session, person().own_member, int(before) if before.isdecimal() and len(before) < 18 else None
        )
    later = ""
    if len(found) > submitted.PAGE:
        later = url_for("console.own_submissions", before=found[submitted.PAGE - 1].received_at)
    return page(
        "submissions.html", "Submissions", found=found[: submitted.PAGE], later=later, colours=STATES,
        earlier=url_for("console.own_submissions") if before else "",
    )  # fmt: skip


@blueprint.get("/submissions/<submission_id>")
@allow(Permission.OWN_SUBMISSIONS_READ)
def own_submission(submission_id: str) -> Response:
    """One submission with its outcomes; another member's is not found."""
    with reading() as session:
        found = inbox.of_member(session, submission_id, person().own_member)
    return page(
        "submission.html", "Submission", back=url_for("console.own_submissions"), one=found, colours=STATES,
        outcomes=found.outcomes[:MOST_OUTCOMES], outcome_colours=OUTCOMES,
        left_out=max(0, len(found.outcomes) - MOST_OUTCOMES),
    )  # fmt: skip
