from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from flexedge.domain.series import TimeGrid
from flexedge.gateway.begun import shortened
from flexedge.optim.device import Device, Soft, Storage
from flexedge.optim.market import Commitment, Connection, Group, Market, Scenario
from flexedge.optim.problem import Problem

HALF, ONES = np.array([0.5, 1.0, 1.0]), np.ones(3)
TANK = Storage("tank", 3.0, 0.0, 9.0, usage_kw=1.0, storage_efficiency=0.81)
PUMP = Device("pump", -2 * ONES, 4 * ONES, TANK, consumption_capacity=Soft(3.0, 1.0))
ROD = Device("rod", 0 * ONES, 2 * ONES, TANK)
WHOLE = Problem(
    TimeGrid(datetime(2026, 4, 14, tzinfo=UTC), timedelta(hours=1), 3),
    (PUMP, ROD),
    (
        Market(2 * ONES, ONES, ONES, Connection(9.0, 8.0, 7.0, phase_capacity_kw=3.0)),
        Market(4 * ONES, ONES, ONES, commodity="gas"),
    ),
    (Group("g", ("pump",), 1.0, 6.0, Soft(5.0, 1.0)),),
    (Commitment("c", 2 * ONES, ONES, ONES, ("pump",), 1.0),),
    (Scenario(0.2, 6 * ONES, ONES, ONES),),
)


def test_every_power_of_the_first_step_counts_with_what_is_left_of_it() -> None:
    short = shortened(WHOLE, 0.5)
    pump, rod = short.devices
    site, group, (commitment,) = short.site, short.groups[0], short.commitments
    assert group.consumption_capacity is not None
    assert pump.consumption_capacity is not None
    assert pump.storage is not None
    expected = {
        "least": (pump.min_kw, -2.0),
        "most": (pump.max_kw, 4.0),
        "the other device": (rod.max_kw, 2.0),
        "its agreed capacity": (pump.consumption_capacity.limit_kw, 3.0),
        "usage": (pump.storage.usage_kw, 1.0),
        "load": (site.inflexible_kw, 2.0),
        "gas": (short.markets[1].inflexible_kw, 4.0),
        "physical": (site.connection.power_capacity_kw, 9.0),
        "agreed in": (site.connection.consumption_capacity_kw, 8.0),
        "agreed out": (site.connection.production_capacity_kw, 7.0),
        "phase": (site.connection.phase_capacity_kw, 3.0),
        "group": (group.power_capacity_kw, 6.0),
        "fixed in the group": (group.fixed_kw, 1.0),
        "agreed of the group": (group.consumption_capacity.limit_kw, 5.0),
        "position": (commitment.baseline_kw, 2.0),
        "fixed in the position": (commitment.fixed_kw, 1.0),
        "scenario": (short.scenarios[0].inflexible_kw, 6.0),
    }
    for name, (values, whole) in expected.items():
        assert values == pytest.approx(whole * HALF), name
    assert pump.share == pytest.approx(HALF)
    assert pump.storage.storage_efficiency == pytest.approx([0.9, 0.81, 0.81])


def test_a_storage_that_two_devices_feed_stays_one() -> None:
    pump, rod = shortened(WHOLE, 0.5).devices
    assert pump.storage is rod.storage
