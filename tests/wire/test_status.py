from datetime import timedelta

import pytest

from flexedge.wire.status import Freshness, JobsTold, JobTold, StatusTold, lasting

DAY = timedelta(days=1)


@pytest.mark.parametrize(("duration", "text"), [
    (timedelta(0), "P0D"), (DAY, "P1D"), (365 * DAY, "P365D"), (timedelta(minutes=15), "PT15M"),
    (timedelta(hours=25, seconds=2), "P1DT1H2S"), (-timedelta(hours=12), "-PT12H"),
    (35 * DAY + timedelta(hours=13, minutes=46, seconds=25.387338), "P35DT13H46M25.387338S"),
    (timedelta(microseconds=1500), "PT0.001500S"),
])  # fmt: skip
def test_durations_are_written_as_flexmeasures_does(duration: timedelta, text: str) -> None:
    assert lasting(duration) == text


def test_an_unknown_age_is_null() -> None:
    one = Freshness(
        id=1, name="power", asset_name="battery", resolution=DAY, source_type=None, staleness=None,
        stale=True, staleness_since=None, reason="no data recorded", relation="",
    )  # fmt: skip
    told = StatusTold(sensors_data=[one]).model_dump(mode="json")
    assert told["sensors_data"][0]["resolution"] == "P1D"
    assert told["sensors_data"][0]["staleness"] is None
    assert JobsTold(jobs=list[JobTold]()).model_dump() == {
        "jobs": [], "redis_connection_err": None, "status": 200}  # fmt: skip
