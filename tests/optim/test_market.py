"""Defaults of what surrounds the devices."""

import numpy as np

from flexedge.optim.market import SITE_BREACH_PRICE, Connection, Market


def test_a_connection_is_free_and_soft_where_nothing_is_said() -> None:
    free = Connection()
    assert free.power_capacity_kw is None
    assert free.consumption_breach_price == SITE_BREACH_PRICE
    assert Market(np.zeros(1), np.ones(1), np.ones(1)).commodity == "electricity"
