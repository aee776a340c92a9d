import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.demo.home import Home, stored_value_eur
from flexedge.demo.outside import Conditions

_CONDITIONS = st.builds(
    Conditions,
    st.floats(-10, 30), st.floats(0, 1), st.floats(0, 6), st.floats(0, 6),
    st.floats(-0.1, 0.5), st.none(),
)  # fmt: skip


@given(st.lists(_CONDITIONS, min_size=1, max_size=20))
def test_the_meter_shows_the_sum(conditions: list[Conditions]) -> None:
    home = Home()
    for second, outside in enumerate(conditions):
        home.step(float(second), 1.0, outside)
        grid, *parts = home.powers()
        assert grid == home.grid_kw == pytest.approx(sum(parts), abs=1e-9)
        assert sum(home.phases_kw()) == pytest.approx(grid, abs=1e-9)
    net = home.import_kwh - home.export_kwh
    assert net == pytest.approx(home.ledger.energies_kwh()["grid.power"], abs=1e-9)


def test_voltage_sags_with_import() -> None:
    home = Home()
    assert home.volts(5.0) < 230.0 < home.volts(-5.0)


def test_stored_energy_is_worth_what_it_saves() -> None:
    change = {"battery": 1.0, "car": 0.9, "heating": 3.0}
    assert stored_value_eur(change, 0.2, 3.0) == pytest.approx(0.2 * (0.92**0.5 + 1 + 1))
