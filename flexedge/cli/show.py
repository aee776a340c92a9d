"""flexedge show beliefs | schedule | devices."""

import argparse
from collections.abc import Callable
from datetime import datetime, timedelta

from flexedge.cli.client import Client, client, moment
from flexedge.cli.output import ago, print_json, table
from flexedge.errors import FlexedgeError

_HOUR = timedelta(hours=1)


def run(options: argparse.Namespace) -> int:
    """Show one kind of thing."""
    kinds: dict[str, Callable[[argparse.Namespace, Client], None]] = {
        "beliefs": _beliefs,
        "schedule": _schedule,
        "devices": _devices,
    }
    kinds[options.what](options, client(options))
    return 0


def _beliefs(options: argparse.Namespace, gateway: Client) -> None:
    now = datetime.fromisoformat(gateway.get("/api/status")["now"])
    start = moment(options.start) if options.start else now - _HOUR
    end = moment(options.end) if options.end else now + _HOUR
    rows = gateway.get(
        "/api/beliefs", sensor=options.sensor, start=start.isoformat(), end=end.isoformat()
    )
    if options.json:
        print_json(rows)
        return
    cells = [(r["event_start"], r["belief_time"], r["source"], r["value"]) for r in rows]
    print(table(("event", "believed at", "source", "value"), cells))


def _schedule(options: argparse.Namespace, gateway: Client) -> None:
    chart = gateway.get("/api/chart")
    lines = [chart["grid"], *chart["powers"]]
    if options.asset is not None:
        known = [line["name"] for line in lines]
        if options.asset not in known:
            raise FlexedgeError(f"there is no {options.asset!r}; there are {', '.join(known)}")
        lines = [line for line in lines if line["name"] == options.asset]
    ahead = [
        i
        for i, time in enumerate(chart["times"])
        if datetime.fromisoformat(time) + timedelta(seconds=chart["resolution_s"])
        > datetime.fromisoformat(chart["now"])
    ]
    steps = [
        {"start": chart["times"][i], "import_price": chart["import_price"][i]}
        | {line["name"]: line["planned"][i] for line in lines}
        for i in ahead
    ]
    if options.json:
        print_json(steps)
        return
    names = [line["name"] for line in lines]
    head = ("start", f"{chart['currency']}/kWh", *(f"{name} kW" for name in names))
    rows = [(s["start"], s["import_price"], *(s[name] for name in names)) for s in steps]
    print(table(head, rows))


def _devices(options: argparse.Namespace, gateway: Client) -> None:
    devices = gateway.get("/api/status")["devices"]
    if options.json:
        print_json(devices)
        return
    for device in devices:
        error = f": {device['error']}" if device["error"] else ""
        print(f"{device['name']} ({device['title']}) {device['state']}{error}")
        rows = [
            (f"  {p['sensor']}", p["value"], p["unit"], p["quality"], ago(p["age_s"]))
            for p in device["points"]
        ]
        print(table(("  sensor", "value", "unit", "quality", "age"), rows))
        print()
