"""What the operations pages are about, made in no time: values from feeds and members, people of the hub's staff."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from sqlalchemy import select

from hub.auth import CredentialKind, Role
from hub.feeds import inbox, lease, sources
from hub.feeds.inbox import Arrival
from hub.feeds.records import Indicator
from hub.feeds.worker import worker_name
from hub.members import credentials, membership
from hub.members.records import Member
from hub.stix.tlp import Tlp
from tests.live import Kept, LocalHub, TestMember
from tests.people import Browser, add_person

numbers = count(1)
SCRIPT = "<script>alert(1)</script>"


def tell(
    hub: Kept, values: str, by: TestMember | str, tlp: str = "clear", groups: Sequence[str] = (), name: str = ""
) -> str:
    """Let a feed (by name) or a member say something of ``values``, a list or a table; gives the submission's id."""
    parts, worker, grade = hub.hub.intake(), worker_name(), hub.settings.intake.default_grade
    with hub.hub.database.unit_of_work() as session:
        if isinstance(by, str):
            source = sources.named(session, by, grade)
        else:
            member = session.get_one(Member, by.member_id)
            actor = credentials.actor_of(session, member, CredentialKind.TOKEN, by.username, None)
            source = sources.of_member(session, actor, grade)
        received = inbox.receive(
            session,
            hub.hub.vault,
            Arrival(
                inbox.FILE, source.id, "tests", values.encode(), filename=name or f"{next(numbers)}.txt",
                member_id=None if isinstance(by, str) else by.member_id, tlp=int(Tlp.parse(tlp)),
                groups=membership.group_ids(session, list(groups)),
            ),
        )  # fmt: skip
        lease.claim(session, worker, parts.lease_micros, received.id)
    parts.run(received.id, worker)
    return received.id


def id_of(hub: Kept, value: str) -> str:
    """The id of the indicator of a canonical value."""
    with hub.hub.database.reading() as session:
        return session.scalars(select(Indicator.stix_id).where(Indicator.value == value)).one()


def staff(hub: LocalHub, role: Role, name: str = "Sam Reed") -> Browser:
    """The browser of somebody of the hub's staff, signed in."""
    return Browser(hub).sign_in(add_person(hub, f"{role.value}-{next(numbers)}@hub.test", [role], name=name))
