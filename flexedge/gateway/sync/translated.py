"""Flex-models, flex-contexts and charts with a centre's numbers in the place of ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from flexedge.gateway.service.references import Kind, followed
from flexedge.gateway.sync.ours import FORECAST, RECEIVED

_OUTPUTS: Final = frozenset({
    "consumption", "production", "state-of-charge", "aggregate-power", "aggregate-consumption",
    "aggregate-production",
})  # fmt: skip
"""Where a scheduler writes or reads what is measured; all else is about the time to come, but for
prices, which are known ahead."""
_WITHIN: Final = "commodities"
"""A list of flex-contexts in a flex-context."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What our numbers are at a centre."""

    assets: Mapping[int, int]
    sensors: Mapping[tuple[int, str], int]
    """By our number and role."""


@dataclass(slots=True)
class Translator:
    """Translates; gathers in ``lost`` which sensors and assets had to be left out."""

    numbers: Numbers
    lost: set[tuple[Kind, int]] = field(default_factory=set)

    def flex(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A flex-model or flex-context.

        What is to be expected of a sensor is what forecasters say, where they have a sensor of
        their own there.
        """
        found: dict[str, Any] = {}
        for key, value in fields.items():
            if key == _WITHIN and isinstance(value, list):
                found[key] = [self.flex(one) if isinstance(one, dict) else one for one in value]
                continue
            ahead = key not in _OUTPUTS and "price" not in key
            found |= followed({key: value}, partial(self._of, ahead=ahead))
        return found

    def charts(self, charts: list[Any]) -> list[Any]:
        """Charts or key figures: of what is measured."""
        return list(followed(charts, partial(self._of, ahead=False)))

    def _of(self, kind: Kind, number: int, *, ahead: bool) -> int | None:
        if kind == "asset":
            found = self.numbers.assets.get(number)
        else:
            sensors = self.numbers.sensors
            found = sensors.get((number, FORECAST)) if ahead else None
            found = sensors.get((number, "")) if found is None else found
            found = sensors.get((number, RECEIVED)) if found is None else found
        if found is None:
            self.lost.add((kind, number))
        return found
