from pathlib import Path

import pytest

from flexedge.store.local.compact import Compactor
from flexedge.store.local.engine import Engine, Limits
from flexedge.store.local.journal import Journal


@pytest.fixture
def history(tmp_path: Path) -> Path:
    (tmp_path / "history").mkdir()
    return tmp_path / "history"


@pytest.fixture
def engine(history: Path) -> Engine:
    return Engine(history, history.parent / "temp", Limits())


@pytest.fixture
def journal(history: Path) -> Journal:
    return Journal(history.parent / "journal.db")


@pytest.fixture
def compactor(engine: Engine, journal: Journal, history: Path) -> Compactor:
    return Compactor(engine, journal, history)
