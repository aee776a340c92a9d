"""The site's devices on their sockets, and how to switch them off and on."""

from collections.abc import Mapping
from typing import Protocol

from flexedge.demo import eastron, foxess, lambda_registers, sunspec
from flexedge.demo.broker import DemoBroker
from flexedge.demo.goe import GoE
from flexedge.demo.modbus_server import ModbusServer
from flexedge.demo.simulation import Simulation

ALL = "all"


class _Switch(Protocol):
    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class Front:
    """Every device of the managed house: battery, solar, meter, heating, charger; the broker."""

    def __init__(self, simulation: Simulation) -> None:
        home = simulation.managed

        def now() -> float:
            return simulation.now

        self.servers = {
            "battery": ModbusServer(foxess.bank(home.hybrid, home.phases_kw, now)),
            "solar": ModbusServer(sunspec.bank(home.inverter, now)),
            "meter": ModbusServer(eastron.bank(home)),
            "heating": ModbusServer(lambda_registers.bank(home.pump, now)),
        }
        self.broker = DemoBroker()
        self.charger = GoE(home.charger, self.broker.port, now)
        self._switches: Mapping[str, _Switch] = {
            "broker": self.broker,
            **self.servers,
            "charger": self.charger,
        }
        simulation.after_step.append(self.charger.step)

    @property
    def ports(self) -> dict[str, int]:
        """Where each listens; the charger has no port: it speaks through the broker."""
        return {name: server.port for name, server in self.servers.items()} | {
            "broker": self.broker.port
        }

    async def start(self) -> None:
        """Open every socket."""
        for switch in self._switches.values():
            await switch.start()

    async def stop(self) -> None:
        """Close every socket."""
        for switch in reversed(tuple(self._switches.values())):
            await switch.stop()

    def knows(self, device: str, do: str) -> bool:
        """Whether ``act`` can do this."""
        if do in ("stop", "start"):
            return device == ALL or device in self._switches
        return do in ("silence", "speak") and (device == "charger" or device in self.servers)

    async def act(self, device: str, do: str) -> None:
        """Do "stop", "start", "silence" or "speak" to a device; "all" may be stopped, started."""
        if do in ("silence", "speak"):
            silent = do == "silence"
            if device == "charger":
                self.charger.silent = silent
            else:
                self.servers[device].silent = silent
            return
        for name, switch in self._switches.items():
            if device in (ALL, name):
                await (switch.stop() if do == "stop" else switch.start())
