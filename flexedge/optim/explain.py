"""Why the plan does what it does: sentences for owners, from the plan's numbers alone.

A reason is given only where the numbers bear it out; without one the sentence says what happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim.device import Device, SocBound, Storage, per_step
from flexedge.optim.problem import Problem
from flexedge.optim.solution import Solution

_KW = 0.05  # less power than this is none
_KWH = 0.01
_MONEY = 1e-4  # per kWh: differences below this are no reason
_SMALL_COINS = {"EUR": "ct", "USD": "ct", "AUD": "ct", "CAD": "ct", "GBP": "p"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One sentence for the site, one for each device."""

    headline: str
    by_device: Mapping[str, str]


def explain(
    problem: Problem, solution: Solution, step: int, zone: ZoneInfo, currency: str
) -> Explanation:
    """Say why the plan does what it does in ``step``; clock times are those of ``zone``."""
    view = _View(problem, solution, step, zone, currency)
    by_device = {device.name: _sentence(view, device) for device in problem.devices}
    return Explanation(_headline(view, by_device), by_device)


@dataclass(frozen=True, slots=True)
class _View:
    """A plan seen from one step."""

    problem: Problem
    solution: Solution
    step: int
    zone: ZoneInfo
    currency: str

    @property
    def grid_kw(self) -> float:
        return float(self.solution.grid_kw[self.step])

    def prices(self) -> FloatArray:
        """What a kWh consumed on site costs or forgoes in each step."""
        problem, grid_kw = self.problem, self.solution.grid_kw
        ends = problem.site.export_price, problem.site.import_price
        between = np.clip(self.solution.energy_value, np.minimum(*ends), np.maximum(*ends))
        return np.where(
            grid_kw > _KW, problem.site.import_price, np.where(grid_kw < -_KW, ends[0], between)
        )

    def source(self) -> str:
        """What consuming means for the site's bill now."""
        names = [device.name for device in self.problem.devices if device.storage is not None]
        moved = sum(float(self.solution.power_kw[name][self.step]) for name in names)
        bought = float(self.problem.site.import_price[self.step])
        sold = float(self.problem.site.export_price[self.step])
        if self.grid_kw > _KW:
            paid = "energy costs" if bought >= 0 else "buying earns"
            return f"{paid} {self.money(abs(bought))} now"
        if self.grid_kw - moved < -_KW:
            paid = "surplus would earn" if sold >= 0 else "feeding in surplus would cost"
            return f"{paid} {self.money(abs(sold))} now"
        return f"energy is worth {self.money(float(self.prices()[self.step]))} now"

    def money(self, per_kwh: float) -> str:
        if self.currency in _SMALL_COINS:
            return f"{per_kwh * 100:.1f} {_SMALL_COINS[self.currency]}"
        return f"{per_kwh:.3f} {self.currency}"

    def clock(self, tick: int) -> str:
        """The local time at which a step starts."""
        grid = self.problem.grid
        return f"{(grid.start + tick * grid.resolution).astimezone(self.zone):%H:%M}"

    def later(self, wanted: FloatArray) -> tuple[int, int] | None:
        """The next run of steps after this one with ``wanted`` above 0: its start and its end."""
        ahead = np.flatnonzero(wanted[self.step + 1 :] > 0) + self.step + 1
        if not ahead.size:
            return None
        broken = np.flatnonzero(np.diff(ahead) > 1)
        last = ahead[broken[0]] if broken.size else ahead[-1]
        return int(ahead[0]), int(last) + 1


def _headline(view: _View, by_device: Mapping[str, str]) -> str:
    """What is missed now, or else what the most powerful of the storages does."""
    grid = view.problem.grid
    now = grid.start + view.step * grid.resolution
    for breach in view.solution.breaches:
        if breach.start <= now < breach.end:
            sentence = breach.sentence(view.zone)
            return f"{sentence[0].upper()}{sentence[1:]}."
    storages = [d for d in view.problem.devices if d.storage is not None]
    powers = {d.name: abs(view.solution.power_kw[d.name][view.step]) for d in storages}
    if powers:
        return by_device[max(powers, key=lambda name: powers[name])]
    price = view.money(float(view.prices()[view.step]))
    return next(iter(by_device.values()), f"Energy is worth {price} now.")


def _sentence(view: _View, device: Device) -> str:
    power = float(view.solution.power_kw[device.name][view.step])
    if device.storage is None:
        if device.min_kw.min() < 0:
            return _producing(view, device, power)
        runs = f"runs at {power:.1f} kW" if power > _KW else "is off"
        return f"The {device.name} {runs}."
    storage = _StorageView(view, device, device.storage, power)
    if power > _KW:
        return f"Charging the {device.name} at {power:.1f} kW{storage.why_charging()}."
    if power < -_KW:
        return f"Discharging the {device.name} at {-power:.1f} kW{storage.why_discharging()}."
    return storage.waiting()


def _producing(view: _View, device: Device, power: float) -> str:
    """Producers without storage: solar."""
    name, could = device.name.capitalize(), -float(device.min_kw[view.step])
    given = 0.0 - power
    if could < _KW:
        return f"{name} produces nothing now."
    if given < could - _KW:
        return f"{name} is held at {given:.1f} of {could:.1f} kW{_why_curtailed(view)}."
    if view.grid_kw < -_KW:
        price = float(view.problem.site.export_price[view.step])
        if price >= 0:
            return f"{name} gives {given:.1f} kW; what is left over earns {view.money(price)}."
        return f"{name} gives {given:.1f} kW, although feeding in costs {view.money(-price)}."
    price = float(view.problem.site.import_price[view.step])
    return f"{name} gives {given:.1f} kW, all used here instead of buying at {view.money(price)}."


def _why_curtailed(view: _View) -> str:
    limit = _limit(view, "production")
    if limit is not None and -view.grid_kw >= limit - _KW:
        return f": the site may feed in {limit:g} kW"
    price = float(view.problem.site.export_price[view.step])
    if price < 0 and view.grid_kw < _KW:
        return f": feeding in would cost {view.money(-price)}"
    buying = float(view.problem.site.import_price[view.step])
    if buying < 0 and view.grid_kw > -_KW:
        return f": buying earns {view.money(-buying)}"
    return ""


def _limit(view: _View, direction: str) -> float | None:
    """The tighter of the site's limits in one direction, in this step."""
    connection = view.problem.site.connection
    limits = [
        float(per_step(amount, view.problem.grid.n)[view.step])
        for amount in (
            connection.power_capacity_kw,
            getattr(connection, f"{direction}_capacity_kw"),
        )
        if amount is not None
    ]
    return min(limits, default=None)


@dataclass(frozen=True, slots=True)
class _StorageView:
    """A storage seen from one step."""

    view: _View
    device: Device
    storage: Storage
    power: float

    def _now(self, amount: FloatArray | float) -> float:
        return float(per_step(amount, self.view.problem.grid.n)[self.view.step])

    @property
    def price(self) -> float:
        return float(self.view.prices()[self.view.step])

    @property
    def worth(self) -> float:
        """What one more stored kWh would save."""
        return float(self.view.solution.stored_value[self.storage.name][self.view.step])

    @property
    def soc(self) -> float:
        """What is stored when the step starts."""
        path = self.view.solution.soc_kwh[self.storage.name]
        return float(path[self.view.step - 1]) if self.view.step else self.storage.soc_start_kwh

    @property
    def two_way(self) -> bool:
        return bool((self.device.min_kw < 0).any())

    def due(self) -> SocBound | None:
        """The next bound that asks for more than is stored now."""
        grid = self.view.problem.grid
        now = grid.start + self.view.step * grid.resolution
        asked = sorted(
            (b for b in (*self.storage.minima, *self.storage.targets)
             if now < b.at <= grid.end and b.soc_kwh > self.soc + _KWH),
            key=lambda bound: bound.at,
        )  # fmt: skip
        return asked[0] if asked else None

    def why_charging(self) -> str:
        view = self.view
        if self.soc < self.storage.soc_min_kwh - _KWH:
            return f": it holds less than {self.storage.soc_min_kwh:g} kWh"
        why = f": {view.source()}"
        gain = self.worth * self._now(self.device.charging_efficiency)
        due = self.due()
        if due is not None:
            why += f", and {due.soc_kwh:g} kWh are due at {due.at.astimezone(view.zone):%H:%M}"
        elif self.two_way and gain >= max(self.price, 0.0) - _MONEY:
            why += f" and the stored energy will be worth {self._use()}"
        return why + self._limited(gain)

    def _limited(self, gain: float) -> str:
        """What keeps it from charging more, if more were worth it."""
        view, step = self.view, self.view.step
        if self.power > self.device.max_kw[step] - _KW or gain < self.price + _MONEY:
            return ""
        limit = _limit(view, "consumption")
        if limit is not None and view.grid_kw >= limit - _KW:
            return f"; limited by the {limit:g} kW site limit"
        if view.solution.peak_value[step] > _MONEY:
            return f"; held back to keep the peak at {view.grid_kw:.1f} kW"
        return ""

    def why_discharging(self) -> str:
        view, problem, step = self.view, self.view.problem, self.view.step
        if self.soc > self.storage.soc_max_kwh + _KWH:
            return f": it holds more than {self.storage.soc_max_kwh:g} kWh"
        selling = view.grid_kw < -_KW
        price = float((problem.site.export_price if selling else problem.site.import_price)[step])
        why = f": {'feeding in earns' if selling else 'energy costs'} {view.money(price)} now"
        gain = price * self._now(self.device.discharging_efficiency)
        if view.solution.peak_value[step] > _MONEY:
            why += f", and it keeps the peak at {view.grid_kw:.1f} kW"
        elif _MONEY < self.worth <= gain - _MONEY:
            why += f", more than the {view.money(self.worth)} that keeping it is worth"
        return why

    def _use(self) -> str:
        """What a stored kWh saves when it is used next, or else what one more would save."""
        view, solution, name = self.view, self.view.solution, self.device.name
        given = np.maximum(-solution.power_kw[name] - _KW, 0.0)
        used = view.later(given)
        if used is None:
            return view.money(self.worth)
        run = slice(*used)
        n = view.problem.grid.n
        saved = view.prices()[run] * per_step(self.device.discharging_efficiency, n)[run]
        worth = float(np.average(saved, weights=given[run]))
        if worth < self.worth - _MONEY:  # then it is kept for something better
            return view.money(self.worth)
        return f"{view.money(worth)} ({view.clock(used[0])}-{view.clock(used[1])})"

    def waiting(self) -> str:
        view, name = self.view, self.device.name
        if self.device.max_kw[view.step] < _KW and self.device.min_kw[view.step] > -_KW:
            return f"The {name} is not available now."
        return f"The {name} waits{self._why_waiting()}."

    def _why_waiting(self) -> str:
        view = self.view
        flow = view.solution.power_kw[self.device.name]
        charged, used = view.later(flow - _KW), view.later(-flow - _KW)
        holds = self.soc > self.storage.soc_min_kwh + _KWH
        if holds and used is not None and (charged is None or used[0] < charged[0]):
            gain = self.price * self._now(self.device.discharging_efficiency)
            if self.worth > gain - _MONEY:
                return f": what it holds will be worth {self._use()}"
        if charged is not None:
            then = float(view.prices()[charged[0] : charged[1]].min())
            if then < self.price - _MONEY:
                return (
                    f": power is cheaper from {view.clock(charged[0])} ({view.money(then)} instead "
                    f"of {view.money(self.price)}){self._in_time()}"
                )
        if self.soc >= self.storage.soc_max_kwh - _KWH:
            return ": it is full"
        if charged is None and used is None:
            return ": it needs nothing more for now"
        return ""

    def _in_time(self) -> str:
        due = self.due()
        missed = {breach.start for breach in self.view.solution.breaches}
        if due is None or due.at in missed:
            return ""
        return f"; it will be full enough by {due.at.astimezone(self.view.zone):%H:%M}"
