from datetime import UTC, datetime
from pathlib import Path

from flexedge.web.api.stats import operations
from tests.web.api.asking import NOW, SCHEDULER, USER, platform

STATS = "/api/v3_0/sensors/{id}/stats"
START = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)  # the clocks change in the night


def test_statistics_are_told_by_source_of_every_belief(tmp_path: Path) -> None:
    with platform(tmp_path, operations) as here:
        sensor = here.sensor(here.asset("battery"), "power")
        here.believe(sensor, START, [1, 2.5, 3], START)
        here.believe(sensor, START, [1.1], NOW)
        here.believe(sensor, START, [9] * 12, source=SCHEDULER)
        anna, scheduler = (here.parts.beliefs.source(one) for one in (USER, SCHEDULER))
        names = [f"anna (ID: {anna})", f"Seita's StorageScheduler model v9 (ID: {scheduler})"]
        told = here.ask("GET", STATS, sensor).body
        assert list(told) == ["status", *names]
        assert told[names[0]] == {
            "First event start": "2026-03-28T23:30:00+01:00",
            "Last event end": "2026-03-29T00:15:00+01:00",
            "Last recorded": "2026-04-14T14:00:00+02:00",
            "Min value": 1.0, "Max value": 3.0, "Mean value": 1.9, "Sum over values": 7.6,
            "Number of values": 4,
        }  # fmt: skip
        assert told[names[1]]["Last event end"] == "2026-03-29T03:30:00+02:00"
        some = here.ask("GET", STATS, sensor, {"event_end_time": "2026-03-28T23:00:00Z",
                        "event_start_time": "2026-03-28 22:45", "sort": "false"}).body  # fmt: skip
        assert some[names[0]][0] == ["First event start", "2026-03-28T23:45:00+01:00"]
        assert some[names[0]][7] == ["Number of values", 1]
        assert here.ask("GET", STATS, sensor, {"event_start_time": "2027-01-01"}).body == {
            "status": 200}  # fmt: skip
