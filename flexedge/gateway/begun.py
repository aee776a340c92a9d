"""A problem of whose first step a part is over: what is left of it."""

from dataclasses import replace

import numpy as np

from flexedge.domain.series import FloatArray
from flexedge.optim.device import Amount, Device, Soft, Storage, per_step
from flexedge.optim.market import Commitment, Group, Market
from flexedge.optim.problem import Problem


def shortened(whole: Problem, share: float) -> Problem:
    """The problem where only ``share`` of the first step is left.

    Powers are means over whole steps, so that those of the first one are scaled by what is left.
    """
    parts = np.ones(whole.grid.n)
    parts[0] = share
    kept = {id(storage): _stock(storage, parts) for storage, _ in whole.storages}
    return replace(
        whole,
        devices=tuple(_device(device, kept, parts) for device in whole.devices),
        markets=tuple(_market(market, parts) for market in whole.markets),
        groups=tuple(_group(group, parts) for group in whole.groups),
        commitments=tuple(_commitment(one, parts) for one in whole.commitments),
        scenarios=tuple(
            replace(one, inflexible_kw=one.inflexible_kw * parts) for one in whole.scenarios
        ),
    )


def _limit(amount: Amount | None, parts: FloatArray) -> Amount | None:
    return None if amount is None else _scaled(amount, parts)


def _scaled(amount: Amount, parts: FloatArray) -> FloatArray:
    return per_step(amount, len(parts)) * parts


def _soft(soft: Soft | None, parts: FloatArray) -> Soft | None:
    return None if soft is None else replace(soft, limit_kw=_scaled(soft.limit_kw, parts))


def _stock(storage: Storage, parts: FloatArray) -> Storage:
    """What flows out anyway, and how much of the stock is lost, in what is left of the step."""
    kept = per_step(storage.storage_efficiency, len(parts)) ** parts
    usage = per_step(storage.usage_kw, len(parts))
    return replace(storage, usage_kw=usage * parts, storage_efficiency=kept)


def _device(device: Device, kept: dict[int, Storage], parts: FloatArray) -> Device:
    return replace(
        device,
        min_kw=device.min_kw * parts,
        max_kw=device.max_kw * parts,
        storage=None if device.storage is None else kept[id(device.storage)],
        consumption_capacity=_soft(device.consumption_capacity, parts),
        production_capacity=_soft(device.production_capacity, parts),
        share=parts,
    )


def _market(market: Market, parts: FloatArray) -> Market:
    connection = market.connection
    return replace(
        market,
        inflexible_kw=market.inflexible_kw * parts,
        connection=replace(
            connection,
            power_capacity_kw=_limit(connection.power_capacity_kw, parts),
            consumption_capacity_kw=_limit(connection.consumption_capacity_kw, parts),
            production_capacity_kw=_limit(connection.production_capacity_kw, parts),
            phase_capacity_kw=_limit(connection.phase_capacity_kw, parts),
        ),
    )


def _group(group: Group, parts: FloatArray) -> Group:
    return replace(
        group,
        fixed_kw=_scaled(group.fixed_kw, parts),
        power_capacity_kw=_limit(group.power_capacity_kw, parts),
        consumption_capacity=_soft(group.consumption_capacity, parts),
        production_capacity=_soft(group.production_capacity, parts),
    )


def _commitment(commitment: Commitment, parts: FloatArray) -> Commitment:
    return replace(
        commitment,
        baseline_kw=commitment.baseline_kw * parts,
        fixed_kw=_scaled(commitment.fixed_kw, parts),
    )
