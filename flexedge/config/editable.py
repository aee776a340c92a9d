"""Which fields somebody elsewhere may edit, and how far: tighter than the site file, never looser.

What is in no table here is the installer's alone: what a device is, what it is wired to, which
sensors it has.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel

from flexedge.config.case import Case, Found
from flexedge.config.load import Route
from flexedge.config.site import Site
from flexedge.config.validate import remedy
from flexedge.domain.variable import DataReference

Bound = Literal["at most", "at least", "free"]
"""How a field may differ from what the site file says of it. free: it is a wish, a price or an
estimate, which the limits of devices and of the site hold in check anyway."""
MODEL: Final[Mapping[str, Bound]] = {
    "power-capacity": "at most",
    "consumption-capacity": "at most",
    "production-capacity": "at most",
    "soc-min": "at least",
    "soc-max": "at most",
    "minimum-power": "at least",
    "ramp-up-limit": "at most",
    "ramp-down-limit": "at most",
    "minimum-up-time": "at least",
    "minimum-down-time": "at least",
    "maximum-starts-per-day": "at most",
    "soc-at-start": "free",
    "soc-minima": "free",
    "soc-maxima": "free",
    "soc-targets": "free",
    "soc-gain": "free",
    "soc-usage": "free",
    "soc-value-at-end": "free",
    "roundtrip-efficiency": "free",
    "charging-efficiency": "free",
    "discharging-efficiency": "free",
    "storage-efficiency": "free",
    "part-load-efficiency": "free",
    "prefer-charging-sooner": "free",
    "prefer-curtailing-later": "free",
    "wear-cost": "free",
    "start-up-cost": "free",
    "priority": "free",
}
CONTEXT: Final[Mapping[str, Bound]] = {
    "site-power-capacity": "at most",
    "site-consumption-capacity": "at most",
    "site-production-capacity": "at most",
    "site-phase-capacity": "at most",
    "consumption-price": "free",
    "production-price": "free",
    "site-consumption-breach-price": "free",
    "site-production-breach-price": "free",
    "site-peak-consumption": "free",
    "site-peak-consumption-price": "free",
    "site-peak-production": "free",
    "site-peak-production-price": "free",
    "soc-minima-breach-price": "free",
    "soc-maxima-breach-price": "free",
    "commitments": "free",
    "scenarios": "free",
    "risk-weight": "free",
}
OURS: Final = frozenset(
    {"flexedge", "flexedge-commands", "flexedge-results", "consumption_is_positive"}
)
"""Attributes that are between gateway and centre, or say which way a sensor counts."""


def beyond(written: Site, edited: Site) -> Found:
    """Where an edited site goes beyond what the installer wrote."""
    context = ("flex-context",)
    yield from _beyond(written.flex_context, edited.flex_context, CONTEXT, context)
    for name, asset in edited.assets.items():
        before, route = written.assets[name].flex_model, ("assets", name, "flex-model")
        yield from _beyond(before, asset.flex_model, MODEL, route)


def _beyond(before: BaseModel, after: BaseModel, table: Mapping[str, Bound], route: Route) -> Found:
    for key, bound in table.items():
        name = key.replace("-", "_")
        a, b = getattr(before, name), getattr(after, name)
        if bound == "free" or a is None or a == b:
            continue
        words = _wrong(a, b, bound)
        if words:
            yield (*route, key), words.format(_text(before, key), _text(after, key))


def _wrong(a: Any, b: Any, bound: Bound) -> str:
    """What is wrong with an edited limit; empty where it is as tight as the written one."""
    if b is None:
        return "should stay: the site file says {}"
    if isinstance(a, DataReference):
        return "comes from a sensor by the site file, {}: only that file can change it, not to {}"
    if isinstance(b, DataReference):
        return "is fixed by the site file, {}: write a quantity within that, not {}"
    within = b <= a if bound == "at most" else b >= a
    return "" if within else f"should be {bound} {{}}, as the site file says, not {{}}"


def _text(record: BaseModel, key: str) -> str:
    """A field as people write it."""
    value = getattr(record, key.replace("-", "_"))
    if isinstance(value, timedelta):
        return f"{value.total_seconds() / 60:g} min"
    said = record.model_dump(mode="json", by_alias=True).get(key)
    return f"{{sensor: {said['sensor']}}}" if isinstance(said, dict) else str(said)


def acceptable(case: Case) -> Found:
    """What may be accepted from a centre is something that can be edited at all."""
    for name, rules in case.site.centres.items():
        accept = rules.accept
        for key, fields, known in (
            ("flex-model", accept.flex_model, MODEL),
            ("flex-context", accept.flex_context, CONTEXT),
        ):
            route = ("centres", name, "accept", key)
            yield from _unknown(route, fields, known)
        for i, attribute in enumerate(accept.attributes):
            if attribute in OURS:
                yield (
                    ("centres", name, "accept", "attributes", i),
                    f"'{attribute}' is the gateway's own: remove it",
                )


def _unknown(route: Route, fields: Iterable[str], known: Mapping[str, Bound]) -> Found:
    for i, field in enumerate(fields):
        if field not in known:
            yield (*route, i), f"'{field}' cannot be edited from elsewhere{remedy(field, known)}"
