from datetime import datetime
from itertools import pairwise

import pytest

from flexedge.demo.place import ZONE
from flexedge.demo.simulation import Simulation

_START = datetime(2026, 4, 14, 17, tzinfo=ZONE).timestamp()


def test_left_alone_both_houses_are_the_same() -> None:
    simulation = Simulation(1, _START)
    simulation.advance(_START + 4 * 3600)
    report = simulation.report("report", 1.0)
    assert report.managed == report.unmanaged
    assert report.managed.energies_kwh["car.power"] > 5
    assert all(control.released for control in report.controls.values())


def test_the_twin_does_not_feel_what_is_done_to_the_house() -> None:
    alone, steered = Simulation(1, _START), Simulation(1, _START)
    for simulation in (alone, steered):
        for second in range(1800):
            if simulation is steered:
                simulation.managed.pump.tell(3000, simulation.now, "me")
                simulation.managed.charger.force = 1
                simulation.managed.charger.written_at = simulation.now
            simulation.advance(_START + second + 1)
    assert steered.report("x", 1).unmanaged == alone.report("x", 1).unmanaged
    assert steered.report("x", 1).managed != alone.report("x", 1).managed


def test_time_ends_at_its_end_and_steps_are_at_most_a_second() -> None:
    simulation = Simulation(1, _START, _START + 10.5)
    seen: list[float] = []
    simulation.after_step.append(seen.append)
    simulation.advance(_START + 3.25)
    simulation.advance(_START + 1000.0)
    assert simulation.finished
    assert seen[3] == _START + 3.25
    assert seen[-1] == _START + 10.5
    assert max(b - a for a, b in pairwise(seen)) <= 1.0


def test_a_car_that_is_away_at_the_start_did_not_leave() -> None:
    simulation = Simulation(1, _START - 4 * 3600)
    simulation.advance(simulation.now + 10)
    assert not simulation.managed.charger.plugged
    assert simulation.managed.charger.car.shortfall_kwh == 0


def test_same_seed_same_site() -> None:
    one, two = Simulation(7, _START), Simulation(7, _START)
    one.advance(_START + 600)
    for step in range(200):
        two.advance(_START + 3.0 * (step + 1))
    assert one.report("x", 1.0) == two.report("x", 1.0)


def test_controls_tell_who_holds_them() -> None:
    simulation = Simulation(1, _START)
    simulation.managed.hybrid.remote = True
    simulation.managed.hybrid.touch(_START, "127.0.0.1:5")
    simulation.advance(_START + 20)
    battery = simulation.controls()["battery"]
    assert (battery.released, battery.state, battery.by) == (False, "remote", "127.0.0.1:5")
    assert battery.written_s_ago == 20
    simulation.advance(_START + 70)
    assert simulation.controls()["battery"].released


def test_the_bill_is_less_what_is_stored() -> None:
    simulation = Simulation(1, _START)
    simulation.advance(_START + 3600)
    account = simulation.report("x", 1.0).managed
    assert account.cost == pytest.approx(account.bill - account.stored_value)
    assert account.stored_value != 0
