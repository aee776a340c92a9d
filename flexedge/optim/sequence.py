"""Devices planned one after another: each takes those before it as they are.

FlexMeasures' sequential mode. What cannot be planned apart (devices that feed one stock, are
coupled, or meet in a commodity without a grid) is planned together, when its first one's turn is.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from time import perf_counter

from flexedge.domain.series import FloatArray
from flexedge.optim.device import Device
from flexedge.optim.market import Commitment, Group
from flexedge.optim.problem import Problem
from flexedge.optim.solution import Solution
from flexedge.optim.solve import follow, solve

_SHARE = 0.9  # of the time is for the devices, the rest for putting their plans together
_WORSE = ("optimal", "feasible", "relaxed")


def one_by_one(problem: Problem, time_limit: timedelta) -> Solution:
    """Plan in the order of devices; costs are those of all plans together.

    Raises as ``solve`` does.
    """
    end = perf_counter() + _SHARE * time_limit.total_seconds()
    turns = _turns(problem)
    power: dict[str, FloatArray] = {}
    plans = []
    for number, devices in enumerate(turns):
        share = max(end - perf_counter(), 0.0) / (len(turns) - number)
        plan = solve(_alone(problem, devices, power), timedelta(seconds=share))
        power |= plan.power_kw
        plans.append(plan)
    left = end - perf_counter() + (1 - _SHARE) * time_limit.total_seconds()
    whole = follow(problem, power, timedelta(seconds=max(left, 0.0)))
    culprits = [one for plan in (*plans, whole) for one in plan.culprits]
    return replace(
        whole,
        status=max((one.status for one in (*plans, whole)), key=_WORSE.index),
        stored_value={name: value for plan in plans for name, value in plan.stored_value.items()},
        culprits=tuple(dict.fromkeys(culprits)),
        contradictions=tuple(
            dict.fromkeys(one for plan in (*plans, whole) for one in plan.contradictions)
        ),
        given_way={k: by for one in (*plans, whole) for k, by in one.given_way.items()},
        build_seconds=sum(plan.build_seconds for plan in (*plans, whole)),
        solve_seconds=sum(plan.solve_seconds for plan in (*plans, whole)),
        gap=max((plan.gap for plan in plans), default=0.0),
        binaries=sum(plan.binaries for plan in plans),
        basis=None,
    )


def _turns(problem: Problem) -> list[list[Device]]:
    """The devices that are planned together, in the order of the first of each."""
    internal = {market.commodity for market in problem.markets if market.internal}
    turns: list[tuple[set[object], list[Device]]] = []
    for device in problem.devices:
        ties: set[object] = {device.name}
        if device.storage is not None:
            ties.add(id(device.storage))
        if device.coupling is not None:
            ties.add(("coupling", device.coupling.name))
        if device.commodity in internal:
            ties.add(("commodity", device.commodity))
        tied = [turn for turn in turns if turn[0] & ties]
        if not tied:
            turns.append((ties, [device]))
            continue
        first = tied[0]
        for other in tied[1:]:
            first[0].update(other[0])
            first[1].extend(other[1])
            turns.remove(other)
        first[0].update(ties)
        first[1].append(device)
    return [devices for _, devices in turns]


def _alone(problem: Problem, devices: list[Device], done: Mapping[str, FloatArray]) -> Problem:
    """The problem of some devices, those done before taken as they are, the others as away."""
    names = {device.name for device in devices} | done.keys()

    def members_of(one: Group | Commitment) -> tuple[str, ...]:
        return tuple(name for name in one.devices if name in names)

    return replace(
        problem,
        devices=tuple(
            _as_planned(device, done[device.name]) if device.name in done else device
            for device in problem.devices if device.name in names
        ),
        groups=tuple(replace(one, devices=members_of(one)) for one in problem.groups),
        commitments=tuple(replace(one, devices=members_of(one)) for one in problem.commitments),
    )  # fmt: skip


def _as_planned(device: Device, power_kw: FloatArray) -> Device:
    """A device that has no choice left; it still flows where it did, and on the same phases."""
    return Device(device.name, power_kw, power_kw, commodity=device.commodity, phases=device.phases)
