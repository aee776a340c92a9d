"""The service manager is told when the gateway is ready, alive and stopping; its unit is sound."""

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.conftest import Benches
from hil.programs import FLEXEDGE

pytestmark = pytest.mark.systemd
UNIT = Path(__file__).parent.parent / "systemd" / "flexedge.service"
MOST_EXPOSED = 15  # tenths, of 100


class Manager:
    """The end of a notify socket that a service manager holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def hears(self, line: str, within_s: float) -> None:
        """Wait for a message with this line."""
        self._socket.settimeout(within_s)
        while line not in self._socket.recv(4096).decode().splitlines():
            pass

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.close()


def test_the_service_manager_is_kept_informed(benches: Benches, manager: Manager) -> None:
    gateway = benches().gateway
    program = gateway.start(NOTIFY_SOCKET=str(manager.path), WATCHDOG_USEC="1000000")
    manager.hears("READY=1", within_s=30)
    assert (gateway.api.data / "runtime.json").exists()  # ready means ready
    manager.hears("WATCHDOG=1", within_s=5)
    manager.hears("WATCHDOG=1", within_s=5)
    program.process.send_signal(signal.SIGTERM)
    manager.hears("STOPPING=1", within_s=5)
    assert program.process.wait(timeout=5) == 0


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit for the program that is installed here."""
    text = UNIT.read_text(encoding="utf-8")
    here, places = re.subn(r"(?m)^ExecStart=\S+", f"ExecStart={FLEXEDGE}", text)
    assert places == 1
    path = tmp_path / UNIT.name
    path.write_text(here, encoding="utf-8")
    return path


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_systemd_understands_every_line_of_the_unit(unit: Path) -> None:
    done = analyze("verify", "--man=no", str(unit))
    complaints = [line for line in done.stderr.splitlines() if unit.name in line]
    assert complaints == []
    assert done.returncode == 0, done.stderr


def test_the_unit_is_hardened(unit: Path) -> None:
    done = analyze(
        "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}", str(unit)
    )
    assert done.returncode == 0, done.stdout.strip().splitlines()[-1]
