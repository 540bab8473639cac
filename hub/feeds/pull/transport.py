"""HTTP with bounds: no upstream can make a pull hang or fill the memory."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from hub.errors import TooLarge, Unavailable

CHUNK = 65_536
CONNECT_SECONDS = 10
MOST_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one pull may take: bytes of one answer, seconds of one answer, answers in all."""

    answer_bytes: int
    answer_seconds: float
    answers: int


class _Connections:
    """The open connections of a session, to be closed from outside when the time of a request is over, wherever it
    waits: a server that sends a byte now and then would else hold its reader for good.
    """

    def __init__(self) -> None:
        self.are_closed = False
        self._open: WeakSet[socket.socket] = WeakSet()

    def opened(self, connection: socket.socket) -> None:
        """Note a new connection."""
        self._open.add(connection)
        if self.are_closed:
            _shut(connection)

    def close(self) -> None:
        """End whatever is read from them."""
        self.are_closed = True
        for connection in list(self._open):
            _shut(connection)

    def pool(self, pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
        """``pool`` with connections that are noted here."""
        noted = self.opened

        class Noted(pool.ConnectionCls):  # type: ignore[name-defined,misc]  # its class is an attribute
            def _new_conn(self) -> socket.socket:
                made: socket.socket = super()._new_conn()
                noted(made)
                return made

            def connect(self) -> None:
                super().connect()
                noted(self.sock)  # under TLS another one than before

        return type("NotedPool", (pool,), {"ConnectionCls": Noted})


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Not an SSLSocket's own, which takes the session away from under the thread that reads.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class BoundedAdapter(HTTPAdapter):
    """Reads each answer itself, up to a size and a time."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__()
        self._bounds = bounds
        self._connections = _Connections()
        self.poolmanager.pool_classes_by_scheme = {
            "http": self._connections.pool(HTTPConnectionPool),
            "https": self._connections.pool(HTTPSConnectionPool),
        }

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 (always streamed: that is the point)
        timeout: Any = None,  # noqa: ARG002 (the bounds decide)
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send ``request``. Raises TooLarge and Unavailable where the answer is over its bounds."""
        most = self._bounds.answer_seconds
        late = Unavailable(f"the answer took longer than {most:g} seconds", where=request.url)
        timer = threading.Timer(most, self._connections.close)
        timer.daemon = True
        timer.start()
        try:
            response = super().send(
                request, stream=True, timeout=(min(CONNECT_SECONDS, most), most), verify=verify, cert=cert,
                proxies=proxies,
            )  # fmt: skip
            content = self._read(response, request.url)
        except RequestException:
            if self._connections.are_closed:
                raise late from None
            raise
        finally:
            timer.cancel()
        if self._connections.are_closed:  # which may look like the end of the answer
            raise late
        response._content = content  # what requests itself keeps after reading
        return response

    def _read(self, response: requests.Response, url: str | None) -> bytes:
        content = bytearray()
        for chunk in response.iter_content(CHUNK):
            content += chunk
            if len(content) > self._bounds.answer_bytes:
                response.close()
                raise TooLarge(f"the answer is larger than {self._bounds.answer_bytes} bytes", where=url)
        return bytes(content)


def bounded_session(bounds: Bounds, auth: tuple[str, str] | None = None) -> requests.Session:
    """A session whose answers are bounded. It takes nothing from the environment: no proxy, no .netrc."""
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = MOST_REDIRECTS
    session.auth = auth
    session.headers["User-Agent"] = "fraud-threat-hub"
    adapter = BoundedAdapter(bounds)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
