"""What is wrong with the numbers of a problem, told by device and field."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.device import Amount, Device, Soft, Storage
from flexedge.optim.market import Commitment, Connection, Group, Market, Scenario

_LEAST_EFFICIENCY = 1e-3
_LEAST_PROBABILITY = 1e-6


def of_amount(
    amount: Amount | None, n: int, *, at_least: float | None = None, infinite: bool = False
) -> str | None:
    """What is wrong with a number or an array of ``n``, or None."""
    if amount is None:
        return None
    array = np.asarray(amount)
    if array.dtype.kind not in "iuf" or array.shape not in ((), (n,)):
        return f"should be a number or {n} of them, not {array.dtype} of shape {array.shape}"
    fine = ~np.isnan(array) if infinite else np.isfinite(array)
    if not fine.all():
        where = "" if array.shape == () else f" in step {int(np.argmin(fine))}"
        return f"is not a {'number' if infinite else 'finite number'}{where}"
    if at_least is not None and (array < at_least).any():
        return f"should be at least {at_least:g}, not {array.min():g}"
    return None


def of_markets(markets: Iterable[Market], grid: TimeGrid) -> Iterator[str]:
    """What is wrong with prices, inflexible power and connections."""
    names = [market.commodity for market in markets]
    if len(set(names)) != len(names) or not names:
        yield "every commodity needs one market"
    for market in markets:
        what = "" if len(names) == 1 else f"{market.commodity} "
        for name in ("inflexible_kw", "import_price", "export_price"):
            if wrong := _of_array(getattr(market, name), grid.n):
                yield f"{what}{name} {wrong}"
        for wrong in _of_connection(market.connection, grid.n):
            yield f"{what}connection {wrong}"


def _of_array(array: FloatArray, n: int) -> str | None:
    if np.shape(array) != (n,):
        return f"has shape {np.shape(array)} on a grid of {n} steps"
    return of_amount(array, n)


def _of_connection(connection: Connection, n: int) -> Iterator[str]:
    for name in ("power_capacity_kw", "phase_capacity_kw"):
        if wrong := of_amount(getattr(connection, name), n, at_least=0.0, infinite=True):
            yield f"{name} {wrong}"
    for name in ("consumption_capacity_kw", "production_capacity_kw", "peak_consumption_kw",
                 "peak_production_kw"):  # fmt: skip
        if wrong := of_amount(getattr(connection, name), n, infinite=True):
            yield f"{name} {wrong}"
    if wrong := of_amount(connection.used_kw, n):
        yield f"used_kw {wrong}"
    for name in ("consumption_breach_price", "production_breach_price", "peak_price",
                 "peak_production_price"):  # fmt: skip
        if wrong := of_amount(getattr(connection, name), n, at_least=0.0):
            yield f"{name} {wrong}"


def of_devices(devices: Iterable[Device], markets: Iterable[Market], n: int) -> Iterator[str]:
    """What is wrong with devices and what they store."""
    names = [device.name for device in devices]
    if len(set(names)) != len(names) or not all(names):
        yield "devices need names, each its own"
    commodities = {market.commodity for market in markets}
    for device in devices:
        for wrong in _of_device(device, n):
            yield f"{device.name} {wrong}"
        if device.commodity not in commodities:
            yield f"{device.name} belongs to {device.commodity}, which has no market"
        if device.storage is not None:
            for wrong in _of_storage(device.storage, n):
                yield f"{device.storage.name} {wrong}"


def _of_device(device: Device, n: int) -> Iterator[str]:
    ends = [(name, getattr(device, name)) for name in ("min_kw", "max_kw")]
    shapes = [(name, wrong) for name, array in ends if (wrong := _of_array(array, n))]
    yield from (f"{name} {wrong}" for name, wrong in shapes)
    if not shapes and (device.min_kw > device.max_kw).any():
        yield f"min_kw lies above max_kw in step {int(np.argmax(device.min_kw > device.max_kw))}"
    if wrong := of_amount(device.charging_efficiency, n, at_least=0.0):
        yield f"charging_efficiency {wrong}"
    if wrong := of_amount(device.discharging_efficiency, n, at_least=_LEAST_EFFICIENCY):
        yield f"discharging_efficiency {wrong}"
    for name in ("consumption_capacity", "production_capacity"):
        yield from (f"{name} {wrong}" for wrong in _of_soft(getattr(device, name), n))
    share = np.asarray(device.share)
    if of_amount(device.share, n, at_least=0.0) or (share <= 0).any() or (share > 1).any():
        yield "share should lie above 0 and be at most 1"
    if any(low > high for low, high in device.modes):
        yield "modes go from the lower power to the higher"
    if device.coupling is not None and not device.coupling.coefficient:
        yield "coupling needs a coefficient that is not 0"


def _of_soft(soft: Soft | None, n: int) -> Iterator[str]:
    if soft is None:
        return
    if wrong := of_amount(soft.limit_kw, n, at_least=0.0, infinite=True):
        yield f"limit {wrong}"
    if wrong := of_amount(soft.price, n, at_least=0.0):
        yield f"price {wrong}"


def _of_storage(storage: Storage, n: int) -> Iterator[str]:
    for name, wrong in (
        ("soc_start_kwh", of_amount(storage.soc_start_kwh, 0)),
        ("soc_min_kwh", of_amount(storage.soc_min_kwh, 0, infinite=True)),
        ("soc_max_kwh", of_amount(storage.soc_max_kwh, 0, infinite=True)),
        ("usage_kw", of_amount(storage.usage_kw, n)),
        ("minima_price", of_amount(storage.minima_price, n, at_least=0.0)),
        ("maxima_price", of_amount(storage.maxima_price, n, at_least=0.0)),
        ("storage_efficiency", of_amount(storage.storage_efficiency, n, at_least=0.0)),
    ):
        if wrong:
            yield f"{name} {wrong}"
    if storage.soc_min_kwh > storage.soc_max_kwh:
        yield "soc_min_kwh lies above soc_max_kwh"
    if (np.asarray(storage.storage_efficiency) > 1).any():
        yield "storage_efficiency should be at most 1"
    yield from _of_bounds(storage)


def _of_bounds(storage: Storage) -> Iterator[str]:
    for name in ("minima", "maxima", "targets"):
        for bound in getattr(storage, name):
            if bound.at.tzinfo is None:
                yield f"{name} need aware times, not {bound.at.isoformat()}"
            if wrong := of_amount(bound.soc_kwh, 0):
                yield f"{name} at {bound.at.isoformat()} {wrong}"


def of_groups(groups: Iterable[Group], names: set[str], n: int) -> Iterator[str]:
    """What is wrong with intermediate limits."""
    for group in groups:
        if unknown := set(group.devices) - names:
            yield f"group {group.name} holds {min(unknown)}, which is no device"
        if wrong := of_amount(group.power_capacity_kw, n, at_least=0.0, infinite=True):
            yield f"group {group.name} power_capacity_kw {wrong}"
        for name in ("consumption_capacity", "production_capacity"):
            for wrong in _of_soft(getattr(group, name), n):
                yield f"group {group.name} {name} {wrong}"


def of_commitments(commitments: Iterable[Commitment], names: set[str], n: int) -> Iterator[str]:
    """What is wrong with positions."""
    for commitment in commitments:
        if unknown := set(commitment.devices) - names:
            yield f"commitment {commitment.name} binds {min(unknown)}, which is no device"
        if np.shape(commitment.baseline_kw) != (n,):
            yield f"commitment {commitment.name} baseline_kw should have {n} values"
        for name in ("up_price", "down_price"):
            if wrong := _of_array(getattr(commitment, name), n):
                yield f"commitment {commitment.name} {name} {wrong}"


def of_scenarios(scenarios: Sequence[Scenario], risk_weight: float, n: int) -> Iterator[str]:
    """What is wrong with what may happen instead."""
    if not 0 <= risk_weight <= 1:
        yield f"risk_weight should lie between 0 and 1, not {risk_weight:g}"
    for number, scenario in enumerate(scenarios):
        if not scenario.probability > 0:
            yield f"scenario {number} needs a probability above 0"
        for name in ("inflexible_kw", "import_price", "export_price"):
            if wrong := _of_array(getattr(scenario, name), n):
                yield f"scenario {number} {name} {wrong}"
    if sum(scenario.probability for scenario in scenarios) > 1 - _LEAST_PROBABILITY:
        yield "the probabilities of all scenarios should leave some for the forecast itself"
