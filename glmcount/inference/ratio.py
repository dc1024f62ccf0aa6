"""Likelihood-ratio tests: whether models are nested, and how their ratio is distributed.

With the null in the interior 2 (l1 - l0) is chi-squared (Wilks 1938, doi:10.1214/aoms/1177732360).
Where it is the boundary of one parameter, and the others are identified there, it is the mixture
1/2 chi2(df - 1) + 1/2 chi2(df) (Self & Liang 1987, doi:10.1080/01621459.1987.10478472, case 6).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glmcount.design.recall import planned_layout
from glmcount.design.rows import Rows
from glmcount.engine.layout import linear
from glmcount.engine.strip import Strip
from glmcount.errors import ConvergenceError, NotDefinedError, UsageError
from glmcount.families.nesting import Inside, how_inside
from glmcount.fitted import Fitted
from glmcount.fitting.constant import spans
from glmcount.inference.covariance.estimator import Estimator
from glmcount.numerics import Array
from glmcount.numerics.tails import chi2_tail
from glmcount.records import dataclass

__all__ = ["Compared", "compared", "half_tail", "refuse_robust"]

# Log-likelihoods closer than this are one.
SAME = 1e-6
PROBES = 2

Wanted = Callable[[Strip], Array]


@dataclass(frozen=True)
class Compared:
    """Two nested models.

    Parameters
    ----------
    statistic : float
        2 (l1 - l0), at least 0.
    df : int
        Parameters that the larger one has more.
    boundary : bool
        Whether the null is the boundary of one of them.
    unidentified : str
        Which parameters mean nothing under the null, or empty.
    hypothesis : str
    """

    statistic: float
    df: int
    boundary: bool
    unidentified: str
    hypothesis: str

    @property
    def pvalue(self) -> float:
        """By the closed form."""
        if not self.boundary:
            return chi2_tail(self.statistic, self.df)
        return half_tail(self.statistic, self.df)

    @property
    def distribution(self) -> str:
        """What that is."""
        if not self.boundary:
            return "chi2"
        return "half chi2" if self.df == 1 else f"half chi2({self.df - 1}) + half chi2"


def half_tail(statistic: float, df: int) -> float:
    """P(T > t) of 1/2 chi2(df - 1) + 1/2 chi2(df), the first of which may be 0 for sure."""
    below = chi2_tail(statistic, df - 1) if df > 1 else float(statistic <= 0.0)
    return 0.5 * (below + chi2_tail(statistic, df))


def refuse_robust(what: str, cov: Estimator, instead: str) -> None:
    """Refuse what takes the likelihood at its word beside a covariance that does not.

    Raises
    ------
    NotDefinedError
    """
    if not cov.trusting:
        raise NotDefinedError(
            f"{what} takes the likelihood at its word, and cov={cov.name!r} says not to: under "
            f"clusters or a wrong variance its distribution is another one. {instead}, or take "
            "r.with_cov('nonrobust') first if the model is to be trusted.",
            kind="robust_likelihood",
        )


def compared(null: Fitted, full: Fitted) -> Compared:
    """Compare a model with a larger one that contains it.

    Raises
    ------
    NoLikelihoodError
        Of quasi-likelihoods, and under probability weights.
    UsageError
        If they are of different rows, responses or weights, or are not nested.
    ConvergenceError
        If the smaller model has the larger likelihood.
    """
    for state in (null, full):
        state.information_criterion("lr_test", 0.0)
    _same_rows(null, full)
    inside = how_inside(null.family, full.family)
    if inside is None:
        raise _apart(f"a {null.family.inside} model is no special case of {full.family.label}")
    for number, k in enumerate(inside.shared):
        _check_columns(null, full, number, k)
    for k, number in inside.repeated:
        _check_columns(null, full, number, k)
    for k, value in inside.values:
        _check_value(full, k, value)
    df = full.k_all - null.k_all
    if df <= 0:
        raise _apart(f"the second has {full.k_all} parameters, the first {null.k_all}")
    gained = full.fit.llf - null.fit.llf
    if gained < -SAME - 1e-12 * abs(null.fit.llf):
        raise ConvergenceError(
            f"The smaller model has the larger log-likelihood, {null.fit.llf:.6f} against "
            f"{full.fit.llf:.6f}: the larger model's fit is not at its maximum. Fit it again from "
            "elsewhere, r1.refit(start=...), and look at r1.certificate.",
            kind="larger_null",
        )
    unidentified = _unidentified(full, inside)
    statistic = 2.0 * max(gained, 0.0)
    hypothesis = f"{_told(null)} in {_told(full)}"
    return Compared(statistic, df, bool(inside.boundaries), unidentified, hypothesis)


def _told(state: Fitted) -> str:
    return f"{state.family.label}, {state.spec.formula}"


def _apart(why: str) -> UsageError:
    return UsageError(
        f"The models are not nested: {why}. lr_test(r0, r1) takes the smaller model first, and "
        "this must be the larger one with some parameters held. Compare others by aic or bic.",
        kind="not_nested",
    )


def _different(what: str, why: str) -> UsageError:
    return UsageError(
        f"The models are of different {what}: {why}. A likelihood ratio compares models of the "
        "same data; leave rows with missing values out before both fits.",
        kind=f"different_{what.split()[0]}",
    )


def _same_rows(null: Fitted, full: Fitted) -> None:
    """Refuse fits of other rows, responses or weights."""
    if null.measured.n != full.measured.n:
        raise _different("rows", f"{null.measured.n:,} used rows against {full.measured.n:,}")
    if null.weights_type != full.weights_type and (null.spec.weights or full.spec.weights):
        raise _different("weights", f"{null.weights_type} against {full.weights_type}")
    first, second = _shown(null.asked), _shown(full.asked)
    if first.shape[0] != second.shape[0]:
        raise _different("responses", "one is censored")
    other = np.flatnonzero(~(first == second).all(axis=0))
    if len(other):
        weights = np.array_equal(first[:-1], second[:-1])
        what = "weights" if weights else "responses or rows"
        raise _different(what, f"used row {other[0]} (counted from 0) differs")


def _shown(rows: Rows) -> Array:
    """Response and weights of every used row."""

    def work(strip: Strip) -> list[Array]:
        w = np.ones(strip.n) if strip.weights is None else strip.weights
        return [np.vstack([strip.y, w])]

    return np.concatenate(rows.fold(work, lambda a, b: a + b), axis=1)


def _spread(rows: Rows, values: Array) -> Wanted:
    """One value for each used row, as its strip asks for them."""
    every = np.full(rows.source.n_rows, np.nan)
    every[rows.numbers()] = values

    def of(strip: Strip) -> Array:
        own = every[strip.first : rows.source.span(strip.number)[1]]
        return own if strip.where is None else own[strip.where]

    return of


def _offset(strip: Strip, equation: int) -> Array:
    own = strip.offsets[equation]
    return np.zeros(strip.n) if own is None else own


def _check_columns(null: Fitted, full: Fitted, number: int, k: int) -> None:
    """Refuse an equation of the smaller model that the larger one's columns do not span.

    Combinations at random stand for all columns: where these are spanned, so is each.
    """
    small, large = planned_layout(null.asked_spec), planned_layout(full.asked_spec)
    own, rng = small.slices[number], np.random.default_rng(0)
    control, name = full.options.control, full.family.equations[k].name
    sizes = _sizes(null.asked, number)
    for probe in range(PROBES + 1):
        theta = np.zeros(small.size)
        if probe:
            theta[own] = rng.uniform(0.5, 1.5, own.stop - own.start) / sizes

        def wanted(strip: Strip, theta: Array = theta, plain: bool = not probe) -> Array:
            return _offset(strip, number) if plain else linear(small, strip, theta, number)

        of = _spread(full.asked, null.asked.by_row(wanted))

        def left(strip: Strip, of: Wanted = of, plain: bool = not probe) -> Array:
            return of(strip) - _offset(strip, k) if plain else of(strip)

        found = spans(full.asked, large, k, control, left)
        if not found:
            what = "columns of the first" if probe else "offset of the first"
            lack = "are not among the second's" if probe else "is not the second's"
            raise _apart(f"the {what} in the equation {name!r} {lack}")


def _sizes(rows: Rows, equation: int) -> Array:
    """Largest entry of each column of an equation."""
    layout = planned_layout(rows.spec)
    own = layout.slices[equation]

    def work(strip: Strip) -> Array:
        out = np.zeros(own.stop - own.start)
        for j in range(own.start, own.stop):
            unit = np.zeros(layout.size)
            unit[j] = 1.0
            out[j - own.start] = np.abs(linear(layout, strip, unit, equation)).max(initial=0.0)
        return out

    sizes = rows.fold(work, np.maximum)
    return np.where(sizes > 0, sizes, 1.0)


def _check_value(full: Fitted, k: int, value: float) -> None:
    """Refuse an equation that cannot be that value in every row."""
    layout, control = planned_layout(full.asked_spec), full.options.control
    if not spans(full.asked, layout, k, control, lambda s: value - _offset(s, k)):
        name = full.family.equations[k].name
        raise _apart(f"the second's equation {name!r} cannot be a constant")


def _unidentified(full: Fitted, inside: Inside) -> str:
    """What means nothing under the null, or why no closed form is known."""
    columns = full.columns
    lost = [full.family.equations[k].name for k in inside.lost if columns[k]]
    wide = [full.family.equations[k].name for k in inside.boundaries if columns[k] > 1]
    if lost or wide:
        names = ", ".join(dict.fromkeys([*wide, *lost]))
        return f"coefficients of the equation {names} mean nothing under the null"
    if len(inside.boundaries) > 1:
        return "the null is on the boundary of two parameters at once"
    return ""
