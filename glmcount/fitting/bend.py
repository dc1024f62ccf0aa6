"""Newton's step in the means: the logarithm bends it.

Under its canonical link, the logarithm, Newton's step d is the linear fit mu (1 + X d) of the
means to the counts: X' w (mu (1 + X d) - y) = 0. Their predictors get there by log(1 + X d) and
not by X d; the step is these moves, regressed on the columns by the weights of the fitted means:

    d' = (X' W X)^-1 X' W log(1 + X d),  W = w mu (1 + X d).

With r = log(1 + X d) - X d', of which X' W r = 0, the score behind the step is
X' W (1 - exp(-r)) = -X' W r^2 / 2 and smaller terms. The columns leave the square of a move in r,
so the step leaves its fourth power, where Newton's leaves its square. Means that are free of each
other are met at once.

It takes half of what a pass does where the design is spread out, and is done for each step there.
In blocks it takes as long as a pass: of more rows than a small problem has it is done where an
overshoot holds Newton's steps up, and else a sample may tell more cheaply (`guide`). Both go by the
number of rows and columns, so that no digit depends on how these are held.
"""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import NDArray

from glmcount.design.rows import Rows
from glmcount.engine.layout import Layout, linear
from glmcount.engine.passes import add, assemble, strip_sums
from glmcount.engine.plan import Raw
from glmcount.engine.spread import Small, suits
from glmcount.engine.strip import Strip
from glmcount.engine.sums import Sums
from glmcount.engine.weigh import Unweighed, Weigh, Weighed
from glmcount.families.base import Family
from glmcount.numerics import Array
from glmcount.numerics.blas import alone
from glmcount.numerics.control import Control
from glmcount.records import dataclass

__all__ = ["Bend", "bend_of"]

# Share of itself that a step leaves of a mean: linear fits can be negative.
LEAST = 0.1


@dataclass(frozen=True, eq=False)
class Means:
    """Weighing function of rows whose means grow by so many times, which is beside them."""

    family: Family

    def __call__(self, rows: Unweighed) -> Weighed:
        """Some rows, weighed."""
        assert self.family.expected is not None and rows.extra is not None
        mu = self.family.expected(rows.etas)[0][0]
        assert mu is not None
        weight = mu * rows.extra if rows.weights is None else mu * rows.extra * rows.weights
        return Weighed(np.zeros(1), (weight * np.log(rows.extra),), {(0, 0): weight})


@dataclass(frozen=True, eq=False)
class Look:
    """What is asked of each strip, as plain data."""

    layout: Layout
    theta: Array
    step: Array
    weigh: Weigh
    block_rows: int

    def __call__(self, strip: Strip) -> Raw:
        """The sums of a strip."""
        grown = np.maximum(linear(self.layout, strip, self.step, 0) + 1.0, LEAST)
        return strip_sums(self.layout, strip, self.theta, self.weigh, self.block_rows, grown)


@dataclass(eq=False)
class Bend:
    """All rows of a problem, asked how a step bends.

    Parameters
    ----------
    rows : Rows
    layout : Layout
    small : Small or None
        The same side by side.
    weigh : Means
    block_rows : int
    kept : ndarray of int, shape (k,)
        Columns that the fit has kept.
    sparing : bool
        Whether steps that become shorter stay as they are: a look takes as long as a pass.

    Attributes
    ----------
    share, curve : float
        As a `Guide` has them: it bends each step that leaves more than rounding.
    """

    rows: Rows
    layout: Layout
    small: Small | None
    weigh: Means
    block_rows: int
    kept: NDArray[np.intp]
    sparing: bool

    share, curve = 0.0, math.inf

    def step(self, theta: Array, sums: Sums, step: Array) -> Array:
        """The step as the means bend it; as it was where they fit none, or that leads down."""
        layout, small, whole = self.layout, self.small, len(step) == self.layout.size
        if not whole:
            both = np.zeros((2, layout.size))
            both[:, self.kept] = theta, step
            theta, step = both
        if small is not None:
            grown = np.maximum(step.dot(small.columns[0]) + 1.0, LEAST)
            slope, matrix = small.added(self.weigh, theta, grown)
        else:
            look = Look(layout, theta, step, self.weigh, self.block_rows)
            _, slope, matrix = assemble(layout, self.rows.fold(look, add))
        if not whole:
            step, slope = step[self.kept], slope[self.kept]
            matrix = matrix[np.ix_(self.kept, self.kept)]
        # Nothing else is asked of the matrix.
        solve = scipy.linalg.lapack.dposv
        _, bent, failed = alone(len(matrix), solve, matrix.T, slope, lower=1)
        # What is not finite leads nowhere.
        return step if failed or not float(sums.score.dot(bent)) > 0.0 else bent


def bend_of(
    rows: Rows, layout: Layout, small: Small | None, family: Family, control: Control
) -> Bend | None:
    """What bends the steps of a fit by one logarithm; None of any other."""
    own = family.q == 1 and family.canonical and family.mean_log and family.expected is not None
    if not own:
        return None
    kept, sparing = np.arange(layout.size), not suits(rows.n_used, layout.size)
    return Bend(rows, layout, small, Means(family), control.block_rows, kept, sparing)
