"""The demonstration's credentials, kept so that each start can show them again.

The hub itself keeps a token's hash only. Those of the demonstration lie in ``<data_dir>/demo-credentials.json``,
readable by its owner alone; no other member's token is ever written anywhere.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from hub.errors import InvalidInput

FILE_NAME = "demo-credentials.json"


@dataclass(frozen=True, slots=True)
class DemoCredential:
    """User name and token of one member."""

    username: str
    token: str


def read(folder: Path) -> dict[str, DemoCredential]:
    """The credentials by member's name, empty at the first start. Raises InvalidInput for a damaged file."""
    path = folder / FILE_NAME
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_bytes())
        return {name: DemoCredential(**credential) for name, credential in found.items()}
    except (ValueError, TypeError, AttributeError):
        raise InvalidInput(
            "these are not the demonstration's credentials",
            where=str(path),
            advice="Remove the file: the next start issues new ones.",
        ) from None


def write(folder: Path, credentials: dict[str, DemoCredential]) -> None:
    """Replace the file in one step; it is never readable by others, not even for a moment."""
    fresh = folder / f".{FILE_NAME}.{os.getpid()}"
    content = json.dumps({name: asdict(one) for name, one in credentials.items()}, indent=2)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content + "\n")
    fresh.replace(folder / FILE_NAME)
