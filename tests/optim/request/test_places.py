"""Contradictions are told by the fields of the request."""

import copy
from typing import Any

import pytest

from flexedge.optim.request.places import place
from flexedge.optim.request.solve import solve_file
from tests.optim.request.asking import BATTERY, LIMIT, PRICE, Json, asked, at, problem, series

HARD = {**PRICE, "relax-constraints": False}
CAR = {"sensor": "car", "soc-at-start": "1 kWh", "soc-max": "9 kWh", "soc-min": "1 kWh",
       "power-capacity": "2 kW", "production-capacity": "0 kW"}  # fmt: skip
BOILER: list[Json] = [
    {"sensor": "out", "commodity": "gas", "coupling": "boiler", "consumption-capacity": "2 kW",
     "production-capacity": "0 kW"},
    {"sensor": "out2", "commodity": "heat", "coupling": "boiler", "production-capacity": "2 kW",
     "consumption-capacity": "0 kW"},
    {"sensor": "boiler", "commodity": "heat", "power-capacity": "9 kW", "soc-at-start": "1 kWh",
     "soc-min": "0 kWh", "soc-max": "2 kWh", "soc-usage": ["5 kW"], "production-capacity": "0 kW"},
]  # fmt: skip


def ask(hour: float, value: str) -> Json:
    return {"datetime": at(hour), "value": value}


CASES: dict[str, tuple[list[Json], Json, list[set[str]]]] = {
    "two targets that lie too close": (
        [{**BATTERY, "soc-targets": [ask(1, "5 kWh"), ask(2, "9 kWh"), ask(3, "7 kWh")]}],
        HARD,
        [{"flex-model[0].soc-targets[0]", "flex-model[0].soc-targets[1]"}],
    ),
    "a minimum above a maximum": (
        [{**BATTERY, "soc-minima": [ask(1, "4 kWh"), ask(2, "6 kWh")],
          "soc-maxima": [ask(2, "5.5 kWh")]}],
        HARD,
        [{"flex-model[0].soc-minima[1]", "flex-model[0].soc-maxima[0]"}],
    ),
    "a minimum out of reach": (
        [{**BATTERY, "soc-minima": [{"start": at(1), "end": at(3), "value": "9 kWh"}]}],
        HARD,
        [{"flex-model[0].soc-minima[0]"}],
    ),
    "reserves of two storages and the connection": (
        [{**CAR, "soc-usage": ["1.5 kW"]}, {**BATTERY, "soc-at-start": "0 kWh",
          "soc-usage": ["1.5 kW"]}],
        {**HARD, "site-power-capacity": "2 kW"},
        [{"flex-model[0].soc-min", "flex-model[1].soc-min", "flex-context.site-power-capacity"}],
    ),
    "a group that is too narrow": (
        [{**CAR, "group": {"sensor": "inverter"}, "soc-usage": ["1.5 kW"]},
         {"sensor": "inverter", "power-capacity": "1 kW", "consumption-capacity": "9 kW"}],
        HARD,
        [{"flex-model[0].soc-min", "flex-model[1].power-capacity"}],
    ),
    "modes without zero and the connection": (
        [{**BATTERY, "power-capacity": "9 kW", "soc-max": "99 kWh",
          "operation-modes": [{"consumption-range": ["6 kW", "8 kW"]}]}],
        {**PRICE, "site-power-capacity": "4 kW"},
        [{"flex-context.site-power-capacity"}],
    ),
    "a task that does not fit": (
        [CAR, {"sensor": "out", "power": "2 kW", "duration": "PT3H", "process-type": "SHIFTABLE",
               "time-restrictions": [{"start": at(1), "duration": "PT2H"}]}],
        PRICE,
        [{"flex-model[1].duration"}],
    ),
    "a load above the connection": (
        [CAR],
        {**PRICE, "inflexible-consumption": [{"sensor": "load"}], "site-power-capacity": "4 kW"},
        [{"flex-context.site-power-capacity"}],
    ),
    "an agreed capacity that is hard": (
        [CAR],
        {**HARD, "inflexible-consumption": [{"sensor": "load"}],
         "site-consumption-capacity": "4 kW"},
        [{"flex-context.site-consumption-capacity"}],
    ),
    "a node that cannot balance": (
        list(BOILER),
        {"commodities": [{"commodity": "gas", "consumption-price": "50 EUR/MWh"},
                         {"commodity": "electricity", **PRICE}]},
        [{"flex-model[2].soc-min", "flex-model[1].commodity"}],
    ),
    "two contradictions at once": (
        [{**BATTERY, "soc-targets": [ask(1, "5 kWh"), ask(2, "9 kWh")]},
         {**CAR, "soc-minima": [ask(1, "8 kWh")]}],
        HARD,
        [{"flex-model[0].soc-targets[0]", "flex-model[0].soc-targets[1]"},
         {"flex-model[1].soc-minima[0]"}],
    ),
}  # fmt: skip


def case(name: str) -> Json:
    model, context, _ = CASES[name]
    return problem(model, context, stored={"load": series(5, 5, 5, 5)})


def without(data: Json, path: str) -> Json:
    """The problem without one field (or one item of a list)."""
    other = copy.deepcopy(data)
    place_: Any = other["request"]
    *above, last = path.replace("[", ".[").split(".")
    for key in above:
        place_ = place_[int(key[1:-1])] if key.startswith("[") else place_[key]
    if last.startswith("["):
        del place_[int(last[1:-1])]
    else:
        del place_[last]
    return other


@pytest.mark.parametrize("name", CASES)
def test_the_fields_at_fault_are_named_and_none_without_need(name: str) -> None:
    data = case(name)
    told = solve_file(data, LIMIT)
    assert told["status"] == "relaxed"
    found = [set(one["fields"]) for one in told["contradictions"]]
    assert sorted(found, key=sorted) == sorted(CASES[name][2], key=sorted)
    assert set(told["culprits"]) == set().union(*found)
    for one in told["contradictions"]:
        for field in one["fields"]:
            assert field in one["text"]
        assert one["gives-way"]


@pytest.mark.parametrize("name", [
    name for name, (_, _, found) in CASES.items() if len(found) == 1 and "modes" not in name
    and "task" not in name and "node" not in name
])  # fmt: skip
def test_without_any_one_of_them_all_else_is_kept(name: str) -> None:
    data = case(name)
    for field in CASES[name][2][0]:
        assert solve_file(without(data, field), LIMIT)["status"] == "optimal", field


def test_a_sentence_says_what_gives_way_and_by_how_much() -> None:
    (one,) = solve_file(case("two targets that lie too close"), LIMIT)["contradictions"]
    assert one["text"] == (
        "flex-model[0].soc-targets[0] and flex-model[0].soc-targets[1] contradict each other, "
        "given flex-model[0].power-capacity; flex-model[0].soc-targets[1] gives way by up to 2 kWh."
    )
    (one,) = solve_file(case("a minimum out of reach"), LIMIT)["contradictions"]
    assert one["text"] == (
        "flex-model[0].soc-minima[0] cannot be kept, given flex-model[0].power-capacity; "
        "flex-model[0].soc-minima[0] gives way by up to 2 kWh."
    )


def test_what_is_stored_is_named_where_it_is_stored() -> None:
    stored = {"soc-max": "10 kWh", "power-capacity": "2 kW", "soc-minima": [ask(1, "9 kWh")]}
    assets = {"home": {"flex-context": HARD}, "shed": {"parent": "home", "flex-model": stored}}
    sensors = {"battery": {"unit": "kW", "resolution": "PT1H", "asset": "shed"}}
    model = [{"sensor": "battery", "soc-at-start": "5 kWh"}]
    told = solve_file(problem(model, {}, assets=assets, sensors=sensors), LIMIT)
    assert told["culprits"] == ["assets.shed.flex-model.soc-minima[0]"]
    assert told["contradictions"][0]["given"] == ["assets.shed.flex-model.power-capacity"]


def test_a_limit_that_is_said_nowhere_keeps_its_name() -> None:
    known = asked([CAR]).places
    assert place(known, "car soc-min") == "flex-model[0].soc-min"
    assert place(known, "car consumption-capacity") == "flex-model[0].power-capacity"
    assert place(known, "boat soc-min") == "boat soc-min"
