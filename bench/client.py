"""A client that costs next to nothing: one kept-alive connection, one request at a time."""

from __future__ import annotations

import base64
import socket
from dataclasses import dataclass

TAXII = "application/taxii+json;version=2.1"
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, header block (lower case) and body of one answer."""

    status: int
    head: bytes
    body: memoryview

    def header(self, name: str) -> str | None:
        """The value of a header, None where it is absent."""
        for line in self.head.split(b"\r\n"):
            found, _, value = line.partition(b":")
            if found == name.lower().encode():
                return value.strip().decode()
        return None


class Client:
    """HTTP/1.1 over one connection to 127.0.0.1. ``body`` of an answer is good until the next request."""

    def __init__(self, port: int, credential: tuple[str, str] | None = None, content_type: str = TAXII) -> None:
        self._port = port
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(4 * CHUNK)
        self._content_type = content_type
        self._fixed = f"Host: 127.0.0.1:{port}\r\nAccept: {content_type}\r\n"
        if credential is not None:
            basic = base64.b64encode(":".join(credential).encode()).decode()
            self._fixed += f"Authorization: Basic {basic}\r\n"

    def get(self, path: str) -> Answer:
        """One GET."""
        return self._ask(f"GET {path} HTTP/1.1\r\n{self._fixed}\r\n".encode())

    def post(self, path: str, body: bytes) -> Answer:
        """One POST of JSON: TAXII's, or of the type that the client was made for."""
        kind = self._content_type
        head = f"POST {path} HTTP/1.1\r\n{self._fixed}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        return self._ask(head.encode() + body)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _ask(self, request: bytes) -> Answer:
        self._socket.sendall(request)
        filled, end = 0, -1
        while end < 0:
            filled += self._receive(filled)
            end = self._buffer.find(b"\r\n\r\n", 0, filled)
        head = bytes(self._buffer[:end]).lower()
        start = end + 4
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        while filled < start + length:
            filled += self._receive(filled)
        return Answer(int(head[9:12]), head, memoryview(self._buffer)[start : start + length])

    def _receive(self, filled: int) -> int:
        if len(self._buffer) - filled < CHUNK:
            self._buffer = self._buffer + bytearray(len(self._buffer))
        count = self._socket.recv_into(memoryview(self._buffer)[filled:])
        if not count:
            raise ConnectionError("the server closed the connection")
        return count
