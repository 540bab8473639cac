"""Who acts on a case, and in which capacities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hub.auth import Role


class Capacity(StrEnum):
    """In what capacity a party acts."""

    APPLICANT = "applicant"
    SPONSOR = "sponsor"
    OFFICER = "officer"
    APPROVER = "approver"
    DUTY = "duty officer"
    MEMBER = "primary contact"
    HUB = "hub"


# What each role of the console is, when it comes to cases. An administrator may stop a member at once, no more:
# who keeps the roles does not decide.
CAPACITIES = {
    Role.VETTING_OFFICER: frozenset({Capacity.OFFICER, Capacity.DUTY}),
    Role.APPROVER: frozenset({Capacity.APPROVER, Capacity.DUTY}),
    Role.ADMINISTRATOR: frozenset({Capacity.DUTY}),
    Role.PRIMARY_CONTACT: frozenset({Capacity.MEMBER}),
}


@dataclass(frozen=True, slots=True)
class Party:
    """A person, the holder of a letter's link, or the hub itself.

    ``id`` names it in every record; ``member_id`` is the organisation it belongs to, "" for the hub's own people.
    """

    id: str
    capacities: frozenset[Capacity]
    member_id: str = ""
    email: str = ""


THE_HUB = Party("hub", frozenset({Capacity.HUB}))


def person(person_id: str, roles: Iterable[Role], *, member_id: str = "", email: str = "") -> Party:
    """The party that a signed-in person with ``roles`` is.

    The roles of a member's people act for that member alone, never for the hub.
    """
    held = frozenset().union(*(CAPACITIES.get(role, frozenset()) for role in roles))
    own = held & {Capacity.MEMBER} if member_id else held - {Capacity.MEMBER}
    return Party(person_id, own, member_id, email)
