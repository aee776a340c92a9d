"""How a device's power follows what is asked of it."""

import math


def lag(output: float, aim: float, dt: float, tau: float) -> tuple[float, float]:
    """First-order response over ``dt`` seconds: (mean over the step, value at its end)."""
    kept = math.exp(-dt / tau)
    gap = output - aim
    return aim + gap * (1.0 - kept) * tau / dt, aim + gap * kept


def clip(value: float, least: float, most: float) -> float:
    """``value``, kept between two bounds."""
    return least if value < least else min(value, most)
