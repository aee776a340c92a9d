"""Reading devices through line, driver, client and codec, over the same reads on a bare socket."""

import socket
import struct
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.measure import Row, goal, in_turn, seconds
from bench.site import running_site
from flexedge.config.check import LoadedSite, load_site
from flexedge.config.profile import ModbusProfile
from flexedge.demo.site_yaml import write_site
from flexedge.domain.schedule import Outcome
from flexedge.drivers.driver import Sample
from flexedge.drivers.line import Line
from flexedge.drivers.modbus.client import ModbusClient, Wire
from flexedge.drivers.modbus.driver import ModbusDriver
from flexedge.errors import DeviceError

START = datetime(2026, 4, 14, tzinfo=UTC)
_FUNCTIONS = {"holding": 3, "input": 4}
_HEAD = struct.Struct(">HHHBBB")
_ASK = struct.Struct(">HHHBBHH")
_SECOND = timedelta(seconds=1)
Read = tuple[str, int, int]


@dataclass(slots=True)
class _Counted:
    """What a line reports, as numbers."""

    points: int = 0

    def read(
        self, device: str, samples: Sequence[Sample], shown: Mapping[str, float], now: datetime
    ) -> None:
        """Count."""
        del device, shown, now
        self.points += len(samples)

    def failed(self, device: str, error: DeviceError, now: datetime) -> None:
        """A bench on failures would be none."""
        raise RuntimeError(f"{device} failed at {now}") from error

    def wrote(self, device: str, control: str, outcome: Outcome, now: datetime) -> None:
        """Nothing is written here."""


class _Ours:
    """Lines over real drivers, stepped through time as fast as they go."""

    def __init__(self, loaded: LoadedSite, profiles: Mapping[str, ModbusProfile]) -> None:
        self.counted = _Counted()
        self.reads: list[tuple[str, Read]] = []
        self._now = START
        self._lines = [self._line(loaded, name, profile) for name, profile in profiles.items()]

    def _line(self, loaded: LoadedSite, name: str, profile: ModbusProfile) -> Line:
        device = loaded.site.devices[name]
        wire = Wire(str(device.host), int(device.port or 0), 3.0)
        client = _Noted(name, wire, profile.connection.unit if device.unit is None else device.unit)
        client.notes = self.reads
        driver = ModbusDriver(name, profile, device, client)
        return Line(name, {name: driver}, self.counted, lambda: None)

    def live(self, span: timedelta) -> None:
        """Do all polls of the next ``span`` of time, one line after the other."""
        end = self._now + span
        for line in self._lines:
            now = self._now
            while now < end:
                now = line.step(now) or end
        self._now = end

    def close(self) -> None:
        """Close the connections."""
        for line in self._lines:
            line.close()


class _Noted(ModbusClient):
    """Notes what is read, for the other to read the same."""

    notes: list[tuple[str, Read]]

    def read(self, table: str, address: int, count: int) -> tuple[int, ...]:
        """As the client does."""
        self.notes.append((self._device, (table, address, count)))
        return super().read(table, address, count)


class _Bare:
    """The least a Modbus client must do: ask, receive, unpack the words."""

    def __init__(self, loaded: LoadedSite, profiles: Mapping[str, ModbusProfile]) -> None:
        self._sockets: dict[str, tuple[socket.socket, int]] = {}
        for name, profile in profiles.items():
            device = loaded.site.devices[name]
            wire = socket.create_connection((str(device.host), int(device.port or 0)), 3.0)
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            unit = profile.connection.unit if device.unit is None else device.unit
            self._sockets[name] = wire, unit

    def read_all(self, reads: Sequence[tuple[str, Read]]) -> None:
        """Every read, one after the other."""
        for i, (name, (table, address, count)) in enumerate(reads):
            wire, unit = self._sockets[name]
            function, number = _FUNCTIONS[table], i & 0xFFFF
            wire.sendall(_ASK.pack(number, 0, 6, unit, function, address, count))
            answer = wire.recv(_HEAD.size + 2 * count)
            while len(answer) < _HEAD.size + 2 * count:
                answer += wire.recv(_HEAD.size + 2 * count - len(answer)) or _hung_up()
            head = _HEAD.unpack_from(answer)
            if head[0] != number or head[4] != function:
                raise RuntimeError("the simulator answered something else")
            struct.unpack_from(f">{count}H", answer, _HEAD.size)

    def close(self) -> None:
        """Close the connections."""
        for wire, _ in self._sockets.values():
            wire.close()


def _hung_up() -> bytes:
    raise RuntimeError("the simulator hung up")


def rows(*, quick: bool) -> Iterator[Row]:
    """The home's four Modbus devices at their own paces, and a meter with all points each poll."""
    rounds = 2 if quick else 15
    with tempfile.TemporaryDirectory() as folder, running_site() as ready:
        loaded = load_site(write_site(Path(folder), 1, ready.now, 2.0, ready.ports))
        profiles = _without_gaps(loaded)
        what = "points polled, home, 60 s of polls"
        yield _row(what, loaded, profiles, timedelta(seconds=60), rounds)
        whole = {"meter": _all_at_once(profiles["meter"])}
        what = f"points polled, all {len(whole['meter'].points)} of a meter, 60 polls"
        yield _row(what, loaded, whole, timedelta(seconds=60), rounds)


def _row(
    what: str,
    loaded: LoadedSite,
    profiles: Mapping[str, ModbusProfile],
    span: timedelta,
    rounds: int,
) -> Row:
    ours, bare = _Ours(loaded, profiles), _Bare(loaded, profiles)
    ours.live(span)  # connects, and learns what a device has
    ours.reads.clear()
    ours.counted.points = 0
    ours.live(span)
    reads, points = tuple(ours.reads), ours.counted.points
    figures = in_turn(
        lambda: points / seconds(lambda: ours.live(span)),
        lambda: points / seconds(lambda: bare.read_all(reads)),
        rounds,
    )
    ours.close()
    bare.close()
    requests = f" ({points} points, {len(reads)} reads)"
    return Row(what + requests, "/s", *figures, "bare socket", goal(least=0.2))


def _without_gaps(loaded: LoadedSite) -> dict[str, ModbusProfile]:
    """The Modbus devices; with silence between requests we would measure the silence."""
    found = {}
    for name, profile in loaded.profiles.items():
        if isinstance(profile, ModbusProfile):
            connection = profile.connection.model_copy(update={"gap": timedelta(0)})
            found[name] = profile.model_copy(update={"connection": connection})
    return found


def _all_at_once(profile: ModbusProfile) -> ModbusProfile:
    points = {
        name: point.model_copy(update={"every": _SECOND}) for name, point in profile.points.items()
    }
    return profile.model_copy(update={"points": points})
