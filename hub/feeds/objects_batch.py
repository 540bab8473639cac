"""A batch of STIX objects: kept as they came, and their indicators' values merged into the hub's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from sqlalchemy.orm import Session

from hub.db.bulk import select_in
from hub.errors import InvalidInput
from hub.feeds.batch import FAILURE, QUARANTINED, SUCCESS, Result, Target
from hub.feeds.contributed import Derived
from hub.feeds.holding import OBJECT, HeldStatement, hold, take_back
from hub.feeds.merge import MergePlan, Merger
from hub.feeds.readers.reading import StixObject
from hub.feeds.sift import Held, Rules, passed
from hub.feeds.statements import Statement
from hub.feeds.values_batch import collection_of, micros
from hub.ledger.append import Appended, Draft, digest_of, draft, known_versions
from hub.ledger.collections import readable_by_all_of
from hub.ledger.fields import with_fields
from hub.ledger.versions import WITHDRAWN, version_key, version_of
from hub.provenance.receipts import without_receipt
from hub.stix.canonical import canonical_json
from hub.stix.cards import contains_card, redact_cards
from hub.stix.markings import PERSONAL_DATA, hidden_paths, is_personal
from hub.stix.pattern import values_in
from hub.stix.tlp import Tlp, object_tlp, of_marking_id
from hub.stix.validation import check
from hub.stix.values import Value

SHARED = "shared"
SHOWN = 200
MOST_BYTES = 1_048_576
IDENTIFIER = re.compile(r"--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Thirteen digits in one string, in JSON: what a text with a card number must have, so that most
# objects are looked at once rather than text by text. Identifiers and times have them too and are left out: one
# after the other, since the search for either begins with a letter that is seldom there.
TIME_OF_DAY = re.compile(r'T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z"')
NEITHER_DIGIT_NOR_QUOTE = bytes(set(range(256)) - set(b'0123456789"'))
MAYBE_CARD = re.compile(rb"[0-9]{13}")
# By way of the collections, since the index on ids begins with them.
EVERYWHERE = (
    "SELECT seq, stix_id, collection_no, source_id, version_key, digest FROM entry"
    " WHERE collection_no IN (SELECT no FROM collection) AND stix_id IN (…)"
)


@dataclass(slots=True)
class ObjectPlan:
    """What a batch of objects comes to before anything is written; ``statements`` by the object's position."""

    drafts: list[tuple[int, StixObject, Draft]] = field(default_factory=list)
    statements: dict[int, list[Statement]] = field(default_factory=dict)
    revoked: dict[int, list[Value]] = field(default_factory=dict)
    held: list[HeldStatement] = field(default_factory=list)
    merge: MergePlan | None = None
    result: Result = field(default_factory=Result)


def plan(
    session: Session, batch: Sequence[tuple[int, StixObject]], target: Target, merger: Merger, rules: Rules
) -> ObjectPlan:
    """Validate and prepare the objects that are not here already; ``session`` only reads."""
    planned = ObjectPlan()
    collection_no = target.chosen or target.aliases[SHARED]
    links = not target.source.is_feed and readable_by_all_of(session, collection_no, merger.sightings_no)
    bare = [(position, one, without_receipt(one.obj)) for position, one in batch]
    known = known_versions(session, {(collection_no, obj["id"]) for _, _, obj in bare if _is_text(obj.get("id"))})
    everywhere = _everywhere(session, [obj for _, _, obj in bare])
    for position, one, obj in bare:
        planned.result.counts["read"] += 1
        try:
            if _is_known(known, collection_no, obj):
                _accepted(planned.result, position, one, obj, "unchanged", target)
                planned.result.values.update(value for value in values_of(one, rules) if isinstance(value, Value))
                continue
            _acceptable(obj, merger)
            _refuse_foreign(obj, everywhere, collection_no, target, merger)
            made = _drafted(obj, collection_no, target)
            _refuse_large(made.prepared.plain)
            refuse_cards(obj, made.prepared.plain)
            planned.drafts.append((position, one, made))
        except InvalidInput as error:
            _refused(planned.result, position, one, obj, str(error))
    newest = _newest(planned, known)
    for position, one, made in planned.drafts:
        # An older version that arrives late says nothing about the value any more.
        if version_key(made.version) == newest[made.stix_id]:
            _plan_values(planned, position, one, target, rules, Derived(made.stix_id, made.audience) if links else None)
    statements = [one for said in planned.statements.values() for one in said]
    planned.merge = merger.plan(session, target.source, statements) if statements else None
    return planned


def apply(session: Session, planned: ObjectPlan, target: Target, merger: Merger) -> None:
    """Write a planned batch within the caller's transaction."""
    appended = merger.log.append(session, [one for _, _, one in planned.drafts])
    for (position, reading, _), outcome in zip(planned.drafts, appended, strict=True):
        _count_appended(planned.result, position, reading, outcome, target)
    refused = {position for (position, _, _), outcome in zip(planned.drafts, appended, strict=True) if outcome.refused}
    statements = [one for position, said in planned.statements.items() if position not in refused for one in said]
    planned.result.values.update(one.value for one in statements)
    if planned.merge is not None and not refused:
        merger.write(session, target.source, planned.merge)
    elif statements:
        merger.merge(session, target.source, statements)
    taken_back: dict[Value, set[str]] = {}
    for position, one, _ in planned.drafts:
        for value in planned.revoked.get(position, ()) if position not in refused else ():
            taken_back.setdefault(value, set()).add(one.obj["id"])
    if taken_back:
        merger.retract(session, target.source, taken_back, objects=taken_back)
        take_back(session, target.source.id, taken_back, OBJECT)
    hold(session, target.source.id, target.submission_id, planned.held)


def _is_known(known: dict[tuple[int, str], dict[str, bytes]], collection_no: int, obj: dict[str, Any]) -> bool:
    """The very same object version is in the collection: nothing more needs to be looked at."""
    stix_id = obj.get("id")
    digests = known.get((collection_no, stix_id)) if _is_text(stix_id) else None
    if not digests:
        return False
    return digests.get(version_key(version_of(obj))) == digest_of(canonical_json(obj))


def _acceptable(obj: dict[str, Any], merger: Merger) -> None:
    check(obj)
    if obj.get("created_by_ref") == merger.hub_ref or obj["id"] == merger.hub_ref:
        raise InvalidInput("only the hub itself speaks in its name", where="created_by_ref")
    if _tlp(obj) == Tlp.RED:
        raise InvalidInput(
            "TLP:RED is for named people only and never enters a collection", where="object_marking_refs"
        )


def _tlp(obj: dict[str, Any]) -> Tlp | None:
    """The strictest label on the object or on any part of it."""
    parts = [part.get("marking_ref") for part in obj.get("granular_markings", ())]
    labels = [object_tlp(obj), *(of_marking_id(ref) for ref in parts if _is_text(ref))]
    return max((label for label in labels if label is not None), default=None)


def refuse_cards(obj: dict[str, Any], plain: bytes) -> None:
    """Raise InvalidInput where a full payment card number stands in any text, name or number of the object, which
    is ``plain`` in canonical form.
    """
    left = TIME_OF_DAY.sub("", IDENTIFIER.sub("", plain.decode())).encode()
    if MAYBE_CARD.search(left.translate(None, NEITHER_DIGIT_NOR_QUOTE)) is None:
        return
    pending: list[tuple[str, Any]] = [("", obj)]
    while pending:
        where, part = pending.pop()
        if isinstance(part, dict):
            pending += [(f"{where}.{name}".lstrip("."), inner) for name, inner in part.items()]
            part = " | ".join(part)
        elif isinstance(part, list):
            pending += [(f"{where}[{index}]", inner) for index, inner in enumerate(part)]
            continue
        # The digits of an identifier are random: one in some thousands would pass for a card's.
        if isinstance(part, str | int | float) and contains_card(IDENTIFIER.sub("", str(part))):
            raise InvalidInput(
                "this may be a payment card number, which must not be sent; leave it out",
                where=redact_cards(where) or None,
            )


def _everywhere(session: Session, bare: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """What any collection holds under the ids of these objects and of their authors, oldest first."""
    wanted = {ref for obj in bare for ref in (obj.get("id"), obj.get("created_by_ref")) if _is_text(ref)}
    found: dict[str, list[Any]] = {}
    for row in select_in(session, EVERYWHERE, sorted(wanted)):
        found.setdefault(row.stix_id, []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: row.seq)
    return found


def _refuse_foreign(
    obj: dict[str, Any], everywhere: dict[str, list[Any]], collection_no: int, target: Target, merger: Merger
) -> None:
    """Raise InvalidInput for a version of somebody else's object, and for a member that speaks as another."""
    others = [row for row in everywhere.get(obj["id"], ()) if row.collection_no != collection_no]
    if others and others[0].source_id != target.source.id:
        version = version_key(version_of(obj)), digest_of(canonical_json(obj))
        if version not in {(row.version_key, row.digest) for row in others}:
            raise InvalidInput("another source owns this id; only the creator of an object may version it", where="id")
    author = obj.get("created_by_ref", "")
    # The hub publishes the identity of each member where sightings name it.
    is_member = any(row.collection_no == merger.sightings_no for row in everywhere.get(author, ()))
    if target.by_object and is_member and author != target.source.sighted_ref:
        raise InvalidInput("this is the identity of another member", where="created_by_ref")


def _refuse_large(canonical: bytes) -> None:
    """Raise InvalidInput for what is too much of a page: a page is bounded by the number of its objects."""
    if len(canonical) > MOST_BYTES:
        raise InvalidInput(
            f"an object has at most {MOST_BYTES:,} bytes in canonical form, this one has {len(canonical):,}",
            advice="Name a file by its hash and its address instead of sending it.",
        )


def _drafted(obj: dict[str, Any], collection_no: int, target: Target) -> Draft:
    audience = with_fields(obj, target.audience(collection_no, object_tlp(obj)))
    op = "revoke" if obj.get("revoked") is True else "add"
    return draft(obj, collection_no, audience, target.source.of_ledger, op)


def _plan_values(
    planned: ObjectPlan, position: int, one: StixObject, target: Target, rules: Rules, link: Derived | None
) -> None:
    """The values that a STIX indicator stands for are contributions like any other; revoked, it takes them back.

    A pattern that is personal data says nothing of a value: the hub's own indicators are for everybody.
    """
    obj = one.obj
    if obj.get("revoked") is True or "pattern" in _personal(obj):
        planned.revoked[position] = patterned_values(obj)
        return
    for found in values_of(one, rules):
        if not isinstance(found, Held):
            planned.statements.setdefault(position, []).append(_statement(obj, found, target, link))
        elif found.value is not None:
            planned.held.append(HeldStatement(found, _statement(obj, found.value, target, link), OBJECT))


def _personal(obj: dict[str, Any]) -> set[str]:
    """The properties that are personal data: all of them where the object is."""
    return set(obj) if is_personal(obj) else hidden_paths(obj, (PERSONAL_DATA,))


def _statement(obj: dict[str, Any], value: Value, target: Target, link: Derived | None) -> Statement:
    collection_no = target.aliases[collection_of(value.kind)]
    personal = _personal(obj)
    labels = () if "labels" in personal else obj.get("labels", ())
    phases = () if "kill_chain_phases" in personal else obj.get("kill_chain_phases", ())
    return Statement(
        value=value,
        collection_no=collection_no,
        grade=target.source.grade,
        audience=target.audience(collection_no, _tlp(obj)),
        labels=tuple(label[:60].lower() for label in labels[:5]),
        first_seen=micros(obj.get("valid_from")),
        last_seen=micros(obj.get("modified")),
        kill_chain_phases=tuple((phase["kill_chain_name"], phase["phase_name"]) for phase in phases),
        derived_from=link,
    )


def values_of(one: StixObject, rules: Rules) -> list[Value | Held]:
    """The values that an acceptable object stands for: those of a STIX indicator that is not revoked."""
    if one.obj.get("revoked") is True:
        return []
    found: list[Value | Held] = []
    for value in patterned_values(one.obj):
        through = passed(value, rules)
        found.append(Held(QUARANTINED, one.where, value.text, through, value) if isinstance(through, str) else through)
    return found


def patterned_values(obj: dict[str, Any]) -> list[Value]:
    """The values in the pattern of a valid STIX indicator, none for any other object."""
    if obj.get("type") != "indicator" or obj.get("pattern_type") != "stix":
        return []
    return values_in(obj["pattern"])


def _newest(planned: ObjectPlan, known: dict[tuple[int, str], dict[str, bytes]]) -> dict[str, str]:
    """The newest version key of each object of the batch, stored or about to be."""
    newest: dict[str, str] = {}
    for _, _, made in planned.drafts:
        stored = (key for key in known.get((made.collection_no, made.stix_id), {}) if WITHDRAWN not in key)
        newest[made.stix_id] = max(newest.get(made.stix_id, ""), version_key(made.version), *stored)
    return newest


def _count_appended(result: Result, position: int, one: StixObject, outcome: Appended, target: Target) -> None:
    if outcome.refused:
        _refused(result, position, one, one.obj, outcome.refused)
    elif outcome.seq is None:
        _accepted(result, position, one, one.obj, "unchanged", target)
    else:
        _accepted(result, position, one, one.obj, "updated" if outcome.known else "new", target)


def _accepted(result: Result, position: int, one: StixObject, obj: dict[str, Any], change: str, target: Target) -> None:
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


def _is_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str)
