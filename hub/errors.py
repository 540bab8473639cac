"""The hub's one tree of errors.

An error says what is wrong and, in ``advice``, what a person can do about it.
Nothing here knows HTTP: ``hub.web.errors`` maps each class to a status.
"""

from __future__ import annotations


class HubError(Exception):
    """Root of every error the hub raises on purpose.

    ``where`` points at the place in the input ("objects[3].pattern", "line 12"),
    ``advice`` tells a person what to do next.
    """

    title = "The request could not be completed"

    def __init__(self, message: str, *, where: str | None = None, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class InvalidInput(HubError):
    """The input is not what the standard or the interface asks for."""

    title = "The input is not valid"


class Unauthenticated(HubError):
    """No credential, or one that does not hold."""

    title = "Authentication is required"


class NotPermitted(HubError):
    """The credential is good, the right is missing."""

    title = "This is not permitted"


class NotFound(HubError):
    """It does not exist, or the one who asks may not know that it does."""

    title = "Not found"


class Conflict(HubError):
    """The state of things does not allow it now."""

    title = "This conflicts with the present state"


class TooLarge(HubError):
    """The input is over a stated size."""

    title = "The input is too large"


class TooMany(HubError):
    """A rate or a quota is used up; ``retry_after`` is in seconds."""

    title = "Too many requests"

    def __init__(self, message: str, *, retry_after: int, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.retry_after = retry_after


class NotAcceptable(HubError):
    """None of the media types that the client accepts can be given."""

    title = "None of the accepted media types can be given"


class UnsupportedMedia(HubError):
    """The body's media type is not one that is taken here."""

    title = "The media type of the body is not supported"


class Unprocessable(HubError):
    """The body is well-formed, its content is of a kind that cannot be taken."""

    title = "The content cannot be processed"


class Unavailable(HubError):
    """Something that is needed is not there now; trying again later may help."""

    title = "The service is not available now"


class IntegrityFailure(HubError):
    """Stored or received bytes are not what their signature or hash says."""

    title = "An integrity check failed"
