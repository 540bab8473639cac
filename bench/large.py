"""Large lists from the inbox to signed and committed, by the workers of a running hub; and the same lists again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import select

from bench.results import Measured
from bench.server import ROOT, hub_server
from bench.store import open_hub
from bench.taking import value_list
from hub.factory import Hub
from hub.feeds import inbox, sources
from hub.feeds.records import Submission
from hub.stix.tlp import Tlp

# The real lists stand beside the checkout, as they do for the tests.
SAMPLES = ROOT.parent / "shared" / "data"
LISTS = {
    "82,870 defanged domains in two CSV files (two workers)": (
        "large/vane_viper_20250912.csv", "large/vextrio_cta_20220606_iocs.csv",
    ),
    "54,863 names in one JSON file (one worker)": ("polkadot-js-phishing/all.json",),
}  # fmt: skip
LOOKS_EVERY = 0.02
WAITS = 300.0


def lists(product: str, data: Path, url: str, log: Path) -> Iterator[Measured]:
    """Values a second for each of the lists; and how much sooner the same files are done again."""
    if not SAMPLES.is_dir():
        raise LookupError(f"the sample feeds are not beside the checkout ({SAMPLES.relative_to(ROOT.parent)})")
    hub = open_hub(data, url)
    with hub_server(data, url, log, HUB_INTAKE__RESERVED="hold"):
        _take_in(hub, [("warm.txt", value_list(f"warm-{product}", 1000))])
        for what, names in LISTS.items():
            files = [(Path(name).name, (SAMPLES / name).read_bytes()) for name in names]
            first, values = _take_in(hub, files)
            again, _ = _take_in(hub, files)
            yield Measured(
                f"import of {what}, to signed and committed", product, values / first, "≥ 2,500",
                f"{values:,} values in {first:.1f} s", " values/s",
            )  # fmt: skip
            yield Measured(
                f"import of {what}: the first time / the same files again", product, first / again, "≥ 15",
                f"{first:.1f} s / {again:.2f} s",
            )  # fmt: skip
    hub.database.close()


def _take_in(hub: Hub, files: Sequence[tuple[str, bytes]]) -> tuple[float, int]:
    """(seconds until the workers are done with all files, values read), each file from a source of its own."""
    started = time.perf_counter()
    received = []
    for name, raw in files:
        with hub.database.unit_of_work() as session:
            source = sources.named(session, name, "2B")
            arrival = inbox.Arrival(inbox.FILE, source.id, "operator", raw, filename=name, tlp=int(Tlp.GREEN))
            received.append(inbox.receive(session, hub.vault, arrival).id)
    found = select(Submission.state, Submission.total, Submission.failure).where(Submission.id.in_(received))
    while True:
        with hub.database.reading() as session:
            rows = session.execute(found).all()
        assert not any(row.failure for row in rows), rows
        if all(row.state == inbox.COMPLETE for row in rows):
            return time.perf_counter() - started, sum(row.total for row in rows)
        assert time.perf_counter() - started < WAITS, rows
        time.sleep(LOOKS_EVERY)
