from dataclasses import fields
from datetime import timedelta

import pytest

from flexedge.domain.asset import Knowable
from flexedge.errors import StoreError
from flexedge.store.archive import Asked
from flexedge.store.postgres.questions import beliefs, newest
from flexedge.store.rows import EPOCH, Beliefs

# What the answers are is in tests/store/test_archive.py.


def test_nothing_that_is_asked_for_gets_into_the_words() -> None:
    asked = Asked((41, 42), EPOCH, EPOCH, (43,), EPOCH, EPOCH, timedelta(0), timedelta(0))
    knowable = {41: Knowable(timedelta(seconds=44)), 42: Knowable(days_before=45, zone="CET")}
    text, parameters = beliefs(asked, knowable)
    assert text.count("%s") == len(parameters)
    assert not {"41", "42", "43", "44", "45", "CET"} & set(text.replace("'", " ").split())
    assert newest([47], EPOCH)[1] == [[47], 0]


def test_a_bound_that_is_not_given_costs_nothing() -> None:
    text, parameters = beliefs(Asked((1,), most_recent=False), {})
    columns = ", ".join(field.name for field in fields(Beliefs))
    assert text == f"select {columns} from beliefs where sensor = any(%s) order by {text.partition('order by ')[2]}"  # fmt: skip  # noqa: E501
    assert parameters == [[1]]


def test_a_horizon_needs_to_know_when_events_are_known() -> None:
    with pytest.raises(StoreError, match="sensor 2"):
        beliefs(Asked((1, 2), horizon_until=timedelta(0)), {1: Knowable()})
