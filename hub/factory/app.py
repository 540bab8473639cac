"""The Flask application of one web process."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from flask import Flask

from hub import api, console, taxii
from hub.factory.checks import checking
from hub.factory.initial import add_references, publish_identity
from hub.factory.mentions import mentions
from hub.factory.parts import assemble
from hub.ledger.disclosures import Disclosures
from hub.ledger.positions import Positions
from hub.ledger.views import Views
from hub.members.key_use import KeyUses
from hub.settings import Settings, load
from hub.telemetry import configure_logging
from hub.web import bodies, browser, delivery, disclosing, errors, guard, health, metrics, wellknown
from hub.web.identity import Identities
from hub.web.limits import RateLimits
from hub.web.page_cache import PageCache
from hub.web.proxies import Proxies
from hub.web.services import EXTENSION, Services

# glibc gives large blocks back to the kernel at once and faults them in again for the next page; keeping them
# makes pages of 1,000 objects three times as fast.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
KEPT_BYTES = 256 * 1024 * 1024


class Application(Flask):
    """Flask without coroutines: it asks nine times in each request whether a function is one, and none is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The application, its settings read from the environment unless they are given."""
    hub = assemble(settings or load())
    configure_logging(hub.settings.log)
    _keep_freed_memory()
    app = Application("hub", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=hub.settings.server.max_body_bytes, PROVIDE_AUTOMATIC_OPTIONS=False)
    # A redirect could drop the credentials, or a POST: one path, one answer.
    app.url_map.merge_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined] # Flask's default provider has it
    views = Views(hub.database, hub.view_signer)
    proxies = Proxies(hub.settings.server)
    app.extensions[EXTENSION] = Services(
        settings=hub.settings,
        database=hub.database,
        views=views,
        vault=hub.vault,
        log=hub.log,
        signer=hub.signer,
        view_signer=hub.view_signer,
        hub_ref=hub.hub_ref,
        namespace=hub.namespace,
        publish_identity=partial(publish_identity, hub),
        prepare_collection=partial(add_references, hub),
        quarantine=cache(hub.quarantine),
        filings=cache(hub.filings),
        positions=Positions(hub.database, views),
        disclosures=Disclosures(hub.database),
        key_uses=KeyUses(hub.database),
        pages=PageCache(hub.settings.taxii.page_cache_bytes),
        limits=RateLimits(hub.settings.limits),
        proxies=proxies,
        checks=checking(hub, views),
        mentioned=mentions,
    )
    for room in (api, console, taxii, health, metrics, wellknown):
        room.install(app)
    browser.install(app)
    disclosing.install(app)  # before delivery, so that it runs after it: the last step is installed first
    bodies.install(app)
    delivery.install(app, https=hub.settings.base_url.startswith("https://"))
    errors.install(app)
    guard.install(app, Identities(hub.database, proxies, app.extensions[EXTENSION].key_uses.refuse))
    return app


def _keep_freed_memory() -> None:
    try:
        mallopt: Any = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # not glibc
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES // 8)
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
