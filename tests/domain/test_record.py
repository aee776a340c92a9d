"""Records: kebab-case keys, nothing unknown, frozen."""

import pytest
from pydantic import ValidationError

from flexedge.domain.record import Record, kebab


class Kettle(Record):
    """Boils water."""

    water_level: float
    """In litres."""


def test_people_write_kebab_case() -> None:
    assert kebab("water_level") == "water-level"
    kettle = Kettle.model_validate({"water-level": 1.5}, by_alias=True, by_name=False)
    assert kettle.water_level == 1.5
    assert kettle.model_dump(by_alias=True) == {"water-level": 1.5}


def test_snake_case_is_for_python_only() -> None:
    assert Kettle(water_level=1.5).water_level == 1.5
    with pytest.raises(ValidationError, match="Extra inputs"):
        Kettle.model_validate({"water_level": 1.5}, by_alias=True, by_name=False)


def test_records_are_frozen_and_refuse_what_they_do_not_know() -> None:
    kettle = Kettle(water_level=1.5)
    with pytest.raises(ValidationError, match="frozen"):
        kettle.water_level = 2.0  # type: ignore[misc]
    with pytest.raises(ValidationError, match="lid"):
        Kettle.model_validate({"water-level": 1.0, "lid": "open"})


def test_docstrings_describe_the_keys() -> None:
    assert Kettle.model_json_schema()["properties"]["water-level"]["description"] == "In litres."
