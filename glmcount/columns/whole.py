"""Whole numbers beside missing ones: doubles for arithmetic, and as they are for labels.

Missing numbers are NaN, which only doubles have, and beyond 2^53 doubles do not hold every whole
number: two labels would become one level.
"""

from __future__ import annotations

import numpy as np

from glmcount.columns.column import Array, Column
from glmcount.errors import DataError

__all__ = ["EXACT", "above", "beside_missing", "from_objects", "refuse_merged"]

EXACT = 2.0**53  # whole numbers up to which doubles hold every one
CODED = ", and write C(...) of the column itself"


def above(values: Array, low: int) -> Array:
    """How far whole numbers lie above the lowest of them.

    Examples
    --------
    >>> above(np.array([-100, 100], dtype=np.int8), -100).tolist()
    [0, 200]
    """
    # Of a type of few bits a difference may be beyond the type, and would come round.
    return np.subtract(values, low, dtype=np.int64) if low else values


def beside_missing(values: Array, missing: Array) -> Column:
    """A column of whole numbers, of which some are missing.

    Examples
    --------
    >>> column = beside_missing(np.array([2**53 + 1, 0]), np.array([False, True]))
    >>> column.values.tolist(), column.whole.tolist()
    ([9007199254740992.0, nan], [9007199254740993, 0])
    """
    if not missing.any() and values.dtype.kind in "iu":
        return Column("numeric", values)
    known = np.where(missing, 0, values)
    return Column("numeric", np.where(missing, np.nan, known.astype(np.float64)), whole=known)


def from_objects(values: Array, missing: Array) -> Column:
    """The same of Python's whole numbers, in 64 bits where they have room.

    Raises
    ------
    OverflowError
        For one that is beyond all doubles.
    """
    known = np.where(missing, 0, values)
    low, high = min(known, default=0), max(known, default=0)
    for dtype in (np.int64, np.uint64):
        span = np.iinfo(dtype)
        if low >= span.min and high <= span.max:
            return beside_missing(known.astype(dtype), missing)
    return beside_missing(known, missing)


def refuse_merged(name: str, values: Array, instead: str = CODED) -> None:
    """Refuse doubles as labels where they do not tell whole numbers apart.

    `instead` says what to do with such a column.

    Raises
    ------
    DataError
    """
    size = np.abs(values)
    large = np.flatnonzero((size >= EXACT) & (size < np.inf))
    if len(large):
        raise DataError(
            f"{name} makes levels of numbers in double precision such as {values[large[0]]:.17g}, "
            "which beyond 2^53 does not tell whole numbers apart: different labels may be one. "
            "Whole numbers become doubles by arithmetic, and in pandas where some are missing. "
            f"Keep them whole, as dtype 'Int64' or text from the file on{instead}.",
            kind="beyond_double",
        )
