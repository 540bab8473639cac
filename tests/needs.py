"""Programs of the machine that tests need; where one is missing they say so and are skipped, or fail in CI."""

from __future__ import annotations

import os
import shutil

import pytest


def program(name: str, what: str) -> str:
    """The path of the program ``name``."""
    path = shutil.which(name)
    if path is not None:
        return path
    reason = f"these tests need {what} ({name}): as root on Debian, make test installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
