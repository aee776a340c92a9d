from typing import Annotated

import pytest
from pydantic import AliasChoices, Field
from starlette.datastructures import QueryParams

from flexedge.web.api.query import Asked
from flexedge.wire.shape import KebabShape, Shape


class Question(KebabShape):
    per_page: int = 10
    all_accessible: bool = False
    fields: list[str] | None = None
    more: Annotated[tuple[int, ...], Field(max_length=3)] = ()
    asset: int | None = Field(None, validation_alias=AliasChoices("asset", "asset_id"))


class Plain(Shape):
    per_page: int = Field(10, validation_alias="n")


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("", {}),
        ("per-page=5", {"per_page": 5}),
        ("per_page=5", {"per_page": 5}),
        ("per-page=4&per-page=5", {"per_page": 5}),
        ("all_accessible=False", {"all_accessible": False}),
        ("all_accessible=True", {"all_accessible": True}),
        ("fields=a&fields=b", {"fields": ["a", "b"]}),
        ("fields=a", {"fields": ["a"]}),
        ("more=1&more=2", {"more": (1, 2)}),
        ("asset_id=7", {"asset": 7}),
        ("asset=7", {"asset": 7}),
        ("nobody=knows&_=123", {}),
    ],
)
def test_queries_are_read(text: str, changed: dict[str, object]) -> None:
    asked = Asked(Question)
    read = asked.read(asked.given(QueryParams(text)))
    assert read == Question().model_copy(update=changed)


def test_a_name_counts_only_where_the_model_says_so() -> None:
    asked = Asked(Plain)
    assert asked.given(QueryParams("per_page=5&n=6")) == {"n": "6"}
