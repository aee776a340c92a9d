"""What holds for any request: plans are feasible, cost what they say, and no worse than need be."""

import copy
import re
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flexedge.errors import BadField, SolverGaveUp
from flexedge.optim.request.solve import solve_file
from tests.optim.checker import check
from tests.optim.contradictions import contradictory
from tests.optim.requests import absurd, sensible, wrong_with

Json = dict[str, Any]
LIMIT = timedelta(seconds=2)
seeds = st.integers(0, 2**31)
some = settings(
    deadline=None, max_examples=40, derandomize=True, suppress_health_check=list(HealthCheck)
)


def plan(case: Json, limit: timedelta = LIMIT) -> Json:
    return solve_file(case, limit, explain=False)


def slack(answer: Json) -> float:
    """What equal costs may differ by: the gap that ends a search, and rounding."""
    moved: float = sum(abs(cost) for cost in answer["commitment-costs"].values())
    return 1e-4 * (10.0 + moved)


def weighed(case: Json, answer: Json) -> float:
    """What is minimised: with several futures the forecast is one of them."""
    if "scenarios" not in answer:
        return float(answer["cost"])
    risk = case["request"]["flex-context"].get("risk-weight", 0)
    return float((1 - risk) * answer["expected-cost"] + risk * answer["worst-cost"])


def ended(*answers: Json) -> bool:
    """Whether no search was ended by the time limit, and nothing had to give way."""
    return all(answer["status"] == "optimal" for answer in answers)


def attempt(case: Json) -> Json | BadField:
    try:
        return plan(case)
    except BadField as error:
        return error


@some
@given(seeds)
def test_every_plan_is_feasible_and_costs_what_it_says(seed: int) -> None:
    case = sensible(seed)
    assert wrong_with(case, plan(case)) == []


@settings(some, max_examples=25)
@given(seeds)
def test_what_contradicts_itself_has_a_plan_and_names_its_fields(seed: int) -> None:
    case = contradictory(seed)
    told = attempt(case)
    if isinstance(told, BadField):
        assert told.path.startswith("flex-")
        return
    assert wrong_with(case, told) == []
    assert (told["status"] == "relaxed") == bool(told["contradictions"])
    for one in told["contradictions"]:
        assert one["fields"]
        assert all(field.startswith("flex-") for field in (*one["fields"], *one["given"]))


@pytest.mark.parametrize("seed", [1379, 1677, 2253, 3027, 3141, 18526])
def test_what_went_wrong_once_goes_well(seed: int) -> None:
    case = sensible(seed)
    assert wrong_with(case, plan(case)) == []


@some
@given(seeds)
def test_whatever_is_asked_gets_a_plan_or_a_complaint_about_a_field(seed: int) -> None:
    told = attempt(absurd(seed))
    if isinstance(told, BadField):
        assert told.path
        assert told.message
    else:
        assert told["status"] in {"optimal", "feasible", "relaxed"}


BANDS = ("minimum-power", "power-steps")
STARTS = (
    "start-up-cost", "minimum-up-time", "minimum-down-time", "maximum-starts-per-day",
    "starts-today", "on-at-start", "last-switched",
)  # fmt: skip
DROPPED = {
    "site": ("site-consumption-capacity", "site-production-capacity"),
    "peak": ("site-peak-consumption-price",),
    "soc-min": ("soc-min",),
    "asked": ("soc-minima", "soc-maxima", "soc-targets"),
    "modes": ("operation-modes",),
    "group": ("group",),
    "ramps": ("ramp-up-limit", "ramp-down-limit", "power-at-start"),
    "bands": (*BANDS, *STARTS),
    "starts": STARTS,
    "curves": ("charging-power-curve", "discharging-power-curve"),
    "wear": ("wear-cost",),
    "phases": ("site-phase-capacity", "inflexible-phases"),
}


def _wider(case: Json, what: str) -> Json:
    """The request without some of its limits."""
    other = copy.deepcopy(case)
    request = other["request"]
    for place in (request["flex-context"], *request["flex-model"]):
        for key in DROPPED[what]:
            place.pop(key, None)
    if what == "group":
        request["flex-model"] = [e for e in request["flex-model"] if e["sensor"] != "inverter"]
    return other


@some
@given(seeds, st.sampled_from(sorted(DROPPED)))
def test_a_limit_less_never_costs_more(seed: int, what: str) -> None:
    case = sensible(seed)
    before, after = plan(case), plan(_wider(case, what))
    if not ended(before, after):
        return  # what was given up is not in the costs
    if any("soc-min is missed" in told for told in before["breaches"]):
        return  # nor is the repair of a start outside the band
    assert weighed(case, after) <= weighed(case, before) + slack(before)


def _later(value: Any, by: timedelta) -> Any:
    """Every moment in a request, moved."""
    if isinstance(value, dict):
        return {key: _later(one, by) for key, one in value.items()}
    if isinstance(value, list):
        return [_later(one, by) for one in value]
    if isinstance(value, str) and value.startswith("2026-"):
        return (datetime.fromisoformat(value) + by).isoformat()
    return value


@some
@given(seeds, st.integers(1, 9))
def test_another_day_changes_nothing_but_the_dates(seed: int, days: int) -> None:
    case = sensible(seed)
    by = timedelta(days=days)
    one, two = plan(case), plan(_later(case, by))
    if "feasible" in {one["status"], two["status"]}:
        return
    del one["solver"], two["solver"]
    assert _later(one, by) == two


@settings(some, max_examples=20)
@given(seeds)
def test_equal_requests_get_equal_answers(seed: int) -> None:
    case = sensible(seed)
    one, two = (solve_file(copy.deepcopy(case), LIMIT) for _ in range(2))
    for told in (one, two):
        told["solver"] = {key: value for key, value in told["solver"].items()
                          if not key.endswith("seconds")}  # fmt: skip
    if one["status"] != "feasible":
        assert one == two


@some
@given(seeds)
def test_other_units_change_nothing(seed: int) -> None:
    case = sensible(seed)
    other = copy.deepcopy(case)
    for name, scale, unit in (("load", 1e-3, "MW"), ("sun", 1e3, "W"), ("price", 1e3, "EUR/MWh")):
        if name in other["series"]:
            stored = other["series"][name]
            other["sensors"][name]["unit"] = stored["unit"] = unit
            stored["values"] = [None if v is None else v * scale for v in stored["values"]]
    one, two = plan(case), plan(other)
    if ended(one, two):
        assert abs(weighed(case, one) - weighed(case, two)) <= slack(one)
        assert one["breaches"] == two["breaches"]


def _named(costs: Json) -> dict[str, float]:
    """Costs by their names without the numbers of devices, which depend on their order."""
    found: dict[str, float] = {}
    for name, cost in costs.items():
        plain = re.sub(r"(device|storage) \d+", r"\1", name)
        found[plain] = found.get(plain, 0.0) + cost
    return found


@some
@given(seeds)
def test_another_order_of_devices_changes_nothing_but_the_order(seed: int) -> None:
    case = sensible(seed)
    other = copy.deepcopy(case)
    other["request"]["flex-model"].reverse()
    one, two = plan(case), plan(other)
    if not ended(one, two):
        return
    assert abs(weighed(case, one) - weighed(case, two)) <= slack(one)
    costs, theirs = (_named(told["commitment-costs"]) for told in (one, two))
    assert costs.keys() == theirs.keys()
    assert one["outputs"].keys() == two["outputs"].keys()
    assert wrong_with(other, two) == []


def test_where_one_plan_is_best_it_is_found_in_any_order_and_unit() -> None:
    """Different efficiencies and prices that all differ: no two devices are worth the same."""
    case = unequal()
    first = plan(case)
    for order in permutations(case["request"]["flex-model"]):
        other = copy.deepcopy(case)
        other["request"]["flex-model"] = list(order)
        same_plan(first, plan(other))
    other = copy.deepcopy(case)
    for name, scale, unit in (("load", 1e3, "W"), ("price", 1e3, "EUR/MWh")):
        stored = other["series"][name]
        other["sensors"][name]["unit"] = stored["unit"] = unit
        stored["values"] = [value * scale for value in stored["values"]]
    same_plan(first, plan(other))


def unequal() -> Json:
    """Three batteries for one connection."""
    r = np.random.default_rng(1)
    start, n = "2026-11-24T00:00:00+01:00", 24
    sensors = {name: {"unit": "kW", "resolution": "PT1H"} for name in ("load", "a", "b", "c")}
    sensors["price"] = {"unit": "EUR/kWh", "resolution": "PT1H"}
    series = {
        name: {"start": start, "resolution": "PT1H", "unit": sensors[name]["unit"],
               "values": [round(float(r.uniform(low, high)), 4) for _ in range(n)]}
        for name, low, high in (("load", 0, 6), ("price", 0.1, 0.6))
    }  # fmt: skip
    model = [
        {"sensor": name, "power-capacity": power, "soc-at-start": "1 kWh", "soc-min": "0 kWh",
         "soc-max": "8 kWh", "roundtrip-efficiency": share, "storage-efficiency": kept}
        for name, power, share, kept in (
            ("a", "2.3 kW", "91%", "99.5%"), ("b", "3.1 kW", "83%", "99.9%"),
            ("c", "1.7 kW", "87%", "99.7%"),
        )
    ]  # fmt: skip
    context = {"consumption-price": {"sensor": "price"}, "production-price": "0.07 EUR/kWh",
               "inflexible-consumption": [{"sensor": "load"}],
               "site-consumption-capacity": "7.5 kW"}  # fmt: skip
    request = {"start": start, "duration": f"PT{n}H", "flex-model": model, "flex-context": context}
    return {"sensors": sensors, "series": series, "level": "asset", "request": request}


def same_plan(one: Json, two: Json) -> None:
    assert one["status"] == two["status"] == "optimal"
    assert two["cost"] == pytest.approx(one["cost"], rel=1e-9)
    for name, told in one["outputs"].items():
        assert two["outputs"][name]["values"] == pytest.approx(told["values"], abs=1e-5)


@some
@given(seeds)
def test_more_time_never_costs_more(seed: int) -> None:
    case = sensible(seed)
    long = plan(case)
    try:
        short = plan(case, timedelta(milliseconds=1))
    except SolverGaveUp:
        return  # no plan at all costs more than any
    if "relaxed" in {short["status"], long["status"]}:
        return
    assert weighed(case, long) <= weighed(case, short) + slack(long)


@some
@given(seeds)
def test_nothing_charges_and_discharges_at_once(seed: int) -> None:
    """Else the states of charge would not follow from the powers: the losses of both are theirs."""
    case = sensible(seed)
    for entry in case["request"]["flex-model"]:
        if entry["sensor"].startswith("storage"):
            name = f"{entry['sensor']}-soc"
            case["sensors"][name] = {"unit": "kWh", "resolution": "PT0M", "on": entry["sensor"]}
            entry["state-of-charge"] = {"sensor": name}
    case["request"]["flex-context"]["consumption-price"] = "-0.3 EUR/kWh"
    case["request"]["flex-context"].pop("production-price", None)
    assert check(case, plan(case)).laws == ()
