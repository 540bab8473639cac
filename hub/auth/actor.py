"""The actor: who asks, with everything that a decision about them needs."""

from __future__ import annotations

from dataclasses import dataclass

from hub.auth.permissions import CredentialKind, Permission, Role
from hub.errors import NotPermitted
from hub.stix.tlp import Tlp

__all__ = ["Actor", "CredentialKind"]


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated member on one request.

    ``groups`` holds the ids of its sharing groups, ``clearance`` the highest TLP it may see. ``identity_ref``
    is its STIX identity; ``sighted_ref`` is the one that others are shown: its sector's where it stays
    anonymous.
    """

    member_id: str
    username: str
    kind: str
    identity_ref: str
    sighted_ref: str
    roles: frozenset[Role]
    clearance: Tlp
    groups: frozenset[int]
    permissions: frozenset[Permission]
    expires_at: int | None = None

    def require(self, permission: Permission) -> None:
        """Raise NotPermitted unless the actor holds ``permission``."""
        if permission not in self.permissions:
            raise NotPermitted(
                f"this credential does not carry {permission.value}",
                advice="Ask your organisation's primary contact, or the hub, for a role that holds it.",
            )
