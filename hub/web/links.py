"""Absolute URLs of the hub."""

from __future__ import annotations

import tomllib

from flask import request

from hub.settings import CONFIG_FOLDER
from hub.web.services import services

DEFAULT_BASE_URL: str = tomllib.loads((CONFIG_FOLDER / "default.toml").read_text())["base_url"]


def absolute(path: str) -> str:
    """``path`` (with its leading slash) as an absolute URL.

    Under the configured ``base_url``; where that was left at its default, under the host that the request
    named, so that clients which follow links come back the way they came.
    """
    configured = services().settings.base_url
    base = request.host_url.rstrip("/") if configured == DEFAULT_BASE_URL else configured
    return base + path
