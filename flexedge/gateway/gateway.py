"""The wired parts of one gateway: all that the daemon runs and the window looks at."""

from collections.abc import Mapping
from dataclasses import dataclass

from flexedge.config.prices import Prices
from flexedge.gateway.aggregate import Aggregator
from flexedge.gateway.amend import Amendments
from flexedge.gateway.collect import Collector
from flexedge.gateway.dispatch import Dispatcher
from flexedge.gateway.elsewhere import Elsewhere
from flexedge.gateway.foresee import Foreseer
from flexedge.gateway.grid import Grid
from flexedge.gateway.health import Health
from flexedge.gateway.latest import Latest
from flexedge.gateway.overrides import Overrides
from flexedge.gateway.plan import Planner
from flexedge.gateway.plant import Plant
from flexedge.gateway.received import Received
from flexedge.gateway.storages import Storages
from flexedge.gateway.sync.centres import Centres
from flexedge.gateway.tariffs import Tariffs
from flexedge.store.beliefs import Beliefs
from flexedge.store.state import State


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts, each wired to those it needs."""

    plant: Plant
    titles: Mapping[str, str]
    """What each device is, in words."""
    latest: Latest
    health: Health
    beliefs: Beliefs
    state: State
    prices: Prices
    storages: Storages
    collector: Collector
    aggregator: Aggregator
    planner: Planner
    dispatcher: Dispatcher
    overrides: Overrides
    elsewhere: Elsewhere
    tariffs: Tariffs
    amendments: Amendments
    received: Received
    grid: Grid
    foreseer: Foreseer
    centres: Centres
