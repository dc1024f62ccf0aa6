"""Where the maximum is: inside, on a boundary, elsewhere or at infinity; the best fit of these."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np

from glmcount.design.measure import Measured
from glmcount.design.rows import Rows
from glmcount.engine.layout import Layout
from glmcount.errors import ConvergenceError
from glmcount.families.base import Family, Limit
from glmcount.fitting import pilot, search, walls
from glmcount.fitting.fit import solve
from glmcount.fitting.run import Fit, Run, Settings
from glmcount.fitting.start import first_values, pilot_rows, usual
from glmcount.numerics import Array
from glmcount.records import replace

__all__ = ["attempted", "fit_limit", "maximise"]

T = TypeVar("T")
S = TypeVar("S")

# Log-likelihoods closer than this are one: what a recession leaves undone.
SAME = 1e-6
DOUBT = 1.0 / 3.0
# Searches from a better point that the one before found.
ROUNDS = 3


def maximise(
    rows: Rows, layout: Layout, measured: Measured, family: Family, options: Settings
) -> Fit:
    """Maximise the log-likelihood of a family over encoded rows."""
    with rows.solving(layout.size), _overflowing():
        run = Run(rows, layout, measured, family, options)
        theta = first_values(run)
        given = options.start is not None
        strips, columns = rows.source.n_strips, layout.dense_columns
        head = None if given else pilot_rows(rows.n_used, layout.size, strips, columns)
        if head is not None:
            start = theta
            theta = attempted(lambda: pilot.piloted(run, start, head), start)
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
                outside = replace(outside, limits=(opening.boundary, *outside.limits))
                fit = _elsewhere(run, outside, theta)
                return fit if fit is outside else _settled(run, fit)
    fit = solve(run, theta)
    if run.family.slack is not None:
        if not (fit.status == "final" and math.isfinite(fit.llf)):
            return walls.at_wall(run, fit, theta)
        return replace(fit, status="edge") if walls.touching(run, fit.theta) else fit
    if run.family.relative is not None and run.options.start is None and _uncertain(fit):
        relative = run.family.relative
        begin = attempted(lambda: _from_relative(run, *relative), None)
        other = None if begin is None else _tried(run, begin)
        if other is not None and (fit.status != "final" or other.llf > fit.llf + SAME):
            fit = other
    return _settled(run, _elsewhere(run, fit, fit.theta))


def _uncertain(fit: Fit) -> bool:
    """Whether a limit may be as good as a fit, or better."""
    if not fit.separated:
        return fit.status != "final" or _doubtful(fit)
    # Where the mean itself runs off, what else there is has no rows that tell of it.
    assert fit.falling is not None
    own = fit.falling.within(fit.layout)[fit.layout.slices[0]]
    return not own.any() and _doubtful(fit)


def _settled(run: Run, fit: Fit) -> Fit:
    return _at_limits(run, fit) if run.family.limits and _uncertain(fit) else fit


def _elsewhere(run: Run, fit: Fit, base: Array) -> Fit:
    """The best of a fit and of what a search from elsewhere climbs to."""
    if run.family.concave or not run.searches:
        return fit
    if fit.status == "maxiter" and run.control.maxiter is not None:
        # Who bounds the iterations wants no others.
        return fit
    slices, apart = run.layout.slices, run.family.apart
    regressed = [k for k in range(1, len(slices)) if k not in apart]
    single = all(slices[k].stop - slices[k].start == 1 for k in regressed)
    if single and not run.family.several and fit.converged and not fit.limits:
        return fit
    best = fit
    if fit.falling is not None and not fit.limits:
        base = fit.settled if fit.separated else usual(run)
    for _ in range(ROUNDS):
        limits = [limit.name for limit in best.limits]
        found = search.searched(run, base, best.llf - run.measured.constant, limits)
        if found is None:
            break
        run.looked = replace(run.looked, starts=run.looked.starts + found.starts, rows=found.rows)
        ends = [_ended(run, point, best.llf) for point in found.better]
        better = max(
            (end for end in ends if end is not None), key=lambda end: end.llf, default=best
        )
        if better.llf <= best.llf + SAME:
            break
        best = better
        base = better.theta if better.falling is None or not better.separated else better.settled
    return best


def _ended(run: Run, theta: Array, known: float) -> Fit | None:
    """The fit from a start that a search found; None where it cannot begin, or rise, there.

    One that comes to no end counts too: a larger likelihood refutes a maximum.
    """
    run.known = known
    fit = attempted(lambda: solve(run, theta), None)
    run.known = -math.inf
    return fit if fit is not None and math.isfinite(fit.llf) else None


def _tried(run: Run, theta: Array) -> Fit | None:
    """The fit from a further start; None where it comes to no end or cannot begin there."""
    fit = attempted(lambda: solve(run, theta), None)
    return fit if fit is not None and fit.status == "final" else None


def attempted(fit: Callable[[], T], otherwise: S) -> T | S:
    """What a secondary fit comes to, or something else where it cannot begin."""
    try:
        return fit()
    except ConvergenceError:
        return otherwise


def _from_relative(run: Run, family: Family, factors: tuple[float, ...]) -> Array:
    """A second start: the estimates of a family that is easier to fit."""
    kin = Run(run.rows, run.layout, run.measured, family, run.options)
    theta = solve(kin, first_values(kin)).theta.copy()
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
    if not far or not fit.information.definite:
        return bool(far)
    variances = np.diag(fit.information.inverse())
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
            best = replace(inner, limits=(limit.boundary, *inner.limits))
    return best


def _limit_fit(run: Run, theta: Array, limit: Limit) -> tuple[Fit, Array, float]:
    """The limit's own fit, a start inside from it, and the score there."""
    run.looked = replace(run.looked, limits=(*run.looked.limits, limit.label))
    inner = pilot.limit_run(run, limit)
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
    joined, score = pilot.joined_start(run, inner, limit, fit.theta)
    if fit.falling is not None:
        # Far along a recession the joint information is singular: start before it.
        joined[run.layout.places(limit.gone)] = begin
    run.history += inner.history if limit.opens else []
    return fit, joined, score


def fit_limit(rows: Rows, fit: Fit, measured: Measured, limit: Limit, options: Settings) -> Fit:
    """Fit a family's limit to the same rows and design, from a fit of the family."""
    run = Run(rows, fit.layout, measured, fit.family, options)
    with rows.solving(fit.layout.size), _overflowing():
        return _limit_fit(run, fit.theta, limit)[0]
