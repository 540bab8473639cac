"""The short way to "valid": objects in which every property has the form that nearly all have.

It only ever says yes. What it does not recognise goes the long way of ``hub.stix.validation``, which decides and
gives the reason. So a form below may be narrower than the standard's and is never wider; a test holds both ways
against each other (tests/property/test_short_way.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from operator import call
from typing import Any, Final, NamedTuple

from hub.errors import InvalidInput
from hub.stix.pattern.parser import check_grammar
from hub.stix.semantics import LANGUAGE, NEVER, ORDER, TARGETS, TARGETS_OF

# True of what has the form. It may raise what ``_NO`` names in place of giving False.
Check = Callable[[Any], object]
_NO: Final = (InvalidInput, LookupError, TypeError, ValueError)

_MOST_KEPT: Final = 4096
_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_ANY_TYPE: Final = "[a-z][a-z0-9]{2,40}+(?:-[a-z0-9]{1,40}+){0,4}+"
_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
# Days that every month has.
_TIME: Final = "(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"


class _Kept(dict[str, bool]):
    """A check by an expression that keeps the texts that passed it; for times and names that come again and again."""

    def __init__(self, expression: str) -> None:
        self._passes = re.compile(expression).fullmatch

    def __missing__(self, text: str) -> bool:
        if self._passes(text) is None:
            return False
        if len(self) >= _MOST_KEPT:
            self.clear()
        self[text] = True
        return True


class _Shape(NamedTuple):
    """Objects of one type with the same properties in the same order: the check of each property, and the pairs of
    times of which the second is not before the first, or where they must differ is after it.
    """

    checks: tuple[Check, ...]
    order: tuple[tuple[str, str, bool], ...]


class _Shapes(dict[tuple[str, ...], _Shape]):
    """Shapes by type and names of properties. Raises LookupError for what is not in the tables below."""

    def __missing__(self, key: tuple[str, ...]) -> _Shape:
        object_type, *names = key
        if not _REQUIRED[object_type].issubset(names):
            raise LookupError(object_type)
        table = _table_of(object_type)
        pairs = [(first, last, differ) for last, (first, differ, _) in ORDER.items() if {first, last}.issubset(names)]
        shape = _Shape(tuple(table[name] for name in names), tuple(pairs))
        if len(self) >= _MOST_KEPT:
            self.clear()
        self[key] = shape
        return shape


def is_plainly_valid(obj: dict[str, Any], object_type: str) -> bool:
    """Whether ``obj`` is valid at first sight. False says nothing."""
    try:
        checks, order = _SHAPES[object_type, *obj]
        if not all(map(call, checks, obj.values())):
            return False
    except _NO:
        return False
    for earlier, later, differ in order:
        first, last = obj[earlier], obj[later]
        # Of one length, times compare as texts.
        if len(first) != len(last) or first > last or (differ and first == last):
            return False
    return True


@cache
def _table_of(object_type: str) -> dict[str, Check]:
    """The check of each property of a type of ``_REQUIRED``."""
    shared = _PROPERTIES if "created" in _REQUIRED[object_type] else _OF_OBSERVABLES
    return {
        **shared,
        "type": frozenset({object_type}).__contains__,
        "id": re.compile(f"{object_type}--{_UUID}").fullmatch,
        **{name: _referring(object_type, name) for name in _REFERENCES},
        **_OF_ONE_TYPE.get(object_type, {}),
    }


def _referring(object_type: str, name: str) -> Check:
    allowed = TARGETS_OF.get(object_type, {}).get(name) or TARGETS.get(name)
    never = {"bundle", *NEVER.get(object_type, {}).get(name, ())}
    types = "|".join(allowed) if allowed else f"(?!(?:{'|'.join(never)})--){_ANY_TYPE}"
    expression = f"(?:{types})--{_UUID}"
    if name in TARGETS:  # authors and markings are few
        one = _Kept(expression).__getitem__
        return _list_of(one) if name.endswith("s") else one
    return _joined(expression) if name.endswith("s") else re.compile(expression).fullmatch


def _joined(expression: str) -> Check:
    """A list of texts, none of which has a comma: looked at as one text, which is quicker than one by one."""
    passes = re.compile(f"{expression}(?:,{expression})*+").fullmatch

    def check(value: Any) -> object:
        if type(value) is not list:
            return False
        text = ",".join(value)
        return passes(text) and text.count(",") == len(value) - 1

    return check


# UTF-8 can write it, and it is not empty.
_text: Final[Check] = str.encode


def _texts(value: Any) -> object:
    return type(value) is list and "".join(value).encode()


def _flag(value: Any) -> bool:
    return value is True or value is False


def _whole(least: int, most: int) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def _list_of(check: Check) -> Check:
    return lambda value: type(value) is list and value and all(map(check, value))


def _dictionary(check_of: dict[str, Check], least: int) -> Check:
    """A dictionary with ``least`` of these members, each of its form."""

    def check(value: Any) -> bool:
        if type(value) is not dict or len(value) < least:
            return False
        return all(map(call, map(check_of.__getitem__, value), value.values()))

    return check


def _pattern(value: Any) -> object:
    encoded = str.encode(value)
    check_grammar(value)
    return encoded


def _named(names: Iterable[str], check: Check) -> dict[str, Check]:
    return dict.fromkeys(names, check)


_time: Final = _Kept(rf"{_TIME}(?:\.[0-9]{{1,9}})?Z").__getitem__
_time_of_version: Final = _Kept(rf"{_TIME}\.[0-9]{{3,9}}Z").__getitem__
_word: Final = _Kept("[ -~]{1,100}").__getitem__
_phase: Final = _dictionary(_named(["kill_chain_name", "phase_name"], _word), 2)
_reference: Final = _dictionary(
    {
        # Those two have forms of their own for external_id, which nobody else may use.
        "source_name": _Kept("(?!cve$|capec$)[ -~]{1,100}").__getitem__,
        "external_id": re.compile("(?!CVE-|CAPEC-)[ -~]+").fullmatch,
        **_named(["description", "url"], _text),
    },
    2,
)


def _external_references(value: Any) -> object:
    return type(value) is list and value and all("source_name" in one and _reference(one) for one in value)


_REFERENCES: Final = frozenset(
    {"created_by_ref", "object_marking_refs", "object_refs", "observed_data_refs", "where_sighted_refs"}
    | {"sighting_of_ref", "source_ref", "target_ref", "sample_refs", "resolves_to_refs", "belongs_to_refs"}
)
# Of domain objects and relationships. Where a type does not have such a property, any valid value may stand there.
_PROPERTIES: Final[dict[str, Check]] = {
    "spec_version": frozenset({"2.1"}).__contains__,
    **_named(["created", "modified"], _time_of_version),
    **_named(["valid_from", "valid_until", "first_seen", "last_seen", "published"], _time),
    **_named(["first_observed", "last_observed", "start_time", "stop_time"], _time),
    **_named(["revoked", "is_family", "summary"], _flag),
    **_named(["name", "description", "abstract", "content", "context", "objective"], _text),
    **_named(["identity_class", "contact_information", "tool_version", "pattern_version"], _text),
    **_named(["sophistication", "resource_level", "primary_motivation"], _text),
    **_named(["labels", "aliases", "roles", "sectors", "goals", "authors", "secondary_motivations"], _texts),
    **_named(["indicator_types", "malware_types", "report_types", "threat_actor_types", "tool_types"], _texts),
    **_named(["infrastructure_types", "capabilities", "implementation_languages"], _texts),
    "architecture_execution_envs": _texts,
    "confidence": _whole(0, 100),
    "count": _whole(0, 999_999_999),
    "number_observed": _whole(1, 999_999_999),
    "lang": LANGUAGE.fullmatch,
    "relationship_type": re.compile("[a-z0-9-]+").fullmatch,
    "pattern": _pattern,
    "pattern_type": frozenset({"stix"}).__contains__,
    "kill_chain_phases": _list_of(_phase),
    "external_references": _external_references,
}
_OF_OBSERVABLES: Final[dict[str, Check]] = {
    "spec_version": frozenset({"2.1"}).__contains__,
    "defanged": _flag,
    "value": _text,
    "name": _text,
    "display_name": _text,
    "size": _whole(0, 2**53 - 1),
    "hashes": _dictionary(
        {
            "MD5": re.compile("[a-fA-F0-9]{32}").fullmatch,
            "SHA-1": re.compile("[a-fA-F0-9]{40}").fullmatch,
            "SHA-256": re.compile("[a-fA-F0-9]{64}").fullmatch,
            "SHA-512": re.compile("[a-fA-F0-9]{128}").fullmatch,
        },
        1,
    ),
}
_VERSIONED: Final = frozenset({"type", "spec_version", "id", "created", "modified"})
_OBSERVABLE: Final = frozenset({"type", "id"})
# By type. Where the standard leaves a choice, the usual one.
_REQUIRED: Final[dict[str, frozenset[str]]] = {
    "indicator": _VERSIONED | {"pattern", "pattern_type", "valid_from"},
    "malware": _VERSIONED | {"name", "is_family"},
    "observed-data": _VERSIONED | {"first_observed", "last_observed", "number_observed", "object_refs"},
    "relationship": _VERSIONED | {"relationship_type", "source_ref", "target_ref"},
    "report": _VERSIONED | {"name", "object_refs", "published"},
    "sighting": _VERSIONED | {"sighting_of_ref"},
    "note": _VERSIONED | {"content", "object_refs"},
    "grouping": _VERSIONED | {"context", "object_refs"},
    **dict.fromkeys(["attack-pattern", "campaign", "course-of-action", "identity"], _VERSIONED | {"name"}),
    **dict.fromkeys(["infrastructure", "intrusion-set", "threat-actor", "tool"], _VERSIONED | {"name"}),
    "vulnerability": _VERSIONED | {"name"},
    **dict.fromkeys(["domain-name", "email-addr", "ipv4-addr", "url"], _OBSERVABLE | {"value"}),
    "file": _OBSERVABLE | {"hashes"},
}
# Beside those above, or in their place.
_OF_ONE_TYPE: Final[dict[str, dict[str, Check]]] = {
    "ipv4-addr": {"value": re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}").fullmatch},
}
_SHAPES: Final = _Shapes()
