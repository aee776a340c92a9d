import json
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from flexedge.wire.data import MOST_VALUES, AskedMany, Filters, Posted

START = "2026-04-14T00:00:00+02:00"


def posted(values: str, name: str = "values") -> Posted:
    rest = json.dumps({"start": START, "duration": "PT1H", "unit": "kW"})
    return Posted.model_validate_json(f'{{"{name}": {values}, {rest[1:]}')


def test_numbers_and_nulls_are_values() -> None:
    assert posted("[1, 2.5, null, -1e-3]").values == [1.0, 2.5, None, -0.001]
    assert posted("3").values == posted("3.0", "value").values == [3.0]
    assert posted("3").duration == timedelta(hours=1)


@pytest.mark.parametrize(
    "text", ["true", '"2"', "[2]", "{}", "NaN", "Infinity", "1e999", "1" + "0" * 400]
)
def test_what_is_no_number_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ValidationError) as told:
        posted(f"[1, null, {text}, {text}]")
    assert [one["loc"] for one in told.value.errors()] == [("values", 2)]


@pytest.mark.parametrize("text", ["[]", "null", '"1"', "true", '{"a": 1}'])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValidationError) as told:
        posted(text)
    assert [one["loc"] for one in told.value.errors()] == [("values",)]


def test_too_many_values_are_refused() -> None:
    with pytest.raises(ValidationError, match="600000"):
        posted("[" + "1," * MOST_VALUES + "1]")


def test_a_question_has_kebab_and_snake_keys() -> None:
    for key in ("source-type", "source_type"):
        asked = Filters.model_validate({"start": START, "duration": "PT1H", key: "user"})
        assert asked.source_type == "user"


@pytest.mark.parametrize("sensors", ["", "1,", "a", "1;2", "-1", "1, 2"])
def test_sensors_are_numbers_between_commas(sensors: str) -> None:
    asked: dict[str, Any] = {"start": START, "duration": "PT1H", "sensors": sensors}
    with pytest.raises(ValidationError):
        AskedMany.model_validate(asked)
