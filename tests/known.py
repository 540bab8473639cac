"""Statements put straight into the tables, for tests of what is answered about them."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hub import clock
from hub.audit import record
from hub.checks.filings.parts import Envelope
from hub.checks.filings.records import Filing, FilingIdentifier
from hub.checks.index import CheckIndex
from hub.checks.subjects import Subject, terms
from hub.clock import DAY
from hub.feeds.records import Contribution, Indicator, SourceRecord
from hub.ledger.classes import Audience, class_id
from hub.members.people_records import Person
from hub.sealing import Vault
from hub.stix.values import Value, account_of

_numbers = itertools.count(1)


def put_filing(
    session: Session,
    vault: Vault,
    member_id: str,
    subjects: Sequence[Subject],
    audience: Audience,
    *,
    tier: str = "intelligence",
    grade: str = "2B:P",
    role: str = "mule-account",
    state: str = "live",
    group: str | None = None,
    first_seen: int | None = None,
    last_seen: int | None = None,
    valid_until: int | None = None,
) -> str:
    """A filing as it stands after ``state`` was reached; its id. Times in microseconds."""
    filing_id, now = f"filing--{uuid.uuid4()}", clock.micros()
    envelope, wrapped = Envelope.made(vault, filing_id)
    known = tier == "known_fraud"
    until = valid_until or now + 30 * DAY
    session.add(
        Filing(
            id=filing_id, member_id=member_id, source_group=group or member_id, reference=f"R-{next(_numbers)}",
            tier=tier, category="5D", role=role, grade=grade, purpose="fraud-prevention",
            legal_gateway="serious-crime-act-2007-s68", case_reference="C", evidence="E" if known else "",
            pillars=15 if known else 0, action="account-closed", tlp=int(audience.tlp),
            class_id=class_id(session, audience), state="pending" if known else "live", version=1,
            filed_by="credential:tests", filed_at=now, amended_at=now, approved_by=None, approved_at=None,
            disputed_by=None, ended_at=None, reported_at=now, first_seen=first_seen or now - 40 * DAY,
            last_seen=last_seen or now, valid_until=until, wrapped_key=wrapped, sealed=b"sealed",
        )
    )  # fmt: skip
    session.flush()
    index = CheckIndex(vault)
    places = itertools.count()
    for subject in subjects:
        for term in terms(subject):
            position, name = next(places), subject.person.name if subject.person else ""
            session.add(
                FilingIdentifier(
                    filing_id=filing_id, position=position, kind=subject.kind.value, facet=term.facet,
                    exact=term.exact, epoch=index.epoch, tag=index.tag(term.facet, term.text), valid_until=until,
                    published=False, sealed=envelope.seal_identifier(position, term.facet, term.text, name),
                )
            )  # fmt: skip
    session.flush()
    record(session, "tests", "filing:file", filing_id)
    for step in _path(known, state):
        changes = {"state": step} | ({"approved_by": _approver(session, member_id)} if known and step == "live" else {})
        session.execute(update(Filing).where(Filing.id == filing_id).values(**changes))
    session.expire_all()
    return filing_id


def put_contribution(
    session: Session,
    value: Value,
    source: SourceRecord,
    *,
    collections: Sequence[int],
    tlp: int,
    groups: Sequence[int] = (),
    grade: str = "2B",
    count: int = 1,
    last_seen: int | None = None,
    echo: bool = False,
) -> str:
    """What a source says of a value's indicator, which is made where there is none; the indicator's id."""
    same = select(Indicator).where(Indicator.kind == value.kind.value, Indicator.value == value.text)
    indicator, now = session.scalar(same), clock.micros()
    if indicator is None:
        made = f"indicator--{uuid.uuid4()}"
        indicator = Indicator(
            key=made, stix_id=made, generation=0, kind=value.kind.value, value=value.text,
            account=account_of(value), created=now, modified=now, content=b"said",
        )  # fmt: skip
        session.add(indicator)
        session.flush()
    seen = last_seen or now
    session.add(
        Contribution(
            indicator_id=indicator.id, source_id=source.id, collections=list(collections), fingerprint=b"",
            first_seen=seen - DAY, last_seen=seen, count=count, grade=grade, tlp=tlp, groups=list(groups), labels=[],
            sighting_created=0, sighting_modified=0, echo=echo,
        )
    )  # fmt: skip
    session.flush()
    return indicator.stix_id


def _path(known: bool, state: str) -> list[str]:
    begins = ["live"] if known and state not in ("pending", "refused") else []
    return begins if state in ("live", "pending") else [*begins, state]


def _approver(session: Session, member_id: str) -> str:
    """An active person of the member, made at the first call."""
    found = session.scalar(select(Person.id).where(Person.member_id == member_id, Person.status == "active"))
    if found is None:
        found = str(uuid.uuid4())
        session.add(
            Person(
                id=found, member_id=member_id, email=f"{found}@bank.example", name="Sam Reed", roles=[],
                status="active", password_hash=None, totp_secret=None, totp_step=0, failures=0, locked_until=0,
                created_at=0, last_seen_at=None,
            )
        )  # fmt: skip
        session.flush()
    return found
