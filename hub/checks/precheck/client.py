"""The member's side of the private pre-check: no value, and nothing that could be tried out, leaves this process.

Works with any hub; ``hub precheck`` is its command. What it sends are blinded values only, and what comes back
counts only with a proof for a public key that was pinned.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from hub.checks.filings.gateways import Basis
from hub.checks.precheck.sets import DownloadedSet
from hub.checks.precheck.values import KINDS, function_input
from hub.checks.precheck.voprf import Blinded, Evaluated
from hub.checks.subjects import SubjectKind, canonical_subject
from hub.errors import HubError, IntegrityFailure, InvalidInput, NotPermitted, Unauthenticated, Unavailable
from hub.stix.values import detect

ANSWERS_IN = (10.0, 120.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """A value of the member's file; ``line`` counts from 1."""

    line: int
    kind: str
    value: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that holds no value that could be asked."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a pre-check found. ``matches``: values with the versions of the sets that hold them."""

    epoch: int
    public_key: str
    evaluated: int
    matches: list[tuple[Asked, list[str]]]


def read_values(content: str, kind: str | None = None) -> tuple[list[Asked], list[Unreadable]]:
    """The values of a file: one a line, or CSV with the columns kind and value.

    A line without a kind is of ``kind``, else of the kind that it shows by itself.
    """
    asked, unreadable = [], []
    for line, named, raw in _lines(content):
        try:
            asked.append(_asked(line, named or kind, raw))
        except InvalidInput as error:
            unreadable.append(Unreadable(line, error.message))
    return asked, unreadable


class PrecheckClient:
    """One hub, as a member talks to it. ``pinned``: the public keys (base64url) that are trusted.

    ``basis``: what the values are asked for, and on which law; the hub keeps both with the count.
    """

    def __init__(self, url: str, session: requests.Session, pinned: Sequence[str], basis: Basis) -> None:
        if not url.startswith(("https://", "http://")):
            raise InvalidInput("must begin with https:// or http://", where="--url")
        self._base = f"{url.rstrip('/')}/api/v1/precheck"
        self._session = session
        self._pinned = set(pinned)
        self._basis = {"purpose": basis.purpose.value, "legal_gateway": basis.gateway.value}

    def run(self, asked: Sequence[Asked]) -> Found:
        """Pre-check ``asked``.

        Raises IntegrityFailure where the hub's key is not a pinned one or a proof fails, Unavailable where it does not
        answer as documented.
        """
        try:
            return self._run(asked)
        except (KeyError, TypeError, AttributeError) as error:
            raise Unavailable(f"the hub's answer is not as documented ({error})", where=self._base) from None

    def _run(self, asked: Sequence[Asked]) -> Found:
        parameters = self._json("GET", "")
        epoch, public_key = self._trusted(parameters)
        sets = {one["version"]: self._set(one, epoch) for one in parameters["sets"] if one["epoch"] == epoch}
        texts = list(dict.fromkeys(one.text for one in asked))
        outputs: dict[bytes, bytes] = {}
        size = int(parameters["max_batch"])
        for start in range(0, len(texts), size):
            batch = texts[start : start + size]
            outputs |= dict(zip(batch, self._evaluated(batch, epoch, public_key), strict=True))
        matches = []
        for one in asked:
            versions = [version for version, held in sets.items() if outputs[one.text] in held]
            if versions:
                matches.append((one, versions))
        return Found(epoch, public_key, len(texts), matches)

    def _trusted(self, parameters: dict[str, Any]) -> tuple[int, str]:
        """The newest epoch with a pinned key that has sets, else the newest with a pinned key."""
        with_sets = {one["epoch"] for one in parameters["sets"]}
        trusted = [one for one in parameters["epochs"] if one["public_key"] in self._pinned]
        if not trusted:
            named = ", ".join(f"{one['epoch']}: {one['public_key']}" for one in parameters["epochs"])
            raise IntegrityFailure(
                f"none of the hub's keys is a pinned one ({named})",
                advice="Compare them with what the hub tells you on another way, then give one with --key.",
            )
        best = next((one for one in trusted if one["epoch"] in with_sets), trusted[0])
        return best["epoch"], best["public_key"]

    def _evaluated(self, batch: Sequence[bytes], epoch: int, public_key: str) -> list[bytes]:
        blinded = Blinded(batch)
        body = {"epoch": epoch, **self._basis, "blinded": [_text(one) for one in blinded.elements]}
        answer = self._json("POST", "/evaluations", json=body)
        evaluated = Evaluated([_bytes(one) for one in answer["evaluated"]], _bytes(answer["proof"]))
        return blinded.outputs(evaluated, _bytes(public_key))

    def _set(self, described: dict[str, Any], epoch: int) -> DownloadedSet:
        raw = self._asked("GET", f"/sets/{described['version']}").content
        if hashlib.sha256(raw).hexdigest() != described["sha256"]:
            raise IntegrityFailure("a set is not the one that the hub has announced", where=described["version"])
        held = DownloadedSet(raw)
        if held.epoch != epoch:
            raise IntegrityFailure("a set is of another key epoch than announced", where=described["version"])
        return held

    def _json(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        answer = self._asked(method, path, **more)
        try:
            found: dict[str, Any] = answer.json()
        except ValueError:
            raise Unavailable("the hub's answer is no JSON", where=answer.url) from None
        return found

    def _asked(self, method: str, path: str, **more: Any) -> requests.Response:
        try:
            answer = self._session.request(method, self._base + path, timeout=ANSWERS_IN, allow_redirects=False, **more)
        except requests.RequestException as error:
            raise Unavailable(f"the hub cannot be reached: {type(error).__name__}", where=self._base) from None
        if answer.status_code != 200:
            raise _refusal(answer)
        return answer


def _refusal(answer: requests.Response) -> HubError:
    try:
        problem = answer.json()
        said = f"{problem.get('detail') or problem.get('title')}"
    except (ValueError, AttributeError):
        said = f"status {answer.status_code}"
    kinds: dict[int, type[HubError]] = {401: Unauthenticated, 403: NotPermitted}
    return kinds.get(answer.status_code, Unavailable)(f"the hub answers: {said}", where=answer.url)


def _lines(content: str) -> Iterator[tuple[int, str | None, str]]:
    """(line, kind, value) of each line that is not empty."""
    first = content.lstrip("\ufeff").split("\n", 1)[0]
    if {column.strip().strip('"').lower() for column in first.split(",")} >= {"value"}:
        rows = csv.DictReader(io.StringIO(content.lstrip("\ufeff")))
        rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
        for row in rows:
            yield rows.line_num, (row.get("kind") or "").strip() or None, row.get("value") or ""
        return
    for line, raw in enumerate(content.lstrip("\ufeff").splitlines(), 1):
        if raw.strip():
            yield line, None, raw.strip()


def _asked(line: int, kind: str | None, raw: str) -> Asked:
    if kind is None:
        found = detect(raw)
        named, text = found.kind.value, found.text
    else:
        if kind not in KINDS:
            raise InvalidInput(f"{kind!r} is not pre-checked", where="kind")
        subject = canonical_subject(SubjectKind(kind), raw)
        named, text = subject.kind.value, subject.text
    if named not in KINDS:
        raise InvalidInput(f"{named} is not pre-checked", where="kind")
    return Asked(line, named, raw.strip(), function_input(named, text))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, TypeError):
        raise IntegrityFailure("the hub's answer holds no base64url where it should") from None
