"""What shall be planned, as plain numbers: devices, prices, limits on one grid of time.

Power is in kW and consumption positive, energy in kWh, money in one currency. Nothing here knows
of sensors, units or YAML; nothing below may meet a NaN.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import numpy as np

from flexedge.domain.series import FloatArray, TimeGrid

SITE_BREACH_PRICE = 10_000.0  # per kW: FlexMeasures' default for the site's agreed capacities
_LEAST_EFFICIENCY = 1e-3
SOC_BREACH_PRICE = 1_000.0  # per kWh: FlexMeasures' default for soc-minima, -maxima and -targets

Amount = FloatArray | float
"""One number for all steps, or one for each."""


@dataclass(frozen=True, slots=True)
class SocBound:
    """A bound on the state of charge at one moment, which may lie between two ticks.

    Moments at or before the start of the grid, or after its end, bind nothing.
    """

    at: datetime
    soc_kwh: float


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """What a device stores, and how well."""

    soc_start_kwh: float
    soc_min_kwh: float
    """Hard. Where the device cannot keep it by its own power it is approached as fast as can be."""
    soc_max_kwh: float
    minima: tuple[SocBound, ...] = ()
    maxima: tuple[SocBound, ...] = ()
    targets: tuple[SocBound, ...] = ()
    usage_kw: Amount = 0.0
    """What flows out without being asked, in kW of stored energy; gains are negative."""
    charging_efficiency: Amount = 1.0
    """Stored per consumed energy; above 1 it is the COP of a heat pump."""
    discharging_efficiency: Amount = 1.0
    storage_efficiency: float = 1.0
    """Share of the stored energy that is left after one quarter hour."""
    prefer_charging_sooner: bool = True
    """Between plans of equal cost: full sooner, or (False) later."""


@dataclass(frozen=True, slots=True, eq=False)
class Device:
    """Something whose power is decided, between ``min_kw`` and ``max_kw`` in each step (hard)."""

    name: str
    min_kw: FloatArray
    max_kw: FloatArray
    storage: Storage | None = None
    prefer_curtailing_later: bool = True
    """Between plans of equal cost, for producers without storage."""


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """The site's connection to the grid.

    A soft capacity is exceeded only where nothing else is possible: its breach price is charged
    once on the largest breach ("any") and once on breach times hours ("all"). A breach price of
    None makes it hard.
    """

    power_capacity_kw: Amount | None = None
    """Hard, in both directions."""
    consumption_capacity_kw: Amount | None = None
    production_capacity_kw: Amount | None = None
    consumption_breach_price: float | None = SITE_BREACH_PRICE
    production_breach_price: float | None = SITE_BREACH_PRICE
    peak_consumption_kw: float = 0.0
    """Peak already incurred or contracted; only what exceeds it costs."""
    peak_price: float | None = None
    """Per kW of the highest exceedance."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A site over a horizon. Raises ``ValueError`` that names device and field.

    ``soc_breach_price`` (per kWh) is charged on missed minima, maxima and targets of each device:
    once on the largest miss ("any") and once on miss times hours ("all"). None makes them hard.
    """

    grid: TimeGrid
    devices: tuple[Device, ...]
    inflexible_kw: FloatArray
    """Sum of what happens anyway: load less uncontrolled production."""
    import_price: FloatArray
    """Per kWh of net consumption."""
    export_price: FloatArray
    """Paid per kWh of net production; negative when feeding in costs."""
    connection: Connection = Connection()
    soc_breach_price: float | None = SOC_BREACH_PRICE

    def __post_init__(self) -> None:
        if self.grid.n == 0:
            raise ValueError("the grid has no steps")
        names = [device.name for device in self.devices]
        if len(set(names)) != len(names) or not all(names):
            raise ValueError("devices need names, each its own")
        for message in chain(_wrong_with_site(self), _wrong_with_devices(self)):
            raise ValueError(message)


def per_step(amount: Amount, n: int) -> FloatArray:
    """``amount`` as an array of shape (n,)."""
    return np.ascontiguousarray(np.broadcast_to(np.asarray(amount, dtype=np.float64), (n,)))


def _no_number(amount: Amount | None, n: int, *, at_least: float | None = None) -> str | None:
    """What is wrong with a number or an array of ``n``, or None."""
    if amount is None:
        return None
    array = np.asarray(amount)
    if array.dtype.kind not in "iuf" or array.shape not in ((), (n,)):
        return f"should be a number or {n} of them, not {array.dtype} of shape {array.shape}"
    if not np.isfinite(array).all():
        where = "" if array.shape == () else f" in step {int(np.argmin(np.isfinite(array)))}"
        return f"is not a finite number{where}"
    if at_least is not None and (array < at_least).any():
        return f"should be at least {at_least:g}, not {array.min():g}"
    return None


def _wrong_with_site(problem: Problem) -> Iterator[str]:
    n, connection = problem.grid.n, problem.connection
    for name in ("inflexible_kw", "import_price", "export_price"):
        array = getattr(problem, name)
        if np.shape(array) != (n,):
            yield f"{name} has shape {np.shape(array)} on a grid of {n} steps"
        elif wrong := _no_number(array, n):
            yield f"{name} {wrong}"
    for name in ("power_capacity_kw", "consumption_capacity_kw", "production_capacity_kw"):
        if wrong := _no_number(getattr(connection, name), n, at_least=0.0):
            yield f"connection {name} {wrong}"
    for name in ("consumption_breach_price", "production_breach_price", "peak_consumption_kw",
                 "peak_price"):  # fmt: skip
        if wrong := _no_single(getattr(connection, name), at_least=0.0):
            yield f"connection {name} {wrong}"
    if wrong := _no_single(problem.soc_breach_price, at_least=0.0):
        yield f"soc_breach_price {wrong}"


def _no_single(number: float | None, *, at_least: float | None = None) -> str | None:
    if number is not None and np.shape(number) != ():
        return "should be one number"
    return _no_number(number, 1, at_least=at_least)


def _wrong_with_devices(problem: Problem) -> Iterator[str]:
    n = problem.grid.n
    for device in problem.devices:
        for name in ("min_kw", "max_kw"):
            array = getattr(device, name)
            if np.shape(array) != (n,):
                yield f"{device.name} {name} has shape {np.shape(array)} on a grid of {n} steps"
            elif wrong := _no_number(array, n):
                yield f"{device.name} {name} {wrong}"
        if (device.min_kw > device.max_kw).any():
            step = int(np.argmax(device.min_kw > device.max_kw))
            yield f"{device.name} min_kw lies above max_kw in step {step}"
        if device.storage is not None:
            for wrong in _wrong_with_storage(device.storage, n):
                yield f"{device.name} {wrong}"


def _wrong_with_storage(storage: Storage, n: int) -> Iterator[str]:
    for name in ("soc_start_kwh", "soc_min_kwh", "soc_max_kwh", "storage_efficiency"):
        if wrong := _no_single(getattr(storage, name)):
            yield f"{name} {wrong}"
    for name, least in (
        ("usage_kw", None),
        ("charging_efficiency", _LEAST_EFFICIENCY),
        ("discharging_efficiency", _LEAST_EFFICIENCY),
    ):
        if wrong := _no_number(getattr(storage, name), n, at_least=least):
            yield f"{name} {wrong}"
    if storage.soc_min_kwh > storage.soc_max_kwh:
        yield "soc_min_kwh lies above soc_max_kwh"
    if not 0 < storage.storage_efficiency <= 1:
        yield f"storage_efficiency should lie in (0, 1], not {storage.storage_efficiency:g}"
    yield from _wrong_with_bounds(storage)


def _wrong_with_bounds(storage: Storage) -> Iterator[str]:
    for name in ("minima", "maxima", "targets"):
        for bound in getattr(storage, name):
            if bound.at.tzinfo is None:
                yield f"{name} need aware times, not {bound.at.isoformat()}"
            if wrong := _no_single(bound.soc_kwh):
                yield f"{name} at {bound.at.isoformat()} {wrong}"
