"""For all tests."""

import atexit
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.store.local.loop_disk import LoopDisk

settings.register_profile("flexedge", deadline=None)  # tests do not time themselves
settings.load_profile("flexedge")


def _hush() -> None:
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def pytest_unconfigure() -> None:
    """End without a page of complaints.

    Hypothesis keeps modules alive while the interpreter is torn down, after the last test and its
    report, and DuckDB's bindings print what of themselves is left then.
    """
    atexit.register(_hush)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[LoopDisk]:
    """A disk of 48 MB that may be filled and broken; for tests marked so."""
    disk = LoopDisk(tmp_path)
    yield disk
    disk.close()
