"""Stretches of numbers that are left to be done: after the first of a pair up to the second."""

from collections.abc import Iterable

Span = tuple[int, int]
"""(lo, hi]: lo itself is not in it."""
Spans = tuple[Span, ...]


def joined(spans: Iterable[Span], most: int | None = None) -> Spans:
    """The same numbers in order, what touches in one; of more than ``most`` the oldest in one.

    Then there are more numbers in them than before, never fewer.
    """
    made: list[Span] = []
    for lo, hi in sorted(span for span in spans if span[0] < span[1]):
        if made and lo <= made[-1][1]:
            made[-1] = (made[-1][0], max(hi, made[-1][1]))
        else:
            made.append((lo, hi))
    if most is not None and len(made) > most:
        extra = len(made) - most
        made = [(made[0][0], made[extra][1]), *made[extra + 1 :]]
    return tuple(made)


def without(spans: Iterable[Span], taken: Span) -> Spans:
    """What is left of spans when one is taken out."""
    first, last = taken
    parts = [part for lo, hi in spans for part in ((lo, min(hi, first)), (max(lo, last), hi))]
    return joined(parts)
