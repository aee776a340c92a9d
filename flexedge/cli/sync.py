"""flexedge sync: how the gateway keeps in step with its centres."""

import argparse
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from flexedge.cli.client import Client, client
from flexedge.cli.output import ago, print_json, table

EX_TROUBLE: Final = 1
_ROOT: Final = "/api/v3_0/gateway/sync"
Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    """Ask the running gateway; exit code 1 where somebody has to do something."""
    return _WHAT[options.what](client(options), options)


def _status(gateway: Client, options: argparse.Namespace) -> int:
    told = gateway.get(_ROOT)
    if options.json:
        print_json(told)
    else:
        show(told, every=options.sensors)
    return 0 if all(one["well"] for one in told["centres"]) else EX_TROUBLE


def show(told: Json, *, every: bool) -> None:
    """Print how things stand; ``every``: also sensors that are in step."""
    if not told["linked"]:
        print(told["message"])
    now = datetime.fromisoformat(told["now"])
    if told["veto"]:
        by, since = told["veto"]["who"], _since(told["veto"]["since"], now)
        print(f"! {by} lets nothing that centres ask for take effect here ({since})")
    for one in told["centres"]:
        print(one_line(one, now))
        print(f"  answered {_since(one['last_contact'], now)}, {_until(one['next_try'], now)};"
              f" {one['requests']} requests, {one['bytes_sent'] / 1000:.0f} kB sent")  # fmt: skip
        rows = [
            _row(lag, now) for lag in one["sensors"] if every or lag["waiting"] or lag["paused"]
        ]
        if rows:
            print(table(("sensor", "what", "newest here", "there", "to come", "why not"), rows))
    _came(told, now)


def _came(told: Json, now: datetime) -> None:
    """What centres brought about."""
    for centre in told["centres"]:
        for edit in centre["edits"]:
            words = f"{edit['about']}: {edit['field']} {_said(edit['theirs'])} instead of"
            end = f", confirmed {_until(edit['until'], now)[5:]}" if edit["until"] else ""
            why = f": {edit['why']}" if edit["why"] else ""
            print(f"edit at {centre['name']}: {words} {_said(edit['ours'])}"
                  f" ({edit['fate']}{why}{end})")  # fmt: skip
        for one in centre["commands"]:
            why = f": {one['why']}" if one["why"] else ""
            print(f"command of {centre['name']}: {one['command']} {one['result']}"
                  f" {_since(one['at'], now)}{why}")  # fmt: skip
    for one in told["plans"]:
        words = " ".join(text for text in (one["words"], one["trouble"]) if text)
        print(f"{one['asset']} is planned {one['planner']}: {words}")


def _said(value: Any) -> str:
    """A field's value as people write it."""
    return "nothing" if value is None else value if isinstance(value, str) else json.dumps(value)


def one_line(one: Json, now: datetime) -> str:
    """How things stand with a centre: "main https://… linked 3 d ago, in step; 2 refused"."""
    linked = _since(one["linked"], now)
    return f"{one['name']} {one['url']} linked {linked}, {one['words']}"


def _row(lag: Json, now: datetime) -> tuple[object, ...]:
    return (
        lag["sensor"], lag["role"] or "measured", _since(lag["newest_here"], now),
        _since(lag["newest_there"], now), lag["waiting"], lag["paused"],
    )  # fmt: skip


def _since(moment: str | None, now: datetime) -> str:
    """How long ago; events may also lie ahead."""
    if moment is None:
        return ago(None)
    seconds = (now - datetime.fromisoformat(moment)).total_seconds()
    return ago(seconds) if seconds >= 0 else ago(-seconds).replace(" ago", " ahead")


def _until(moment: str | None, now: datetime) -> str:
    seconds = 0.0
    if moment is not None:
        seconds = (datetime.fromisoformat(moment) - now).total_seconds()
    return f"next in {ago(seconds).removesuffix(' ago')}" if seconds > 0 else "next now"


def _now(gateway: Client, options: argparse.Namespace) -> int:
    body = {} if options.centre is None else {"centre": options.centre}
    told = gateway.send("POST", f"{_ROOT}/now", body=body)
    print_json(told) if options.json else print(told["message"])
    return 0 if told["centres"] else EX_TROUBLE


def _veto(gateway: Client, options: argparse.Namespace) -> int:
    told = gateway.send("POST", f"{_ROOT}/veto", body={"on": options.say == "on"})
    print_json(told) if options.json else print(told["message"])
    return 0


_WHAT: Final[Mapping[str, Callable[[Client, argparse.Namespace], int]]] = {
    "status": _status,
    "now": _now,
    "veto": _veto,
}
