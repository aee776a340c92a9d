"""What the site would do without a plan: to compare costs with.

"Do nothing" leaves batteries alone; "own PV first" lets them take what the site has left over and
give what it lacks. In both, producers give all they can, what has a demand of its own (cars,
heat buffers) draws full power until it holds what is asked of it, and tasks run at once.
"""

from dataclasses import dataclass

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim import process
from flexedge.optim.commitments import runs
from flexedge.optim.device import Device, Process, Storage, per_step
from flexedge.optim.problem import Problem
from flexedge.optim.stocks import Physics

_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class Reference:
    """What a simple rule would cost: energy and peaks of electricity, limits not counted."""

    name: str
    cost: float


def net_cost(problem: Problem, grid_kw: FloatArray) -> float:
    """What electricity and its peaks cost for a profile of net consumption."""
    market, n = problem.site, problem.grid.n
    bought, sold = np.maximum(grid_kw, 0.0), np.maximum(-grid_kw, 0.0)
    energy = market.import_price @ bought - market.export_price @ sold
    cost = float(energy) * problem.grid.hours
    connection = market.connection
    used = per_step(connection.used_kw, n)
    for flow, paid, price in (
        (grid_kw + used, connection.peak_consumption_kw, connection.peak_price),
        (-grid_kw - used, connection.peak_production_kw, connection.peak_production_price),
    ):
        if price is not None:
            limit, money = per_step(paid, n), per_step(price, n)
            highest = np.zeros(n)
            np.maximum.at(highest, runs(limit, money), money * np.maximum(flow - limit, 0.0))
            cost += float(highest.sum())
    return cost


def references(problem: Problem) -> tuple[Reference, ...]:
    """The costs of doing nothing and of using own PV first."""
    idle = _without_batteries(problem)
    return (
        Reference("do nothing", net_cost(problem, idle)),
        Reference("own PV first", net_cost(problem, _with_batteries(problem, idle))),
    )


def _without_batteries(problem: Problem) -> FloatArray:
    net: FloatArray = problem.site.inflexible_kw.copy()
    fed = dict(problem.storages)
    for device in problem.devices:
        if device.commodity != problem.site.commodity:
            continue
        if device.process is not None:
            net += _at_once(device.process, problem.grid.n) * per_step(device.share, problem.grid.n)
        elif device.storage is None:
            net += np.where(device.min_kw < 0, device.min_kw, np.maximum(device.min_kw, 0.0))
        elif not _is_battery(device) and fed[device.storage][0] is device:
            net += _draw(problem, device, device.storage)
    return net


def _at_once(task: Process, n: int) -> FloatArray:
    """A task that runs as early as it may; what finds no room does not run."""
    kind: process.ProcessType = "BREAKABLE" if task.kind == "BREAKABLE" else "INFLEXIBLE"
    power, allowed = np.zeros(n), task.allowed.copy()
    for _ in range(task.runs):
        running = process.place(kind, task.slots, np.zeros(n), allowed)
        if running is None or not running.any():
            break
        power += np.where(running, task.power_kw, 0.0)
        allowed &= ~running
    return power


def _is_battery(device: Device) -> bool:
    """A storage that can give back, and of which nothing is asked."""
    storage = device.storage
    if storage is None or (device.min_kw >= 0).all():
        return False
    return not (storage.minima or storage.targets or np.any(storage.usage_kw))


def _wanted(problem: Problem, storage: Storage) -> FloatArray:
    """What shall be held at the end of each step: what is asked, or what it began with."""
    asked = [bound.soc_kwh for bound in (*storage.minima, *storage.targets)]
    level = max([*asked, storage.soc_min_kwh], default=storage.soc_start_kwh)
    if not asked:
        level = max(storage.soc_start_kwh, storage.soc_min_kwh)
    return np.full(problem.grid.n, min(level, storage.soc_max_kwh))


def _draw(problem: Problem, device: Device, storage: Storage) -> FloatArray:
    """Full power until the stock holds what is asked of it, then what keeps it there."""
    physics, soc = Physics.of(storage, problem.grid), storage.soc_start_kwh
    gain, wanted = physics.gain_at_most(device), _wanted(problem, storage)
    power = np.zeros(problem.grid.n)
    for j in range(problem.grid.n):
        rest = physics.keep[j] * soc + physics.drift[j]
        missing = max(wanted[j] - rest, 0.0) / max(gain[j], _NOTHING)
        power[j] = min(missing, max(device.max_kw[j], 0.0))
        soc = rest + gain[j] * power[j]
    return power


def _with_batteries(problem: Problem, net_kw: FloatArray) -> FloatArray:
    """Each battery in turn takes what the others leave over, and gives what they leave short."""
    net = net_kw.copy()
    for device in problem.devices:
        if (
            device.commodity == problem.site.commodity
            and _is_battery(device)
            and device.storage is not None
        ):
            net += _balance(problem, device, device.storage, net)
    return net


def _balance(problem: Problem, device: Device, storage: Storage, net_kw: FloatArray) -> FloatArray:
    physics, soc = Physics.of(storage, problem.grid), storage.soc_start_kwh
    gain, loss = physics.gain_at_most(device), physics.loss(device)
    power = np.zeros(problem.grid.n)
    for j in range(problem.grid.n):
        rest = physics.keep[j] * soc + physics.drift[j]
        room = max(storage.soc_max_kwh - rest, 0.0) / max(gain[j], _NOTHING)
        held = max(rest - storage.soc_min_kwh, 0.0) / max(loss[j], _NOTHING)
        power[j] = min(max(-net_kw[j], -held, device.min_kw[j]), room, device.max_kw[j])
        soc = rest + gain[j] * max(power[j], 0.0) + loss[j] * min(power[j], 0.0)
    return power
