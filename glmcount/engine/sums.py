"""What one pass of the likelihood adds up to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.engine.information import Information
from glmcount.numerics import EPS, Array

__all__ = ["PREDICTOR", "Slopes", "Sums", "noise", "wobble"]

# Roundings in a predictor, with room for those of its addends.
PREDICTOR = 64.0


Rounding = Callable[[], tuple[float, float]]
# Weighted slopes by each equation: of so many rows after the other, (n,) or (1,); None for 0.
Slopes = tuple[list[tuple[int, Array | None]], ...]
NONE: Mapping[int, Slopes] = MappingProxyType({})


class Sums:
    """One pass of the likelihood.

    Parameters
    ----------
    llf : float
        Log-likelihood without its y-only part; -inf outside the support, and where anything
        else is not finite.
    score : ndarray, shape (p,)
    information : Information, or ndarray of shape (p, p)
        In shifted columns.
    floor : float or callable
        Rounding floor of the Newton decrement. A callable gives it with `wobble`, and is called
        when one is asked for.
    wobble : float
        What rounding of the predictors makes of the log-likelihood.
    slopes : mapping
        Those of the rows, by the number of their strip, where they were kept; they stay in this
        process.
    """

    __slots__ = ("_rounding", "information", "llf", "score", "slopes")

    def __init__(
        self,
        llf: float,
        score: Array,
        information: Array | Information,
        floor: float | Rounding,
        wobble: float = 0.0,
        slopes: Mapping[int, Slopes] = NONE,
    ) -> None:
        self.llf, self.score, self.slopes = llf, score, slopes
        if not isinstance(information, Information):
            information = Information(information, math.isfinite(llf))
        self.information: Information = information
        self._rounding = floor if callable(floor) else (floor, wobble)

    def __reduce__(self) -> tuple[Any, ...]:
        return Sums, (self.llf, self.score, self.information, *self.rounding)

    @property
    def floor(self) -> float:
        """Rounding floor of the Newton decrement."""
        return self.rounding[0]

    @property
    def rounding(self) -> tuple[float, float]:
        """That floor, and what rounding of the predictors makes of the log-likelihood."""
        if callable(self._rounding):
            # It may be asked for long after the fit, which silences what overflows on purpose.
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                self._rounding = self._rounding()
        return self._rounding

    @property
    def slack(self) -> float:
        """What rounding makes of a log-likelihood that is the same."""
        floor, wobble = self.rounding
        return 1e-12 * abs(self.llf) + 10.0 * floor**2 + wobble

    def kept(self, kept: NDArray[np.intp]) -> Sums:
        """The sums over some of the parameters."""
        own = self.information.kept(kept)
        return Sums(self.llf, self.score[kept], own, lambda: self.rounding, slopes=self.slopes)

    def without_slopes(self) -> Sums:
        """The sums alone."""
        return Sums(self.llf, self.score, self.information, lambda: self.rounding)


def wobble(slopes: float) -> float:
    """What rounding makes of a log-likelihood whose slopes, without their signs, add up to that.

    A predictor of the size of a logarithm of a large count is rounded by some EPS.
    """
    return PREDICTOR * EPS * slopes


def noise(first: Array | None, second: Array | None) -> tuple[float, float]:
    """Sums of (|l'| + 2 |l''|)^2 / |l''|, of which the rounding floor is made, and of |l'|."""
    if first is None or second is None:
        return 0.0, 0.0
    slopes = float(np.add.reduce(np.abs(first), axis=None))
    # To look for the place and then there takes a third of the time of a reduction.
    least = second.item(second.argmin()) if second.size else 0.0
    if least > 0.0 and first.shape == second.shape:
        total = float(np.dot(first, first / second))
        total += 4.0 * slopes + 4.0 * float(np.add.reduce(second, axis=None))
        # Beside rows without curvature (y = 0 under the identity link) it overflows.
        if total < 1.0 / EPS:
            return total, slopes
    slope, size = np.abs(first), np.abs(second)
    curved = size > EPS * slope
    by_row = np.square(slope + 2.0 * size) / np.where(curved, size, 1.0)
    return float(np.where(curved, by_row, 0.0).sum()), slopes
