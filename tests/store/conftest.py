"""A PostgreSQL server of our own, for the tests that are marked so."""

from collections.abc import Iterator

import pytest

from tests.store.pg_server import PgServer


@pytest.fixture(scope="session")
def pg_server() -> Iterator[PgServer]:
    """A server in a folder that is thrown away."""
    with PgServer() as server:
        yield server


@pytest.fixture
def database(pg_server: PgServer) -> str:
    """The URL of a database with nothing in it."""
    return pg_server.new_database()
