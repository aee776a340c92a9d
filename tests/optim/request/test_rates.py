"""How fast stocks can be filled and emptied, by what is asked of them between two ticks."""

from tests.optim.request.asking import asked, at


def test_how_fast_a_heat_pump_fills_its_tank_is_said_by_its_curve() -> None:
    pump = {
        "sensor": "boiler", "consumption-capacity": "2 kW", "soc-at-start": "0 kWh",
        "part-load-efficiency": [{"power": "1 kW", "efficiency": 4},
                                 {"power": "3 kW", "efficiency": 2}],
        "soc-minima": [{"datetime": at(1.5), "value": "5 kWh"}],
    }  # fmt: skip
    (storage,) = (kept for _, kept in asked([pump]).stores)
    assert [bound.soc_kwh for bound in storage.minima] == [5 - 0.5 * 5, 5.0]


def test_no_stock_is_filled_faster_than_its_power_curve_allows() -> None:
    car = {
        "sensor": "car", "power-capacity": "2 kW", "soc-at-start": "4 kWh", "soc-max": "9 kWh",
        "charging-power-curve": [{"soc": "0 kWh", "power": "1 kW"},
                                 {"soc": "9 kWh", "power": "0 kW"}],
        "discharging-power-curve": [{"soc": "0 kWh", "power": "0 kW"},
                                    {"soc": "9 kWh", "power": "0.5 kW"}],
        "soc-targets": [{"datetime": at(1.5), "value": "5 kWh"}],
    }  # fmt: skip
    (storage,) = (kept for _, kept in asked([car]).stores)
    assert [bound.soc_kwh for bound in storage.minima] == [5 - 0.5 * 1]
    assert [bound.soc_kwh for bound in storage.maxima] == [5 + 0.5 * 0.5]
