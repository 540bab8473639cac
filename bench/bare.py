"""What the hub is measured against: Flask views that give ready bytes and do nothing else."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response

from bench.client import TAXII


def create_app() -> Flask:
    """One view for each file of the folder BENCH_BODIES, at the path /NAME."""
    # The same memory settings as the hub's own processes have (hub/factory/app.py).
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(-3, 32 << 20)
        libc.mallopt(-1, 256 << 20)
    app = Flask("bare", static_folder=None)
    for path in Path(os.environ["BENCH_BODIES"]).iterdir():
        app.add_url_rule(f"/{path.name}", path.name, _view(path.read_bytes()))
    return app


def _view(body: bytes) -> Callable[[], Response]:
    def view() -> Response:
        return Response(body, content_type=TAXII)

    return view
