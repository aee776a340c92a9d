"""A whole request: custom commitments, scenarios, outputs."""

from typing import Any

import pytest

from flexedge.errors import BadField
from tests.optim.request.asking import BATTERY, PRICE, answer, asked, at, series

PLAN = {"name": "plan", "baseline": "1 kW", "up-price": "0.5 EUR/kWh"}
LOAD = {"load": series(1, 1, 1, 1)}


def commitment(**changes: Any) -> Any:
    given = {key.replace("_", "-"): value for key, value in changes.items()}
    stored = {**LOAD, "limit": series(1, None, 1, 1)}
    context = {**PRICE, "commitments": [{**PLAN, **given}],
               "inflexible-consumption": [{"sensor": "load"}]}  # fmt: skip
    return asked([BATTERY], context, stored=stored)


def test_a_commitment_binds_a_whole_commodity() -> None:
    (one,) = commitment().problem.commitments
    assert (one.name, one.devices) == ("plan", ("battery",))
    assert one.fixed_kw.tolist() == [1, 1, 1, 1]
    assert (one.up_price[0], one.down_price[0]) == (0.5, 0.0)


def test_a_commitment_may_bind_some_sensors_or_a_group() -> None:
    (some,) = commitment(sensors=["battery"]).problem.commitments
    assert (some.devices, some.fixed_kw.any()) == (("battery",), False)
    (load,) = commitment(sensors=[{"sensor": "load"}]).problem.commitments
    assert (load.devices, load.fixed_kw[0]) == ((), 1.0)
    model = [{**BATTERY, "group": {"sensor": "inverter"}},
             {"sensor": "inverter", "power-capacity": "1 kW"}]  # fmt: skip
    context = {**PRICE, "commitments": [{**PLAN, "group": {"sensor": "inverter"}}]}
    (grouped,) = asked(model, context).problem.commitments
    assert grouped.devices == ("battery",)


def test_a_baseline_that_is_not_known_binds_nothing() -> None:
    told = commitment(baseline={"sensor": "limit"})
    assert str(told.problem.commitments[0].baseline_kw[1]) == "nan"


def test_a_price_per_power_is_per_hour_but_with_compat_per_step() -> None:
    one = {"name": "fuse", "baseline": "0 kW", "up-price": "250 EUR/MW"}
    context = {**PRICE, "commitments": [one]}
    quarter = {"scheduling-resolution": "PT15M"}
    ours = asked([BATTERY], context, **quarter).problem.commitments[0]
    theirs = asked([BATTERY], context, compat="flexmeasures-1.0", **quarter).problem.commitments[0]
    assert (ours.up_price[0], theirs.up_price[0]) == (0.0625, 0.25)


def test_a_commitment_that_binds_nobody_is_told() -> None:
    told = commitment(commodity="gas")
    assert told.problem.commitments == ()
    assert told.notes == ("flex-context.commitments[0]: binds no device",)


def test_names_that_are_taken_are_marked() -> None:
    context = {**PRICE, "commitments": [{**PLAN, "name": "electricity net energy"}]}
    costs = answer([BATTERY], context)["commitment-costs"]
    assert {"electricity net energy", "electricity net energy (custom)"} < costs.keys()


def test_commitments_of_a_commodity_belong_to_it() -> None:
    boiler = {"sensor": "boiler", "commodity": "gas", "consumption-capacity": "5 kW"}
    gas = {"commodity": "gas", "consumption-price": "0.1 EUR/kWh", "commitments": [PLAN]}
    context = [{"commodity": "electricity", **PRICE}, gas]
    assert asked([BATTERY, boiler], context).problem.commitments[0].devices == ("boiler",)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"baseline": None}, "baseline: is missing"),
        ({"up_price": None}, "up-price: or down-price is missing"),
        ({"sensors": [], "group": {"asset": "a"}}, "and group exclude each other"),
        ({"sensors": ["nobody"]}, "sensors[0]: there is no sensor 'nobody'"),
        ({"name": " "}, "commitments[0].name: should be a text"),
        ({"up_price": "5 kW"}, "commitments[0].up-price"),
    ],
)
def test_what_is_wrong_is_told_by_its_path(change: Any, told: str) -> None:
    with pytest.raises(BadField) as caught:
        commitment(**change)
    assert told in str(caught.value)


def test_outputs_split_and_aggregate() -> None:
    context = {**PRICE, "inflexible-consumption": [{"sensor": "load"}],
               "aggregate-consumption": {"sensor": "out"}}  # fmt: skip
    model = [{**BATTERY, "consumption": {"sensor": "car"}, "production": {"sensor": "pv"}}]
    outputs = answer(model, context, stored=LOAD)["outputs"]
    battery = outputs["battery"]["values"]
    assert outputs["car"]["values"] == [max(kw, 0.0) for kw in battery]
    assert outputs["pv"]["values"] == [min(kw, 0.0) for kw in battery]
    assert outputs["out"]["values"] == [kw + 1.0 for kw in battery]
    both = {**PRICE, "aggregate-consumption": {"sensor": "out"},
            "aggregate-production": {"sensor": "out2"},
            "aggregate-power": {"sensor": "pv"}}  # fmt: skip
    told = answer([BATTERY], both)["outputs"]
    assert min(told["out"]["values"]) == 0.0
    assert max(told["out2"]["values"]) == 0.0
    assert told["pv"]["values"] == told["battery"]["values"]


def test_one_sensor_is_scheduled_with_one_object() -> None:
    model = {key: value for key, value in BATTERY.items() if key != "sensor"}
    for more in ({"sensor": "battery"}, {"request": {"sensor": "battery"}}):
        found = asked(model, level="sensor", **more)
        assert found.problem.devices[0].name == "battery"
    lonely = {"battery": {"unit": "kW", "resolution": "PT1H"}}
    found = asked({**model, "sensor": "battery"}, level="sensor", sensors=lonely)
    assert found.problem.devices[0].name == "battery"
    with pytest.raises(BadField, match="which sensor shall be scheduled"):
        asked(model, level="sensor")


def test_fields_of_a_request_are_known() -> None:
    with pytest.raises(BadField, match=r"request\.durations: there is no such field"):
        asked([BATTERY], request={"durations": "PT1H"})


def test_commitments_are_paid_for_in_money() -> None:
    deal = {"name": "deal", "baseline": "0 kW", "up-price": "0.4 kg/kWh"}
    with pytest.raises(BadField, match=r"commitments\[0\].up-price: should be in a currency"):
        asked([BATTERY], {"consumption-price": "0.3 kg/kWh", "commitments": [deal]})


def test_a_commitment_binds_one_commodity() -> None:
    deal = {"name": "deal", "baseline": "0 kW", "up-price": "1 EUR/kWh",
            "sensors": ["battery", "boiler"]}  # fmt: skip
    boiler = {"sensor": "boiler", "power-capacity": "1 kW", "commodity": "gas"}
    gas = {"commodity": "gas", "consumption-price": "0.1 EUR/kWh"}
    context = {**PRICE, "commodities": [gas], "commitments": [deal]}
    with pytest.raises(BadField, match=r"sensors: share no commodity: electricity and gas"):
        asked([BATTERY, boiler], context)


FULLER = "prefer a full storage 0 sooner"


def test_with_compat_the_tie_breaker_is_minimised_as_flexmeasures_weighs_it() -> None:
    """The price is not known in the first hour: free, as FlexMeasures has it, and no preference."""
    stored = {"p": series(None, 0.2, 0.3, 0.3, unit="EUR/kWh")}
    context = {"consumption-price": {"sensor": "p"}, "production-price": "0 EUR/kWh"}
    told = answer([BATTERY], context, compat="flexmeasures-1.0", stored=stored)
    least = 1e-4 * (0.3 - 0.2) / 4
    assert told["commitment-costs"][FULLER] == pytest.approx(least * 3 * (2 / 3 + 1 / 3))
    assert told["soc"]["battery"] == pytest.approx([5, 7, 7, 7, 7])
    hours = [{"value": "0.2 EUR/kWh", "start": at(1), "end": at(2)},
             {"value": "0.3 EUR/kWh", "start": at(2), "end": at(4)}]  # fmt: skip
    listed = answer([BATTERY], {**context, "consumption-price": hours}, compat="flexmeasures-1.0")
    assert listed["commitment-costs"][FULLER] == pytest.approx(least * 5 * (1 + 2 / 3 + 1 / 3))


def test_with_compat_a_storage_that_prefers_nothing_is_charged_for_nothing() -> None:
    model = [{**BATTERY, "prefer-charging-sooner": False}]
    theirs, ours = asked(model, compat="flexmeasures-1.0").problem, asked(model).problem
    assert theirs.preference is not None
    assert ours.preference is None
    told = answer(model, compat="flexmeasures-1.0")
    assert FULLER not in told["commitment-costs"]


def test_a_commitment_names_a_sensor_once_and_follows_scenarios_where_it_names_none() -> None:
    deal = {"name": "deal", "baseline": "0 kW", "up-price": "1 EUR/kWh"}
    twice = {**deal, "sensors": ["battery", {"sensor": "battery"}]}
    with pytest.raises(BadField, match=r"sensors\[1\]: 'battery' is listed twice"):
        asked([BATTERY], {**PRICE, "commitments": [twice]})
    some = {**deal, "sensors": ["battery"]}
    found = asked([BATTERY], {**PRICE, "commitments": [deal, some]}).problem.commitments
    assert [one.of_site for one in found] == [True, False]


def test_a_group_of_what_cannot_be_controlled_has_a_plan() -> None:
    load = {"sensor": "car", "inflexible-consumption": {"sensor": "car"},
            "group": {"sensor": "inverter"}}  # fmt: skip
    model = [BATTERY, load, {"sensor": "inverter", "consumption-capacity": "1 kW"}]
    told = answer(model, stored={"car": series(2, 2, 2, 2)})
    assert told["breaches"] == [
        "group sensor:inverter consumption-capacity is missed from 00:00 to 04:00 by up to 1.00 kW"
    ]
