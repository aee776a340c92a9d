import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexedge.domain.limits import (
    Bound,
    Claim,
    Worth,
    clamp,
    follow,
    gate,
    ramp_bound,
    share,
    soc_bound,
)

powers = st.floats(-100, 100)
WORTH = Worth(bought=0.30, sold=0.07, kept=0.20, efficiency_in=0.95, efficiency_out=0.95)


def test_the_chain_names_who_changed_the_power() -> None:
    bounds = [Bound("profile", -5, 5), Bound("installer", -3, 4), Bound("ramp", -1, 9)]
    assert clamp(9, bounds) == (4, ("profile", "installer"))
    assert clamp(2, bounds) == (2, ())
    assert clamp(-9, bounds) == (-1, ("profile", "installer", "ramp"))


@pytest.mark.parametrize("no_number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_never_becomes_a_setpoint(no_number: float) -> None:
    with pytest.raises(ValueError, match="no setpoint"):
        clamp(no_number, [])


@given(powers, st.lists(st.tuples(powers, powers), max_size=5))
def test_the_last_bound_always_holds(wanted: float, ranges: list[tuple[float, float]]) -> None:
    bounds = [Bound(str(i), min(pair), max(pair)) for i, pair in enumerate(ranges)]
    power, _ = clamp(wanted, bounds)
    if bounds:
        assert bounds[-1].low_kw <= power <= bounds[-1].high_kw
    else:
        assert power == wanted


def test_an_unknown_state_of_charge_allows_nothing() -> None:
    assert clamp(3, [soc_bound(None, 1, 9)])[0] == 0
    assert clamp(-3, [soc_bound(None, 1, 9)])[0] == 0


def test_empty_does_not_discharge_and_full_does_not_charge() -> None:
    assert clamp(-3, [soc_bound(1.0, 1, 9)])[0] == 0
    assert clamp(3, [soc_bound(1.0, 1, 9)])[0] == 3
    assert clamp(3, [soc_bound(9.1, 1, 9)])[0] == 0
    assert clamp(-3, [soc_bound(9.1, 1, 9)])[0] == -3


def test_a_ramp_reaches_as_far_as_time_allows() -> None:
    assert clamp(9, [ramp_bound(1.0, 0.5, 2.0)])[0] == 2.0
    assert clamp(9, [ramp_bound(1.0, 0.5, -2.0)])[0] == 1.0


def test_a_charger_is_either_off_or_above_its_least_power() -> None:
    assert [gate(p, 4.0) for p in (-1.0, 0.0, 1.9, 2.0, 3.9, 4.0, 7.0)] == [
        -1.0, 0.0, 0.0, 4.0, 4.0, 4.0, 7.0,
    ]  # fmt: skip


def test_the_battery_gives_way_before_the_car() -> None:
    claims = [Claim("battery", 2.0, -5.0, 5.0), Claim("car", 11.0, 0.0, 11.0)]
    kept = {c.name: c.wanted_kw for c in share(claims, 6.0, 15.0, 10.0)}
    assert kept == {"battery": -2.0, "car": 11.0}
    kept = {c.name: c.wanted_kw for c in share(claims, 14.0, 15.0, 10.0)}
    assert kept == {"battery": -5.0, "car": 6.0}


def test_too_much_sun_goes_into_the_battery_first_and_is_curtailed_then() -> None:
    claims = [Claim("battery", 0.0, -5.0, 5.0), Claim("solar", -14.0, -14.0, 0.0)]
    kept = {c.name: c.wanted_kw for c in share(claims, 0.5, 15.0, 6.0)}
    assert kept == {"battery": 5.0, "solar": -11.5}


@given(
    st.lists(st.tuples(powers, powers, powers), max_size=4),
    powers,
    st.floats(0, 50),
    st.floats(0, 50),
)
def test_sharing_keeps_the_limits_wherever_anybody_can_give_way(
    ranges: list[tuple[float, float, float]], uncontrolled: float, most: float, least: float
) -> None:
    claims = []
    for i, triple in enumerate(ranges):
        low, wanted, high = sorted(triple)
        claims.append(Claim(str(i), wanted, low, high))
    shared = share(claims, uncontrolled, most, least)
    for claim in shared:
        assert claim.low_kw - 1e-9 <= claim.wanted_kw <= claim.high_kw + 1e-9
    total = uncontrolled + sum(claim.wanted_kw for claim in shared)
    all_low = uncontrolled + sum(claim.low_kw for claim in claims)
    all_high = uncontrolled + sum(claim.high_kw for claim in claims)
    assert total <= max(most, all_low) + 1e-6
    assert total >= min(-least, all_high) - 1e-6


def test_without_a_plan_the_battery_covers_every_deviation() -> None:
    blind = Worth(0.30, 0.07, None, 0.95, 0.95)
    assert follow(1.5, 0.0, blind) == -1.5
    assert follow(-1.5, 0.0, blind) == 1.5


def test_at_a_balanced_grid_the_battery_follows_both_ways() -> None:
    assert follow(1.5, 0.0, WORTH) == -1.5
    assert follow(-1.5, 0.0, WORTH) == 1.5


def test_what_only_a_tie_breaker_tells_apart_is_the_same() -> None:
    tied = Worth(bought=0.30, sold=0.30, kept=0.300_05, efficiency_in=1.0, efficiency_out=1.0)
    assert follow(1.0, 0.0, tied) == -1.0
    assert follow(-1.0, 0.0, tied) == 1.0


def test_energy_worth_more_than_the_grid_is_kept() -> None:
    dear_later = Worth(bought=0.20, sold=0.07, kept=0.35, efficiency_in=0.95, efficiency_out=0.95)
    assert follow(1.5, 0.0, dear_later) == 0.0
    cheap_now = Worth(bought=0.10, sold=0.07, kept=0.30, efficiency_in=0.95, efficiency_out=0.95)
    assert follow(-1.0, 3.0, cheap_now) == 1.0, "unused cheap import goes into the battery"


def test_only_the_part_that_pays_is_covered() -> None:
    # The plan exports 1 kW; 3 kW more are drawn: the lost export is not worth the battery's
    # energy, the import is.
    assert follow(3.0, -1.0, WORTH) == -2.0
    # The plan imports 1 kW; 3 kW less are drawn: buying less is better than storing at 30 ct.
    assert follow(-3.0, 1.0, WORTH) == 2.0


@given(st.floats(-20, 20), st.floats(-20, 20), st.floats(-0.2, 1), st.floats(-0.2, 1))
def test_following_never_overshoots(
    deviation: float, grid: float, sold: float, kept: float
) -> None:
    change = follow(deviation, grid, Worth(sold + 0.1, sold, kept, 0.9, 0.9))
    assert min(0.0, -deviation) - 1e-9 <= change <= max(0.0, -deviation) + 1e-9
