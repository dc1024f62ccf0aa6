"""One fit, assembled: start, pilot, rank, solver, boundaries, and the frozen `Fit`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np

from glmcount.design.blocks import Layout, Strip
from glmcount.design.encode import Encoder
from glmcount.design.measure import Measured
from glmcount.errors import ConvergenceError
from glmcount.families.base import Family, Limit
from glmcount.fitting.digits import PRECISE, precise
from glmcount.fitting.falling import Falling
from glmcount.fitting.objective import Rows, Sums, Weighed, assemble, informed, predictors
from glmcount.fitting.pilot import joined_start, limit_run, piloted
from glmcount.fitting.rank import PIVOT, Dependence, dependences
from glmcount.fitting.recession import far_along
from glmcount.fitting.run import WELL, Fit, Options, Run, fold_sums, ill_conditioned
from glmcount.fitting.search import searched
from glmcount.fitting.separation import (
    by_curvature,
    doubtful,
    further,
    limit_outcome,
    separated,
)
from glmcount.fitting.solvers import Outcome, newton, solver
from glmcount.fitting.start import first_values, pilot_rows
from glmcount.fitting.walls import at_wall
from glmcount.numerics import Array
from glmcount.records import replace

__all__ = ["attempted", "fit_limit", "maximise"]

T = TypeVar("T")
S = TypeVar("S")

# With |l'''| <= |l''| a step that moves no predictor by more than rho changes the information
# by at most a factor exp(rho), so standard errors by rho / 2: this keeps ten digits.
REFRESH = 2e-10
LATE = 1e9
# Exact passes that this may take.
FURTHER = 3
# Log-likelihoods closer than this are one: what a recession leaves undone.
SAME = 1e-6
DOUBT = 1.0 / 3.0
# Searches from a better point that the one before found.
ROUNDS = 3
# Rows up to which the floor's parts take less memory than a result does.
HELD = 1_000


def maximise(
    encoder: Encoder, layout: Layout, measured: Measured, family: Family, options: Options
) -> Fit:
    """Maximise the log-likelihood of a family over encoded rows."""
    with encoder.solving(layout.size), _overflowing():
        run = Run(encoder, layout, measured, family, options)
        theta = first_values(run)
        given = options.start is not None
        strips, columns = encoder.source.n_strips, layout.dense_columns
        head = None if given else pilot_rows(encoder.n_used, layout.size, strips, columns)
        if head is not None:
            start = theta
            theta = attempted(lambda: piloted(run, start, head), start)
        found = _climb(run, theta, opened=given or head is not None)
        return found if family.concave else replace(found, looked=run.looked)


def _overflowing() -> np.errstate:
    """Steps that overshoot overflow on purpose: their sums are not finite, and are halved."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


def _climb(run: Run, theta: Array, opened: bool) -> Fit:
    """From a start to the maximum, which may lie on a boundary."""
    opening = next((limit for limit in run.family.limits if limit.opens), None)
    if opening is not None and not opened:
        start = theta
        found = attempted(lambda: _limit_fit(run, start, opening), None)
        if found is not None:
            outside, theta, score = found
            if score <= 0:
                outside = replace(outside, limits=(opening, *outside.limits))
                fit = _elsewhere(run, outside, theta)
                return fit if fit is outside else _settled(run, fit)
    fit = _solve(run, theta)
    if run.family.slack is not None and not (fit.status == "final" and math.isfinite(fit.llf)):
        return at_wall(run, fit, theta)
    if run.family.relative is not None and run.options.start is None and _uncertain(fit):
        relative = run.family.relative
        begin = attempted(lambda: _from_relative(run, *relative), None)
        other = None if begin is None else _tried(run, begin)
        if other is not None and (fit.status != "final" or other.llf > fit.llf + SAME):
            fit = other
    return _settled(run, _elsewhere(run, fit, fit.theta))


def _uncertain(fit: Fit) -> bool:
    """Whether a limit may be as good as a fit, or better."""
    return not fit.separated and (fit.status != "final" or _doubtful(fit))


def _settled(run: Run, fit: Fit) -> Fit:
    return _at_limits(run, fit) if _uncertain(fit) else fit


def _elsewhere(run: Run, fit: Fit, base: Array) -> Fit:
    """The best of a fit and of what a search from elsewhere climbs to."""
    if run.family.concave or not run.searches:
        return fit
    single = all(own.stop - own.start == 1 for own in run.layout.slices[1:])
    if single and not run.family.several:
        return fit
    best = fit
    for _ in range(ROUNDS):
        found = searched(run, base, best.llf - run.measured.constant)
        if found is None:
            break
        run.looked = replace(run.looked, starts=run.looked.starts + found.starts, rows=found.rows)
        ends = [_ended(run, point) for point in found.better]
        better = max(
            (end for end in ends if end is not None), key=lambda end: end.llf, default=best
        )
        if better.llf <= best.llf + SAME:
            break
        best, base = better, better.theta
    return best


def _ended(run: Run, theta: Array) -> Fit | None:
    """The fit from a start that a search found; None where it comes to no end."""
    fit = attempted(lambda: _solve(run, theta), None)
    ended = fit is not None and fit.status in ("final", "recession") and math.isfinite(fit.llf)
    return fit if ended else None


def _tried(run: Run, theta: Array) -> Fit | None:
    """The fit from a further start; None where it comes to no end or cannot begin there."""
    fit = attempted(lambda: _solve(run, theta), None)
    return fit if fit is not None and fit.status == "final" else None


def attempted(fit: Callable[[], T], otherwise: S) -> T | S:
    """What a secondary fit comes to, or something else where it cannot begin."""
    try:
        return fit()
    except ConvergenceError:
        return otherwise


def _from_relative(run: Run, family: Family, factors: tuple[float, ...]) -> Array:
    """A second start: the estimates of a family that is easier to fit."""
    kin = Run(run.encoder, run.layout, run.measured, family, run.options)
    theta = _solve(kin, first_values(kin)).theta.copy()
    run.passes += kin.passes
    for own, sign in zip(run.layout.slices, factors, strict=True):
        theta[own] *= sign
    return theta


def _doubtful(fit: Fit) -> bool:
    """Whether an ancillary constant is so uncertain that its boundary may be as good.

    A logarithm or logit with a standard error of 1/3 is three errors from its boundary on
    the natural scale; only nearer than that, and only where the limit is not where the
    fit came from, it is fitted and compared.
    """
    far = [limit for limit in fit.family.limits if not limit.opens]
    if not far or fit.definite is None:
        return bool(far)
    variances = np.diag(fit.definite.inverse())
    for limit in far:
        own = fit.layout.slices[limit.equation]
        within = (fit.kept >= own.start) & (fit.kept < own.stop)
        if np.all(variances[within] > DOUBT**2):
            return True
    return False


def _at_limits(run: Run, fit: Fit) -> Fit:
    """The best of a fit and its family's limits, started again where a limit points inwards."""
    best = fit
    for limit in run.family.limits:
        found = attempted(partial(_limit_fit, run, fit.theta, limit), None)
        if found is None:
            continue
        inner, joined, score = found
        if inner.llf < best.llf - SAME:
            continue
        if score > 0:
            again = _tried(run, joined)
            if again is not None and again.llf > inner.llf - SAME:
                best = again if again.llf > best.llf or best.status != "final" else best
                continue
        if best.status != "final" or inner.llf > best.llf + SAME:
            best = replace(inner, limits=(limit, *inner.limits))
    return best


def _limit_fit(run: Run, theta: Array, limit: Limit) -> tuple[Fit, Array, float]:
    """The limit's own fit, a start inside from it, and the score there."""
    run.looked = replace(run.looked, limits=(*run.looked.limits, limit.label))
    inner = limit_run(run, limit)
    begin = theta[run.layout.places(limit.gone)]
    found = attempted(lambda: _climb(inner, begin, opened=False), None)
    if found is None:
        # From where a family has run off its limit need not be able to begin.
        inner.options = replace(inner.options, start=None)
        found = _climb(inner, first_values(inner), opened=False)
    fit = found
    run.passes += inner.passes
    if fit.limits:
        # A boundary of the limit itself: nothing inside starts from there.
        return fit, theta, 0.0
    joined, score = joined_start(run, inner, limit, fit.theta)
    if fit.falling is not None:
        # Far along a recession the joint information is singular: start before it.
        joined[run.layout.places(limit.gone)] = begin
    run.history += inner.history if limit.opens else []
    return fit, joined, score


def fit_limit(
    encoder: Encoder, fit: Fit, measured: Measured, limit: Limit, options: Options
) -> Fit:
    """Fit a family's limit to the same rows and design, from a fit of the family."""
    run = Run(encoder, fit.layout, measured, fit.family, options)
    with encoder.solving(fit.layout.size), _overflowing():
        return _limit_fit(run, fit.theta, limit)[0]


def _late_dependences(
    run: Run, outcome: Outcome, condition: float, found: tuple[Dependence, ...]
) -> tuple[Dependence, ...]:
    """Columns that only the information at the end shows to depend on others."""
    if outcome.status == "recession" or condition < LATE:
        return ()
    full = np.eye(run.layout.size)
    full[np.ix_(run.kept, run.kept)] = outcome.sums.information
    known = {one.column for one in found}
    again = dependences(run.encoder, run.layout, full)
    return tuple(one for one in again if one.column not in known)


def _first_dependences(run: Run, theta: Array, first: Sums) -> tuple[Dependence, ...]:
    """Columns that depend on others, told by the first pass.

    Away from the maximum the observed information of several parts need not be a Gram
    matrix: where it is not definite, every row counts once in each part that it informs.
    """
    if run.layout.q == 1 or run.family.expected is not None or first.apart(PIVOT):
        return dependences(run.encoder, run.layout, first.information, definite=first.definite)

    def weigh(rows: Rows) -> Weighed:
        second = {(k, k): w for k, w in enumerate(informed(run.family, rows))}
        return Weighed(np.zeros(1), (None,) * run.layout.q, second)

    def said(strip: Strip) -> tuple[Array, ...]:
        return informed(run.family, Rows(strip.y, None, predictors(run.layout, strip, theta)))

    gram = assemble(run.layout, fold_sums(run.encoder, run.layout, theta, weigh, run.control))[2]
    return dependences(run.encoder, run.layout, gram, said)


def _solve(run: Run, theta: Array, known: tuple[Dependence, ...] = ()) -> Fit:
    chosen = solver(run.options.method)
    # The first pass decides the rank; its sums are the solver's first.
    expected = run.scoring
    if len(run.kept) < run.size:
        run.kept = np.arange(run.size)
    if run.gone is not None:
        run.gone, run.memo = None, None
    if run.guide is not None:
        run.guide.begun()
    first = run.reduced(theta, True, run.rough, expected=expected)
    if first.rough and not first.clear:
        run.rough = False
        first = run.reduced(theta, True, expected=expected)
    found = known or _first_dependences(run, theta, first)
    if found:
        theta = theta.copy()
        for one in found:
            theta += theta[one.column] * one.combination
            theta[one.column] = 0.0
        out = {one.column for one in found}
        run.kept = np.asarray([j for j in range(run.layout.size) if j not in out], dtype=np.intp)
        theta = theta[run.kept]
    outcome = chosen.run(run.problem(expected), theta)
    if outcome.status != "final" and expected:
        outcome, expected = by_curvature(run, outcome)
    if doubtful(run, outcome):
        falling = separated(run, outcome, found)
        if falling is not None:
            return _at_infinity(run, run.widened(outcome.theta), expected, found, falling)
    condition = ill_conditioned(outcome.sums.definite)
    late = _late_dependences(run, outcome, condition, found)
    if late:
        return _solve(run, run.widened(outcome.theta), (*found, *late))
    alone = None
    if outcome.status == "recession":
        outcome, alone = _recede(run, outcome, expected)
    return _finished(run, outcome, expected, condition, found, alone)


def _recede(run: Run, outcome: Outcome, expected: bool) -> tuple[Outcome, Falling | None]:
    """What is made of a recession that no rows stand for.

    One of several parts is kept with its direction: a limit may be the answer, and if none is,
    the maximum is at infinity. Else the way is only long.
    """
    if run.layout.q > 1:
        step = run.widened(outcome.step) / max(outcome.rho, 1e-300)
        return outcome, Falling(np.zeros(run.measured.n, dtype=bool), (), run.layout, step)
    return newton(run.problem(expected, recession=0.0), outcome.theta), None


def _at_infinity(
    run: Run, theta: Array, expected: bool, found: tuple[Dependence, ...], falling: Falling
) -> Fit:
    """The fit in the limit to which rows without doubt lead: of what the others tell."""
    assert falling.carriers is not None
    kept = run.kept
    theta = theta if np.all(np.isfinite(theta)) else _usual(run)
    run.gone, run.memo, run.rough, run.guide = falling, None, False, None
    run.kept = np.setdiff1d(kept, falling.carriers)
    starts = (falling.started(run.layout, each) for each in (theta, _usual(run)))
    outcome = limit_outcome(run, expected, starts)
    more = further(run, outcome, found, falling)
    if more is not None and more.leads_on(falling):
        theta, run.kept = run.widened(outcome.theta), kept
        return _at_infinity(run, theta, expected, found, more)
    condition = ill_conditioned(outcome.sums.definite)
    fit = _finished(run, outcome, expected, condition, found, None)
    information = np.zeros((len(kept), len(kept)))
    inside = np.flatnonzero(~np.isin(kept, falling.carriers))
    information[np.ix_(inside, inside)] = fit.information
    run.kept = kept
    return replace(
        fit,
        theta=far_along(run.encoder, run.layout, falling, fit.theta),
        kept=kept,
        information=information,
        definite=None,
        status="recession" if fit.status == "final" else fit.status,
        falling=replace(falling, settled=fit.theta),
    )


def _usual(run: Run) -> Array:
    """Usual values of the parameters, whatever the response."""
    theta = np.zeros(run.layout.size)
    for constant, value in zip(
        run.layout.constants, run.family.start(run.measured.sums), strict=True
    ):
        theta += 0.0 if constant is None else value * constant
    return theta


def _rounding(sums: Sums, rows: int) -> Callable[[], float]:
    """What gives the rounding floor: its parts are held only where they are few."""
    if rows <= HELD:
        return lambda: sums.floor
    floor = sums.floor
    return lambda: floor


def _finished(
    run: Run,
    outcome: Outcome,
    expected: bool,
    condition: float,
    found: tuple[Dependence, ...],
    falling: Falling | None,
) -> Fit:
    wanted = run.options.information == "expected" and run.family.expected is not None
    theta, sums = outcome.theta, outcome.sums
    rho, decrement = outcome.rho, outcome.decrement
    # Where no curvature bounds the third derivative a digit more is asked of the step.
    limit = REFRESH if run.family.curvature else 0.1 * REFRESH
    again = (wanted != expected and not run.family.canonical) or sums.rough or rho > limit
    for _ in range(FURTHER):
        if not again:
            break
        sums = run.reduced(theta, True, expected=wanted)
        # Of a condition number its size is asked; a last step does not change that.
        if condition > WELL or outcome.status != "final":
            condition = ill_conditioned(sums.definite)
        again = False
        if sums.definite is not None and outcome.status == "final":
            # The information is there, so the step from it is free.
            step = sums.definite.solve(sums.score)
            decrement = math.sqrt(max(float(sums.score.dot(step)), 0.0))
            rho = run.reach(step)
            theta = theta + step if rho <= 1e-6 else theta
            again = limit < rho <= 1e-6
    llf = sums.llf
    if run.measured.sums.largest > PRECISE and outcome.status == "final" and rho <= 1e-6:
        llf = precise(run, run.widened(theta))
    return Fit(
        family=run.family,
        layout=run.layout,
        theta=run.widened(theta),
        kept=run.kept,
        llf=llf + run.measured.constant,
        information=sums.information,
        definite=sums.definite,
        condition=condition,
        reached=(rho, decrement),
        rounding=_rounding(sums, run.measured.n),
        status=outcome.status,
        passes=run.passes,
        history=tuple(run.history),
        dependences=found,
        falling=falling,
    )
