"""The private pre-check: a member learns whether a value is known without telling which value it asked for.

The member blinds its values, the hub evaluates them with a proof, the member compares the outputs with the sets
that it has downloaded (docs/precheck.md). The hub sees how many values are asked, never which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, undefer

from hub.audit import record
from hub.auth import Actor
from hub.checks.filings.gateways import Basis
from hub.checks.precheck import keys as precheck_keys
from hub.checks.precheck.keys import open_key
from hub.checks.precheck.records import PrecheckEpoch, PrecheckSet
from hub.checks.precheck.voprf import ELEMENT_BYTES, Evaluated
from hub.checks.searching import quotas
from hub.errors import InvalidInput, NotFound, TooLarge, Unavailable
from hub.ledger.records import Collection, VisibilityClass
from hub.ledger.visibility import class_visible, collection_allows
from hub.sealing import Vault
from hub.settings import Checks, Precheck, Settings
from hub.stix.tlp import Tlp

# What evaluations are counted under, beside the purposes of checks.
PURPOSE = "private-pre-check"


@dataclass(frozen=True, slots=True)
class SetView:
    """A set that the asker may download."""

    version: str
    epoch: int
    tlp: Tlp
    collection: str | None
    entries: int
    size: int
    sha256: str
    published_at: int


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a member needs to begin: keys that are evaluated (the newest first), its sets, what is left of its quota."""

    epochs: list[PrecheckEpoch]
    sets: list[SetView]
    left: int


def parameters(session: Session, actor: Actor, settings: Settings) -> Parameters:
    """The present keys and the sets that ``actor`` may have. Raises Unavailable before the first set is built."""
    epochs = precheck_keys.epochs(session)
    if not epochs:
        raise Unavailable("the sets of the pre-check are not built yet", advice="Try again in some minutes.")
    numbers = {epoch.number for epoch in epochs}
    return Parameters(epochs, _sets(session, actor, numbers), _left(session, actor, settings))


def downloaded(session: Session, actor: Actor, version: str) -> PrecheckSet:
    """One version of a set. Raises NotFound where there is none, or none that ``actor`` may have."""
    wanted = _of(actor).where(PrecheckSet.version == version).options(undefer(PrecheckSet.body))
    found: PrecheckSet | None = session.scalar(wanted) if version.isprintable() else None
    if found is None:
        raise NotFound("there is no such set, or no longer", advice="GET /api/v1/precheck names the present ones.")
    return found


def admit(session: Session, epoch: int, blinded: Sequence[bytes], settings: Precheck) -> None:
    """Refuse what would not be evaluated anyway, before it costs anything.

    Raises InvalidInput, NotFound and TooLarge.
    """
    if not blinded:
        raise InvalidInput("the batch is empty", where="blinded")
    if len(blinded) > settings.max_batch:
        raise TooLarge(f"a batch holds at most {settings.max_batch} elements", where="blinded")
    for place, raw in enumerate(blinded):
        if len(raw) != ELEMENT_BYTES:
            raise InvalidInput(f"an element has {ELEMENT_BYTES} bytes", where=f"blinded[{place}]")
    precheck_keys.in_use(session, epoch)


def evaluate(vault: Vault, epoch: int, blinded: Sequence[bytes]) -> Evaluated:
    """Evaluate a batch; pure work, to be done outside a transaction. Raises InvalidInput for what is no element."""
    return open_key(vault, epoch).evaluate(blinded)


def count(session: Session, actor: Actor, basis: Basis, epoch: int, evaluations: int, settings: Settings) -> None:
    """Count evaluations against the member's quota, and record them with their basis. Raises TooMany.

    Only what was counted is given away: call it before the answer leaves, in a transaction of its own.
    """
    quotas.consume(session, actor.member_id, PURPOSE, evaluations, _limits(settings))
    after = {
        "epoch": epoch, "evaluations": evaluations, "credential": actor.username, "purpose": basis.purpose.value,
        "gateway": basis.gateway.value,
    }  # fmt: skip
    record(session, actor.member_id, "precheck:evaluate", actor.member_id, after=after)


def _sets(session: Session, actor: Actor, epochs: set[int]) -> list[SetView]:
    rows = session.execute(
        _of(actor)
        .where(PrecheckSet.epoch.in_(epochs), PrecheckSet.superseded_at.is_(None))
        .order_by(PrecheckSet.epoch.desc(), PrecheckSet.published_at, PrecheckSet.version)
    )
    return [
        SetView(
            one.version, one.epoch, Tlp(tlp), collection, one.entries, one.size, one.sha256.hex(), one.published_at
        )
        for one, tlp, collection in rows
    ]  # fmt: skip


def _of(actor: Actor) -> Any:
    """(set, TLP, alias of its collection) of what the actor may have: by the one rule of visibility."""
    readable: ColumnElement[bool] = or_(PrecheckSet.collection_no.is_(None), collection_allows(actor, "read"))
    return (
        select(PrecheckSet, VisibilityClass.tlp, Collection.alias)
        .join(VisibilityClass, VisibilityClass.id == PrecheckSet.class_id)
        .outerjoin(Collection, Collection.no == PrecheckSet.collection_no)
        .where(and_(class_visible(actor), VisibilityClass.tlp < int(Tlp.RED), readable))
    )


def _left(session: Session, actor: Actor, settings: Settings) -> int:
    found = quotas.allowance(session, actor.member_id, PURPOSE, _limits(settings))
    return max(0, min(found.per_hour - found.used_hour, found.per_day - found.used_day))


def _limits(settings: Settings) -> Checks:
    """The quotas of checks, with the pre-check's own number where the member has none of its own."""
    daily = settings.precheck.evaluations_per_day
    return settings.checks.model_copy(update={"per_hour": daily, "per_day": daily})
