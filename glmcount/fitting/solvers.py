"""Solvers on sums: Newton and Fisher scoring with halving, L-BFGS, gradient ascent.

A solver sees a function from parameters to `Sums` and knows nothing of rows or families.
The stop rule is that of a step: no row's predictor moves by more than `tol`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from glmcount.allowed import choice
from glmcount.engine.sums import PREDICTOR, Sums
from glmcount.errors import ConvergenceError
from glmcount.fitting.problem import SURELY, Iteration, Outcome, Problem
from glmcount.fitting.quadratic import Model
from glmcount.numerics import EPS, Array
from glmcount.records import dataclass, replace

__all__ = ["SOLVERS", "Solver", "newton", "newton_step", "solver"]

NEAR = 1e-4
TRIES = 40
# A sample's own error is larger: p columns leave about sqrt(p n / m) standard errors.
PILOT = 0.25
MOST = 100
# Towards a step function in a logit, or along a curved valley, the way is longer.
FAR = 400
# Newton's steps contract near a maximum; along a recession they keep their length.
LASTING = 0.7
ENOUGH = 4
# Steps that move a predictor by more, and hardly less than the one before, are held up by an
# overshoot: of that Newton's method takes back one unit a step.
LONG, STALLED = 1.0, 0.85
# A recession by a power of a parameter is slow: told at the last iteration.
SLOW = 0.1
# A climb that is to surpass something is left where even so many times what its next step hopes
# for would not do, after so many steps: along a curved valley a step hopes for a small share of
# what is left.
HOPE, PATIENCE = 10.0, 2


def newton_step(sums: Sums) -> tuple[Array, float, bool]:
    """(step, decrement, whether the information was positive definite)."""
    own = sums.information.factored
    step = Model.of(sums).turned_up() if own is None else own.solve(sums.score)
    decrement = math.sqrt(max(float(sums.score.dot(step)), 0.0))
    return step, decrement, own is not None


def _first(problem: Problem, theta: Array) -> Sums:
    sums = problem.evaluate(theta, True)
    if not math.isfinite(sums.llf):
        raise ConvergenceError(
            "The log-likelihood is not finite at the starting values: some mean is outside its "
            "domain or overflows. Pass start= with values at which every mean is positive and "
            "finite, or check offsets and exposures for extreme values.",
            kind="start",
        )
    return sums


def _left() -> ConvergenceError:
    return ConvergenceError(
        "A climb from elsewhere was left, since it cannot reach what is known.", kind="left"
    )


def newton(problem: Problem, theta: Array) -> Outcome:
    """Newton's method, or Fisher scoring, as the information in `problem` is.

    Log-likelihood, score and information of a step come from one pass; a step that lowers
    the log-likelihood is halved. Where the log-likelihood need not be concave steps stay
    within a trust region as long as the information is not definite or the region is small.
    """
    control = problem.control
    radius = problem.radius
    usual = MOST if radius == np.inf else FAR
    most = problem.most or (control.maxiter if control.maxiter is not None else usual)
    tol = PILOT if problem.pilot else control.tol
    sums = _first(problem, theta)
    passes, receding, slow, last, refused = 1, 0, 0, np.inf, False
    status, bounded = "maxiter", radius < np.inf
    for number in range(1, most + 1):
        step, decrement, definite = newton_step(sums)
        rho = problem.reach(step, decrement)
        if number > PATIENCE and sums.llf + 0.5 * HOPE * decrement**2 < problem.known:
            raise _left()
        final = definite and rho <= tol
        if definite and tol < rho <= NEAR:
            # A step so small that was refused is smaller than what the log-likelihood can tell.
            final = (refused and decrement <= NEAR) or decrement <= problem.floor(theta, sums)
        lasting = rho > 0.1 or rho > LASTING * last
        receding = receding + 1 if decrement < problem.recession and lasting else 0
        slow = slow + 1 if decrement < SLOW and lasting else 0
        held_up, last = rho > max(LONG, STALLED * last), rho
        if final or receding >= ENOUGH:
            llf = sums.llf + problem.constant
            problem.tell(Iteration(number, llf, rho, decrement, 1.0, 0, problem.pilot))
            status = "final" if final else "recession"
            end = theta + step if final else theta
            return Outcome(end, theta, sums, step, rho, decrement, status, passes)
        if not definite and rho <= tol:
            status = "stuck"
            break
        if definite:
            step = _bent(problem, (theta, sums, step), (rho, decrement), held_up)
        if bounded:
            own = step if definite else None
            place = theta, sums, decrement
            step, radius, halvings, following = _region(problem, place, own, radius)
            share, point = 1.0, theta + step
        else:
            share, halvings, point, following = _line(problem, theta, step, sums)
        passes, refused = passes + halvings + 1, halvings > 0
        llf = sums.llf + problem.constant
        problem.tell(Iteration(number, llf, rho, decrement, share, halvings, problem.pilot))
        if following is None:
            status = "stuck"
            break
        theta, sums = point, following
    return _stopped(problem, theta, sums, (status, slow, tol, passes))


def _stopped(
    problem: Problem, theta: Array, sums: Sums, told: tuple[str, int, float, int]
) -> Outcome:
    """What an end without a final step is: the top all the same, a recession, or none."""
    status, slow, tol, passes = told
    step, decrement, definite = newton_step(sums)
    rho = problem.reach(step, decrement)
    if status == "stuck" and definite and rho <= tol:
        # So near the top its likelihood is flat to rounding: where it was, is the top.
        status = "final"
    elif slow >= 2 * ENOUGH and rho > SLOW:
        status = "recession"
    return Outcome(theta, theta, sums, step, rho, decrement, status, passes)


def _bent(
    problem: Problem,
    here: tuple[Array, Sums, Array],
    told: tuple[float, float],
    held_up: bool,
) -> Array:
    """A step from where the solver is as the guide bends it, where that saves a pass."""
    guide, (rho, decrement), tol = problem.guide, told, problem.control.tol
    if guide is None:
        return here[2]
    left = rho * min(rho, guide.curve * decrement)
    # The next pass is the last but one with the bend as without.
    late = left <= SURELY * tol and guide.share * left > problem.left
    if left <= problem.left or late or (guide.sparing and not held_up):
        return here[2]
    return guide.step(*here)


def _region(
    problem: Problem, place: tuple[Array, Sums, float], own: Array | None, radius: float
) -> tuple[Array, float, int, Sums | None]:
    """A step within the trust region, the next radius, refusals, and the pass it led to.

    The step is Newton's `own` where that exists and lies within. `place` are the parameters, their
    sums and the decrement there.
    """
    theta, sums, decrement = place
    model: Model | None = None
    step = theta
    for refused in range(TRIES):
        if own is not None and problem.reach(own, decrement) <= radius:
            step = own
        else:
            model = model or Model.of(sums)
            step = model.within(problem.reach, radius)
        following = problem.evaluate(theta + step, True)
        gained = following.llf - sums.llf
        hoped = float(np.dot(sums.score, step))
        hoped -= 0.5 * sums.information.quadratic(step)
        slack = problem.slack(theta, sums) if gained < 0.1 * hoped else 0.0
        if math.isfinite(gained) and gained >= 0.1 * hoped - slack:
            moved = problem.reach(step, decrement)
            if gained > 0.25 * hoped:
                # A step that was held back and did what it promised may be longer, although it
                # moved less: rows that say nothing any more are moved furthest.
                held = step is not own and gained > 0.5 * hoped
                radius = max(2.5 * radius if held else radius, 2.5 * moved)
            return step, radius, refused, following
        radius = 0.25 * min(radius, problem.reach(step, decrement))
    return step, radius, TRIES, None


def _line(
    problem: Problem, theta: Array, step: Array, sums: Sums
) -> tuple[float, int, Array, Sums | None]:
    """The share of a step to take, halvings, where it leads, and the pass there."""
    share, point = 1.0, theta + step
    for halvings in range(TRIES):
        following = problem.evaluate(point, True)
        told = following.llf
        slack = problem.slack(theta, sums) if told < sums.llf else 0.0
        if math.isfinite(told) and told >= sums.llf - slack:
            return share, halvings, point, following
        # A predictor that overshoots by hundreds overflows; shrink to a sensible reach at once.
        reach = share * problem.reach(step)
        share = min(share / 2.0, share * 50.0 / reach) if reach > 100.0 else share / 2.0
        point = theta + share * step
    return share, TRIES, theta, None


def _scaled(problem: Problem, theta: Array) -> tuple[Array, Sums]:
    sums = problem.evaluate(theta, True)
    diagonal = sums.information.diagonal()
    largest = diagonal.max(initial=1.0)
    return 1.0 / np.sqrt(np.where(diagonal > EPS * largest, diagonal, largest)), sums


def _finish(problem: Problem, theta: Array, passes: int) -> Outcome:
    """Certify a first-order optimum by Newton steps; the information is needed anyhow."""
    end = newton(problem, theta)
    return Outcome(
        end.theta,
        end.at,
        end.sums,
        end.step,
        end.rho,
        end.decrement,
        end.status,
        end.passes + passes,
    )


def gradient(problem: Problem, theta: Array) -> Outcome:
    """Gradient ascent in columns scaled to unit information, with Barzilai-Borwein steps.

    The plain fixed-step method stalls as the condition number grows; scaling and the
    two-point step of Barzilai & Borwein (1988) are the two smallest cures. Ends with
    Newton steps, which certify the maximum.
    """
    control = problem.control
    most = control.maxiter if control.maxiter is not None else 100_000
    scale, sums = _scaled(problem, theta)
    slope, step_size, passes = scale * sums.score, 1.0, 1
    # Rounding of predictors of the size of logarithms, not of their slopes alone.
    floor = PREDICTOR * sums.floor
    for number in range(1, most + 1):
        size = float(np.sqrt(np.dot(slope, slope)))
        problem.tell(
            Iteration(
                number,
                sums.llf + problem.constant,
                problem.reach(scale * slope * step_size),
                size,
                step_size,
                0,
            )
        )
        if size <= max(1e-6, floor):
            break
        move, following = None, None
        for _ in range(TRIES):
            passes += 1
            move = step_size * slope
            following = problem.evaluate(theta + scale * move, False)
            if following.llf >= sums.llf - 1e-12 * abs(sums.llf):
                break
            step_size /= 4.0
        assert move is not None and following is not None
        change = slope - scale * following.score
        curved = float(np.dot(move, change))
        step_size = float(np.dot(move, move)) / curved if curved > 0 else 1.0
        theta, sums, slope = theta + scale * move, following, scale * following.score
    return _finish(problem, theta, passes)


def lbfgs(problem: Problem, theta: Array) -> Outcome:
    """L-BFGS (scipy's) in columns scaled to unit information; ends with Newton steps."""
    from scipy.optimize import minimize

    control = problem.control
    scale, sums = _scaled(problem, theta)
    passes = 1
    unit = max(abs(sums.llf), 1e-300)

    def objective(z: Array) -> tuple[float, Array]:
        nonlocal passes
        passes += 1
        now = problem.evaluate(theta + scale * z, False)
        if not np.isfinite(now.llf):
            return 1e10, np.zeros_like(z)
        size = float(np.sqrt(np.dot(scale * now.score, scale * now.score)))
        llf = now.llf + problem.constant
        problem.tell(Iteration(passes, llf, problem.reach(scale * z), size, 1.0, 0))
        return -now.llf / unit, -scale * now.score / unit

    found = minimize(
        objective,
        np.zeros_like(theta),
        jac=True,
        method="L-BFGS-B",
        options={
            "maxiter": control.maxiter if control.maxiter is not None else 2000,
            "ftol": 0.0,
            "gtol": 1e-6 / unit,
        },
    )
    return _finish(problem, theta + scale * found.x, passes)


@dataclass(frozen=True)
class Solver:
    """A named solver, and whether it works with the expected information."""

    name: str
    run: Callable[[Problem, Array], Outcome]
    expected: bool = False

    def solve(self, problem: Problem, theta: Array) -> Outcome:
        """Solve a problem whose constraints, if it has any, hold from the first point on.

        The sums of the outcome are those by the parameters left free.
        """
        held = problem.held
        if held is None:
            return self.run(problem, theta)
        free, begin = problem.free(held), theta[held.free]
        if not len(begin):
            sums = _first(free, begin)
            still = np.zeros(len(theta))
            return Outcome(held.origin, held.origin, sums, still, 0.0, 0.0, "final", 1)
        found = self.run(free, begin)
        return replace(
            found,
            theta=held.point(found.theta),
            at=held.point(found.at),
            step=held.move(found.step),
        )


SOLVERS: dict[str, Solver] = {
    s.name: s
    for s in (
        Solver("newton", newton),
        Solver("irls", newton, expected=True),
        Solver("lbfgs", lbfgs),
        Solver("gradient", gradient),
    )
}


def solver(name: str) -> Solver:
    """The solver of that name.

    Raises
    ------
    UsageError
        With the names there are.
    """
    found = SOLVERS.get(name) if isinstance(name, str) else None
    return SOLVERS[choice("method", name, SOLVERS, "unknown_method")] if found is None else found
