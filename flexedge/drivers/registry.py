"""Which drivers there are: what installed packages declare in the group ``flexedge.drivers``."""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from flexedge.errors import ConfigError, Problem

GROUP = "flexedge.drivers"


def declared(points: Iterable[EntryPoint] | None = None) -> Mapping[str, EntryPoint]:
    """All declared drivers by name, not yet imported.

    Raises ``ConfigError`` when two packages declare different drivers under one name.
    """
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP) if points is None else points:
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            raise _problem(
                f"driver {point.name!r} is declared twice: {other.value} and {point.value}"
            )
    return found


def driver_class(name: str, points: Iterable[EntryPoint] | None = None) -> Any:
    """The class of a driver; ``ConfigError`` where none has that name or it cannot be imported."""
    known = declared(points)
    if name not in known:
        names = ", ".join(sorted(known)) or "none at all: flexedge is not installed as a package"
        raise _problem(f"there is no driver {name!r}; installed are {names}")
    try:
        return known[name].load()
    except (ImportError, AttributeError) as error:
        raise _problem(f"driver {name!r} cannot be loaded: {error}") from error


def _problem(message: str) -> ConfigError:
    return ConfigError([Problem("drivers", None, None, message)])
