"""What a source says about its values: short labels, and for whom they are (TLP)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hub.errors import InvalidInput
from hub.stix.tlp import Tlp

LABEL_LIMIT = 64
MOST_LABELS = 20

MOST_PHASES = 10
# (name of the kill chain, phase), as STIX 2.1 section 2.11 spells them.
Phase = tuple[str, str]

# Tags that name a phase, by what they begin with; the kill chains' names are those that their publishers use in STIX.
_CHAINS = {
    "kill-chain:": "lockheed-martin-cyber-kill-chain",
    "mitre-attack:": "mitre-attack",
    "mitre-f3:": "mitre-f3",
    "misp-galaxy:mitre-tactic=": "mitre-attack",
    "misp-galaxy:mitre-attack-tactic=": "mitre-attack",
    "misp-galaxy:mitre-enterprise-attack-tactic=": "mitre-attack",
}
_PHASE = re.compile(r'([a-z0-9:-]{1,60}[:=])"?([a-z][a-z &-]{1,60}?)(?: - ta[0-9]{4})?"?')

_NOTHING = frozenset({"", "-", "none", "null", "n/a", "na", "unknown", "nan"})
# Where a text says for whom it is: above what it holds.
_LABEL_LINES = 30
_TLP_WORDS = re.compile(r"\bTLP ?[:_-] ?(?:AMBER ?[+_-] ?STRICT|AMBER|RED)\b", re.IGNORECASE)
# How a source calls what it holds to be harmless.
HARMLESS = frozenset({"legitimate", "benign", "clean", "harmless", "whitelist", "allowlist", "false positive"})


def labels_of(words: Iterable[object]) -> tuple[str, ...]:
    """The words as labels: lower case, 64 characters, each once, at most 20; what is no text is left out."""
    texts = (" ".join(word.lower().split())[:LABEL_LIMIT].strip() for word in words if isinstance(word, str))
    return tuple(dict.fromkeys(text for text in texts if text not in _NOTHING))[:MOST_LABELS]


def tlp_of(label: str) -> Tlp:
    """The TLP label that a source writes; AMBER+STRICT for one that is not known, as "tlp:unclear".

    Such a label restricts in words that nobody here can follow, so it must not widen.
    """
    try:
        return Tlp.parse(label)
    except InvalidInput:
        return Tlp.AMBER_STRICT


def tlp_above(head: str) -> Tlp | None:
    """The strictest TLP label that the first lines of a text write ("# TLP:AMBER"), None where it lets more people see
    it than a sender's own label could: a text can narrow, it cannot widen.
    """
    opening = "\n".join(head.lstrip("\ufeff \r\n").splitlines()[:_LABEL_LINES])
    found = strictest(*(tlp_of(label) for label in _TLP_WORDS.findall(opening)))
    return found if found is not None and found >= Tlp.AMBER else None


def strictest(*labels: Tlp | None) -> Tlp | None:
    """The strictest of some labels, None where there is none."""
    return max((label for label in labels if label is not None), default=None)


def phase_of(tag: str) -> Phase | None:
    """The kill-chain phase that a tag in lower case names: ATT&CK's and MITRE F3's tactics, Lockheed Martin's phases.

    A technique names none: which phase it serves is not in its name.
    """
    found = _PHASE.fullmatch(tag) if len(tag) < 140 else None
    chain = _CHAINS.get(found[1]) if found else None
    return (chain, "-".join(re.findall(r"[a-z]+", found[2]))) if found and chain else None
