"""Field classes: which parts of an object are for fewer readers than the object, and who may see them.

A field class is a TLP label above the object's own, or ``personal-data``. Whoever may not see one is given the object
without the properties that it marks; where no valid object would be left, the object as a whole is for those alone
who may see it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from hub.auth import Actor
from hub.errors import InvalidInput
from hub.ledger.classes import Audience
from hub.provenance.published import carries_receipt
from hub.stix.markings import EXTENSIONS, INDISPENSABLE, PERSONAL_DATA, hidden_paths, is_personal, marked_paths
from hub.stix.markings import without_paths as without
from hub.stix.tlp import Tlp
from hub.stix.validation import check


def with_fields(obj: dict[str, Any], audience: Audience) -> Audience:
    """Who a valid object is for, its marked parts looked at; ``audience`` is who it is for as a whole.

    What a reader is shown of it is valid STIX for every combination of classes that they may lack.
    """
    classes = {each for found in marked_paths(obj).values() for each in found}
    personal = is_personal(obj)
    if not classes and not personal:
        return audience
    tlp = audience.tlp
    levels = sorted(level for level in Tlp if level.label in classes and level > tlp)
    for level in reversed(levels):
        # Who lacks a level lacks every stricter one too.
        if not _leaves_an_object(obj, _labels(each for each in levels if each >= level)):
            tlp = level
            break
    kept = [level for level in levels if level > tlp]
    fields = _labels(kept)
    if PERSONAL_DATA in classes:
        lacking = [set[str](), *(_labels(each for each in kept if each >= level) for level in kept)]
        personal = personal or not all(_leaves_an_object(obj, {PERSONAL_DATA, *those}) for those in lacking)
        fields |= set() if personal else {PERSONAL_DATA}
    return replace(audience, tlp=tlp, fields=frozenset(fields), personal=personal)


def hidden_from(actor: Actor, fields: Iterable[str], shares_group: bool) -> tuple[str, ...]:
    """Those of a class's ``fields`` that the actor may not see, sorted; ``shares_group``: in one of its groups."""
    return tuple(sorted(each for each in fields if not _may_see(actor, each, shares_group)))


def read(text: str) -> tuple[str, ...]:
    """The classes that the database keeps of a visibility class."""
    return tuple(text.split(",")) if text else ()


def _may_see(actor: Actor, field_class: str, shares_group: bool) -> bool:
    if field_class == PERSONAL_DATA:
        return actor.personal_data
    tlp = Tlp.parse(field_class)
    # RED is for named people, and no field names any.
    return tlp <= actor.clearance and (tlp <= Tlp.GREEN or (tlp <= Tlp.AMBER_STRICT and shares_group))


def _labels(levels: Iterable[Tlp]) -> set[str]:
    return {level.label for level in levels}


def _leaves_an_object(obj: dict[str, Any], hidden: Collection[str]) -> bool:
    """Whether a valid object is left that means what it meant, and a receipt can vouch for it."""
    paths = hidden_paths(obj, hidden)
    if paths & INDISPENSABLE or not carries_receipt(obj) or any(_defines(obj, path) for path in paths):
        return False
    try:
        check(without(obj, paths))
    except InvalidInput:
        return False
    return True


def _defines(obj: dict[str, Any], path: str) -> bool:
    """Whether a path is an extension that says what the object's type or its other properties are."""
    name, _, extension = path.partition("/")
    if name != EXTENSIONS or not extension:
        return False
    kind = obj[EXTENSIONS][extension].get("extension_type")
    return kind not in (None, "property-extension")
