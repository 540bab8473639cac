"""The database: engines for both products, units of work, migrations."""

from hub.db.database import Database, Row
from hub.db.migrate import migrate
from hub.db.records import Record, Timestamp

__all__ = ["Database", "Record", "Row", "Timestamp", "migrate"]
