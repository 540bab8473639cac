"""The ``hub`` command as its users run it: in a process of its own, or at once in this one."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hub.cli import main

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


class Commands:
    """``hub`` with one database and data folder; ``environment`` adds or replaces HUB_* variables."""

    def __init__(self, database_url: str, data_dir: Path, **environment: str) -> None:
        self.environment = {"HUB_DATABASE_URL": database_url, "HUB_DATA_DIR": str(data_dir), **environment}

    @property
    def whole_environment(self) -> dict[str, str]:
        """This process's environment with the hub's own variables."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        return others | self.environment

    def __call__(self, *arguments: str | Path, code: int = 0) -> Ended:
        """Run ``hub`` within this process, which saves its start; ``code`` is the exit code to expect."""
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, self.whole_environment, clear=True),
            patch.object(sys, "argv", ["hub", *map(str, arguments)]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main()
                ended = 0
            except SystemExit as stopped:
                ended = stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
        return _expected(Ended(ended, out.getvalue(), err.getvalue()), arguments, code)

    def apart(self, *arguments: str | Path, code: int = 0) -> Ended:
        """Run ``hub`` in a process of its own."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.whole_environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return _expected(Ended(done.returncode, done.stdout, done.stderr), arguments, code)

    def start(self, *arguments: str | Path, **more: Any) -> subprocess.Popen[bytes]:
        """Start ``hub`` in a process of its own, to be ended by the caller."""
        return subprocess.Popen(self.command(*arguments), env=self.whole_environment, cwd=ROOT, **more)

    @staticmethod
    def command(*arguments: str | Path) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "hub.cli", *map(str, arguments)]


def _expected(ended: Ended, arguments: tuple[str | Path, ...], code: int) -> Ended:
    assert ended.code == code, f"hub {' '.join(map(str, arguments))}: {ended.code}\n{ended.out}\n{ended.err}"
    return ended
