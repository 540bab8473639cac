"""What a checker decided after an answer, and why a search that was drawn had been made. Append-only."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.checks.searching import sampling
from hub.checks.searching.reading import search_of
from hub.checks.searching.records import SearchDecision
from hub.errors import Conflict, InvalidInput
from hub.sealing import Vault
from hub.stix.cards import redact_cards

LONGEST: Final = 2000
LEAST_JUSTIFICATION: Final = 20


class Decision(StrEnum):
    """What the checker did; the hub never decides."""

    PROCEEDED = "proceeded"
    DECLINED = "declined"
    REFERRED = "referred"
    REPORTED = "reported"
    NONE = "none"


def decide(session: Session, vault: Vault, member_id: str, by: str, check_id: str, given: dict[str, Any]) -> int:
    """Note what was decided; the number of the note. ``given``: "decision", "reason", "justification" (texts, kept
    without full card numbers).

    Raises NotFound for another's check, InvalidInput, Conflict where a justification is given that nobody waits for.
    """
    search, place = search_of(session, member_id, check_id)
    decision = _decision(given)
    reason, justification = (_text(given, name) for name in ("reason", "justification"))
    if justification:
        if len(justification) < LEAST_JUSTIFICATION:
            raise InvalidInput(
                f"say in {LEAST_JUSTIFICATION} characters at least why it was made", where="justification"
            )
        if not sampling.justify(session, search.no):
            raise Conflict("this search waits for no justification", where="justification")
    noted = SearchDecision(
        search_no=search.no, position=place, at=clock.micros(), by=by, decision=decision.value,
        justifies=int(bool(justification)),
        sealed=vault.seal(orjson.dumps({"reason": reason, "justification": justification}), _context(search.id)),
    )  # fmt: skip
    session.add(noted)
    session.flush()
    after = {"by": by, "decision": decision.value, "position": place, "justified": bool(justification)}
    record(session, member_id, "check:decide", search.id, after=after)
    return noted.id


def decisions_of(session: Session, vault: Vault, search_no: int, search_id: str) -> list[dict[str, Any]]:
    """What was decided after a search, in the order of time."""
    found = session.scalars(
        select(SearchDecision).where(SearchDecision.search_no == search_no).order_by(SearchDecision.id)
    )
    return [
        {
            "at": clock.timestamp(one.at),
            "by": one.by,
            "position": one.position,
            "decision": one.decision,
            **orjson.loads(vault.open(one.sealed, _context(search_id))),
        }
        for one in found
    ]


def _decision(given: dict[str, Any]) -> Decision:
    named = given.get("decision", Decision.NONE.value if given.get("justification") else None)
    if named not in set(Decision):
        raise InvalidInput(f"is one of {', '.join(Decision)}", where="decision")
    return Decision(named)


def _text(given: dict[str, Any], name: str) -> str:
    found = given.get(name, "")
    if not isinstance(found, str) or len(found) > LONGEST:
        raise InvalidInput(f"must be a text of at most {LONGEST:,} characters", where=name)
    return redact_cards(found.strip())


def _context(search_id: str) -> str:
    return f"check-decision:{search_id}"
