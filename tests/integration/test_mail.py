"""Messages by SMTP, to a real server on the loopback address: STARTTLS with its certificate checked, then a login."""

from __future__ import annotations

import email.policy
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from hub import clock
from hub.db import Database
from hub.errors import InvalidInput
from hub.members import outbox
from hub.members.outbox import Outbox
from hub.members.people_records import OutgoingMessage
from hub.sealing import Vault
from hub.settings import Settings, load
from tests.engines import SQLite

USER, PASSWORD = "hub", "pass word: %"


@dataclass
class Post:
    """The server: what it took, and by whom it was sent."""

    port: int = 0
    taken: list[tuple[str, str, EmailMessage]] = field(default_factory=list)
    refuse_with: str = ""
    tls: list[bool] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse_with:
            return self.refuse_with
        parsed = message_from_bytes(envelope.content, policy=email.policy.default)
        self.taken.append((envelope.mail_from, envelope.rcpt_tos[0], parsed))
        self.tls.append(session.ssl is not None)
        return "250 taken"

    def authenticate(self, *details: object) -> AuthResult:
        given = details[-1]
        good = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=good)  # not handled: the server says 535 itself


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of "localhost" and its key in one file; it is its own authority."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("mail") / "mail.pem"
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(
        key.private_bytes(encoding, form, serialization.NoEncryption()) + made.public_bytes(encoding)
    )  # fmt: skip
    return path


@pytest.fixture
def server(certificate: Path) -> Iterator[Post]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.socket() as probe:  # the controller connects to the port that it was given
        probe.bind(("127.0.0.1", 0))
        post = Post(port=probe.getsockname()[1])
    controller = Controller(
        post, hostname="127.0.0.1", port=post.port, tls_context=context, require_starttls=True, auth_required=True,
        authenticator=post.authenticate,
    )  # fmt: skip
    controller.start()
    yield post
    controller.stop()


@pytest.fixture
def database(sqlite: SQLite) -> Iterator[Database]:
    with sqlite.migrated() as url:
        found = Database(url)
        yield found
        found.close()


def settings(post: Post, **mail: object) -> Settings:
    given = {"smtp_host": "localhost", "smtp_port": post.port, "smtp_username": USER, "smtp_password": PASSWORD}
    return load(mail=given | mail)


def send(database: Database, post: Post, **mail: object) -> int:
    vault = Vault(b"v" * 32)
    with database.unit_of_work() as session:
        outbox.put(session, vault, "kim@bank.test", "Grüße aus der Zentrale", "Zeile eins\n\nhttps://hub.test/x\n")
    return Outbox(database, vault, settings(post, **mail)).send_waiting()


def waiting(database: Database) -> OutgoingMessage:
    with database.reading() as session:
        return session.scalars(select(OutgoingMessage)).one()


def test_a_message_goes_out_once_by_tls_and_after_a_login(
    database: Database, server: Post, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert send(database, server) == 1
    ((sender, recipient, message),) = server.taken
    assert (sender, recipient) == ("hub@hub.example", "kim@bank.test")
    assert message["Subject"] == "Grüße aus der Zentrale"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines() == ["Zeile eins", "", "https://hub.test/x"]
    assert server.tls == [True]
    kept = waiting(database)
    assert kept.sent_at is not None
    assert kept.body == b""
    assert Outbox(database, Vault(b"v" * 32), settings(server)).send_waiting() == 0
    assert len(server.taken) == 1


def test_a_server_with_a_certificate_of_nobody_gets_nothing(database: Database, server: Post) -> None:
    assert send(database, server) == 0
    assert server.taken == []
    kept = waiting(database)
    assert (kept.sent_at, kept.failures) == (None, 1)
    assert kept.next_try_at > clock.micros()
    assert kept.body != b""


@pytest.mark.parametrize("mail", [{"smtp_password": "wrong"}, {"smtp_tls": "none"}, {"smtp_tls": "tls"}])
def test_what_the_server_refuses_stays_for_later(
    database: Database, server: Post, certificate: Path, monkeypatch: pytest.MonkeyPatch, mail: dict[str, str]
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert send(database, server, **mail) == 0
    assert server.taken == []
    assert waiting(database).failures == 1


def test_a_recipient_that_is_refused_is_tried_again(
    database: Database, server: Post, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server.refuse_with = "451 try later"
    assert send(database, server) == 0
    server.refuse_with = ""
    with database.unit_of_work() as session:
        session.scalars(select(OutgoingMessage)).one().next_try_at = 0
    assert Outbox(database, Vault(b"v" * 32), settings(server)).send_waiting() == 1
    assert len(server.taken) == 1


@pytest.mark.parametrize("mail", [{"smtp_password": "é"}, {"smtp_username": "é"}])
def test_what_smtp_cannot_carry_stops_the_start(mail: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        load(mail=mail)
    assert caught.value.where == f"mail.{next(iter(mail))}"
    assert ("é" in str(caught.value)) is ("smtp_username" in mail)  # a password is never shown
