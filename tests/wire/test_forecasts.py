"""The shapes of forecasts."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from flexedge.wire.forecasts import Config, Remarked, Trigger


def test_durations_are_read_as_the_client_writes_them() -> None:
    said = {"start": "2026-11-22T00:00:00+01:00", "duration": "P0DT6H0M0S",
            "config": {"train-period": "P7DT0H0M0S"}}  # fmt: skip
    read = Trigger.model_validate(said)
    assert read.duration == timedelta(hours=6)
    assert read.config is not None
    assert read.config.train_period == timedelta(days=7)
    assert read.model_dump(mode="json", by_alias=True, exclude_none=True)["start"] == said["start"]


def test_the_old_name_of_the_train_period_is_understood() -> None:
    assert Config.model_validate({"max-training-period": "P3D"}).train_period == timedelta(days=3)


@pytest.mark.parametrize(
    "said",
    [{"no-such": 1}, {"train-period": "P1D"}, {"retrain-frequency": "PT5M"},
     {"missing-threshold": 2}, {"snap": {"0": [1]}}, {"model": "Mine"},
     {"future-regressors": list(range(51))}, {"annotation-regressors": [{"colour": 1}]}],
)  # fmt: skip
def test_wrong_settings_are_refused(said: Any) -> None:
    with pytest.raises(ValidationError):
        Config.model_validate(said)


def test_truth_is_no_number_of_a_sensor() -> None:
    assert Remarked.model_validate({"sensor": 3}).sensor == 3
    with pytest.raises(ValidationError, match="Not a valid integer"):
        Remarked.model_validate({"sensor": True})
