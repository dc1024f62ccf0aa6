"""A sample of the rows as a guide for steps: how the log-likelihood bends.

At theta a pass over all n rows gives the score g and the information H, one over m rows those of
the sample and its whole log-likelihood l_m. The surrogate

    l_m(theta + d) n / m + (g - g_m n / m)'d - d'(H - H_m n / m)d / 2

has the score and the information of all rows at d = 0 and is the sample's from the third
derivative on (Jordan, Lee & Yang 2019, Journal of the American Statistical Association 114,
section 2, with the information corrected as well as the score). Newton's step for all rows, and
one for the surrogate from there, leave about sqrt(p / m) of the error of the first alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from glmcount.fitting.totals import Sums
from glmcount.numerics import EPS, Array, factor

__all__ = ["Guide"]

# Dense columns from which products are most of a pass: a score alone costs a third of it.
WIDE = 48
# Share of a step by which the sample may bend it.
MOST = 0.5
# Shrinking of steps from which an information told by the sample is not worth its passes.
SLOW = 0.1


class Guide:
    """The rows of a pilot, asked again by the passes that follow.

    Parameters
    ----------
    sample : callable
        Gives the `Sums` of the sample at parameters.
    ratio : float
        Rows of the data for each row of the sample.
    noise : float
        Usual relative error of the sample's information, as a matrix.
    wide : bool
        Whether a pass for the score alone is much cheaper.

    Attributes
    ----------
    held : tuple of two ndarray, or None
        The information of all rows at the last point where a step was bent, and the sample's.
    error : float
        Relative error of the information that it tells.
    moved : float
        How far the last step moved a predictor.
    curve : float
        The share of its length that Newton's step leaves, for each standard error that it takes.
    """

    def __init__(
        self, sample: Callable[[Array], Sums], ratio: float, noise: float, wide: bool
    ) -> None:
        self.sample, self.ratio, self.noise, self.wide = sample, ratio, noise, wide
        self.held: tuple[Array, Array] | None = None
        self.error, self.moved = noise, math.inf
        self.curve = math.inf

    @staticmethod
    def of(sample: Callable[[Array], Sums], n: int, m: int, p: int, columns: int) -> Guide:
        """The guide for `n` rows and `p` parameters that a sample of `m` rows is."""
        # The extreme eigenvalues of a sample's Gram matrix are (1 +- sqrt(p / m))^2.
        return Guide(sample, n / m, 2.0 * math.sqrt(p / m), columns > WIDE)

    def begun(self) -> None:
        """Forget what was told of other columns or another way."""
        self.held, self.error, self.moved = None, self.noise, math.inf

    def watched(self, rho: float, rough: bool) -> None:
        """Ask for the information of all rows where steps by what was told hardly shrink."""
        # Once it is ready whatever is rough was told by it.
        if self.ready and rough and rho > SLOW * self.moved:
            self.held = None
        self.moved = rho

    @property
    def ready(self) -> bool:
        """Whether it can tell the information from what it was at an earlier pass."""
        return self.wide and self.held is not None

    def completed(self, theta: Array, sums: Sums) -> Sums:
        """A pass for the score, with the information of an earlier one and its change since.

        Without an earlier one the information is the sample's.
        """
        there = self.ratio * self.sample(theta).information
        rest = 0.0 if self.held is None else self.held[0] - self.held[1]
        return Sums(sums.llf, sums.score, there + rest, 0.0, self.error)

    def step(self, theta: Array, sums: Sums, step: Array) -> tuple[Array, float]:
        """The step as the sample bends it, and by which share of its length."""
        here, there = self.sample(theta), self.sample(theta + step)
        information = sums.information + self.ratio * (there.information - here.information)
        slope = self.ratio * (there.score - here.score + np.dot(here.information, step))
        bent = factor(information)
        length = math.sqrt(max(float(np.dot(step, np.dot(sums.information, step))), 0.0))
        if bent is None or not math.isfinite(there.llf) or not length > 0.0:
            return step, 1.0
        change = bent.solve(slope)
        share = math.sqrt(max(float(np.dot(change, slope)), 0.0)) / length
        if not share < MOST:
            return step, 1.0
        self.curve = share / length
        self.held = sums.information, self.ratio * here.information
        # Never 0, which would stand for an exact one.
        self.error = max(2.0 * share * self.noise, sums.error, EPS)
        return step + change, share
