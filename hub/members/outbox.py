"""The outbox: messages are written with the change that they tell of, and sent afterwards by a worker.

So a page waits for no mail server, and its time does not tell whether a message was sent.
"""

from __future__ import annotations

import os
import smtplib
import ssl
import uuid
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from threading import Event
from typing import Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.clock import MINUTE
from hub.db import Database
from hub.errors import Unavailable
from hub.members.people_records import OutgoingMessage
from hub.sealing import Vault
from hub.settings import Mail, Settings

log = structlog.get_logger(__name__)

LOOKS_EVERY_SECONDS = 1.0
ANSWERS_IN = 20.0
# Waits of 1, 2, 4 … minutes; a day of trying, then it is given up.
MOST_FAILURES = 10


class Sender(Protocol):
    """Takes a message on its way. Raises OSError or smtplib.SMTPException where it cannot."""

    def __call__(self, message: EmailMessage) -> None: ...


def put(session: Session, vault: Vault, recipient: str, subject: str, text: str) -> None:
    """Write a message within the caller's transaction; it is sent after that."""
    message_id, now = str(uuid.uuid4()), clock.micros()
    session.add(
        OutgoingMessage(
            id=message_id, recipient=recipient, subject=subject, body=vault.seal(text.encode(), _context(message_id)),
            created_at=now, sent_at=None, failures=0, next_try_at=now,
        )
    )  # fmt: skip
    session.flush()


class Outbox:
    """Sends what waits."""

    def __init__(self, database: Database, vault: Vault, settings: Settings) -> None:
        self._database = database
        self._vault = vault
        self._sender = settings.mail.sender
        self._send = sender_of(settings)

    def run(self, stop: Event) -> None:
        """Send until ``stop`` is set."""
        while not stop.is_set():
            try:
                self.send_waiting()
            except Unavailable as error:
                log.warning("the outbox waits for the database", error=str(error))
            stop.wait(LOOKS_EVERY_SECONDS)

    def send_waiting(self) -> int:
        """Send every message that is due; how many went out."""
        now = clock.micros()
        rows = self._database.select(
            "SELECT id FROM outgoing_message WHERE sent_at IS NULL AND next_try_at <= ? AND failures < ?",
            (now, MOST_FAILURES),
        )
        return sum(self._send_one(message_id) for (message_id,) in rows)

    def _send_one(self, message_id: str) -> bool:
        """Claim a message, then send it outside the transaction; a crash in between sends it again, later."""
        with self._database.unit_of_work() as session:
            waiting = session.scalar(
                select(OutgoingMessage).where(OutgoingMessage.id == message_id).with_for_update(skip_locked=True)
            )
            if waiting is None or waiting.sent_at is not None or waiting.next_try_at > clock.micros():
                return False
            waiting.failures += 1
            waiting.next_try_at = clock.micros() + MINUTE * 2 ** (waiting.failures - 1)
            message = self._message(waiting)
        try:
            self._send(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:  # ValueError: text that SMTP cannot carry
            log.warning("a message could not be sent", id=message_id, error=str(error))
            return False
        with self._database.unit_of_work() as session:
            sent = session.get_one(OutgoingMessage, message_id)
            sent.sent_at, sent.body = clock.micros(), b""
        return True

    def _message(self, waiting: OutgoingMessage) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, waiting.recipient, waiting.subject
        message["Date"] = format_datetime(clock.now())
        message["Message-ID"] = f"<{waiting.id}@hub>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(self._vault.open(waiting.body, _context(waiting.id)).decode())
        return message


def sender_of(settings: Settings) -> Sender:
    """By SMTP where a server is named, else into files."""
    mail = settings.mail
    if mail.smtp_host:
        return lambda message: _by_smtp(mail, message)
    folder = settings.data_dir / "outbox"
    return lambda message: _into_file(folder, message)


def _into_file(folder: Path, message: EmailMessage) -> None:
    """Write ``<time>-<id>.eml``, readable by its owner alone: it may hold a link."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{clock.micros()}-{str(message['Message-ID'])[1:9]}.eml"
    with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(message.as_bytes())


def _by_smtp(mail: Mail, message: EmailMessage) -> None:
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if mail.smtp_tls == "tls":
        server = smtplib.SMTP_SSL(mail.smtp_host, mail.smtp_port, timeout=ANSWERS_IN, context=context)
    else:
        server = smtplib.SMTP(mail.smtp_host, mail.smtp_port, timeout=ANSWERS_IN)
    with server:
        if mail.smtp_tls == "starttls":
            server.starttls(context=context)
        if mail.smtp_username:
            server.login(mail.smtp_username, mail.smtp_password.get_secret_value())
        server.send_message(message)


def _context(message_id: str) -> str:
    return f"outgoing-message:{message_id}"
