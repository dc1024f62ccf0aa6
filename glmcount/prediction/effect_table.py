"""Tables of effects: estimates with their covariance, hypotheses of them, and what is said."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.allowed import plain, real
from glmcount.errors import NotEstimableWarning, PredictionWarning, UsageError, outside, some
from glmcount.inference.hypotheses import Names, linear_constraints
from glmcount.inference.intervals import Student, tail, width
from glmcount.numerics import Array
from glmcount.prediction.effects import Averages, combined
from glmcount.prediction.partition import Ask
from glmcount.prediction.scales import OUTER, inner_of
from glmcount.records import dataclass, replace

__all__ = ["Told", "framed", "hypothesised", "told_averages", "warn_of_effects"]

COLUMNS = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True)
class Told:
    """Estimates as a table tells them.

    Parameters
    ----------
    labels : mapping of str to list
        Columns that say what each is.
    estimate : ndarray, shape (r,)
    covariance : ndarray, shape (r, r)
        NaN where there is none.
    null : float or ndarray
        The value that is tested.
    slopes : ndarray, shape (r, p), or None
        Derivatives by all shifted parameters, where these alone make the estimates vary.
    """

    labels: Mapping[str, Sequence[Any]]
    estimate: Array
    covariance: Array
    null: float | Array = 0.0
    slopes: Array | None = None

    @property
    def names(self) -> list[str]:
        """Each by what tells it from the others."""
        telling = [c for c in self.labels.values() if len(set(map(str, c))) > 1]
        chosen = telling or list(self.labels.values())[:1]
        return [" ".join(str(own) for own in row if own != "") for row in zip(*chosen, strict=True)]


def told_averages(
    ask: Ask,
    found: Averages,
    matrix: Array,
    more: Array | None,
    order: Sequence[int],
    labels: Mapping[str, Sequence[Any]],
) -> tuple[Told, NDArray[np.bool_], NDArray[np.intp]]:
    """Contrasts of averages, group by group in that order, which are lost, and which have limits.

    Rows whose prediction is a limit count as without doubt, unless all are.

    `matrix` is the covariance of the parameters, `more` what is added to that of the averages.
    """
    average, slopes, lost, limit = found.estimates()
    points, k = len(ask.points), ask.count
    values, gradients, gone, ends, weights = [], [], [], [], []
    for contrast in ask.wanted.contrasts:
        for g in order:
            for a in range(points):
                places = [part * points + a for part in contrast.parts]
                value, factors = combined(contrast.how, [average[g, place] for place in places])
                row = np.zeros(average.size)
                for place, factor in zip(places, factors, strict=True):
                    row[g * k + place] += factor
                values.append(float(value))
                gone.append(bool(lost[g, places].any()))
                ends.append(int(limit[g, places].max()))
                gradients.append(_chained(slopes[g, places], factors))
                weights.append(row)
    jacobian, is_lost, is_limit = np.stack(gradients), np.array(gone), np.array(ends)
    with np.errstate(invalid="ignore"):
        covariance = jacobian @ matrix @ jacobian.T
        if more is not None:
            own = np.stack(weights)
            covariance = covariance + own @ more @ own.T
    none = is_lost | (is_limit == 2)
    covariance[none, :] = covariance[:, none] = np.nan
    estimate = np.where(is_lost, np.nan, np.array(values))
    alone = jacobian if more is None else None
    return Told(labels, estimate, covariance, slopes=alone), is_lost, is_limit


def _chained(slopes: Array, factors: Sequence[Array]) -> Array:
    """The derivatives of what is made of several numbers."""
    with np.errstate(invalid="ignore"):
        found: Array = sum(f * own for own, f in zip(slopes, factors, strict=True))
    return found


def hypothesised(told: Told, hypothesis: Any) -> Told:
    """Linear combinations of estimates, b1 to b<r>, or another value to test them by.

    Raises
    ------
    FormulaError
        If it cannot be read.
    """
    if hypothesis is None:
        return told
    number = plain(hypothesis)
    if isinstance(number, int | float) and not isinstance(number, bool):
        return replace(told, null=real("hypothesis", number, "a number", "hypothesis"))
    count = len(told.estimate)
    known = Names(tuple(f"b{k + 1}" for k in range(count)))
    pairs = _pairs(hypothesis, count)
    if pairs is not None:
        matrix, right = np.zeros((len(pairs), count)), np.zeros(len(pairs))
        for row, (low, high) in zip(matrix, pairs, strict=True):
            row[low], row[high] = -1.0, 1.0
        names = told.names
        labels = [f"({names[high]}) - ({names[low]})" for low, high in pairs]
    else:
        matrix, right = linear_constraints(hypothesis, known)
        labels = _labels(hypothesis, matrix, right)
    estimate, covariance = np.empty(len(matrix)), np.empty((len(matrix), len(matrix)))
    # What has no part in a combination is not asked whether it is a number.
    used = [np.flatnonzero(row) for row in matrix]
    for i, own in enumerate(used):
        estimate[i] = matrix[i, own] @ told.estimate[own]
        for j, other in enumerate(used):
            covariance[i, j] = (
                matrix[i, own] @ told.covariance[np.ix_(own, other)] @ matrix[j, other]
            )
    slopes = told.slopes
    if slopes is not None:
        slopes = np.stack([m[own] @ slopes[own] for m, own in zip(matrix, used, strict=True)])
    return Told({"term": labels}, estimate, covariance, null=right, slopes=slopes)


def _pairs(hypothesis: Any, count: int) -> list[tuple[int, int]] | None:
    """Pairs of rows that are compared; None for another hypothesis.

    Raises
    ------
    UsageError
        If there is but one row.
    """
    if not isinstance(hypothesis, str):
        return None
    found = {
        "pairwise": list(combinations(range(count), 2)),
        "reference": [(0, k) for k in range(1, count)],
        "sequential": list(pairwise(range(count))),
    }.get(hypothesis)
    if found is not None and not found:
        raise UsageError(
            f"hypothesis={hypothesis!r} compares rows of the table, and this one has {count}. "
            "Leave it out, or test a value: hypothesis=0.5.",
            kind="hypothesis",
        )
    return found


def _labels(hypothesis: Any, matrix: Array, right: Array) -> list[str]:
    if isinstance(hypothesis, str) and len(matrix) == 1:
        return [hypothesis]
    out = []
    for row, value in zip(matrix, right, strict=True):
        terms = [f"{'+' if c > 0 else '-'} {_times(c)}b{k + 1}" for k, c in enumerate(row) if c]
        out.append(f"{' '.join(terms).removeprefix('+ ')} = {value:g}")
    return out


def _times(factor: float) -> str:
    return "" if abs(factor) == 1.0 else f"{abs(factor):g}*"


def framed(
    told: Told, by: Student, caption: str, alpha: float, scale: str = "plain"
) -> pd.DataFrame:
    """The table of estimates, each with its standard error, test and interval of level 1 - alpha.

    Intervals are symmetric on a scale: of averages of means and probabilities that of their
    logarithms and logits, as of single ones.
    """
    errors = np.sqrt(np.maximum(told.covariance.diagonal(), 0.0))
    df, ends = (by.df if told.slopes is None else by.each(told.slopes)), None
    if scale != "plain":
        inner, own = inner_of(told.estimate, errors, scale)
        reach = width(alpha, df) * own
        with np.errstate(all="ignore"):
            ends = OUTER[scale](inner - reach), OUTER[scale](inner + reach)
    law = df, alpha
    return table(told.labels, told.estimate, errors, law, caption, told.null, ends)


def table(
    labels: Mapping[str, Sequence[Any]],
    estimate: Array,
    errors: Array,
    law: tuple[float | Array | None, float],
    caption: str,
    null: float | Array = 0.0,
    ends: tuple[Array, Array] | None = None,
) -> pd.DataFrame:
    """Columns of labels, then those of estimates; the law is degrees of freedom and alpha."""
    df, alpha = law
    reach = width(alpha, df)
    with np.errstate(all="ignore"):
        statistic = (estimate - null) / errors
        low, high = ends or (estimate - reach * errors, estimate + reach * errors)
    numbers = (estimate, errors, statistic, tail(statistic, df), low, high)
    out = pd.DataFrame({**labels, **dict(zip(COLUMNS, numbers, strict=True))})
    out.attrs["caption"] = caption
    if isinstance(df, np.ndarray):
        out.attrs["df"] = df.tolist()
    return out


def warn_of_effects(
    lost: Sequence[str], limit: Sequence[str], some_limits: Sequence[str], endless: Sequence[str]
) -> None:
    """Warn of effects that are not estimated, lack something, or are no numbers."""
    told: list[Warning] = []
    if endless:
        told.append(
            PredictionWarning(
                f"{_count(endless)} no finite number: {some(endless)}. What is divided by is 0, or "
                "a prediction is too large for a number; look at r.predictions().",
                kind="overflow",
            )
        )
    if lost:
        told.append(
            NotEstimableWarning(
                f"{_count(lost)} NaN, since rows are among theirs of which the data tell nothing, "
                "such as empty cells, columns that were left out or coefficients that are "
                f"infinite: {some(lost)}. Leave such rows out by newdata=, or fit a model without "
                "that column."
            )
        )
    if limit:
        told.append(
            PredictionWarning(
                f"{_count(limit)} without a standard error, since all predictions are limits, "
                f"coefficients being infinite: {some(limit)}. r.separation names the rows.",
                kind="no_standard_error",
            )
        )
    if some_limits:
        told.append(
            PredictionWarning(
                f"{_count(some_limits)} over rows of which some have a prediction that is a limit, "
                f"coefficients being infinite, and counts as without doubt: {some(some_limits)}. "
                "r.separation names these rows; newdata= leaves them out.",
                kind="limit_rows",
            )
        )
    for each in told:
        warnings.warn(each, stacklevel=outside())


def _count(names: Sequence[str]) -> str:
    return "1 effect is" if len(names) == 1 else f"{len(names)} effects are"
