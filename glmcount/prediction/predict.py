"""Predicted quantities and their delta-method standard errors, from the family's jets."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.design.measure import check_finite
from glmcount.design.rows import Rows
from glmcount.engine.forms import quadratic
from glmcount.engine.layout import Layout
from glmcount.engine.scores import chunks
from glmcount.engine.spread import columns_of
from glmcount.engine.strip import Strip
from glmcount.errors import NoRowsError, NotDefinedError, UsageError, outside
from glmcount.families.base import Family
from glmcount.families.quantiles import quantiles
from glmcount.fitted import Fitted
from glmcount.fitting.falling import FAR
from glmcount.fitting.run import Fit
from glmcount.front import fronted
from glmcount.inference.intervals import Student, width
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, eta_jet
from glmcount.prediction.counts import NewCounts
from glmcount.prediction.edges import warn_of_edges, warn_of_limits
from glmcount.prediction.estimable import Reach, reach_of, settled, told_of
from glmcount.prediction.newdata import as_table, bare_rows, new_rows
from glmcount.prediction.quantities import QUANTILE, asked, leaves_offset, quantity
from glmcount.prediction.scales import OUTER, inner_of
from glmcount.printed import Lines, Printed
from glmcount.records import dataclass, replace

__all__ = [
    "Prediction",
    "predict",
    "predict_rows",
    "prediction",
    "target",
    "with_errors",
]


def _filled(
    data: Rows, fit: Fit, count: int, values_of: Callable[[Strip], Sequence[Array]]
) -> list[Array]:
    """`count` numbers for each row of the source; NaN in rows left out."""
    out = [np.full(data.source.n_rows, np.nan) for _ in range(count)]

    def work(strip: Strip) -> int:
        if not strip.n:
            return 0
        if not data.response:
            check_finite(data.spec, strip)
        rows = np.arange(strip.n) if strip.where is None else strip.where
        with np.errstate(all="ignore"):
            found = values_of(strip)
        for column, values in zip(out, found, strict=True):
            column[rows + strip.first] = values
        return 0

    data.fold(work, lambda a, b: a)
    return out


# What is said of a row beside its number: that nothing is known, or that it is a limit.
LOST, LIMIT = 1.0, 2.0


def predict_rows(rows: Rows, fit: Fit, which: str, at: float | None, scale: float = 1.0) -> Array:
    """One quantity over all rows of the source; NaN in rows left out.

    Raises
    ------
    NotDefinedError
        If the family has no probabilities.
    """
    chosen = quantity(which, fit.family, scale, fit.limits)

    def values(strip: Strip) -> Sequence[Array]:
        reach = reach_of(fit, strip)
        if which == QUANTILE:
            assert at is not None
            return _quantile(fit, reach, at, strip.n)
        if reach.whole:
            value = chosen.values(fit.family, reach.etas, at or 0.0)
            return value, np.zeros(strip.n)
        _, value, beyond, lost = settled(
            lambda e: chosen.jet(fit.family, e, at or 0.0), reach, strip.n
        )
        return _endless(which, reach, value, beyond), _note(lost, beyond)

    value, note = _filled(rows, fit, 2, values)
    _tell(rows, fit, note)
    warn_of_edges(which, fit.family, value, note == 0.0)
    return value


def _note(lost: NDArray[np.bool_], beyond: NDArray[np.bool_] | None) -> Array:
    limit = 0.0 if beyond is None else np.where(beyond, LIMIT, 0.0)
    return np.where(lost, LOST, limit)


def _quantile(fit: Fit, reach: Reach, at: float, n: int) -> tuple[Array, Array]:
    """Smallest count that is not exceeded with probability `at`, and what is said of each row."""
    lost, up = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    for k, way in enumerate(reach.ways):
        if way is not None:
            lost |= np.isnan(way)
            up |= (way == 1.0) & (k == 0)
    etas = [np.where(up, 0.0, eta) if up.any() else eta for eta in reach.at(FAR)]
    found = quantiles(fit.family, etas, at, n)
    found = np.where(up, np.inf if fit.family.mean_equation else np.nan, found)
    return np.where(lost, np.nan, found), _note(lost, up)


def _endless(which: str, reach: Reach, value: Array, beyond: NDArray[np.bool_] | None) -> Array:
    """A predictor itself is infinite where its mean is 0 or infinite."""
    way = reach.ways[0]
    if which != "linear" or beyond is None or way is None:
        return value
    return np.where(beyond, np.copysign(np.inf, way), value)


def _tell(rows: Rows, fit: Fit, note: Array) -> None:
    """Warn of rows that have no estimate."""
    told = told_of(rows, fit, note == LOST) if note.any() else None
    if told is not None:
        warnings.warn(told, stacklevel=outside())


def _error(layout: Layout, strip: Strip, jet: Jet, matrix: Array) -> Array:
    chosen = [None if d is None else np.broadcast_to(d, (strip.n,)) for d in jet.d1]
    return np.sqrt(np.maximum(quadratic(layout, strip, matrix, chosen), 0.0))


@fronted
@dataclass(frozen=True, repr=False)
class Prediction(Printed):
    """Predictions with standard errors and intervals; it prints as their table.

    Parameters
    ----------
    predicted, se : Series
    inner, inner_se : Series
        The quantity and its standard error on the scale on which intervals are symmetric.
    df : float, Series or None
        Of the t distribution, for each row where they differ; None for normal.
    outer : callable
        From that scale to the quantity's own.
    edges : tuple of float
        What the quantity tends to where that scale ends: below zero under the identity link,
        the mean is 0.
    counts : NewCounts or None
        Of what new counts are told.

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
    >>> found = r.get_prediction({"x": [1]})
    >>> round(float(found.predicted[0]), 4), round(float(found.se[0]), 4)
    (4.5, 1.5)
    """

    predicted: pd.Series
    se: pd.Series
    inner: pd.Series
    inner_se: pd.Series
    df: float | pd.Series | None
    outer: Callable[[Array], Array]
    edges: tuple[float, float]
    counts: NewCounts | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "counts": None}

    def _lines(self) -> Lines:
        """The table with intervals of level 95 %."""
        count = len(self.predicted)
        title = f"{count:,} prediction{'' if count == 1 else 's'} with intervals of level 0.95"
        return Lines(title, (), self.summary_frame())

    def count_interval(
        self,
        level: float = 0.95,
        *,
        rng: int | np.random.Generator | None = None,
        draws: int = 200,
    ) -> pd.DataFrame:
        """Intervals in which a new count of each row lies with a probability.

        They take in the spread of the counts and that of the estimates: quantiles of the mixture
        of the counts' laws over draws of the parameters, which are normal on the scale on which
        they are estimated. P(Y < lower) and P(Y > upper) are at most (1 - level) / 2 each.

        Parameters
        ----------
        level : float
            How much of the law of a new count lies between the ends: 0.95, not 0.05.
        rng : int or Generator, optional
            Of the draws; the same ones each time where not given.
        draws : int
            How many.

        Returns
        -------
        DataFrame
            lower, upper, and coverage: what the interval holds of that mixture, which is more than
            `level` since counts are whole numbers.

        Raises
        ------
        NotDefinedError
            For a quasi-likelihood.
        NoRowsError
            For predictions that came from another process.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ 1", {"y": [1, 3, 2, 6, 0, 4, 2, 3]})
        >>> r.get_prediction().count_interval(0.9).iloc[0].round(3).tolist()
        [0.0, 6.0, 0.971]
        """
        if self.counts is None:
            raise NoRowsError(
                "Predictions that come from another process have no rows, of which new counts are "
                "told. Call r.get_prediction(newdata) here."
            )
        return self.counts.interval(level, rng, draws)

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Interval of the quantity, columns 0 and 1.

        Parameters
        ----------
        alpha : float
            One minus the level.

        Returns
        -------
        DataFrame, (rows, 2)
            Of means the ends on the scale of the linear predictor, put through the link.

        Raises
        ------
        UsageError
            If `alpha` is not between 0 and 1.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> r.get_prediction({"x": [1]}).conf_int().round(4).to_numpy().tolist()
        [[2.3414, 8.6486]]
        """
        own = self.df.to_numpy() if isinstance(self.df, pd.Series) else self.df
        reach = width(alpha, own)
        ends = {}
        for column, sign in enumerate((-1.0, 1.0)):
            with np.errstate(all="ignore"):
                inner = (self.inner + sign * reach * self.inner_se).to_numpy()
                found = np.asarray(self.outer(inner))
            ends[column] = np.where(np.isnan(found) & ~np.isnan(inner), self.edges[column], found)
        return pd.DataFrame(ends, index=self.predicted.index)

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Predictions, standard errors and intervals as one table.

        Parameters
        ----------
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        DataFrame, (rows, 4)
            ``mean mean_se mean_ci_lower mean_ci_upper``, whatever is predicted, as statsmodels
            names them.

        Raises
        ------
        UsageError
            If `alpha` is not between 0 and 1.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> r.get_prediction({"x": [1]}).summary_frame().iloc[0].round(4).tolist()
        [4.5, 1.5, 2.3414, 8.6486]
        """
        ends = self.conf_int(alpha)
        return pd.DataFrame(
            {
                "mean": self.predicted,
                "mean_se": self.se,
                "mean_ci_lower": ends[0],
                "mean_ci_upper": ends[1],
            }
        )


@dataclass(frozen=True)
class Mean:
    """From the mean's predictor to the mean, the other predictors being those of the rows."""

    family: Family
    rest: tuple[Array, ...]

    def __call__(self, linear: Array) -> Array:
        return self.family.moments((linear, *self.rest))[0].value


def prediction(
    rows: Rows,
    fit: Fit,
    which: str,
    at: float | None,
    matrix: Array,
    law: Student,
    label: Callable[[Array], pd.Series],
    scale: float = 1.0,
) -> Prediction:
    """A `Prediction` of one quantity over some rows.

    `matrix` is the covariance over all shifted columns, zero where one was left out. Where
    the mean is a function of its linear predictor alone, its interval is made there.

    Raises
    ------
    NotDefinedError
        For quantiles: whole numbers have no standard error.
    """
    chosen = quantity(which, fit.family, scale, fit.limits)
    if which == QUANTILE:
        raise NotDefinedError(
            "get_prediction gives standard errors, and a quantile is a whole number, which has "
            "none by the delta method. Use predict(which='quantile', at=...), or "
            "get_prediction(which='cdf', at=...).",
            kind="no_standard_error",
        )
    by_mean = chosen.mean and fit.family.mean_equation
    family = fit.family

    def values(strip: Strip) -> Sequence[Array]:
        reach = reach_of(fit, strip)
        jet, value, beyond, lost = settled(
            lambda e: chosen.jet(family, e, at or 0.0), reach, strip.n
        )
        value = _endless(which, reach, value, beyond)
        error = np.where(np.isinf(value), np.inf, _error(fit.layout, strip, jet, matrix))
        if by_mean:
            linear = eta_jet(reach.etas, 0)
            inner = np.broadcast_to(linear.value, (strip.n,))
            inner_error = _error(fit.layout, strip, linear, matrix)
        else:
            inner, inner_error = inner_of(value, error, chosen.scale)
        ends = _without_width(chosen.scale, value, beyond, (error, inner, inner_error))
        error, inner, inner_error = (np.where(lost, np.nan, end) for end in ends)
        moving = eta_jet(reach.etas, 0) if by_mean else jet
        free = _freedom(law, fit.layout, strip, moving)
        return _note(lost, beyond), value, error, inner, inner_error, free, *reach.etas[1:]

    note, *found = _filled(rows, fit, 6 + fit.layout.q - 1, values)
    _tell(rows, fit, note)
    warn_of_edges(which, family, found[0], note == 0.0)
    warn_of_limits(which, (note == LIMIT) & np.isnan(found[3]))
    rest = tuple(label(eta).to_numpy() for eta in found[5:])
    outer = Mean(family, rest) if by_mean else OUTER[chosen.scale]
    own = [label(each) for each in found[:5]]
    df = law.df if law.of is None else own[4]
    return Prediction(own[0], own[1], own[2], own[3], df, outer, (0.0, family.support[1]))


def _freedom(law: Student, layout: Layout, strip: Strip, jet: Jet) -> Array:
    """Degrees of freedom of each row's number; NaN where all have the same."""
    out = np.full(strip.n, np.nan)
    if law.of is None:
        return out
    first = 0
    for run in chunks(layout, strip):
        last = first + run.n
        slopes = np.zeros((layout.size, run.n))
        for own, x, d in zip(layout.slices, columns_of(layout, run), jet.d1, strict=True):
            if d is not None:
                slopes[own] = x * np.broadcast_to(d, (strip.n,))[first:last]
        out[first:last] = law.each(slopes.T)
        first = last
    return out


def _without_width(
    scale: str, value: Array, beyond: NDArray[np.bool_] | None, ends: tuple[Array, Array, Array]
) -> tuple[Array, Array, Array]:
    """Errors where a quantity is a limit at infinity.

    A probability of 0 or 1 is so without doubt. Of a mean of 0, or of an infinite one, a
    standard error tells nothing: its other end would be a matter of the likelihood's profile.
    """
    if beyond is None or not beyond.any():
        return ends
    error, inner, inner_error = ends
    if scale == "logit":
        sure = beyond & ((value == 0.0) | (value == 1.0))
        return np.where(sure, 0.0, error), inner, np.where(sure, 0.0, inner_error)
    endless = beyond & (np.isinf(value) | ((value == 0.0) & (scale == "log")))
    known = np.inf if scale == "plain" else np.nan
    return np.where(endless, known, error), inner, np.where(endless, np.nan, inner_error)


def target(
    state: Fitted, newdata: Any, given: Mapping[str, Any], bare: bool = False
) -> tuple[Rows, Callable[[Array], pd.Series]]:
    """Rows over the rows to predict for, and how their values become a Series.

    `bare` leaves out the offset and exposure of the mean.
    """
    asked = [name for name, value in given.items() if value is not None]
    if bare and asked:
        raise UsageError(
            f"which='rate' is the mean per unit of exposure and takes no {asked[0]}=. Leave it "
            "out, or predict which='mean'.",
            kind="usage",
        )
    if newdata is None:
        if asked:
            raise UsageError(
                f"{asked[0]}= is that of new rows, and none are given: the fitted rows have their "
                "own. Pass newdata= as well.",
                kind="usage",
            )
        rows, index = state.used_rows(), state.labels()
        own = bare_rows(state.rows) if bare else state.rows
        return own, lambda values: pd.Series(values[rows], index=index)
    spec = state.spec.bare() if bare else state.spec
    table = as_table(state, newdata)
    data, index = new_rows(spec, table, given, state.options.control)
    return data, lambda values: pd.Series(values, index=index)


def predict(
    state: Fitted, newdata: Any, which: Any, at: Any, given: Mapping[str, Any], scale: float
) -> pd.Series | pd.DataFrame:
    """A quantity for new rows or the fitted ones; a column for each `at` of a list."""
    points = asked(which, at)
    rows, label = target(state, newdata, given, leaves_offset(which))
    found = [label(predict_rows(rows, state.fit, which, point, scale)) for point in points]
    if np.ndim(at) == 0:
        return found[0]
    return pd.concat(found, axis=1, keys=_listed(at))


def _listed(at: Any) -> list[Any]:
    return list(at) if isinstance(at, Sequence) else np.asarray(at).tolist()


def with_errors(
    state: Fitted,
    newdata: Any,
    which: Any,
    at: Any,
    given: Mapping[str, Any],
    scale: float,
    covariance: Array,
    law: Student,
) -> Prediction:
    """A quantity with its standard errors, given the covariance in the user's columns."""
    points = asked(which, at)
    rows, label = target(state, newdata, given, leaves_offset(which))
    matrix = state.reshifted(covariance)
    found = [
        prediction(rows, state.fit, which, point, matrix, law, label, scale) for point in points
    ]
    one = found[0] if np.ndim(at) == 0 else _together(found, _listed(at))
    return replace(one, counts=NewCounts(rows, state.fit, matrix, label))


def _together(found: Sequence[Prediction], points: Sequence[Any]) -> Prediction:
    """Predictions at several points as one, whose Series have the point before the row."""

    def joined(parts: Sequence[pd.Series]) -> pd.Series:
        return pd.concat(parts, keys=points, names=["at", parts[0].index.name])

    own = [each.df for each in found if isinstance(each.df, pd.Series)]
    return replace(
        found[0],
        df=joined(own) if own else found[0].df,
        predicted=joined([each.predicted for each in found]),
        se=joined([each.se for each in found]),
        inner=joined([each.inner for each in found]),
        inner_se=joined([each.inner_se for each in found]),
    )
