"""What did not come through: submissions of everybody that failed, or of which something was refused, with reasons."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for

from hub.auth import Permission
from hub.console import naming
from hub.console.furniture import Form, blueprint, page, reading
from hub.console.submissions import OUTCOMES, STATES
from hub.errors import NotFound
from hub.feeds import inbox, quarantine_view
from hub.feeds.records import Submission
from hub.web.guard import allow

KINDS = {
    "": "Of any kind",
    inbox.REPORTS: "Reports",
    inbox.ENVELOPE: "Objects by TAXII",
    inbox.FILE: "Files and feeds",
    inbox.INDICATORS: "Posted values",
    inbox.SIGHTINGS: "Sightings",
    inbox.WITHDRAWAL: "Withdrawals of reports",
    inbox.RETRACTION: "Retractions of objects",
}


@blueprint.get("/refused")
@allow(Permission.QUARANTINE_READ)
def refused() -> Response:
    """The list, the latest first."""
    form = Form(kind=request.args.get("kind", ""))
    kind, before = form.values["kind"], _number(request.args.get("before", ""))
    kinds = [kind] if kind and kind in KINDS else [one for one in KINDS if one]
    size = quarantine_view.PAGE
    with reading() as session:
        found = quarantine_view.refusals(session, before, kinds, size)
        names = naming.by_source_name(session)
    kept: dict[str, Any] = {"kind": kind} if kind else {}
    later = url_for("console.refused", **kept, before=found[size - 1].received_at) if len(found) > size else ""
    return page(
        "refused.html", "Refused input", form=form, found=found[:size], names=names, kinds=KINDS, later=later,
        earlier=url_for("console.refused", **kept) if before is not None else "",
    )  # fmt: skip


@blueprint.get("/refused/<submission_id>")
@allow(Permission.QUARANTINE_READ)
def refused_submission(submission_id: str) -> Response:
    """One submission, and what of it did not come through. What was sent is not shown: it is sealed."""
    after, size = _number(request.args.get("after", "")), quarantine_view.PAGE
    with reading() as session:
        found = session.get(Submission, submission_id) if inbox.UUID_FORM.fullmatch(submission_id) else None
        if found is None:
            raise NotFound("there is no such submission")
        rows = quarantine_view.refused_rows(session, submission_id, -1 if after is None else after, size)
        names = naming.sources(session)
    here: dict[str, Any] = {"submission_id": submission_id}
    later = url_for("console.refused_submission", **here, after=rows[size - 1][0]) if len(rows) > size else ""
    return page(
        "refused_submission.html", "Refused input", back=url_for("console.refused"), one=found, rows=rows[:size],
        source=names.get(found.source_id, found.source_id), outcome_colours=OUTCOMES, states=STATES, later=later,
        earlier=url_for("console.refused_submission", **here) if after is not None else "",
    )  # fmt: skip


def _number(text: str) -> int | None:
    """A number of the address, None for anything else."""
    return int(text) if text.isdecimal() and len(text) < 18 else None
