"""Databases of older revisions."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

BEGUN = """
CREATE TABLE facts (name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name));
CREATE TABLE sessions (
    token_hash TEXT NOT NULL, created FLOAT NOT NULL, seen FLOAT NOT NULL,
    PRIMARY KEY (token_hash));
CREATE TABLE held (control TEXT NOT NULL, since FLOAT NOT NULL, PRIMARY KEY (control));
INSERT INTO facts VALUES ('web.password', 'a hash');
INSERT INTO sessions VALUES ('token', 1776770407.25, 1776770707.5);
INSERT INTO held VALUES ('battery.battery.power', 1776770407.25);
"""
"""As it was made, and filled, before there were revisions."""
Ask = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def begun(path: Path) -> Path:
    """A database from before there were revisions."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(BEGUN)
    return path


@pytest.fixture
def ask(path: Path) -> Ask:
    """The rows of a query."""

    def rows(query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute(query).fetchall()

    return rows
