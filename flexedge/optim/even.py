"""Share evenly between equals: what a program gives to one of several equal devices, all get.

Equal devices may change places in a program without changing it, so the mean of what they do is as
feasible and costs the same. That takes no solver, and it leaves every total as it is.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim.choices import Choice, Pair
from flexedge.optim.device import Device, Storage
from flexedge.optim.problem import Problem
from flexedge.optim.program import Block, LinearProgram

_WHOLE = 1e-6  # numbers this near to whole ones are


@dataclass(slots=True)
class Owned:
    """Which columns of a program belong to which device alone, in the order they came."""

    program: LinearProgram
    by: dict[str, list[Block]] = field(default_factory=dict)
    seen: int = 0

    def take(self, name: str | None) -> None:
        """Give all columns since the last time to a device, or to nobody."""
        if name is not None:
            self.by.setdefault(name, []).extend(self.program.columns[self.seen :])
        self.seen = len(self.program.columns)


def share(
    problem: Problem,
    program: LinearProgram,
    choices: Sequence[Choice],
    owned: Owned,
    primal: FloatArray,
) -> FloatArray:
    """A point of equal cost in which equal devices do the same, as far as their choices allow."""
    integer = program.integers()
    for names in equals(problem):
        if not _bounded_alike(program, [owned.by[name] for name in names]):
            continue
        shared = _mean([owned.by[name] for name in names], primal)
        members = {block for name in names for block in owned.by[name]}
        shared = _one_way(choices, members, shared)
        broken = any((one.broken(shared) & ~one.broken(primal)).any() for one in choices)
        apart = np.abs(shared - np.round(shared)) > _WHOLE
        if not broken and not (apart & integer[: len(shared)]).any():
            primal = shared
    return primal


def _bounded_alike(program: LinearProgram, owned: Sequence[Sequence[Block]]) -> bool:
    """Whether nobody gave one of them other bounds than the rest."""
    for first, *others in zip(*owned, strict=True):
        ends = program.bounds(first)
        for other in others:
            if any((a != b).any() for a, b in zip(ends, program.bounds(other), strict=True)):
                return False
    return True


def _mean(owned: Sequence[Sequence[Block]], primal: FloatArray) -> FloatArray:
    shared = primal.copy()
    for blocks in zip(*owned, strict=True):
        mean = np.mean([block.of(primal) for block in blocks], axis=0)
        for block in blocks:
            block.of(shared)[:] = mean
    return shared


def _one_way(choices: Sequence[Choice], members: set[Block], primal: FloatArray) -> FloatArray:
    """Without what flows in and out of a storage at once, where nothing is lost on that way."""
    for choice in choices:
        if isinstance(choice, Pair) and choice.up in members:
            up, down = choice.up.of(primal), choice.down.of(primal)
            lossless = np.isclose(choice.weight[0], choice.weight[1], rtol=1e-12, atol=0.0)
            both = np.where(lossless, np.minimum(up, down), 0.0)
            up -= both
            down -= both
    return primal


def equals(problem: Problem) -> Iterable[tuple[str, ...]]:
    """The devices that are equal to others in all but their names."""
    if len(problem.devices) < 2:  # noqa: PLR2004 - it takes two
        return
    alike: dict[tuple[object, ...], list[str]] = {}
    feeders = {storage: len(devices) for storage, devices in problem.storages}
    sizes = Counter(map(_size, problem.devices))
    for device in problem.devices:
        alone = sizes[_size(device)] == 1 or device.coupling is not None
        if not alone and device.running is None and device.process is None:
            alike.setdefault(_likeness(device, problem, feeders), []).append(device.name)
    yield from (tuple(names) for names in alike.values() if len(names) > 1)


def _size(device: Device) -> tuple[float, ...]:
    """What tells most devices apart at a glance."""
    stock = device.storage
    ends = float(device.min_kw[0]), float(device.max_kw[0])
    return ends if stock is None else (*ends, stock.soc_start_kwh, stock.soc_max_kwh)


def _likeness(device: Device, problem: Problem, feeders: dict[Storage, int]) -> tuple[object, ...]:
    """What equal devices have in common."""
    stock: object = None
    if device.storage is not None:
        stock = _values(device.storage)
        if feeders[device.storage] > 1:  # curves of theirs are the stock's, not theirs alone
            curves = device.charge_taper or device.discharge_taper or device.part_load
            stock = (id(device.storage), device.name if curves else None)
    scopes = [one.devices for one in problem.groups] + [one.devices for one in problem.commitments]
    places = tuple(device.name in scope for scope in scopes)
    return (*_values(device), stock, places)


def _values(thing: Device | Storage) -> tuple[object, ...]:
    skipped = {"name", "storage"}
    return tuple(_value(getattr(thing, one.name)) for one in fields(thing)
                 if one.name not in skipped)  # fmt: skip


def _value(value: object) -> object:
    """Something that is equal where two values are."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if hasattr(value, "__dataclass_fields__"):
        return tuple(_value(getattr(value, name)) for name in value.__dataclass_fields__)
    return value
