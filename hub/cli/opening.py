"""How a command opens the hub."""

from __future__ import annotations

import click

from hub.factory import Hub, assemble
from hub.settings import Settings, load


def open_hub(settings: Settings | None = None) -> Hub:
    """The hub of ``settings``, or of the environment; its connections are closed when the command ends."""
    hub = assemble(settings or load())
    click.get_current_context().call_on_close(hub.database.close)
    return hub
