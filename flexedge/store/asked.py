"""What is asked of beliefs as SQL for DuckDB, over any relation with the columns of ``Beliefs``.

Sensors and events are compared with constants, so that row groups of Parquet files are passed over
that hold no other. Only text is made here. The clocks of a zone are written into it: DuckDB has a
list of its own, of another release than Python's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np

from flexedge.domain.asset import Knowable
from flexedge.store.archive import Asked
from flexedge.store.horizon import DAY_US, clocks, steps, wall_us
from flexedge.store.rows import Micros, micros

Query = tuple[str, list[int]]
"""Text with a ``?`` for each of the parameters."""
_US = timedelta(microseconds=1)
_ORDER = "order by sensor, event_us, source, belief_us, probability"


def select(
    asked: Asked, relation: str, knowable: Mapping[int, Knowable], *, certain: bool = False
) -> Query:
    """Beliefs that are asked for, as columns of ``Beliefs``, in the order that archives promise.

    ``certain``: every belief is known to have one value, with probability 0.5; half the work.

    ``relation`` is the name of a table or view, or a query in parentheses. Of a most recent belief
    all probabilities are given. Raises ``KeyError`` where a horizon is asked of a sensor that
    ``knowable`` lacks.
    """
    where, parameters = _where(asked, knowable)
    if not asked.most_recent:
        return (
            f"select sensor, source, event_us, belief_us, probability, value from {relation}"
            f" where {where} {_ORDER}"
        ), parameters
    if certain:
        return (
            "select sensor, source, event_us, max(belief_us) as belief_us, 0.5 as probability,"
            f" arg_max(value, belief_us) as value from {relation} where {where}"
            " group by sensor, source, event_us order by sensor, event_us, source"
        ), parameters
    # Grouping keeps one row per event in memory, whatever the history; only those are windowed.
    return (
        f"select sensor, source, event_us, belief_us, probability, value from ("
        f" select sensor, source, event_us, probability, max(belief_us) as belief_us,"
        f" arg_max(value, belief_us) as value from {relation} where {where}"
        f" group by sensor, source, event_us, probability)"
        f" qualify belief_us = max(belief_us) over (partition by sensor, source, event_us) {_ORDER}"
    ), parameters


def few(asked: Asked, relation: str, knowable: Mapping[int, Knowable], most: int) -> Query:
    """All beliefs that are asked for, recent or not, in any order: at most so many."""
    where, parameters = _where(asked, knowable)
    columns = "sensor, source, event_us, belief_us, probability, value"
    return f"select {columns} from {relation} where {where} limit {most}", parameters


def statistics(asked: Asked, relation: str) -> Query:
    """What there is of each source: the fields of ``Statistics``, times in microseconds.

    Every belief counts, not only the most recent ones. A missing value is counted, no more.
    """
    where, parameters = _where(replace(asked, horizon_from=None, horizon_until=None), {})
    value = "case when isnan(value) then null else value end"
    return (
        f"select sensor, source, min(event_us) as first_event, max(event_us) as last_event,"
        f" max(belief_us) as last_belief, min({value}) as least, max({value}) as most,"
        f" avg({value}) as mean, sum({value}) as total, count(*) as count"
        f" from {relation} where {where} group by sensor, source order by sensor, source"
    ), parameters


def _where(asked: Asked, knowable: Mapping[int, Knowable]) -> Query:
    terms: list[str] = []
    parameters: list[int] = []

    def add(term: str, *values: int) -> None:
        terms.append(term)
        parameters.extend(values)

    add(_among("sensor", asked.sensors), *asked.sensors)
    if asked.sources is not None:
        add(_among("source", asked.sources), *asked.sources)
    for condition, bound in (
        ("event_us >= ?", asked.start),
        ("event_us < ?", asked.end),
        ("belief_us >= ?", asked.believed_from),
        ("belief_us <= ?", asked.believed_until),
    ):
        if bound is not None:
            add(condition, micros(bound))
    if asked.horizon_from is not None or asked.horizon_until is not None:
        text, values = _horizons(asked, knowable)
        add(text, *values)
    return " and ".join(terms), parameters


def _among(column: str, numbers: Sequence[int]) -> str:
    if not numbers:
        return "false"
    if len(numbers) == 1:
        return f"{column} = ?"
    return f"{column} in ({', '.join('?' * len(numbers))})"


def _horizons(asked: Asked, knowable: Mapping[int, Knowable]) -> Query:
    """Bounds of horizons; sensors whose events can be known alike share them."""
    alike: dict[Knowable, list[int]] = {}
    for sensor in asked.sensors:
        alike.setdefault(knowable[sensor], []).append(sensor)
    if not alike:
        return "false", []
    terms: list[str] = []
    parameters: list[int] = []
    for rule, sensors in alike.items():
        conditions = [_among("sensor", sensors)]
        parameters.extend(sensors)
        for sign, horizon in (("<=", asked.horizon_from), (">=", asked.horizon_until)):
            if horizon is not None:
                latest, values = _known(rule, asked)
                conditions.append(f"belief_us {sign} {latest} - ?")
                parameters.extend([*values, horizon // _US])
        terms.append(" and ".join(conditions))
    return "(" + " or ".join(terms) + ")", parameters


def _known(rule: Knowable, asked: Asked) -> Query:
    """When an event can be known, in microseconds; see ``horizon.known_us``."""
    if rule.days_before is None:
        return "event_us + ?", [rule.after // _US]
    changes, offsets = clocks(rule.zone)
    local = f"(event_us + {_stepped(changes, offsets, asked)})"
    back = _stepped(*steps(rule), asked)
    return f"{local} // {DAY_US} * {DAY_US} + {wall_us(rule)} - {back}", []


def _stepped(edges: Micros, offsets: Micros, asked: Asked) -> str:
    """What holds from each edge on (and before the first), of those in the time asked for."""
    first = np.searchsorted(edges, micros(asked.start), side="right") if asked.start else 0
    last = np.searchsorted(edges, micros(asked.end)) if asked.end else len(edges)
    cases = [f"when event_us < {edges[i]} then {offsets[i]}" for i in range(first, last)]
    return f"case {' '.join(cases)} else {offsets[last]} end" if cases else f"{offsets[last]}"
