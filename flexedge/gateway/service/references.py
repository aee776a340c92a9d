"""Sensors and assets that flex-models, flex-contexts and charts refer to by their numbers."""

from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

Kind = Literal["sensor", "asset"]
Follow = Callable[[Kind, int], int | None]
"""What a number becomes; None: what refers to it goes."""
_ONE: Final[dict[str, Kind]] = {
    "sensor": "sensor", "asset": "asset", "consumption-price-sensor": "sensor",
    "production-price-sensor": "sensor",
}  # fmt: skip
_LISTS: Final = ("sensors", "inflexible-device-sensors")
_NEEDED: Final = ("sensors", "plots")
"""What refers to nothing any more goes, too."""
_GONE: Final = object()


def referred(data: Any, kind: Kind = "sensor") -> Iterator[int]:
    """The numbers of all sensors (or assets) that are referred to, in flex fields or charts."""
    found: list[int] = []

    def note(one: Kind, number: int) -> int:
        if one == kind:
            found.append(number)
        return number

    followed(data, note)
    yield from found


def followed(data: Any, follow: Follow) -> Any:
    """A flex-model, flex-context or list of charts with other numbers in it."""
    if isinstance(data, list):  # of charts: there a number, or a list of them, means sensors
        charts = [
            _numbers(one, follow) if isinstance(one, list)
            else _number("sensor", one, follow) if _is_number(one)
            else _followed(one, follow)
            for one in data
        ]  # fmt: skip
        return [one for one in charts if one is not _GONE and one != []]
    found = _followed(data, follow)
    return {} if found is _GONE else found


def _followed(data: Any, follow: Follow) -> Any:
    if isinstance(data, list):
        return [one for one in (_followed(each, follow) for each in data) if one is not _GONE]
    if not isinstance(data, dict):
        return data
    found = {}
    for key, value in data.items():
        if key in _ONE and _is_number(value):
            one = _number(_ONE[key], value, follow)
        elif key in _LISTS and isinstance(value, list):
            one = _numbers(value, follow)
        else:
            one = _followed(value, follow)
        lost = one is _GONE or (key in _NEEDED and one == [] and value != [])
        if lost and (key in ("sensor", "asset", *_NEEDED)):
            return _GONE
        if not lost:
            found[key] = one
    return found


def _numbers(data: list[Any], follow: Follow) -> list[Any]:
    found = [
        _number("sensor", one, follow) if _is_number(one) else _followed(one, follow)
        for one in data
    ]  # fmt: skip
    return [one for one in found if one is not _GONE]


def _number(kind: Kind, number: int, follow: Follow) -> Any:
    new = follow(kind, number)
    return _GONE if new is None else new


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
