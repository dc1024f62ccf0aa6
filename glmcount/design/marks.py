"""Marks of columns: a number for each run of rows, by which changed data are told.

A mark is the sum of the bits of a column's values, as whole numbers, each times an odd number of
its place, modulo 2^64: whatever else a column holds, one changed value always shows, and a changed
order but by a chance of about 2^-32. Sums of the rows and columns of a grid of values take half of
the time, and miss orders that designs may be brought into. Small whole numbers are packed, eight to
one, and one that becomes large shows but by a chance of 2^-64. It costs one look at each column and
holds at any parameters. Of few rows the bits themselves are the mark. Levels are marked by their
codes and by what these stand for. Numbers may be the user's memory and are looked at whenever rows
are read; text that is encoded already is the fit's own, and its mark is for data that are opened
anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from glmcount.columns.coerce import coerce
from glmcount.columns.column import Column, Values
from glmcount.design.given import numberless
from glmcount.engine.scatter import scratch
from glmcount.errors import DataChangedError
from glmcount.sources.base import Columns, Given

__all__ = ["Marks", "changed", "marks_of", "places", "refuse_changed"]

Bits = NDArray[np.uint64]
Marks = Mapping[str, int]
LAST = 2**64 - 1
# Rows whose bits are their own mark: of few rows a sum costs what its calls cost.
FEW = 128
# Of these kinds of numbers, each as wide as the widest.
WIDE = {"f": np.float64, "i": np.int64, "u": np.uint64, "b": np.uint64}
LAST_BYTE = 255
# Remainders stand for whole numbers of more than 64 bits.
PRIME = 2**64 - 59
# How the types of numpy, pandas, polars and Arrow begin whose values may be taken without a copy.
NUMBERS = ("int", "uint", "float", "double", "halffloat", "bool", "datetime", "timedelta")


@lru_cache(maxsize=4)
def places(size: int) -> Bits:
    """Odd numbers for so many places, which no rule relates.

    Those of Steele, Lea & Flood (2014, OOPSLA, "Fast splittable pseudorandom number generators"),
    in whole numbers alone, so that they are the same on every machine.
    """
    state = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    state ^= state >> np.uint64(31)
    out: Bits = state | np.uint64(1)
    out.flags.writeable = False
    return out


def _sum(values: Values, codes: bool = False) -> int:
    kind = values.dtype.kind
    if len(values) <= FEW and kind in WIDE:
        return int.from_bytes(values.astype(WIDE[kind], copy=False).tobytes(), "little")
    if kind == "f":
        bits = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
    elif kind == "O":
        bits = np.array([int(each) % PRIME for each in values], dtype=np.uint64)
    else:
        whole, n = values.view(np.int64) if kind in "mM" else values, len(values)
        byte, signed = whole.itemsize == 1, whole.dtype.kind == "i"
        # Of few rows each value has its own bits.
        wide = n <= FEW or (signed and whole.min() < 0) or not (byte or whole.max() <= LAST_BYTE)
        if wide and codes and n > FEW and n % 2 == 0:
            # Two to a word, of whatever type they came.
            bits = np.ascontiguousarray(whole, dtype=np.int32).view(np.uint64)
        elif wide:
            # Of 64 bits it is a view.
            bits = whole.astype(np.int64 if signed else np.uint64, copy=False)
            bits = np.ascontiguousarray(bits).view(np.uint64)
        elif byte and n % 8 == 0 and whole.flags.c_contiguous:
            bits = whole.view(np.uint64)
        else:
            # Codes and small counts, eight in one: a million take a fifth of the time.
            held = scratch("bytes", (-(-n // 8) * 8,), np.uint8)
            np.copyto(held[:n], whole, casting="unsafe")
            held[n:] = 0
            bits = held.view(np.uint64)
    if len(values) <= FEW:
        return int.from_bytes(bits.tobytes(), "little")
    n = len(bits)
    own = places(1 << max(n - 1, 1).bit_length())[:n]
    # Two odd numbers differ by an even one, so of 1 and -1, or of whole numbers, which differ in
    # their first bits alone, a changed order would fall out of the product; the last bits take
    # part in the first ones' change. No two values become one.
    mixed = np.right_shift(bits, np.uint64(32), out=scratch("mark", (n,), np.uint64))
    mixed ^= bits
    mixed *= own
    return int(mixed.sum(dtype=np.uint64))


def _mark(name: str, values: Given) -> int:
    column = values if isinstance(values, Column) else coerce(name, values)
    found = _sum(column.values, column.levels is not None)
    if column.levels is not None:
        found += column.meaning
    if column.whole is not None:
        found += 3 * _sum(column.whole)
    return found & LAST if len(column.values) > FEW else found


def _own(values: Given) -> bool:
    """Whether what was encoded of values is the fit's own, whatever becomes of them."""
    if isinstance(values, Column):
        return False
    dtype = getattr(values, "dtype", None) or getattr(values, "type", None)
    return not str(dtype).lower().startswith(NUMBERS)


def marks_of(columns: Columns) -> Marks:
    """Marks of columns."""
    return {name: _mark(name, values) for name, values in columns.items()}


def refuse_changed(
    marks: Marks, columns: Columns, span: tuple[int, int], kept: bool = False
) -> None:
    """Refuse a run of rows that is not what was fitted.

    Raises
    ------
    DataChangedError
        If a column of it is another one than it was.
    """
    name = changed(marks, columns, kept)
    if name is not None:
        raise DataChangedError(
            f"The data are not those that were fitted: column {numberless(name)!r} has changed in "
            f"the rows {span[0]} to {span[1] - 1}. Fit again, or keep arrays as they were (fit to "
            "copies where they are used again)."
        )


def changed(marks: Marks, columns: Columns, kept: bool = False) -> str | None:
    """The first column that is not as it was; `kept` says that what is encoded stays."""
    for name, mark in marks.items():
        if not (kept and _own(columns[name])) and _mark(name, columns[name]) != mark:
            return name
    return None
