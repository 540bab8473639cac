"""The actor: who asks, with everything that a decision about them needs."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from hub.auth.permissions import CredentialKind, Permission, Role, permissions_of
from hub.errors import NotFound, NotPermitted
from hub.stix.tlp import Tlp

__all__ = ["Actor", "CredentialKind", "SignedIn"]


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated member on one request.

    ``groups`` holds the ids of its sharing groups, ``clearance`` the highest TLP it may see. ``identity_ref``
    is its STIX identity; ``sighted_ref`` is the one that others are shown: its sector's where it stays
    anonymous. ``personal_data``: it holds a grant of personal data. ``networks`` are those that its credential may be
    used from, all where there are none. At ``expires_at`` (microseconds) the credential ends; at ``good_until``, which
    is no later, the actor is to be made anew.
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
    credential: CredentialKind = CredentialKind.TOKEN
    personal_data: bool = False
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    good_until: int | None = None

    def require(self, permission: Permission) -> None:
        """Raise NotPermitted unless the actor holds ``permission``."""
        if permission not in self.permissions:
            bounded = permission in permissions_of(self.roles, self.credential)
            raise NotPermitted(
                f"this credential does not carry {permission.value}",
                advice=(
                    "Your organisation holds it, this key does not: make one with this scope on the page API keys."
                    if bounded
                    else "Ask your organisation's primary contact, or the hub, for a role that holds it."
                ),
            )


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person who is signed in to the console, on one request. ``member_id`` is None for the hub's own people."""

    person_id: str
    session_id: str
    name: str
    email: str
    member_id: str | None
    member_name: str | None
    roles: frozenset[Role]
    permissions: frozenset[Permission]

    def may(self, permission: Permission) -> bool:
        """Whether the person holds ``permission``."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise NotPermitted unless the person holds ``permission``."""
        if permission not in self.permissions:
            raise NotPermitted(
                "your roles do not cover this page",
                advice="Ask your organisation's primary contact, or the hub, if you need it for your work.",
            )

    @property
    def own_member(self) -> str:
        """The id of the person's organisation. Raises NotFound for the hub's own people."""
        if self.member_id is None:
            raise NotFound("this page is for people of a member organisation")
        return self.member_id
