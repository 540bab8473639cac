"""The rules of filings hold in the database itself: each is tried in plain SQL, on both products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub.checks.filings import filing as life
from hub.members import keys
from tests.filings import filed, intelligence, known_fraud
from tests.live import LocalHub, TestMember, local
from tests.people import add_person


@dataclass(frozen=True)
class Kept:
    """A hub with a pending case of known fraud and live intelligence of one bank, and people."""

    hub: LocalHub
    bank: TestMember
    case: str
    live: str
    one: str
    two: str
    outsider: str

    def sql(self, statement: str, **values: str) -> None:
        """Run one statement; ``:case``, ``:live``, ``:one``, ``:two`` and ``:outsider`` are ids."""
        ids = {name: getattr(self, name) for name in ("case", "live", "one", "two", "outsider")}
        wanted = {name: value for name, value in {**ids, **values}.items() if f":{name}" in statement}
        with self.hub.hub.database.engine.begin() as connection:
            connection.execute(text(statement), wanted)

    def refused(self, statement: str, **values: str) -> None:
        with pytest.raises(DBAPIError) as caught:
            self.sql(statement, **values)
        told = str(caught.value.orig)
        assert not [word for word in ("syntax", "no such", "column", "does not exist") if word in told], told


@pytest.fixture
def kept(database_url: str, tmp_path: Path) -> Iterator[Kept]:
    with local(database_url, tmp_path) as hub:
        bank = hub.add_member("Example Bank", groups=("banks",), roles=("contributor",))
        other = hub.add_member("Other Bank", groups=("banks",), roles=("contributor",))
        people = [add_person(hub, f"{n}@bank.example", ("contributor",), bank.member_id).person_id for n in range(2)]
        outsider = add_person(hub, "x@other.example", ("contributor",), other.member_id).person_id
        case, live = filed(hub, bank, known_fraud(), intelligence())
        yield Kept(hub, bank, case, live, *people, outsider)


APPROVE = "UPDATE filing SET approved_by = :{who}, approved_at = 1, state = 'live' WHERE id = :case"


def test_known_fraud_is_live_only_with_the_approval_of_another_person(kept: Kept) -> None:
    kept.refused("UPDATE filing SET state = 'live' WHERE id = :case")
    kept.refused(APPROVE.format(who="outsider"))
    kept.refused(APPROVE.format(who="nobody"), nobody="no-such-person")
    kept.refused("UPDATE filing SET approved_by = filed_by, state = 'live' WHERE id = :case")
    kept.sql("UPDATE person SET status = 'disabled' WHERE id = :two")
    kept.refused(APPROVE.format(who="two"))
    kept.sql(APPROVE.format(who="one"))
    # What was approved is what stands there: nothing of it changes without a new version, which nobody approved.
    kept.refused("UPDATE filing SET sealed = wrapped_key WHERE id = :case")
    kept.refused("UPDATE filing SET evidence = 'another' WHERE id = :case")
    kept.refused("UPDATE filing SET filed_by = 'somebody' WHERE id = :case")
    kept.refused("UPDATE filing SET version = version + 1, sealed = wrapped_key WHERE id = :case")
    kept.refused("UPDATE filing SET tier = 'known_fraud', version = 2 WHERE id = :live")
    kept.refused("UPDATE filing SET approved_by = :outsider WHERE id = :case")


def test_the_writer_is_never_the_approver(kept: Kept) -> None:
    kept.sql("UPDATE filing SET version = version + 1, filed_by = :one WHERE id = :case")
    kept.refused(APPROVE.format(who="one"))
    kept.sql(APPROVE.format(who="two"))


def test_nor_is_who_made_the_writer_s_key(kept: Kept) -> None:
    with kept.hub.hub.database.unit_of_work() as session:
        key, _ = keys.issue(session, kept.bank.member_id, kept.one, "robot", 10)
    kept.sql("UPDATE filing SET version = version + 1, filed_by = :key WHERE id = :case", key=f"credential:{key}")
    kept.refused(APPROVE.format(who="one"))
    kept.refused("UPDATE credential SET issued_by = NULL WHERE username = :key", key=key)
    kept.refused("UPDATE credential SET username = 'another' WHERE username = :key", key=key)
    kept.sql(APPROVE.format(who="two"))


def test_known_fraud_stands_on_its_pillars_and_nothing_begins_approved(kept: Kept) -> None:
    kept.refused("UPDATE filing SET pillars = 7, version = version + 1 WHERE id = :case")
    kept.refused("UPDATE filing SET evidence = '', version = version + 1 WHERE id = :case")
    copied = (
        "INSERT INTO filing SELECT '{id}', member_id, source_group, '{id}', tier, category, role, grade, purpose,"
        " legal_gateway, case_reference, evidence, pillars, action, tlp, class_id, {state}, {version}, filed_by,"
        " filed_at, amended_at, {approver}, approved_at, disputed_by, ended_at, reported_at, first_seen, last_seen,"
        " {until}, wrapped_key, sealed FROM filing WHERE id = :{of}"
    )
    plain = {"id": "x", "state": "state", "version": "1", "approver": "NULL", "until": "valid_until", "of": "case"}
    kept.refused(copied.format(**{**plain, "state": "'live'"}))
    kept.refused(copied.format(**{**plain, "state": "'disputed'"}))
    kept.refused(copied.format(**{**plain, "version": "2"}))
    kept.refused(copied.format(**{**plain, "approver": "'somebody'"}))
    kept.refused(copied.format(**{**plain, "until": "filed_at + 200000000000000"}))
    kept.refused(copied.format(**{**plain, "of": "live"}).replace("purpose,", "'',", 1))
    kept.sql(copied.format(**plain))


def test_what_has_ended_stays_so_and_the_history_is_kept(kept: Kept) -> None:
    kept.refused("UPDATE filing SET filed_at = filed_at + 1 WHERE id = :live")
    kept.refused("UPDATE filing SET member_id = 'another' WHERE id = :live")
    kept.refused("UPDATE filing SET reference = 'another' WHERE id = :live")
    kept.refused("UPDATE filing SET valid_until = filed_at + 200000000000000 WHERE id = :live")
    kept.refused("UPDATE filing SET state = 'refused' WHERE id = :live")
    for table in ("filing_event", "filing_version"):
        kept.refused(f"UPDATE {table} SET at = 1 WHERE filing_id = :live")
        kept.refused(f"DELETE FROM {table} WHERE filing_id = :live")
    with kept.hub.hub.database.unit_of_work() as session:
        life.withdraw(session, kept.hub.hub.filings(), "operator", life.HUB, kept.live)
    for state in ("live", "pending", "disputed", "expired"):
        kept.refused("UPDATE filing SET state = :state WHERE id = :live", state=state)
    kept.refused("UPDATE filing SET version = version + 1 WHERE id = :live")
    # Only now may it be erased, as a whole.
    for table in ("filing_event", "filing_version", "filing_identifier"):
        kept.sql(f"DELETE FROM {table} WHERE filing_id = :live")
    kept.sql("DELETE FROM filing WHERE id = :live")
