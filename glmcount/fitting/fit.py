"""One fit, assembled: start, pilot, rank, solver, boundaries, and the frozen `Fit`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from glmcount.design.blocks import Layout
from glmcount.design.encode import Encoder
from glmcount.design.measure import Measured
from glmcount.families.base import Family, Limit
from glmcount.fitting.objective import Rows, Sums, Weighed, assemble
from glmcount.fitting.rank import Dependence, dependences
from glmcount.fitting.run import Fit, Options, Run, fold_sums, ill_conditioned
from glmcount.fitting.separation import recession_rows
from glmcount.fitting.solvers import Outcome, newton, newton_step, solver
from glmcount.numerics import Array, factor

__all__ = ["fit_limit", "maximise"]

PILOT_FROM = 200_000
PILOT_SHARE = 20
# With |l'''| <= |l''| a step that moves no predictor by more than rho changes the information
# by at most a factor exp(rho), so standard errors by rho / 2: this keeps ten digits.
REFRESH = 2e-10
LATE = 1e9


def maximise(
    encoder: Encoder, layout: Layout, measured: Measured, family: Family, options: Options
) -> Fit:
    """Maximise the log-likelihood of a family over encoded rows."""
    with encoder.solving(layout.size):
        return _maximise(encoder, layout, measured, family, options)


def _maximise(
    encoder: Encoder, layout: Layout, measured: Measured, family: Family, options: Options
) -> Fit:
    run = Run(encoder, layout, measured, family, options)
    theta = _start(run)
    head = _pilot_rows(measured.n, layout.size, encoder.source.n_strips)
    outside: Fit | None = None
    if options.start is None:
        if head is not None:
            theta = _pilot(run, theta, head)
        elif family.limits:
            outside, theta = _from_limit(run, theta)
            if outside is not None:
                return outside
    fit = _solve(run, theta)
    if fit.status != "final" and family.limits:
        outside, _ = _from_limit(run, fit.theta)
    return outside or fit


def _pilot_rows(n: int, p: int, strips: int) -> int | None:
    """Rows of each strip that a pilot fit takes; None where it would not pay."""
    if n < PILOT_FROM or n < 400 * p:
        return None
    return -(-max(n // PILOT_SHARE, 20 * p) // strips)


def _start(run: Run) -> Array:
    layout, given = run.layout, run.options.start
    if given is not None:
        return np.dot(layout.reshift, given)
    theta = np.zeros(layout.size)
    constants = layout.constants
    for constant, value in zip(constants, run.family.start(run.measured.sums), strict=True):
        if constant is not None:
            theta += value * constant
    if constants[0] is None or not run.family.mean_log:
        sums = run.evaluate(theta, second=False, expected=False)
        if constants[0] is None or not np.isfinite(sums.llf):
            theta = _least_squares(run, theta)
    return theta


def _least_squares(run: Run, theta: Array) -> Array:
    """Start by regressing the lifted response on the design (McCullagh & Nelder 2.5)."""
    q = run.layout.q
    zero = np.zeros(run.layout.size)

    def weigh(rows: Rows) -> Weighed:
        w = np.ones(rows.y.shape[1]) if rows.weights is None else rows.weights
        lifted = run.family.lift(np.maximum(rows.y[0], 0.1)) - rows.etas[0]
        first = (w * lifted, *([None] * (q - 1)))
        return Weighed(np.zeros(1), first, {(0, 0): w})

    raw = fold_sums(run.encoder, run.layout, zero, weigh, run.control)
    _, score, gram = assemble(run.layout, raw)
    own = run.layout.slices[0]
    step, _, _ = newton_step(Sums(0.0, score[own], gram[own, own], 0.0))
    out = theta.copy()
    out[own] = step
    return out


def _pilot(run: Run, theta: Array, head: int) -> Array:
    expected = run.family.expected is not None and not run.family.limits
    if run.family.limits:
        limit = run.family.limits[0]
        inner = _limit_run(run, limit)
        found = newton(inner.problem(False, head), theta[inner.kept])
        run.history += inner.history
        theta, _ = _joined(run, inner, limit, found.theta, head)
    outcome = newton(run.problem(expected, head), theta)
    return outcome.theta if np.all(np.isfinite(outcome.theta)) else theta


def _limit_run(run: Run, limit: Limit) -> Run:
    layout = run.layout
    blocks = tuple(b for b in layout.blocks if b.equation != limit.equation)
    end = layout.slices[limit.equation].start
    constants = tuple(None if c is None else c[:end] for c in layout.constants[: limit.equation])
    inner = Layout(blocks, layout.slices[: limit.equation], constants)
    out = Run(run.encoder, inner, run.measured, limit.family, run.options)
    out.history = []
    return out


def _joined(
    run: Run, inner: Run, limit: Limit, theta: Array, head: int | None
) -> tuple[Array, float]:
    """Starting values from a limit fit, and the one-sided score at the boundary."""
    full = np.zeros(inner.layout.size)
    full[inner.kept] = theta

    def weigh(rows: Rows) -> Weighed:
        score, information = np.broadcast_arrays(*limit.score(rows.y, rows.etas))
        if rows.weights is not None:
            score, information = score * rows.weights, information * rows.weights
        return Weighed(np.array([score.sum(), information.sum()]), (None,) * inner.layout.q, {})

    raw = fold_sums(run.encoder, inner.layout, full, weigh, run.control, head)
    score, information = raw["s",]
    joined = np.zeros(run.layout.size)
    joined[: inner.layout.size] = full
    constant = run.layout.constants[limit.equation]
    if constant is not None:
        joined += limit.start(float(score / information) if information > 0 else 0.0) * constant
    return joined, float(score)


def _from_limit(run: Run, theta: Array) -> tuple[Fit | None, Array]:
    """Fit the limit family; it is the answer where the score there points outwards."""
    limit = run.family.limits[0]
    inner = _limit_run(run, limit)
    fit = _solve(inner, theta[: inner.layout.size])
    run.passes += inner.passes
    joined, score = _joined(run, inner, limit, fit.theta[inner.kept], None)
    if fit.falling is not None:
        # Far along a recession the joint information is singular: start before it.
        joined[: inner.layout.size] = theta[: inner.layout.size]
    if score <= 0:
        return replace(fit, limit=limit), joined
    run.history += inner.history
    return None, joined


def fit_limit(
    encoder: Encoder, fit: Fit, measured: Measured, limit: Limit, options: Options
) -> Fit:
    """Fit a family's limit to the same rows and design, from a fit of the family."""
    run = Run(encoder, fit.layout, measured, fit.family, options)
    inner = _limit_run(run, limit)
    return _solve(inner, fit.theta[: inner.layout.size])


def _late_dependences(
    run: Run, outcome: Outcome, found: tuple[Dependence, ...]
) -> tuple[Dependence, ...]:
    """Columns that only the information at the end shows to depend on others."""
    if outcome.status == "recession" or ill_conditioned(outcome.sums.information) < LATE:
        return ()
    full = np.eye(run.layout.size)
    full[np.ix_(run.kept, run.kept)] = outcome.sums.information
    known = {one.column for one in found}
    again = dependences(run.encoder, run.layout, full)
    return tuple(one for one in again if one.column not in known)


def _widened(run: Run, theta: Array) -> Array:
    full = np.zeros(run.layout.size)
    full[run.kept] = theta
    return full


def _solve(run: Run, theta: Array, known: tuple[Dependence, ...] = ()) -> Fit:
    chosen = solver(run.options.method)
    # The first pass decides the rank; its sums are the solver's first.
    expected = chosen.expected and run.family.expected is not None
    run.kept = np.arange(run.layout.size)
    first = run.reduced(theta, True, expected=expected)
    found = known or dependences(run.encoder, run.layout, first.information)
    if found:
        theta = theta.copy()
        for one in found:
            theta += theta[one.column] * one.combination
            theta[one.column] = 0.0
        out = {one.column for one in found}
        run.kept = np.asarray([j for j in range(run.layout.size) if j not in out], dtype=np.intp)
    outcome = chosen.run(run.problem(expected), theta[run.kept])
    late = _late_dependences(run, outcome, found)
    if late:
        return _solve(run, _widened(run, outcome.theta), (*found, *late))
    falling = None
    if outcome.status == "recession":
        outcome, falling = _recede(run, outcome, expected)
    return _finished(run, outcome, expected, found, falling)


Falling = tuple[NDArray[np.bool_], tuple[int, ...], Array]


def _recede(run: Run, outcome: Outcome, expected: bool) -> tuple[Outcome, Falling | None]:
    """Is it separation? Then go on until what is left of the rows no longer matters."""
    full = np.zeros(run.layout.size)
    full[run.kept] = outcome.step
    rows = recession_rows(run.encoder, run.layout, full)
    on = newton(run.problem(expected, recession=1e-6 if rows else 0.0), outcome.theta)
    if rows is None:
        return on, None
    return replace(on, status="recession"), (*rows, full)


def _finished(
    run: Run,
    outcome: Outcome,
    expected: bool,
    found: tuple[Dependence, ...],
    falling: Falling | None,
) -> Fit:
    wanted = run.options.information == "expected" and run.family.expected is not None
    theta, sums = outcome.theta, outcome.sums
    rho, decrement = outcome.rho, outcome.decrement
    if wanted != expected or rho > REFRESH:
        sums = run.reduced(theta, True, expected=wanted)
        definite = factor(sums.information)
        if definite is not None and outcome.status == "final":
            # The information is there, so the step from it is free.
            step = definite.solve(sums.score)
            decrement = float(np.sqrt(max(np.dot(sums.score, step), 0.0)))
            rho = run.reach(step)
            theta = theta + step if rho <= 1e-6 else theta
    full = np.zeros(run.layout.size)
    full[run.kept] = theta
    return Fit(
        family=run.family,
        layout=run.layout,
        theta=full,
        kept=run.kept,
        llf=sums.llf + run.measured.constant,
        information=sums.information,
        reached=(rho, decrement, sums.floor),
        status=outcome.status,
        passes=run.passes,
        history=tuple(run.history),
        dependences=found,
        falling=falling,
    )
