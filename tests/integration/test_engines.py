"""The databases that tests get: of one's own, fresh each time, alike on both products."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, inspect, text

from tests.engines import DatabaseEngine


def _tables(url: str) -> set[str]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def _create(url: str, table: str) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {table} (n integer)"))
    engine.dispose()


def test_an_empty_database_has_no_tables(empty_database_url: str) -> None:
    assert _tables(empty_database_url) == set()


def test_a_migrated_database_knows_its_revision(database_url: str) -> None:
    assert "alembic_version" in _tables(database_url)


@pytest.mark.parametrize("turn", [1, 2])
def test_what_one_test_writes_no_other_sees(database_url: str, turn: int) -> None:
    _create(database_url, "left_behind")  # fails in the second turn if the first one's table were still there
    assert "left_behind" in _tables(database_url)


def test_two_databases_of_one_test_are_apart(database_engine: DatabaseEngine) -> None:
    with database_engine.empty() as one, database_engine.empty() as other:
        _create(one, "only_here")
        assert (_tables(one), _tables(other)) == ({"only_here"}, set())


def test_the_products_are_both_tested(database_engine: DatabaseEngine, request: pytest.FixtureRequest) -> None:
    assert database_engine.product in request.node.name
