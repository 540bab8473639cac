"""Values of searches as they are kept: keyed hashes under labels of their own, never the index's tags.

So the record of searches tells who asked for a value only to somebody who has the value and the hub's secret.
"""

from __future__ import annotations

import hashlib
from typing import Final

from hub.checks.subjects import Subject, SubjectKind, terms
from hub.sealing import Vault

HASH_BYTES: Final = 16
NEAR_BYTES: Final = 8
NO_HASH: Final = bytes(HASH_BYTES)
NO_NEIGHBOURHOOD: Final = bytes(NEAR_BYTES)
# Numbers that can be asked for one after the other, by the last digits that a walk changes.
_WALKED: Final = {
    SubjectKind.BANK_ACCOUNT.value: 2,
    SubjectKind.IBAN.value: 2,
    SubjectKind.PHONE.value: 2,
    SubjectKind.COMPANY.value: 2,
    SubjectKind.NINO.value: 3,
    SubjectKind.PASSPORT.value: 2,
}


class SearchHashes:
    """Makes the hashes of searches; they never change with the index's key."""

    def __init__(self, vault: Vault) -> None:
        self._key = vault.derive("check-search")
        self._near_key = vault.derive("check-neighbourhood")

    def of(self, subject: Subject | None) -> tuple[bytes, bytes]:
        """(the hash, the hash of its neighbourhood); zeros for what was not searched, or is no number."""
        if subject is None:
            return NO_HASH, NO_NEIGHBOURHOOD
        facet, text = _kept_as(subject)
        last = _WALKED.get(facet)
        near = self._near(facet, text[:-last]) if last else NO_NEIGHBOURHOOD
        return self._hash(facet, text), near

    def all_of(self, subject: Subject) -> list[bytes]:
        """Every hash under which searches for ``subject`` may stand: a person's by birth date and by postcode."""
        return [self._hash(one.facet, one.text) for one in terms(subject) if one.exact]

    def _hash(self, facet: str, text: str) -> bytes:
        return hashlib.blake2b(f"{facet}\0{text}".encode(), key=self._key, digest_size=HASH_BYTES).digest()

    def _near(self, facet: str, text: str) -> bytes:
        return hashlib.blake2b(f"{facet}\0{text}".encode(), key=self._near_key, digest_size=NEAR_BYTES).digest()


def _kept_as(subject: Subject) -> tuple[str, str]:
    """(facet, text): a British IBAN as its sort code and account, a person by birth date where it is given."""
    if subject.person is None and subject.kind is not SubjectKind.IBAN:
        return subject.kind.value, subject.text
    exact = [one for one in terms(subject) if one.exact]
    chosen = exact[0] if subject.person else exact[-1]
    return chosen.facet, chosen.text
