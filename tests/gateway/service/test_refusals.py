"""What is wrong with a request for a plan, in FlexMeasures' words."""

from typing import Any

import pytest

from flexedge.errors import BadField
from flexedge.gateway.service.refusals import told


@pytest.mark.parametrize(
    ("path", "message", "expected"),
    [
        ("start", "'x' is not a date and time: write it",
         {"start": ["Not a valid aware datetime."]}),
        ("start", "'2026-01-01' has no offset from UTC: write it",
         {"start": ["Not a valid aware datetime."]}),
        ("start", "'2500-01-01T00:00:00Z' lies too far away",
         {"json": {"start": ["'2500-01-01T00:00:00Z' lies too far away"]}}),
        ("flex-model[3].no-such", "there is no such field",
         {"json": {"no-such": ["Unknown field."]}}),
        ("flex-context.site-power-capacitiy", "there is no such field; did you mean 'x'?",
         {"json": {"site-power-capacitiy": ["Unknown field. Did you mean 'x'?"]}}),
        ("flex-model[0].soc-minima[1].value", "should be a number",
         {"json": {"soc-minima[1].value": ["should be a number"]}}),
        ("assets.7.flex-model.soc-max", "is wrong",
         {"json": {"assets.7.flex-model.soc-max": ["is wrong"]}}),
        ("flex-model", "is missing", {"json": {"flex-model": ["is missing"]}}),
    ],
)  # fmt: skip
def test_each_is_told_where_it_is(path: str, message: str, expected: Any) -> None:
    assert told(BadField(path, message)) == expected
