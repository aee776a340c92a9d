"""What a forecast learns from."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flexedge.domain.asset import Source
from flexedge.domain.series import TimeGrid
from flexedge.errors import BadField
from flexedge.gateway.service.pasts import Pasts, Reference
from flexedge.store.tables.annotations import Annotation
from tests.gateway.service.cases import LONG_AGO, Planning, planning

AT = datetime(2026, 4, 14, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
GRID = TimeGrid(AT, HOUR, 4)
SKY = Source("sky", "forecaster")


@pytest.fixture
def here(tmp_path: Path) -> Planning:
    return planning(tmp_path)


def test_what_came_of_it_is_not_what_was_forecast(here: Planning) -> None:
    number = here.sensor(here.asset(), "sun", step=HOUR)
    here.save(number, [1, 2], AT, HOUR, at=LONG_AGO)
    here.save(number, [9, 9, 9], AT, HOUR, SKY, at=AT)
    pasts = Pasts(here.state, here.beliefs, None)
    assert pasts.realised(Reference(number), GRID)[:2].tolist() == [1, 2]
    assert np.isnan(pasts.realised(Reference(number), GRID)[2:]).all()
    of_sky = Reference.read({"sensor": number, "source-types": ["forecaster"]}, "config.x")
    assert pasts.realised(of_sky, GRID)[:3].tolist() == [9, 9, 9]
    assert pasts.expected(Reference(number), GRID).tolist() == [9, 9, 9, 9]
    before = Pasts(here.state, here.beliefs, AT - HOUR)
    assert before.expected(Reference(number), GRID).tolist() == [1, 2, 2, 2]


def test_remarks_of_a_kind_are_ones_where_they_are(here: Planning) -> None:
    asset = here.asset()
    source = here.beliefs.source(SKY)
    for kind, start in (("holiday", AT + timedelta(minutes=90)), ("label", AT)):
        remark = Annotation("x", start, start + HOUR, kind, source)
        here.state.annotations.add(remark, "asset", asset)
    pasts = Pasts(here.state, here.beliefs, None)
    assert pasts.remarked({"asset": asset}, GRID).tolist() == [0, 1, 1, 0]
    labels = {"asset": asset, "annotation-type": "label"}
    assert pasts.remarked(labels, GRID).tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("raw", [{"sensor": "name"}, {"sensor": 1, "colour": 2}, {}])
def test_wrong_references_are_refused(raw: Any) -> None:
    with pytest.raises(BadField, match=r"config\.regressors\[0\]"):
        Reference.read(raw, "config.regressors[0]")


def test_unknown_sensors_are_refused(here: Planning) -> None:
    with pytest.raises(BadField, match="No sensor found with ID 99"):
        Pasts(here.state, here.beliefs, None).expected(Reference(99), GRID)
