"""What support needs to know of a gateway, in one file on site: no secrets, no readings."""

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from flexedge import __version__
from flexedge.errors import RequestError, StoreError
from flexedge.gateway.gateway import Gateway
from flexedge.store.local import durable

FOLDER: Final = "bundles"
_EVERY: Final = timedelta(hours=1)
_KEPT: Final = 5
_MOST: Final = 1_000_000  # bytes
_SECRETS: Final = ("password", "token", "secret", "pin", "key")
_STAMP: Final = "support-%Y%m%dT%H%M%SZ.tar.gz"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Support:
    """Writes bundles into a folder of the data folder."""

    folder: Path
    """The data folder."""
    gateway: Gateway

    def bundle(self, now: datetime) -> Path:
        """Write a bundle (0600); the oldest of more than five go.

        Raises ``RequestError`` (409) within an hour of the last one, and ``StoreError``.
        """
        folder = self.folder / FOLDER
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            known = sorted(folder.glob("support-*.tar.gz"))
            path, since = folder / f"{now:{_STAMP}}", f"{now - _EVERY:{_STAMP}}"
            recent = [one for one in known if since < one.name <= path.name]
            if recent:
                raise RequestError(409, f"There is one of less than an hour ago: {recent[-1]}.")
            durable.write(path, _packed(dict(_facts(self.gateway, now)), now))
            for old in [*known, path][:-_KEPT]:
                old.unlink()
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}") from error
        return path


def _facts(gateway: Gateway, now: datetime) -> Iterator[tuple[str, Any]]:
    health, planner = gateway.health, gateway.planner
    yield "about.json", {"version": __version__, "at": now.isoformat()}
    yield "site.json", _masked(gateway.plant.site.model_dump(mode="json", by_alias=True))
    devices = {name: health.device(name) for name in gateway.plant.site.devices}
    yield "health.json", {
        "time-known": health.time_known,
        "devices": {
            name: asdict(one) | {"state": one.state(now)} for name, one in devices.items()
        },
        "counts": asdict(health.counts),
        "alarms": [asdict(one) for one in health.raised],
        "beats": dict(health.beats),
    }  # fmt: skip
    rung, plan = planner.in_force(now)
    yield "plan.json", {
        "rung": rung, "trouble": planner.trouble,
        "made-at": None if plan is None else plan.made_at,
        "why": {} if plan is None else dict(plan.why),
        "breaches": () if plan is None else plan.breaches,
    }  # fmt: skip
    yield "asked.json", {
        "overrides": [asdict(one) for one in gateway.overrides.overrides(now)],
        "limits": [asdict(one) for one in gateway.overrides.limits(now)],
        "edits": [asdict(one) for one in gateway.amendments.all()],
    }  # fmt: skip


def _masked(value: Any) -> Any:
    """The same without what is called like a secret."""
    if isinstance(value, list):
        return [_masked(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: "***" if _is_secret(key) and one is not None else _masked(one)
        for key, one in value.items()
    }


def _is_secret(key: str) -> bool:
    words = key.lower().replace("_", "-").split("-")
    return any(word in _SECRETS for word in words)


def _packed(parts: Mapping[str, Any], now: datetime) -> bytes:
    """A compressed tar; what makes it too large is left out, the largest part first."""
    texts = {
        name: json.dumps(part, default=str, indent=1, ensure_ascii=False).encode()
        for name, part in parts.items()
    }
    while True:
        packed = _tar(texts, now)
        if len(packed) <= _MOST:
            return packed
        largest = max(texts, key=lambda name: len(texts[name]))
        texts[largest] = b"left out: too large\n"


def _tar(texts: Mapping[str, bytes], now: datetime) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz", format=tarfile.USTAR_FORMAT) as tar:
        for name, text in texts.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(text), int(now.timestamp()), 0o600
            tar.addfile(member, io.BytesIO(text))
    return whole.getvalue()
