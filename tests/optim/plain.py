"""Short forms for problems of one market, in which storages belong to one device each."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim.device import SOC_BREACH_PRICE, Amount, Device, Storage
from flexedge.optim.market import Connection, Market
from flexedge.optim.problem import Problem

_QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Stock:
    """A storage, and how well its device charges and discharges it."""

    storage: Storage
    charging_efficiency: Amount
    discharging_efficiency: Amount


def a_stock(
    start: float,
    low: float,
    high: float,
    *,
    charging_efficiency: Amount = 1.0,
    discharging_efficiency: Amount = 1.0,
    **kw: Any,
) -> Stock:
    """A stock; ``storage_efficiency`` is that of a quarter of an hour."""
    return Stock(
        Storage("stock", start, low, high, **kw), charging_efficiency, discharging_efficiency
    )


def a_device(
    name: str, low: FloatArray, high: FloatArray, stock: Stock | None = None, **kw: Any
) -> Device:
    """A device with a stock of the same name."""
    if stock is None:
        return Device(name, low, high, **kw)
    return Device(
        name, low, high, replace(stock.storage, name=name),
        stock.charging_efficiency, stock.discharging_efficiency, **kw,
    )  # fmt: skip


FREE = Connection()


def a_problem(  # noqa: PLR0913, PLR0917 - as short as can be
    grid: TimeGrid,
    devices: tuple[Device, ...],
    inflexible_kw: FloatArray,
    import_price: FloatArray,
    export_price: FloatArray,
    connection: Connection = FREE,
    soc_breach_price: float | None = SOC_BREACH_PRICE,
) -> Problem:
    """A site that has electricity alone; stocks still lose by the quarter of an hour."""
    return Problem(
        grid,
        tuple(_on(device, grid, soc_breach_price) for device in devices),
        (Market(inflexible_kw, import_price, export_price, connection),),
    )


def _on(device: Device, grid: TimeGrid, price: float | None) -> Device:
    if device.storage is None:
        return device
    kept = device.storage.storage_efficiency ** (grid.resolution / _QUARTER)
    return replace(
        device,
        storage=replace(
            device.storage, storage_efficiency=kept, minima_price=price, maxima_price=price
        ),
    )
