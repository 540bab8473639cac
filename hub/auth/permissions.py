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


MACHINE = frozenset({CredentialKind.TOKEN, CredentialKind.CERTIFICATE})

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
}


def permissions_of(roles: Iterable[Role], credential: CredentialKind) -> frozenset[Permission]:
    """Every permission that one of ``roles`` holds and that a credential of this kind may carry."""
    held = frozenset(roles)
    return frozenset(p for p, (holders, kinds) in TABLE.items() if holders & held and credential in kinds)
