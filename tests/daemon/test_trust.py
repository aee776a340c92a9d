from dataclasses import replace

import pytest

from flexedge.daemon.trust import MADE, Facts, Trusted, judge

S = 1_000_000
DAY = 86_400 * S
MADE_US = int(MADE.timestamp()) * S
NOW, UP = MADE_US + 400 * DAY, 1000 * S
BARE = Facts("b", synchronised=False, rtc_us=None, virtual=False)
SYNCED, GUEST = replace(BARE, synchronised=True), replace(BARE, virtual=True)
HERE = Trusted("b", NOW - UP, NOW - 100 * S)
OTHER = Trusted("a", 0, NOW - 100 * S)


@pytest.mark.parametrize(
    ("utc", "facts", "last", "trusted", "why"),
    [
        (NOW, BARE, None, False, "it is not synchronised"),
        (NOW, SYNCED, None, True, "synchronised"),
        (0, SYNCED, None, False, "1970-01-01 00:00 UTC, which is before flexedge was made"),
        (NOW - DAY, SYNCED, OTHER, True, "synchronised"),  # the floor itself may have been wrong
        (NOW, BARE, HERE, True, "goes on"),
        (NOW + 61 * S, BARE, HERE, False, "not synchronised"),
        (NOW, BARE, OTHER, False, "not synchronised"),
        (NOW - DAY, GUEST, OTHER, False, "but it was"),
        (NOW + 4000 * DAY, GUEST, None, False, "far ahead"),
        (NOW, GUEST, OTHER, True, "host"),
        (NOW, replace(BARE, rtc_us=NOW - S), None, True, "without power"),
        (NOW, replace(BARE, rtc_us=5 * S), None, False, "not synchronised"),  # fake-hwclock
    ],
)
def test_the_table(utc: int, facts: Facts, last: Trusted | None, trusted: object, why: str) -> None:
    verdict = judge(UP, utc, facts, last, always=False)
    assert verdict.trusted is trusted
    assert why in verdict.why


def test_the_settings_overrule_everything() -> None:
    assert judge(UP, 0, BARE, OTHER, always=True).trusted


def test_what_is_remembered_is_read_again_and_nonsense_is_nothing() -> None:
    assert Trusted.of(HERE.text()) == HERE
    assert [Trusted.of(text) for text in (None, "", "{", "3", '{"boot": 1}')] == [None] * 5
