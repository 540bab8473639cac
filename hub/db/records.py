"""The base of every table that SQLAlchemy maps."""

from __future__ import annotations

from typing import Annotated

from sqlalchemy import BigInteger, MetaData
from sqlalchemy.orm import DeclarativeBase, mapped_column

# Microseconds since the epoch, UTC: one integer that sorts, compares and indexes alike on both engines.
Timestamp = Annotated[int, mapped_column(BigInteger)]


class Record(DeclarativeBase):
    """Base class of the hub's tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
