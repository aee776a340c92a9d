"""What shall be planned, as plain numbers: devices, prices, limits on one grid of time.

Power is in kW and consumption positive, energy in kWh, money in one currency. Nothing here knows
of sensors, units or YAML; nothing below may meet a NaN.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from flexedge.domain.series import FloatArray, TimeGrid
from flexedge.optim import validity
from flexedge.optim.device import Device, Storage
from flexedge.optim.market import Commitment, Group, Market, Scenario

GOOD_ENOUGH = 1e-4  # of what a plan costs


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A site over a horizon. Raises ``ValueError`` that names device and field."""

    grid: TimeGrid
    devices: tuple[Device, ...]
    markets: tuple[Market, ...]
    """The first one is that of electricity; it may be without devices."""
    groups: tuple[Group, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    """What may happen to electricity instead of what its market says. All share the first step;
    the market's own future has the rest of the probability."""
    risk_weight: float = 0.0
    """From 0, where the expected cost counts, to 1, where that of the worst future does."""
    day_of_step: tuple[int, ...] = ()
    """Which day on the clock each step belongs to, for limits per day; empty: all one day."""
    good_enough: float = GOOD_ENOUGH
    """The search ends when no plan can be cheaper by more than this share of the cost."""
    preference: FloatArray | None = None
    """What a kWh that is missing to a full stock costs at the end of each step, so that a plan is
    chosen among equals: FlexMeasures' very figures. None: figures of our own."""

    def __post_init__(self) -> None:
        for message in self._wrong():
            raise ValueError(message)

    def _wrong(self) -> Iterator[str]:
        n, names = self.grid.n, {device.name for device in self.devices}
        if n == 0:
            yield "the grid has no steps"
        if not 0 <= self.good_enough < 1:
            yield f"good_enough should be a share from 0 to below 1, not {self.good_enough:g}"
        yield from chain(
            validity.of_markets(self.markets, self.grid),
            validity.of_devices(self.devices, self.markets, n),
            validity.of_groups(self.groups, names, n),
            validity.of_commitments(self.commitments, names, n),
            validity.of_scenarios(self.scenarios, self.risk_weight, n),
        )

    @property
    def site(self) -> Market:
        """The market of electricity."""
        return self.markets[0]

    @property
    def storages(self) -> tuple[tuple[Storage, tuple[Device, ...]], ...]:
        """Each stock with the devices that feed it, in the order of its first device."""
        fed: dict[Storage, tuple[Device, ...]] = {}
        for device in self.devices:
            if device.storage is not None:
                fed[device.storage] = (*fed.get(device.storage, ()), device)
        return tuple(fed.items())
