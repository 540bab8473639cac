"""Pages, polls, drains: what members read, against the same bytes from something that does nothing else."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import requests

from bench import nginx
from bench.client import TAXII, Client
from bench.results import Measured, interleaved, ms
from bench.server import bare_server, hub_server
from bench.store import COLLECTION, NARROW_EVERY, Store
from hub import clock

OBJECTS = f"/taxii2/signed/collections/{COLLECTION}/objects/"
NO_CACHE = {"HUB_TAXII__PAGE_CACHE_BYTES": "0"}
LIMITS = (100, 1000)
PAGE_ROUNDS = {100: 150, 1000: 60}
POLL_ROUNDS = 800
ROUNDS = 9
PAST_NEXT = b',"objects"'
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


class Member:
    """A member's client as most are written: a session of ``requests``, which takes each body in whole."""

    def __init__(self, port: int, credential: tuple[str, str] | None = None) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._session = requests.Session()
        self._session.headers.update({"Accept": TAXII, "Accept-Encoding": "identity"})
        self._session.auth = credential

    def get(self, path: str) -> bytes:
        """One GET."""
        answer = self._session.get(self._base + path)
        assert answer.status_code == 200, answer.text
        return answer.content


class Lean:
    """The client of ``bench.client``, which costs next to nothing."""

    def __init__(self, port: int, credential: tuple[str, str] | None = None) -> None:
        self._client = Client(port, credential)

    def get(self, path: str) -> bytes | memoryview:
        """One GET."""
        answer = self._client.get(path)
        assert answer.status == 200, bytes(answer.body)
        return answer.body


def drains(product: str, store: Store, log: Path) -> Iterator[Measured]:
    """A full drain against nginx that serves the same pages as files: cold, and from the page cache."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        cold = stack.enter_context(hub_server(store.data, store.url, log, "--no-worker", **NO_CACHE))
        roomy = {"HUB_TAXII__PAGE_CACHE_BYTES": str(1 << 30)}
        hot = stack.enter_context(hub_server(store.data, store.url, log, "--no-worker", **roomy))
        paths: dict[int, list[str]] = {}
        for limit in LIMITS:
            paths[limit] = []
            for number, body in enumerate(drain(Lean(cold, store.broad), limit)):
                name = f"{limit}-{number}"
                (folder / name).write_bytes(body)
                paths[limit].append(f"/{name}")
        static = stack.enter_context(nginx.serving(folder))
        for client, what in ((Member, "requests"), (Lean, "a client that costs nothing")):
            for limit in LIMITS:
                found = interleaved(_drain_works(client, store.broad, static, cold, hot, paths[limit], limit), ROUNDS)
                for kind, target in (("cold", DRAIN_TARGETS[product, limit]), ("hot", 0.5)):
                    yield Measured(
                        f"{kind} drain of {store.entries:,} at limit {limit:,} by {what}: throughput / nginx", product,
                        found["nginx"] / found[kind], f"≥ {target}" if client is Member else "",
                        f"{ms(found[kind])} / {ms(found['nginx'])}",
                    )  # fmt: skip


def _drain_works(
    client: type[Member | Lean], login: tuple[str, str], static: int, cold: int, hot: int, paths: list[str], limit: int
) -> dict[str, Callable[[], object]]:
    files, cold_hub, hot_hub = client(static), client(cold, login), client(hot, login)
    return {
        "nginx": lambda: [len(files.get(path)) for path in paths],
        "cold": lambda: [len(body) for body in drain(cold_hub, limit)],
        "hot": lambda: [len(body) for body in drain(hot_hub, limit)],
    }


def drain(client: Member | Lean, limit: int) -> Iterator[bytes | memoryview]:
    """Every page by ``next``, which stands at the beginning of the body: nothing else of it is parsed."""
    path = f"{OBJECTS}?limit={limit}"
    while True:
        body = client.get(path)
        yield body
        head = bytes(body[:2000])
        if not head.startswith(b'{"more":true'):
            return
        path = f"{OBJECTS}?limit={limit}&next={json.loads(head.split(PAST_NEXT)[0] + b'}')['next']}"
