"""Searches are append-only, and may be deleted once they are a year old: the database's own clock decides."""

from __future__ import annotations

from alembic import op

from hub.db.triggers import forbid

KEPT_SECONDS = 365 * 86_400
OF_SEARCH = "(SELECT s.at FROM check_search s WHERE s.no = OLD.search_no)"
# (table, what tells when the search was made)
KEPT = (
    ("check_search", "OLD.at"),
    ("check_match", OF_SEARCH),
    ("check_decision", OF_SEARCH),
)


def keep_searches() -> None:
    """Put the rule in the place of the triggers that forbid every deletion."""
    for table, made_at in KEPT:
        _drop(f"{table}_delete_refused", table)
        _keep_for_a_year(table, made_at)


def keep_search_hashes() -> None:
    """The same for what finds a search by the values that it asked for."""
    forbid("check_search_hash", "UPDATE")
    _keep_for_a_year("check_search_hash", OF_SEARCH)


def _keep_for_a_year(table: str, made_at: str) -> None:
    name, reason = f"{table}_kept", f"{table} is kept for a year"
    if op.get_bind().dialect.name == "postgresql":
        young = f"{made_at} > (EXTRACT(EPOCH FROM clock_timestamp()) - {KEPT_SECONDS}) * 1000000"
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {young} THEN"
            f" RAISE EXCEPTION '{reason}' USING ERRCODE = 'check_violation'; END IF; RETURN OLD; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    else:
        young = f"{made_at} > (CAST(strftime('%s', 'now') AS INTEGER) - {KEPT_SECONDS}) * 1000000"
        op.execute(
            f"CREATE TRIGGER {name} BEFORE DELETE ON {table} WHEN {young} BEGIN SELECT RAISE(ABORT, '{reason}'); END"
        )


def _drop(name: str, table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        op.execute(f"DROP FUNCTION IF EXISTS {name}()")
    else:
        op.execute(f"DROP TRIGGER IF EXISTS {name}")
