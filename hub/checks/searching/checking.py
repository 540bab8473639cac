"""A check: what is asked, what is known, what may be told, and the record of it. Free of HTTP.

The search is kept before anybody sees an answer, and an answer that is not kept is not given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub import clock
from hub.auth import Actor
from hub.checks.searching.answers import Answer, answer, shown
from hub.checks.searching.contacts import contact_token
from hub.checks.searching.hashes import SearchHashes
from hub.checks.searching.knowledge import Knowledge
from hub.checks.searching.questions import Question
from hub.checks.searching.searches import Made, SearchLog
from hub.checks.searching.viewers import Viewers
from hub.checks.searching.weighing import Voice
from hub.sealing import Vault

# Answers are weighed, and contacts sealed, in a multiple of so many: what is too few is made up by decoys.
PAIR: Final = 2
NOTICE: Final = "A match is not evidence of fraud, and no match is not clearance."


@dataclass(frozen=True, slots=True)
class Checked:
    """A search that was answered. ``justify_by`` in microseconds, None unless it was drawn."""

    id: str
    at: int
    question: Question
    answers: Sequence[Answer]
    justify_by: int | None


@dataclass(frozen=True, slots=True)
class Checks:
    """The checking service; one for each process."""

    knowledge: Knowledge
    viewers: Viewers
    hashes: SearchHashes
    log: SearchLog
    vault: Vault

    def search(self, actor: Actor, asked: Question, *, counted: bool = False) -> Checked:
        """Answer a search in the name of ``actor``; ``counted``: its quota was taken already (a job's file).

        Raises TooMany and NotPermitted as ``SearchLog.keep`` does.
        """
        answers, matches = self.answered(actor, asked)
        hashed = [self.hashes.of(one.subject) for one in asked.asked]
        made = Made(
            actor.member_id, actor.username, asked.basis, asked.channel, asked.case_reference, answers,
            b"".join(one for one, _ in hashed), b"".join(near for _, near in hashed), matches, counted,
        )  # fmt: skip
        return Checked(made.id, made.at, asked, answers, self.log.keep(made))

    def answered(self, actor: Actor, asked: Question) -> tuple[list[Answer], list[tuple[int, str]]]:
        """(the answers, what they rest on as (position, id)): the part of a search that changes nothing."""
        voices = self.knowledge.heard([one.subject for one in asked.asked], self.viewers.of(actor))
        answers = [
            one.refusal or answer(one.kind, one.ref, voices.get(place, ())) for place, one in enumerate(asked.asked)
        ]
        for _ in range(PAIR - len(voices) % PAIR):
            answer("phone", None, DECOY)
        return answers, [(place, ref) for place, said in voices.items() for ref in sorted({one.ref for one in said})]

    def told(self, checked: Checked) -> dict[str, Any]:
        """A search as it is told to the one who asked."""
        return document(self.vault, checked)


DECOY: Final = (
    Voice("", "one", "intelligence", "", "", "2B", 2, 0, 0),
    Voice("", "two", "known_fraud", "", "", "1A", 2, 0, 0),
)


def document(vault: Vault, checked: Checked) -> dict[str, Any]:
    """The JSON document of a search; the same fields in the same order, whatever was found."""
    found = sum(one.found for one in checked.answers)
    for n in range(PAIR - found % PAIR):
        contact_token(vault, f"{checked.id}.{n}")
    return {
        "id": checked.id,
        "at": clock.timestamp(checked.at),
        "purpose": checked.question.basis.purpose.value,
        "legal_gateway": checked.question.basis.gateway.value,
        "case_reference": checked.question.case_reference,
        "justify_by": None if checked.justify_by is None else clock.timestamp(checked.justify_by),
        "notice": NOTICE,
        "answers": [
            shown(one, check_id := f"{checked.id}.{place}", contact_token(vault, check_id) if one.found else None)
            for place, one in enumerate(checked.answers)
        ],
    }
