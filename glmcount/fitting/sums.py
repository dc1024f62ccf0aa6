"""Further passes at the estimate: deviance, Pearson, leverage, and anything by row."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TypeVar

import numpy as np
import scipy
from numpy.typing import NDArray

from glmcount.design.rows import Rows
from glmcount.engine.forms import quadratic
from glmcount.engine.information import Information
from glmcount.engine.layout import Layout
from glmcount.engine.passes import assemble, predictors
from glmcount.engine.scores import chunks, row_scores
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import Unweighed, Weighed
from glmcount.errors import NotDefinedError
from glmcount.families.base import Family
from glmcount.fitting.run import Fit, fold_sums
from glmcount.numerics import Array
from glmcount.numerics.blas import solving
from glmcount.numerics.control import USUAL
from glmcount.numerics.factor import factor

__all__ = [
    "by_row",
    "finite_columns",
    "fold_scores",
    "inverse_information",
    "mean_inverse",
    "mean_weights",
    "refuse_parts",
    "row_leverage",
    "spread",
    "total",
]

T = TypeVar("T")


def fold_scores(
    rows: Rows, fit: Fit, work: Callable[[Strip, Array], T], add: Callable[[T, T], T]
) -> T:
    """Fold ``work(rows, scores)`` over some rows at a time, in order.

    Scores are weighted, (n, k), and derivatives by the kept parameters in the user's columns,
    ancillary ones on the scale on which they are estimated.
    """

    def scored(strip: Strip) -> T:
        shifted = row_scores(fit.layout, strip, fit.theta, fit.family)
        return work(strip, fit.layout.unshifted_scores(shifted)[:, fit.kept])

    return rows.fold(lambda strip: reduce(add, map(scored, chunks(fit.layout, strip))), add)


def rows_of(layout: Layout, strip: Strip, theta: Array) -> Unweighed:
    """A strip's rows at given parameters."""
    return Unweighed(strip.y, strip.weights, predictors(layout, strip, theta))


def by_row(rows: Rows, fit: Fit, what: Callable[[Strip, Unweighed], Array]) -> Array:
    """One number for each used row, in order: ``what(strip, rows)``."""

    def work(strip: Strip) -> list[Array]:
        # Where parameters run off, moments are beyond all doubles: a warning tells of those.
        with np.errstate(over="ignore", invalid="ignore"):
            values = what(strip, rows_of(fit.layout, strip, fit.theta))
        return [np.broadcast_to(values, (strip.n,))]

    return np.concatenate(rows.fold(work, lambda a, b: a + b))


def total(data: Rows, fit: Fit, what: Callable[[Unweighed], Array]) -> float:
    """Weighted sum over the used rows of ``what(rows)``."""

    def work(strip: Strip) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            rows = rows_of(fit.layout, strip, fit.theta)
            values = np.broadcast_to(what(rows), (strip.n,))
        return float(values.sum() if rows.weights is None else np.dot(values, rows.weights))

    return data.fold(work, lambda a, b: a + b)


def spread(fit: Fit, matrix: Array) -> Array:
    """A matrix over the kept columns as one over all, zero elsewhere."""
    full = np.zeros((fit.layout.size, fit.layout.size))
    full[np.ix_(fit.kept, fit.kept)] = matrix
    return full


def carriers(fit: Fit) -> NDArray[np.intp]:
    """Among the kept columns those that carry a direction of recession, the foremost first."""
    if fit.falling is None:
        return np.zeros(0, dtype=np.intp)
    if fit.falling.carriers is not None:
        return np.flatnonzero(np.isin(fit.kept, fit.falling.carriers))
    direction = np.abs(fit.falling.direction * fit.falling.layout.sizes)[fit.kept]
    order = np.argsort(-direction, kind="stable")
    return order[direction[order] > 1e-3 * direction[order[0]]]


def finite_columns(fit: Fit) -> NDArray[np.intp]:
    """Among the kept columns those that no direction found by its rows needs."""
    if fit.falling is None or fit.falling.carriers is None:
        return np.arange(len(fit.kept))
    return np.setdiff1d(np.arange(len(fit.kept)), carriers(fit))


def inverse_information(fit: Fit, information: Array | None = None) -> Array | None:
    """Inverse information over the kept columns; None where it is not definite.

    The column that carries a direction of recession is held, and further ones where that is
    not enough: their variance is infinite, and the others' are those of what is left.
    """
    own = fit.information if information is None else Information(information)
    if fit.falling is None:
        found = own.factored
        return None if found is None else found.inverse()
    columns = carriers(fit)
    least = 1 if fit.falling.carriers is None else len(columns)
    for count in range(least, len(columns) + 1):
        others = np.setdiff1d(np.arange(len(own)), columns[:count])
        found = own.kept(others).factored
        if found is not None:
            out = np.zeros_like(own.matrix)
            out[np.ix_(others, others)] = found.inverse()
            return out
    return None


def mean_weights(family: Family, rows: Unweighed) -> Array:
    """Expected information of the mean's predictor, by row and copy."""
    mixed = None if family.expected is None else family.expected(rows.etas)
    entry = None if mixed is None else mixed[0][0]
    if entry is None:
        observed = family.terms(rows.y, rows.etas).d2[0][0]
        entry = np.zeros(1) if observed is None else -observed
    return np.broadcast_to(entry, (rows.y.shape[1],))


def refuse_parts(family: Family) -> None:
    """Refuse leverages of a model of several parts, whose mean no single equation speaks of.

    Raises
    ------
    NotDefinedError
    """
    if not family.mean_equation:
        raise NotDefinedError(
            f"Leverages, and with them HC2, HC3 and Cook's distances, are those of the equation of "
            f"the mean; in a {family.label} model the mean comes from several parts. Use "
            "cov='HC1'.",
            kind="no_leverage",
        )


def mean_inverse(rows: Rows, fit: Fit) -> Array:
    """Inverse of the mean equation's expected information, over all columns.

    Raises
    ------
    NotDefinedError
        For a model of several parts, whose mean no single equation speaks of.
    """
    refuse_parts(fit.family)
    from_joint = fit.kept < fit.layout.slices[0].stop
    own = fit.information.kept(from_joint).matrix
    # Under a canonical link the expected information is that of the fit.
    if fit.family.expected is not None and not fit.family.canonical:
        own = _mean_information(rows, fit)[np.ix_(fit.kept[from_joint], fit.kept[from_joint])]
    if not np.isfinite(own).all():
        raise NotDefinedError(
            "Leverages, and with them HC2, HC3 and Cook's distances, do not exist: rows without "
            "doubt have information that is no number. Use cov='HC1', or leave these rows out.",
            kind="no_leverage",
        )
    found = factor(own)
    with solving(len(own)):
        inverse = scipy.linalg.pinvh(own) if found is None else found.inverse()
    full = np.zeros((fit.layout.size, fit.layout.size))
    mine = fit.kept[from_joint]
    full[np.ix_(mine, mine)] = inverse
    return full


def _mean_information(data: Rows, fit: Fit) -> Array:
    def weigh(rows: Unweighed) -> Weighed:
        w = mean_weights(fit.family, rows)
        w = w if rows.weights is None else w * rows.weights
        return Weighed(np.zeros(1), (None,) * fit.layout.q, {(0, 0): w})

    raw = fold_sums(data, fit.layout, fit.theta, weigh, USUAL)
    return assemble(fit.layout, raw)[2]


def row_leverage(
    fit: Fit, inverse: Array, strip: Strip, rows: Unweighed, importance: bool
) -> Array:
    """Leverage of the mean equation, of one copy of a row (R's hatvalues)."""
    chosen = [1.0] + [None] * (fit.layout.q - 1)
    weight = mean_weights(fit.family, rows)
    if importance and rows.weights is not None:
        weight = weight * rows.weights
    return quadratic(fit.layout, strip, inverse, chosen) * weight
