"""Null models: every equation a constant, or the mean alone a constant."""

from __future__ import annotations

import numpy as np

from glmcount.design.blocks import Layout, Strip, linear
from glmcount.design.encode import Encoder
from glmcount.design.formula import intercept_part
from glmcount.design.layout import layout_of
from glmcount.design.measure import Measured
from glmcount.design.spec import EquationDesign
from glmcount.families.base import Family, Limit, hold
from glmcount.fitting.fit import fit_limit, maximise
from glmcount.fitting.objective import (
    Raw,
    Rows,
    Weighed,
    add,
    assemble,
    likelihood_sums,
    likelihood_weights,
    strip_sums,
)
from glmcount.fitting.rank import EXACT, NEARLY
from glmcount.fitting.run import Fit, Options, fold_sums
from glmcount.fitting.sums import total
from glmcount.numerics import Array, Control, factor
from glmcount.records import replace

__all__ = ["limit_llf", "null_deviance", "null_llf", "spans_constant", "unit_deviances"]

# Passes that look for a constant among the columns: one more refines what rounding left.
LOOKS = 3


def spans_constant(encoder: Encoder, fit: Fit, control: Control) -> bool:
    """Whether a combination of the mean's columns is 1 in every row.

    Formulas tell that of an intercept and of factors; of other columns, such as a matrix of the
    user's, the rows do: 1 is projected on the columns, and what is left of it is rounding.
    """
    layout = fit.layout
    if layout.constants[0] is not None:
        return True
    own = fit.kept[fit.kept < layout.slices[0].stop]
    target, solve = np.zeros(layout.size), None
    for look in range(LOOKS):
        left, score, gram = _short_of_one(encoder, layout, target, control, solve is None)
        share = np.sqrt(left)
        if share <= EXACT:
            return True
        if look and share > NEARLY:
            return False
        if solve is None:
            held = factor(gram[np.ix_(own, own)])
            if held is None:
                return False
            solve = held.solve
        target[own] += solve(score[own])
    return False


def _short_of_one(
    encoder: Encoder, layout: Layout, target: Array, control: Control, second: bool
) -> tuple[float, Array, Array]:
    """Mean square of 1 - X target, X'(1 - X target), and X'X if asked for; of the mean alone."""

    def weigh(rows: Rows) -> Weighed:
        assert rows.extra is not None
        more = (None,) * (layout.q - 1)
        ones = {(0, 0): np.ones(1)} if second else {}
        scalars = np.array([np.dot(rows.extra, rows.extra), len(rows.extra)])
        return Weighed(scalars, (rows.extra, *more), ones)

    def work(strip: Strip) -> Raw:
        short = 1.0 - linear(layout, strip, target, 0)
        zero = np.zeros(layout.size)
        return strip_sums(layout, strip, zero, weigh, control.block_rows, short)

    scalars, score, gram = assemble(layout, encoder.fold(work, add))
    return float(scalars[0]) / max(float(scalars[1]), 1.0), score, gram


def null_encoder(encoder: Encoder, equations: int, constant: bool) -> Encoder:
    """The same rows with a constant for each equation; offsets stay."""
    kept = encoder.spec.equations[:equations]
    mean = EquationDesign((intercept_part(),) if constant else (), kept[0].offsets)
    others = (EquationDesign((intercept_part(),), e.offsets) for e in kept[1:])
    spec = replace(encoder.spec, equations=(mean, *others))
    return encoder.constants(spec)


def null_fit(
    encoder: Encoder, measured: Measured, family: Family, constant: bool, control: Control
) -> tuple[Encoder, Fit]:
    """Fit the null model; without an intercept its mean is the offset."""
    inner = null_encoder(encoder, len(family.equations), constant)
    layout = layout_of(inner.spec)
    quiet = replace(control, progress=False, maxiter=None)
    if layout.size:
        return inner, maximise(inner, layout, measured, family, Options(control=quiet))
    return inner, _offset_alone(inner, layout, measured, family, quiet)


def _offset_alone(
    encoder: Encoder, layout: Layout, measured: Measured, family: Family, control: Control
) -> Fit:
    theta = np.zeros(0)
    raw = fold_sums(encoder, layout, theta, likelihood_weights(family, False, False), control)
    sums = likelihood_sums(layout, raw)
    return Fit(
        family=family,
        layout=layout,
        theta=theta,
        kept=np.zeros(0, dtype=np.intp),
        llf=sums.llf + measured.constant,
        information=np.zeros((0, 0)),
        definite=factor(np.zeros((0, 0))),
        condition=1.0,
        reached=(0.0, 0.0),
        rounding=float,
        status="final",
        passes=1,
        history=(),
    )


def null_llf(
    encoder: Encoder, measured: Measured, family: Family, constant: bool, control: Control
) -> float:
    """Log-likelihood with every equation a constant, ancillary parameters re-estimated."""
    return null_fit(encoder, measured, family, constant, control)[1].llf


def null_deviance(
    encoder: Encoder, measured: Measured, fit: Fit, constant: bool, control: Control
) -> float:
    """Deviance of a constant mean at the full model's ancillary parameters, as R has it."""
    held = hold(fit.family, [float(fit.theta[s][0]) for s in fit.layout.slices[1:]])
    inner, null = null_fit(encoder, measured, held, constant, control)
    return unit_deviances(inner.rows, null)


def unit_deviances(encoder: Encoder, fit: Fit) -> float:
    """Weighted sum of unit deviances at a fit."""
    deviance = fit.family.deviance
    assert deviance is not None
    return total(encoder, fit, lambda rows: np.maximum(deviance(rows.y, rows.etas), 0.0))


def limit_llf(
    encoder: Encoder, measured: Measured, fit: Fit, limit: Limit, control: Control
) -> float:
    """Log-likelihood of a family's limit with the same design, for its boundary test."""
    quiet = replace(control, progress=False, maxiter=None)
    return fit_limit(encoder, fit, measured, limit, Options(control=quiet)).llf
