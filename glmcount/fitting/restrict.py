"""Fits under linear constraints: profiles, tests by scores, refits at a boundary."""

from __future__ import annotations

import math

import numpy as np

from glmcount.design.measure import Measured
from glmcount.design.rows import Rows
from glmcount.engine.information import Information
from glmcount.errors import UsageError
from glmcount.fitting.constraints import Constraints
from glmcount.fitting.digits import PRECISE, precise
from glmcount.fitting.run import Fit, Run, Settings
from glmcount.fitting.solvers import solver
from glmcount.numerics import Array
from glmcount.records import dataclass, replace

__all__ = ["Restricted", "restricted"]


@dataclass(frozen=True)
class Restricted:
    """The largest likelihood of a model under constraints.

    Parameters
    ----------
    theta : ndarray, shape (p,)
        In shifted columns; `estimate` in the user's.
    llf : float
    score : ndarray, shape (k,)
        By all kept parameters in shifted columns: what is held shows in it.
    information : Information
        Over all kept parameters.
    status : str
        As that of a fit; "recession" where the maximum is at infinity.
    passes : int
    """

    theta: Array
    estimate: Array
    llf: float
    score: Array
    information: Information
    status: str
    passes: int


def restricted(
    rows: Rows,
    measured: Measured,
    fit: Fit,
    options: Settings,
    constraints: tuple[Array, Array],
    near: Array | None = None,
    ends: bool = True,
) -> Restricted:
    """Fit the model of a fit again under R theta = q.

    Parameters
    ----------
    rows, measured
        As the fit's own family sees them.
    fit : Fit
    options : Settings
    constraints : (R, q)
        Over all parameters in the user's columns, ancillary ones as they are estimated.
    near : ndarray, shape (p,), optional
        Parameters in shifted columns from which to begin, such as those of the value before.
    ends : bool
        Whether log-likelihood, score and information are those of the end; else of the point from
        which the last step led there, which spares a pass where parameters are all that is asked.

    Raises
    ------
    UsageError
        If no parameters meet the constraints, or a column that was left out is among them.
    """
    matrix, values = constraints
    layout, kept = fit.layout, fit.kept
    if len(matrix) and np.delete(matrix, kept, axis=1).any():
        raise UsageError(
            "A constraint speaks of a column that was left out because others give it: it has no "
            "coefficient of its own. Leave out the others.",
            kind="constraint_on_aliased",
        )
    held, inside = None, matrix
    if len(matrix):
        inside = layout.functions(matrix, kept)
        held = Constraints.by(inside, values, layout.sizes[kept])
    quiet = replace(options.control, progress=False, maxiter=None)
    run = Run(rows, layout, measured, fit.family, replace(options, control=quiet))
    run.kept = kept
    with rows.solving(layout.size), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        begin = _begin(run, fit, (inside, values), held, near)
        problem = run.problem(run.scoring)
        problem = problem if held is None else replace(problem, held=held)
        outcome = solver(options.method).solve(problem, begin)
        at = outcome.theta if ends or outcome.status != "final" else outcome.at
        sums = run.reduced(at, True, expected=run.scoring)
        theta = run.widened(outcome.theta)
        large = ends and measured.sums.largest > PRECISE and outcome.status == "final"
        llf = precise(run, theta) if large else sums.llf
    return Restricted(
        theta,
        layout.unshift(theta),
        llf + measured.constant,
        sums.score,
        sums.information,
        outcome.status,
        run.passes,
    )


def _begin(
    run: Run,
    fit: Fit,
    inside: tuple[Array, Array],
    held: Constraints | None,
    near: Array | None,
) -> Array:
    """Where a fit under constraints begins: at the top of the quadratic that the fit ends in."""
    if near is not None:
        return near[fit.kept]
    plain = fit.settled[fit.kept]
    if held is None or not fit.information.definite:
        return plain
    matrix, values = inside
    gap = values - np.dot(matrix, plain)
    moves = fit.information.solve(matrix.T)
    bent = plain + np.dot(moves, np.linalg.lstsq(np.dot(matrix, moves), gap, rcond=None)[0])
    first = run.reduced(held.point(bent[held.free]), True, expected=run.scoring)
    return bent if math.isfinite(first.llf) else plain
