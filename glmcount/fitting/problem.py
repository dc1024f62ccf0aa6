"""What a solver works on, what it tells of each step, and where it stops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glmcount.engine.sums import PREDICTOR, Sums
from glmcount.fitting.bend import Bend
from glmcount.fitting.constraints import Constraints
from glmcount.fitting.guide import Guide
from glmcount.numerics import Array
from glmcount.numerics.control import Control
from glmcount.records import dataclass, replace

__all__ = ["LEFT", "SURELY", "Iteration", "Outcome", "Problem"]

RECESSION = 1e-4
# Move that a step may leave before it is worth bending: half of that for which the information is
# made anew, by a pass that takes several times as long as a sample's two.
LEFT = 1e-10
# Share of the tolerance below which the pass that follows is within it.
SURELY = 0.1
# Roundings in a predictor of no large addends.
USUAL = 4.0


@dataclass(frozen=True)
class Iteration:
    """One line of the history.

    Parameters
    ----------
    iteration : int
    llf : float
        Log-likelihood before the step.
    rho : float
        Largest move of a linear predictor in the proposed step (an upper bound).
    decrement : float
        Newton decrement sqrt(g' H^-1 g), in standard errors.
    step : float
        Share of the proposed step that was taken.
    halvings : int
    pilot : bool
        True on the row sample a large fit starts with.

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
    >>> r.history[0].iteration, r.history[-1].rho < 1e-6
    (1, True)
    """

    iteration: int
    llf: float
    rho: float
    decrement: float
    step: float
    halvings: int
    pilot: bool = False


@dataclass(frozen=True)
class Problem:
    """What a solver works on.

    Parameters
    ----------
    evaluate : callable
        ``(theta, second) -> Sums`` over the kept parameters; `second` asks for the information.
    reach : callable
        Upper bound of the largest |x_i' d| of a direction; where its Newton decrement is given
        too, the move itself if the bound is far beyond what that lets expect.
    control : Control
    tell : callable
        Gets each `Iteration`.
    constant : float
        What the log-likelihood of `evaluate` lacks.
    pilot : bool
        True on a sample: loose tolerance, no verdicts.
    recession : float
        Decrement below which steps that still move predictors are a recession.
    radius : float
        First bound on how far a step may move a predictor; infinite where the log-likelihood
        is concave, so that halving is enough.
    guide : Guide, Bend or None
        A sample of the rows, or all of a few, that bend long steps.
    most : int or None
        Iterations, where it is not the user's or the solver's own number.
    held : Constraints or None
        Constraints that every point has to meet.
    known : float
        Log-likelihood to surpass, as `evaluate` has it: a climb without hope of that is left.
    left : float
        What Newton's step may leave so that the guide need not bend it.
    """

    evaluate: Callable[..., Sums]
    reach: Callable[..., float]
    control: Control
    tell: Callable[[Iteration], None]
    pilot: bool = False
    recession: float = RECESSION
    radius: float = np.inf
    constant: float = 0.0
    guide: Guide | Bend | None = None
    most: int | None = None
    held: Constraints | None = None
    known: float = -np.inf
    left: float = LEFT

    def slack(self, theta: Array, sums: Sums) -> float:
        """What rounding makes of a log-likelihood that is the same.

        A predictor is rounded as the largest of its addends is.
        """
        return sums.slack + sums.rounding[1] * self.reach(theta) / PREDICTOR

    def floor(self, theta: Array, sums: Sums) -> float:
        """Newton decrements up to which are rounding, by the same."""
        return max(USUAL, self.reach(theta)) * sums.floor

    def free(self, held: Constraints) -> Problem:
        """The same over the parameters that constraints leave free."""
        return replace(
            self,
            evaluate=lambda z, second: held.sums(self.evaluate(held.point(z), second)),
            reach=lambda step, *decrement: self.reach(held.move(step), *decrement),
            guide=None,
            held=None,
        )


@dataclass(frozen=True)
class Outcome:
    """Where a solver stopped.

    Parameters
    ----------
    theta : ndarray, shape (k,)
        Estimate, the final step taken.
    at : ndarray, shape (k,)
        Where `sums` was evaluated; `theta` is one step further.
    sums : Sums
    step : ndarray, shape (k,)
        The last step.
    rho, decrement : float
    status : {"final", "recession", "stuck", "maxiter"}
    passes : int
    """

    theta: Array
    at: Array
    sums: Sums
    step: Array
    rho: float
    decrement: float
    status: str
    passes: int
