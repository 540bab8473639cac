"""STIX 2.0 objects as STIX 2.1, with the ids that they came with.

The rules follow from comparing the tables of properties of both versions. The result is not validated here.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any, Final

from hub.errors import InvalidInput
from hub.stix.stix20_observables import upconvert_observables
from hub.stix.tlp import TLP1_AMBER_ID, TLP1_GREEN_ID, TLP1_RED_ID, TLP1_WHITE_ID

# 2.0 held these words in ``labels``. Words of the vocabulary move, all others are labels in 2.1's sense.
_TYPES_PROPERTY: Final = {
    "indicator": "indicator_types",
    "malware": "malware_types",
    "report": "report_types",
    "threat-actor": "threat_actor_types",
    "tool": "tool_types",
}
_VOCABULARIES: Final = {
    "indicator": "anomalous-activity anonymization benign compromised malicious-activity attribution unknown",
    "malware": "adware backdoor bot bootkit ddos downloader dropper exploit-kit keylogger ransomware "
    "remote-access-trojan resource-exploitation rogue-security-software rootkit screen-capture spyware trojan "
    "unknown virus webshell wiper worm",
    "report": "threat-report attack-pattern campaign identity indicator intrusion-set malware observed-data "
    "threat-actor tool vulnerability",
    "threat-actor": "activist competitor crime-syndicate criminal hacker insider-accidental insider-disgruntled "
    "nation-state sensationalist spy terrorist unknown",
    "tool": "denial-of-service exploitation information-gathering network-capture credential-exploitation "
    "remote-access vulnerability-scanning unknown",
}
_WORDS: Final = {stix_type: frozenset(words.split()) for stix_type, words in _VOCABULARIES.items()}
_TLP1_IDS: Final = {
    "white": TLP1_WHITE_ID,
    "green": TLP1_GREEN_ID,
    "amber": TLP1_AMBER_ID,
    "red": TLP1_RED_ID,
}
_TLP1_CREATED: Final = "2017-01-20T00:00:00.000Z"
# A string, or a START … STOP with the strings that 2.0 wrote where 2.1 has timestamps.
_LITERAL: Final = r"'(?:[^'\\]|\\.)*'"
_SPAN_OR_STRING: Final = re.compile(rf"\bSTART\s+({_LITERAL})\s+STOP\s+({_LITERAL})|{_LITERAL}", re.DOTALL)


def is_stix20(obj: dict[str, Any]) -> bool:
    """Whether an object is of STIX 2.0: one with ``created`` and without ``spec_version`` (2.1, section 3.2)."""
    version = obj.get("spec_version")
    return version == "2.0" or (version is None and "created" in obj)


def upconvert(obj: dict[str, Any]) -> dict[str, Any]:
    """Return the STIX 2.1 form of a STIX 2.0 object, a new object with the same id, created and modified.

    Words in ``labels`` move to the property that 2.1 has for them, ``is_family`` of malware is true (2.0's
    malware is a family), patterns get their type and the time literals of 2.1, the objects of observed data
    get ids and refer to each other by them, and the TLP markings take the form of 2.1. An object that is not
    of 2.0 comes back as a copy. Raises InvalidInput for a bundle, for broken observed
    data and for a TLP marking definition under an id of its own.
    """
    if not isinstance(obj.get("type"), str):
        raise InvalidInput("a STIX object has a type", where="type")
    if obj["type"] == "bundle":
        raise InvalidInput("a bundle is converted object by object", where="type")
    converted = deepcopy(obj)
    if not is_stix20(obj):
        return converted
    converted["spec_version"] = "2.1"
    _move_labels(converted)
    special = _SPECIAL.get(obj["type"])
    if special is not None:
        special(converted)
    return converted


def _move_labels(obj: dict[str, Any]) -> None:
    labels, stix_type = obj.get("labels"), obj["type"]
    if not isinstance(labels, list) or _marks_labels(obj):
        return
    if stix_type == "identity":
        obj.setdefault("roles", obj.pop("labels"))
    elif stix_type in _TYPES_PROPERTY:
        types = [label for label in labels if isinstance(label, str) and label in _WORDS[stix_type]]
        rest = [label for label in labels if not (isinstance(label, str) and label in _WORDS[stix_type])]
        del obj["labels"]
        if types:
            obj.setdefault(_TYPES_PROPERTY[stix_type], types)
        if rest:
            obj["labels"] = rest


def _marks_labels(obj: dict[str, Any]) -> bool:
    """Whether a granular marking is on a label: it must not lose what it marks, so the labels stay."""
    markings = obj.get("granular_markings")
    return any(
        isinstance(selector, str) and selector.partition(".")[0] == "labels"
        for marking in (markings if isinstance(markings, list) else ())
        if isinstance(marking, dict)
        for selector in (marking["selectors"] if isinstance(marking.get("selectors"), list) else ())
    )


def _indicator(obj: dict[str, Any]) -> None:
    obj.setdefault("pattern_type", "stix")
    if obj["pattern_type"] == "stix" and isinstance(obj.get("pattern"), str):
        obj["pattern"] = _SPAN_OR_STRING.sub(_with_timestamps, obj["pattern"])
    if "valid_from" not in obj and "created" in obj:
        obj["valid_from"] = obj["created"]


def _with_timestamps(found: re.Match[str]) -> str:
    start, stop = found.groups()
    return found.group() if start is None else f"START t{start} STOP t{stop}"


def _malware(obj: dict[str, Any]) -> None:
    obj.setdefault("is_family", True)


def _observed_data(obj: dict[str, Any]) -> None:
    if isinstance(obj.get("objects"), dict):
        obj["objects"] = upconvert_observables(obj["objects"], str(obj.get("id", "")))


def _marking_definition(obj: dict[str, Any]) -> None:
    """2.1 fixes the whole of the four TLP definitions, so nobody else's can stand for them."""
    definition = obj.get("definition")
    if obj.get("definition_type") != "tlp" or not isinstance(definition, dict):
        return
    colour = definition.get("tlp")
    if not isinstance(colour, str) or _TLP1_IDS.get(colour) != obj.get("id"):
        raise InvalidInput(
            "a TLP marking definition has the id that the standard gives it (STIX 2.1 section 7.2.1.4)",
            where="id",
        )
    obj.update(created=_TLP1_CREATED, name=f"TLP:{colour.upper()}", definition={"tlp": colour})


_SPECIAL: Final = {
    "indicator": _indicator,
    "malware": _malware,
    "observed-data": _observed_data,
    "marking-definition": _marking_definition,
}
