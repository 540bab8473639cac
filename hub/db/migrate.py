"""Bring a database to the present schema: one Alembic history for both engines."""

from __future__ import annotations

from pathlib import Path

from hub.db.database import Database, lock_appends

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(url: str) -> None:
    """Upgrade the database at ``url`` to the newest revision; safe to repeat and to run twice at once."""
    # Imported here: a web process never migrates, and Alembic is a fifth of its start.
    from alembic import command  # noqa: PLC0415 (as above)
    from alembic.config import Config  # noqa: PLC0415 (as above)

    database = Database(url)
    try:
        with database.unit_of_work() as session:
            lock_appends(session)
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = session.connection()
            command.upgrade(config, "head")
    finally:
        database.close()
