"""The formulation on one page, and the plan that comes out of it.

Minimise   import price · consumption - export price · production      ("net energy")
         + peak price · what the highest consumption exceeds            ("consumption peak")
         + breach prices · (largest breach + breach · hours)            (soft limits)
         + a tiny preference: full sooner, curtail later                (tie-breakers)
subject to, in every step,
  site      Σ power + inflexible = consumption - production
  stock     stock = keep · stock before + gain · charging - loss · discharging - usage
  limits    power within its capacities, stock within soc-min and soc-max,
            consumption and production within site-power-capacity
  signs     a storage either charges or discharges; the site either consumes or produces
            (a linear program at first; binaries only where it breaks this rule: signs.py)
"""

from datetime import timedelta
from time import perf_counter

import numpy as np

from flexedge.optim import commitments, signs, solution, storage
from flexedge.optim.commitments import Meter
from flexedge.optim.problem import Problem
from flexedge.optim.program import LinearProgram
from flexedge.optim.signs import Found, Pair
from flexedge.optim.solution import Formulation, Solution
from flexedge.optim.storage import Placed


def solve(problem: Problem, time_limit: timedelta) -> Solution:
    """Plan. Raises ``Infeasible`` with the limits at fault, or ``SolverGaveUp``.

    Equal problems give equal plans, unless the time limit ends the search.
    """
    began = perf_counter()
    formulation = formulate(problem)
    built = perf_counter() - began
    return solution.read(formulation, settle(formulation, time_limit), built)


def formulate(problem: Problem) -> Formulation:
    """Build the linear program of a problem."""
    program = LinearProgram()
    devices = tuple(storage.place(program, device, problem) for device in problem.devices)
    meter = commitments.connect(program, problem, devices)
    soc = tuple(s for placed in devices for s in commitments.bind_stock(program, placed, problem))
    return Formulation(problem, program, devices, meter, soc, _pairs(problem, devices, meter))


def settle(formulation: Formulation, time_limit: timedelta) -> Found:
    """Solve a program that is built."""
    return signs.settle(
        formulation.program,
        formulation.pairs,
        time_limit.total_seconds(),
        formulation.program.turnover((formulation.meter.consumption, formulation.meter.production)),
    )


def _pairs(problem: Problem, devices: tuple[Placed, ...], meter: Meter) -> tuple[Pair, ...]:
    """The directions of which only one may be used at a time."""
    pairs = []
    for placed in devices:
        device, up, down = placed.device, placed.up, placed.down
        if device.storage is not None and up is not None and down is not None:
            physics = storage.Physics.of(device.storage, problem.grid)
            most_up, most_down = np.maximum(device.max_kw, 0.0), np.maximum(-device.min_kw, 0.0)
            weights = physics.gain_up, physics.loss_down
            pairs.append(Pair(up, down, (most_up, most_down), weights))
    if (problem.import_price < problem.export_price).any():
        ones = np.ones(problem.grid.n)
        pairs.append(Pair(meter.consumption, meter.production, meter.most, (ones, ones)))
    return tuple(pairs)
