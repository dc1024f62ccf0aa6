"""What is refused before a fit, and what is warned of that needs none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glmcount.design.measure import Measured
from glmcount.design.rows import Rows
from glmcount.engine.strip import Strip
from glmcount.errors import (
    BoundaryError,
    DataError,
    DesignWarning,
    GlmcountWarning,
    MissingRowsWarning,
    ResponseWarning,
    WeightsWarning,
    some,
)
from glmcount.families.base import Family

__all__ = [
    "measured_warnings",
    "refuse_measured",
]

# Offsets beyond these would be logarithms of exposures that differ by 1e13, or exceed 1e21.
WIDEST_OFFSET, LARGEST_OFFSET = 30.0, 50.0


def refuse_measured(rows: Rows, measured: Measured, missing: str, family: Family) -> None:
    """Refuse responses that no count model, or not this one, can have.

    Raises
    ------
    DataError, BoundaryError
    """
    name, account = rows.spec.response, rows.plan.account
    gone = {r: c for r, c in account.reasons.items() if r.endswith(" missing")}
    if missing == "raise" and gone:
        raise DataError(
            f"Rows have missing values: {account.told()}. Fill them in or leave them out; "
            "missing='drop' leaves them out and counts them.",
            kind="missing_values",
        )
    if measured.negative:
        raise DataError(
            f"The response {name!r} is negative in rows (counted from 0) "
            f"{_counted(rows, measured.negative, 0.0, np.inf)}: counts are 0 or more.",
            kind="negative_response",
        )
    if measured.outside:
        low, high = family.support
        told = f"{low:g} or more" if high == np.inf else f"{low:g} to {high:g}"
        raise DataError(
            f"The response {name!r} is {told} in a {family.label} model; rows (counted from 0) "
            f"{_counted(rows, measured.outside, low, high)} hold other counts. Choose a family of "
            "such counts, or leave the rows out where they do not belong.",
            kind="outside_support",
        )
    if family.columns and _all_run_up(rows, family):
        raise BoundaryError(
            f"The response {name!r} reaches its limit of censoring in every row that is used: the "
            "mean has no maximum likelihood estimate below infinity, and nothing can be said of "
            "its dependence on anything. Higher limits are needed, or counts below them.",
            kind="all_censored",
        )
    if measured.sums.response <= 0:
        raise BoundaryError(
            f"The response {name!r} is 0 in every row that is used: the mean has no maximum "
            "likelihood estimate above 0, and nothing can be said of its dependence on anything. "
            "Counts above 0 are needed. (With 95 % confidence a Poisson mean that n rows share is "
            "3 / n at most, a rate 3 / sum of exposures.)",
            kind="all_zero_response",
        )


def _counted(rows: Rows, first: Sequence[int], low: float, high: float) -> str:
    """The first rows with a response outside, and how many there are."""

    def count(strip: Strip) -> int:
        return int(((strip.y[0] < low) | (strip.y[0] > high)).sum())

    return some(first, total=rows.fold(count, int.__add__))


def _all_run_up(rows: Rows, family: Family) -> bool:
    """Whether the likelihood of no row ever falls as the mean grows."""

    def up(strip: Strip) -> bool:
        mask = family.runs_off(strip.y)[0][1]
        return mask is not None and bool(np.all(mask))

    return rows.fold(up, bool.__and__)


def measured_warnings(
    rows: Rows, measured: Measured, weights_type: str, family: Family
) -> list[GlmcountWarning]:
    """Warnings that need no fit."""
    notes: list[GlmcountWarning] = [
        DesignWarning(message, kind=kind) for kind, message in rows.spec.doubts
    ]
    account = rows.plan.account
    if any(reason.endswith(" missing") and c for reason, c in account.reasons.items()):
        notes.append(
            MissingRowsWarning(
                f"{account.n_dropped:,} of {account.n_rows:,} rows were left out: {account.told()}."
            )
        )
    notes += _of_offset(rows, measured, family)
    if measured.fraction is not None and family.likelihood:
        notes.append(
            ResponseWarning(
                f"The response {rows.spec.response!r} is not whole, first in row "
                f"{measured.fraction} (counted from 0): the coefficients are quasi-likelihood "
                "estimates, and llf and aic are not those of a sample. If it is a rate fit the "
                "count, with what it was divided by as exposure=. Else use cov='HC1', or "
                "family='quasipoisson'."
            )
        )
    if not measured.whole_weights and weights_type == "frequency":
        notes.append(
            WeightsWarning(
                f"weights {rows.spec.weights!r} are not whole numbers, yet stand for copies of "
                "a row (weights_type='frequency'); use 'importance' or 'probability' if they do "
                "not."
            )
        )
    return notes


def _of_offset(rows: Rows, measured: Measured, family: Family) -> list[GlmcountWarning]:
    """What is said of an offset that can hardly be the logarithm of an exposure."""
    low, high = measured.offset_span
    # One that is the same in all rows moves the intercept alone.
    wide = high - low > WIDEST_OFFSET or (low > LARGEST_OFFSET and high > low)
    if family.link != "log" or not wide:
        return []
    codes = rows.spec.equations[0].offsets
    one = len(codes) == 1 and rows.spec.exposure is None
    instead = f"exposure={codes[0]!r} or offset='log({codes[0]})'" if one else "its logarithm"
    if one and codes[0].startswith("Q('<"):
        instead = "exposure= in the place of offset=, or its logarithm"
    return [
        DesignWarning(
            f"The offset runs from {low:,.7g} to {high:,.7g}. It is added to the logarithm of the "
            "mean, so that of itself it makes means differ by a factor of "
            f"exp({high - low:,.4g}). If it is a population or a time, write "
            f"{instead}.",
            kind="offset_span",
        )
    ]
