"""The application behind gunicorn, which shows it the certificate of each connection's client.

Hands are shaken beside all threads, so that a stranger holds none. Requests are read by many threads, so that slow
members wait among themselves; at most ``server.threads`` of a process are in the application at once, as everywhere.
"""

from __future__ import annotations

import errno
import ssl
import time
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE
from socket import SHUT_RDWR, SHUT_WR, socket
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.http import errors, get_parser
from gunicorn.sock import ssl_wrap_socket
from gunicorn.workers.gthread import TConn, ThreadWorker

from hub.factory.served import create_served_app
from hub.web.proxies import CONNECTION_CERTIFICATE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Threads that read and write connections, in each process.
CONNECTION_THREADS = 64
CONNECTIONS = 512
# How long one step of a client may take: from connecting to its first request, or to the next bytes of a request.
STEP_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 30
# Requests that are under way when the server is told to stop have this long.
STOPS_IN = 20
# A client that is told that the connection ends has this long to end it too.
PARTING_SECONDS = 2.0
STEP_BYTES = 64 * 1024
STATUS_OF = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
}


class PatientSocket(ssl.SSLSocket):
    """A connection that waits ``STEP_SECONDS`` where it would wait for ever, and is then as good as reset."""

    def settimeout(self, value: float | None) -> None:
        """Wait at most ``value`` seconds for each step; None: ``STEP_SECONDS``."""
        super().settimeout(STEP_SECONDS if value is None else value)

    def setblocking(self, flag: bool) -> None:
        """Wait for each step, or not at all."""
        self.settimeout(None if flag else 0.0)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """What has arrived. Raises ConnectionResetError where nothing does."""
        received: bytes = _in_time(super().recv, buflen, flags)
        return received

    def send(self, *given: Any) -> int:
        """Send a piece. Raises ConnectionResetError where the client takes nothing."""
        sent: int = _in_time(super().send, *given)
        return sent

    def part(self) -> None:
        """End the connection so that the client still gets its answer: a reset, for what it sent in vain, loses it."""
        until = time.monotonic() + PARTING_SECONDS
        try:
            self.shutdown(SHUT_WR)
            while (left := until - time.monotonic()) > 0:
                self.settimeout(left)
                if not self.recv(STEP_BYTES):
                    break
            self.shutdown(SHUT_RDWR)
        except OSError:
            return  # gone already


def _in_time(step: Callable[..., Any], *given: Any) -> Any:
    try:
        return step(*given)
    except TimeoutError:
        raise ConnectionResetError(errno.ECONNRESET, "the client was too slow") from None


class CertifiedApplication:
    """A WSGI application that finds each connection's certificate under ``CONNECTION_CERTIFICATE``."""

    def __init__(self, application: WSGIApplication, threads: int) -> None:
        self._application = application
        self._turns = BoundedSemaphore(threads)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        environ[CONNECTION_CERTIFICATE] = environ["gunicorn.socket"].getpeercert(binary_form=True)
        environ["wsgi.input"] = _Body(environ["wsgi.input"])

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            if ("Connection", "close") in headers:
                start_response.__self__.force_close()  # type: ignore[attr-defined] # gunicorn's; it heeds no header
            return start_response(status, headers, *error)

        with self._turns:
            return self._application(environ, start)


class _Body:
    """A request's body; what is no body raises OSError, as a broken connection does."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        try:
            received: bytes = self._body.read(size)
        except errors.ParseException as error:
            raise OSError(str(error)) from None
        return received


class _Worker(ThreadWorker):  # type: ignore[misc] # gunicorn ships no types
    """A web process."""

    def enqueue_req(self, conn: TConn) -> None:
        """Called by gunicorn for a connection that has sent something, and for each new one, whose hand is shaken."""
        if conn.initialized:
            super().enqueue_req(conn)
            return
        conn.initialized = True
        try:
            conn.sock = ssl_wrap_socket(conn.sock, self.cfg)
        except (OSError, ValueError):
            self.nr_conns -= 1
            conn.close()
            return
        conn.parser = get_parser(self.cfg, conn.sock, conn.client)
        conn.timeout = time.monotonic() + STEP_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._shake_hands, conn))

    def _shake_hands(self, conn: TConn, _socket: socket) -> None:
        wanted, then = EVENT_READ, self._shake_hands
        try:
            conn.sock.do_handshake()
            then = self.on_pending_socket_readable
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLWantWriteError:
            wanted = EVENT_WRITE
        except OSError as error:
            self.log.debug("No TLS connection with %s: %s", conn.client, error)
            self.poller.unregister(conn.sock)
            self.pending_conns.remove(conn)
            self.nr_conns -= 1
            conn.close()
            return
        self.poller.modify(conn.sock, wanted, partial(then, conn))

    def handle(self, conn: TConn) -> object:
        """Called by gunicorn in a thread, for one request."""
        kept = super().handle(conn)
        if kept is False:
            conn.sock.part()  # here: gunicorn would wait for the client in the thread that accepts
        return kept

    def handle_error(self, _request: object, client: socket, addr: object, exc: BaseException) -> None:
        """Called by gunicorn: what is no request is answered by a status alone, what is no TLS not at all."""
        if isinstance(exc, ssl.SSLError):
            self.log.debug("No more TLS with %s: %s", addr, exc)
            return
        if isinstance(exc, errors.ParseException):
            status = STATUS_OF.get(type(exc), HTTPStatus.BAD_REQUEST)
        else:
            self.log.error("A request failed", exc_info=exc)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        answer = f"HTTP/1.1 {status} {status.phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        try:
            client.sendall(answer.encode())
        except OSError:
            self.log.debug("%s has gone before it could be answered", addr)


class CertifiedServer(BaseApplication):  # type: ignore[misc] # gunicorn ships no types
    """Gunicorn as the hub runs it: nothing is read from its files or variables, and no proxy is believed."""

    def __init__(self, address: str, *, workers: int, threads: int, cert: Path, context: ssl.SSLContext) -> None:
        """``address`` is ADDRESS:PORT; ``context`` has loaded ``cert`` and asks clients for theirs."""
        context.sslsocket_class = PatientSocket
        self._threads = threads
        self._chosen: dict[str, Any] = {
            "bind": address,
            "workers": workers,
            "worker_class": _Worker,
            "threads": CONNECTION_THREADS,
            "worker_connections": CONNECTIONS,
            "backlog": 1024,
            "keepalive": KEEP_ALIVE_SECONDS,
            "graceful_timeout": STOPS_IN,
            "certfile": str(cert),  # only so that gunicorn sees that there is one
            "ssl_context": lambda _config, _default: context,
            "limit_request_line": 8190,
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn."""
        for name, value in self._chosen.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """Called by gunicorn in each web process."""
        return CertifiedApplication(create_served_app(), self._threads)
