"""A database with the newest tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flexedge.store.state import State
from flexedge.store.tables.database import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def state(path: Path) -> Iterator[State]:
    state = State(path)
    yield state
    state.close()


@pytest.fixture
def database(path: Path, state: State) -> Iterator[Database]:  # noqa: ARG001 (it makes the tables)
    database = Database(path)
    yield database
    database.close()
