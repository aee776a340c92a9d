from collections import Counter

from flexedge.web.api.parts import Parts
from flexedge.web.api.table import operations
from flexedge.web.auth import Access


def test_nothing_is_twice_in_the_table(parts: Parts, access: Access) -> None:
    ops = operations(parts, access)
    assert Counter((op.method, op.path) for op in ops).most_common(1)[0][1] == 1


def test_what_changes_something_is_not_for_readers(parts: Parts, access: Access) -> None:
    for op in operations(parts, access):
        assert op.method == "GET" or op.scope != "read" or op.who == "anybody", op


def test_objects_are_named_in_their_paths(parts: Parts, access: Access) -> None:
    for op in operations(parts, access):
        assert op.on is None or f"{{{op.on.parameter}}}" in op.path, op
        assert op.path.startswith("/api/"), op
        assert op.answers, op
