"""Triggers for migrations, one rule in both dialects: raise the access epoch, keep what is append-only."""

from __future__ import annotations

from alembic import op

from hub.db.database import APPEND_LOCK

# Every table whose change can alter who may see what.
WATCHED = (
    "member",
    "member_group",
    "credential",
    "client_certificate",
    "collection",
    "collection_audience",
    "stream",
    "visibility_class",
    "visibility_class_group",
    "visibility_class_recipient",
)
EVENTS = ("INSERT", "UPDATE", "DELETE")


def raise_epoch_on(tables: tuple[str, ...]) -> None:
    """Create the triggers for ``tables``."""
    if op.get_bind().dialect.name == "postgresql":
        # The append lock comes first, as everywhere: an append that makes a stream holds it before the epoch's
        # row, and a change of members that took the two the other way round would be a deadlock.
        op.execute(
            "CREATE FUNCTION raise_access_epoch() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN PERFORM pg_advisory_xact_lock({APPEND_LOCK});"
            " UPDATE access_epoch SET epoch = epoch + 1; RETURN NULL; END $$"
        )
    watch(tables)


def watch(tables: tuple[str, ...]) -> None:
    """Let further ``tables`` raise the epoch, once ``raise_epoch_on`` has run."""
    if op.get_bind().dialect.name == "postgresql":
        for table in tables:
            op.execute(
                f"CREATE TRIGGER {table}_epoch AFTER INSERT OR UPDATE OR DELETE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION raise_access_epoch()"
            )
        return
    for table in tables:
        for event in EVENTS:
            op.execute(
                f"CREATE TRIGGER {table}_epoch_{event.lower()} AFTER {event} ON {table}"
                " BEGIN UPDATE access_epoch SET epoch = epoch + 1; END"
            )


def forbid(table: str, *changes: str) -> None:
    """Refuse ``changes`` on ``table``: "DELETE", "UPDATE", or "UPDATE OF column, column"."""
    for change in changes:
        name = f"{table}_{change.split()[0].lower()}_refused"
        reason = f"{table} is append-only"
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN RAISE EXCEPTION '{reason}'; END $$"
            )
            op.execute(f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
        else:
            op.execute(f"CREATE TRIGGER {name} BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, '{reason}'); END")
