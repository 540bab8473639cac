"""The Flask furniture that the three edges share: who asks, what they may, errors, headers, limits."""

from hub.web.guard import PUBLIC, SIGNED_IN, allow
from hub.web.identity import actor, head
from hub.web.services import Services, services

__all__ = ["PUBLIC", "SIGNED_IN", "Services", "actor", "allow", "head", "services"]
