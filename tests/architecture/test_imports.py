"""The arrows between the rooms of the house stay as `.importlinter` draws them."""

from __future__ import annotations

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The rooms that may know Flask; the contract has to name every other one.
ABOVE_FLASK = {"cli", "factory", "taxii", "api", "console", "web"}


def test_the_import_contracts_are_kept() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_room_below_the_web_is_kept_from_flask() -> None:
    contract = ConfigParser()
    contract.read(ROOT / ".importlinter")
    guarded = set(contract["importlinter:contract:flask"]["source_modules"].split())
    rooms = {path.parent if path.name == "__init__.py" else path for path in _modules()}
    assert guarded == {f"hub.{room.stem}" for room in rooms if room.stem not in ABOVE_FLASK}


def _modules() -> list[Path]:
    """Each module and package that stands directly in hub/."""
    hub = ROOT / "hub"
    return [path for path in (*hub.glob("*.py"), *hub.glob("*/__init__.py")) if path != hub / "__init__.py"]
