"""What holds for any request: plans are feasible, cost what they say, and no worse than need be."""

import copy
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flexedge.errors import BadField
from flexedge.optim.request.solve import solve_file
from tests.optim.checker import check, length
from tests.optim.requests import absurd, sensible

Json = dict[str, Any]
LIMIT = timedelta(seconds=20)
seeds = st.integers(0, 2**31)
some = settings(
    deadline=None, max_examples=60, derandomize=True, suppress_health_check=list(HealthCheck)
)


def plan(case: Json, limit: timedelta = LIMIT) -> Json:
    return solve_file(case, limit, explain=False)


def slack(answer: Json) -> float:
    """What equal costs may differ by: the gap that ends a search, and rounding."""
    return 1e-4 * (10.0 + sum(abs(cost) for cost in answer["commitment-costs"].values()))


@some
@given(seeds)
def test_every_plan_is_feasible_and_costs_what_it_says(seed: int) -> None:
    case = sensible(seed)
    assert check(case, plan(case)) == []


@some
@given(seeds)
def test_whatever_is_asked_gets_a_plan_or_a_complaint_about_a_field(seed: int) -> None:
    case = absurd(seed)
    try:
        answer = plan(case)
    except BadField as error:
        assert error.path
        assert error.message
    else:
        assert answer["status"] in {"optimal", "feasible", "relaxed"}


def _wider(case: Json, what: str) -> Json:
    other = copy.deepcopy(case)
    context, model = other["request"]["flex-context"], other["request"]["flex-model"]
    match what:
        case "site":
            for way in ("consumption", "production"):
                context.pop(f"site-{way}-capacity", None)
        case "peak":
            context.pop("site-peak-consumption-price", None)
        case "soc-min":
            for entry in model:
                entry.pop("soc-min", None)
        case "asked":
            for entry in model:
                for kind in ("minima", "maxima", "targets"):
                    entry.pop(f"soc-{kind}", None)
        case "modes":
            for entry in model:
                entry.pop("operation-modes", None)
        case "group":
            other["request"]["flex-model"] = [e for e in model if e.get("sensor") != "inverter"]
            for entry in model:
                entry.pop("group", None)
    return other


@some
@given(seeds, st.sampled_from(["site", "peak", "soc-min", "asked", "modes", "group"]))
def test_a_limit_less_never_costs_more(seed: int, what: str) -> None:
    case = sensible(seed)
    before, after = plan(case), plan(_wider(case, what))
    if "relaxed" in {before["status"], after["status"]}:
        return  # what was given up is not in the costs
    if any("soc-min is missed" in told for told in before["breaches"]):
        return  # nor is the repair of a start outside the band
    assert after["cost"] <= before["cost"] + slack(before)


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
    assert _later(one["outputs"], by) == two["outputs"]
    assert one["cost"] == two["cost"]


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
    assert abs(one["cost"] - two["cost"]) <= slack(one)


@some
@given(seeds)
def test_another_order_of_devices_changes_nothing_but_the_order(seed: int) -> None:
    case = sensible(seed)
    other = copy.deepcopy(case)
    other["request"]["flex-model"].reverse()
    one, two = plan(case), plan(other)
    if "relaxed" in {one["status"], two["status"]}:
        return
    assert abs(one["cost"] - two["cost"]) <= slack(one)


@some
@given(seeds)
def test_more_time_never_costs_more(seed: int) -> None:
    case = sensible(seed)
    short, long = plan(case, timedelta(milliseconds=1)), plan(case)
    if "relaxed" in {short["status"], long["status"]}:
        return
    assert long["cost"] <= short["cost"] + slack(long)


@some
@given(seeds)
def test_nothing_charges_and_discharges_at_once(seed: int) -> None:
    """Else the states of charge would not follow from the powers: the losses of both are theirs."""
    case = sensible(seed)
    for name, told in plan(case)["outputs"].items():
        if name.endswith("-soc"):
            assert len(told["values"]) == 1 + int(
                length(case["request"]["duration"]) / length(case["scheduling-resolution"])
            )
    case["request"]["flex-context"]["consumption-price"] = "-0.3 EUR/kWh"
    case["request"]["flex-context"].pop("production-price", None)
    answer = plan(case)
    wrong = [one for one in check(case, answer) if "state of charge differ" in one]
    assert wrong == []
