"""Where in a request a limit is said: the field's path, by what the optimiser calls the limit."""

import re
from collections.abc import Iterable, Iterator, Mapping

from flexedge.optim.device import ELECTRICITY
from flexedge.optim.request.entries import Cast, Entry
from flexedge.optim.request.fields import Fields
from flexedge.optim.request.stores import Store
from flexedge.optim.request.terms import Terms

_ITEM = re.compile(r"^(.*?)((?:\[\d+\])?)$")
_OF_STOCKS = ("soc-min", "soc-max", "soc-minima", "soc-maxima", "soc-targets", "state-of-charge")
_OF_DEVICES = (
    "ramp-up-limit", "ramp-down-limit", "charging-power-curve", "discharging-power-curve",
    "duration", "maximum-starts-per-day", "minimum-up-time", "minimum-down-time",
)  # fmt: skip
_OF_SITES = (
    "site-power-capacity", "site-consumption-capacity", "site-production-capacity",
)  # fmt: skip
_MODES = ("operation-modes", "power-steps", "minimum-power")


def places(cast: Cast, stores: Iterable[Store], terms: Terms) -> dict[str, str]:
    """The paths of all limits that are said somewhere, by their labels."""
    found: dict[str, str] = {}
    for store in stores:
        for key in _OF_STOCKS:
            if key in store.said:
                found[f"{store.name} {key}"] = store.said[key].at(key)
    for entry in cast.devices:
        found |= dict(_of_device(entry, terms))
        found.setdefault(f"{entry.commodity} node", entry.fields.at("commodity"))
    for (kind, name), group in cast.groups.items():
        for field in ("power-capacity", "consumption-capacity", "production-capacity"):
            found[f"group {kind}:{name} {field}"] = group.fields.at(field)
    for commodity, fields in terms.by_commodity.items():
        prefix = "" if commodity == ELECTRICITY else f"{commodity} "
        for field in _OF_SITES:
            found[f"{prefix}{field}"] = _first(fields, (field, "site-power-capacity"))
        for phase in range(1, 4):
            found[f"{prefix}site-phase-capacity L{phase}"] = fields.at("site-phase-capacity")
    return found


def place(known: Mapping[str, str], limit: str) -> str:
    """The path of a limit; what it is called where it is said nowhere."""
    match = _ITEM.match(limit)
    name, item = (limit, "") if match is None else match.groups()
    return known[name] + item if name in known else limit


def _of_device(entry: Entry, terms: Terms) -> Iterator[tuple[str, str]]:
    fields, name = entry.fields, entry.name
    for way in ("consumption", "production"):
        key = f"{way}-capacity"
        path = _first(fields, ("power",) if entry.process else (key, "power-capacity"))
        if path == fields.path and not entry.process:
            of_site = (one for one in terms.by_commodity.values() if one.has("site-power-capacity"))
            path = next((one.at("site-power-capacity") for one in of_site), path)
        yield f"{name} {key}", path
        yield f"{name} least {way}", path
    for key in _OF_DEVICES:
        if fields.has(key):
            yield f"{name} {key}", fields.at(key)
    yield f"{name} operation-modes", _first(fields, _MODES)


def _first(fields: Fields, keys: Iterable[str]) -> str:
    """The path of the first of some fields that is given, or else of what they belong to."""
    return next((fields.at(key) for key in keys if fields.has(key)), fields.path)
