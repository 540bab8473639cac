"""A client certificate stands for a credential where the hub ends TLS itself (``--client-ca``), by real clients."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
import requests
from taxii2client.v21 import Server

from hub.members import certificates
from tests.commands import Commands
from tests.engines import SQLite
from tests.live import TAXII_21, TestMember, free_port, wait_for
from tests.objects import indicator, malware
from tests.tls import Issued, ServedByTls, issue, listens, serving_tls

SHARED = "/taxii2/plain/collections/shared/"
HEADER = "Client-Cert"
# More than one process has threads that read connections, several times over.
MANY = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Issued:
    return issue(folder, "authority")


@pytest.fixture(scope="module")
def options(folder: Path, authority: Issued) -> list[str]:
    server = issue(folder, "server", by=authority)
    files = ["--tls-cert", server.cert_file, "--tls-key", server.key_file, "--client-ca", authority.cert_file]
    return ["--no-worker", *map(str, files)]


@pytest.fixture(scope="module")
def served(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory, options: list[str]) -> Iterator[ServedByTls]:
    """A hub that asks for certificates, and believes the headers of a proxy that is elsewhere."""
    more = {
        "HUB_SERVER__TRUSTED_PROXIES": '["192.0.2.10"]',
        "HUB_SERVER__CLIENT_CERTIFICATE_HEADER": HEADER,
        "HUB_LIMITS__ENABLED": "false",
    }
    with sqlite.migrated() as database, serving_tls(database, tmp_path_factory.mktemp("hub"), *options, **more) as hub:
        yield hub


class Certified:
    """A member that has a registered certificate, or a stranger that has one of the same authority."""

    def __init__(self, served: ServedByTls, authority: Issued, own: Issued) -> None:
        self.served, self.authority, self.own = served, authority, own
        self.files = (str(own.cert_file), str(own.key_file))
        self.trust = str(authority.cert_file)

    def get(self, path: str = "/taxii2/", **more: object) -> requests.Response:
        """GET without a token."""
        return requests.get(self.served.url + path, cert=self.files, verify=self.trust, timeout=20, **more)

    def context(self) -> ssl.SSLContext:
        """Of TLS connections that show the certificate."""
        context = ssl.create_default_context(cafile=self.trust)
        context.load_cert_chain(*self.files)
        return context

    @contextmanager
    def connected(self) -> Iterator[ssl.SSLSocket]:
        """A connection that has shown the certificate."""
        with (
            socket.create_connection(("127.0.0.1", self.served.port), timeout=20) as plain,
            self.context().wrap_socket(plain, server_hostname="127.0.0.1") as secured,
        ):
            yield secured

    def says(self, request: bytes) -> bytes:
        """All that the hub answers to these bytes."""
        with self.connected() as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture
def member(served: ServedByTls) -> TestMember:
    return served.hub.add_member(f"Certified Bank {time.monotonic_ns()}", roles=["contributor"])


@pytest.fixture
def certified(served: ServedByTls, folder: Path, authority: Issued, member: TestMember) -> Certified:
    own = issue(folder, member.name, by=authority)
    with served.hub.hub.database.unit_of_work() as session:
        certificates.register(session, member.member_id, own.pem)
    return Certified(served, authority, own)


@pytest.fixture
def stranger(served: ServedByTls, folder: Path, authority: Issued) -> Certified:
    return Certified(served, authority, issue(folder, f"stranger {time.monotonic_ns()}", by=authority))


def test_the_oasis_client_pulls_without_a_token(
    served: ServedByTls, member: TestMember, certified: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)  # they count before what a session of requests is told
    where = f"/taxii2/plain/collections/{served.hub.add_collection('by-certificate')}/"
    objects = [malware(f"shown {n}") for n in range(30)]
    served.hub.add(f"{where}objects/", member, objects)
    with Server(f"{served.url}/taxii2/", cert=certified.files, verify=certified.trust) as server:
        assert server.default.url == f"{served.url}/taxii2/signed/"
        plain = next(root for root in server.api_roots if "/plain/" in root.url)
        collection = next(one for one in plain.collections if one.url.endswith(where))
        assert (collection.can_read, collection.can_write) == (True, True)
        assert {one["id"] for one in objects} <= {one["id"] for one in collection.get_objects()["objects"]}


def test_answers_are_as_by_a_token(member: TestMember, certified: Certified) -> None:
    given = certified.get(f"{SHARED}objects/")
    assert given.status_code == 200
    assert given.headers["Content-Encoding"] == "gzip"
    assert given.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    by_token = certified.get(f"{SHARED}objects/", auth=member.auth)
    assert given.json() == by_token.json()
    known = certified.get(f"{SHARED}objects/", headers={"If-None-Match": given.headers["ETag"]})
    assert (known.status_code, known.content) == (304, b"")


def test_a_megabyte_is_taken(certified: Certified) -> None:
    objects = [indicator(f"large {n}") for n in range(300)]
    body = json.dumps({"objects": [{**one, "description": os.urandom(2000).hex()} for one in objects]}).encode()
    assert len(body) > 1024 * 1024
    headers = {"Content-Type": TAXII_21}
    post = {"url": f"{certified.served.url}{SHARED}objects/", "cert": certified.files, "verify": certified.trust}
    whole = requests.post(data=body, headers=headers, timeout=30, **post)
    assert (whole.status_code, whole.json()["total_count"]) == (202, 300)
    steps = (body[at : at + 50_000] for at in range(0, len(body), 50_000))
    chunked = requests.post(data=steps, headers=headers, timeout=30, **post)
    assert (chunked.status_code, chunked.json()["total_count"]) == (202, 300)


def test_who_has_no_registered_certificate_is_refused(stranger: Certified, member: TestMember) -> None:
    refused = stranger.get()
    assert refused.status_code == 401
    assert refused.headers["Content-Type"] == TAXII_21
    assert refused.json()["http_status"] == "401"
    assert refused.headers["WWW-Authenticate"]
    assert stranger.get(auth=member.auth).status_code == 200, "a token counts before a certificate"


def test_connections_need_a_good_certificate_of_the_authority(
    served: ServedByTls, folder: Path, authority: Issued, member: TestMember
) -> None:
    forger = issue(folder, "authority of another")
    for own in (issue(folder, "forged", by=forger), issue(folder, "expired", by=authority, days=-1)):
        with pytest.raises(requests.ConnectionError):
            Certified(served, authority, own).get(auth=member.auth)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{served.url}/healthz", verify=str(authority.cert_file), timeout=20)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_resumed_sessions_keep_their_certificate(certified: Certified, version: ssl.TLSVersion) -> None:
    context = certified.context()
    context.minimum_version = context.maximum_version = version
    session = None
    for _ in range(2):
        plain = socket.create_connection(("127.0.0.1", certified.served.port), timeout=20)
        with plain, context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as secured:
            secured.sendall(b"GET /taxii2/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert b" 200 OK" in b"".join(iter(lambda: secured.recv(65536), b""))
            assert secured.session_reused == (session is not None)
            session = secured.session


def test_old_versions_and_weak_suites_are_refused(certified: Certified) -> None:
    """TAXII 2.1 section 8.2.2."""
    old = certified.context()
    with pytest.warns(DeprecationWarning):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    weak = certified.context()
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA")  # in appendix A of RFC 7540
    for context in (old, weak):
        with (
            socket.create_connection(("127.0.0.1", certified.served.port), timeout=20) as plain,
            pytest.raises((ssl.SSLError, ConnectionError)),
            context.wrap_socket(plain, server_hostname="127.0.0.1"),
        ):
            raise AssertionError("connected")


@pytest.mark.parametrize("how", ["suspended", "revoked"])
def test_it_ends_on_a_connection_that_goes_on(
    served: ServedByTls, member: TestMember, certified: Certified, how: str
) -> None:
    connection = http.client.HTTPSConnection("127.0.0.1", served.port, timeout=20, context=certified.context())
    connection.request("GET", "/taxii2/")
    answer = connection.getresponse()
    assert (answer.status, bool(answer.read())) == (200, True)
    before = connection.sock
    if how == "suspended":
        served.hub.suspend(member)
    else:
        with served.hub.hub.database.unit_of_work() as session:
            certificates.revoke(session, member.member_id, certified.own.pem)
    connection.request("GET", "/taxii2/")
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["http_status"]) == (401, "401")
    assert connection.sock is before, "it was the same connection"
    connection.close()


def test_no_header_says_who_it_is(certified: Certified, stranger: Certified) -> None:
    """Neither as a trusted proxy would write it nor under the name that the server uses itself."""
    by_rfc = f":{base64.b64encode(certified.own.der).decode()}:"
    for name in (HEADER, HEADER.replace("-", "_"), "hub.connection_certificate", "SSL_CLIENT_CERT"):
        for value in (by_rfc, quote(certified.own.pem.decode())):
            forged = {name: value, "X-Forwarded-For": "192.0.2.10", "X-Forwarded-Proto": "http"}
            assert stranger.get(headers=forged).status_code == 401
            assert certified.get(headers=forged).status_code == 200


def test_a_body_that_breaks_off_or_is_none_is_a_bad_request(certified: Certified) -> None:
    head = f"POST {SHARED}objects/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {TAXII_21}\r\n"
    for more in ('Transfer-Encoding: chunked\r\n\r\n5\r\n{"obj\r\nzz\r\n', "Transfer-Encoding: chunked\r\n\r\n-1\r\n"):
        told, _, body = certified.says((head + more).encode()).partition(b"\r\n\r\n")
        assert told.startswith(b"HTTP/1.1 400 ")
        assert b"\r\nConnection: close\r\n" in told
        assert json.loads(body)["http_status"] == "400"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nNo value\r\n\r\n", 400),
        (b"GET /?" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 101 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: strange\r\n\r\n", 501),
    ],
)
def test_what_is_no_request_is_answered_by_a_status_alone(certified: Certified, request_: bytes, status: int) -> None:
    head, _, body = certified.says(request_).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert body == b""


def test_silent_and_slow_clients_hold_up_nobody(certified: Certified) -> None:
    """Strangers who connect or begin a handshake and wait; members who send half, or stay when told to go."""
    half = f"POST {SHARED}objects/ HTTP/1.1\r\nHost: a\r\nContent-Type: {TAXII_21}\r\nContent-Length: 100\r\n\r\n{{"
    with ExitStack() as open_connections:
        for n in range(MANY):
            silent = open_connections.enter_context(socket.create_connection(("127.0.0.1", certified.served.port)))
            if n % 4:
                silent.sendall(b"\x16\x03\x01\x02\x00\x01")
        for text in ("GET /taxii2/ HTTP/1.1\r\nHost:", half, half):
            open_connections.enter_context(certified.connected()).sendall(text.encode())
        for _ in range(5):
            staying = open_connections.enter_context(certified.connected())
            staying.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        began = time.monotonic()
        for _ in range(5):
            assert certified.get().status_code == 200
        assert time.monotonic() - began < 5


def test_an_answer_reaches_who_still_sends(certified: Certified) -> None:
    """The largest body is refused without being read; who sends it learns why."""
    most = certified.served.hub.settings.server.max_body_bytes
    with certified.connected() as connection:
        head = f"POST {SHARED}objects/ HTTP/1.1\r\nHost: a\r\nContent-Type: {TAXII_21}\r\n"
        connection.sendall(f"{head}Content-Length: {most + 1}\r\n\r\n".encode() + b" " * 3_000_000)
        told = b""
        while not told.endswith(b"}"):  # the hub waits a while for the rest
            told += connection.recv(65536)
    assert told.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close\r\n" in told


def test_a_web_process_that_ends_leaves_the_intake_alone(apart: ServedByTls) -> None:
    def beside(words: bool) -> list[psutil.Process]:
        return [one for one in psutil.Process(apart.process.pid).children() if ("worker" in one.cmdline()) == words]

    intake = beside(True)
    assert intake
    wait_for(lambda: len(beside(False)) == 2, 30, apart.log.read_text)
    first = beside(False)[0]
    first.terminate()
    wait_for(lambda: first not in beside(False) and len(beside(False)) == 2, 30, apart.log.read_text)
    assert beside(True) == intake


@pytest.fixture
def apart(sqlite: SQLite, tmp_path: Path, options: list[str]) -> Iterator[ServedByTls]:
    """A server of two web processes with an intake worker beside them, for tests that end it."""
    with sqlite.migrated() as database, serving_tls(database, tmp_path, "--workers", "2", *options[1:]) as hub:
        yield hub


def test_it_stops_cleanly_with_connections_open(apart: ServedByTls, folder: Path, authority: Issued) -> None:
    visitor = Certified(apart, authority, issue(folder, "visitor", by=authority))
    wait_for(lambda: visitor.get("/healthz").status_code == 200, 30, apart.log.read_text)
    with visitor.connected() as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 200 ")
        began = time.monotonic()
        apart.process.send_signal(signal.SIGTERM)
        assert apart.process.wait(15) == 0
        assert time.monotonic() - began < 15
    said = apart.log.read_text()
    assert "Traceback" not in said
    assert "error" not in said.lower()


def test_web_processes_end_with_a_server_that_was_killed(sqlite: SQLite, tmp_path: Path, options: list[str]) -> None:
    port = free_port()
    log = tmp_path / "server.log"
    with sqlite.migrated() as database, log.open("wb") as output:
        command = Commands(database, tmp_path)
        process = command.start("serve", "--bind", f"127.0.0.1:{port}", *options, stdout=output, stderr=output)
        try:
            wait_for(lambda: listens(port), 60, log.read_text)
        finally:
            process.kill()
            process.wait()
        wait_for(lambda: not listens(port), 15, log.read_text)
