"""Statistics of a sensor."""

from typing import Any, Final

from flexedge.gateway.service.statistics import named, told
from flexedge.web.api.op import Call, On, Op, Reply
from flexedge.web.api.parts import Parts
from flexedge.wire.stats import StatsAsked, StatsTold

ROOT: Final = "/api/v3_0"


def operations(parts: Parts) -> tuple[Op, ...]:
    """The operations."""

    def stats(call: Call[StatsAsked, None]) -> Reply:
        asked, sources = call.query, parts.state.sources()
        found = told(parts.beliefs, call.found, asked.event_start_time, asked.event_end_time)
        answer: dict[str, Any] = {"status": 200}
        for number, words in found.items():
            one = words if asked.sort else [list(pair) for pair in words.items()]
            answer[named(number, sources[number])] = one
        return Reply(answer)

    return (
        Op(
            method="GET", path=f"{ROOT}/sensors/{{id}}/stats", run=stats, tag="Sensors",
            summary="Tell statistics of a sensor's values, by source", on=On("sensor", "read"),
            query=StatsAsked, place="query", answers={200: StatsTold},
        ),
    )  # fmt: skip
