"""Where ``hub serve`` listens."""

from __future__ import annotations

import socket

import pytest

from hub.cli import servers
from hub.errors import InvalidInput
from tests.live import free_port


@pytest.mark.parametrize(
    ("address", "host"), [("127.0.0.1:{0}", "127.0.0.1"), ("localhost:{0}", "localhost"), ("[::1]:{0}", "::1")]
)
def test_an_address_and_a_port(address: str, host: str) -> None:
    port = free_port()
    assert servers.place(address.format(port)) == servers.Place(host, port)


@pytest.mark.parametrize(
    "address",
    ["nonsense", "", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:-1", "127.0.0.1:65536", "127.0.0.1:٣", "[::1]:1x",
     "192.0.2.1:8080", "a" * 80 + ".example:1"],
)  # fmt: skip
def test_what_is_no_place_of_this_machine_is_refused(address: str) -> None:
    """192.0.2.1 is nobody's (RFC 5737)."""
    with pytest.raises(InvalidInput, match="cannot listen on"):
        servers.place(address)


def test_a_port_has_one_hub() -> None:
    """Also where the other one would share it, as the web processes of one hub do."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(InvalidInput, match="in use"):
            servers.place(f"127.0.0.1:{other.getsockname()[1]}")
