"""flexedge sync rejected, sync retry: values that a centre did not take."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from flexedge.cli.client import Client, client
from flexedge.cli.output import print_json, table

EX_TROUBLE: Final = 1
_ROOT: Final = "/api/v3_0/gateway/sync"
_MOST: Final = 1000
_HEAD: Final = ("id", "centre", "sensor", "what", "from", "values", "tries", "why")
Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    """Ask the running gateway; exit code 1 where something is refused, or nothing was done."""
    return _WHAT[options.what](client(options), options)


def _rejected(gateway: Client, options: argparse.Namespace) -> int:
    asked = {"limit": _MOST} | ({} if options.centre is None else {"centre": options.centre})
    told = gateway.get(f"{_ROOT}/rejected?{urlencode(asked)}")
    print_json(told) if options.json else show(told)
    return EX_TROUBLE if told["count"] else 0


def show(told: Json) -> None:
    """Print what was refused, a line each, the newest first."""
    if not told["count"]:
        print("Nothing is refused.")
    else:
        print(table(_HEAD, [_row(one) for one in told["entries"]]))
    left_out = told["count"] - len(told["entries"])
    if left_out:
        print(f"and {left_out} more")
    for centre, values in told["dropped"].items():
        if values:
            print(f"{values} values that {centre} refused were given up: they were too many")


def _row(one: Json) -> tuple[object, ...]:
    again = ", once more" if one["again"] else ""
    return (
        one["number"], one["centre"], one["sensor"], one["role"] or "measured", one["start"],
        _values(one), f"{one['tries']}{again}", one["why"],
    )  # fmt: skip


def _values(one: Json) -> str:
    """The value, or how many there are."""
    if one["count"] > 1:
        return str(one["count"])
    (value,) = one["values"] or (None,)
    return "missing" if value is None else f"{value:g} {one['unit']}".strip()


def _retry(gateway: Client, options: argparse.Namespace) -> int:
    body = {"numbers": options.numbers, "all": options.all, "drop": options.drop}
    body |= {} if options.centre is None else {"centre": options.centre}
    told = gateway.send("POST", f"{_ROOT}/retry", body=body)
    if options.json:
        print_json(told)
    else:
        print(told["message"])
        if told["gone"]:
            print(f"not there (any more): {', '.join(str(one) for one in told['gone'])}")
    return 0 if told["numbers"] else EX_TROUBLE


_WHAT: Final[Mapping[str, Callable[[Client, argparse.Namespace], int]]] = {
    "rejected": _rejected,
    "retry": _retry,
}
