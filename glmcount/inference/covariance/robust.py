"""Sandwiches of single rows, and the covariance without one.

With bread B (the inverse information) and row scores s_i, a sandwich is
B (sum_i c_i s_i s_i') B (White 1982, Econometrica 50). HC1 takes c = n / (n - k), HC2
1 / (1 - h_i), HC3 1 / (1 - h_i)^2, h_i the leverage (MacKinnon & White 1985; Long & Ervin
2000, The American Statistician 54).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy

from glmcount.cells.compress import Cells, residual_sums
from glmcount.design.spec import DesignSpec
from glmcount.engine.passes import Raw, add, assemble, strip_sums
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import Unweighed, Weighed
from glmcount.errors import CovarianceError, some
from glmcount.families.base import Family
from glmcount.fitting.estimates import parameters
from glmcount.fitting.run import Fit
from glmcount.fitting.sums import mean_inverse, refuse_parts, row_leverage, rows_of
from glmcount.inference.covariance.estimator import Estimator, register_estimator
from glmcount.inference.setting import Setting
from glmcount.numerics import Array
from glmcount.numerics.factor import factor

__all__ = ["between", "filled", "meat"]

FULL = 1.0 - 1e-10
# Shares of the information, or of a variance, below which there is rounding only.
SINGULAR = 1e-10
NOTHING = 1e-18
LIGHTEST = 1e-130


def _cell_meat(setting: Setting, cells: Cells) -> Array:
    """sum_i c_i s_i s_i' over the kept columns, cell by cell.

    The scores of copies are one; else they are (y - e mu) mu' / V, as in every family whose
    log-likelihood is linear in the count.
    """
    fit, family = setting.fit, setting.fit.family
    q = fit.layout.q
    moments = residual_sums(cells, setting.importance)

    def weigh(rows: Unweighed) -> Weighed:
        first = family.terms(rows.y, rows.etas).d1
        own = rows.extra
        assert own is not None
        second: dict[tuple[int, int], Array | None] = {}
        for j in range(q):
            for k in range(j, q):
                a, b = first[j], first[k]
                second[j, k] = None if a is None or b is None else own[:, 0] * a * b
        if cells.linear:
            mean, variance = family.moments(rows.etas)
            slope, gap = mean.d1[0], first[0]
            assert slope is not None and gap is not None
            by_count = slope / variance.value
            a, b, c = own.T
            second[0, 0] = by_count * (by_count * a + 2.0 * gap * b) + gap * gap * c
        return Weighed(np.zeros(1), (None,) * q, second)

    def work(strip: Strip) -> Raw:
        extra = moments[strip.first : strip.first + strip.n]
        return strip_sums(fit.layout, strip, fit.theta, weigh, setting.control.block_rows, extra)

    return _kept(fit, setting.fitted.fold(work, add))


def _kept(fit: Fit, raw: Raw) -> Array:
    return assemble(fit.layout, raw)[2][np.ix_(fit.kept, fit.kept)]


def meat(setting: Setting, factor_of: Callable[[Array], Array] | None) -> Array:
    """sum_i c_i s_i s_i' over the kept columns; `factor_of` maps leverages to c."""
    if factor_of is None and setting.cells is not None:
        return _cell_meat(setting, setting.cells)
    fit, family = setting.fit, setting.fit.family
    inverse = None if factor_of is None else mean_inverse(setting.rows, fit)
    q = fit.layout.q

    def weigh(rows: Unweighed) -> Weighed:
        first = family.terms(rows.y, rows.etas).d1
        w = np.ones(1) if rows.weights is None else rows.weights
        both = w * w if setting.importance else w
        if rows.extra is not None:
            both = both * rows.extra
        second: dict[tuple[int, int], Array | None] = {}
        for j in range(q):
            for k in range(j, q):
                a, b = first[j], first[k]
                second[j, k] = None if a is None or b is None else both * a * b
        return Weighed(np.zeros(1), (None,) * q, second)

    def work(strip: Strip) -> Raw:
        extra = None
        if factor_of is not None and inverse is not None:
            rows = rows_of(fit.layout, strip, fit.theta)
            leverage = row_leverage(fit, inverse, strip, rows, setting.importance)
            _refuse_full(strip, leverage)
            extra = factor_of(leverage)
        return strip_sums(fit.layout, strip, fit.theta, weigh, setting.control.block_rows, extra)

    return _kept(fit, setting.rows.fold(work, add))


def _refuse_full(strip: Strip, leverage: Array) -> None:
    full = np.flatnonzero(leverage >= FULL)
    if len(full):
        rows = (full if strip.where is None else strip.where[full]) + strip.first
        raise CovarianceError(
            f"HC2 and HC3 divide by 1 - leverage, and rows (counted from 0) {some(rows)} have "
            "leverage 1: a column of the design is there for one of them alone. Leave the "
            "column and the row out, or use cov='HC1'.",
            kind="leverage_one",
        )


def between(bread: Array, filling: Array) -> Array:
    """bread filling bread, symmetric to the last bit."""
    out = np.dot(np.dot(bread, filling), bread)
    return 0.5 * (out + out.T)


def filled(setting: Setting, matrix: Array, bread: Array) -> Array:
    """A sandwich, refused where a variance in it is that of rounding.

    Raises
    ------
    CovarianceError
        If the rows that decide a coefficient have no residual.
    """
    none = matrix.diagonal() <= NOTHING * _heaviest(setting) * bread.diagonal()
    empty = np.flatnonzero(none & (bread.diagonal() > 0))
    if len(empty):
        fit = setting.fit
        names = parameters(fit.family, setting.found.spec).names
        raise CovarianceError(
            f"A robust covariance is made of residuals, and the rows that decide "
            f"{some(names[fit.kept[j]] for j in empty)} have none: they are fitted exactly, so "
            "that the variance would be 0. Use cov='nonrobust', or leave these columns out.",
            kind="no_residuals",
        )
    return matrix


def _heaviest(setting: Setting) -> float:
    """The largest weight where a variance grows with them, as that of importances does.

    Raises
    ------
    CovarianceError
        If its square is no number.
    """
    if not setting.importance or setting.found.spec.weights is None:
        return 1.0
    heaviest = setting.rows.fold(
        lambda strip: 0.0 if strip.weights is None else float(strip.weights.max(initial=0.0)), max
    )
    if heaviest < LIGHTEST:
        raise CovarianceError(
            "A covariance made of scores takes squares of the weights, and those of weights below "
            f"{LIGHTEST:g} are no numbers any more. Multiply all weights by one number: estimates "
            "and robust covariances stay as they are.",
            kind="weights_range",
        )
    return heaviest


def _sandwich(factor_of: Callable[[Array], Array] | None) -> Callable[[Setting, Array], Array]:
    def compute(setting: Setting, bread: Array) -> Array:
        return filled(setting, between(bread, meat(setting, factor_of)), bread)

    return compute


def _hc1(setting: Setting, bread: Array) -> Array:
    k = int((setting.fit.kept < setting.fit.layout.slices[0].stop).sum())
    if setting.nobs <= k:
        raise CovarianceError(
            f"HC1 divides by nobs - k, which is {setting.nobs:g} - {k}; use cov='nonrobust'.",
            kind="saturated",
        )
    plain = filled(setting, between(bread, meat(setting, None)), bread)
    return plain * setting.nobs / (setting.nobs - k)


def _opg(setting: Setting, bread: Array) -> Array:
    filling = meat(setting, None)
    nothing = NOTHING * _heaviest(setting)
    found = None if _is_singular(filling, bread, nothing) else factor(filling)
    if found is None:
        raise CovarianceError(
            "The outer product of the scores is singular, so cov='opg' does not exist: in some "
            "direction every row is fitted without a residual, as where a column is there for "
            "one row, or there are few more rows than coefficients. Use cov='nonrobust'.",
            kind="singular_information",
        )
    return found.inverse()


def _is_singular(filling: Array, bread: Array, nothing: float) -> bool:
    """Whether a sum of squared scores is zero, but for rounding, in some direction.

    Each direction is measured by the information in it, so that a column's size and its
    likeness to others have no part in that.
    """
    own = np.flatnonzero(bread.diagonal() > 0)
    root = factor(bread[np.ix_(own, own)])
    if root is None or not np.isfinite(filling).all():
        return True
    half = np.asarray(root.lower)
    shares = scipy.linalg.eigvalsh(half.T @ filling[np.ix_(own, own)] @ half)
    # As large as a score is by chance, the shares are about 1; rounding leaves squares of it.
    return not shares.size or bool(shares[0] <= max(SINGULAR * shares[-1], nothing))


def _refuse_parts(family: Family, spec: DesignSpec) -> None:
    refuse_parts(family)


for _each in (
    Estimator(
        "nonrobust",
        "nonrobust",
        lambda setting, bread: bread * setting.scale,
        trusting=True,
        scaled=True,
    ),
    Estimator("opg", "OPG", _opg, trusting=True, outer=True),
    Estimator("HC0", "robust (HC0)", _sandwich(None)),
    Estimator("HC1", "robust (HC1)", _hc1),
    Estimator("HC2", "robust (HC2)", _sandwich(lambda h: 1.0 / (1.0 - h)), refuses=_refuse_parts),
    Estimator(
        "HC3", "robust (HC3)", _sandwich(lambda h: 1.0 / (1.0 - h) ** 2), refuses=_refuse_parts
    ),
):
    register_estimator(_each)
