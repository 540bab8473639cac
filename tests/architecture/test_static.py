"""Linter, formatter and type checker find nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "command",
    ["ruff check", "ruff format --check", "mypy"],
    ids=["lint", "format", "types"],
)
def test_a_checker_has_nothing_to_say(command: str) -> None:
    command_line = [sys.executable, "-m", *command.split()]
    run = subprocess.run(command_line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{command}\n{run.stdout}{run.stderr}"
