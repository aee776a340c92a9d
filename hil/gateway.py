"""The daemon under test: a folder with its files, and the processes that ran on it."""

import signal
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hil.api import Api
from hil.programs import FLEXEDGE, Program, Site
from hil.waiting import eventually

_TEMPLATE = Path(__file__).parent / "site.yaml"
_HOURS_BEFORE, _HOURS_AHEAD = 48, 192


def _price(hour: int) -> float:
    return 0.45 if 16 <= hour < 21 else 0.12 if hour < 6 else 0.25


class Gateway:
    """One data folder and the daemons that are started on it. The page's port is any free one."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.folder = folder
        self.api = Api(folder / "data")
        self.programs: list[Program] = []
        self._site_now = site.now
        self._prices = folder / "prices.csv"
        self.write_prices()
        template = string.Template(_TEMPLATE.read_text(encoding="utf-8"))
        path = folder / "site.yaml"
        path.write_text(template.substitute(site.ports, prices=self._prices), encoding="utf-8")
        self.variables = {
            "FLEXEDGE_SITE": str(path),
            "FLEXEDGE_DATA_DIR": str(self.api.data),
            "FLEXEDGE_WEB__PORT": "0",
        }
        if site.clock is not None:
            self.variables["FLEXEDGE_CLOCK"] = f"127.0.0.1:{site.clock}"

    def write_prices(self, *, known: bool = True) -> None:
        """Prices that are low at night and high in the evening; or only those of long ago."""
        first = datetime.fromtimestamp(self._site_now, UTC).replace(minute=0, second=0)
        first -= timedelta(hours=_HOURS_BEFORE, days=0 if known else 30)
        hours = [first + timedelta(hours=n) for n in range(_HOURS_BEFORE + _HOURS_AHEAD)]
        rows = [f"{hour:%Y-%m-%dT%H:00:00+00:00},{_price(hour.hour)}" for hour in hours]
        fresh = self._prices.with_suffix(".new")
        fresh.write_text("\n".join(["start,value", *rows, ""]), encoding="utf-8")
        fresh.replace(self._prices)

    @property
    def program(self) -> Program:
        """The daemon that was started last."""
        return self.programs[-1]

    def start(self, **variables: str) -> Program:
        """Start a daemon; it need not be up when this returns."""
        program = Program([FLEXEDGE, "run"], self.folder, self.variables | variables, "daemon.log")
        self.programs.append(program)
        self.api.pid = program.pid
        return program

    def start_up(self, within_s: float = 60.0) -> None:
        """Start a daemon and wait until the site is live, planned and controlled."""
        self.start()
        eventually(self.api.up, within_s)

    def crash(self) -> None:
        """End the daemon as the power does: without a word."""
        self.program.end(signal.SIGKILL)

    def clear(self) -> None:
        """End whatever runs."""
        self.api.close()
        for program in self.programs:
            program.clear()
