"""Whole numbers of 64 bits that double precision cannot tell apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glmcount.columns.whole import EXACT
from glmcount.design.rows import Rows
from glmcount.engine.strip import Strip
from glmcount.errors import DataError
from glmcount.numerics import Array

__all__ = ["check_exact"]

# Share of a column's range from which rounding is seen in what is estimated.
SEEN = 1e-11


def check_exact(rows: Rows, columns: Sequence[Array]) -> None:
    """Refuse whole numbers that are rounded by as much as they differ.

    Parameters
    ----------
    rows : Rows
    columns : sequence of ndarray (3, v), by block
        Sum, smallest and largest value of each numeric column.

    Raises
    ------
    DataError
    """
    for i, extent in enumerate(columns):
        # To look for the place and then there takes a third of the time of a reduction.
        if not extent.size or (
            not extent.item(extent.argmax()) >= EXACT and not extent.item(extent.argmin()) <= -EXACT
        ):
            continue
        _, low, high = extent
        largest = np.maximum(np.abs(low), np.abs(high))
        with np.errstate(invalid="ignore"):
            near = (largest >= EXACT) & (np.spacing(largest) > SEEN * (high - low))
        for j in np.flatnonzero(near):
            if not rows.fold(lambda strip, i=i, j=j: _holds(strip, i, j), bool.__and__):  # type: ignore[misc]
                raise _refusal(_name(rows, i, int(j)), float(low[j]), float(high[j]))


def _holds(strip: Strip, block: int, place: int) -> bool:
    """Whether a strip's whole numbers are doubles, every one."""
    row = strip.blocks[block].rows[place]
    if row is None or row.dtype.kind not in "iu":
        return True
    # A float beyond the type's range would not come back; one below it in size does.
    wide = row.astype(np.float64)
    inside = wide < float(np.iinfo(row.dtype).max)
    return bool(inside.all() and np.array_equal(wide.astype(row.dtype), row))


def _name(rows: Rows, block: int, place: int) -> str:
    for i, first, part in rows.spec.places():
        width = len(part.names) if part.table is None else place + 1
        if i == block and first <= place < first + width and part.numeric:
            return " x ".join(part.numeric)
    return "A column"


def _refusal(name: str, low: float, high: float) -> DataError:
    return DataError(
        f"{name} holds whole numbers from {low:.17g} to {high:.17g}: beyond 2^53 double precision "
        f"has them only in steps of {np.spacing(max(abs(low), abs(high))):g}, which is too coarse "
        "for so small a range. Subtract their smallest in the data before they are used as numbers "
        "(k - k.min()), or write C(...) if they are labels.",
        kind="beyond_double",
    )
