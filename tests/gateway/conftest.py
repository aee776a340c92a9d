"""A whole gateway on real stores, whose lines are a list: what is written and when, by hand."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flexedge.config.check import LoadedSite, load_site
from flexedge.config.settings import Settings
from flexedge.daemon.clock import WallClock
from flexedge.daemon.compose import compose
from flexedge.domain.belief import Quality
from flexedge.domain.schedule import Applied, Outcome, Released
from flexedge.drivers.driver import Sample
from flexedge.drivers.line import Release, Request, Write
from flexedge.gateway.dispatch import Dispatcher
from flexedge.gateway.gateway import Gateway
from flexedge.gateway.held import Held
from flexedge.gateway.plan import Plan
from flexedge.gateway.plant import Unit
from flexedge.gateway.targets import Target, Targets
from flexedge.gateway.window import GatewayWindow
from flexedge.store.local.archive import LocalArchive

ROOT = Path(__file__).parents[2]
HOME, INDUSTRY = ROOT / "config" / "home.yaml", ROOT / "config" / "industry.yaml"
CATALOGUE = ROOT / "flexedge" / "config" / "catalogue"
NOW = datetime(2026, 4, 14, 10, 5, tzinfo=UTC)  # a Tuesday, five past twelve in Amsterdam
HORIZON, THINKING = timedelta(hours=36), timedelta(seconds=10)

_DEVICES = {
    "battery": "hybrid: {profile: foxess-h3, host: 127.0.0.1, port: 1}",
    "spare": "second: {profile: foxess-h3, host: 127.0.0.1, port: 2}",
    "solar": "inverter: {profile: sunspec-pv, host: 127.0.0.1, port: 3}",
    "roof": "second: {profile: sunspec-pv, host: 127.0.0.1, port: 6}",
    "car": 'charger: {profile: go-e-charger, broker: local, options: {serial: "1"}}',
    "van": 'charger: {profile: go-e-charger, broker: local, options: {serial: "1"}}',
    "heating": "heat-pump: {profile: lambda-heat-pump, host: 127.0.0.1, port: 4}",
    "pump": "heat-pump: {profile: lambda-heat-pump, host: 127.0.0.1, port: 7}",
    "mill": "mill-switch: {profile: shelly-gen2-switch, broker: local, options: {prefix: mill}}",
    "oven": "switch: {profile: shelly-gen2-switch, broker: local, options: {prefix: oven}}",
}
_BATTERY = (
    "type: battery, device: %s, flex-model: {soc-min: 1 kWh, soc-max: 10 kWh, "
    "power-capacity: 5 kW, roundtrip-efficiency: 81%%}"
)
_ASSETS = {
    "battery": _BATTERY % "hybrid",
    "spare": _BATTERY % "second",
    "solar": "type: solar, device: inverter, flex-model: {power-capacity: 8 kW}",
    "roof": "type: solar, device: second, flex-model: {power-capacity: 8 kW}",
    "car": "type: one-way_evse, device: charger, flex-model: {soc-max: 60 kWh, "
    "soc-at-start: 20 kWh, power-capacity: 11 kW, charging-efficiency: 90%}",
    "van": "type: two-way_evse, device: charger, flex-model: {soc-max: 60 kWh, "
    "soc-at-start: 20 kWh, power-capacity: 11 kW}",
    "heating": "type: heat-storage, device: heat-pump, heat-buffer: "
    "{volume: 500 l, min: 35 degC, max: 55 degC}, flex-model: {power-capacity: 3 kW, "
    "charging-efficiency: 350%, soc-usage: [{sensor: heating.heat-demand, default: 1.2 kW}]}",
    "roof-without-meter": "type: solar, control: false, flex-model: {power-capacity: 8 kW}",
    "pump": "type: heat-storage, device: heat-pump, heat-buffer: "
    "{volume: 500 l, min: 35 degC, max: 55 degC}",
    "oven": "type: process, device: switch, process: {power: 6 kW, duration: PT1H, "
    'since: "06:00", until: "18:00"}',
    "mill": "type: process, device: mill-switch",  # what it needs is up to the test
    "house": "type: building, remainder: true",
    "feeder": "type: group, flex-model: {power-capacity: 4 kW}",
    "gas-in": "type: converter, flex-model: {coupling: boiler, commodity: gas, "
    "consumption-capacity: 20 kW}",
    "heat-out": "type: converter, flex-model: {coupling: boiler, coupling-coefficient: 0.9, "
    "commodity: heat, production-capacity: 18 kW}",
}
PRICES = """{import: {zones: [{since: "17:00", until: "21:00", price: 0.40 EUR/kWh}],
  otherwise: 0.20 EUR/kWh}, feed-in: {fixed: 0.08 EUR/kWh}}"""
ACCEPTED = (
    "{flex-model: [soc-min, soc-max], flex-context: [consumption-price, risk-weight, scenarios]}"
)
"""What may be edited at the centre and outlives a restart."""
CONTEXT = "consumption-price: {sensor: import}, production-price: {sensor: feed-in}"


def asset_text(name: str, more: str, model: str) -> str:
    """One line of the site: an asset with what a test adds to it."""
    text = f"{_ASSETS[name]}, {more}" if more else _ASSETS[name]
    if model:
        text = text.replace("flex-model: {", f"flex-model: {{{model}, ")
    return f"  {name}: {{{text}}}\n"


def site_text(names: Sequence[str], assets: str, context: str, prices: str) -> str:
    """A site with some of the assets above, behind a meter."""
    devices = "".join(f"  {_DEVICES[name]}\n" for name in names if name in _DEVICES)
    accepts = f"centres: {{main: {{accept: {ACCEPTED}}}}}\n"
    return (
        "site: {name: Hut, timezone: Europe/Amsterdam, "
        "location: {latitude: 52.4, longitude: 4.9}}\n"
        f"prices: {prices}\n"
        f"{'' if 'centres: ' in prices else accepts}"
        "brokers: {local: {host: 127.0.0.1, port: 1}}\n"
        "devices:\n"
        "  meter: {profile: eastron-sdm630, host: 127.0.0.1, port: 5}\n"
        f"{devices}"
        "grid-connection: {device: meter, guard-margin: 500 W}\n"
        f"assets:\n{assets}"
        f"flex-context: {{{CONTEXT}{', ' + context if context else ''}}}\n"
    )


Wire = Callable[[Request], Outcome | None]


def obedient(request: Request) -> Outcome:
    """What a line says of a device that does as it is told."""
    if isinstance(request, Write):
        return Applied(request.power_kw)
    return Released(request.why)


@dataclass(repr=False)
class World:
    """A gateway, what its devices show, and what was asked of them."""

    gateway: Gateway
    now: datetime = NOW
    values: dict[str, float | None] = field(default_factory=dict)
    """What the devices show at every tick, by sensor."""
    away: set[str] = field(default_factory=set)
    """Devices that do not answer polls."""
    shows: dict[str, dict[str, float]] = field(default_factory=dict)
    """What the controls of a device show, where that is not what they were told."""
    wires: dict[str, Wire] = field(default_factory=dict)
    """What lines answer, by device; the default obeys."""
    requests: list[Request] = field(default_factory=list)
    taken: dict[str, dict[str, float]] = field(default_factory=dict)
    """What each control of each device was told last, and took."""

    def __post_init__(self) -> None:
        self.dispatcher.submit = self.requests.append
        self._origin = {name: place for place, name in self.gateway.plant.sensor_of.items()}

    def refuse_writes(self) -> None:
        """The disk under the time series takes nothing any more."""
        archive = self.gateway.beliefs._archive
        assert isinstance(archive, LocalArchive)
        archive._journal._connection.execute("pragma query_only = on")

    def take_writes(self) -> None:
        """The disk under the time series is well again."""
        self.gateway.beliefs.maintain(self.now)

    @property
    def dispatcher(self) -> Dispatcher:
        return self.gateway.dispatcher

    @property
    def alarms(self) -> Mapping[str, str]:
        return self.gateway.health.alarms

    def rung(self) -> str:
        """The rung of the ladder it stands on."""
        return self.dispatcher.rung

    def unit(self, asset: str) -> Unit:
        return self.gateway.plant.unit(asset)

    def held(self, asset: str) -> Held:
        return self.dispatcher.held(asset)

    def setpoint(self, asset: str) -> float | None:
        """What an asset is told to do now."""
        setpoint = self.held(asset).setpoint
        return None if setpoint is None else setpoint.power_kw

    def asked(self, asset: str) -> list[Request]:
        """All that was asked of an asset's device."""
        return [one for one in self.requests if one.device == self.unit(asset).asset.device]

    def writes(self, asset: str) -> list[float]:
        return [one.power_kw for one in self.asked(asset) if isinstance(one, Write)]

    def releases(self, asset: str) -> list[str]:
        return [one.why for one in self.asked(asset) if isinstance(one, Release)]

    def show(self, values: Mapping[str, float | None]) -> None:
        """From now on the devices show this."""
        self.values.update(values)

    def poll(self) -> None:
        """Every device that is there answers."""
        samples: dict[str, list[Sample]] = {}
        for sensor, value in self.values.items():
            device, point = self._origin[sensor]
            quality = Quality.MISSING if value is None else Quality.GOOD
            samples.setdefault(device, []).append(Sample(point, value, quality))
        for device, mine in samples.items():
            if device not in self.away:
                shown = self.shows.get(device, self.taken.get(device, {}))
                self.gateway.collector.read(device, mine, shown, self.now)

    def answer(self, request: Request) -> None:
        """What the line says of a request."""
        outcome = self.wires.get(request.device, obedient)(request)
        mine = self.taken.setdefault(request.device, {})
        if isinstance(outcome, Applied):
            mine[request.control] = outcome.power_kw
        elif isinstance(outcome, Released):
            mine.pop(request.control, None)
        if outcome is not None:
            self.gateway.collector.wrote(request.device, request.control, outcome, self.now)

    def tick(self, seconds: float = 1.0) -> list[Request]:
        """Time passes, devices are polled, the dispatcher decides, lines answer."""
        self.now += timedelta(seconds=seconds)
        self.poll()
        before = len(self.requests)
        self.dispatcher.step(self.now)
        new = self.requests[before:]
        for request in new:
            self.answer(request)
        return new

    def ticks(self, n: int) -> None:
        for _ in range(n):
            self.tick()

    def live(self, house_kw: float, sun_kw: float = 0.0) -> float:
        """A tick of a site whose assets do as they are told; what its meter shows in it."""
        total = house_kw
        for unit in self.gateway.plant.controlled:
            told = self.setpoint(unit.name)
            power = 0.0 if told is None else told
            if unit.asset.type == "solar":
                power = sun_kw if told is None else max(told, sun_kw)
            self.values[unit.power] = power
            total += power
        self.values["grid.power"] = total
        self.tick()
        return total

    def decide(self) -> dict[str, Target]:
        """Poll and decide; nothing is written."""
        self.poll()
        gateway = self.gateway
        parts = gateway.plant, gateway.grid, gateway.storages, gateway.planner
        targets = Targets(*parts, gateway.overrides, gateway.elsewhere)
        return targets.decide(self.now)[1]

    def window(self) -> GatewayWindow:
        """What people see of it."""
        return GatewayWindow(self.gateway, lambda: self.now, 1.0)

    def plan(self) -> Plan:
        """Poll and plan, as the job does; a plan must come out."""
        self.poll()
        self.try_plan()
        assert self.gateway.planner.trouble == ""
        plan = self.gateway.planner.in_force(self.now)[1]
        assert plan is not None
        return plan

    def try_plan(self) -> None:
        self.gateway.planner.step(self.now, HORIZON, THINKING)


_READ: dict[tuple[str, ...], LoadedSite] = {}


class Hut:
    """Makes worlds: of the shipped sites, or of a small one with the assets a test needs."""

    def __init__(self, folder: Path, blank: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._blank = blank
        self._stack = stack
        self._open: dict[str, ExitStack] = {}

    def home(self) -> World:
        """The shipped home."""
        return self.world(HOME)

    def industry(self) -> World:
        """The shipped workshop."""
        return self.world(INDUSTRY)

    def __call__(
        self,
        *assets: str,
        more: Mapping[str, str] | None = None,
        model: Mapping[str, str] | None = None,
        context: str = "",
        prices: str = PRICES,
    ) -> World:
        """A small site; ``more`` adds keys to an asset, ``model`` to its flex-model, ``context`` to
        the flex-context.
        """
        path = self.folder / "site.yaml"
        lines = (
            asset_text(name, (more or {}).get(name, ""), (model or {}).get(name, ""))
            for name in assets
        )
        text = site_text(assets, "".join(lines), context, prices)
        path.write_text(text, encoding="utf-8")
        return self.world(path)

    def world(self, path: Path, data: str = "data") -> World:
        """A world of a site file; nothing has been read, planned or written yet."""
        loaded = self._load(path)
        settings = Settings(data_dir=self.folder / data)
        if not settings.data_dir.exists():
            shutil.copytree(self._blank, settings.data_dir)
        if data in self._open:  # a restart: one gateway at a time has a folder
            self._open[data].close()
        own = self._open[data] = self._stack.enter_context(ExitStack())
        return World(compose(settings, loaded, WallClock(), own).gateway)

    def _load(self, path: Path) -> LoadedSite:
        """The site of a file; the same text is read only once."""
        text = path.read_text(encoding="utf-8")
        own = sorted(self.folder.glob("*-*.yaml"))  # profiles have a dash in their names
        key = (text, *(one.read_text(encoding="utf-8") for one in own))
        if "{file:" in text:  # which is found from the site's own folder
            return load_site(path, (self.folder,))
        if key not in _READ:
            _READ[key] = load_site(path, (self.folder,))
        return _READ[key]

    def again(self) -> World:
        """The daemon starts anew on the same data, as after a crash or a change of the site."""
        self._stack.close()
        return self.world(self.folder / "site.yaml")

    def profile(self, name: str, old: str, new: str) -> None:
        """Change a shipped profile in one place."""
        text = (CATALOGUE / f"{name}.yaml").read_text(encoding="utf-8")
        assert old in text
        (self.folder / f"{name}.yaml").write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a gateway that has not lived yet: copying them is faster than making them."""
    folder = tmp_path_factory.mktemp("blank")
    with ExitStack() as stack:
        compose(Settings(data_dir=folder), load_site(HOME), WallClock(), stack)
    return folder


@pytest.fixture
def hut(tmp_path: Path, blank: Path) -> Iterator[Hut]:
    with ExitStack() as stack:
        yield Hut(tmp_path, blank, stack)
