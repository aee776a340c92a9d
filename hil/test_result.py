"""What a run of days must come to, held against results that break one promise each."""

from typing import Any

import pytest

from hil.result import broken

GOOD: dict[str, Any] = {
    "errors": 0,
    "site_limit_exceeded_s": 0.0,
    "energy_balance_error": 0.0005,
    "released": True,
    "setpoints": {"written": 10, "verified": 9, "clamped": 0, "refused": 0},
    "plans": {"count": 3, "infeasible": 0, "seconds_max": 0.1},
    "days": 2.0,
    "saving": 0.15,
}


def test_a_good_result_breaks_nothing() -> None:
    assert broken(GOOD) == []
    assert broken(GOOD | {"days": 0.25, "saving": 0.01}) == []


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        ({"errors": 1}, "errors"),
        ({"site_limit_exceeded_s": 0.5}, "site_limit_exceeded_s"),
        ({"energy_balance_error": 0.03}, "energy_balance_error"),
        ({"released": False}, "released"),
        ({"setpoints": {"verified": 0}}, "setpoints"),
        ({"plans": {"infeasible": 1}}, "plans"),
        ({"saving": 0.09}, "cost"),
    ],
)
def test_a_broken_promise_is_named(change: dict[str, Any], promise: str) -> None:
    (said,) = broken(GOOD | change)
    assert said.startswith(promise)
