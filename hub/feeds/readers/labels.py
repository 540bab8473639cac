"""What a source says about its values: short labels, and for whom they are (TLP)."""

from __future__ import annotations

from collections.abc import Iterable

from hub.errors import InvalidInput
from hub.stix.tlp import Tlp

LABEL_LIMIT = 64
MOST_LABELS = 20

_NOTHING = frozenset({"", "-", "none", "null", "n/a", "na", "unknown", "nan"})


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


def strictest(*labels: Tlp | None) -> Tlp | None:
    """The strictest of some labels, None where there is none."""
    return max((label for label in labels if label is not None), default=None)
