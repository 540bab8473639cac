"""The overview: what there is to do, by what the person may."""

from __future__ import annotations

from flask import Response, request, url_for

from hub.auth import Permission, SignedIn
from hub.checks import waiting as checks_waiting
from hub.console import overview
from hub.console.furniture import blueprint, page, person, reading
from hub.console.navigation import links
from hub.console.overview import Waiting
from hub.web.guard import SIGNED_IN, allow

TOLD = {
    "Cases": "Organisations that ask to join, from application to decision",
    "Members": "Organisations, their people, keys, grants and history",
    "Indicators": "Search, history, signatures and who sees what",
    "Quarantine": "What was held back, and why",
    "Feeds": "Upstream sources and their last runs",
    "Collections": "What members pull",
    "Audit": "Who did what, before, after and why",
    "Emergencies": "Roles taken in an emergency, and their review",
    "Hub staff": "The hub's own people and their roles",
    "Checks": "Check a payee, and what your organisation has checked",
    "Filings": "What your organisation has filed as fraud, and what waits for a second person",
    "Corrections": "Matches that you were given and that have been corrected since",
    "Membership": "Your organisation's agreement, reviews and certificates",
    "People": "Who of your organisation signs in here",
    "API keys": "What your systems pull and push with",
    "Submissions": "What you have sent, and what became of it",
    "Test my connection": "Your last polls, and set-up text for your tools",
}


@blueprint.get("/")
@allow(SIGNED_IN)
def home() -> Response:
    """The sections that a member's person may enter; the overview for the hub's own people."""
    if person().may(Permission.OVERVIEW):
        return overview.shown()
    waiting = [one for one in _waiting(person()) if one.count]
    cards = [(link, TOLD[link.label]) for link in links(person(), request.path) if link.label in TOLD]
    roles = sorted(role.value for role in person().roles)
    return page("home.html", "Overview", cards=cards, roles=roles, waiting=waiting)


def _waiting(who: SignedIn) -> list[Waiting]:
    """What waits for a member's person."""
    found = []
    with reading() as session:
        if who.may(Permission.OWN_FILINGS_APPROVE):
            count = checks_waiting.to_approve(session, who.own_member, who.person_id)
            found.append(Waiting("Filings to approve", count, url_for("console.approvals")))
        if who.may(Permission.CHECKS_ASK):
            count = checks_waiting.to_justify(session, who.own_member)
            found.append(Waiting("Checks to justify", count, url_for("console.own_checks")))
    return found
