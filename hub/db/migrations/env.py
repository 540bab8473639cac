"""Alembic's entry: runs the revisions on the connection that ``hub.db.migrate`` opened."""

from __future__ import annotations

from alembic import context

from hub.db.records import Record

context.configure(connection=context.config.attributes["connection"], target_metadata=Record.metadata)
with context.begin_transaction():
    context.run_migrations()
