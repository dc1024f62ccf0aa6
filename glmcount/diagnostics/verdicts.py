"""What is known of a finished fit: its certificate, separation, aliased columns."""

from __future__ import annotations

import numpy as np

from glmcount.design.forms import quadratic
from glmcount.fitting.certificate import Certificate, certify
from glmcount.fitting.rank import Dependence
from glmcount.fitting.run import Fit
from glmcount.fitting.separation import Separation
from glmcount.fitting.sums import finite_columns, inverse_information, spread
from glmcount.inference.estimates import parameters
from glmcount.inference.state import State

__all__ = ["aliased", "certificate", "separation"]


def certificate(state: State) -> Certificate:
    """Certificate of the end of a fit."""
    fit = state.fit
    curvature = fit.family.curvature if len(fit.layout.slices) == 1 else None
    verdicts = (
        "separated" if fit.separated else "",
        ", ".join(
            [limit.label for limit in fit.limits]
            + ["at infinity"] * (fit.falling is not None and not fit.separated)
        ),
    )
    # Of what is finite: the columns that lead to infinity tell of nothing else.
    inside = np.arange(len(fit.kept)) if fit.falling is None else finite_columns(fit)
    sizes, information = fit.layout.sizes[fit.kept[inside]], fit.information[np.ix_(inside, inside)]
    reached = (*fit.reached, fit.floor)
    return certify(information, sizes, curvature, reached, lambda: _kappa(state), verdicts)


def _kappa(state: State) -> float:
    """Largest standard error of a linear predictor of the mean, by one pass."""
    fit = state.fit
    inverse = inverse_information(fit)
    if inverse is None:
        return float("inf")
    full = spread(fit, inverse)
    chosen = [1.0] + [None] * (fit.layout.q - 1)
    return state.fitted_here[0].fold(
        lambda strip: float(
            np.sqrt(np.maximum(quadratic(fit.layout, strip, full, chosen), 0.0).max(initial=0.0))
        ),
        max,
    )


def separation(state: State) -> Separation | None:
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


def aliased(state: State) -> dict[str, dict[str, float]]:
    """Columns left out, each with the combination of others that gives it."""
    names = parameters(state.fit.family, state.encoder.spec)[0]
    out = {names[one.column]: _combination(state.fit, one, names) for one in state.fit.dependences}
    # A factor of one level is the constant; its coding leaves it no column at all.
    spec = state.encoder.spec
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
