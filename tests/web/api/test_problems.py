import json
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, ValidationError, model_validator

from flexedge.errors import BadField, RequestError, StoreError, TooManyTries
from flexedge.web.api.op import Rejected
from flexedge.web.api.problems import MOST_TOLD, of_error, problem, wrong_fields
from flexedge.wire.shape import Duration, KebabShape, Moment, Shape


class Part(KebabShape):
    soc_max: float = 0.0


class Whole(KebabShape):
    name: str = Field("", min_length=2, max_length=3)
    number: int = Field(1, ge=1, le=9)
    above: float = Field(1, gt=0, lt=2)
    yes: bool = True
    kind: Literal["a", "b"] = "a"
    ident: UUID = UUID(int=0)
    when: Moment | None = None
    plain: datetime | None = None
    span: Duration | None = None
    parts: list[Part] = Field([], max_length=2)
    many: tuple[int, ...] = ()
    mapping: dict[str, int] = {}
    either: Part | int = 0
    flex_model: Part | list[Part] | None = None

    @model_validator(mode="after")
    def _agree(self) -> "Whole":
        if self.name == "no":
            raise ValueError("This cannot be")
        return self


def told(given: Any, model: type[BaseModel] = Whole) -> Any:
    with pytest.raises(ValidationError) as raised:
        model.model_validate(given)
    return wrong_fields(raised.value, given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": 1}, {"name": ["Not a valid string."]}),
        ({"name": "a"}, {"name": ["Shorter than minimum length 2."]}),
        ({"name": "abcd"}, {"name": ["Longer than maximum length 3."]}),
        ({"number": "x"}, {"number": ["Not a valid integer."]}),
        ({"number": 1.5}, {"number": ["Not a valid integer."]}),
        ({"number": "9" * 5000}, {"number": ["Not a valid integer."]}),
        ({"number": None}, {"number": ["Field may not be null."]}),
        ({"number": 0}, {"number": ["Must be greater than or equal to 1."]}),
        ({"number": 10}, {"number": ["Must be less than or equal to 9."]}),
        ({"above": 0}, {"above": ["Must be greater than 0.0."]}),
        ({"above": 2}, {"above": ["Must be less than 2.0."]}),
        ({"above": "x"}, {"above": ["Not a valid number."]}),
        ({"above": float("nan")},
         {"above": ["Special numeric values (nan or infinity) are not permitted."]}),
        ({"yes": "maybe"}, {"yes": ["Not a valid boolean."]}),
        ({"kind": "c"}, {"kind": ["Must be one of: 'a' or 'b'."]}),
        ({"ident": "x"}, {"ident": ["Not a valid UUID."]}),
        ({"when": "2026-01-01T00:00"}, {"when": ["Not a valid aware datetime."]}),
        ({"plain": []}, {"plain": ["Not a valid aware datetime."]}),
        ({"plain": "2026-13-01T00:00:00Z"},
         {"plain": [("Input should be a valid datetime or date, month value is outside expected "
                     "range of 1-12.")]}),
        ({"span": "x"}, {"span": ["Cannot parse x as ISO8601 duration, such as PT15M."]}),
        ({"parts": {}}, {"parts": ["Not a valid list."]}),
        ({"parts": [{}, {}, {}]}, {"parts": ["Longer than maximum length 2."]}),
        ({"many": [1, "x"]}, {"many": {"1": ["Not a valid integer."]}}),
        ({"mapping": []}, {"mapping": ["Not a valid mapping type."]}),
        ({"mapping": {"a": "x"}}, {"mapping": {"a": ["Not a valid integer."]}}),
        ({"parts": [1]}, {"parts": {"0": ["Invalid input type."]}}),
        ({"parts": [{"soc-max": "x"}]}, {"parts": {"0": {"soc-max": ["Not a valid number."]}}}),
        ({"parts": [{"soc_max": "x"}]}, {"parts": {"0": {"soc_max": ["Not a valid number."]}}}),
        ({"parts": [{"soc-mxa": 1}]}, {"parts": {"0": {"soc-mxa": ["Unknown field."]}}}),
        ({"either": "x"}, {"either": ["Invalid input type.", "Not a valid integer."]}),
        ({"flex_model": {"soc_max": "x"}},
         {"flex_model": {"soc_max": ["Not a valid number."], "_schema": ["Not a valid list."]}}),
        ({"name": "no"}, {"_schema": ["This cannot be."]}),
        ([], {"_schema": ["Invalid input type."]}),
        (None, {"_schema": ["Invalid input type."]}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_field(given: Any, expected: Any) -> None:
    assert told(given) == expected


def test_missing_fields_are_told_where_they_should_be() -> None:
    class Inner(Shape):
        must: int

    class Outer(KebabShape):
        inner_part: Inner

    assert told({}, Outer) == {"inner-part": ["Missing data for required field."]}
    missing = {"inner_part": {"must": ["Missing data for required field."]}}
    assert told({"inner_part": {}}, Outer) == missing


def test_a_field_wrong_in_itself_and_inside_is_told_in_both_ways() -> None:
    class Both(Shape):
        either: list[int] | dict[str, int]

    expected = {"either": {"_schema": ["Not a valid list."], "a": ["Not a valid integer."]}}
    assert told({"either": {"a": "x"}}, Both) == expected


def test_no_more_is_told_than_somebody_reads() -> None:
    assert len(told({"many": ["x"] * 1000})["many"]) == MOST_TOLD


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        (Rejected(422, "INVALID", {"a": 1}), 422,
         {"message": {"a": 1}, "result": "Rejected", "status": "INVALID"}),
        (Rejected(401, "UNAUTHORIZED", "Who?"), 401, {"message": "Who?", "status": "UNAUTHORIZED"}),
        (BadField("a", "No."), 422,
         {"message": {"a": ["No."]}, "result": "Rejected", "status": "UNPROCESSABLE_ENTITY"}),
        (RequestError(413, "Big."), 413,
         {"message": "Big.", "result": "Rejected", "status": "PAYLOAD_TOO_LARGE"}),
    ],
)  # fmt: skip
def test_errors_are_told(error: Exception, status: int, expected: Any) -> None:
    answer = of_error(error, "args_and_json")
    assert (answer.status_code, json.loads(bytes(answer.body))) == (status, expected)


def test_when_to_come_back_is_told() -> None:
    assert of_error(TooManyTries(7)).headers["Retry-After"] == "7"
    rejected = Rejected(429, "TOO_MANY_REQUESTS", "", {"Retry-After": "8"})
    assert of_error(rejected).headers["Retry-After"] == "8"


def test_nothing_of_the_inside_is_told() -> None:
    assert b"/var" not in bytes(of_error(StoreError("/var/lib/flexedge/state.db is gone")).body)
    with pytest.raises(ZeroDivisionError):
        of_error(ZeroDivisionError())


def test_a_status_without_a_code_of_its_own_has_its_name() -> None:
    assert json.loads(bytes(problem(418, "x").body))["status"] == "IM_A_TEAPOT"
