"""The web server of ``hub serve``.

Granian, which is the fastest; but it keeps the certificates of its clients to itself, in every interface that it has.
Where certificates stand for credentials it is gunicorn, whose applications can ask the connection. Cheroot would show
them too, but shakes hands in the thread that accepts, where one silent client holds up all others.
"""

from __future__ import annotations

import gc
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import InvalidInput

LARGEST_PORT = 65535
# Of TLS 1.2 those suites that RFC 7540 appendix A does not refuse; those of TLS 1.3 are all good.
SUITES_OF_TLS_12 = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True, slots=True)
class Tls:
    """The files that the hub serves TLS with, and what they make."""

    cert: Path
    key: Path
    client_ca: Path | None
    context: ssl.SSLContext


def tls(cert: Path | None, key: Path | None, client_ca: Path | None) -> Tls | None:
    """TLS 1.2 or later by these PEM files; None without any. Raises InvalidInput unless they are what they should be.

    With ``client_ca`` every client must show a certificate of that authority, which need not be a root.
    """
    if cert is None or key is None:
        if cert or key or client_ca:
            raise InvalidInput("--tls-cert and --tls-key go together, --client-ca goes with both")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES_OF_TLS_12)
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(cert, key)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    except (OSError, ssl.SSLError) as error:
        raise InvalidInput(f"the TLS certificate, key or authority cannot be used: {error}") from None
    return Tls(cert, key, client_ca, context)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the hub listens."""

    host: str
    port: int


def place(address: str) -> Place:
    """Where ADDRESS:PORT is. Raises InvalidInput where nobody can listen there, or somebody does already.

    The web processes listen side by side (SO_REUSEPORT), so a second hub would else start on the same port, and each
    would get some of the other's requests.
    """
    host, _, port = address.rpartition(":")
    found = Place(host.strip("[]"), int(port) if port.isascii() and port.isdigit() else -1)
    try:
        if not host or not 0 <= found.port <= LARGEST_PORT:
            raise OSError("it is written ADDRESS:PORT, with a port up to 65535")
        family, kind, protocol, _, where = socket.getaddrinfo(found.host, found.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except (OSError, UnicodeError) as error:
        raise InvalidInput(f"cannot listen on {address!r}: {error}", where="--bind") from None
    return found


def run(at: Place, *, workers: int, threads: int, secured: Tls | None) -> None:
    """Serve until SIGTERM. The web processes are forked from this one, which shares its imports."""
    if secured is not None and secured.client_ca is not None:
        from hub.factory.certified import CertifiedServer  # noqa: PLC0415 (no other command needs the server, or the web)

        shown = f"[{at.host}]:{at.port}" if ":" in at.host else f"{at.host}:{at.port}"
        context = secured.context
        CertifiedServer(shown, workers=workers, threads=threads, cert=secured.cert, context=context).run()
        return
    from granian import Granian  # noqa: PLC0415 (as above)
    from granian.constants import Interfaces  # noqa: PLC0415 (as above)

    from hub.factory import served  # noqa: PLC0415 (as above)

    gc.freeze()  # the imports: the processes that are forked share them, and none looks for garbage among them
    Granian(
        f"{served.__name__}:{served.create_served_app.__name__}",
        factory=True,
        address=at.host,
        port=at.port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        backlog=1024,
        log_access=False,
        **_for_granian(secured),
    ).serve()


def _for_granian(secured: Tls | None) -> dict[str, Any]:
    from granian.constants import SSLProtocols  # noqa: PLC0415 (as above)

    if secured is None:
        return {}
    return {"ssl_cert": secured.cert, "ssl_key": secured.key, "ssl_protocol_min": SSLProtocols.tls12}
