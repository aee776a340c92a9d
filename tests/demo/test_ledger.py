import pytest

from flexedge.demo.ledger import SENSORS, Excursions, Ledger


def test_only_what_lasts_beyond_the_grace_counts_each_time() -> None:
    over = Excursions(15.0, 5.0)
    for power, seconds in ((16, 4), (14, 1), (16, 8), (15, 1), (20, 6)):
        for _ in range(seconds):
            over.step(float(power), 1.0)
    assert over.exceeded_s == pytest.approx(3 + 1)


def test_the_step_does_not_matter_for_excursions() -> None:
    fine = Excursions(15.0, 5.0)
    for _ in range(80):
        fine.step(16.0, 0.1)
    assert fine.exceeded_s == pytest.approx(3.0)


def test_money_and_energies() -> None:
    ledger = Ledger()
    ledger.step((2.0, 1.0, -3.0, 0.0, 0.0, 4.0), 1800.0, 0.30, 0.07)
    ledger.step((-4.0, -1.0, -3.0, 0.0, 0.0, 0.0), 1800.0, 0.30, 0.07)
    assert ledger.cost_eur == pytest.approx(1.0 * 0.30 - 2.0 * 0.07)
    assert (ledger.import_kwh, ledger.export_kwh) == (1.0, 2.0)
    assert list(ledger.energies_kwh()) == list(SENSORS)
    assert ledger.energies_kwh()["battery.power"] == 0.0
    assert ledger.throughput_kwh()["battery.power"] == 1.0
    assert ledger.energies_kwh()["grid.power"] == -1.0
