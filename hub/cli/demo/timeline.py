"""What happens in the demonstration's past, in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hub import clock


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at ``at`` (microseconds since the epoch)."""

    at: int
    act: Callable[[], None]


def play(events: Iterable[Event]) -> int:
    """Let each event happen with the clock set to its time, those of the future left out; gives how many did."""
    now = clock.micros()
    past = sorted((one for one in events if one.at <= now), key=lambda one: one.at)
    for one in past:
        with clock.as_of(one.at):
            one.act()
    return len(past)
