"""nginx as the measure of static bytes: one worker, files, keep-alive."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.server import free_port, running

CONFIGURATION = """
daemon off; worker_processes 1; pid {run}/nginx.pid; error_log {run}/error.log; {user}
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; default_type application/json;
  client_body_temp_path {run}/a; proxy_temp_path {run}/b; fastcgi_temp_path {run}/c;
  uwsgi_temp_path {run}/d; scgi_temp_path {run}/e;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


def program() -> str | None:
    """nginx, installed first where that is possible; None where it is not."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "--yes", "--no-install-recommends", "nginx-light"]
        subprocess.run(["apt-get", "update"], capture_output=True, check=False)
        subprocess.run(
            install, capture_output=True, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        )
        found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    return found


@contextmanager
def serving(root: Path) -> Iterator[int]:
    """nginx over the files of ``root``; gives the port."""
    nginx = program()
    assert nginx is not None
    with tempfile.TemporaryDirectory() as run:
        port = free_port()
        configuration = Path(run) / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        configuration.write_text(CONFIGURATION.format(run=run, root=root, port=port, user=user))
        with running([nginx, "-c", str(configuration), "-p", run], port, {}, Path(run) / "nginx.log"):
            yield port
