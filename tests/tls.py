"""TLS for the tests: an authority, what it issues, and ``hub serve`` that serves by it."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.commands import Commands
from tests.live import LocalHub, free_port, local, wait_for

STARTS_IN = 60
STOPS_IN = 30


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


@dataclass(frozen=True, slots=True)
class ServedByTls:
    """``hub serve`` with TLS options; ``hub`` is a hub of this process on the same database."""

    url: str
    hub: LocalHub
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self.url.rsplit(":", 1)[1])


@contextmanager
def serving_tls(database: str, folder: Path, *options: str, **environment: str) -> Iterator[ServedByTls]:
    """``hub serve`` with TLS ``options`` and HUB_SECTION__NAME settings. Asserts that it goes cleanly on SIGTERM."""
    port = free_port()
    log = folder / "server.log"
    with local(database, folder) as hub:
        with log.open("wb") as output:
            command = Commands(database, folder, **environment)
            process = command.start("serve", "--bind", f"127.0.0.1:{port}", *options, stdout=output, stderr=output)
        try:
            wait_for(lambda: process.poll() is not None or listens(port), STARTS_IN, log.read_text)
            assert process.poll() is None, log.read_text()
            yield ServedByTls(f"https://127.0.0.1:{port}", hub, process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOPS_IN)
        assert process.returncode == 0, log.read_text()


def listens(port: int) -> bool:
    """Whether somebody takes connections there, on 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def negotiated(url: str, authority: Issued, most: ssl.TLSVersion, suites: str = "ALL") -> str | None:
    """The version that a client which goes up to ``most`` gets; ``suites`` are those of TLS 1.2 and before."""
    context = ssl.create_default_context(cafile=str(authority.cert_file))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # naming TLS 1.1 is the point
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = most
        context.set_ciphers(f"{suites}:@SECLEVEL=0")
    port = int(url.rsplit(":", 1)[1])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        return secured.version()
