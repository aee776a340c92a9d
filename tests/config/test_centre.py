"""What the site file says about centres."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from flexedge.config.centre import SCOPES, CentreRules, Received, Report


def test_all_is_agreed_where_nothing_is_said_but_what_takes_effect_on_site() -> None:
    rules = CentreRules()
    assert rules.scopes == SCOPES
    assert rules.report.strategy == "every-event"
    assert rules.accept.flex_model == rules.accept.attributes == rules.accept.commands == ()


def test_a_dead_band_needs_reports_on_change() -> None:
    assert Report.model_validate({"strategy": "on-change", "dead-band": 0.5}).dead_band == 0.5
    for more in ({"dead-band": 0.5}, {"heartbeat": "1 h"}):
        with pytest.raises(ValidationError, match="strategy: on-change"):
            Report.model_validate(more)


def test_spans_are_longer_than_nothing() -> None:
    assert Received.model_validate({"sensor": 3, "unit": "kW"}).ahead == timedelta(hours=48)
    for field in ("every", "resolution", "ahead"):
        with pytest.raises(ValidationError):
            Received.model_validate({"sensor": 3, "unit": "kW", field: "0 s"})


def test_scopes_and_commands_are_words_that_mean_something() -> None:
    for wrong in ({"scopes": ["all"]}, {"accept": {"commands": ["reboot"]}}):
        with pytest.raises(ValidationError):
            CentreRules.model_validate(wrong)
