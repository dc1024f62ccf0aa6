"""What is known of a finished fit: its certificate, separation, aliased columns."""

from __future__ import annotations

from functools import partial

import numpy as np

from glmcount.engine.forms import quadratic
from glmcount.errors import some
from glmcount.fitted import Fitted
from glmcount.fitting.certificate import Certificate, certify
from glmcount.fitting.digits import LONG_EPS, remainder
from glmcount.fitting.estimates import parameters
from glmcount.fitting.rank import Dependence
from glmcount.fitting.run import Fit
from glmcount.fitting.separation import Separation
from glmcount.fitting.sums import finite_columns, inverse_information, spread
from glmcount.inference.hypotheses import Names
from glmcount.numerics import EPS

__all__ = ["aliased", "certificate", "names", "separation"]


def certificate(state: Fitted) -> Certificate:
    """Certificate of the end of a fit."""
    fit = state.fit
    curvature = fit.family.curvature if len(fit.layout.slices) == 1 else None
    verdicts = (
        "separated" if fit.separated else "",
        ", ".join(
            [limit.label for limit in fit.limits]
            + ["end of the support"] * (fit.status in ("edge", "unbounded"))
            + ["at infinity"] * (fit.falling is not None and not fit.separated)
        ),
        *_maximum(state),
    )
    # Of what is finite: the columns that lead to infinity tell of nothing else.
    inside = np.arange(len(fit.kept)) if fit.falling is None else finite_columns(fit)
    sizes, information = fit.layout.sizes[fit.kept[inside]], fit.information.kept(inside).matrix
    reached = (*fit.reached, fit.floor)
    return certify(
        information,
        sizes,
        curvature,
        reached,
        lambda: _kappa(state),
        lambda: _left(state),
        verdicts,
    )


def _left(state: Fitted) -> float:
    """At most the Newton decrement at the estimate, by one pass; infinity where it may be any.

    Sums, slopes and predictors are wrong by so many roundings, and the information by a share
    that grows with its condition number. So are the user's coefficients, of columns not shifted.
    """
    fit, data = state.fit, state.seen_here[0]
    inverse = inverse_information(fit)
    diagonal = fit.information.diagonal()
    if inverse is None or not np.all(diagonal > 0):
        return float("inf")
    found = remainder(data, fit)
    rows, p = float(data.n_used), float(len(diagonal))
    root = np.sqrt(diagonal)
    swell = float(np.dot(root, np.dot(np.abs(inverse), root)))
    moved = np.sqrt(found.curved / found.weight) / LONG_EPS
    wrong = EPS * p * swell * (0.5 * rows + 8.0 + 2.0 * moved)
    if not wrong < 0.5:
        return float("inf")
    score = found.score[fit.kept]
    decrement = float(np.sqrt(max(np.dot(score, np.dot(inverse, score)), 0.0)))
    pearson = np.sqrt(found.pearson)
    own = np.sqrt(found.curved) + 4.0 * EPS * pearson
    own += LONG_EPS * rows * pearson * np.sqrt(swell)
    carried = (root * np.abs(fit.theta[fit.kept])).max()
    carried += (p + 2.0) * np.sqrt(found.weight) * fit.layout.carried(fit.theta)
    return float((decrement + own) / np.sqrt(1.0 - wrong) + EPS * carried)


def _maximum(state: Fitted) -> tuple[str, str]:
    """Whether the maximum is proven or the best found, and by what."""
    fit = state.fit
    if not fit.converged and fit.falling is None:
        return "", ""
    if fit.looked is None:
        return "proven", "the log-likelihood is concave"
    looked, told = fit.looked, ["the fit's own start"]
    if looked.starts:
        rows = "all rows" if looked.rows == state.measured.n else f"{looked.rows:,} of the rows"
        told.append(f"{looked.starts} starts far from it, climbed on {rows}")
    told += [f"the limit {label}" for label in dict.fromkeys(looked.limits)]
    return "best found", "; ".join(told)


def _kappa(state: Fitted) -> float:
    """Largest standard error of a linear predictor of the mean, by one pass."""
    fit = state.fit
    inverse = inverse_information(fit)
    if inverse is None:
        return float("inf")
    full = spread(fit, inverse)
    chosen = [1.0] + [None] * (fit.layout.q - 1)
    return state.seen_here[0].fold(
        lambda strip: float(
            np.sqrt(np.maximum(quadratic(fit.layout, strip, full, chosen), 0.0).max(initial=0.0))
        ),
        max,
    )


def separation(state: Fitted) -> Separation | None:
    """Rows predicted to be zero without doubt, and their infinite coefficients."""
    fit, found = state.fit, state.estimates
    if fit.falling is None or not fit.separated:
        return None
    far = np.flatnonzero((found.infinite != 0) | found.undetermined)
    own = fit.falling.layout.unshift(fit.falling.direction)[fit.kept]
    return Separation(
        fit.falling.rows,
        fit.falling.where,
        tuple(found.names[j] for j in far),
        own / max(float(np.abs(own).max()), 1e-300),
        tuple(int(found.infinite[j]) for j in far),
    )


def aliased(state: Fitted) -> dict[str, dict[str, float]]:
    """Columns left out, each with the combination of others that gives it."""
    names = parameters(state.fit.family, state.spec).names
    out = {names[one.column]: _combination(state.fit, one, names) for one in state.fit.dependences}
    # A factor of one level is the constant; its coding leaves it no column at all.
    spec = state.spec
    out.update({code: {"Intercept": 1.0} for code in spec.single_levels})
    return out


def _combination(fit: Fit, one: Dependence, names: tuple[str, ...]) -> dict[str, float]:
    # X v = 0 holds for shifted columns; carried back, the constant takes up the shifts.
    null = -one.combination
    null[one.column] = 1.0
    own = -fit.layout.unshift(null)
    own[one.column] = 0.0
    least = 1e-8 * max(1e-300, float(np.abs(own).max()))
    return {names[j]: float(own[j]) for j in np.flatnonzero(np.abs(own) > least)}


def names(state: Fitted) -> Names:
    """What hypotheses may be about, and why other parameters of the model are not there."""
    known = state.estimates.names
    every = (
        *parameters(state.family, state.asked_spec).names,
        *parameters(state.fit.family, state.spec).names,
        *state.spec.single_levels,
    )
    absent = tuple(name for name in dict.fromkeys(every) if name not in known)
    return Names(known, absent, partial(_why_absent, state))


def _why_absent(state: Fitted, name: str) -> str:
    left_out = aliased(state)
    if name not in left_out:
        label = ", ".join(limit.label for limit in state.fit.limits)
        return f"{name!r} means nothing at {label}, where the fit ended, and has no estimate."
    terms = [f"{value:.6g} * {other}" for other, value in left_out[name].items()]
    told = f"it is {some(terms, 6).replace(', ', ' + ')}" if terms else "it tells of no row"
    return (
        f"{name!r} was left out of the fit: {told}. It has no coefficient of its own; ask about "
        "the columns that were kept."
    )
