"""Who may do what: roles, permissions, the actor. No Flask and no database here."""

from hub.auth.actor import Actor, CredentialKind, SignedIn
from hub.auth.permissions import Permission, Role, permissions_of

__all__ = ["Actor", "CredentialKind", "Permission", "Role", "SignedIn", "permissions_of"]
