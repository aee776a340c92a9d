"""A database with the newest tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flexedge.store.state import State
from flexedge.store.tables.database import Database
from tests.store.pg_server import PgServer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def where(request: pytest.FixtureRequest, path: Path) -> Path | str:
    """A file, or the URL of an empty database on a server."""
    if request.param == "sqlite":
        return path
    server: PgServer = request.getfixturevalue("pg_server")
    return server.new_database()


@pytest.fixture
def state(where: Path | str) -> Iterator[State]:
    state = State(where)
    yield state
    state.close()


@pytest.fixture
def database(where: Path | str, state: State) -> Iterator[Database]:  # noqa: ARG001 (it makes the tables)
    database = Database(where)
    yield database
    database.close()
