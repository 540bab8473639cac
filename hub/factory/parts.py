"""The parts of one process, made from its settings."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlparse
from uuid import UUID

from sqlalchemy.orm import Session

from hub.checks.filings.parts import Desk
from hub.db import Database
from hub.errors import Unavailable
from hub.factory.filings import InboxFilings, filer_of, sighted_ref_of
from hub.feeds import sources
from hub.feeds.filed import FiledValues
from hub.feeds.intake import Intake
from hub.feeds.merge import Merger
from hub.feeds.pull.transport import Bounds
from hub.feeds.quarantine import Quarantine
from hub.feeds.schedule import Puller
from hub.feeds.sift import Rules
from hub.feeds.warninglists import WarningLists
from hub.ledger import collections
from hub.ledger.append import Log
from hub.members import membership
from hub.members.credentials import issuer
from hub.members.own_names import own_names
from hub.provenance.keys import FileSigner, Signer
from hub.sealing import Vault
from hub.settings import CONFIG_FOLDER, Settings
from hub.stix.ids import hub_id, hub_namespace

SIGHTINGS = "sightings"


@dataclass(frozen=True, slots=True)
class Hub:
    """What every process of the hub needs, web or worker or command."""

    settings: Settings
    database: Database
    vault: Vault
    signer: Signer
    view_signer: Signer
    log: Log
    namespace: UUID
    hub_ref: str

    def intake(self) -> Intake:
        """The intake. Raises Unavailable before ``hub init`` has prepared the database."""
        _collect_rarely()
        intake = self.settings.intake
        return Intake(
            database=self.database,
            vault=self.vault,
            merger=self.merger(),
            rules=self._rules(),
            filings=InboxFilings(self.database, self.filings()),
            batch=intake.batch,
            max_file_bytes=intake.max_file_bytes,
            lease_micros=int(intake.lease_seconds * 1_000_000),
            own_names=self._own_names,
        )

    def quarantine(self) -> Quarantine:
        """What decides of held values. Raises Unavailable before ``hub init`` has prepared the database."""
        return Quarantine(self.merger(), self._rules(), self._own_names)

    def filings(self) -> Desk:
        """What filings are worked on with. Raises Unavailable before ``hub init`` has prepared the database."""
        grade = self.settings.intake.default_grade
        return Desk(self.vault, FiledValues(self.merger(), self._rules(), grade, sighted_ref_of), filer_of, issuer)

    def merger(self) -> Merger:
        """What merges into the ledger. Raises Unavailable before ``hub init`` has prepared the database."""
        with self.database.reading() as session:
            sightings = collections.by_alias(session, SIGHTINGS)
            if sightings is None:
                raise Unavailable("the hub is not prepared", advice="Run: hub init")
            hub_source = sources.by_name(session, self.hub_ref)
        if hub_source is None:
            with self.database.unit_of_work() as session:
                hub_source = self.own_source(session)
        return Merger(self.log, self.namespace, self.hub_ref, hub_source.id, sightings.no)

    def _rules(self) -> Rules:
        publish_reserved = self.settings.intake.reserved == "publish"
        return Rules(publish_reserved=publish_reserved, warnings=_warnings(self.settings))

    def _own_names(self, session: Session) -> frozenset[str]:
        """The domains of the members, and the hub's own."""
        return own_names(session) | {urlparse(self.settings.base_url).hostname or ""}

    def puller(self) -> Puller:
        """What pulls the feeds."""
        pull = self.settings.pull
        bounds = Bounds(pull.answer_bytes, pull.answer_seconds, pull.answers)
        return Puller(self.intake(), bounds, membership.group_ids)

    def own_source(self, session: Session) -> sources.Contributor:
        """The hub as the source of what it says itself."""
        return sources.named(session, self.hub_ref, self.settings.intake.default_grade, sources.HUB)


def assemble(settings: Settings) -> Hub:
    """Open the database, the secret and the keys that ``settings`` names; keys are made at the first start."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    keys = settings.data_dir / "keys"
    vault = Vault.in_folder(keys)
    signer = FileSigner.read_or_create(keys / "hub-receipt.pem")
    namespace = hub_namespace(settings.base_url)
    return Hub(
        settings=settings,
        database=Database(settings.database_location, pool_size=settings.database.pool_size),
        vault=vault,
        signer=signer,
        view_signer=FileSigner.read_or_create(keys / "hub-view.pem"),
        log=Log(signer, vault.derive("source-commitment")),
        namespace=namespace,
        hub_ref=hub_id(namespace, "identity", "hub"),
    )


def _collect_rarely() -> None:
    """Let the garbage collector look less often in a process that takes things in.

    A batch makes some hundred thousand small objects that all live until it is written: looking among them
    every 700 finds nothing, and is an eighth of what the intake costs.
    """
    gc.set_threshold(50_000, 20, 50)


def _warnings(settings: Settings) -> WarningLists:
    """The warning lists of the settings; a relative folder stands beside ``config``."""
    folder = settings.intake.warninglists
    if not folder:
        return WarningLists()
    return _listed(CONFIG_FOLDER.parent / folder, tuple(settings.intake.warninglists_off))


@lru_cache(maxsize=1)
def _listed(folder: Path, switched_off: tuple[str, ...]) -> WarningLists:
    """The lists as a process reads them, once."""
    return WarningLists.in_folder(folder, switched_off)
