"""The flex-context of a request with its defaults."""

from dataclasses import dataclass
from typing import Any

from tests.optim.checking.amounts import currency

Fields = dict[str, Any]
_SIDES = ("consumption", "production")
_PRICES = ("consumption-price", "production-price")
_CAPACITIES = ("site-consumption-capacity", "site-production-capacity", "site-power-capacity")


@dataclass(frozen=True)
class Context:
    """What surrounds the devices; all prices that were not given are filled in, or None."""

    shared: Fields
    commodities: dict[str, Fields]
    """With ``site-…-breach-price`` filled in where it applies, ``internal`` where no grid is."""
    soc_breach: dict[str, Any]
    """For minima and maxima; None: hard."""
    device_breach: dict[str, Any]
    """For consumption and production; None: hard."""
    soc_hard_by_flag: bool
    """Soft only for what lies between two ticks."""


def context(case: Fields) -> Context:
    raw = case["request"].get("flex-context", {})
    listed = raw if isinstance(raw, list) else raw.get("commodities")
    shared = dict(raw) if isinstance(raw, dict) else {}
    if isinstance(raw, list):
        for one in reversed(raw):
            shared.update({k: v for k, v in one.items() if k.startswith("relax-") or "breach" in k})
            if one.get("commodity", "electricity") == "electricity":
                shared.update(one)
    money = _money(case, raw if isinstance(raw, list) else [raw, *(listed or [])])
    commodities = {one.get("commodity", "electricity"): _connected(one, shared, money=money)
                   for one in listed or []}  # fmt: skip
    if not isinstance(raw, list) and "electricity" not in commodities:
        commodities = {"electricity": _flat(shared, money=money), **commodities}
    relaxed = _relaxed(shared, "relax-soc-constraints", umbrella=True) and money
    soc = {side: shared.get(f"soc-{side}-breach-price") for side in ("minima", "maxima")}
    by_flag = not relaxed and not any(soc.values())
    if relaxed or by_flag:
        soc = {side: price or "1000 EUR/kWh" for side, price in soc.items()}
    device = {side: shared.get(f"{side}-breach-price") for side in _SIDES}
    eased = _relaxed(shared, "relax-capacity-constraints", umbrella=False) and money
    if eased and not any(price is not None for price in device.values()):
        device = dict.fromkeys(_SIDES, "100 EUR/kW")
    return Context(shared, commodities, soc, device, by_flag)


def _relaxed(fields: Fields, flag: str, *, umbrella: bool) -> bool:
    if fields.get(flag) is not None:
        return bool(fields[flag])
    return umbrella and bool(fields.get("relax-constraints", True))


def _money(case: Fields, contexts: list[Fields]) -> bool:
    """Whether the prices are in a currency: emissions have no default breach prices."""
    for one in contexts:
        for key in _PRICES:
            price = one.get(key)
            if isinstance(price, dict):
                return currency(case["sensors"][price["sensor"]]["unit"]) != "kg"
            if isinstance(price, list) and price:
                return currency(str(price[0]["value"])) != "kg"
            if isinstance(price, str):
                return currency(price) != "kg"
    return True


def _flat(shared: Fields, *, money: bool) -> Fields:
    """A context of electricity alone: both agreed capacities soft, when site limits are."""
    found = dict(shared)
    if _relaxed(shared, "relax-site-capacity-constraints", umbrella=True) and money:
        for side in _SIDES:
            if found.get(f"site-{side}-breach-price") is None:
                found[f"site-{side}-breach-price"] = "10000 EUR/kW"
    return found


def _connected(one: Fields, shared: Fields, *, money: bool) -> Fields:
    """One of several commodities: what is given decides which directions are open."""
    found = dict(one)
    given = [key for key in (*_PRICES, *_CAPACITIES) if key in one]
    if given == ["site-power-capacity"]:
        found.update(dict.fromkeys(_CAPACITIES, one["site-power-capacity"]))
        found.update(dict.fromkeys(_PRICES, "0 EUR/MWh"))
        return found
    found["internal"] = not given and one.get("commodity", "electricity") != "electricity"
    flags = {**{k: v for k, v in shared.items() if k.startswith("relax-")}, **one}
    soft = _relaxed(flags, "relax-site-capacity-constraints", umbrella=True) and money
    for side in _SIDES:
        price, capacity = f"{side}-price", f"site-{side}-capacity"
        if price not in one and capacity not in one:
            found[capacity] = "0 kW"
            if soft and found.get(f"site-{side}-breach-price") is None:
                found[f"site-{side}-breach-price"] = "10000 EUR/kW"
        elif price not in one:
            found[price] = "0 EUR/MWh"
    found.setdefault("consumption-price", "0 EUR/MWh")
    return found
