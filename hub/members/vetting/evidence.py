"""Evidence files: what a file is, is told by its content; the bytes lie sealed outside the web's reach.

A file never gets a name that came from outside: it lies under its id, and its name is a word in the database.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from enum import StrEnum
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.errors import IntegrityFailure, InvalidInput, NotFound, TooLarge
from hub.members.vetting import wording
from hub.members.vetting.party import Party
from hub.members.vetting.records import Evidence, VettingCase
from hub.sealing import Vault

ADVICE = "Give a PDF, a PNG or JPEG picture, or plain text in UTF-8. Save office documents as PDF."


class EvidenceKind(StrEnum):
    """What a file proves."""

    REGISTRY_EXTRACT = "registry-extract"
    REGULATOR_REFERENCE = "regulator-reference"
    ICO_REGISTRATION = "ico-registration"
    DOMAIN_PROOF = "domain-proof"
    SIGNATORY_AUTHORITY = "signatory-authority"
    DPO_CONTACT = "dpo-contact"
    SECURITY_ATTESTATION = "security-attestation"
    SANCTIONS_CHECK = "sanctions-check"
    DESTRUCTION_ATTESTATION = "destruction-attestation"
    OTHER = "other"


class EvidenceFolder:
    """The folder of the sealed files. ``most`` is the largest file in bytes."""

    def __init__(self, folder: Path, vault: Vault, most: int) -> None:
        self._folder = folder
        self._vault = vault
        self._most = most

    def add(
        self, session: Session, case: VettingCase, by: Party, kind: str, filename: str, content: bytes, note: str = ""
    ) -> Evidence:
        """Keep a file with a case.

        Raises InvalidInput for an unknown kind or a content that is none of the types taken, TooLarge.
        """
        if kind not in set(EvidenceKind):
            raise InvalidInput("Choose what the file proves", where="kind")
        if len(content) > self._most:
            raise TooLarge(f"The file is larger than {self._most // 1024} KiB", where="file")
        kept = Evidence(
            id=str(uuid.uuid4()),
            case_id=case.id,
            kind=kind,
            filename=shown_name(filename),
            media_type=media_type(content),
            size=len(content),
            sha256=hashlib.sha256(content).digest(),
            note=wording.line(note, "note", optional=True),
            by=by.id,
            at=clock.micros(),
        )
        # First the bytes, then the row: a row without its file would claim what cannot be shown.
        self._write(kept.id, self._vault.seal(content, _context(kept.id)))
        session.add(kept)
        session.flush()
        record(
            session, by.id, "evidence:add", case.id,
            after={"evidence": kept.id, "kind": kind, "sha256": kept.sha256.hex(), "size": kept.size},
        )  # fmt: skip
        return kept

    def read(self, evidence: Evidence) -> bytes:
        """The file as it was given. Raises NotFound after its erasure, IntegrityFailure where it was altered."""
        try:
            sealed = self._path(evidence.id).read_bytes()
        except FileNotFoundError:
            raise NotFound("the file has been erased at the end of its retention") from None
        content = self._vault.open(sealed, _context(evidence.id))
        if hashlib.sha256(content).digest() != evidence.sha256:
            raise IntegrityFailure("the file is not the one that was recorded", where=evidence.id)
        return content

    def stands(self, evidence: Evidence) -> bool:
        """The file has not been erased."""
        return self._path(evidence.id).exists()

    def erase(self, session: Session, case: VettingCase, by: Party) -> int:
        """Erase the files of a case at the end of their retention; their records stay. Gives how many."""
        files = [one for one in of_case(session, case) if self.stands(one)]
        if files:
            erased = {"erased": [one.id for one in files]}
            record(session, by.id, "evidence:erase", case.id, after=erased, why="the retention period is over")
        for one in files:
            self._path(one.id).unlink(missing_ok=True)
        return len(files)

    def _path(self, evidence_id: str) -> Path:
        return self._folder / str(uuid.UUID(evidence_id))

    def _write(self, evidence_id: str, sealed: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(evidence_id)
        draft = path.with_suffix(".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)


def find(session: Session, case: VettingCase, evidence_id: str) -> Evidence:
    """A file's record. Raises NotFound, also for one of another case."""
    found = session.get(Evidence, evidence_id)
    if found is None or found.case_id != case.id:
        raise NotFound("there is no such file")
    return found


def of_case(session: Session, case: VettingCase) -> list[Evidence]:
    """The files of a case, oldest first."""
    return list(session.scalars(select(Evidence).where(Evidence.case_id == case.id).order_by(Evidence.at, Evidence.id)))


def media_type(content: bytes) -> str:
    """The media type of a file, by its first and last bytes. Raises InvalidInput for any other."""
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-2048:]:
        return "application/pdf"
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return "image/png"
    if content.startswith(b"\xff\xd8\xff") and content.rstrip(b"\0").endswith(b"\xff\xd9"):
        return "image/jpeg"
    if content and _is_text(content):
        return "text/plain"
    raise InvalidInput("The file is not of a type that is taken", where="file", advice=ADVICE)


def _is_text(content: bytes) -> bool:
    if content.startswith((b"%PDF-", b"MZ", b"#!")):
        return False
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(character < " " and character not in "\t\n\r\f" for character in text) and "\x7f" not in text


def shown_name(filename: str) -> str:
    """A file's name to show: the last part of what was sent, without what cannot be printed."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    printable = "".join(character for character in last if character.isprintable() and character not in "\"'<>&;|")
    return printable.strip(". ")[-100:] or "file"


def _context(evidence_id: str) -> str:
    return f"evidence:{evidence_id}"
