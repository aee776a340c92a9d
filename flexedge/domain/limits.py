"""The last word before hardware: the clamp chain, and who gives way at the grid connection."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Bound:
    """A range of power that somebody insists on; ``by`` names them for people."""

    by: str
    low_kw: float
    high_kw: float


def clamp(wanted_kw: float, bounds: Sequence[Bound]) -> tuple[float, tuple[str, ...]]:
    """Bring a power inside every bound, in order; a later bound has the last word.

    Returns the power and the names of the bounds that changed it. Raises ``ValueError`` for a
    power that is no number: such a thing must not come this far.
    """
    if not math.isfinite(wanted_kw):
        raise ValueError(f"{wanted_kw} kW is no setpoint")
    power, by = wanted_kw, []
    for bound in bounds:
        kept = min(max(power, bound.low_kw), bound.high_kw)
        if kept != power:
            by.append(bound.by)
        power = kept
    return power, tuple(by)


def soc_bound(soc_kwh: float | None, soc_min_kwh: float, soc_max_kwh: float) -> Bound:
    """No discharging at the bottom, no charging at the top; neither when nobody knows."""
    if soc_kwh is None:
        return Bound("unknown state of charge", 0.0, 0.0)
    low = 0.0 if soc_kwh <= soc_min_kwh else -math.inf
    high = 0.0 if soc_kwh >= soc_max_kwh else math.inf
    return Bound("state of charge", low, high)


def ramp_bound(present_kw: float, ramp_kw_per_s: float, seconds: float) -> Bound:
    """No faster than the installer allows."""
    reach = ramp_kw_per_s * max(seconds, 0.0)
    return Bound("ramp", present_kw - reach, present_kw + reach)


def gate(power_kw: float, least_kw: float) -> float:
    """Turn what lies between zero and the least a device can do into one of the two."""
    if 0.0 < power_kw < least_kw:
        return least_kw if power_kw >= least_kw / 2 else 0.0
    return power_kw


@dataclass(frozen=True, slots=True)
class Claim:
    """What an asset wants to draw, and how far it can give way in either direction."""

    name: str
    wanted_kw: float
    low_kw: float
    high_kw: float


def share(
    claims: Sequence[Claim], uncontrolled_kw: float, most_import_kw: float, most_export_kw: float
) -> list[Claim]:
    """Keep the grid connection within its limits: claims give way in the order given.

    ``uncontrolled_kw`` is what flows at the connection besides the claims. What no claim can
    avoid remains.
    """
    total = uncontrolled_kw + sum(claim.wanted_kw for claim in claims)
    too_much, too_little = total - most_import_kw, -most_export_kw - total
    shared = []
    for claim in claims:
        wanted = claim.wanted_kw
        if too_much > 0.0:
            wanted = min(wanted, max(claim.low_kw, wanted - too_much))
            too_much -= claim.wanted_kw - wanted
        elif too_little > 0.0:
            wanted = max(wanted, min(claim.high_kw, wanted + too_little))
            too_little -= wanted - claim.wanted_kw
        shared.append(replace(claim, wanted_kw=wanted))
    return shared


@dataclass(frozen=True, slots=True)
class Worth:
    """What energy is worth now, per kWh: bought, sold, and kept in the battery.

    ``kept`` None: nobody knows (no plan). ``efficiency_in`` and ``_out`` are shares.
    """

    bought: float
    sold: float
    kept: float | None
    efficiency_in: float
    efficiency_out: float


_EVEN = 1e-4  # per kWh: prices this near are the same, as far as the plan's tie-breakers can tell


def follow(deviation_kw: float, planned_grid_kw: float, worth: Worth) -> float:
    """How far a battery should leave its plan because the rest of the site does.

    ``deviation_kw``: how much more than planned the rest draws. Held still, the battery would let
    the grid go from ``planned_grid_kw`` to that plus the deviation; each part of that way, above
    zero (import) and below (export), is covered by the battery where that does not cost more than
    the grid. Returns the change of the battery's power (negative: discharge more).
    """
    if worth.kept is None:
        return -deviation_kw
    before, after = planned_grid_kw, planned_grid_kw + deviation_kw
    imported = max(after, 0.0) - max(before, 0.0)
    exported = min(after, 0.0) - min(before, 0.0)
    if deviation_kw >= 0.0:
        cost_of_discharge = worth.kept / worth.efficiency_out - _EVEN
        covered = (imported if worth.bought >= cost_of_discharge else 0.0) + (
            exported if worth.sold >= cost_of_discharge else 0.0
        )
    else:
        gain_of_charge = worth.kept * worth.efficiency_in + _EVEN
        covered = (imported if worth.bought <= gain_of_charge else 0.0) + (
            exported if worth.sold <= gain_of_charge else 0.0
        )
    return -covered
