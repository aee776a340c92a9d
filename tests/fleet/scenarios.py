"""What docs/centre/fleet.md tells: a fleet of a thousand, scaled to ten thousand."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.fleet.simulation import Fleet, Seen, Server, Simulation

SCALE = 10
"""From the thousand that are simulated to ten thousand; workers are scaled, too."""
_AWAY = (900.0, 8100.0)
_BUSY = Server(workers=10)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the table."""

    name: str
    fleet: Fleet
    server: Server
    together: bool
    from_s: float
    """What is told begins here,"""
    until_s: float
    """and ends here."""


def scenarios(gateways: int = 1000) -> Iterator[Scenario]:
    """All of them."""
    usual = Fleet(gateways)
    blind = replace(usual, jitter=False)
    away = replace(_BUSY, away=_AWAY)
    yield Scenario("every day", usual, _BUSY, False, 600, 1800)
    yield Scenario("every day, sent every 15 min", replace(usual, send_every_s=900), _BUSY, False,
                   1800, 3600)  # fmt: skip
    yield Scenario("all start in one second", usual, _BUSY, True, 0, 1200)
    yield Scenario("the same, without chance", blind, _BUSY, True, 0, 1200)
    yield Scenario("centre away for 2 h: meanwhile", usual, away, False, 2000, 8100)
    yield Scenario("the first 20 min after it", usual, away, False, 8100, 9300)
    yield Scenario("the same, without chance", blind, away, False, 8100, 9300)


def row(scenario: Scenario, seed: int = 1) -> str:
    """A row of the table in Markdown."""
    run = Simulation(scenario.fleet, scenario.server, seed, together=scenario.together)
    seen = run.run(scenario.until_s)
    span = range(int(scenario.from_s), int(scenario.until_s))
    asked = _rates(seen.requests, span)
    late = sorted(seen.late_s[-sum(seen.requests[second] for second in span) :])
    caught = max(seen.caught_up, default=0.0) / 60
    whole = len(seen.caught_up) == scenario.fleet.gateways
    cells = (
        scenario.name,
        f"{SCALE * sum(asked) / len(asked):.0f}",
        f"{SCALE * max(asked):.0f}",
        f"{SCALE * max(_rates(seen.sent_bytes, span)) / 1e6:.2f}",
        f"{SCALE * max(seen.open[second] for second in span)}",
        f"{late[int(0.99 * len(late))]:.1f}" if late and sum(asked) else "-",
        f"{sum(seen.refused[second] for second in span) * SCALE}",
        f"{caught:.0f}" if whole else "-",
    )
    return "| " + " | ".join(cells) + " |"


def _rates(counted: Counter[int], span: range) -> list[int]:
    return [counted[second] for second in span]


HEAD = """| | requests/s, mean | in the worst second | MB/s, worst | connections | answer within (s, 99 %) | refused | all caught up after (min) |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"""  # noqa: E501


def seen_of(scenario: Scenario, seed: int = 1) -> Seen:
    """What came of a scenario."""
    run = Simulation(scenario.fleet, scenario.server, seed, together=scenario.together)
    return run.run(scenario.until_s)


if __name__ == "__main__":
    print(HEAD)  # noqa: T201 (for docs/centre/fleet.md)
    for one in scenarios():
        print(row(one))  # noqa: T201
