"""What a source says about its values, as short labels."""

from __future__ import annotations

from collections.abc import Iterable

LABEL_LIMIT = 64
MOST_LABELS = 20

_NOTHING = frozenset({"", "-", "none", "null", "n/a", "na", "unknown", "nan"})


def labels_of(words: Iterable[object]) -> tuple[str, ...]:
    """The words as labels: lower case, 64 characters, each once, at most 20; what is no text is left out."""
    texts = (" ".join(word.lower().split())[:LABEL_LIMIT].strip() for word in words if isinstance(word, str))
    return tuple(dict.fromkeys(text for text in texts if text not in _NOTHING))[:MOST_LABELS]
