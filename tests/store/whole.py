"""The whole store as a thing that takes beliefs and answers: files, journal and all."""

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from flexedge.domain.asset import Knowable
from flexedge.store.archive import Asked
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.disk import Bounds
from flexedge.store.local.engine import Limits
from flexedge.store.rows import EPOCH, Beliefs, Readings
from tests.store.local.rows_made import STAMP

ROOM = Bounds(reserve_mb=0, ballast_mb=0)


class Whole:
    """One at a time: a new one takes the folder of the one before."""

    _folder = Path(tempfile.mkdtemp(prefix="flexedge-"))
    archive: LocalArchive
    _open: "Whole | None" = None

    def __init__(self) -> None:
        if Whole._open is not None:
            Whole._open.archive.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self.archive = LocalArchive(self._folder, EPOCH, Limits(threads=1), bounds=ROOM)
        Whole._open = self

    def keep(self, beliefs: Beliefs) -> None:
        """Two thirds come into a partition, the rest stays in the journal."""
        part = np.arange(len(beliefs)) % 3 == 0
        self.archive.commit(Readings.empty(), beliefs.take(~part), STAMP)
        self.archive._compactor.compact()
        self.archive.commit(Readings.empty(), beliefs.take(part), STAMP)

    def beliefs(self, asked: Asked, knowable: Mapping[int, Knowable]) -> Beliefs:
        return self.archive.beliefs(asked, knowable)


@atexit.register
def _clear() -> None:
    shutil.rmtree(Whole._folder, ignore_errors=True)
