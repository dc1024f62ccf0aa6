"""Kernels of lags, and how wide they are chosen: Newey & West 1994, Andrews 1991."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.errors import CovarianceError
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["KERNELS", "Kernel", "andrews", "newey_west", "prewhitened"]

# Beyond this a weight is nothing (as R's sandwich has it).
NOTHING = 1e-7
# Bandwidths from which on a kernel without an end is less: 3 / (1.2 pi x)^2 and a bit.
FAR = 1_600


@dataclass(frozen=True)
class Kernel:
    """A kernel of lags.

    Parameters
    ----------
    label : str
    at : callable
        Weights at lags as shares of the bandwidth.
    order : int
        Characteristic exponent: 1 for Bartlett's, else 2.
    constant : float
        Of the optimal bandwidth, Andrews 1991 (Econometrica 59), eq. 6.2.
    rate : float
        Of the lags from which Newey & West 1994 estimate it (REStud 61, table II).
    """

    label: str
    at: Callable[[Array], Array]
    order: int
    constant: float
    rate: float

    def weights(self, bandwidth: float, longest: int) -> Array:
        """Of the lags 0, 1, ... as far as they count, at most `longest`."""
        if bandwidth <= 0:
            return np.ones(1)
        ends = float(self.at(np.ones(1))[0]) == 0.0
        longest = min(longest, math.ceil(bandwidth * (1 if ends else FAR)))
        found = self.at(np.arange(longest + 1) / bandwidth)
        return found[: int(np.flatnonzero(np.abs(found) > NOTHING)[-1]) + 1]


def _bartlett(x: Array) -> Array:
    return np.maximum(1.0 - x, 0.0)


def _parzen(x: Array) -> Array:
    inner = 1.0 - 6.0 * x * x + 6.0 * x**3
    return np.where(x < 0.5, inner, 2.0 * np.maximum(1.0 - x, 0.0) ** 3)


def _quadratic_spectral(x: Array) -> Array:
    y = 1.2 * np.pi * np.maximum(x, 1e-3)
    found = 3.0 / (y * y) * (np.sin(y) / y - np.cos(y))
    # Near 0 by its series, whose next term is below rounding there.
    square = (1.2 * np.pi * x) ** 2
    return np.where(x < 1e-2, 1.0 - square / 10.0 + square * square / 280.0, found)


KERNELS = {
    "bartlett": Kernel("Bartlett", _bartlett, 1, 1.1447, 2 / 9),
    "parzen": Kernel("Parzen", _parzen, 2, 2.6614, 4 / 25),
    "qs": Kernel("quadratic spectral", _quadratic_spectral, 2, 1.3221, 2 / 25),
}


def newey_west(
    kernel: Kernel, series: Array, keys: NDArray[Any], chosen: NDArray[Any], whitened: int
) -> float:
    """Bandwidth of Newey & West 1994, of scores at times (T, k), of which some are chosen."""
    total = series[:, chosen].sum(axis=1)
    n = len(total)
    lags = int((3 if whitened else 4) * ((n + whitened) / 100.0) ** kernel.rate)
    sums = np.array([_product(total, keys, j) / n for j in range(min(lags, n - 1) + 1)])
    number = np.arange(1, len(sums))
    level = sums[0] + 2.0 * sums[1:].sum()
    slope = 2.0 * np.dot(number**kernel.order, sums[1:])
    power = 1.0 / (2 * kernel.order + 1)
    if level == 0.0:
        return math.inf
    return float(kernel.constant * ((slope / level) ** 2) ** power * (n + whitened) ** power)


def _product(total: Array, keys: NDArray[Any], lag: int) -> float:
    """The sum of products of values that lie so many units of time apart."""
    _, first, later = np.intersect1d(keys + lag, keys, assume_unique=True, return_indices=True)
    return float(np.dot(total[first], total[later]))


def andrews(kernel: Kernel, series: Array, chosen: NDArray[Any]) -> float:
    """Bandwidth of Andrews 1991 by first-order autoregressions of each score, eq. 6.4."""
    numerator = denominator = 0.0
    for column in series[:, chosen].T:
        before = np.column_stack([np.ones(len(column) - 1), column[:-1]])
        found = np.linalg.lstsq(before, column[1:], rcond=None)[0]
        rest = column[1:] - np.dot(before, found)
        rho, size = float(found[1]), (float(np.dot(rest, rest)) / len(rest)) ** 2
        if abs(rho) >= 1.0:
            raise CovarianceError(
                "A score follows its own past so closely that no bandwidth can be estimated from "
                "it. Give lags= or bandwidth= as a number.",
                kind="bandwidth",
            )
        denominator += size / (1.0 - rho) ** 4
        if kernel.order == 1:
            numerator += 4.0 * rho**2 * size / ((1.0 - rho) ** 6 * (1.0 + rho) ** 2)
        else:
            numerator += 4.0 * rho**2 * size / (1.0 - rho) ** 8
    power = 1.0 / (2 * kernel.order + 1)
    return float(kernel.constant * (len(series) * numerator / denominator) ** power)


def prewhitened(series: Array, order: int) -> tuple[Array, Array]:
    """What an autoregression of all scores leaves of them, and D that takes it back.

    u_t = A_1 u_{t-1} + ... + e_t by least squares without a constant, D = (I - sum A)^-1
    (Andrews & Monahan 1992, Econometrica 60).
    """
    n = len(series)
    before = np.hstack([series[order - 1 - j : n - 1 - j] for j in range(order)])
    found = np.linalg.lstsq(before, series[order:], rcond=None)[0]
    rest = series[order:] - np.dot(before, found)
    k = series.shape[1]
    total = sum(found[j * k : (j + 1) * k].T for j in range(order))
    return rest, np.asarray(np.linalg.inv(np.eye(k) - total))
