"""What holds for any request: plans are feasible, cost what they say, and no worse than need be."""

import copy
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flexedge.errors import BadField, PlanError
from flexedge.optim.request.solve import solve_file
from tests.optim.checker import check
from tests.optim.contradictions import contradictory
from tests.optim.requests import absurd, sensible, wrong_with

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
    moved: float = sum(abs(cost) for cost in answer["commitment-costs"].values())
    return 1e-4 * (10.0 + moved)


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


DROPPED = {
    "site": ("site-consumption-capacity", "site-production-capacity"),
    "peak": ("site-peak-consumption-price",),
    "soc-min": ("soc-min",),
    "asked": ("soc-minima", "soc-maxima", "soc-targets"),
    "modes": ("operation-modes",),
    "group": ("group",),
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
    long = plan(case)
    try:
        short = plan(case, timedelta(milliseconds=1))
    except PlanError:  # on a slow machine no plan at all
        return
    if "relaxed" in {short["status"], long["status"]}:
        return
    assert long["cost"] <= short["cost"] + slack(long)


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
