"""What one member sees of versions in the log: the verdict of the one visibility rule, and the bytes it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from hub.auth import Actor, CredentialKind, Permission
from hub.errors import Unauthenticated
from hub.ledger import history, pages
from hub.ledger.history import Judged, Kept
from hub.ledger.pages import Query, Versions
from hub.members import credentials, membership
from hub.members.records import Member
from hub.stix.tlp import Tlp
from hub.web.services import services

EVERY = Versions(last=False, every=True)


@dataclass(frozen=True, slots=True)
class SeenVersion:
    """One version, whether the member sees it, why, and the object as it is given (None where it is not)."""

    kept: Kept
    visible: bool
    reasons: list[str]
    given: bytes | None

    @property
    def redacted(self) -> bool:
        """Parts of it are left out for this member."""
        return self.given is not None and self.given != self.kept.body


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a member sees. ``closed``: why it gets nothing at all now, "" where it may ask."""

    closed: str
    clearance: str
    groups: list[str]
    roles: list[str]
    versions: list[SeenVersion]


def by_member(session: Session, member: Member, kept: Sequence[Kept]) -> Verdict:
    """What ``member`` sees of these versions, by its present rights."""
    closed, judged, given = "", {}, {}
    try:
        reader = credentials.actor_of(session, member, CredentialKind.TOKEN, "console", None)
    except Unauthenticated:
        closed = f"the member is {member.status.replace('_', ' ')}: it is given nothing, whatever the rule says"
    else:
        if Permission.TAXII_READ not in reader.permissions:
            closed = "no role of the member reads collections"
        judged = history.judge(session, reader, sorted({one.stream_id for one in kept}))
        given = {} if closed else _given(reader, kept)
    return Verdict(
        closed,
        Tlp(member.clearance).label,
        membership.groups_of(session, member.id),
        list(member.roles),
        [_seen(one, judged.get(one.stream_id), closed, given.get(one.seq)) for one in kept],
    )


def _given(reader: Actor, kept: Sequence[Kept]) -> dict[int, bytes]:
    """The objects as a page gives them to this reader, by their place in the log."""
    parts = services()
    head = parts.views.head()
    found: dict[int, bytes] = {}
    ids = tuple(sorted({one.stix_id for one in kept}))
    for number in sorted({one.collection_no for one in kept}):
        asked = Query(number, limit=len(kept) + 1, ids=ids, versions=EVERY)
        page = pages.objects(parts.database, parts.views, reader, head, asked)
        found |= {int(row[0]): bytes(row[2]) for row in page.rows}
    return found


def _seen(kept: Kept, judged: Judged | None, closed: str, given: bytes | None) -> SeenVersion:
    if kept.withdrawn or kept.audience is None:
        return SeenVersion(kept, False, ["it was withdrawn and has left every view"], None)
    if judged is None:
        return SeenVersion(kept, False, [closed], None)
    reasons = _why_not(kept, judged)
    visible = judged.visible and not closed
    return SeenVersion(kept, visible, ([closed] if closed else []) + reasons, given if visible else None)


def _why_not(kept: Kept, judged: Judged) -> list[str]:
    """The parts of the rule that do not hold, in words; which parts those are, the rule itself has said."""
    assert kept.audience is not None
    tlp = kept.audience.tlp
    words = {
        "collection": "the collection: the member is in no audience that reads it",
        "clearance": f"the TLP: {_tlp(tlp)} is above the member's clearance",
        "addressed": (
            "the recipients: it is for named members, and this is none of them"
            if tlp == Tlp.RED
            else "the groups: the member is in none of the object's sharing groups"
        ),
        "a grant of personal data": "personal data: the member holds no grant of it that is in force",
        "undisputed": "a dispute: it is held back from everybody until that ends",
    }
    return [words.get(part, part) for part, holds in judged.parts.items() if not holds]


def _tlp(tlp: Tlp) -> str:
    return f"TLP:{tlp.label.upper()}"
