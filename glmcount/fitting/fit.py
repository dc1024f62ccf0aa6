"""One solve, assembled: rank, solver, separation, and the frozen `Fit`."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np

from glmcount.engine.information import WELL, Information
from glmcount.engine.layout import linear
from glmcount.engine.passes import Sums, assemble, predictors
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import Unweighed, Weighed, informed
from glmcount.fitting.digits import PRECISE, precise
from glmcount.fitting.falling import Falling
from glmcount.fitting.problem import Outcome
from glmcount.fitting.rank import PIVOT, Dependence, dependences
from glmcount.fitting.recession import far_along
from glmcount.fitting.run import Fit, Run, fold_sums
from glmcount.fitting.separation import (
    by_curvature,
    doubtful,
    emptied,
    foreseen,
    further,
    limit_outcome,
    separated,
)
from glmcount.fitting.solvers import newton, solver
from glmcount.fitting.start import usual
from glmcount.numerics import Array
from glmcount.records import replace

__all__ = ["first_dependences", "solve"]

T = TypeVar("T")
S = TypeVar("S")

# With |l'''| <= |l''| a step that moves no predictor by more than rho changes the information
# by at most a factor exp(rho), so standard errors by rho / 2: this keeps ten digits.
REFRESH = 2e-10
LATE = 1e9
# Exact passes that this may take.
FURTHER = 3
# Log-likelihoods closer than this are one.
SAME = 1e-6
# Iterations after which a recession is believed.
LONGER = 40
# Share of a step's reach from which one predictor is what moves.
MOSTLY = 0.9
# Share of a pivot that the sums of its rows tell from rounding.
TOLD = 1e-13
# Newton decrement up to which a recession leaves no more than that undone.
UNDONE = 1.4e-3


def _late_dependences(
    run: Run, outcome: Outcome, found: tuple[Dependence, ...]
) -> tuple[Dependence, ...]:
    """Columns that only the information at the end shows to depend on others."""
    full = np.eye(run.layout.size)
    full[np.ix_(run.kept, run.kept)] = outcome.sums.information.matrix
    known = {one.column for one in found}
    again = dependences(run.rows, run.layout, full)
    return tuple(one for one in again if one.column not in known)


def first_dependences(run: Run, theta: Array, first: Sums) -> tuple[Dependence, ...]:
    """Columns that depend on others, told by the first pass.

    Away from the maximum the observed information of several parts need not be a Gram
    matrix: where it is not definite, every row counts once in each part that it informs.
    """
    if run.layout.q == 1 or run.family.expected is not None or first.information.apart(PIVOT):
        own = first.information
        return dependences(run.rows, run.layout, own.matrix, definite=own.factored)

    def weigh(rows: Unweighed) -> Weighed:
        second = {(k, k): w for k, w in enumerate(informed(run.family, rows))}
        return Weighed(np.zeros(1), (None,) * run.layout.q, second)

    def said(strip: Strip) -> tuple[Array, ...]:
        return informed(run.family, Unweighed(strip.y, None, predictors(run.layout, strip, theta)))

    gram = assemble(run.layout, fold_sums(run.rows, run.layout, theta, weigh, run.control))[2]
    return dependences(run.rows, run.layout, gram, said)


def solve(run: Run, theta: Array, known: tuple[Dependence, ...] = ()) -> Fit:
    """The fit that a start leads to, without looking elsewhere; `known` columns are left out."""
    chosen = solver(run.options.method)
    # The first pass decides the rank; its sums are the solver's first.
    expected = run.scoring
    if len(run.kept) < run.size:
        run.kept = np.arange(run.size)
    if run.gone is not None:
        run.gone, run.memo = None, None
    first = run.reduced(theta, True, expected=expected)
    found = known or first_dependences(run, theta, first)
    if found:
        theta = theta.copy()
        for one in found:
            theta += theta[one.column] * one.combination
            theta[one.column] = 0.0
        out = {one.column for one in found}
        run.kept = np.asarray([j for j in range(run.layout.size) if j not in out], dtype=np.intp)
        theta = theta[run.kept]
    if emptied(run, first):
        early = _foreseen(run, theta, expected, found)
        if early is not None:
            return early
    outcome = chosen.solve(run.problem(expected), theta)
    if outcome.status != "final" and expected:
        outcome, expected = by_curvature(run, outcome)
    condition = outcome.sums.information.condition()
    if condition > LATE or doubtful(run, outcome):
        falling, kept = separated(run, outcome, found), run.kept
        if falling is not None:
            fit = _at_infinity(run, run.widened(outcome.theta), expected, found, falling)
            if fit.llf >= outcome.sums.llf + run.measured.constant - SAME - outcome.sums.slack:
                return fit
            # The limit's own fit came to no end: what was reached on the way counts.
            run.gone, run.memo, run.kept = None, None, kept
    alone = None
    if outcome.status == "recession":
        outcome, alone = _recede(run, outcome, expected)
    elif condition >= LATE:
        late = _late_dependences(run, outcome, found)
        if late:
            return solve(run, run.widened(outcome.theta), (*found, *late))
    return _finished(run, outcome, expected, condition, found, alone)


def _foreseen(run: Run, theta: Array, expected: bool, found: tuple[Dependence, ...]) -> Fit | None:
    """The fit in a limit that is seen without going there; None where it comes to no end."""
    kept, falling = run.kept, foreseen(run, found)
    if falling is None:
        return None
    fit = _at_infinity(run, run.widened(theta), expected, found, falling)
    if fit.status == "recession" and math.isfinite(fit.llf):
        return fit
    run.gone, run.memo, run.kept = None, None, kept
    return None


def _to_limit(run: Run, outcome: Outcome) -> bool:
    """Whether a recession is that of one ancillary predictor, in every row, to its boundary."""
    step, layout = run.widened(outcome.step), run.layout
    for limit in run.family.limits:
        k = limit.equation
        others = step.copy()
        others[layout.slices[k]] = 0.0
        if layout.constants[k] is None or layout.reach(others) > (1.0 - MOSTLY) * outcome.rho:
            continue

        def least(strip: Strip, k: int = k, down: bool = limit.value == 0.0) -> float:
            moves = linear(layout, strip, step, k)
            return float((-moves if down else moves).min(initial=np.inf))

        if run.rows.fold(least, min) > (1.0 - MOSTLY) * outcome.rho:
            return True
    return False


def _recede(run: Run, outcome: Outcome, expected: bool) -> tuple[Outcome, Falling | None]:
    """What is made of a recession that no rows stand for.

    One of several parts is kept with its direction: a limit may be the answer, and if none is,
    the maximum is at infinity. Else the way is only long.
    """
    if run.layout.q > 1 and _to_limit(run, outcome):
        # What lies there is fitted and compared anyhow.
        step = run.widened(outcome.step) / max(outcome.rho, 1e-300)
        return outcome, Falling(np.zeros(run.measured.n, dtype=bool), (), run.layout, step)
    if run.layout.q > 1:
        # A long flat valley looks alike for a while. A recession goes on until slope and curvature
        # along it are rounding, and the step that they then make may be zero.
        longer = replace(run.problem(expected, recession=0.0), most=LONGER)
        on = newton(longer, outcome.theta)
        if on.status == "final" and on.sums.information.apart(TOLD):
            return on, None
        step = run.widened(outcome.step) / max(outcome.rho, 1e-300)
        if outcome.decrement > UNDONE:
            outcome = replace(outcome, status="maxiter")
        return outcome, Falling(np.zeros(run.measured.n, dtype=bool), (), run.layout, step)
    return newton(run.problem(expected, recession=0.0), outcome.theta), None


def _at_infinity(
    run: Run, theta: Array, expected: bool, found: tuple[Dependence, ...], falling: Falling
) -> Fit:
    """The fit in the limit to which rows without doubt lead: of what the others tell."""
    assert falling.carriers is not None
    kept = run.kept
    theta = theta if np.all(np.isfinite(theta)) else usual(run)
    run.gone, run.memo, run.guide = falling, None, None
    run.kept = np.setdiff1d(kept, falling.carriers)
    starts = (falling.started(run.layout, each) for each in (theta, usual(run)))
    outcome = limit_outcome(run, expected, starts)
    more = further(run, outcome, found, falling)
    if more is not None and more.leads_on(falling):
        theta, run.kept = run.widened(outcome.theta), kept
        return _at_infinity(run, theta, expected, found, more)
    condition = outcome.sums.information.condition()
    fit = _finished(run, outcome, expected, condition, found, None)
    information = np.zeros((len(kept), len(kept)))
    inside = np.flatnonzero(~np.isin(kept, falling.carriers))
    information[np.ix_(inside, inside)] = fit.information.matrix
    run.kept = kept
    return replace(
        fit,
        theta=far_along(run.rows, run.layout, falling, fit.theta),
        kept=kept,
        information=Information(information),
        status="recession" if fit.status == "final" else fit.status,
        falling=replace(falling, settled=fit.theta),
    )


def _finished(
    run: Run,
    outcome: Outcome,
    expected: bool,
    condition: float,
    found: tuple[Dependence, ...],
    falling: Falling | None,
) -> Fit:
    theta, sums = outcome.theta, outcome.sums
    rho, decrement = outcome.rho, outcome.decrement
    limit = REFRESH * run.digits
    again = (run.wanted != expected and not run.family.canonical) or rho > limit
    for _ in range(FURTHER):
        if not again:
            break
        sums = run.reduced(theta, True, expected=run.wanted)
        # Of a condition number its size is asked; a last step does not change that.
        if condition > WELL or outcome.status != "final":
            condition = sums.information.condition()
        again = False
        own = sums.information.factored
        if own is not None and outcome.status == "final":
            # The information is there, so the step from it is free.
            step = own.solve(sums.score)
            decrement = math.sqrt(max(float(sums.score.dot(step)), 0.0))
            rho = run.reach(step, decrement)
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
        condition=condition,
        reached=(rho, decrement),
        last=sums,
        status=outcome.status,
        passes=run.passes,
        history=tuple(run.history),
        dependences=found,
        falling=falling,
    )
