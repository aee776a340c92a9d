"""Questions about beliefs as SQL for PostgreSQL."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flexedge.domain.asset import Knowable
from flexedge.errors import StoreError
from flexedge.store.archive import Asked
from flexedge.store.horizon import DAY_US, clocks, steps, wall_us
from flexedge.store.postgres.tables import BELIEFS
from flexedge.store.rows import micros

Question = tuple[str, list[Any]]
"""SQL and its parameters."""
_US = timedelta(microseconds=1)
_COLUMNS = ", ".join(BELIEFS.columns)
_ORDER = "sensor, event_us, source, belief_us, probability"


def beliefs(asked: Asked, knowable: Mapping[int, Knowable]) -> Question:
    """The beliefs that are asked for, in order.

    Raises ``StoreError`` where a horizon is asked of a sensor that ``knowable`` lacks.
    """
    parts, parameters = _conditions(asked)
    if asked.horizon_from is not None or asked.horizon_until is not None:
        horizon, told = _horizon(asked.sensors, knowable)
        for bound, sign in ((asked.horizon_from, ">="), (asked.horizon_until, "<=")):
            if bound is not None:
                parts.append(f"{horizon} {sign} %s")
                parameters += [*told, bound // _US]
    found = f"select {_COLUMNS} from beliefs where {' and '.join(parts)}"
    if asked.most_recent:
        found = (
            f"select {_COLUMNS} from (select *,"
            " max(belief_us) over (partition by sensor, event_us, source) as last_us"
            f" from ({found}) as held) as judged where belief_us = last_us"
        )
    return f"{found} order by {_ORDER}", parameters


def _conditions(asked: Asked) -> tuple[list[str], list[Any]]:
    bounds: tuple[tuple[str, Any, Callable[[Any], Any]], ...] = (
        ("sensor = any(%s)", asked.sensors, list),
        ("event_us >= %s", asked.start, micros),
        ("event_us < %s", asked.end, micros),
        ("source = any(%s)", asked.sources, list),
        ("belief_us >= %s", asked.believed_from, micros),
        ("belief_us <= %s", asked.believed_until, micros),
    )
    told = [(text, of(value)) for text, value, of in bounds if value is not None]
    return [text for text, _ in told], [value for _, value in told]


def _horizon(sensors: Sequence[int], knowable: Mapping[int, Knowable]) -> Question:
    """An expression for the horizon of a belief in microseconds: until its event can be known."""
    cases, parameters = ["case sensor when null then null::bigint"], list[Any]()
    for sensor in sensors:
        if sensor not in knowable:
            raise StoreError(f"nobody said when events of sensor {sensor} are known")
        text, told = _known_us(knowable[sensor])
        cases.append(f"when %s then {text}")
        parameters += [sensor, *told]
    return f"({' '.join(cases)} end - belief_us)", parameters


def _known_us(rule: Knowable) -> Question:
    """When an event can be known, in microseconds; see ``horizon.known_us``.

    With Python's zones, as everywhere: PostgreSQL has others, of another release.
    """
    if rule.days_before is None:
        return "event_us + %s", [rule.after // _US]
    at = "(%s::bigint[])[width_bucket(event_us, %s::bigint[]) + 1]"
    local = f"event_us + {at}"
    into_day = f"mod(mod({local}, {DAY_US}) + {DAY_US}, {DAY_US})"
    changes, offsets = (part.tolist() for part in clocks(rule.zone))
    edges, back = (part.tolist() for part in steps(rule))
    return (
        f"{local} - {into_day} + %s - {at}",
        [offsets, changes, offsets, changes, wall_us(rule), back, edges],
    )


def newest(sensors: Sequence[int], now: datetime) -> Question:
    """Of each sensor what was believed last about the newest event that starts by ``now``."""
    text = f"""
        select found.* from (select distinct unnest(%s::integer[]) as sensor) as asked
        cross join lateral (
            select {_COLUMNS} from beliefs as b
            where b.sensor = asked.sensor and event_us = (
                select max(event_us) from beliefs as c
                where c.sensor = asked.sensor and event_us <= %s)
            order by belief_us desc, source, abs(probability - 0.5), probability limit 1) as found
        order by {_ORDER}"""
    return text, [list(sensors), micros(now)]


_TOLD = ", ".join(f"coalesce({name}(nullif(value, 'NaN')), 'NaN')" for name in
                  ("min", "max", "avg", "sum"))  # fmt: skip
_READ = (
    "(select sensor, null::integer as source, event_us, event_us as belief_us, value from readings)"
)


def statistics(asked: Asked) -> Question:
    """What there is about sensors, by source. A missing value counts as a row."""
    parts, parameters = _conditions(asked)
    relations = ["beliefs"] if asked.sources is not None else [_READ, "beliefs"]
    found = [
        f"select sensor, source, min(event_us), max(event_us), max(belief_us), {_TOLD}, count(*)"
        f" from {relation} as held where {' and '.join(parts)} group by sensor, source"
        for relation in relations
    ]
    text = f"{' union all '.join(found)} order by sensor, source nulls first"
    return text, parameters * len(relations)
