"""What was measured, beside what is to be reached: a table for people, JSON for comparison."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, slots=True)
class Measured:
    """One ratio. ``target``: "≤ 1.3", "≥ 0.15", or "" where nothing is promised; ``detail``: absolute values."""

    name: str
    product: str
    value: float
    target: str = ""
    detail: str = ""
    unit: str = "×"

    @property
    def verdict(self) -> str:
        """Whether the target is reached."""
        if not self.target:
            return ""
        bound = float(self.target[2:].replace(",", ""))
        reached = self.value <= bound if self.target.startswith("≤") else self.value >= bound
        return "reached" if reached else "MISSED"


def interleaved(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each work, measured in turns, so that what disturbs the machine disturbs all alike."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
        work()
    order = list(works.items())
    for turn in range(rounds):
        for name, work in order[turn % len(order) :] + order[: turn % len(order)]:
            started = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def table(found: list[Measured]) -> str:
    """A Markdown table."""
    head = "| what | on | measured | to reach | | absolute, on this machine |\n|---|---|---|---|---|---|"
    rows = [
        f"| {one.name} | {one.product} | {_number(one.value)}{one.unit} | {one.target} | {one.verdict} | {one.detail} |"
        for one in found
    ]
    return "\n".join([head, *rows])


def save(found: list[Measured], entries: int) -> Path:
    """Write the run to bench/results/."""
    FOLDER.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    run = {
        "at": now.isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_at_the_end": os.getloadavg()[0],
        "entries": entries,
        "measured": [{**asdict(one), "verdict": one.verdict} for one in found],
    }
    path = FOLDER / f"{now:%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(run, indent=2, ensure_ascii=False) + "\n")
    return path


def ms(seconds: float) -> str:
    """Seconds as a text in milliseconds."""
    return f"{seconds * 1000:.2f} ms"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
