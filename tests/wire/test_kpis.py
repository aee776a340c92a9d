import pytest
from pydantic import ValidationError

from flexedge.wire.kpis import KpisAsked, KpisTold, KpiTold


def test_both_ends_are_needed() -> None:
    KpisAsked.model_validate({"start": "2026-04-14T00:00:00Z", "end": "2026-04-15T00:00:00Z"})
    with pytest.raises(ValidationError, match="end"):
        KpisAsked.model_validate({"start": "2026-04-14T00:00:00Z"})


def test_key_figures_are_told_under_data() -> None:
    one = KpiTold(title="a", unit="EUR", sensor=1, downsample_value=2.5, downsample_function="sum")
    assert KpisTold(data=[one]).model_dump()["data"][0]["downsample_value"] == 2.5
