"""Pages, polls, drains: what members read, against the same bytes from something that does nothing else."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import nginx
from bench.client import Client
from bench.results import Measured, interleaved, ms
from bench.server import bare_server, hub_server
from bench.store import COLLECTION, NARROW_EVERY, Store
from hub import clock

OBJECTS = f"/taxii2/signed/collections/{COLLECTION}/objects/"
NO_CACHE = {"HUB_TAXII__PAGE_CACHE_BYTES": "0"}
LIMITS = (100, 1000)
PAGE_ROUNDS = {100: 150, 1000: 60}
POLL_ROUNDS = 800
DRAIN_ROUNDS = 5
DRAIN_TARGETS = {("sqlite", 100): 0.20, ("sqlite", 1000): 0.15, ("postgresql", 100): 0.13, ("postgresql", 1000): 0.10}


def after(store: Store, n: int) -> str:
    """``added_after`` the n-th bulk entry."""
    return f"added_after={clock.timestamp(store.added(n))}"


def cold_pages(client: Client, store: Store, limit: int, share: float) -> Callable[[], None]:
    """A page at ``share`` of the store's depth, each time another one."""
    start = int(store.entries * share)
    places = (start + step * 7 % 1500 for step in itertools.count(1))

    def read() -> None:
        answer = client.get(f"{OBJECTS}?limit={limit}&{after(store, next(places))}")
        assert answer.status == 200, bytes(answer.body)

    return read


def fetch(client: Client, path: str) -> Callable[[], None]:
    """One GET that must succeed."""

    def read() -> None:
        answer = client.get(path)
        assert answer.status == 200, bytes(answer.body)

    return read


def pages(product: str, small: Store, large: Store, log: Path) -> Iterator[Measured]:
    """Pages at both sizes and at 90 % depth, the narrow member, one object by id, and the empty poll."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        few = stack.enter_context(hub_server(small.data, small.url, log, "--no-worker", **NO_CACHE))
        many = stack.enter_context(hub_server(large.data, large.url, log, "--no-worker", **NO_CACHE))
        broad, narrow = Client(many, large.broad), Client(many, large.narrow)
        at_few = Client(few, small.broad)
        by_id = f"{OBJECTS}?match[id]={large.known_id}"
        for limit in LIMITS:
            (folder / str(limit)).write_bytes(broad.get(f"{OBJECTS}?limit={limit}").body)
        (folder / "id").write_bytes(broad.get(by_id).body)
        (folder / "nothing").write_bytes(b"{}")
        bare = Client(stack.enter_context(bare_server(folder, log)))
        size = f"{large.entries:,}"
        for limit in LIMITS:
            found = interleaved(
                {
                    "bare": fetch(bare, f"/{limit}"),
                    "small": cold_pages(at_few, small, limit, 0.1),
                    "large": cold_pages(broad, large, limit, 0.1),
                    "deep": cold_pages(broad, large, limit, 0.9),
                    "narrow": cold_pages(narrow, large, limit, 0.1),
                },
                PAGE_ROUNDS[limit],
            )
            page = f"page of {limit:,}"
            yield Measured(
                f"{page}: time at {size} entries / at {small.entries:,}", product, found["large"] / found["small"],
                "≤ 1.3", f"{ms(found['large'])} / {ms(found['small'])}",
            )  # fmt: skip
            yield Measured(
                f"{page}: time at 90 % depth of {size} / at {small.entries:,}", product,
                found["deep"] / found["small"], "≤ 1.3", f"{ms(found['deep'])} / {ms(found['small'])}",
            )  # fmt: skip
            yield Measured(
                f"{page}: throughput at {size} / bare Flask view", product, found["bare"] / found["large"],
                "≥ 0.15" if limit == 1000 else "", f"{ms(found['large'])} / {ms(found['bare'])}",
            )  # fmt: skip
            yield Measured(
                f"{page}: time for a member who sees 1 in {NARROW_EVERY:,} / who sees all", product,
                found["narrow"] / found["large"], "≤ 3", f"{ms(found['narrow'])} / {ms(found['large'])}",
            )  # fmt: skip
        found = interleaved(
            {
                "bare": fetch(bare, "/nothing"),
                "hub": fetch(broad, f"{OBJECTS}?{after(large, large.entries * 2)}"),
                "bare id": fetch(bare, "/id"),
                "id": fetch(broad, by_id),
            },
            POLL_ROUNDS,
        )
        yield Measured(
            "empty poll: time / bare Flask view", product, found["hub"] / found["bare"], "≤ 2.0",
            f"{ms(found['hub'])} / {ms(found['bare'])}",
        )  # fmt: skip
        yield Measured(
            "match[id]: time / bare Flask view", product, found["id"] / found["bare id"], "",
            f"{ms(found['id'])} / {ms(found['bare id'])}",
        )  # fmt: skip


def drains(product: str, store: Store, log: Path) -> Iterator[Measured]:
    """A full drain against nginx that serves the same pages as files: cold, and from the page cache."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cold = Client(
            stack.enter_context(hub_server(store.data, store.url, log, "--no-worker", **NO_CACHE)), store.broad
        )
        roomy = {"HUB_TAXII__PAGE_CACHE_BYTES": str(1 << 30)}
        hot = Client(stack.enter_context(hub_server(store.data, store.url, log, "--no-worker", **roomy)), store.broad)
        paths: dict[int, list[str]] = {}
        for limit in LIMITS:
            paths[limit] = []
            for number, body in enumerate(drain(cold, limit)):
                name = f"{limit}-{number}"
                (folder / name).write_bytes(body)
                paths[limit].append(f"/{name}")
        static = Client(stack.enter_context(nginx.serving(folder)))
        for limit in LIMITS:
            found = interleaved(
                {
                    "nginx": lambda limit=limit: [static.get(path) for path in paths[limit]],  # type: ignore[misc]
                    "cold": lambda limit=limit: list(drain(cold, limit)),  # type: ignore[misc]
                    "hot": lambda limit=limit: list(drain(hot, limit)),  # type: ignore[misc]
                },
                DRAIN_ROUNDS,
            )
            for kind, target in (("cold", DRAIN_TARGETS[product, limit]), ("hot", 0.5)):
                yield Measured(
                    f"{kind} drain of {store.entries:,} at limit {limit:,}: throughput / nginx", product,
                    found["nginx"] / found[kind], f"≥ {target}", f"{ms(found[kind])} / {ms(found['nginx'])}",
                )  # fmt: skip


def drain(client: Client, limit: int) -> Iterator[memoryview]:
    """Every page by ``next``; its place in the body is known, so that the client parses nothing."""
    path = f"{OBJECTS}?limit={limit}"
    while True:
        answer = client.get(path)
        assert answer.status == 200, bytes(answer.body)
        yield answer.body
        if bytes(answer.body[:12]) != b'{"more":true':
            return
        head = bytes(answer.body[:2000]).split(b',"objects"')[0] + b"}"
        path = f"{OBJECTS}?limit={limit}&next={json.loads(head)['next']}"
