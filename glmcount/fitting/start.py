"""Where a fit begins: closed forms, or a regression of the lifted response."""

from __future__ import annotations

import math

import numpy as np

from glmcount.engine.passes import Sums, assemble
from glmcount.engine.weigh import Unweighed, Weighed
from glmcount.fitting.run import Run, fold_sums
from glmcount.fitting.solvers import newton_step
from glmcount.numerics import Array
from glmcount.sources.base import STRIP_ROWS

__all__ = ["first_values", "pilot_rows", "usual"]

PILOT_FROM = 50_000
PILOT_SHARE = 20
PILOT_LEAST = 10_000
PILOT_MOST = STRIP_ROWS
PILOT_BYTES = 16 * 2**20


def pilot_rows(n: int, p: int, strips: int, columns: int) -> int | None:
    """Rows of each strip that a pilot fit takes; None where it would not pay.

    They are copied, so that many numeric `columns` make them fewer.
    """
    if n < PILOT_FROM or n < 400 * p:
        return None
    most = min(PILOT_MOST, max(PILOT_BYTES // (8 * max(columns, 1)), 20 * p))
    rows = min(max(n // PILOT_SHARE, PILOT_LEAST, 20 * p), most)
    return rows // strips or None


def first_values(run: Run) -> Array:
    """Starting values: those given, or closed forms for the constants and zero slopes."""
    layout, given = run.layout, run.options.start
    if given is not None:
        return layout.reshift(given)
    theta = usual(run)
    # Every mean of a logarithm lies in its domain.
    if layout.constants[0] is None or not (run.family.mean_log or _possible(run, theta)):
        theta = _least_squares(run, theta)
    return theta


def usual(run: Run) -> Array:
    """What the family starts from, whatever the covariates: constants and zero slopes."""
    theta = np.zeros(run.size)
    starts = run.family.start(run.measured.sums)
    for constant, value in zip(run.layout.constants, starts, strict=True):
        if constant is not None:
            theta += value * constant
    return theta


def _possible(run: Run, theta: Array) -> bool:
    """Whether every mean lies in its domain."""
    return math.isfinite(run.evaluate(theta, second=False, expected=False).llf)


def _least_squares(run: Run, theta: Array) -> Array:
    """Start by regressing the lifted response on the design (McCullagh & Nelder 2.5)."""
    q = run.layout.q
    zero = np.zeros(run.layout.size)

    def weigh(rows: Unweighed) -> Weighed:
        w = np.ones(rows.y.shape[1]) if rows.weights is None else rows.weights
        inside = np.clip(rows.y[0], 0.1, run.family.support[1] - 0.1)
        lifted = run.family.lift(inside) - rows.etas[0]
        first = (w * lifted, *([None] * (q - 1)))
        return Weighed(np.zeros(1), first, {(0, 0): w})

    raw = fold_sums(run.rows, run.layout, zero, weigh, run.control)
    _, score, gram = assemble(run.layout, raw)
    own = run.layout.slices[0]
    step, _, _ = newton_step(Sums(0.0, score[own], gram[own, own], 0.0))
    out = theta.copy()
    out[own] = step
    return out
