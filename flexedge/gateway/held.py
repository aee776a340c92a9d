"""One control point as the gateway holds it: what it was told, when to say it again. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from flexedge.domain.schedule import Applied, Clamped, Outcome, Refused, Released, Setpoint
from flexedge.drivers.driver import ControlPoint
from flexedge.gateway.plant import Unit
from flexedge.gateway.targets import Target

STRIKES = 3  # refusals, or writes the read-back does not show, before a device is left alone
RETRY = timedelta(seconds=5)
_RAISE_EVERY = timedelta(seconds=10)  # a charger goes down at once, up no more often than this
_DAY = timedelta(days=1)
_NEVER = Released("not yet controlled")


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of one control point. Without a setpoint the device is left to itself."""

    setpoint: Setpoint | None = None
    wanted_kw: float | None = None
    by: tuple[str, ...] = ()
    """Who kept the setpoint from being what was wanted."""
    written_at: datetime | None = None
    due_at: datetime | None = None
    """When to write the same again."""
    changed_at: datetime | None = None
    switched_at: datetime | None = None
    verified: bool = False
    proved_at: datetime | None = None
    """When the write was made that the read-back showed last."""
    unshown_since: datetime | None = None
    """Since when the read-back has not shown what was written."""
    strikes: int = 0
    rests_until: datetime | None = None
    outcome: Outcome = _NEVER
    at: datetime | None = None
    changes: tuple[datetime, ...] = ()
    """The last changes, as many as memory that wears out may have in a day; else none."""

    def settled_on(self, power_kw: float, unit: Unit, control: ControlPoint, now: datetime
                   ) -> float:  # fmt: skip
        """The power to ask for: the present one where a change is too small or too soon."""
        if self.setpoint is None:
            return power_kw
        present = self.setpoint.power_kw
        if abs(power_kw - present) < unit.asset.limits.dead_band:
            return present
        if not self._too_soon(power_kw, present, unit, control, now):
            return power_kw
        return 0.0 if power_kw * present < 0.0 else present  # towards zero is never too soon

    def _too_soon(
        self, power_kw: float, present_kw: float, unit: Unit, control: ControlPoint, now: datetime
    ) -> bool:
        """Whether dwell, a charger's patience or the write budget speak against going up.

        Nothing speaks against going towards zero: limits outrank comfort and wear.
        """
        if abs(power_kw) <= abs(present_kw) and power_kw * present_kw >= 0.0:
            return False
        budget = control.writes_per_day
        if budget is not None and len(self.changes) >= budget:
            return now - self.changes[-budget] < _DAY
        if present_kw == 0.0 and self.switched_at is not None:
            return now - self.switched_at < unit.asset.limits.dwell
        return unit.vehicle and self.changed_at is not None and now - self.changed_at < _RAISE_EVERY

    def told(self, target: Target, control: ControlPoint, now: datetime) -> Self:
        """The same after writing a target (whose power is the one to write)."""
        power_kw = target.power_kw or 0.0
        present = None if self.setpoint is None else self.setpoint.power_kw
        changed = power_kw != present
        switched = present is None or (present == 0.0) != (power_kw == 0.0)
        until = now + (control.device_timeout or 2 * control.refresh)
        changes = (*self.changes, now) if changed else self.changes
        return replace(
            self,
            setpoint=Setpoint(power_kw, until, target.reason),
            wanted_kw=power_kw if target.wanted_kw is None else target.wanted_kw,
            by=target.by,
            written_at=now,
            due_at=now + control.refresh,
            changed_at=now if changed else self.changed_at,
            switched_at=now if switched else self.switched_at,
            verified=self.verified and not changed,
            unshown_since=self.unshown_since or now,
            changes=changes[-control.writes_per_day :] if control.writes_per_day else (),
        )

    def wrote(self, now: datetime) -> Self:
        """The same after the device took the write."""
        return replace(self, outcome=_taken(self), at=now)

    def showed(self, now: datetime) -> Self:
        """The same after the read-back showed the setpoint."""
        shown = replace(
            self, verified=True, proved_at=self.written_at, unshown_since=None, strikes=0
        )
        return replace(shown, outcome=_taken(shown), at=now)

    def struck(self, outcome: Outcome, now: datetime) -> Self:
        """The same after a write that failed or did not show."""
        strikes = self.strikes + (1 if isinstance(outcome, Refused) else 0)
        return replace(
            self,
            outcome=outcome,
            at=now,
            verified=False,
            unshown_since=None,
            strikes=strikes,
            due_at=now + RETRY,
        )

    def let_go(self, why: str, now: datetime) -> Self:
        """The same after giving the device back to itself."""
        return replace(
            self,
            setpoint=None,
            due_at=None,
            verified=False,
            unshown_since=None,
            strikes=0,
            outcome=Released(why),
            at=now,
        )


def _taken(held: Held) -> Outcome:
    """What people are told of a setpoint that was written."""
    if held.setpoint is None:
        return held.outcome
    power_kw = held.setpoint.power_kw
    if held.by and held.wanted_kw is not None:
        return Clamped(power_kw, held.wanted_kw, held.by, held.verified)
    return Applied(power_kw, held.verified)
