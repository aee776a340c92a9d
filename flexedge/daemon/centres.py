"""Wires the centres: how each is reached, what is done with it, and its thread."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import SystemRandom

from flexedge import __version__
from flexedge.cloud.central import Central
from flexedge.cloud.keys import KeyFile, Keys
from flexedge.cloud.pace import Pace
from flexedge.cloud.transport import How
from flexedge.config.centre import CentreRules
from flexedge.config.settings import Plan, Settings
from flexedge.daemon.beside import Beside
from flexedge.daemon.clock import Clock
from flexedge.daemon.loops import Loop
from flexedge.errors import StoreError
from flexedge.gateway.gateway import Gateway
from flexedge.gateway.guard import guarded
from flexedge.gateway.health import Health
from flexedge.gateway.support import Support
from flexedge.gateway.sync.believers import Believers
from flexedge.gateway.sync.carry import Site
from flexedge.gateway.sync.centres import Centres, Running
from flexedge.gateway.sync.commands import Commands
from flexedge.gateway.sync.duty import Duty, Linked
from flexedge.gateway.sync.edits import Edits
from flexedge.gateway.sync.lags import Lags
from flexedge.gateway.sync.linking import Office
from flexedge.gateway.sync.outbox import Outbox
from flexedge.gateway.sync.plans import Plans
from flexedge.gateway.sync.receive import Receive
from flexedge.gateway.sync.remarks import Tell, occasions
from flexedge.gateway.sync.sync import Sync
from flexedge.gateway.sync.upkeep import Upkeep
from flexedge.gateway.sync.upload import Upload
from flexedge.gateway.sync.vitals import Vitals, vitals_of, waiting_in
from flexedge.store.beliefs import Beliefs
from flexedge.store.state import State
from flexedge.store.tables.centres import Centre


@dataclass(slots=True)
class Ground:
    """What duties are done with: what every flexedge has, and the site, where there is one."""

    state: State
    beliefs: Beliefs
    health: Health
    now: Callable[[], datetime]
    folder: Path
    """The data folder."""
    plan: Plan = field(default_factory=Plan)
    """How planning goes on."""
    gateway: Gateway | None = None
    """Given once it is wired, which is before anything is done with a centre."""
    restart: Callable[[str], None] = lambda _device: None
    """Begins anew with a device, whatever was waited for."""
    began: datetime = field(init=False)
    """When this run began."""
    outbox: Outbox = field(init=False)
    """What is still to be sent, to all centres."""

    def __post_init__(self) -> None:
        """Look at the clock, and at what is there before more comes in."""
        self.began = self.now()
        self.outbox = Outbox(self.state, self.beliefs)
        with suppress(StoreError):  # a server that is away is looked at when it is back
            self.outbox.look()


def duties_of(ground: Ground, office: Office, linked: Linked) -> tuple[Duty, ...]:
    """All that is done with a centre; what comes first here comes first where all is due."""
    gateway = ground.gateway
    upload = Upload(linked, ground.state, ground.beliefs, ground.outbox, ground.health)
    tell = Tell(ground.state, occasions(ground.health, gateway))
    duties: list[Duty] = [_vitals(ground), upload, tell, Upkeep(office, ground.health)]
    if gateway is not None:
        duties.append(Receive(gateway.received, ground.state, ground.health))
        duties.append(Plans(gateway, ground.plan))
        duties.append(Edits(ground.state, gateway.amendments))
        duties.append(Commands(ground.state, ground.health, _site(ground, gateway)))
    return tuple(duties)


def _site(ground: Ground, gateway: Gateway) -> Site:
    """What commands act on."""
    support = Support(ground.folder, gateway)
    return Site(gateway.overrides, support, ground.restart, gateway.plant.site.devices)


def _vitals(ground: Ground) -> Vitals:
    devices = () if ground.gateway is None else tuple(ground.gateway.plant.site.devices)
    waiting = waiting_in(ground.outbox, ground.state)
    vitals = vitals_of(ground.health, devices, ground.began, waiting)
    started = ground.began.isoformat(timespec="seconds")
    return Vitals(ground.state, vitals, {"version": __version__, "started": started})


def centres_of(settings: Settings, ground: Ground, rules: Mapping[str, CentreRules]) -> Centres:
    """The centres, wired; none runs before ``keep_in_step``."""
    reach = Reach(settings, ground.now, ground.health)
    office = Office(
        ground.state, reach.keys, lambda name: rules.get(name, CentreRules()), ground.now,
        reach.central, Believers(ground.beliefs, ground.state).kinds,
    )  # fmt: skip
    centres = Centres(
        office, ground.health, reach.connect, lambda one: duties_of(ground, office, one)
    )
    centres.lags = Lags(ground.state, ground.outbox).of
    return centres


@dataclass(frozen=True, slots=True)
class Reach:
    """How centres are reached, with what settings say of credentials."""

    settings: Settings
    now: Callable[[], datetime]
    health: Health

    def keys(self, name: str) -> KeyFile:
        """Where the credential of a centre is kept."""
        return KeyFile(self.settings.data_dir, name, self.settings.credentials_dir)

    def connect(self, _number: int, centre: Centre, rules: CentreRules) -> tuple[Central, Pace]:
        """A client of a centre that we are linked with, for its thread."""
        pace = Pace(rules.requests_per_min, SystemRandom(), rules.budget_kb_per_min)
        return self._client(centre.name, centre.url, self.keys(centre.name), pace), pace

    def central(self, name: str, url: str, keys: Keys, rules: CentreRules) -> Central:
        """A client for who links."""
        pace = Pace(rules.requests_per_min, SystemRandom(), rules.budget_kb_per_min)
        return self._client(name, url, keys, pace)

    def _client(self, name: str, url: str, keys: Keys, pace: Pace) -> Central:
        how = How(
            ca_file=self.settings.ca_file, proxy=self.settings.proxy,
            clock_known=lambda: self.health.time_known,
        )  # fmt: skip
        return Central(name, url, keys, self.now, pace, how)


class _Thread:
    """The thread of one centre, ended by hand."""

    def __init__(self, sync: Sync, health: Health, clock: Clock) -> None:
        name = f"centre {sync.linked.centre.name}"
        self._sync = sync
        self._ended = False
        self._loop = Loop(name, guarded(name, health, self._step), Beside(clock))
        self._stack = ExitStack()
        self._stack.enter_context(self._loop)

    def _step(self, now: datetime) -> datetime:
        try:
            return self._sync.step(now)
        finally:
            if self._ended:  # while it was under way
                self._sync.end()

    def wake(self) -> None:
        self._loop.wake()

    def end(self) -> None:
        """A request that is under way ends by its own deadline; nobody waits for it."""
        self._ended = True
        self._stack.close()
        if not self._loop.alive:
            self._sync.end()


def keep_in_step(centres: Centres, health: Health, clock: Clock, stack: ExitStack) -> None:
    """Begin with what is linked already; what is linked later is begun when that happens."""

    def spawn(sync: Sync) -> Running:
        return _Thread(sync, health, clock)

    centres.spawn = spawn
    stack.callback(centres.end)
    centres.refresh()
