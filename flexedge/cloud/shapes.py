"""What servers tell, as the gateway uses it: what is unknown is let through, what is wrong is not.

Raises ``Misshapen`` for what does not have the shape it should have.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from flexedge.domain.runs import Run
from flexedge.wire.shape import duration_of, moment_of

TEXTS: Final = (
    "attributes", "flex_model", "flex_context", "sensors_to_show", "sensors_to_show_as_kpis",
)  # fmt: skip
"""Fields that hold JSON and travel as texts."""
OF_ASSETS: Final = (
    "id", "name", "account_id", "generic_asset_type", "parent_asset_id", "external_id",
    "description", "latitude", "longitude", *TEXTS,
)  # fmt: skip
"""Fields of assets that are asked for; a server may tell but a few of them by itself."""
MOST_VALUES: Final = 1_000_000
Json = Mapping[str, Any]


class Misshapen(Exception):
    """It is JSON, but not what was to be expected."""


def mapping(told: Any) -> Json:
    """An object."""
    if not isinstance(told, dict):
        raise Misshapen("an object was expected")
    return told


def mappings(told: Any) -> Sequence[Json]:
    """A list of objects; also one that is within an object, as "data"."""
    if isinstance(told, dict):
        told = told.get("data")
    if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
        raise Misshapen("a list of objects was expected")
    return told


def number(told: Json, name: str = "id") -> int:
    """The number of something."""
    found = told.get(name)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise Misshapen(f"a number was expected as {name}")
    return found


def text(told: Json, name: str) -> str:
    """A text; an empty one where there is none."""
    found = told.get(name)
    if found is not None and not isinstance(found, str):
        raise Misshapen(f"a text was expected as {name}")
    return found or ""


def unwrapped(told: Any) -> Json:
    """An asset or sensor whose JSON fields are values; those that are none are left as they are."""
    found = dict(mapping(told))
    number(found)
    for name in TEXTS:
        if isinstance(found.get(name), str):
            try:
                found[name] = json.loads(found[name])
            except (ValueError, RecursionError) as error:
                raise Misshapen(f"JSON was expected in {name}") from error
    return found


def wrapped(fields: Json) -> Json:
    """Fields of an asset or sensor as FlexMeasures wants them posted."""
    return {
        name: json.dumps(value) if name in TEXTS and not isinstance(value, str) else value
        for name, value in fields.items()
    }


def run(told: Any) -> Run:
    """Values with their start, duration and unit. NaN and infinity count as missing.

    The step is the duration by the number of values, or what is told as resolution.
    """
    found = mapping(told)
    values = found.get("values")
    if not isinstance(values, list) or len(values) > MOST_VALUES:
        raise Misshapen(f"a list of at most {MOST_VALUES} values was expected")
    try:
        start, duration = moment_of(found.get("start")), duration_of(found.get("duration"))
        step = duration_of(found["resolution"]) if "resolution" in found else None
    except ValueError as error:
        raise Misshapen("a start and a duration were expected") from error
    return Run(
        start, _step(duration, step, len(values)), tuple(_value(one) for one in values),
        text(found, "unit"),
    )  # fmt: skip


def _step(duration: timedelta, told: timedelta | None, n: int) -> timedelta:
    step = told or (duration / n if n else duration)
    if step <= timedelta(0) and n > 1:
        raise Misshapen("a duration above zero was expected")
    return step


def _value(one: Any) -> float | None:
    if one is None:
        return None
    if isinstance(one, bool) or not isinstance(one, int | float):
        raise Misshapen("numbers and null were expected as values")
    try:
        value = float(one)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None
