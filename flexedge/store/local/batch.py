"""What was committed at once: as rows, and as the journal has it.

The checksum covers all that the journal notes of a batch, not only its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flexedge.errors import StoreDamaged
from flexedge.store.archive import Stamp
from flexedge.store.local.codec import pack, unpack
from flexedge.store.local.engine import Columns
from flexedge.store.local.partition import ORDER_BITS, Kind
from flexedge.store.rows import Beliefs, Readings

Row = tuple[int, Kind, int, str, int, int, bytes]
"""Number, kind, count, boot, offset, trust, bytes."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one kind with their number, and how the clock stood."""

    seq: int
    rows: Readings | Beliefs
    stamp: Stamp

    @property
    def kind(self) -> Kind:
        """Of its rows."""
        return "readings" if isinstance(self.rows, Readings) else "beliefs"

    def row(self) -> Row:
        """As the journal has it."""
        stamp = self.stamp
        head = (self.seq, self.kind, len(self.rows), stamp.boot, stamp.offset_us,
                int(stamp.trusted))  # fmt: skip
        return (*head, pack(self.rows, repr(head)))

    def redated(self, seq: int, stamp: Stamp) -> "Batch":
        """Its readings as the right clock would have dated them, as another batch."""
        rows = self.rows
        assert isinstance(rows, Readings)  # noqa: S101 (only they are dated by an untrusted clock)
        late = stamp.offset_us - self.stamp.offset_us
        shifted = Readings(rows.sensor, rows.event_us + late, rows.value, rows.quality)
        return Batch(seq, shifted, stamp)


def read(row: Row) -> Batch:
    """What the journal has. Raises ``StoreDamaged`` when it is not what was written."""
    seq, kind, n, boot, offset_us, trusted, data = row
    if [type(one) for one in row] != [int, str, int, str, int, int, bytes]:
        raise StoreDamaged(f"batch {seq} of the journal is not of the types that were written")
    about = repr(row[:-1])
    rows = (
        unpack(Readings, data, n, about) if kind == "readings" else unpack(Beliefs, data, n, about)
    )
    return Batch(seq, rows, Stamp(boot, offset_us, bool(trusted)))


def ordered(parts: Sequence[tuple[int, Readings | Beliefs]]) -> Columns:
    """The columns of batches by their numbers, with the order in which their rows came."""
    columns: dict[str, NDArray[Any]] = {}
    for name in parts[0][1].columns():
        columns[name] = np.concatenate([rows.columns()[name] for _, rows in parts])
    columns["ord"] = np.concatenate(
        [(number << ORDER_BITS) + np.arange(len(rows), dtype=np.int64) for number, rows in parts]
    )
    return columns
