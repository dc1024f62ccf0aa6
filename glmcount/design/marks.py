"""Marks of columns: a number for each run of rows, by which changed data are told.

A mark is the sum of a column's values, each times an irregular number of its place, so that a
changed value and a changed order both show. It costs one look at each column, no function of the
family, and holds at any parameters. What is encoded already is the fit's own; columns of numbers
are the user's memory, and what does not stay encoded is read again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd

from glmcount.columns.coerce import coerce
from glmcount.columns.column import Column, Values
from glmcount.errors import DataChangedError
from glmcount.numerics import EPS, Array
from glmcount.records import dataclass
from glmcount.sources.base import Columns

__all__ = ["Mark", "Marks", "changed", "marks_of", "refuse_changed"]

# So many roundings of a sum of its terms are no change: threads may add up in another order.
ROUNDING = 64.0
EACH = 64
# What sums that overflow are divided by.
FAR = 1e150


@lru_cache(maxsize=4)
def _places(size: int) -> Array:
    """Numbers between 1 and 2 for so many places, which no rule relates.

    Those of Steele, Lea & Flood (2014, OOPSLA, "Fast splittable pseudorandom number generators"),
    in whole numbers alone, so that they are the same on every machine. Multiples of one irrational
    number would not do: swaps of neighbours would cancel.
    """
    state = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    state ^= state >> np.uint64(31)
    out: Array = 1.0 + (state >> np.uint64(11)).astype(np.float64) * 2.0**-53
    out.flags.writeable = False
    return out


@dataclass(frozen=True)
class Mark:
    """The sum of one run of a column, and what rounding may make of it."""

    total: float
    rounding: float


Marks = Mapping[str, Mark]


def _numbers(name: str, values: object, kept: bool) -> Array | None:
    """What a mark is made of; None where what is encoded stays as it is."""
    if isinstance(values, Column):
        values = values.values
    elif not isinstance(values, np.ndarray):
        if kept:
            return None
        values = coerce(name, values).values
    kind = values.dtype.kind
    if kind == "f" and values.dtype.itemsize == 8:
        return values
    if kind in "mM":
        values = values.view(np.int64)
    elif kind not in "iufb":
        return None if kept else _hashed(values)
    found: Array = values.astype(np.float64)
    return found


def _hashed(values: Values) -> Array:
    return pd.util.hash_array(values.astype(object), categorize=False).astype(np.float64)


def _summed(numbers: Array) -> tuple[Array, float]:
    """The numbers and their sum; where values are missing is a part of the data too."""
    n = len(numbers)
    places = _places(1 << max(n - 1, 1).bit_length())[:n]
    total = float(numbers.dot(places))
    if math.isfinite(total):
        return numbers, total
    # Infinities too, by numbers beside which others are not lost.
    numbers = np.nan_to_num(numbers, nan=math.pi, posinf=math.e, neginf=-math.e)
    total = float(numbers.dot(places))
    if not math.isfinite(total):
        numbers = numbers / FAR
        total = float(numbers.dot(places))
    return numbers, total


def marks_of(columns: Columns, kept: bool) -> Marks:
    """Marks of columns; `kept` says that what they are encoded to is not made again."""
    out = {}
    with np.errstate(over="ignore", invalid="ignore"):
        for name, values in columns.items():
            numbers = _numbers(name, values, kept)
            if numbers is not None:
                numbers, total = _summed(numbers)
                # Every so manieth tells of their size; of a few far ones the sum itself does.
                some = numbers[::EACH]
                size = math.sqrt(len(numbers) * EACH * float(some.dot(some)))
                if math.isinf(size):
                    size = len(numbers) * float(np.abs(some).max())
                size += abs(total)
                out[name] = Mark(total, ROUNDING * EPS * size)
    return out


def refuse_changed(marks: Marks, columns: Columns, span: tuple[int, int]) -> None:
    """Refuse a run of rows that is not what was fitted.

    Raises
    ------
    DataChangedError
        If a column of it is another one than it was.
    """
    name = changed(marks, columns)
    if name is not None:
        raise DataChangedError(
            f"The data are not those that were fitted: column {name!r} has changed in the rows "
            f"{span[0]} to {span[1] - 1}. Fit again, or keep arrays as they were (fit to copies "
            "where they are used again)."
        )


def changed(marks: Marks, columns: Columns) -> str | None:
    """The first column that is not as it was."""
    with np.errstate(over="ignore", invalid="ignore"):
        for name, mark in marks.items():
            numbers = _numbers(name, columns[name], False)
            total = math.nan if numbers is None else _summed(numbers)[1]
            if total != mark.total and not abs(total - mark.total) <= mark.rounding:
                return name
    return None
