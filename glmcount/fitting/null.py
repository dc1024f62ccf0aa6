"""Null models: every equation a constant, or the mean alone a constant."""

from __future__ import annotations

import numpy as np

from glmcount.design.blocks import Layout
from glmcount.design.encode import Encoder
from glmcount.design.formula import intercept_part
from glmcount.design.layout import layout_of
from glmcount.design.measure import Measured
from glmcount.design.spec import EquationDesign
from glmcount.families.base import Family, Limit, hold
from glmcount.fitting.fit import fit_limit, maximise
from glmcount.fitting.objective import likelihood_sums, likelihood_weights
from glmcount.fitting.run import Fit, Options, fold_sums
from glmcount.fitting.sums import total
from glmcount.numerics import Control, factor
from glmcount.records import replace

__all__ = ["limit_llf", "null_deviance", "null_llf", "unit_deviances"]


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
