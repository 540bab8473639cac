"""medallion, OASIS's own TAXII server, with its memory backend: installed into a folder of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.client import Client
from bench.reading import NO_CACHE, OBJECTS
from bench.results import Measured, interleaved, ms
from bench.server import free_port, hub_server, running
from bench.store import Store, template

OBJECTS_HELD = 500
COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
LOGIN = ("reader", "reader")
INSTALL_SECONDS = 240
ROUNDS = 3


class OneByOne:
    """A client that opens a connection for each request, since medallion's server keeps none."""

    def __init__(self, port: int, credential: tuple[str, str]) -> None:
        self._port = port
        self._credential = credential

    def get(self, path: str) -> int:
        """One GET; how long the body is."""
        client = Client(self._port, self._credential)
        try:
            answer = client.get(path)
            assert answer.status == 200, bytes(answer.body)
            return len(answer.body)
        finally:
            client.close()


def compared(store: Store, log: Path) -> Iterator[Measured]:
    """Pages of the hub at its full size against medallion's of 500 objects in memory. Raises LookupError
    with the reason where medallion cannot be had.
    """
    with tempfile.TemporaryDirectory() as folder:
        program = _install(Path(folder))
        configuration = _configured(Path(folder))
        port = free_port()
        command = [str(program), "--port", str(port), str(configuration)]
        with (
            running(command, port, {}, log),
            hub_server(store.data, store.url, log, "--no-worker", **NO_CACHE) as hub_port,
        ):
            theirs, ours = OneByOne(port, LOGIN), OneByOne(hub_port, store.broad)
            for limit in (100, 1000):
                their_path = f"/api/collections/{COLLECTION}/objects/?limit={limit}"
                our_path = f"{OBJECTS}?limit={limit}"
                found = interleaved(
                    {"medallion": partial(theirs.get, their_path), "hub": partial(ours.get, our_path)}, ROUNDS
                )
                yield Measured(
                    f"page of {limit:,} at {store.entries:,} entries: throughput / medallion's at {OBJECTS_HELD:,}",
                    "sqlite", found["medallion"] / found["hub"], "",
                    f"{ms(found['hub'])} / {ms(found['medallion'])}",
                )  # fmt: skip


def _install(folder: Path) -> Path:
    programs = folder / "venv" / "bin"
    for command in (
        [sys.executable, "-m", "venv", str(folder / "venv")],
        [str(programs / "python"), "-m", "pip", "install", "--quiet", "medallion"],
        [str(programs / "medallion"), "--help"],
    ):
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=INSTALL_SECONDS, text=True)
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", "") or str(error)
            raise LookupError(str(said).strip().splitlines()[-1]) from None
    return programs / "medallion"


def _configured(folder: Path) -> Path:
    """A configuration with one collection of indicators like the hub's."""
    objects, manifest = [], []
    for n in range(OBJECTS_HELD):
        made = {**template(), "id": f"indicator--{uuid.UUID(int=n, version=4)}"}
        added = f"2026-01-01T00:{n // 60 % 60:02d}:{n % 60:02d}.{n:06d}Z"
        objects.append(made)
        manifest.append(
            {
                "id": made["id"],
                "date_added": added,
                "version": made["modified"],
                "media_type": "application/stix+json;version=2.1",
            }
        )
    root = {
        "information": {
            "title": "root",
            "versions": ["application/taxii+json;version=2.1"],
            "max_content_length": 10**9,
        },
        "status": [],
        "collections": [
            {
                "id": COLLECTION,
                "title": "objects",
                "can_read": True,
                "can_write": False,
                "media_types": ["application/stix+json;version=2.1"],
                "objects": objects,
                "manifest": manifest,
            }
        ],
    }
    discovery = {"title": "medallion", "default": "http://localhost/api/", "api_roots": ["http://localhost/api/"]}
    held = folder / "held.json"
    held.write_text(json.dumps({"/discovery": discovery, "api": root}))
    configuration = folder / "medallion.json"
    backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": str(held)}
    taxii = {"max_page_size": 1000, "interop_requirements": False}
    configuration.write_text(json.dumps({"backend": backend, "users": dict([LOGIN]), "taxii": taxii}))
    return configuration
