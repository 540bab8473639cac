"""What the composition root hands to the edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from hub.checks.filings.parts import Desk
from hub.checks.kept.mentions import Mentioned
from hub.checks.searching.checking import Checks
from hub.db import Database
from hub.feeds.quarantine import Quarantine
from hub.ledger.append import Log
from hub.ledger.disclosures import Disclosures
from hub.ledger.positions import Positions
from hub.ledger.views import Views
from hub.members.key_use import KeyUses
from hub.provenance.keys import Signer
from hub.sealing import Vault
from hub.settings import Settings
from hub.web.limits import RateLimits
from hub.web.page_cache import PageCache
from hub.web.proxies import Proxies

EXTENSION = "hub"


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one web process."""

    settings: Settings
    database: Database
    views: Views
    vault: Vault
    log: Log
    signer: Signer
    view_signer: Signer
    hub_ref: str
    namespace: UUID
    # Puts a member's shown identity into the collections that refer to it.
    publish_identity: Callable[[Session, dict[str, Any]], None]
    # Puts into a new collection, by its number, what the hub's objects refer to.
    prepare_collection: Callable[[Session, int], None]
    # What decides of held values; made at its first use, since most web processes never need it.
    quarantine: Callable[[], Quarantine]
    # What filings are worked on with; made at its first use, as the quarantine is.
    filings: Callable[[], Desk]
    positions: Positions
    disclosures: Disclosures
    key_uses: KeyUses
    pages: PageCache
    limits: RateLimits
    proxies: Proxies
    checks: Checks
    # Who named an identifier beside filings, for subject access.
    mentioned: Mentioned

    def close(self) -> None:
        """Write what waits to be written, and close every connection."""
        self.disclosures.close()
        self.key_uses.close()
        self.limits.close()
        self.database.close()


def services() -> Services:
    """The parts of the application that serves this request."""
    found: Services = current_app.extensions[EXTENSION]
    return found
