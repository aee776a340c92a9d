"""Rows for the tests of the store."""

from datetime import UTC, datetime

import numpy as np

from flexedge.store.archive import Stamp
from flexedge.store.rows import Beliefs, Readings

NOW = datetime(2026, 3, 29, tzinfo=UTC)
SECOND = 1_000_000
STAMP = Stamp("boot", 0, trusted=True)


def some(n: int, start: int = 0, sensors: int = 2) -> Readings:
    """Readings a second apart, turn by turn of each sensor; the value says which it is."""
    at = np.arange(start, start + n)
    return Readings.of({"sensor": at % sensors, "event_us": at * SECOND, "value": at * 1.0,
                        "quality": np.zeros(n)})  # fmt: skip


def believed(n: int, start: int = 0, source: int = 1) -> Beliefs:
    """Beliefs of one sensor, each about a minute of its own, held from its start."""
    at = np.arange(start, start + n)
    return Beliefs.of({"sensor": np.ones(n), "source": np.full(n, source),
                       "event_us": at * 60 * SECOND, "belief_us": at * 60 * SECOND,
                       "probability": np.full(n, 0.5), "value": at * 1.0})  # fmt: skip
