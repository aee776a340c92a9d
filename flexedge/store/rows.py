"""Rows of time series as arrays: what goes into an archive and what comes out of it.

Times are microseconds since 1970 in UTC. Values are in the sensor's unit; NaN is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
Ids = NDArray[np.int32]
Micros = NDArray[np.int64]
Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]


def micros(moment: datetime) -> int:
    """An aware time in microseconds since 1970, exact for every year there is."""
    return (moment - EPOCH) // _US


def moment(us: int) -> datetime:
    """The time of microseconds since 1970."""
    return EPOCH + int(us) * _US


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Arrays of one length; subclasses say which."""

    def __post_init__(self) -> None:
        lengths = {len(column) for column in self.columns().values()}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")

    def __len__(self) -> int:
        first: NDArray[Any] = getattr(self, fields(self)[0].name)
        return len(first)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Every column by name, in the order of the fields."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def take(self, which: NDArray[Any]) -> Self:
        """The rows that a mask or an index picks."""
        return type(self)(*(column[which] for column in self.columns().values()))

    @classmethod
    def of(cls, columns: dict[str, Any]) -> Self:
        """Rows out of columns of any number type, brought to the types that are kept."""
        return cls(
            *(
                np.ascontiguousarray(columns[field.name], dtype=DTYPES[field.name])
                for field in fields(cls)
            )
        )

    @classmethod
    def empty(cls) -> Self:
        """No rows."""
        return cls.of({field.name: [] for field in fields(cls)})

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All rows of several, one after another."""
        if not parts:
            return cls.empty()
        return cls(*(np.concatenate(columns) for columns in
                     zip(*(part.columns().values() for part in parts), strict=True)))  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Readings(_Rows):
    """What devices said, at the pace of polling."""

    sensor: Ids
    event_us: Micros
    value: Floats
    quality: Codes
    """The place of the quality in ``Quality``."""


@dataclass(frozen=True, slots=True, eq=False)
class Beliefs(_Rows):
    """What sources believed about events, and since when."""

    sensor: Ids
    source: Ids
    event_us: Micros
    """Start of the event."""
    belief_us: Micros
    """When it was believed."""
    probability: Floats
    """Cumulative: that the value is not exceeded; 0.5 where one value says it all."""
    value: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Ingested(_Rows):
    """Beliefs, and when they came in: the larger the number, the later."""

    sensor: Ids
    source: Ids
    event_us: Micros
    belief_us: Micros
    probability: Floats
    value: Floats
    number: Micros
    """No two rows of an archive have the same, and none ever gets another row's."""


@dataclass(frozen=True, slots=True, eq=False)
class Buckets(_Rows):
    """What is left of the usable readings of a sensor in a stretch of time."""

    sensor: Ids
    start_us: Micros
    count: Micros
    """How many usable readings."""
    mean: Floats
    least: Floats
    most: Floats
    first: Floats
    """The first usable reading, and when."""
    first_us: Micros
    last: Floats
    last_us: Micros
    rise: Floats
    """What a counter gained between the readings inside, resets looked through."""
    integral: Floats
    """Value x seconds: each reading held until the next one inside, at most a minute."""


DTYPES: dict[str, Any] = {
    "sensor": np.int32, "source": np.int32,
    "event_us": np.int64, "belief_us": np.int64, "start_us": np.int64, "count": np.int64,
    "first_us": np.int64, "last_us": np.int64, "number": np.int64,
    "value": np.float64, "probability": np.float64, "mean": np.float64, "least": np.float64,
    "most": np.float64, "first": np.float64, "last": np.float64, "rise": np.float64,
    "integral": np.float64, "quality": np.uint8,
}  # fmt: skip
"""The type of each column, wherever it occurs."""
