import pytest

from flexedge.domain.asset import Source
from flexedge.store.sources import Which, numbers, ranks

SOURCES = {
    1: Source("meter", "sensor"),
    2: Source("flexedge", "scheduler", "Storage", "1.9", "site"),
    3: Source("flexedge", "scheduler", "Storage", "1.10", "site"),
    4: Source("flexedge", "scheduler", "Storage", "1.10-rc1", "other"),
    5: Source("flexedge-forecast", "forecaster", None, None, "site"),
}


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (Which(), (1, 2, 3, 4, 5)),
        (Which(names=frozenset({"flexedge", "meter"})), (1, 2, 3, 4)),
        (Which(kinds=frozenset({"forecaster", "sensor"})), (1, 5)),
        (Which(not_kinds=frozenset({"scheduler"})), (1, 5)),
        (Which(accounts=frozenset({"site"})), (2, 3, 5)),
        (Which(versions=frozenset({"1.9"})), (2,)),
        (Which(latest_version=True), (1, 3, 4, 5)),
        (Which(names=frozenset()), ()),
    ],
)
def test_sources_are_chosen(which: Which, expected: tuple[int, ...]) -> None:
    assert numbers(which, SOURCES) == expected


@pytest.mark.parametrize(
    ("older", "newer"),
    [("1.9", "1.10"), (None, "0"), ("2", "2.0.1"), ("1.0.3", "1.0.rc")],
)
def test_the_newest_version_is_found_in_any_order(older: str | None, newer: str) -> None:
    one, other = (Source("s", "k", version=version) for version in (older, newer))
    assert numbers(Which(latest_version=True), {1: one, 2: other}) == (2,)
    assert numbers(Which(latest_version=True), {1: other, 2: one}) == (1,)


def test_sources_are_meant_by_their_numbers_too() -> None:
    sources = {1: Source("ann", "user"), 2: Source("ann", "forecaster"), 3: Source("ben", "user")}
    assert numbers(Which(ids=frozenset({2, 3, 9})), sources) == (2, 3)
    assert numbers(Which(ids=frozenset({2, 3}), kinds=frozenset({"user"})), sources) == (3,)


def test_newer_versions_rank_above_older_ones_and_none_below_all() -> None:
    versions = {1: "1.9", 2: "1.10", 3: None, 4: "1.9", 5: "2"}
    sources = {number: Source(str(number), "user", None, version)
               for number, version in versions.items()}  # fmt: skip
    rank = ranks(sources)
    assert rank[3] < rank[1] == rank[4] < rank[2] < rank[5]
