"""TLS by the hub itself, and client certificates that stand for a credential behind a trusted proxy."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.errors import Conflict, InvalidInput, NotFound
from hub.members import certificates
from tests.engines import SQLite
from tests.live import ROOT, LocalHub, TestMember, local, wait_for

PROXY = "192.0.2.10"
HEADER = "Client-Cert"


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key, as objects and as files."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    cert_file: Path
    key_file: Path

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


def issue(folder: Path, name: str, by: Issued | None = None, days: int = 30) -> Issued:
    """A certificate of ``name``: an authority of its own, or one issued ``by`` an authority for both ends of TLS."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    signer = by.key if by else key
    key_identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    usage = x509.KeyUsage(True, False, False, False, False, by is None, by is None, False, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(key_identifier, critical=False)
        .add_extension(authority, critical=False)
    )
    if by is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    stem = name.replace(" ", "-")
    issued = Issued(certificate, key, folder / f"{stem}.pem", folder / f"{stem}.key")
    issued.cert_file.write_bytes(issued.pem)
    issued.key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return issued


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Issued:
    return issue(folder, "authority")


@pytest.fixture(scope="module")
def server(folder: Path, authority: Issued) -> Issued:
    return issue(folder, "server", by=authority)


@contextmanager
def _serving(sqlite: SQLite, folder: Path, *options: str) -> Iterator[tuple[str, TestMember]]:
    """``hub serve`` with TLS options, and a member of it."""
    with sqlite.migrated() as database, local(database, folder) as hub:
        member = hub.add_member("First Bank")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        own = {"HUB_DATABASE_URL": database, "HUB_DATA_DIR": str(folder)}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        log = folder / "server.log"
        command = [sys.executable, "-m", "hub.cli", "serve", "--no-worker", "--bind", f"127.0.0.1:{port}", *options]
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=inherited | own, stdout=output, stderr=output)
        try:
            wait_for(lambda: _listens(port, process, log), 60, log.read_text)
            yield f"https://127.0.0.1:{port}", member
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        assert process.returncode == 0, log.read_text()


def _listens(port: int, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _negotiated(url: str, authority: Issued, most: ssl.TLSVersion) -> str | None:
    """The version that a client which goes up to ``most`` gets."""
    context = ssl.create_default_context(cafile=str(authority.cert_file))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # naming TLS 1.1 is the point
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = most
        context.set_ciphers("ALL:@SECLEVEL=0")
    port = int(url.rsplit(":", 1)[1])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        return secured.version()


def test_the_hub_serves_tls(sqlite: SQLite, tmp_path: Path, authority: Issued, server: Issued) -> None:
    """TAXII 2.1 section 8.2.2: TLS 1.2 at least, 1.3 where the client can."""
    options = ("--tls-cert", str(server.cert_file), "--tls-key", str(server.key_file))
    with _serving(sqlite, tmp_path, *options) as (url, member):
        answer = requests.get(f"{url}/taxii2/", auth=member.auth, verify=str(authority.cert_file), timeout=10)
        assert answer.status_code == 200
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert _negotiated(url, authority, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
        assert _negotiated(url, authority, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _negotiated(url, authority, ssl.TLSVersion.TLSv1_1)
        with pytest.raises((requests.ConnectionError, requests.exceptions.InvalidSchema)):
            requests.get(url.replace("https", "http") + "/healthz", timeout=10)


def test_a_client_authority_is_asked_of_every_connection(
    sqlite: SQLite, tmp_path: Path, folder: Path, authority: Issued, server: Issued
) -> None:
    client = issue(folder, "client", by=authority)
    stranger = issue(folder, "stranger", by=issue(folder, "other authority"))
    trusted = str(authority.cert_file)
    options = (
        "--tls-cert", str(server.cert_file), "--tls-key", str(server.key_file), "--client-ca", trusted,
    )  # fmt: skip
    with _serving(sqlite, tmp_path, *options) as (url, member):
        shown = (str(client.cert_file), str(client.key_file))
        known = requests.get(f"{url}/taxii2/", auth=member.auth, cert=shown, verify=trusted, timeout=10)
        assert known.status_code == 200
        assert requests.get(f"{url}/taxii2/", cert=shown, verify=trusted, timeout=10).status_code == 401
        unknown = (str(stranger.cert_file), str(stranger.key_file))
        for cert in (None, unknown):
            with pytest.raises(requests.ConnectionError):
                requests.get(f"{url}/taxii2/", auth=member.auth, cert=cert, verify=trusted, timeout=10)


@pytest.mark.parametrize(
    "options",
    [
        ["--tls-cert", "server.pem"],
        ["--tls-key", "server.key"],
        ["--client-ca", "authority.pem"],
        ["--tls-cert", "server.pem", "--tls-key", "authority.key"],
        ["--tls-cert", "server.key", "--tls-key", "server.key"],
    ],
    ids=" ".join,
)
def test_wrong_tls_options_stop_the_start_with_one_line(
    tmp_path: Path, folder: Path, server: Issued, authority: Issued, options: list[str]
) -> None:
    paths = [one if one.startswith("--") else str(folder / one) for one in options]
    command = [sys.executable, "-m", "hub.cli", "serve", *paths]
    environment = {**os.environ, "HUB_DATA_DIR": str(tmp_path)}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1
    assert len(run.stderr.strip().splitlines()) == 1, run.stderr
    assert run.stderr.startswith("hub: ")


# Behind a proxy that ends TLS.


@pytest.fixture(scope="module")
def proxied(sqlite: SQLite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    server = {"trusted_proxies": [PROXY, "2001:db8:1::/48"], "client_certificate_header": HEADER}
    settings = {"server": server, "base_url": "https://hub.example", "limits": {"requests_per_minute": 20}}
    with sqlite.migrated() as url, local(url, tmp_path_factory.mktemp("hub"), **settings) as hub:
        yield hub


def _register(hub: LocalHub, member: TestMember, certificate: Issued) -> None:
    with hub.hub.database.unit_of_work() as session:
        certificates.register(session, member.member_id, certificate.pem)


def _from(address: str, value: str) -> dict[str, object]:
    return {"headers": {HEADER: value}, "environ_overrides": {"REMOTE_ADDR": address}}


def test_a_certificate_stands_for_a_credential(proxied: LocalHub, folder: Path, authority: Issued) -> None:
    member = proxied.add_member("Certified Bank", roles=["contributor"])
    own = issue(folder, "certified", by=authority)
    by_rfc = f":{base64.b64encode(own.der).decode()}:"
    by_nginx = quote(own.pem.decode())
    assert proxied.get("/taxii2/", **_from(PROXY, by_rfc)).status_code == 401, "not registered yet"
    _register(proxied, member, own)
    for address in (PROXY, "2001:db8:1::7"):
        for value in (by_rfc, by_nginx):
            answer = proxied.get("/taxii2/plain/collections/", **_from(address, value))
            assert answer.status_code == 200, answer.text
            assert answer.headers["Strict-Transport-Security"], "base_url is https"
    collections = proxied.get("/taxii2/plain/collections/", **_from(PROXY, by_rfc)).get_json(force=True)
    assert collections == proxied.get("/taxii2/plain/collections/", member).get_json(force=True)


def test_the_header_of_anybody_else_is_ignored(proxied: LocalHub, folder: Path, authority: Issued) -> None:
    member = proxied.add_member("Impersonated Bank")
    own = issue(folder, "impersonated", by=authority)
    _register(proxied, member, own)
    value = f":{base64.b64encode(own.der).decode()}:"
    assert proxied.get("/taxii2/", **_from(PROXY, value)).status_code == 200
    for address in ("127.0.0.1", "192.0.2.11", "::1", "2001:db8:2::7", ""):
        assert proxied.get("/taxii2/", **_from(address, value)).status_code == 401
    forged = {**_from("192.0.2.11", value)}
    forged["headers"] = {HEADER: value, "X-Forwarded-For": PROXY}
    assert proxied.get("/taxii2/", **forged).status_code == 401


def test_a_certificate_ends_with_its_member_its_time_and_its_registration(
    proxied: LocalHub, folder: Path, authority: Issued
) -> None:
    member = proxied.add_member("Leaving Bank")
    one, two = (issue(folder, f"leaving {n}", by=authority) for n in range(2))
    for certificate in (one, two):
        _register(proxied, member, certificate)
        value = f":{base64.b64encode(certificate.der).decode()}:"
        assert proxied.get("/taxii2/", **_from(PROXY, value)).status_code == 200
    with proxied.hub.database.unit_of_work() as session:
        certificates.revoke(session, member.name, one.pem)
    revoked, standing = (f":{base64.b64encode(c.der).decode()}:" for c in (one, two))
    assert proxied.get("/taxii2/", **_from(PROXY, revoked)).status_code == 401
    assert proxied.get("/taxii2/", **_from(PROXY, standing)).status_code == 200
    proxied.suspend(member)
    assert proxied.get("/taxii2/", **_from(PROXY, standing)).status_code == 401


def test_unreadable_certificates_are_401(proxied: LocalHub) -> None:
    for value in ("x", "::", ":***:", ":AAAA", quote("-----BEGIN CERTIFICATE-----"), ":" + "A" * 20_000 + ":", "%ff"):
        assert proxied.get("/taxii2/", **_from(PROXY, value)).status_code in (401, 429), value


def test_what_cannot_stand_for_a_member_is_refused(proxied: LocalHub, folder: Path, authority: Issued) -> None:
    member, other = proxied.add_member("Careful Bank"), proxied.add_member("Other Careful Bank")
    good, expired = issue(folder, "good", by=authority), issue(folder, "expired", by=authority, days=-1)
    with proxied.hub.database.unit_of_work() as session:
        certificates.register(session, member.member_id, good.pem)
        with pytest.raises(Conflict):
            certificates.register(session, other.member_id, good.pem)
        for pem in (b"", b"no certificate", good.key_file.read_bytes(), expired.pem):
            with pytest.raises(InvalidInput):
                certificates.register(session, member.member_id, pem)
        with pytest.raises(NotFound):
            certificates.revoke(session, other.member_id, good.pem)


def test_the_command_registers_and_revokes(proxied: LocalHub, folder: Path, authority: Issued) -> None:
    member = proxied.add_member("Commanded Bank")
    own = issue(folder, "commanded", by=authority)
    value = f":{base64.b64encode(own.der).decode()}:"
    settings = proxied.settings
    environment = {
        **{name: text for name, text in os.environ.items() if not name.startswith("HUB_")},
        "HUB_DATABASE_URL": settings.database_location,
        "HUB_DATA_DIR": str(settings.data_dir),
    }
    for more, status in (([], 200), (["--revoke"], 401)):
        command = [sys.executable, "-m", "hub.cli", "member", "certificate", member.name, str(own.cert_file), "--json"]
        run = subprocess.run([*command, *more], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        shown = json.loads(run.stdout)
        assert shown["fingerprint"] == own.certificate.fingerprint(hashes.SHA256()).hex()
        assert proxied.get("/taxii2/", **_from(PROXY, value)).status_code == status


def test_failures_count_by_the_address_that_the_proxy_names(proxied: LocalHub) -> None:
    def fail(forwarded: str, through: str = PROXY) -> int:
        headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": forwarded}
        return proxied.get("/taxii2/", headers=headers, environ_overrides={"REMOTE_ADDR": through}).status_code

    statuses = [fail(f"10.0.0.{n}, 203.0.113.1") for n in range(25)]
    assert 429 in statuses, "what the client itself writes before the proxy's own entry changes nothing"
    assert fail("203.0.113.2") == 401
    assert fail("203.0.113.2", through="198.51.100.1") == 401
