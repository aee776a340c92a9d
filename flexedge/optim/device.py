"""Devices and what they store, as plain numbers.

Power is in kW and consumption positive, energy in kWh, money in one currency.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flexedge.domain.series import FloatArray

SOC_BREACH_PRICE = 1_000.0  # per kWh: FlexMeasures' default for soc-minima, -maxima and -targets
DEVICE_BREACH_PRICE = 100.0  # per kW: FlexMeasures' default for a device's capacities
ELECTRICITY = "electricity"

Amount = FloatArray | float
"""One number for all steps, or one for each."""


def per_step(amount: Amount, n: int) -> FloatArray:
    """``amount`` as an array of shape (n,)."""
    return np.ascontiguousarray(np.broadcast_to(np.asarray(amount, dtype=np.float64), (n,)))


MOMENT_HOURS = 0.25
"""For how long a miss at one moment counts: as long as FlexMeasures' usual step."""


@dataclass(frozen=True, slots=True)
class SocBound:
    """A bound on the state of charge at one moment, which may lie between two ticks.

    Moments at or before the start of the grid, or after its end, bind nothing.
    """

    at: datetime
    soc_kwh: float
    asked: str = ""
    """The field that asks for it, such as "soc-targets[0]"; empty where that is not known."""
    derived: bool = False
    """Whether it only keeps something else within reach, and nobody asked for it."""
    hours: float = MOMENT_HOURS
    """For how long it stands: what a miss is multiplied with where that is charged by the hour."""


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """A stock of energy. Devices that hold the same object feed it together."""

    name: str
    soc_start_kwh: float
    soc_min_kwh: float = -math.inf
    """Hard. Where the devices cannot keep it by their own power it is approached as fast as can
    be."""
    soc_max_kwh: float = math.inf
    minima: tuple[SocBound, ...] = ()
    maxima: tuple[SocBound, ...] = ()
    targets: tuple[SocBound, ...] = ()
    minima_price: Amount | None = SOC_BREACH_PRICE
    """Per kWh, for what is missing to minima: charged once on the largest miss ("any") and once on
    miss times hours ("all"). None makes them hard."""
    maxima_price: Amount | None = SOC_BREACH_PRICE
    """The same for what exceeds maxima. Targets are soft when both prices are given."""
    usage_kw: Amount = 0.0
    """What flows out without being asked, in kW of stored energy; gains are negative."""
    storage_efficiency: Amount = 1.0
    """Share of the stored energy that is left after one step."""
    prefer_charging_sooner: bool = True
    """Between plans of equal cost: full sooner, or (False) later."""
    prefer_sooner_less: bool = True
    """The preference falls over time (FlexMeasures' prefer-curtailing-later); else constant."""
    value_at_end: tuple[tuple[float, float], ...] = ()
    """What stored energy is worth at the end of the horizon: (up to kWh, value per kWh) with
    falling values, the last one up to infinity. Nothing by default."""


@dataclass(frozen=True, slots=True, eq=False)
class Soft:
    """A limit that may be exceeded at a price.

    The price per kW is charged once on the largest breach of each run of equal limit and price
    ("any") and once on breach times hours ("all").
    """

    limit_kw: Amount
    price: Amount


@dataclass(frozen=True, slots=True)
class Coupling:
    """Devices coupled by one name have flows in a fixed ratio: power = coefficient * level."""

    name: str
    coefficient: float
    """Positive for what consumes, negative for what produces."""


@dataclass(frozen=True, slots=True)
class Running:
    """What it takes to start and stop a device that is either off (0 kW) or on (in its modes)."""

    start_price: float = 0.0
    """Money per start."""
    min_up_steps: int = 0
    min_down_steps: int = 0
    max_starts_per_day: int | None = None
    on_before: bool = False
    """Whether it runs when the first step begins."""
    held_steps: int = 0
    """In how many steps from the first it may not change that yet."""
    starts_before: int = 0
    """How often it started on the first day before the first step."""


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """A task of constant power: how long it runs, when it may, and how often.

    ``allowed`` has a truth per step. INFLEXIBLE starts as early as it may, SHIFTABLE runs in one
    piece, BREAKABLE may be interrupted. Each of ``runs`` takes ``slots`` steps; pieces do not
    overlap.
    """

    power_kw: float
    slots: int
    kind: Literal["INFLEXIBLE", "BREAKABLE", "SHIFTABLE"]
    allowed: NDArray[np.bool_]
    runs: int = 1
    dearest: bool = False
    """Runs where energy costs most, whatever else is planned (FlexMeasures' MAX)."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A piecewise-linear curve: ``y`` at ``x``, straight between them. x rises."""

    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Device:
    """Something whose power is decided, between ``min_kw`` and ``max_kw`` in each step (hard)."""

    name: str
    min_kw: FloatArray
    max_kw: FloatArray
    storage: Storage | None = None
    charging_efficiency: Amount = 1.0
    """Stored per consumed energy; above 1 it is the COP of a heat pump."""
    discharging_efficiency: Amount = 1.0
    """Produced per energy taken from the stock."""
    commodity: str = ELECTRICITY
    consumption_capacity: Soft | None = None
    production_capacity: Soft | None = None
    """How much it may give (positive) without a penalty."""
    modes: tuple[tuple[float, float], ...] = ()
    """Bands of power (from, to; consumption positive), of which each step keeps to one."""
    coupling: Coupling | None = None
    prefer_curtailing_later: bool = True
    """Between plans of equal cost, for producers without storage."""
    wear_price: float = 0.0
    """Money per kWh of throughput (drawn or given) of a storage."""
    running: Running | None = None
    process: Process | None = None
    """A task instead of free power; its limits have room for that."""
    max_rise_kw: float | None = None
    """By how much the power may rise from step to step, and fall below."""
    max_fall_kw: float | None = None
    power_before_kw: float | None = None
    """Power before the first step, for the ramp; None where it is not known."""
    charge_taper: Curve | None = None
    """Most power drawn (kW) over state of charge (kWh): concave. Beyond its ends the outer pieces
    go on, down to 0 kW."""
    discharge_taper: Curve | None = None
    """The same for power given."""
    part_load: Curve | None = None
    """Stored power (kW) over power drawn (kW), instead of the charging efficiency."""
    phases: tuple[float, float, float] | None = None
    """Shares of its power on the three phases; None: a third on each."""
    priority: float = 0.0
    """Tie-breaker: between equal costs the device of higher priority charges first, and is
    curtailed last."""
    share: Amount = 1.0
    """Share of each step that is still to come. Powers are means over whole steps: of a step that
    has begun, ``min_kw`` and ``max_kw`` are this share of what the device can do."""
