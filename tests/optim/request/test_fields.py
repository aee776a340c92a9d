"""Every complaint names its place."""

from datetime import timedelta
from typing import Any

import pytest

from flexedge.errors import BadField
from flexedge.optim.request.fields import Fields


def complaint(data: Any, ask: str, *args: Any) -> str:
    with pytest.raises(BadField) as caught:
        list(getattr(Fields(data, "flex-model[0]"), ask)(*args))
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "ask", "args", "told"),
    [
        ({"x": 5}, "text", ("x",), "flex-model[0].x: should be a text, not 5"),
        ({}, "text", ("x",), "flex-model[0].x: should be a text"),
        ({"x": "y"}, "boolean", ("x", True), "should be true or false, not 'y'"),
        ({"x": True}, "number", ("x",), "should be a number, not True"),
        ({"x": float("nan")}, "number", ("x",), "should be a finite number"),
        ({}, "number", ("x",), "flex-model[0].x: should be a number"),
        ({"x": "PT0H"}, "duration", ("x",), "should be longer than nothing"),
        ({"x": "P99999D"}, "duration", ("x",), "is too long: 3660 days at most"),
        ({"x": "soon"}, "duration", ("x",), "'soon' is not a duration"),
        ({"x": "soon"}, "moment", ("x",), "'soon' is not a date and time"),
        ({"x": "2026-01-01T00:00"}, "moment", ("x",), "has no offset from UTC"),
        ({"x": "0001-01-01T00:00+00:00"}, "moment", ("x",), "lies too far away"),
        ({"x": 1}, "moment", ("x",), "should be a date and time"),
        ({"x": {}}, "items", ("x",), "should be a list, not an object"),
        ({"x": [1]}, "objects", ("x",), "flex-model[0].x[0]: should be an object, not 1"),
        ({"x": []}, "object", ("x",), "flex-model[0].x: should be an object, not a list"),
        ({"x": "C"}, "one_of", ("x", ("A", "B"), "A"), "should be one of A, B, not 'C'"),
        ({"soc_max": 1}, "refuse_unknown", (("soc-max",),), "did you mean 'soc-max'?"),
        ({"zzz": 1}, "refuse_unknown", (("soc-max",),), "flex-model[0].zzz: there is no such"),
    ],
)
def test_complaints_name_the_field_and_what_would_be_right(
    data: Any, ask: str, args: tuple[Any, ...], told: str
) -> None:
    assert told in complaint(data, ask, *args)


def test_what_is_given_is_read() -> None:
    fields = Fields({"n": 3, "t": "a", "d": "PT15M", "b": False, "id": 7, "none": None}, "")
    assert fields.number("n") == 3.0
    assert fields.number("none", 2.0) == fields.number("m", 2.0) == 2.0
    assert fields.name("t") == "a"
    assert fields.name("id") == "7"
    assert fields.duration("d") == timedelta(minutes=15)
    assert not fields.boolean("b", default=True)
    assert fields.boolean("none", default=True)
    assert fields.one_of("t", ("A",), "B") == "A"
    assert fields.one_of("x", ("A",), "B") == "B"
    assert not fields.has("none")
    assert fields.items("none") == []
    assert fields.object("x").data == {}
    assert fields.at("n") == "n"


def test_what_is_no_object_is_refused_where_it_stands() -> None:
    with pytest.raises(BadField, match="the file: should be an object, not nothing"):
        Fields(None, "")
