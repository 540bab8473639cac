"""The private pre-check: batches evaluated over HTTP against the library's own speed, and the sets' figures."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from voprf import ristretto

from bench.client import Client
from bench.results import Measured, interleaved
from bench.server import hub_server
from bench.store import open_hub
from hub.auth import Role
from hub.checks.precheck import sets as precheck_set
from hub.checks.precheck.voprf import Blinded
from hub.factory import upkeep
from hub.members import credentials, membership
from hub.members.membership import MemberKind
from hub.stix.tlp import Tlp

BATCH = 500
ROUNDS = 40
VALUES = 1_000_000
STATED = {"purpose": "payee-check", "legal_gateway": "dpa-2018-sch1-para14"}


def evaluations(product: str, data: Path, url: str, log: Path) -> Iterator[Measured]:
    """One client's batches, from the request to the answer, in turns with the library alone."""
    hub = open_hub(data, url)
    with hub.database.unit_of_work() as session:
        member = membership.add_member(
            session, "Asking Bank", kind=MemberKind.BANK, clearance=Tlp.AMBER, roles=[Role.READER],
            namespace=hub.namespace,
        )  # fmt: skip
        login = credentials.issue(session, member)
    upkeep.set_builder(hub).run()
    hub.database.close()
    elements = Blinded([f"phone:4477009{n:05d}".encode() for n in range(BATCH)]).elements
    texts = [base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in elements]
    body = json.dumps({**STATED, "epoch": 1, "blinded": texts}).encode()
    evaluator = ristretto.Evaluator(os.urandom(32))
    with hub_server(data, url, log, "--no-worker", HUB_PRECHECK__EVALUATIONS_PER_DAY="100000000") as port:
        client = Client(port, login, "application/json")
        works: dict[str, Callable[[], object]] = {
            "library": partial(_evaluated, evaluator, elements),
            "hub": partial(_posted, client, body),
        }
        taken = interleaved(works, ROUNDS)
    yield Measured(
        f"pre-check: batches of {BATCH} over HTTP, counted and audited / the library alone", product,
        taken["library"] / taken["hub"], "≥ 0.8",
        f"{BATCH / taken['hub']:,.0f} / {BATCH / taken['library']:,.0f} evaluations/s",
    )  # fmt: skip


def sets() -> Iterator[Measured]:
    """The set of a million values: how large, how long to make and to read."""
    outputs = [os.urandom(64) for _ in range(VALUES)]
    started = time.process_time()
    raw, _ = precheck_set.encode(1, outputs)
    encoded = time.process_time()
    held = precheck_set.DownloadedSet(raw)
    decoded = time.process_time()
    found = sum(one in held for one in outputs[:50_000])
    looked = time.process_time()
    assert found == 50_000
    yield Measured(
        "pre-check: a set of 1,000,000 values", "", len(raw) * 8 / VALUES, "",
        f"{len(raw) / 1e6:.2f} MB; made in {encoded - started:.1f} s, read in {decoded - encoded:.1f} s,"
        f" {(looked - decoded) / 50_000 * 1e6:.0f} µs a look-up", " bits a value",
    )  # fmt: skip


def _evaluated(evaluator: ristretto.Evaluator, elements: Sequence[bytes]) -> None:
    """What the library takes from the bytes of a batch to those of its answer."""
    evaluator.evaluate_batch([ristretto.BlindedInput.deserialize(one) for one in elements]).serialize()


def _posted(client: Client, body: bytes) -> None:
    answer = client.post("/api/v1/precheck/evaluations", body)
    assert answer.status == 200, bytes(answer.body)
