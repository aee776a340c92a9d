"""Runs of like rows in sorted arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def starts(*columns: NDArray[Any]) -> Mask:
    """Where a row differs in one of the columns from the row before it; the first row does."""
    begin = np.zeros(len(columns[0]), np.bool_)
    begin[:1] = True
    for column in columns:
        begin[1:] |= column[1:] != column[:-1]
    return begin


def ends(begin: Mask) -> Mask:
    """The last row of each run that begins where ``begin`` says."""
    return np.append(begin[1:], np.ones(min(len(begin), 1), np.bool_))


def anywhere(mask: Mask, begin: Mask) -> Mask:
    """For each row: whether ``mask`` holds somewhere in its run."""
    if not len(mask):
        return mask
    found: Mask = np.logical_or.reduceat(mask, np.flatnonzero(begin))[np.cumsum(begin) - 1]
    return found
