"""What surrounds the devices: markets with their grid connections, groups, commitments."""

from dataclasses import dataclass

from flexedge.domain.series import FloatArray
from flexedge.optim.device import ELECTRICITY, Amount, Soft

SITE_BREACH_PRICE = 10_000.0  # per kW: FlexMeasures' default for the site's agreed capacities
GROUP_BREACH_PRICE = 10_000.0  # per kW: FlexMeasures' price for a group's agreed capacities


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """The site's connection to the grid of one commodity.

    A soft capacity is exceeded only where nothing else is possible: its breach price is charged
    once on the largest breach of each run ("any") and once on breach times hours ("all"). A breach
    price of None makes it hard.
    """

    power_capacity_kw: Amount | None = None
    """Hard, in both directions."""
    consumption_capacity_kw: Amount | None = None
    """Below zero that much has to flow the other way, as with production and peaks."""
    production_capacity_kw: Amount | None = None
    consumption_breach_price: Amount | None = SITE_BREACH_PRICE
    production_breach_price: Amount | None = SITE_BREACH_PRICE
    peak_consumption_kw: Amount = 0.0
    """Peak already incurred or contracted; only what exceeds it costs. Infinite: not counted."""
    peak_price: Amount | None = None
    """Per kW of the highest exceedance in each run of equal price and peak."""
    peak_production_kw: Amount = 0.0
    peak_production_price: Amount | None = None
    used_kw: Amount = 0.0
    """Net consumption in each step before the plan begins, as a mean over the step: it counts for
    the peaks."""
    phase_capacity_kw: Amount | None = None
    """Hard, in both directions, on each of the three phases."""
    inflexible_phases: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)
    """Shares of the inflexible power on the three phases."""


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """A commodity: what happens anyway, what energy costs, and the connection to its grid.

    An internal market has no grid: all flows of the commodity balance in each step (hard), and
    prices and connection mean nothing.
    """

    inflexible_kw: FloatArray
    """Sum of what happens anyway: load less uncontrolled production."""
    import_price: FloatArray
    """Per kWh of net consumption."""
    export_price: FloatArray
    """Paid per kWh of net production; negative when feeding in costs."""
    connection: Connection = Connection()
    commodity: str = ELECTRICITY
    internal: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Devices behind one intermediate limit, with the inflexible power that flows there too."""

    name: str
    devices: tuple[str, ...]
    fixed_kw: Amount = 0.0
    power_capacity_kw: Amount | None = None
    """Hard, in both directions."""
    consumption_capacity: Soft | None = None
    production_capacity: Soft | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Commitment:
    """A position of some devices that is paid for when they deviate from it, step by step.

    ``up_price`` is the money per kW above the baseline in a step, ``down_price`` that *earned* per
    kW below it (negative: a penalty). A NaN in the baseline leaves the step out.
    """

    name: str
    baseline_kw: FloatArray
    up_price: FloatArray
    down_price: FloatArray
    devices: tuple[str, ...]
    fixed_kw: Amount = 0.0
    of_site: bool = False
    """Whether it is about all electricity of the site: another future has other fixed powers."""


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """What may come instead: the electricity of one possible future, and how likely it is."""

    probability: float
    inflexible_kw: FloatArray
    import_price: FloatArray
    export_price: FloatArray
    name: str = "scenario"
