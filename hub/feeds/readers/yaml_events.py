"""YAML to plain lists, mappings and texts, from the parser's events.

No tag is ever turned into an object, and every scalar stays text. Anchors and aliases are refused: nine lines of
them unfold to gigabytes, and no list of indicators needs any.
"""

from __future__ import annotations

from typing import Any

import yaml

from hub.errors import InvalidInput, TooLarge

SIZE_LIMIT = 20 * 1024 * 1024
DEPTH_LIMIT = 32

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Node = str | list[Any] | dict[str, Any]


def load(content: str) -> Node:
    """The first document of ``content``. A key that comes twice keeps its last value.

    Raises InvalidInput with the line for what is no YAML, for anchors and for nesting over 32 deep; TooLarge
    over 20 MB.
    """
    if len(content) > SIZE_LIMIT:
        raise TooLarge(f"the YAML file is larger than {SIZE_LIMIT} characters")
    try:
        return _build(yaml.parse(content, Loader=_LOADER))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark is not None else None
        raise InvalidInput("not valid YAML", where=where) from None


def _build(events: Any) -> Node:
    root: list[Any] = []
    # Each open container with the key that waits for its value (None in a list, or before a key).
    open_ones: list[list[Any] | dict[str, Any]] = [root]
    keys: list[str | None] = [None]
    for event in events:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise InvalidInput("anchors and aliases are not read", where=f"line {event.start_mark.line + 1}")
        if isinstance(event, yaml.DocumentEndEvent):
            break
        if isinstance(event, yaml.CollectionEndEvent):
            open_ones.pop()
            keys.pop()
        elif isinstance(event, yaml.ScalarEvent):
            _put(open_ones[-1], keys, event.value, event)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(open_ones) > DEPTH_LIMIT:
                raise InvalidInput(f"nested more than {DEPTH_LIMIT} deep", where=f"line {event.start_mark.line + 1}")
            opened: list[Any] | dict[str, Any] = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            _put(open_ones[-1], keys, opened, event)
            open_ones.append(opened)
            keys.append(None)
    return root[0] if root else ""


def _put(holder: list[Any] | dict[str, Any], keys: list[str | None], value: Node, event: Any) -> None:
    """Put ``value`` where it belongs: at the end of a list, as a mapping's key, or as that key's value."""
    if isinstance(holder, list):
        holder.append(value)
    elif keys[-1] is not None:
        holder[keys[-1]] = value
        keys[-1] = None
    elif isinstance(value, str):
        keys[-1] = value
    else:
        raise InvalidInput("a list or mapping is no key", where=f"line {event.start_mark.line + 1}")
