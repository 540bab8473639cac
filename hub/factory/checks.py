"""The checking service, joined with the rooms that it does not know: feeds and members."""

from __future__ import annotations

from sqlalchemy.orm import Session

from hub.auth import Actor, CredentialKind
from hub.checks.checking import Checks
from hub.checks.hashes import SearchHashes
from hub.checks.jobs import JobWorker
from hub.checks.knowledge import Knowledge
from hub.checks.searches import SearchLog
from hub.checks.viewers import Viewers
from hub.checks.watch import Watch
from hub.errors import NotPermitted, Unauthenticated
from hub.factory.parts import Hub
from hub.feeds.checkable import CheckableIndicators
from hub.ledger.views import Views
from hub.members import outbox
from hub.members.credentials import actor_of
from hub.members.records import Member


def checking(hub: Hub, views: Views) -> Checks:
    """The checking service of one process."""
    return Checks(
        knowledge=Knowledge(hub.database, hub.vault, CheckableIndicators(hub.database)),
        viewers=Viewers(hub.database, views),
        hashes=SearchHashes(hub.vault),
        log=SearchLog(hub.database, hub.vault, hub.settings.checks),
        vault=hub.vault,
    )


def job_worker(hub: Hub, name: str) -> JobWorker:
    """What checks files."""
    return JobWorker(hub.database, checking(hub, Views(hub.database, hub.view_signer)), _actor, name)


def watch(hub: Hub) -> Watch:
    """What watches over searches; its alarms go out by the members' outbox."""

    def tell(session: Session, recipient: str, subject: str, text: str) -> None:
        outbox.put(session, hub.vault, recipient, subject, text)

    return Watch(hub.database, hub.settings.checks, tell)


def _actor(session: Session, member_id: str, username: str) -> Actor:
    """The member as it stands now, for a file that it sent earlier. Raises NotPermitted unless it is active."""
    try:
        member = session.get_one(Member, member_id)
        return actor_of(session, member, CredentialKind.TOKEN, username, None)
    except Unauthenticated:
        raise NotPermitted("the member is not active") from None
