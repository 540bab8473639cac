"""Permissions, the roles that hold them, and the kinds of credential that may carry them.

A permission is ``scope:resource:action``. One table below answers every question of the form
"may this role do that": no view decides by a role's name.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """What an organisation's credential, or a person of the console, is there for (see docs/roles.md)."""

    READER = "reader"
    CONTRIBUTOR = "contributor"
    PRIMARY_CONTACT = "primary-contact"
    REPORTING_PARTNER = "reporting-partner"
    VETTING_OFFICER = "vetting-officer"
    APPROVER = "approver"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class CredentialKind(StrEnum):
    """How a request proved who it is."""

    TOKEN = "token"  # noqa: S105 - the name of a kind, not a secret
    CERTIFICATE = "certificate"
    SESSION = "session"


class Permission(StrEnum):
    """Everything that a door can ask for."""

    TAXII_READ = "taxii:objects:read"
    TAXII_WRITE = "taxii:objects:write"
    REPORTS_SUBMIT = "api:reports:submit"
    SUBMISSIONS_READ = "api:submissions:read"
    FILINGS_SUBMIT = "api:filings:submit"
    FILINGS_READ = "api:filings:read"
    CHECKS_SEARCH = "api:checks:search"
    PRECHECK = "api:precheck:use"
    NOTICES_READ = "api:notices:read"
    OVERVIEW = "console:overview:read"
    CASES_READ = "console:cases:read"
    CASES_WORK = "console:cases:work"
    CASES_DECIDE = "console:cases:decide"
    MEMBERS_READ = "console:members:read"
    MEMBERS_SUSPEND = "console:members:suspend"
    GRANTS_DECIDE = "console:grants:decide"
    INDICATORS_READ = "console:indicators:read"
    QUARANTINE_READ = "console:quarantine:read"
    QUARANTINE_RELEASE = "console:quarantine:release"
    FEEDS_READ = "console:feeds:read"
    FEEDS_RUN = "console:feeds:run"
    COLLECTIONS_READ = "console:collections:read"
    COLLECTIONS_CHANGE = "console:collections:change"
    AUDIT_READ = "console:audit:read"
    DISCLOSURES_READ = "console:disclosures:read"
    STAFF_CHANGE = "console:staff:change"
    SIGN_IN_CHANGE = "console:sign-in:change"
    UNMASKING_READ = "console:unmasking:read"
    UNMASKING_ASK = "console:unmasking:ask"
    UNMASKING_DECIDE = "console:unmasking:decide"
    CHECKS_ASK = "console:checks:search"
    CHECKS_WATCH = "console:checks:watch"
    CHECKS_HANDLE = "console:checks:handle"
    SUBJECT_ACCESS_READ = "console:subject-access:read"
    SUBJECT_ACCESS_WORK = "console:subject-access:work"
    OWN_PEOPLE_READ = "console:own-people:read"
    OWN_PEOPLE_CHANGE = "console:own-people:change"
    OWN_KEYS_READ = "console:own-keys:read"
    OWN_KEYS_CHANGE = "console:own-keys:change"
    OWN_SUBMISSIONS_READ = "console:own-submissions:read"
    OWN_FILINGS_READ = "console:own-filings:read"
    OWN_FILINGS_CHANGE = "console:own-filings:change"
    OWN_FILINGS_APPROVE = "console:own-filings:approve"
    OWN_CONNECTION_READ = "console:own-connection:read"
    OWN_MEMBERSHIP_READ = "console:own-membership:read"
    OWN_MEMBERSHIP_CHANGE = "console:own-membership:change"


MACHINE = frozenset({CredentialKind.TOKEN, CredentialKind.CERTIFICATE})
PERSON = frozenset({CredentialKind.SESSION})
# The hub's own people never hold a member's role, nor a member's people one of these.
STAFF_ROLES = frozenset({Role.VETTING_OFFICER, Role.APPROVER, Role.ANALYST, Role.AUDITOR, Role.ADMINISTRATOR})
MEMBER_ROLES = frozenset(Role) - STAFF_ROLES
VETTING = frozenset({Role.VETTING_OFFICER, Role.APPROVER})
PULLING = frozenset({Role.READER, Role.CONTRIBUTOR, Role.PRIMARY_CONTACT})
CONTACT = frozenset({Role.PRIMARY_CONTACT})
FILING = frozenset({Role.CONTRIBUTOR, Role.REPORTING_PARTNER})
ANALYST = frozenset({Role.ANALYST})
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
AUDITOR = frozenset({Role.AUDITOR})

# permission -> (roles that hold it, kinds of credential that may carry it)
TABLE: dict[Permission, tuple[frozenset[Role], frozenset[CredentialKind]]] = {
    Permission.TAXII_READ: (
        frozenset({Role.READER, Role.CONTRIBUTOR, Role.PRIMARY_CONTACT, Role.ANALYST}),
        MACHINE,
    ),
    Permission.TAXII_WRITE: (frozenset({Role.CONTRIBUTOR, Role.ANALYST}), MACHINE),
    Permission.REPORTS_SUBMIT: (frozenset({Role.REPORTING_PARTNER, Role.CONTRIBUTOR}), MACHINE),
    Permission.SUBMISSIONS_READ: (
        frozenset({Role.REPORTING_PARTNER, Role.CONTRIBUTOR, Role.PRIMARY_CONTACT, Role.ANALYST}),
        MACHINE,
    ),
    Permission.PRECHECK: (PULLING, MACHINE),
    Permission.NOTICES_READ: (PULLING, MACHINE),
    Permission.CHECKS_SEARCH: (PULLING, MACHINE),
    Permission.CHECKS_ASK: (PULLING, PERSON),
    Permission.CHECKS_WATCH: (ANALYST | AUDITOR, PERSON),
    Permission.CHECKS_HANDLE: (ANALYST, PERSON),
    Permission.SUBJECT_ACCESS_READ: (ANALYST | AUDITOR, PERSON),
    Permission.SUBJECT_ACCESS_WORK: (ANALYST, PERSON),
    Permission.FILINGS_SUBMIT: (FILING, MACHINE),
    Permission.FILINGS_READ: (FILING | CONTACT, MACHINE),
    Permission.OVERVIEW: (STAFF_ROLES, PERSON),
    Permission.CASES_READ: (VETTING | AUDITOR, PERSON),
    Permission.CASES_WORK: (frozenset({Role.VETTING_OFFICER}), PERSON),
    Permission.CASES_DECIDE: (frozenset({Role.APPROVER}), PERSON),
    Permission.MEMBERS_READ: (STAFF_ROLES, PERSON),
    Permission.MEMBERS_SUSPEND: (VETTING | ADMINISTRATOR, PERSON),
    Permission.GRANTS_DECIDE: (frozenset({Role.APPROVER}), PERSON),
    Permission.INDICATORS_READ: (ANALYST, PERSON),
    Permission.QUARANTINE_READ: (ANALYST, PERSON),
    Permission.QUARANTINE_RELEASE: (ANALYST, PERSON),
    Permission.FEEDS_READ: (ANALYST | ADMINISTRATOR, PERSON),
    Permission.FEEDS_RUN: (ANALYST | ADMINISTRATOR, PERSON),
    Permission.COLLECTIONS_READ: (ANALYST | ADMINISTRATOR, PERSON),
    Permission.COLLECTIONS_CHANGE: (ADMINISTRATOR, PERSON),
    Permission.AUDIT_READ: (AUDITOR, PERSON),
    Permission.DISCLOSURES_READ: (AUDITOR, PERSON),
    Permission.STAFF_CHANGE: (ADMINISTRATOR, PERSON),
    Permission.SIGN_IN_CHANGE: (ADMINISTRATOR, PERSON),
    Permission.UNMASKING_READ: (VETTING | ANALYST | AUDITOR, PERSON),
    Permission.UNMASKING_ASK: (ANALYST | {Role.VETTING_OFFICER}, PERSON),
    Permission.UNMASKING_DECIDE: (VETTING, PERSON),
    Permission.OWN_PEOPLE_READ: (PULLING | {Role.REPORTING_PARTNER}, PERSON),
    Permission.OWN_PEOPLE_CHANGE: (CONTACT, PERSON),
    Permission.OWN_KEYS_READ: (PULLING | {Role.REPORTING_PARTNER}, PERSON),
    Permission.OWN_KEYS_CHANGE: (CONTACT, PERSON),
    Permission.OWN_SUBMISSIONS_READ: (
        frozenset({Role.REPORTING_PARTNER, Role.CONTRIBUTOR, Role.PRIMARY_CONTACT}),
        PERSON,
    ),
    Permission.OWN_FILINGS_READ: (FILING | CONTACT, PERSON),
    Permission.OWN_FILINGS_CHANGE: (FILING, PERSON),
    Permission.OWN_FILINGS_APPROVE: (FILING | CONTACT, PERSON),
    Permission.OWN_CONNECTION_READ: (PULLING | {Role.REPORTING_PARTNER}, PERSON),
    Permission.OWN_MEMBERSHIP_READ: (PULLING | {Role.REPORTING_PARTNER}, PERSON),
    Permission.OWN_MEMBERSHIP_CHANGE: (CONTACT, PERSON),
}


def permissions_of(roles: Iterable[Role], credential: CredentialKind) -> frozenset[Permission]:
    """Every permission that one of ``roles`` holds and that a credential of this kind may carry."""
    held = frozenset(roles)
    return frozenset(p for p, (holders, kinds) in TABLE.items() if holders & held and credential in kinds)
