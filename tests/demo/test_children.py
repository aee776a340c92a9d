import asyncio
import sys
from pathlib import Path

import pytest

from flexedge.demo.children import DaemonProcess, SiteDied, SiteProcess
from flexedge.demo.timekeeper import pause

_STUBBORN = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("deaf", flush=True)
signal.pause()
"""


def test_the_site_is_started_asked_and_ended() -> None:
    async def scene() -> None:
        site = await SiteProcess.start(["--speed", "1e6", "--start", "1776117600", "--hold"])
        assert set(site.ready.ports) == {"battery", "solar", "meter", "heating", "broker"}
        assert (await site.report()).now == site.ready.now == 1776117600.0
        assert '"done"' in await site.ask({"device": "meter", "do": "stop"})
        await site.stop()
        with pytest.raises(SiteDied):
            site.finished.result()

    asyncio.run(scene())


def test_a_site_that_does_not_come_up(capfd: pytest.CaptureFixture[str]) -> None:
    async def scene() -> None:
        with pytest.raises(SiteDied, match="exit 2"):
            await SiteProcess.start(["--fault", "nonsense"])

    asyncio.run(scene())
    assert "nonsense" in capfd.readouterr().err


def test_the_daemon_gets_its_environment_and_its_log(tmp_path: Path) -> None:
    async def scene() -> None:
        command = [sys.executable, "-c", "import os; print(os.environ['X']); raise SystemExit(3)"]
        daemon = await DaemonProcess.start(command, {"X": "hello"}, tmp_path / "log")
        assert await daemon.ended() == 3
        assert await daemon.stop(1.0) == 3
        assert daemon.exit_code == 3
        assert daemon.last_words() == "hello"

    asyncio.run(scene())


def test_a_daemon_that_does_not_end_is_ended(tmp_path: Path) -> None:
    async def scene() -> None:
        log = tmp_path / "log"
        daemon = await DaemonProcess.start([sys.executable, "-c", _STUBBORN], {}, log)
        async with asyncio.timeout(10):
            while not log.read_text():
                await pause(0.01)
        assert await daemon.stop(0.05) == -9

    asyncio.run(scene())
