from collections.abc import Iterator
from pathlib import Path

import pytest

from flexedge.store.local.compact import Compactor
from flexedge.store.local.engine import Engine, Limits
from flexedge.store.local.journal import Journal
from tests.store.local.loop_disk import LoopDisk


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


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[LoopDisk]:
    """A disk of 48 MB that may be filled and broken; for tests marked so."""
    disk = LoopDisk(tmp_path)
    yield disk
    disk.close()
