"""The checking index: keyed tags instead of values.

A tag is the first 16 bytes of HMAC-SHA256 over the facet and the text, under a random key that no database
holds. A stolen table can therefore be neither read nor tried out. Every tag belongs to an epoch of
the key; while the rotation rewrites the tags, both epochs are searched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.checks.filings.records import IndexEpoch
from hub.checks.subjects import Subject, Term, terms
from hub.sealing import Vault

TAG_BYTES = 16
FIRST_EPOCH = 1
# The ring of the index's keys: the number of a key is its epoch.
RING = "check-index"


class CheckIndex:
    """Makes tags. ``epochs``: the first is written, all are searched."""

    def __init__(self, vault: Vault, epochs: Sequence[int] = (FIRST_EPOCH,)) -> None:
        self.epochs = tuple(epochs)
        # Each key is worked in once: a copy costs a third of a fresh HMAC.
        self._keyed = {epoch: HMAC(vault.ring(RING).key(epoch), SHA256()) for epoch in self.epochs}

    @property
    def epoch(self) -> int:
        """The epoch that new tags belong to."""
        return self.epochs[0]

    def tag(self, facet: str, text: str, epoch: int | None = None) -> bytes:
        """The tag of ``text`` within ``facet`` (see ``subjects.Term``), of the written epoch unless one is named."""
        keyed = self._keyed[self.epoch if epoch is None else epoch].copy()
        keyed.update(f"{facet}\0{text}".encode())
        return keyed.finalize()[:TAG_BYTES]

    def tags(self, subjects: Iterable[Subject]) -> list[bytes]:
        """Every tag under which any of ``subjects`` may stand, in order, of all epochs that are searched."""
        return [self.tag(one.facet, one.text, epoch) for subject in subjects for one, epoch in self._terms(subject)]

    def tagged(self, subject: Subject) -> list[tuple[bytes, Term]]:
        """The tags of one subject with the term that each stands for."""
        return [(self.tag(one.facet, one.text, epoch), one) for one, epoch in self._terms(subject)]

    def _terms(self, subject: Subject) -> list[tuple[Term, int]]:
        return [(one, epoch) for one in terms(subject) for epoch in self.epochs]


def open_index(session: Session, vault: Vault) -> CheckIndex:
    """The index with the epochs that are in use, the newest first."""
    found = session.scalars(
        select(IndexEpoch.epoch).where(IndexEpoch.retired_at.is_(None)).order_by(IndexEpoch.epoch.desc())
    )
    return CheckIndex(vault, tuple(found) or (FIRST_EPOCH,))
