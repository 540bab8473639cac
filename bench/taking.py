"""What comes in: the CPU that one object costs against one bare signature, and POSTs end to end."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.client import Client
from bench.results import Measured
from bench.server import hub_server
from bench.store import open_hub, template
from hub.auth import Role
from hub.factory import Hub
from hub.feeds import inbox, intake, lease, sources
from hub.ledger.collections import by_alias
from hub.members import credentials, membership
from hub.members.membership import MemberKind
from hub.provenance.keys import FileSigner
from hub.stix.ids import hub_id
from hub.stix.tlp import Tlp

VALUES = 5000
SIGNED_BYTES = 700
SIGNATURES = 3000
SHARED = "/taxii2/signed/collections/shared/objects/"
WAITS = 120.0
LOOKS_EVERY = 0.05


def signature_seconds() -> float:
    """CPU seconds of one Ed25519 signature over what a receipt signs."""
    with tempfile.TemporaryDirectory() as folder:
        signer = FileSigner.read_or_create(Path(folder) / "key.pem")
    message = b"x" * SIGNED_BYTES
    started = time.process_time()
    for _ in range(SIGNATURES):
        signer.sign(message)
    return (time.process_time() - started) / SIGNATURES


def value_list(name: str, count: int) -> bytes:
    """A plain list of domains that nobody has seen."""
    return "".join(f"{name}-{n}.bench-{n % 97}.com\n" for n in range(count)).encode()


def envelope(hub: Hub, name: str, count: int) -> bytes:
    """New indicators, each of another domain."""
    objects = []
    for n in range(count):
        domain = f"{name}-{n}.bench.com"
        stix_id = hub_id(hub.namespace, "indicator", "bench", domain)
        objects.append({**template(), "id": stix_id, "name": domain, "pattern": f"[domain-name:value = '{domain}']"})
    return json.dumps({"objects": objects}).encode()


def ingest(product: str, data: Path, url: str) -> Iterator[Measured]:
    """New values and new objects through the real intake, in this process, in batches of the default size."""
    hub = open_hub(data, url, intake={"reserved": "publish"})
    shared = _alias(hub, "shared")
    cpu_to_take_in(hub, inbox.FILE, value_list("warm", 1000), None)
    kinds = {
        "value of a list": (inbox.FILE, value_list, None, "≤ 8"),
        "STIX indicator of an envelope (kept as it came, and merged into the hub's own)": (
            inbox.ENVELOPE, lambda name, count: envelope(hub, name, count), shared, "",
        ),
    }  # fmt: skip
    for what, (kind, make, collection_no, target) in kinds.items():
        ratios = []
        for turn in range(3):
            signature = signature_seconds()
            cost = cpu_to_take_in(hub, kind, make(f"{kind}{turn}", VALUES), collection_no) / VALUES
            ratios.append((cost / signature, cost, signature))
        ratio, cost, signature = sorted(ratios)[1]
        yield Measured(
            f"ingest: CPU for each new {what} / one Ed25519 signature", product, ratio, target,
            f"{cost * 1e6:.0f} µs / {signature * 1e6:.0f} µs",
        )  # fmt: skip
    hub.database.close()


def _alias(hub: Hub, alias: str) -> int:
    with hub.database.reading() as session:
        found = by_alias(session, alias)
        assert found is not None
        return found.no


def cpu_to_take_in(hub: Hub, kind: str, raw: bytes, collection_no: int | None) -> float:
    """CPU seconds of this process to take ``raw`` in."""
    worker = hub.intake()
    started = time.process_time()
    with hub.database.unit_of_work() as session:
        source = sources.named(session, "a benchmark's feed", "2B")
        arrival = inbox.Arrival(kind, source.id, "operator", raw, collection_no=collection_no, filename="list.txt")
        submission = inbox.receive(session, hub.vault, arrival)
    with hub.database.unit_of_work() as session:
        assert lease.claim(session, "bench", 60_000_000, submission.id) == submission.id
    worker.run(submission.id, "bench")
    taken = time.process_time() - started
    with hub.database.reading() as session:
        done = session.get_one(intake.Submission, submission.id)
        assert done.state == inbox.COMPLETE and not done.counts.get("refused"), (done.failure, done.counts)
    return taken


def posts(product: str, data: Path, url: str, log: Path) -> Iterator[Measured]:
    """New indicators by POST until their status is complete, the worker beside the server."""
    hub = open_hub(data, url, intake={"reserved": "publish"})
    with hub.database.unit_of_work() as session:
        member = membership.add_member(
            session, f"Posting Bank {product}", kind=MemberKind.BANK, clearance=Tlp.AMBER, roles=[Role.CONTRIBUTOR],
            namespace=hub.namespace,
        )  # fmt: skip
        login = credentials.issue(session, member)
    with hub_server(data, url, log) as port:
        client = Client(port, login)
        _post(client, [envelope(hub, f"warm-{product}", 500)])
        for size, times, target in ((1000, 24, "≥ 2,000"), (100, 80, ""), (100, 1, "")):
            bodies = [envelope(hub, f"p{size}-{times}-{n}", size) for n in range(times)]
            taken = _post(client, bodies)
            yield Measured(
                f"{times} POST of {size:,} new indicators, until all are complete", product,
                size * times / taken, target, f"{taken / times * 1000:.0f} ms each", " objects/s",
            )  # fmt: skip
    hub.database.close()


def _post(client: Client, bodies: list[bytes]) -> float:
    """Seconds from the first request until the last submission is complete."""
    started = time.perf_counter()
    paths = []
    for body in bodies:
        answer = client.post(SHARED, body)
        assert answer.status == 202, bytes(answer.body)
        paths.append(f"/taxii2/signed/status/{json.loads(bytes(answer.body))['id']}/")
    for path in paths:
        while (status := json.loads(bytes(client.get(path).body)))["status"] != "complete":
            assert time.perf_counter() - started < WAITS
            time.sleep(LOOKS_EVERY)
        assert status["failure_count"] == 0, status["failures"][:3]
    return time.perf_counter() - started
