"""The console's navigation: one line a section, shown to those who hold its permission."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, url_for

from hub.auth import Permission, SignedIn

# (what it says, the endpoint's name without "console.", the permission)
SECTIONS: tuple[tuple[str, str, Permission], ...] = (
    ("Cases", "cases", Permission.CASES_READ),
    ("Members", "members", Permission.MEMBERS_READ),
    ("Indicators", "indicators", Permission.INDICATORS_READ),
    ("Quarantine", "quarantine", Permission.QUARANTINE_READ),
    ("Refused input", "refused", Permission.QUARANTINE_READ),
    ("Feeds", "feeds", Permission.FEEDS_READ),
    ("Collections", "collections", Permission.COLLECTIONS_READ),
    ("Sharing groups", "groups", Permission.COLLECTIONS_READ),
    ("Oversight of checks", "oversight", Permission.CHECKS_WATCH),
    ("Disputes", "disputes", Permission.CHECKS_WATCH),
    ("Subject access", "subject_access", Permission.SUBJECT_ACCESS_READ),
    ("Retention", "retention_runs", Permission.CHECKS_WATCH),
    ("Audit", "audit", Permission.AUDIT_READ),
    ("Emergencies", "emergency_roles", Permission.MEMBERS_READ),
    ("Unmasking", "unmaskings", Permission.UNMASKING_READ),
    ("Hub staff", "staff", Permission.STAFF_CHANGE),
    ("Checks", "own_checks", Permission.CHECKS_ASK),
    ("Filings", "own_filings", Permission.OWN_FILINGS_READ),
    ("Corrections", "own_notices", Permission.CHECKS_ASK),
    ("Membership", "membership", Permission.OWN_MEMBERSHIP_READ),
    ("People", "own_people", Permission.OWN_PEOPLE_READ),
    ("API keys", "own_keys", Permission.OWN_KEYS_READ),
    ("Submissions", "own_submissions", Permission.OWN_SUBMISSIONS_READ),
    ("Test my connection", "own_connection", Permission.OWN_CONNECTION_READ),
)


@dataclass(frozen=True, slots=True)
class Link:
    """A section. ``active``: this page belongs to it; ``current``: it is this page."""

    label: str
    href: str
    active: bool
    current: bool


def links(signed_in: SignedIn, path: str) -> list[Link]:
    """The sections that a person may enter, the overview first; a section without pages is left out."""
    overview = url_for("console.home")
    found = [Link("Overview", overview, path == overview, path == overview)]
    for label, endpoint, permission in SECTIONS:
        name = f"console.{endpoint}"
        if signed_in.may(permission) and name in current_app.view_functions:
            href = url_for(name)
            found.append(Link(label, href, path == href or path.startswith(f"{href}/"), path == href))
    return found
