from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.domain.series import FloatArray
from flexedge.gateway.pinned import pinned
from flexedge.optim.device import Device, Running, Storage

STORE = Storage("battery", soc_start_kwh=5.0, soc_min_kwh=1.0, soc_max_kwh=10.0)
N = 4


def device(storage: Storage | None = STORE, modes: tuple[tuple[float, float], ...] = ()) -> Device:
    """An hour a step, 5 kW both ways, nine tenths each way."""
    return Device(
        "battery", np.full(N, -5.0), np.full(N, 5.0), storage, 0.9, 0.9, modes=modes,
        running=Running(),
    )  # fmt: skip


def powers(of: Device, *wanted: float, least: float = 0.0, share: float = 1.0) -> list[float]:
    made = pinned(of, np.array(wanted), least, 1.0, share)
    assert made.running is None
    fixed = made.min_kw == made.max_kw
    return [float(one) if there else np.nan for one, there in zip(made.min_kw, fixed, strict=True)]


def test_the_power_is_that_of_the_schedule_as_far_as_it_is_known() -> None:
    assert powers(device(), 1.0, -2.0, np.nan, 3.0) == pytest.approx(
        [1.0, -2.0, np.nan, np.nan], nan_ok=True
    )


def test_what_the_device_cannot_do_is_not_planned_with() -> None:
    assert powers(device(None), 9.0, -9.0, 0.0, 0.0) == [5.0, -5.0, 0.0, 0.0]


def test_a_full_storage_takes_no_more_and_an_empty_one_gives_nothing() -> None:
    assert powers(device(), 5.0, 5.0, 0.0, 0.0) == pytest.approx([5.0, 0.5 / 0.9, 0.0, 0.0])
    assert powers(device(), -3.0, -3.0, -1.0, 0.0) == pytest.approx(
        [-3.0, -(4.0 - 3.0 / 0.9) * 0.9, 0.0, 0.0]
    )


def test_of_a_step_that_has_begun_only_the_rest_counts() -> None:
    begun = powers(device(), 5.0, 5.0, 5.0, 0.0, share=0.1)
    assert begun == pytest.approx([5.0, 5.0, 0.05 / 0.9, 0.0])


def test_a_storage_that_runs_dry_is_filled() -> None:
    dry = Storage("buffer", 1.5, 1.0, 10.0, usage_kw=2.0)
    assert powers(device(dry), 0.0, 0.0, 0.0, 0.0) == pytest.approx([1.5 / 0.9] + [2.0 / 0.9] * 3)


def test_an_efficiency_that_cannot_be_harms_nobody() -> None:
    of = replace(device(), charging_efficiency=np.array([0.0, np.nan, 0.9, 0.9]))
    assert powers(of, 2.0, 2.0, 5.0, 0.0) == pytest.approx([2.0, 2.0, 1.0 / 0.9, 0.0])


def test_a_power_below_the_least_is_one_of_two() -> None:
    assert powers(device(), 1.0, 3.0, 0.0, 0.0, least=4.0) == [0.0, 4.0, 0.0, 0.0]


def test_a_power_in_no_mode_is_left_open() -> None:
    of = device(modes=((0.0, 0.0), (2.0, 5.0)))
    assert powers(of, 1.0, 3.0, 0.0, 0.0) == pytest.approx([np.nan, 3.0, 0.0, 0.0], nan_ok=True)


KW = st.floats(-20.0, 20.0)


@given(
    wanted=st.lists(KW, min_size=N, max_size=N),
    start=st.floats(0.0, 12.0),
    usage=st.floats(-1.0, 3.0),
    share=st.floats(0.02, 1.0),
)
def test_what_is_planned_with_never_leaves_the_band(
    wanted: list[float], start: float, usage: float, share: float
) -> None:
    storage = Storage("battery", start, 1.0, 10.0, usage_kw=usage, storage_efficiency=0.99)
    power: FloatArray = pinned(device(storage), np.array(wanted), 0.0, 1.0, share).min_kw
    assert ((power >= -5.0) & (power <= 5.0)).all()
    soc = start
    for i, one in enumerate(power):
        hours = share if i == 0 else 1.0
        rest = soc * 0.99 - usage * hours
        soc = rest + (one * 0.9 if one > 0 else one / 0.9) * hours
        if one not in (-5.0, 5.0):
            assert min(1.0, start) - 1e-6 <= soc <= max(10.0, start) + 1e-6
        soc = min(max(soc, min(1.0, start)), max(10.0, start))
