"""Null models: every equation a constant, or the mean alone a constant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glmcount.design.formula import intercept_part
from glmcount.design.layout import layout_of
from glmcount.design.measure import Measured
from glmcount.design.rows import Rows
from glmcount.design.spec import EquationDesign
from glmcount.engine.block import BlockRows
from glmcount.engine.information import Information
from glmcount.engine.layout import Layout
from glmcount.engine.passes import likelihood_sums, predictors
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import likelihood_weights
from glmcount.errors import ConvergenceError, NotDefinedError, counted
from glmcount.families.base import Family, Limit
from glmcount.families.combine.hold import hold
from glmcount.fitting.maximise import attempted, fit_limit, maximise
from glmcount.fitting.quadratic import Model
from glmcount.fitting.run import Fit, Run, Settings, fold_sums
from glmcount.fitting.sums import total
from glmcount.numerics import Array
from glmcount.numerics.control import Control
from glmcount.records import replace

__all__ = [
    "limit_llf",
    "null_deviance",
    "null_fit",
    "offset_alone",
    "reachable",
    "tested",
    "unit_deviances",
]


# To the top of a ridge from beside it.
STEPS = 4


def _constant(offsets: tuple[str, ...], constant: bool) -> EquationDesign:
    return EquationDesign((intercept_part(),) if constant else (), offsets)


def null_rows(rows: Rows, constants: Sequence[bool]) -> Rows:
    """The same rows with a constant for each equation that has one; offsets stay."""
    kept = rows.spec.equations[: len(constants)]
    equations = (_constant(e.offsets, own) for e, own in zip(kept, constants, strict=True))
    return rows.constants(replace(rows.spec, equations=tuple(equations)))


def null_fit(
    rows: Rows,
    measured: Measured,
    family: Family,
    constants: Sequence[bool],
    control: Control,
) -> Fit:
    """Fit with every equation a constant, or where it spans none its offset alone."""
    inner = null_rows(rows, constants)
    return _fitted(inner, measured, reachable(family, constants), control)


def reachable(family: Family, constants: Sequence[bool]) -> Family:
    """The family without the limits of predictors that cannot move."""
    if all(constants[1:]):
        return family
    limits = []
    for limit in family.limits:
        if all(constants[k] for k in limit.gone):
            left = [own for k, own in enumerate(constants) if k not in limit.gone]
            limits.append(replace(limit, family=reachable(limit.family, left)))
    return family.with_(limits=tuple(limits))


def _fitted(rows: Rows, measured: Measured, family: Family, control: Control) -> Fit:
    layout = layout_of(rows.spec)
    quiet = replace(control, progress=False, maxiter=None)
    if layout.size:
        options = Settings(control=quiet)
        found = attempted(lambda: maximise(rows, layout, measured, family, options), None)
        if found is None:
            raise ConvergenceError(
                "The null model, of constants alone, cannot begin: at no constant that was tried "
                f"is every mean of a {family.label} model inside its domain. There is no llnull, "
                "llr, prsquared or null_deviance; the fit itself is not concerned.",
                kind="null_model",
            )
        return found if found.separated else _topped(rows, measured, found, options)
    return offset_alone(rows, layout, measured, family, quiet)


def _topped(rows: Rows, measured: Measured, fit: Fit, options: Settings) -> Fit:
    """A fit that came to no end on the top of the ridge where it is.

    Beside a constant mean a parameter may mean nothing, as NB-P's power does: the likelihood is
    the same all along a ridge, and a walk along it ends anywhere, somewhat beside its top.
    """
    if fit.status == "final":
        return fit
    run = Run(fit.narrowed(rows), fit.layout, measured, fit.family, options)
    run.kept = fit.kept
    theta, llf = fit.theta[fit.kept], fit.llf
    for _ in range(STEPS):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            sums = run.reduced(theta, True, expected=False)
        if not sums.llf + measured.constant >= llf - sums.slack:
            break
        llf = max(llf, sums.llf + measured.constant)
        theta = theta + Model.of(sums).told()
    return replace(fit, llf=llf)


def offset_alone(
    rows: Rows, layout: Layout, measured: Measured, family: Family, control: Control
) -> Fit:
    """The fit of a model without parameters."""
    theta = np.zeros(0)
    raw = fold_sums(rows, layout, theta, likelihood_weights(family, False, False), control)
    sums = likelihood_sums(layout, raw)
    return Fit(
        family=family,
        layout=layout,
        theta=theta,
        kept=np.zeros(0, dtype=np.intp),
        llf=sums.llf + measured.constant,
        information=Information(np.zeros((0, 0))),
        condition=1.0,
        reached=(0.0, 0.0),
        last=sums,
        status="final",
        passes=1,
        history=(),
    )


def tested(fit: Fit, null: Fit, columns: Sequence[int], constants: Sequence[bool]) -> int:
    """Parameters of a fit that its null model does not have.

    Parameters
    ----------
    fit, null : Fit
    columns : sequence of int
        Columns of each equation asked for.
    constants : sequence of bool
        Whether it spans a constant.

    Raises
    ------
    NotDefinedError
        Where the null model's maximum is on a boundary at which slopes of the fit mean nothing:
        twice the gain in log-likelihood then has no chi-squared distribution.
    """
    kept = dict(zip(fit.left, fit.columns(), strict=True))
    count = 0
    for k, (every, constant) in enumerate(zip(columns, constants, strict=True)):
        own = kept.get(k, every) - int(constant)
        if own > 0 and k not in null.left:
            if k not in kept:
                # Both are the limit's, and so is the test.
                continue
            label = ", ".join(limit.label for limit in null.limits)
            raise NotDefinedError(
                f"The null model, of constants alone, is largest at {label}, where "
                f"{counted(own, 'coefficient')} of the fit mean nothing: there is no "
                f"chi-squared p-value of llr. "
                "Draw from the null model (fit it, then simulate and refit(y=...)) to see how "
                "large llr comes out by chance.",
                kind="null_on_boundary",
            )
        count += own
    return count


def null_deviance(
    rows: Rows, measured: Measured, fit: Fit, constant: bool, control: Control
) -> float:
    """Deviance of a constant mean at the full model's ancillary parameters, as R has it.

    These are held row by row where they differ between rows.
    """
    equations = rows.spec.equations
    if all(e.names == ("Intercept",) and not e.offsets for e in equations[1:]):
        held = hold(fit.family, [float(fit.theta[s][0]) for s in fit.layout.slices[1:]])
        inner = null_rows(rows, (constant,))
    else:
        held = fit.family.with_(limits=(), relative=None)
        inner = _held_rows(rows, fit, constant)
    return unit_deviances(inner.single, _fitted(inner, measured, held, control))


def _held_rows(rows: Rows, fit: Fit, constant: bool) -> Rows:
    """The same rows with a constant mean, the other predictors of the fit being offsets."""
    mean, *others = rows.spec.equations
    equations = (_constant(mean.offsets, constant), *(EquationDesign((), ()) for _ in others))
    blocks = (BlockRows(None, (None,)),) if constant else ()

    def turn(strip: Strip) -> Strip:
        held: tuple[Array, ...] = tuple(
            np.array(np.broadcast_to(eta, (strip.n,)))
            for eta in predictors(fit.layout, strip, fit.theta)[1:]
        )
        return replace(strip, blocks=blocks, offsets=(strip.offsets[0], *held))

    return rows.turned(replace(rows.spec, equations=equations), turn)


def unit_deviances(data: Rows, fit: Fit) -> float:
    """Weighted sum of unit deviances at a fit."""
    deviance = fit.family.deviance
    assert deviance is not None
    return total(data, fit, lambda rows: np.maximum(deviance(rows.y, rows.etas), 0.0))


def limit_llf(
    rows: Rows, measured: Measured, fit: Fit, limit: Limit, control: Control
) -> float | None:
    """Log-likelihood of a family's limit with the same design, for its boundary test.

    None where its fit cannot begin.
    """
    quiet = Settings(control=replace(control, progress=False, maxiter=None))
    found = attempted(lambda: fit_limit(rows, fit, measured, limit, quiet), None)
    return None if found is None else found.llf
