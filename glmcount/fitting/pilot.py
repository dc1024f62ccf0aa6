"""Where a large fit begins: the estimate from a sample, which then guides it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from glmcount.engine.passes import Sums, few_dense
from glmcount.engine.weigh import Unweighed, Weighed
from glmcount.families.base import Limit
from glmcount.fitting.guide import Guide
from glmcount.fitting.run import Run, fold_sums
from glmcount.fitting.solvers import newton, newton_step
from glmcount.numerics import Array

__all__ = ["joined_start", "limit_run", "piloted"]

# So many times its usual error a pilot's estimate is looked into.
UNLIKE = 10.0
# So many times a sample's rows the data have where its guidance saves more than it takes.
FEW = 10
# Strips of a pilot's rows where threads share a pass, and rows of the data from which they do.
PARTS = 2
THREADED = 400_000


def piloted(run: Run, theta: Array, head: int) -> Array:
    """The pilot's estimate, unless it misleads.

    It does where the rows are unlike its sample. One of m rows leaves about sqrt(p n / m) standard
    errors. Where there are many more, its log-likelihood has to be better than that of the
    plain start. The solver begins with the pass that tells.
    """
    found = _estimate(run, theta, head)
    rows = head * run.rows.source.n_strips
    usual = UNLIKE * math.sqrt(run.layout.size * run.rows.n_used / rows)
    sums = run.reduced(found, True, expected=run.scoring)
    if math.isfinite(sums.llf) and (not sums.information.definite or newton_step(sums)[1] <= usual):
        return found
    plain = run.reduced(theta, True, expected=run.scoring)
    return found if sums.llf > plain.llf else theta


def _estimate(full: Run, theta: Array, head: int) -> Array:
    """Starting values from the head of every strip; through a limit where one opens the way."""
    threaded = full.rows.n_used > THREADED and not few_dense(full.layout)
    rows = full.rows.head(head, PARTS if threaded else 1)
    run = Run(rows, full.layout, full.measured, full.family, full.options)
    run.pilot, run.history = True, full.history
    opening = next((limit for limit in run.family.limits if limit.opens), None)
    expected = run.family.expected is not None and not run.family.limits
    if opening is not None:
        inner = limit_run(run, opening)
        inner.pilot = True
        found = newton(inner.problem(False), theta[run.layout.places(opening.gone)])
        run.history += inner.history
        theta, _ = joined_start(run, inner, opening, found.theta)
    outcome = newton(run.problem(expected), theta)
    full.guide = _guide(full, run) or full.guide
    return outcome.theta if np.all(np.isfinite(outcome.theta)) else theta


def _guide(full: Run, pilot: Run) -> Guide | None:
    """The rows of a pilot as a guide for the fit of all, where they are few beside those."""
    n, m = full.rows.n_used, pilot.rows.n_used
    if n < FEW * m:
        return None

    def sample(theta: Array, kept: NDArray[np.intp]) -> Sums:
        pilot.kept = kept
        # Observed under scoring too: by which the two informations differ is noise, more of it
        # in a sample than in all rows, and would bend steps for nothing.
        return pilot.reduced(theta, True, expected=False)

    return Guide(sample, n / m, full.size, m)


def limit_run(run: Run, limit: Limit) -> Run:
    """The fit of a family's limit to the same rows, with a history of its own."""
    out = Run(
        run.rows.without(limit.gone),
        run.layout.without(limit.gone),
        run.measured,
        limit.family,
        run.options,
    )
    out.history, out.searches = [], False
    return out


def joined_start(run: Run, inner: Run, limit: Limit, theta: Array) -> tuple[Array, float]:
    """Starting values inside from a limit fit, and the one-sided score at the boundary."""

    def weigh(rows: Unweighed) -> Weighed:
        score, information = np.broadcast_arrays(*limit.score(rows.y, rows.etas))
        if rows.weights is not None:
            score, information = score * rows.weights, information * rows.weights
        return Weighed(np.array([score.sum(), information.sum()]), (None,) * inner.layout.q, {})

    raw = fold_sums(inner.rows, inner.layout, theta, weigh, run.control)
    score, information = raw["s",]
    joined = np.zeros(run.layout.size)
    joined[run.layout.places(limit.gone)] = theta
    first = run.family.start(run.measured.sums)
    for equation in limit.gone:
        constant = run.layout.constants[equation]
        if constant is not None:
            ratio = float(score / information) if information > 0 else 0.0
            start = limit.start(ratio) if equation == limit.equation else first[equation]
            joined += start * constant
    return joined, float(score)
