"""Amounts and defaults."""

import numpy as np

from flexedge.optim.device import Device, Storage, per_step


def test_one_number_stands_for_all_steps() -> None:
    assert list(per_step(2.0, 3)) == [2.0, 2.0, 2.0]
    assert list(per_step(np.array([1.0, 2.0]), 2)) == [1.0, 2.0]


def test_a_stock_is_itself_and_nothing_else() -> None:
    one, two = Storage("s", 1.0), Storage("s", 1.0)
    assert one != two
    assert Device("a", np.zeros(1), np.ones(1), one).storage is one
