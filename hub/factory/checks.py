"""The checking service, joined with the rooms that it does not know: feeds and members."""

from __future__ import annotations

from sqlalchemy.orm import Session

from hub.auth import Actor, CredentialKind, Permission
from hub.checks.searching.checking import Checks
from hub.checks.searching.hashes import SearchHashes
from hub.checks.searching.jobs import JobWorker
from hub.checks.searching.knowledge import Knowledge
from hub.checks.searching.searches import SearchLog
from hub.checks.searching.viewers import Viewers
from hub.checks.searching.watch import Watch
from hub.errors import NotPermitted, Unauthenticated
from hub.factory.parts import Hub
from hub.feeds.checkable import CheckableIndicators
from hub.ledger.views import Views
from hub.members import outbox
from hub.members.credentials import actor_of
from hub.members.records import Credential, Member


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
    """The member as it stands now, for a file that it sent earlier.

    Raises NotPermitted where it is not active any longer, may not check, or has revoked the key that sent the file.
    """
    key = session.get(Credential, username)
    if key is not None and key.revoked_at is not None:
        raise NotPermitted("the key that sent this file was revoked")
    try:
        actor = actor_of(session, session.get_one(Member, member_id), CredentialKind.TOKEN, username, None)
    except Unauthenticated:
        raise NotPermitted("the member is not active") from None
    actor.require(Permission.CHECKS_SEARCH)
    return actor
