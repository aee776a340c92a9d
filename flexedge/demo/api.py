"""The few calls the demo makes to the daemon it has started."""

import json
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from flexedge.demo.report import Told, Totals
from flexedge.errors import FlexedgeError

_TIMEOUT_S = 60.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""The daemon is on this machine, whatever proxies the environment names."""


class DaemonSilent(FlexedgeError):
    """The daemon did not answer as agreed."""


class Runtime(Told):
    """What the daemon says of itself in runtime.json."""

    url: str
    token: str
    pid: int


class _Ticket(Told):
    url: str


def read_runtime(data_dir: Path) -> Runtime | None:
    """What the daemon has written when it is ready; None before."""
    path = data_dir / "runtime.json"
    try:
        return Runtime.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):  # not there, or only half written
        return None


def _call(runtime: Runtime, method: str, path: str) -> str:
    request = urllib.request.Request(  # noqa: S310 (the daemon's own http address)
        runtime.url.rstrip("/") + path,
        data=b"{}" if method == "POST" else None,
        method=method,
        headers={
            "Authorization": f"Bearer {runtime.token}",
            "Content-Type": "application/json",
        },
    )
    try:
        with _DIRECT.open(request, timeout=_TIMEOUT_S) as answer:
            text: str = answer.read().decode()
            return text
    except urllib.error.HTTPError as error:
        with error:
            said = error.read().decode(errors="replace")[:300]
        raise DaemonSilent(f"{method} {path}: {error.code} {said}") from error
    except OSError as error:
        raise DaemonSilent(f"{method} {path}: {error}") from error


def page_link(runtime: Runtime) -> str:
    """A link that opens the page in one click. Raises ``DaemonSilent``."""
    text = _call(runtime, "POST", "/api/tickets")
    try:
        return _Ticket.model_validate_json(text).url
    except ValidationError as error:
        raise DaemonSilent(f"no link in {text[:300]!r}") from error


def totals(runtime: Runtime, start: float, end: float) -> Totals:
    """The daemon's account of [start, end) (unix seconds). Raises ``DaemonSilent``."""
    window = {
        "start": datetime.fromtimestamp(start, UTC).isoformat(),
        "end": datetime.fromtimestamp(end, UTC).isoformat(),
    }
    text = _call(runtime, "GET", f"/api/totals?{urllib.parse.urlencode(window)}")
    try:
        return Totals.model_validate_json(text)
    except ValidationError as error:
        raise DaemonSilent(f"not totals: {json.dumps(text[:300])}: {error}") from error
