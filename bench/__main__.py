"""``python -m bench``: measure everything in one run, print a table, keep it in bench/results/."""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from bench import checks, feeding, large, medallion, nginx, precheck, reading, results, store, taking, validating
from bench.results import Measured

SMALL = 20_000
LARGE = 1_000_000
PARTS = ("pages", "drains", "ingest", "posts", "medallion", "checks", "precheck", "again", "lists", "validation")
PRODUCTS = ("sqlite", "postgresql")


def main() -> int:
    """Run the parts that were asked for; 1 where ``--strict`` is given and a target is missed."""
    arguments = _arguments()
    load = os.getloadavg()[0]
    if load > 0.5:
        _say(f"The machine is busy (load {load:.1f}): what is measured now is worse than it need be.")
    found = []
    with (
        tempfile.TemporaryDirectory(prefix="hub-bench-", dir=arguments.folder) as folder,
        store.postgresql(Path(folder)) if "postgresql" in arguments.on else nullcontext("") as socket,
    ):
        parts = (_measured, _fed, _checked, _prechecked)
        for one in itertools.chain.from_iterable(part(arguments, Path(folder), socket) for part in parts):
            found.append(one)
            _say(f"{one.name} [{one.product}]: {one.value:,.2f}{one.unit} {one.target} {one.verdict} ({one.detail})")
    print(results.table(found))
    _say(f"Kept in {results.save(found, arguments.entries)}")
    missed = [one for one in found if one.verdict == "MISSED"]
    return 1 if arguments.strict and missed else 0


def _measured(arguments: argparse.Namespace, folder: Path, socket: str) -> Iterator[Measured]:
    log = folder / "servers.log"
    for product in arguments.on:

        def place(name: str, product: str = product) -> tuple[Path, str]:
            url = store.create_database(socket, name) if product == "postgresql" else ""
            return folder / f"{product}-{name}", url

        if {"pages", "drains", "medallion"} & set(arguments.parts):
            _say(f"Building {SMALL:,} entries on {product} …")
            small = store.build(*place("small"), SMALL)
        if {"pages", "medallion"} & set(arguments.parts):
            _say(f"Building {arguments.entries:,} entries on {product} …")
            large = store.build(*place("large"), arguments.entries)
        if "pages" in arguments.parts:
            yield from reading.pages(product, small, large, log)
        if "drains" in arguments.parts:
            if nginx.program() is None:
                _say("Skipped the drains: nginx is not here, and only root can install it by apt-get.")
            else:
                yield from reading.drains(product, small, log)
        if "ingest" in arguments.parts:
            yield from taking.ingest(product, *place("ingest"))
        if "posts" in arguments.parts:
            yield from taking.posts(product, *place("posts"), log)
        if "medallion" in arguments.parts and product == "sqlite":
            try:
                yield from medallion.compared(large, log)
            except LookupError as reason:
                _say(f"Skipped medallion: {reason}")


def _fed(arguments: argparse.Namespace, folder: Path, socket: str) -> Iterator[Measured]:
    for product in arguments.on if "again" in arguments.parts else ():
        url = store.create_database(socket, "again") if product == "postgresql" else ""
        yield from feeding.again(product, folder / f"{product}-again", url)
    for product in arguments.on if "lists" in arguments.parts else ():
        url = store.create_database(socket, "lists") if product == "postgresql" else ""
        try:
            yield from large.lists(product, folder / f"{product}-lists", url, folder / "servers.log")
        except LookupError as reason:
            _say(f"Skipped the lists: {reason}")
    if "validation" in arguments.parts:
        yield from validating.ratios()


def _checked(arguments: argparse.Namespace, folder: Path, socket: str) -> Iterator[Measured]:
    for product in arguments.on if "checks" in arguments.parts else ():
        _say(f"Filing {arguments.entries:,} accounts on {product} …")
        url = store.create_database(socket, "checks") if product == "postgresql" else ""
        filled = checks.fill(folder / f"{product}-checks", url, arguments.entries)
        yield from checks.batches(product, filled)
        yield from checks.singles(product, filled, folder / "servers.log")


def _prechecked(arguments: argparse.Namespace, folder: Path, socket: str) -> Iterator[Measured]:
    if "precheck" not in arguments.parts:
        return
    for product in arguments.on:
        url = store.create_database(socket, "precheck") if product == "postgresql" else ""
        yield from precheck.evaluations(product, folder / f"{product}-precheck", url, folder / "servers.log")
    yield from precheck.sets()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", default=list(PARTS), help=f"what to measure: {', '.join(PARTS)}; all of them"
    )
    parser.add_argument("--entries", type=int, default=LARGE, help="entries of the large store")
    parser.add_argument("--on", choices=PRODUCTS, action="append", help="one database only")
    parser.add_argument(
        "--folder", type=Path, help="where the stores are built: needs some 12 GB; the temporary folder"
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 where a target is missed")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    arguments.on = arguments.on or list(PRODUCTS)
    return arguments


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
