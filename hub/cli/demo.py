"""The demonstration: members of each kind and sample feeds, through the real intake."""

from __future__ import annotations

from hub.factory import Hub


def load(hub: Hub) -> None:
    """Load the demonstration members and sample feeds; what is there already stays as it is."""
    raise NotImplementedError
