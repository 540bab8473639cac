"""A batch of STIX objects: kept as they came, and their indicators' values merged into the hub's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from hub.errors import InvalidInput
from hub.feeds.batch import FAILURE, QUARANTINED, SUCCESS, Result, Target, quarantine
from hub.feeds.merge import Merger, Statement
from hub.feeds.readers.reading import StixObject
from hub.feeds.sift import Held, Rules, held_by_rule
from hub.feeds.values_batch import collection_of, micros
from hub.ledger.append import Appended, Draft, digest_of, draft, known_versions
from hub.ledger.versions import version_key, version_of
from hub.provenance.receipts import without_receipt
from hub.stix.canonical import canonical_json
from hub.stix.pattern import values_in
from hub.stix.tlp import Tlp, object_tlp
from hub.stix.validation import check

SHARED = "shared"
SHOWN = 200


@dataclass(slots=True)
class ObjectPlan:
    """What a batch of objects comes to before anything is written; ``drafts`` by position."""

    drafts: list[tuple[int, StixObject, Draft]] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    result: Result = field(default_factory=Result)


def plan(
    session: Session, batch: Sequence[tuple[int, StixObject]], target: Target, merger: Merger, rules: Rules
) -> ObjectPlan:
    """Validate and prepare the objects that are not here already; ``session`` only reads."""
    planned = ObjectPlan()
    collection_no = target.chosen or target.aliases[SHARED]
    bare = [(position, one, without_receipt(one.obj)) for position, one in batch]
    known = known_versions(
        session, {(collection_no, obj["id"]) for _, _, obj in bare if _is_text(obj.get("id"))}
    )
    for position, one, obj in bare:
        planned.result.counts["read"] += 1
        try:
            if not _is_known(known, collection_no, obj):
                _acceptable(obj, target, merger)
                _plan_object(planned, position, one, obj, collection_no, target)
            else:
                _accepted(planned.result, position, one, obj, "unchanged", target)
        except InvalidInput as error:
            _refused(planned.result, position, one, obj, str(error))
            continue
        _plan_values(planned, one, obj, target, rules)
    return planned


def apply(session: Session, planned: ObjectPlan, target: Target, merger: Merger) -> None:
    """Write a planned batch within the caller's transaction."""
    known = known_versions(session, {(d.collection_no, d.stix_id) for _, _, d in planned.drafts})
    appended = merger.log.append(session, [one for _, _, one in planned.drafts])
    for (position, reading, one), outcome in zip(planned.drafts, appended, strict=True):
        _count_appended(
            planned.result,
            position,
            reading,
            outcome,
            bool(known.get((one.collection_no, one.stix_id))),
            target,
        )
    if planned.statements:
        merger.merge(session, target.source, planned.statements)
    quarantine(session, target.source.id, target.submission_id, planned.held)


def _is_known(
    known: dict[tuple[int, str], dict[str, bytes]], collection_no: int, obj: dict[str, Any]
) -> bool:
    """The very same object version is in the collection: nothing more needs to be looked at."""
    digests = known.get((collection_no, obj.get("id", "")))
    if not digests:
        return False
    return digests.get(version_key(version_of(obj))) == digest_of(canonical_json(obj))


def _acceptable(obj: dict[str, Any], target: Target, merger: Merger) -> None:
    check(obj)
    if obj.get("created_by_ref") == merger.hub_ref or obj["id"] == merger.hub_ref:
        raise InvalidInput("only the hub itself speaks in its name", where="created_by_ref")
    if target.by_object and object_tlp(obj) == Tlp.RED:
        raise InvalidInput(
            "TLP:RED is for named people only and never enters a collection", where="object_marking_refs"
        )


def _plan_object(
    planned: ObjectPlan,
    position: int,
    one: StixObject,
    obj: dict[str, Any],
    collection_no: int,
    target: Target,
) -> None:
    audience = target.audience(collection_no, object_tlp(obj))
    op = "revoke" if obj.get("revoked") is True else "add"
    planned.drafts.append((position, one, draft(obj, collection_no, audience, target.source.of_ledger, op)))


def _plan_values(
    planned: ObjectPlan, one: StixObject, obj: dict[str, Any], target: Target, rules: Rules
) -> None:
    """The values that a STIX indicator stands for are contributions like any other."""
    if obj.get("type") != "indicator" or obj.get("pattern_type") != "stix" or obj.get("revoked") is True:
        return
    for value in values_in(obj["pattern"]):
        reason = held_by_rule(value, rules)
        if reason is not None:
            planned.held.append(Held(QUARANTINED, one.where, value.text, reason, value))
            continue
        planned.result.values.add(value)
        collection_no = target.aliases[collection_of(value.kind)]
        planned.statements.append(
            Statement(
                value=value,
                collection_no=collection_no,
                grade=target.source.grade,
                audience=target.audience(collection_no, object_tlp(obj)),
                labels=tuple(label[:60].lower() for label in obj.get("labels", ())[:5]),
                first_seen=micros(obj.get("valid_from")),
                last_seen=micros(obj.get("modified")),
            )
        )


def _count_appended(  # noqa: PLR0913 - one row of the batch
    result: Result, position: int, one: StixObject, outcome: Appended, known: bool, target: Target
) -> None:
    if outcome.refused:
        _refused(result, position, one, one.obj, outcome.refused)
    elif outcome.seq is None:
        _accepted(result, position, one, one.obj, "unchanged", target)
    else:
        _accepted(result, position, one, one.obj, "updated" if known else "new", target)


def _accepted(  # noqa: PLR0913 - one row of the batch
    result: Result, position: int, one: StixObject, obj: dict[str, Any], change: str, target: Target
) -> None:
    result.counts["accepted"] += 1
    result.counts[change] += 1
    if target.by_object:
        message = "already here, unchanged" if change == "unchanged" else None
        result.outcome(position, SUCCESS, one.where, obj["id"], version_of(obj), message)


def _refused(result: Result, position: int, one: StixObject, obj: dict[str, Any], reason: str) -> None:
    result.counts["refused"] += 1
    subject = obj.get("id")
    version = version_of(obj)
    result.outcome(
        position, FAILURE, one.where, subject[:SHOWN] if _is_text(subject) else one.where,
        version[:SHOWN] if version else None, reason,
    )  # fmt: skip


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
