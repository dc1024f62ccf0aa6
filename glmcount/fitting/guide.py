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
from numpy.typing import NDArray

from glmcount.engine.sums import Sums
from glmcount.numerics import Array

__all__ = ["Guide"]

# Share of a step by which the sample may bend it.
MOST = 0.5


class Guide:
    """The rows of a pilot, asked again by the passes that follow.

    Parameters
    ----------
    sample : callable
        ``(parameters, columns)`` -> the `Sums` of the sample over some of the columns. It holds
        the sample alone: one that held the fit which it guides would keep its rows in memory.
    ratio : float
        Rows of the data for each row of the sample.
    size : int
        Columns in all.
    rows : int
        Of the sample.

    Attributes
    ----------
    kept : ndarray of int
        Columns that the fit has kept.
    share : float
        What a bent step leaves of what Newton's leaves.
    curve : float
        The share of its length that Newton's step leaves, for each standard error that it takes.
    sparing : bool
        Whether steps that become shorter stay as they are.
    """

    sparing = False

    def __init__(
        self,
        sample: Callable[[Array, NDArray[np.intp]], Sums],
        ratio: float,
        size: int,
        rows: int,
    ) -> None:
        self.sample, self.ratio, self.curve = sample, ratio, math.inf
        self.share = math.sqrt(size / rows)
        self.kept = np.arange(size)

    def step(self, theta: Array, sums: Sums, step: Array) -> Array:
        """The step as the sample bends it."""
        here, there = self.sample(theta, self.kept), self.sample(theta + step, self.kept)
        more = self.ratio * (there.information.matrix - here.information.matrix)
        bent = sums.information.plus(more)
        slope = self.ratio * (there.score - here.score + np.dot(here.information.matrix, step))
        length = math.sqrt(max(sums.information.quadratic(step), 0.0))
        if not bent.definite or not math.isfinite(there.llf) or not length > 0.0:
            return step
        change = bent.solve(slope)
        share = math.sqrt(max(float(np.dot(change, slope)), 0.0)) / length
        if not share < MOST:
            return step
        self.curve = share / length
        return step + change
