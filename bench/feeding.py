"""A feed that is pulled again after a few rows have changed, against its first import."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.results import Measured
from bench.store import open_hub
from bench.taking import cpu_to_take_in, value_list
from hub.feeds import inbox

VALUES = 20_000
CHANGED_ROWS = 3


def again(product: str, data: Path, url: str) -> Iterator[Measured]:
    """CPU of the intake for a list of domains, and for the same list with three other rows."""
    hub = open_hub(data, url, intake={"reserved": "publish"})
    ratios = []
    cpu_to_take_in(hub, inbox.FILE, value_list("warm", 1000), None)
    for turn in range(3):
        lines = value_list(f"again{turn}", VALUES).splitlines(keepends=True)
        first = cpu_to_take_in(hub, inbox.FILE, b"".join(lines), None)
        for row in range(CHANGED_ROWS):
            lines[row * 100] = f"other-{turn}-{row}.bench-changed.com\n".encode()
        second = cpu_to_take_in(hub, inbox.FILE, b"".join(lines), None)
        ratios.append((first / second, first / VALUES, second / VALUES))
    ratio, first, second = sorted(ratios)[1]
    yield Measured(
        f"pull of {VALUES:,} values of which {CHANGED_ROWS} changed: first import / it, in CPU", product, ratio, "≥ 15",
        f"{first * 1e6:.0f} µs / {second * 1e6:.1f} µs a value",
    )  # fmt: skip
    hub.database.close()
