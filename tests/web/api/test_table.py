from collections import Counter
from typing import Annotated

import pytest
from pydantic import TypeAdapter

from flexedge.web.api.op import Op
from flexedge.web.api.parts import Parts
from flexedge.web.api.table import operations
from flexedge.web.auth import Access

HARMLESS = {
    "/api/revokeAuthToken",
    "/api/v3_0/assets/default_asset_view",
    "/api/v3_0/assets/keep_legends_below_graphs",
}
"""They change what only the caller sees, or end what the caller shows."""


@pytest.fixture
def ops(parts: Parts, access: Access) -> tuple[Op, ...]:
    return operations(parts, access)


def test_nothing_is_twice_in_the_table(ops: tuple[Op, ...]) -> None:
    assert Counter((op.method, op.path) for op in ops).most_common(1)[0][1] == 1


def test_what_changes_something_is_not_for_readers(ops: tuple[Op, ...]) -> None:
    for op in ops:
        harmless = op.method == "GET" or op.who == "anybody" or op.path in HARMLESS
        assert harmless or op.scope != "read", op


def test_objects_are_named_in_their_paths(ops: tuple[Op, ...]) -> None:
    for op in ops:
        assert op.on is None or f"{{{op.on.parameter}}}" in op.path, op
        assert op.path.startswith(("/api/", "/ui/static/")), op
        assert op.answers, op


def test_what_is_asked_is_bounded(ops: tuple[Op, ...]) -> None:
    for op in ops:
        assert op.most_bytes <= 16 * 1024 * 1024, op


def test_truths_in_queries_are_text(ops: tuple[Op, ...]) -> None:
    asked = 0
    for shape in {op.query for op in ops if op.query is not None}:
        for name, field in shape.model_fields.items():
            if field.annotation is bool:
                asked += 1
                made = TypeAdapter(Annotated[bool, "a truth", *field.metadata])
                assert made.validate_python("false") is False, (shape, name)
    assert asked
