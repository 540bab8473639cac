"""The application as a web process of ``hub serve`` runs it: it ends with the server that started it."""

from __future__ import annotations

import os
import threading
import time

from flask import Flask

from hub.factory.app import create_app

LOOKS_EVERY_SECONDS = 1.0


def create_served_app() -> Flask:
    """The application; its process ends soon after its parent is gone, even if that was killed.

    Without this a web process that has lost its server would keep the port and answer on.
    """
    threading.Thread(target=_end_with, args=(os.getppid(),), name="parent-watch", daemon=True).start()
    return create_app()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOKS_EVERY_SECONDS)
    os._exit(1)  # there is nobody left who could be told, or wait for what is under way
