"""flexedge status."""

import argparse
from typing import Any

from flexedge.cli.client import client
from flexedge.cli.output import ago, print_json, table, text

EX_TROUBLE = 1


def run(options: argparse.Namespace) -> int:
    """How the gateway fares; exit code 1 when something needs somebody."""
    status = client(options).get("/api/status")
    if options.json:
        print_json(status)
    else:
        _print(status)
    lost = any(device["state"] == "lost" for device in status["devices"])
    behind = any(not centre["well"] for centre in status["centres"])
    return EX_TROUBLE if lost or behind or status["alarms"] else 0


def _print(status: dict[str, Any]) -> None:
    currency = status["currency"]
    print(f"{status['site']}  (flexedge {status['version']})")
    print(f"grid      {text(status['grid_kw'])} kW of {text(status['grid_limit_kw'])} kW")
    print(f"price     {text(status['import_price'])} {currency}/kWh, "
          f"feed-in {text(status['feed_in_price'])} {currency}/kWh")  # fmt: skip
    plan = status["plan"]
    print(f"plan      {plan['rung']}, {plan['status']}, made {plan['made_at'] or 'never'}")
    for sentence in plan["explanation"]:
        print(f"          {sentence}")
    for centre in status["centres"]:
        print(f"centre    {centre['name']} {centre['url']}, {centre['words']}")
    print()
    rows = [
        (a["name"], a["type"], a["power_kw"], a["planned_kw"], a["soc_kwh"], _told(a["control"]))
        for a in status["assets"]
    ]
    print(table(("asset", "type", "kW", "plan kW", "kWh", "told"), rows))
    print()
    devices = [
        (d["name"], d["title"], d["state"], ago(d["age_s"]), d["failures"], d["error"])
        for d in status["devices"]
    ]
    print(table(("device", "what", "state", "answered", "failures", "error"), devices))
    for alarm in status["alarms"]:
        print(f"! {alarm}")


def _told(control: dict[str, Any] | None) -> str:
    if control is None:
        return "-"
    setpoint = "" if control["setpoint_kw"] is None else f"{text(control['setpoint_kw'])} kW "
    by = f" by {', '.join(control['clamped_by'])}" if control["clamped_by"] else ""
    return f"{setpoint}{control['outcome']}{by}{', verified' if control['verified'] else ''}"
