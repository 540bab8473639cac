"""Building the sets of the pre-check: one for each audience, published as a new version where its content changed."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.checks.precheck import keys as precheck_keys
from hub.checks.precheck import sets as precheck_set
from hub.checks.precheck.keys import THE_HUB, open_key
from hub.checks.precheck.records import PrecheckEpoch, PrecheckOutput, PrecheckSet
from hub.checks.precheck.values import Audience, FiledValues, KnownValues, function_input
from hub.clock import SECOND
from hub.db import Database
from hub.db.bulk import chunks, insert_rows
from hub.db.database import lock_appends
from hub.ledger import classes
from hub.sealing import Vault

VALUE_KEY = "precheck-value"
VALUE_KEY_BYTES = 16
# A build of a million new values takes a minute; a builder that died is waited for so long.
LEASE = 900 * SECOND


@dataclass(frozen=True, slots=True)
class Built:
    """What one run did: versions published, sets left as they were, values worked out anew."""

    published: int
    unchanged: int
    evaluated: int


class Builder:
    """Builds the sets of every epoch in use. ``known`` gives the ledger's values."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        filed: FiledValues,
        known: KnownValues,
        superseded_seconds: int,
    ) -> None:
        self._database = database
        self._vault = vault
        self._filed = filed
        self._known = known
        self._superseded = superseded_seconds * SECOND

    def run(self, rest_seconds: float = 0) -> Built:
        """Build what changed; no worker builds again for ``rest_seconds``. Does nothing while another one builds."""
        with self._database.unit_of_work() as session:
            precheck_keys.ensure_first(session, self._vault)
            numbers = [epoch.number for epoch in precheck_keys.epochs(session) if _claimed(epoch)]
        published = unchanged = evaluated = 0
        try:
            if numbers:
                inputs = self._inputs()
            for number in numbers:
                outputs, fresh = self._outputs(number, inputs)
                evaluated += fresh
                changed = self._changed(number, outputs)
                unchanged += len(outputs) - len(changed)
                published += len(changed)
        finally:
            self._release(numbers, rest_seconds)
        return Built(published, unchanged, evaluated)

    def _inputs(self) -> dict[Audience, set[bytes]]:
        """The function's inputs of each audience, without what nobody is told of."""
        found: dict[Audience, set[bytes]] = {}
        of_ledger: dict[tuple[int, classes.Audience], set[bytes]] = {}
        with self._database.reading() as session:
            never = self._filed.of_victims(session)
            for audience, kind, text in self._filed.live(session):
                found.setdefault(audience, set()).add(function_input(kind, text))
            for collection_no, readers, kind, text in self._known(session):
                of_ledger.setdefault((collection_no, readers), set()).add(function_input(kind, text))
        with self._database.unit_of_work() as session:
            lock_appends(session)
            for (collection_no, readers), inputs in of_ledger.items():
                found[Audience(collection_no, classes.class_id(session, readers))] = inputs
        return {audience: inputs - never for audience, inputs in found.items()}

    def _outputs(self, number: int, inputs: dict[Audience, set[bytes]]) -> tuple[dict[Audience, list[bytes]], int]:
        """The function's outputs of each audience, and how many had to be worked out; forgets what is gone."""
        secret = self._vault.derive(VALUE_KEY)
        keys = {
            text: hmac.digest(secret, text, "sha256")[:VALUE_KEY_BYTES] for text in set().union(*inputs.values(), ())
        }
        with self._database.reading() as session:
            rows = session.execute(
                select(PrecheckOutput.value_key, PrecheckOutput.output).where(PrecheckOutput.epoch == number)
            )
            outputs: dict[bytes, bytes] = {row.value_key: row.output for row in rows}
            before = {
                Audience(collection_no, class_id)
                for collection_no, class_id in session.execute(
                    select(PrecheckSet.collection_no, PrecheckSet.class_id).where(
                        PrecheckSet.epoch == number, PrecheckSet.superseded_at.is_(None)
                    )
                )
            }
        key = open_key(self._vault, number)
        fresh = {value_key: key.output(text) for text, value_key in keys.items() if value_key not in outputs}
        self._remember(number, fresh, outputs.keys() - set(keys.values()))
        outputs |= fresh
        # An audience that has nothing left keeps a set, of nothing but padding.
        by_audience = {audience: [outputs[keys[text]] for text in found] for audience, found in inputs.items()}
        return {**{audience: [] for audience in before}, **by_audience}, len(fresh)

    def _remember(self, number: int, fresh: dict[bytes, bytes], gone: Iterable[bytes]) -> None:
        with self._database.unit_of_work() as session:
            for chunk in chunks(sorted(gone)):
                session.execute(
                    delete(PrecheckOutput).where(PrecheckOutput.epoch == number, PrecheckOutput.value_key.in_(chunk))
                )
            if fresh:
                rows = [{"epoch": number, "value_key": key, "output": output} for key, output in fresh.items()]
                insert_rows(session, PrecheckOutput, rows)

    def _changed(self, number: int, outputs: dict[Audience, list[bytes]]) -> list[PrecheckSet]:
        """Publish a new version for each audience whose content is another one than before."""
        with self._database.reading() as session:
            present = {one.content for one in session.scalars(_current(number))}
        drafts = []
        for audience, found in outputs.items():
            content = _content(audience, found)
            if content not in present:
                body, entries = precheck_set.encode(number, found)
                drafts.append(
                    PrecheckSet(
                        version=secrets.token_hex(16), epoch=number, collection_no=audience.collection_no,
                        class_id=audience.class_id, content=content, entries=entries, size=len(body),
                        sha256=hashlib.sha256(body).digest(), body=body, published_at=clock.micros(),
                        superseded_at=None,
                    )
                )  # fmt: skip
        with self._database.unit_of_work() as session:
            lock_appends(session)
            now = clock.micros()
            replaced = {(one.collection_no, one.class_id) for one in drafts}
            for old in session.scalars(_current(number)):
                if (old.collection_no, old.class_id) in replaced:
                    old.superseded_at = now
            session.flush()
            session.add_all(drafts)
            session.execute(delete(PrecheckSet).where(PrecheckSet.superseded_at < now - self._superseded))
            session.flush()
            for one in drafts:
                _record_published(session, one)
        return drafts

    def _release(self, numbers: Iterable[int], rest_seconds: float) -> None:
        with self._database.unit_of_work() as session:
            for number in numbers:
                session.get_one(PrecheckEpoch, number).building_until = clock.micros() + int(rest_seconds * SECOND)


def _claimed(epoch: PrecheckEpoch) -> bool:
    now = clock.micros()
    if epoch.building_until > now:
        return False
    epoch.building_until = now + LEASE
    return True


def _current(number: int) -> Select[PrecheckSet]:
    return select(PrecheckSet).where(PrecheckSet.epoch == number, PrecheckSet.superseded_at.is_(None))


def _content(audience: Audience, outputs: Iterable[bytes]) -> bytes:
    """A digest that is the same exactly for the same audience and values."""
    digest = hashlib.sha256(repr(tuple(audience)).encode())
    for output in sorted(outputs):
        digest.update(output)
    return digest.digest()


def _record_published(session: Session, one: PrecheckSet) -> None:
    after = {"epoch": one.epoch, "entries": one.entries, "class": one.class_id, "collection": one.collection_no}
    record(session, THE_HUB, "precheck-set:publish", one.version, after=after, why="what is known has changed")
