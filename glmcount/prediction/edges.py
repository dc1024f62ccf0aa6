"""Warnings of predictions that are no numbers: too large for one, or outside a link's domain."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from glmcount.errors import PredictionWarning, counted, outside, some
from glmcount.families.base import Family
from glmcount.numerics import Array

__all__ = ["warn_of_edges", "warn_of_limits"]


def warn_of_edges(which: str, family: Family, value: Array, there: NDArray[np.bool_]) -> None:
    """Warn of rows that were predicted (`there`) to be infinite or that have no value."""
    if np.isfinite(value).all():
        return
    endless = np.flatnonzero(there & np.isinf(value))
    if len(endless):
        warnings.warn(
            PredictionWarning(
                f"{which} is too large for a floating-point number, and given as infinite, in "
                f"rows (counted from 0) {some(endless)}: their predictor is far beyond the data "
                "that were fitted. Look at these rows' columns and offsets.",
                kind="overflow",
            ),
            stacklevel=outside(),
        )
    nothing = np.flatnonzero(there & np.isnan(value))
    if len(nothing):
        warnings.warn(
            PredictionWarning(
                f"{which} has no value, and is given as NaN, in rows (counted from 0) "
                f"{some(nothing)}: there the linear predictor lies where the {family.link} link "
                f"or {family.inside} has no mean. Predict which='linear' to see it; a log link "
                "has a mean everywhere.",
                kind="outside_link",
            ),
            stacklevel=outside(),
        )


def warn_of_limits(which: str, rows: NDArray[np.bool_]) -> None:
    """Warn of rows whose prediction is a limit that has no standard error."""
    numbers = np.flatnonzero(rows)
    if len(numbers):
        count = counted(len(numbers), "row")
        warnings.warn(
            PredictionWarning(
                f"{which} is a limit in {count} (counted from 0) {some(numbers)}: the coefficients "
                "take their predictor to infinity, so that it has no standard error and no "
                "interval. r.params says which are infinite.",
                kind="no_standard_error",
            ),
            stacklevel=outside(),
        )
