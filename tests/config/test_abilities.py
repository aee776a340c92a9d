"""What must hold within a flex-model, by what the asset and its device are."""

from pathlib import Path

import pytest

from tests.config.test_flexibility import BATTERY, GAS, PLUG, head
from tests.config.test_rules import said

OFF = "{consumption-range: [0 kW, 0 kW]}"
SUN = "  p: {type: solar, device: roof, flex-model: {power-capacity: 8 kW%s}}\n"
HEAT = (
    "  h: {type: heat-storage, device: pump, heat-buffer: {volume: 500 l, min: 30 degC, "
    "max: 50 degC}, flex-model: {power-capacity: 3 kW%s}}\n"
)
PORT = "  c: {type: converter, flex-model: {coupling: x, commodity: gas%s}}\n"
MODEL = PLUG.replace("'18:00'}", "'18:00'}, flex-model: {%s}")
OFF_FIRST = (
    "needs operation-modes one of which is off, 'consumption-range: [0 kW, 0 kW]', and the "
    "others above 0 kW"
)
ONE_WAY = (
    "needs exactly one directional capacity: consumption-capacity for what goes in, "
    "production-capacity for what comes out"
)


@pytest.mark.parametrize(
    "assets",
    [
        BATTERY % ", power-capacity: 5 kW, minimum-power: 5 kW, start-up-cost: 1 EUR",
        BATTERY % ", power-capacity: 5 kW, power-steps: [-2 kW], minimum-up-time: 1 h",
        BATTERY % f", operation-modes: [{OFF}, {{production-range: [1 kW, 2 kW]}}], "
        "start-up-cost: 1 EUR",
        HEAT % ", minimum-power: 2 kW, coupling: x",
        PORT % ", consumption-capacity: 5 kW",
        PORT % ", production-capacity: {sensor: grid.power, default: 5 kW}",
        MODEL % "phases: L1L3, priority: 2",
    ],
)
def test_models_that_hold(tmp_path: Path, assets: str) -> None:
    assert said(tmp_path, assets, head(GAS)) == []


@pytest.mark.parametrize(
    ("assets", "expected"),
    [
        (MODEL % "soc-max: 3 kWh",
         "3 kWh: has no meaning for a process, which has a power and a duration: remove it"),
        (BATTERY % ", minimum-power: 1 kW, power-steps: [2 kW]",
         "1 kW: and power-steps exclude each other: operation-modes can say both"),
        (BATTERY % ", maximum-starts-per-day: 3",
         "3: needs to know how little the device draws when it is on: add minimum-power"),
        (BATTERY % ", start-up-cost: 1 EUR, operation-modes: [{consumption-range: [1 kW, 2 kW]}]",
         f"1 EUR: {OFF_FIRST}"),
        (BATTERY % ", start-up-cost: 1 EUR, operation-modes: [{consumption-range: [0 kW, 2 kW]}]",
         f"1 EUR: {OFF_FIRST}"),
        (BATTERY % ", power-capacity: 5 kW, minimum-power: 6 kW",
         "6 kW: never possible: the capacities allow between -5 and 5 kW"),
        (HEAT % ", operation-modes: [{production-range: [1 kW, 2 kW]}]",
         "operation-modes: never possible: the capacities allow up to 3 kW"),
        (HEAT % ", power-steps: [4 kW]",
         "power-steps: never possible: the capacities allow up to 3 kW"),
        (SUN % ", discharging-power-curve: [{soc: 1 kWh, power: 2 kW}, {soc: 2 kWh, power: 3 kW}]",
         "discharging-power-curve: only for what stores energy, but this is a solar: remove it"),
        (BATTERY % ", roundtrip-efficiency: 90%, part-load-efficiency: "
         "[{power: 1 kW, efficiency: 90%}]",
         "part-load-efficiency: takes the place of roundtrip-efficiency: give one of them"),
        (BATTERY % ", power-capacity: 5 kW, coupling: x", f"x: {ONE_WAY}"),
        (PORT % ", consumption-capacity: 5 kW, production-capacity: 5 kW", f"x: {ONE_WAY}"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_one_line(tmp_path: Path, assets: str, expected: str) -> None:
    """What is expected begins with what stands where the problem is said to be."""
    (problem,) = said(tmp_path, assets, head(GAS))
    line, column, message = problem.split(":", 2)
    place, _, wanted = expected.partition(": ")
    assert message.strip() == wanted
    text = (head(GAS) + assets).splitlines()
    assert text[int(line) - 1][int(column) - 1 :].startswith(place)
