"""Bring a database to the present schema: one Alembic history for both engines."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from hub.db.database import Database, lock_appends

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(url: str) -> None:
    """Upgrade the database at ``url`` to the newest revision; safe to repeat and to run twice at once."""
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


def current_revision(database: Database) -> str | None:
    """The revision the database is at, None before the first migration."""
    with database.reading() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()
