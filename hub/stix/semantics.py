"""What STIX 2.1 asks of an object beyond what its JSON schemas say.

Each function here takes an object whose form the schema has passed and raises ``InvalidInput`` with the
section of the standard and, in ``where``, the path of the fault.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NoReturn

from hub.errors import InvalidInput
from hub.stix.pattern.parser import check_grammar

_IDENTIFIER: Final = re.compile(
    r"([a-z][a-z0-9-]+[a-z0-9])--"
    r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
)
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", re.ASCII)
LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")

# Every property of the standard that is a timestamp.
_TIMESTAMPS: Final = frozenset(
    {"created", "modified", "valid_from", "valid_until", "first_seen", "last_seen", "first_observed"}
    | {"last_observed", "start_time", "stop_time", "published", "submitted", "analysis_started"}
    | {"analysis_ended", "object_modified", "date", "start", "end", "atime", "ctime", "mtime"}
    | {"created_time", "modified_time", "time_date_stamp", "account_created", "account_expires"}
    | {"credential_last_changed", "account_first_login", "account_last_login", "validity_not_before"}
    | {"validity_not_after", "private_key_usage_period_not_before", "private_key_usage_period_not_after"}
)

# later property: (earlier property, must they differ, section)
ORDER: Final[dict[str, tuple[str, bool, str]]] = {
    "modified": ("created", False, "3.2"),
    "valid_until": ("valid_from", True, "4.7"),
    "last_seen": ("first_seen", False, "4.2, 4.8, 4.9, 4.11, 4.17 and 5.2"),
    "last_observed": ("first_observed", False, "4.14"),
    "analysis_ended": ("analysis_started", False, "4.12"),
    "stop_time": ("start_time", True, "5.1"),
    "end": ("start", False, "6.12"),
}

_ADDRESSES: Final = frozenset({"ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"})
_OBSERVABLES: Final = frozenset(
    {"artifact", "autonomous-system", "directory", "email-addr", "email-message", "file", "mutex"}
    | {"network-traffic", "process", "software", "url", "user-account", "windows-registry-key"}
    | {"x509-certificate"}
    | _ADDRESSES
)
_DOMAIN_OBJECTS: Final = frozenset(
    {"attack-pattern", "campaign", "course-of-action", "grouping", "identity", "incident", "indicator"}
    | {"infrastructure", "intrusion-set", "location", "malware", "malware-analysis", "note", "observed-data"}
    | {"opinion", "report", "threat-actor", "tool", "vulnerability"}
)
_RELATIONSHIPS: Final = frozenset({"relationship", "sighting"})
_META: Final = frozenset({"marking-definition", "extension-definition", "language-content"})

# By property, for every type of object.
TARGETS: Final[dict[str, frozenset[str]]] = {
    "created_by_ref": frozenset({"identity"}),
    "object_marking_refs": frozenset({"marking-definition"}),
}
# By type and property: the types that a reference may be to (the "Reference" lines of sections 4 to 6).
TARGETS_OF: Final[dict[str, dict[str, frozenset[str]]]] = {
    "directory": {"contains_refs": frozenset({"file", "directory"})},
    "domain-name": {"resolves_to_refs": frozenset({"ipv4-addr", "ipv6-addr", "domain-name"})},
    "email-addr": {"belongs_to_ref": frozenset({"user-account"})},
    "email-message": {
        "from_ref": frozenset({"email-addr"}),
        "sender_ref": frozenset({"email-addr"}),
        "to_refs": frozenset({"email-addr"}),
        "cc_refs": frozenset({"email-addr"}),
        "bcc_refs": frozenset({"email-addr"}),
        "raw_email_ref": frozenset({"artifact"}),
    },
    "file": {"content_ref": frozenset({"artifact"}), "parent_directory_ref": frozenset({"directory"})},
    "ipv4-addr": {
        "resolves_to_refs": frozenset({"mac-addr"}),
        "belongs_to_refs": frozenset({"autonomous-system"}),
    },
    "ipv6-addr": {
        "resolves_to_refs": frozenset({"mac-addr"}),
        "belongs_to_refs": frozenset({"autonomous-system"}),
    },
    "malware": {
        "sample_refs": frozenset({"artifact", "file"}),
        "operating_system_refs": frozenset({"software"}),
    },
    "malware-analysis": {
        "host_vm_ref": frozenset({"software"}),
        "operating_system_ref": frozenset({"software"}),
        "installed_software_refs": frozenset({"software"}),
        "sample_ref": frozenset({"artifact", "file", "network-traffic"}),
    },
    "network-traffic": {
        "src_ref": _ADDRESSES,
        "dst_ref": _ADDRESSES,
        "src_payload_ref": frozenset({"artifact"}),
        "dst_payload_ref": frozenset({"artifact"}),
        "encapsulates_refs": frozenset({"network-traffic"}),
        "encapsulated_by_ref": frozenset({"network-traffic"}),
    },
    "process": {
        "opened_connection_refs": frozenset({"network-traffic"}),
        "creator_user_ref": frozenset({"user-account"}),
        "image_ref": frozenset({"file"}),
        "parent_ref": frozenset({"process"}),
        "child_refs": frozenset({"process"}),
    },
    "sighting": {
        "observed_data_refs": frozenset({"observed-data"}),
        "where_sighted_refs": frozenset({"identity", "location"}),
    },
    "windows-registry-key": {"creator_user_ref": frozenset({"user-account"})},
}
# By type and property: the types that a reference may not be to. Custom types stay possible.
NEVER: Final[dict[str, dict[str, frozenset[str]]]] = {
    "file": {"contains_refs": _DOMAIN_OBJECTS | _RELATIONSHIPS | _META},
    "malware-analysis": {"analysis_sco_refs": _DOMAIN_OBJECTS | _RELATIONSHIPS | _META},
    "observed-data": {"object_refs": _DOMAIN_OBJECTS | _META},
    "relationship": {"source_ref": _RELATIONSHIPS | _META, "target_ref": _RELATIONSHIPS | _META},
    "sighting": {"sighting_of_ref": _OBSERVABLES | _RELATIONSHIPS | _META},
    "language-content": {"object_ref": frozenset({"language-content"})},
}
_SCALARS: Final = frozenset({str, int, float, bool})
_NOTHING: Final[dict[str, frozenset[str]]] = {}
_OTHER, _TIME, _REFERENCE = range(3)
_MOST_NAMES: Final = 4096
# A type has at most 250 characters (section 3.1), and a UUID follows.
_LONGEST_IDENTIFIER: Final = 300


def check_meaning(obj: dict[str, Any]) -> None:
    """Raise ``InvalidInput`` at the first fault of an object that its schema has passed."""
    object_type = obj["type"]
    if not obj["id"].startswith(f"{object_type}--"):
        _fault("the id does not begin with the object's type and -- (section 2.9)", "id")
    _check_properties(obj, object_type)
    if "granular_markings" in obj:
        _check_granular_markings(obj)
    if "lang" in obj:
        _check_language(obj["lang"], "lang")
    special = _SPECIAL.get(object_type)
    if special:
        special(obj)


def _fault(message: str, where: str) -> NoReturn:
    raise InvalidInput(message, where=where)


def _check_properties(obj: dict[str, Any], object_type: str) -> None:
    targets = TARGETS_OF.get(object_type, _NOTHING)
    never = NEVER.get(object_type, _NOTHING)
    for name, value in obj.items():
        kind = type(value)
        if kind is str:
            # Objects share most of the names of their properties, so what a name asks for is looked up once.
            role = _ROLES[name]
            if role == _TIME:
                _check_exists(value, name)
                if name in ORDER:
                    _check_order(obj, name)
            elif role == _REFERENCE:
                _check_reference(value, name, targets.get(name) or TARGETS.get(name), never.get(name))
        elif kind is list:
            _check_list(value, name, targets.get(name) or TARGETS.get(name), never.get(name))
        elif name.endswith("_ref"):
            _check_reference(value, name, None, None)
        elif kind is dict:
            _check_inside(value, name)


def _check_list(value: list[Any], name: str, allowed: frozenset[str] | None, refused: frozenset[str] | None) -> None:
    if name.endswith("_refs"):
        for i, reference in enumerate(value):
            _check_reference(reference, f"{name}[{i}]", allowed, refused)
    elif name.endswith("_ref"):
        _check_reference(value, name, None, None)
    if not _SCALARS.issuperset(map(type, value)):
        _check_inside(value, name)


class _Roles(dict[str, int]):
    """What the name of a property says of its text. It keeps the names that it has seen, up to a number of them."""

    def __missing__(self, name: str) -> int:
        role = _TIME if name in _TIMESTAMPS else _REFERENCE if name.endswith("_ref") else _OTHER
        if len(self) < _MOST_NAMES:
            self[name] = role
        return role


_ROLES: Final = _Roles()


@lru_cache(maxsize=4096)
def _target_of(reference: str) -> str | None:
    """The type of the object that an identifier names; authors and markings are named again and again."""
    found = _IDENTIFIER.fullmatch(reference)
    return found[1] if found else None


def _check_reference(value: Any, where: str, allowed: frozenset[str] | None, refused: frozenset[str] | None) -> None:
    target = _target_of(value) if type(value) is str and len(value) < _LONGEST_IDENTIFIER else None
    if target is None:
        _fault("a reference is the identifier of an object (section 2.9)", where)
    if target == "bundle" or (refused and target in refused) or (allowed and target not in allowed):
        wanted = f", only to {' or '.join(sorted(allowed))}" if allowed else ""
        _fault(f"this reference cannot be to an object of type {target}{wanted} (section 3.5)", where)


def _check_inside(outer: Any, outer_path: str) -> None:
    """Refuse null, empty lists, empty dictionaries and dates that do not exist, however deep they stand."""
    pending: list[tuple[Any, str]] = [(outer, outer_path)]
    while pending:
        value, path = pending.pop()
        if value is None:
            _fault("null is no value of STIX; the property is left out (section 3.1)", path)
        if type(value) is list:
            if not value:
                _fault("a list is not empty; the property is left out (section 2.12)", path)
            pending += [(inner, f"{path}[{i}]") for i, inner in enumerate(value) if type(inner) not in _SCALARS]
        elif type(value) is dict:
            if not value:
                _fault("a dictionary is not empty; the property is left out (section 2.3)", path)
            for name, inner in value.items():
                if type(inner) not in _SCALARS:
                    pending.append((inner, f"{path}.{name}"))
                elif name in _TIMESTAMPS:
                    _check_exists(inner, f"{path}.{name}")


def _check_exists(value: Any, where: str) -> None:
    """Refuse a timestamp of a day or second that does not exist; other values are the schema's concern."""
    if type(value) is not str:
        return
    try:
        datetime.fromisoformat(value)
    except ValueError:
        if _TIMESTAMP.fullmatch(value):
            _fault(f"the time {value} does not exist (RFC 3339; leap seconds are not taken)", where)


def _check_order(obj: dict[str, Any], later: str) -> None:
    earlier, differ, section = ORDER[later]
    first, last = obj.get(earlier), obj[later]
    if type(first) is str and len(first) == len(last) and first < last:
        return  # nearly always
    if not (type(first) is str and type(last) is str and _TIMESTAMP.fullmatch(first)):
        return
    if len(first) != len(last):
        first, last = _sortable(first), _sortable(last)
    if last < first:
        _fault(f"{later} is before {earlier} (section {section})", later)
    if differ and last == first:
        _fault(f"{later} is not after {earlier} (section {section})", later)


def _sortable(timestamp: str) -> tuple[str, str]:
    """Return a key that sorts timestamps by instant at any precision."""
    return timestamp[:19], timestamp[20:-1].rstrip("0")


def _check_granular_markings(obj: dict[str, Any]) -> None:
    for i, marking in enumerate(obj["granular_markings"]):
        where = f"granular_markings[{i}]"
        if ("lang" in marking) == ("marking_ref" in marking):
            _fault("a granular marking has either lang or marking_ref (section 7.2.3)", where)
        if "lang" in marking:
            _check_language(marking["lang"], f"{where}.lang")
        for j, selector in enumerate(marking["selectors"]):
            if not _selects(obj, selector):
                _fault(
                    f"the selector {selector[:80]!r} selects nothing in this object (section 7.2.3.1)",
                    f"{where}.selectors[{j}]",
                )


def _selects(obj: dict[str, Any], selector: str) -> bool:
    value: Any = obj
    for step in selector.split("."):
        if step.startswith("["):
            index = step[1:-1]
            # Nine digits are more than any list here can have, and quick to convert.
            if type(value) is not list or len(index) > 9 or int(index) >= len(value):
                return False
            value = value[int(index)]
        elif type(value) is dict and step in value:
            value = value[step]
        else:
            return False
    return True


def _check_language(tag: Any, where: str) -> None:
    if type(tag) is not str or not LANGUAGE.fullmatch(tag):
        _fault("this is no language tag (RFC 5646; section 3.2)", where)


def _check_indicator(obj: dict[str, Any]) -> None:
    if obj["pattern_type"] == "stix":
        try:
            check_grammar(obj["pattern"])
        except InvalidInput as fault:
            place = f" ({fault.where})" if fault.where else ""
            raise InvalidInput(f"{fault.message}{place}", where="pattern", advice=fault.advice) from None


def _check_address(obj: dict[str, Any]) -> None:
    network = ipaddress.IPv4Network if obj["type"] == "ipv4-addr" else ipaddress.IPv6Network
    try:
        network(obj["value"], strict=False)
    except ValueError:
        _fault(f"this is no address or CIDR block of type {obj['type']} (sections 6.9, 6.10)", "value")


def _check_language_content(obj: dict[str, Any]) -> None:
    for tag, translated in obj["contents"].items():
        _check_language(tag, f"contents.{tag}")
        if type(translated) is not dict:
            _fault("the content of a language is a dictionary of properties (section 7.1)", f"contents.{tag}")


_SPECIAL: Final = {
    "indicator": _check_indicator,
    "ipv4-addr": _check_address,
    "ipv6-addr": _check_address,
    "language-content": _check_language_content,
}
