"""What a centre may be used for, and what is what there."""

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from flexedge.config.centre import CentreRules, Scope
from flexedge.gateway.sync.duty import Linked, links_of
from flexedge.store.tables.centres import Centre, Link

NOW = datetime(2026, 4, 14, 12, tzinfo=UTC)


def linked(agreed: list[str], wanted: tuple[Scope, ...]) -> Linked:
    centre = Centre("main", "http://localhost", 1, "Us", "us@example.com", NOW, agreed)
    nobody: Any = None  # nothing is asked here
    return Linked(1, centre, CentreRules(scopes=wanted), nobody)


@pytest.mark.parametrize("scope", get_args(Scope))
def test_both_sides_must_want_it(scope: Scope) -> None:
    assert linked([scope], (scope,)).may(scope)
    assert not linked([], (scope,)).may(scope)
    assert not linked([scope], ()).may(scope)


def test_links_by_what_they_link() -> None:
    links = {
        5: Link(1, "sensor", 7, 70), 6: Link(1, "sensor", 7, 71, "forecast"),
        7: Link(1, "asset", 7, 2), 8: Link(2, "sensor", 7, 70),
    }  # fmt: skip
    assert links_of(links, 1) == {
        ("sensor", 7, ""): 5, ("sensor", 7, "forecast"): 6, ("asset", 7, ""): 7,
    }  # fmt: skip
