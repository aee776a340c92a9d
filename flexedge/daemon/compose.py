"""The composition root: settings and site in, a wired gateway out."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime

from flexedge.config.check import LoadedSite
from flexedge.config.prices import Prices
from flexedge.config.settings import Settings, Store
from flexedge.daemon.centres import Ground, centres_of
from flexedge.daemon.clock import Clock
from flexedge.domain.schedule import Outcome
from flexedge.drivers.assembly import Assembly, assemble
from flexedge.drivers.driver import Sample
from flexedge.errors import DeviceError, StoreError
from flexedge.gateway import tariffs
from flexedge.gateway.aggregate import Aggregator
from flexedge.gateway.amend import Amendments
from flexedge.gateway.collect import Collector
from flexedge.gateway.dispatch import Dispatcher
from flexedge.gateway.edge import Edge
from flexedge.gateway.elsewhere import Elsewhere
from flexedge.gateway.feeds import Feeds
from flexedge.gateway.foresee import Foreseer
from flexedge.gateway.gateway import Gateway
from flexedge.gateway.grid import Grid
from flexedge.gateway.health import Health
from flexedge.gateway.latest import Latest
from flexedge.gateway.outcomes import Outcomes
from flexedge.gateway.overrides import Overrides
from flexedge.gateway.past import Past
from flexedge.gateway.plan import Planner
from flexedge.gateway.plant import Plant, resolve
from flexedge.gateway.predict import Predictor
from flexedge.gateway.problem import Gatherer
from flexedge.gateway.received import Received
from flexedge.gateway.rules import rules_of
from flexedge.gateway.service.inventory import bring_in
from flexedge.gateway.service.work import Work
from flexedge.gateway.storages import Storages
from flexedge.gateway.sync.centres import Centres
from flexedge.gateway.targets import Targets
from flexedge.gateway.tariffs import Tariffs
from flexedge.gateway.window import GatewayWindow
from flexedge.store import lock, standin, swap
from flexedge.store.archive import Keep
from flexedge.store.beliefs import Beliefs
from flexedge.store.events import Rule
from flexedge.store.local import recover
from flexedge.store.local.archive import LocalArchive
from flexedge.store.local.disk import Bounds
from flexedge.store.local.engine import Limits
from flexedge.store.opening import open_state
from flexedge.store.state import State
from flexedge.web.api.parts import Parts

_IN_MEMORY = {"quota_mb": 100, "reserve_mb": 0, "ballast_mb": 0}
"""How much of the machine's memory a stand-in may take."""


@dataclass(slots=True)
class Relay:
    """Lets lines be built before those they report to and the loops they wake."""

    collector: Collector | None = None
    loops: dict[str, Callable[[], None]] = field(default_factory=dict)

    def wake(self, line: str) -> None:
        """Something was submitted to a line."""
        if line in self.loops:
            self.loops[line]()

    def read(
        self, device: str, samples: Sequence[Sample], shown: Mapping[str, float], now: datetime
    ) -> None:
        """A poll succeeded."""
        if self.collector is not None:
            self.collector.read(device, samples, shown, now)

    def failed(self, device: str, error: DeviceError, now: datetime) -> None:
        """A poll failed."""
        if self.collector is not None:
            self.collector.failed(device, error, now)

    def wrote(self, device: str, control: str, outcome: Outcome, now: datetime) -> None:
        """A request ended."""
        if self.collector is not None:
            self.collector.wrote(device, control, outcome, now)


@dataclass(frozen=True, slots=True)
class Composed:
    """The gateway, what drives its devices, and what ties them."""

    gateway: Gateway
    assembly: Assembly
    relay: Relay


def keeping(store: Store) -> tuple[Keep, Bounds]:
    """For how long rows are kept, and in how much room, as settings say."""
    return (
        Keep(store.keep_readings, store.keep_minutes, None, store.keep_beliefs),
        Bounds(store.reserve_mb, store.reserve_percent, store.quota_mb, store.ballast_mb),
    )


def somewhere(settings: Settings, stack: ExitStack) -> tuple[Settings, str]:
    """Where this run keeps its data: in memory while the disk takes no writes; and why so.

    The data folder's lock is held then, too: no second gateway drives the same devices. Raises
    ``StoreError`` where not even that can be done.
    """
    refusal = standin.refusal(settings.data_dir)
    if not refusal:
        return settings, ""
    stack.enter_context(lock.hold(settings.data_dir))
    store = settings.store.model_copy(update=_IN_MEMORY)
    standin.begin(settings.data_dir, settings.stand_in)
    here = settings.model_copy(update={"data_dir": settings.stand_in, "store": store})
    return here, refusal


def open_store(
    settings: Settings, health: Health, now: datetime, stack: ExitStack
) -> tuple[Beliefs, State]:
    """Have the data folder for oneself and open it; what is damaged is set aside with an alarm.

    Or open the database that settings name instead. Raises ``StoreError``.
    """
    folder, store = settings.data_dir, settings.store
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}; choose another data-dir") from error
    stack.enter_context(lock.hold(folder))
    keep, bounds = keeping(store)
    if settings.database is not None:
        return _open_database(settings.database, keep, stack)
    let_go: list[str] = []
    recover.demand_room(folder, let_go.append)
    health.alarm("no-room", "; ".join(let_go))
    swap.finish(folder)
    state, alarm = open_state(folder, now)
    stack.callback(state.close)
    health.alarm("state-damaged", alarm)
    archive = LocalArchive(folder, now, Limits(store.memory_mb, threads=1), keep, bounds)
    beliefs = Beliefs(archive, state)
    stack.callback(beliefs.close)
    try:
        standin.bring_back(settings.stand_in, state, beliefs, archive, now)
    except StoreError as error:
        health.alarm("stand-in", f"what was gathered in {settings.stand_in} could not be brought here: {error}; restart flexedge to try again")  # fmt: skip  # noqa: E501
    for name, words in beliefs.conditions().items():
        health.alarm(name, words)
    return beliefs, state


def _open_database(url: str, keep: Keep, stack: ExitStack) -> tuple[Beliefs, State]:
    """All on a PostgreSQL server but what programs on this machine say to each other."""
    try:
        from flexedge.store.postgres.archive import PostgresArchive  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise StoreError("database needs psycopg: pip install 'flexedge[postgres]'") from error
    state = State(url)
    stack.callback(state.close)
    beliefs = Beliefs(PostgresArchive(url, keep), state)
    stack.callback(beliefs.close)
    return beliefs, state


def compose(settings: Settings, loaded: LoadedSite, clock: Clock, stack: ExitStack) -> Composed:
    """Wire everything; what must be closed is pushed on ``stack``. Starts nothing."""
    site = loaded.site
    health, latest = Health(), Latest()
    beliefs, state = open_store(settings, health, clock.now(), stack)
    beliefs.flush(clock.stamp())  # nothing is written with another
    relay = Relay()
    assembly = assemble(site, loaded.profiles, relay, relay.wake, clock.speed)
    plant = resolve(site, loaded.sensors, assembly.drivers, loaded.currency)
    rules = rules_of(plant)
    _introduce(plant, rules, beliefs)
    amendments = Amendments(loaded, plant, state, health)
    amendments.begin(clock.now())
    bring_in(plant, state)
    amendments.resume()
    received = Received(plant.coming, beliefs)
    prices = Prices(site.prices, plant.zone, received)
    storages = Storages(plant, latest)
    predictor = Predictor(plant, beliefs, latest)
    elsewhere, past = Elsewhere(plant, storages, health), Past(plant, latest, beliefs)
    feeds = Feeds(plant, predictor, prices, beliefs, received)
    gatherer = Gatherer(plant, storages, feeds, past, elsewhere, settings.plan)
    planner = Planner(plant, gatherer, prices, beliefs, health)
    amendments.trouble, amendments.meanwhile = lambda: planner.trouble, planner.meanwhile
    overrides = Overrides(plant, state, health, settings.control.longest_override)
    grid = Grid(plant, latest, received)
    targets = Targets(plant, grid, storages, planner, overrides, elsewhere)
    dispatcher = Dispatcher(plant, targets, storages, state, health)
    relay.collector = collector = Collector(plant, latest, beliefs, health)
    aggregator = Aggregator(rules, beliefs)
    collector.on_kept, collector.stamp = aggregator.noted, clock.stamp
    collector.on_wrote, collector.on_shown = dispatcher.wrote, dispatcher.shown
    lines = assembly.line_of
    dispatcher.on_step = Outcomes(collector.note).note
    dispatcher.submit = lambda request: lines[request.device].submit(request)
    ground = Ground(state, beliefs, health, clock.now, settings.data_dir, settings.plan)
    ground.restart = lambda device: lines[device].restart(device)
    gateway = Gateway(
        plant=plant,
        titles={name: profile.title for name, profile in loaded.profiles.items()},
        latest=latest,
        health=health,
        beliefs=beliefs,
        state=state,
        prices=prices,
        storages=storages,
        collector=collector,
        aggregator=aggregator,
        planner=planner,
        dispatcher=dispatcher,
        overrides=overrides,
        elsewhere=elsewhere,
        tariffs=Tariffs(prices, beliefs),
        amendments=amendments,
        received=received,
        grid=grid,
        foreseer=Foreseer(plant, predictor, beliefs, health),
        centres=centres_of(settings, ground, site.centres),
    )
    ground.gateway = gateway
    return Composed(gateway, assembly, relay)


def _introduce(plant: Plant, rules: Mapping[str, Rule], beliefs: Beliefs) -> None:
    """Tell the store of every sensor, and how long its events are."""
    for name, sensor in plant.sensors.items():
        step = rules[name].resolution if name in rules else tariffs.STEP
        if name in plant.coming:
            step = plant.coming[name].resolution
        beliefs.register(replace(sensor, resolution=step))


def parts_of(
    settings: Settings,
    state: State,
    beliefs: Beliefs,
    clock: Clock,
    gateway: Gateway | None = None,
    centres: Centres | None = None,
) -> Parts:
    """What answers requests, with a site or without one; ``centres``: of one without."""
    window = None if gateway is None else GatewayWindow(gateway, clock.now, clock.speed)
    work = Work(state.jobs, {}, clock.now)
    edge = None if gateway is None else Edge(gateway, clock.now, clock.speed)
    known = centres if gateway is None else gateway.centres
    return Parts(state, beliefs, work, clock.now, window, settings, edge, centres=known)
