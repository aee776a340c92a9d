"""The charger's front end: the topics of a go-e charger, and of the car's own telematics."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

from flexedge.demo.charger import (
    CAPACITY_KWH,
    LEAST_A,
    MOST_A,
    NEUTRAL,
    ON,
    ONE_PHASE,
    THREE_PHASES,
    Charger,
)
from flexedge.demo.mqtt_link import Link

SERIAL = "123456"
SOC_TOPIC = "vehicle/car/soc"
_ROOT = f"go-eCharger/{SERIAL}"
_VOLTS = 230
_RENEW_S = 5.0
_RENEW_SOC_S = 5.0
_LEAST_GAP_S = 2.0
_JUMP_W = 100.0
_RETRY_S = 2.0


@dataclass(slots=True)
class _Said:
    payload: str
    at: float


class GoE:
    """Publishes what the charger does and obeys what is set. Call ``step`` after each step.

    It finds its way back to a broker that was away: it tries again every 2 site seconds.
    """

    def __init__(self, charger: Charger, port: int, now: Callable[[], float]) -> None:
        self.charger = charger
        self.silent = False
        """Connected, but neither speaks nor listens."""
        self._port = port
        self._now = now
        self._link: Link | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._tried_at = float("-inf")
        self._running = True
        self._said: dict[str, _Said] = {}
        self._said_w = 0.0

    @property
    def up(self) -> bool:
        """Whether the broker has let it in."""
        return self._link is not None and self._link.up

    def step(self, now: float) -> None:
        """Keep the line up and say what is due at ``now``."""
        if not self._running:
            return
        if self._link is None or self._link.lost:
            self._dial(now)
            return
        if self._link.up and not self.silent:
            self._speak(self._link, now)

    async def stop(self) -> None:
        """Switch the charger's network off."""
        self._running = False
        if self._dialling is not None:
            await self._dialling
        if self._link is not None:
            self._link.close()
            self._link = None
        await asyncio.sleep(0)

    async def start(self) -> None:
        """Switch the charger's network on; returns when the broker was tried."""
        self._running = True
        self._tried_at = float("-inf")
        self.step(self._now())
        if self._dialling is not None:
            await self._dialling

    def _dial(self, now: float) -> None:
        if now - self._tried_at < _RETRY_S or self._dialling is not None:
            return
        self._tried_at = now
        self._dialling = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        link = Link(f"go-e-{SERIAL}", [f"{_ROOT}/+/set"], self._heard)
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: link, "127.0.0.1", self._port)
        except OSError:
            link.lost = True
        self._link = link
        self._said.clear()
        self._dialling = None

    def _speak(self, link: Link, now: float) -> None:
        charger = self.charger
        watts = charger.power_kw * 1000.0
        jumped = abs(watts - self._said_w) > _JUMP_W
        due = jumped or self._due("nrg", _LEAST_GAP_S, now)
        if due and self._say(link, "nrg", nrg(charger), now):
            self._said_w = watts
        self._say(link, "car", str(charger.car_state), now)
        self._say(link, "amp", str(charger.amps), now)
        self._say(link, "frc", str(charger.force), now)
        self._say(link, "psm", str(charger.phase_mode), now)
        if self._due("wh", _LEAST_GAP_S, now):
            self._say(link, "wh", str(round(charger.session_wh)), now)
        if self._due(SOC_TOPIC, _RENEW_SOC_S, now):
            self._said[SOC_TOPIC] = _Said("", now)
            link.publish(SOC_TOPIC, f"{charger.car.soc_kwh / CAPACITY_KWH * 100:.2f}")

    def _due(self, key: str, every: float, now: float) -> bool:
        said = self._said.get(key)
        return said is None or now - said.at >= every

    def _say(self, link: Link, key: str, payload: str, now: float) -> bool:
        """Publish what has changed, or was last said a while ago."""
        said = self._said.get(key)
        if said is not None and said.payload == payload and now - said.at < _RENEW_S:
            return False
        self._said[key] = _Said(payload, now)
        link.publish(f"{_ROOT}/{key}", payload)
        return True

    def _heard(self, topic: str, payload: bytes) -> None:
        if self.silent or not self._running:
            return
        allowed = _SETTINGS.get(topic.removeprefix(f"{_ROOT}/").removesuffix("/set"))
        try:
            number = int(payload)
        except ValueError:
            return
        if allowed is None or not allowed.least <= number <= allowed.most:
            return
        allowed.set(self.charger, number)
        self.charger.written_at = self._now()
        self.charger.written_by = "mqtt"


@dataclass(frozen=True, slots=True)
class _Setting:
    least: int
    most: int
    set: Callable[[Charger, int], None]


def _set_amps(charger: Charger, number: int) -> None:
    charger.amps = number


def _set_force(charger: Charger, number: int) -> None:
    charger.force = number


def _set_phases(charger: Charger, number: int) -> None:
    charger.phase_mode = number


_SETTINGS = {
    "amp": _Setting(LEAST_A, MOST_A, _set_amps),
    "frc": _Setting(NEUTRAL, ON, _set_force),
    "psm": _Setting(ONE_PHASE, THREE_PHASES, _set_phases),
}


def nrg(charger: Charger) -> str:
    """go-e's array: volts of L1 L2 L3 N, amps of L1 L2 L3, watts of L1 L2 L3 N, total watts, ..."""
    watts = charger.power_kw * 1000.0
    legs = charger.phases
    each = watts / legs
    volts = [_VOLTS] * 3 if charger.plugged else [0] * 3
    amps = [round(each / _VOLTS, 2) if leg < legs else 0 for leg in range(3)]
    powers = [round(each, 1) if leg < legs else 0 for leg in range(3)]
    return json.dumps([*volts, 0, *amps, *powers, 0, round(watts, 1), 0, 0, 0, 0])
