"""Sums over the Conway-Maxwell-Poisson distribution, by mean and shape.

    P(Y = y) = lambda^y / (y!)^nu / Z(lambda, nu),    lambda such that E[Y] = mu

With an integer c near mu and L = log lambda, the statistic

    T(y) = log y! - y log c + constant

is about (y - c)^2 / 2c, so in (y - c) rho - nu T(y), rho = L - nu log c, nothing large
cancels, however large the mean. Rows whose means lie within a standard deviation share c
and one window of counts; log Z, the mean and all cross-cumulants of Y and log Y! are then
products of a matrix of probabilities with a table of monomials.

A window runs over every count while the distribution is narrow. Where it is wide, a panel
of N counts is replaced by 16 points: the Gauss rule of the uniform measure on N equally
spaced points (discrete Chebyshev polynomials; Gautschi 2004, Orthogonal Polynomials,
section 1.5.2), which adds up polynomials of degree 31 exactly. Panels are at most four
standard deviations wide and no wider than their distance from zero, beyond which log y! is
singular; at that width the rule is exact to rounding, from the geometric distribution
(nu = 0) to the normal. So there is no asymptotic series and no switch: the expansion in
1 / (nu mu) of Gaunt, Iyengar, Olde Daalhuis & Simsek (2019), AISM 71, would have to hand
over where nu mu is about 50, and says nothing at small nu.

Outside 1e-290 <= mu <= 1e16, 0 <= nu <= 100 the answer is NaN. As nu grows with mu near a
whole number the variance vanishes, about like exp(-nu / 2mu), and lambda with it ceases to
be a function of mu that doubles can carry. Against sums at 50 digits,
log Z has 13 digits and the variance 12. Points are held as distances from the centre, since
a double of 1e15 does not resolve a small share of a standard deviation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

from glmcount.families.large import entropy
from glmcount.numerics import Array
from glmcount.records import dataclass, replace

__all__ = ["MOST_SHAPE", "Law", "centred_log_factorial", "law", "log_lambda", "log_normaliser"]

LEAST_MEAN, MOST_MEAN, MOST_SHAPE = 1e-290, 1e16, 100.0
# Terms below exp(-52) of the largest no longer matter, even times a fourth power.
CUT = 52.0
ORDER = 16
PANEL = 4.0
WIDTH = 1.0
# Shapes below 2^-50 share a bin with zero; a bin is half an octave.
LOWEST_BIN = -100
# Probabilities held at a time: they stay in the processor's cache.
HELD = 1 << 17
# Rows whose sums are worked on at a time, for the same reason.
TOGETHER = 2_048
# Powers of (y - c, T) whose sums are taken: those of order 3 suffice for a score.
POWERS = (
    (0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (0, 2), (2, 1), (1, 2),
    (4, 0), (3, 1), (2, 2),
)  # fmt: skip
THIRD_ORDER = 9


@dataclass(frozen=True)
class Law:
    """The distribution of each row by its cumulants.

    R is log Y! less its regression on Y, centred: minus the score in nu.

    Parameters
    ----------
    centre, rho, log_z : ndarray, shape (n,)
        log P(y) = (y - centre) rho - nu T(y) - log_z, see `centred_log_factorial`.
    mean_log : ndarray, shape (n,)
        E[T].
    variance, slope, residual : ndarray, shape (n,)
        Var Y, Cov(Y, T) / Var Y and Var R.
    yyy, yyr, yrr : ndarray, shape (n,)
        Third cumulants.
    yyyy, yyyr, yyrr : ndarray, shape (n,)
        Fourth cumulants; NaN unless they were asked for.
    """

    centre: Array
    rho: Array
    log_z: Array
    mean_log: Array
    variance: Array
    slope: Array
    residual: Array
    yyy: Array
    yyr: Array
    yrr: Array
    yyyy: Array
    yyyr: Array
    yyrr: Array


FIELDS = 13


@dataclass(frozen=True)
class Window:
    """Counts (or points that stand for them) that carry all mass of a bin of rows.

    Parameters
    ----------
    centre : float
    exponents : ndarray, shape (2, w)
        y - centre and T(y).
    monomials : ndarray, shape (12, w)
        Weighted powers of the two; the first leaves out y = 0 where that is the centre.
    stride : float
        Longest step in rho.
    bend : ndarray, shape (8,)
        mu, nu and rho less its guess at the middle of the bin, and Taylor coefficients.
    """

    centre: float
    exponents: Array
    monomials: Array
    stride: float
    bend: Array


@dataclass(frozen=True)
class Binned:
    """Rows that lie together by their windows.

    What is done with their sums is done for all rows at once, since few share a window.

    Parameters
    ----------
    windows : tuple of Window
    bounds : ndarray of int, shape (windows + 1,)
        First row of each window, and how many rows there are.
    centre, stride : ndarray, shape (n,)
    """

    windows: tuple[Window, ...]
    bounds: NDArray[np.intp]
    centre: Array
    stride: Array

    @staticmethod
    def of(windows: Sequence[Window], sizes: NDArray[np.intp]) -> Binned:
        """So many rows of each window."""
        bounds = np.zeros(len(sizes) + 1, dtype=np.intp)
        np.cumsum(sizes, out=bounds[1:])
        told = np.array([(window.centre, window.stride) for window in windows])
        centre, stride = np.repeat(told.T, sizes, axis=1)
        return Binned(tuple(windows), bounds, centre, stride)

    def bends(self) -> Array:
        """The bend of each row's window, shape (8, n)."""
        bends = np.array([window.bend for window in self.windows])
        return np.repeat(bends.T, np.diff(self.bounds), axis=1)

    def sums(self, rho: Array, nu: Array, columns: int, left: NDArray[np.intp]) -> Array:
        """Sums of the first monomials for the rows that are `left`, shape (columns, n)."""
        by = np.empty((rho.size, 2))
        by[:, 0] = rho
        np.negative(nu, out=by[:, 1])
        out = np.empty((columns, rho.size))
        ends = np.searchsorted(left, self.bounds).tolist()
        for window, start, end in zip(self.windows, ends[:-1], ends[1:], strict=True):
            size = max(1, HELD // window.exponents.shape[1])
            for first in range(start, end, size):
                last = min(first + size, end)
                chance = by[first:last].dot(window.exponents)
                np.exp(chance, out=chance)
                out[:, first:last] = np.dot(window.monomials[:columns], chance.T)
        return out


# Windows ----------------------------------------------------------------------------------


def _stirling(y: Array) -> Array:
    """log y! - (y log y - y)."""
    small = y < 16.0
    out = np.empty(y.shape)
    x = y[small]
    out[small] = scipy.special.gammaln(x + 1.0) - scipy.special.xlogy(x, x) + x
    x = y[~small]
    inverse = 1.0 / x
    z = inverse * inverse
    series = 1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680 - z / 1188)))
    out[~small] = 0.5 * np.log(2.0 * np.pi * x) + inverse * series
    return out


def centred_log_factorial(y: Array, centre: Array) -> Array:
    """T(y) = log y! - log c! - (y - c) log max(c, 1), without cancellation for large c."""
    y, centre = np.broadcast_arrays(y, centre)
    return _statistic(y, centre, y - centre)


def _statistic(y: Array, centre: Array, offset: Array) -> Array:
    """T(y) of a point whose distance from the centre is known to more digits than itself."""
    unit = np.maximum(centre, 1.0)
    # At c = 0 the statistic is log y! itself, and D(0, 1) = 1.
    origin = _stirling(centre) + (centre < 1.0)
    return entropy(y, unit, offset + (centre - unit)) + _stirling(y) - origin


@lru_cache(maxsize=1024)
def _panel(count: int) -> tuple[Array, Array]:
    """Points and weights with sum_{j < count} f(j) = sum w f(x) for degrees up to 31."""
    if count <= ORDER:
        return np.arange(float(count)), np.ones(count)
    k = np.arange(1.0, ORDER)
    squares = k * k * (float(count) ** 2 - k * k) / (4.0 * (4.0 * k * k - 1.0))
    points, vectors = scipy.linalg.eigh_tridiagonal(
        np.full(ORDER, 0.5 * (count - 1.0)), np.sqrt(squares)
    )
    return points, count * np.square(vectors[0])


def _points(low: int, high: int, deviation: float, centre: int) -> tuple[Array, Array]:
    """Points less the centre, and weights, that stand for the counts from low to high."""
    points, weights = [], []
    while low <= high:
        count = max(ORDER, min(low, int(PANEL * deviation)))
        x, w = _panel(count)
        points.append((low - centre) + x)
        weights.append(w)
        low += count
    return np.concatenate(points), np.concatenate(weights)


def _deviation(mu: float, nu: float) -> float:
    """Standard deviation, roughly: right as mu -> 0, at nu = 0, at nu = 1 and as mu grows."""
    return math.sqrt(mu * (1.0 + mu) / (1.0 + nu * mu))


def _reach(mu_low: float, mu_high: float, nu: float) -> tuple[int, int]:
    """Counts beyond which less than exp(-CUT) is left."""
    nu = max(nu, 1e-300)
    # nu D(y, mu) >= CUT by Bernstein's bound; no tail is longer than the geometric one.
    normal = math.sqrt(2.0 * CUT * mu_high / nu) + 2.0 * CUT / (3.0 * nu)
    geometric = CUT / math.log1p(1.0 / mu_high)
    low = max(0.0, mu_low - math.sqrt(2.0 * CUT * mu_low / nu) - 1.0)
    return int(low), int(mu_high + min(normal, geometric)) + 3


def _ladder(mu: Array, nu: Array) -> Array:
    """How many standard deviations lie between zero and mu, roughly."""
    root = np.sqrt(nu * mu)
    far = 2.0 * np.arcsinh(np.sqrt(1.0 / nu)) + 2.0 * (root - 1.0)
    return np.where(nu >= 1.0, 2.0 * root, np.where(root < 1.0, 2.0 * np.arcsinh(np.sqrt(mu)), far))


def _unladder(u: float, nu: float) -> float:
    if nu >= 1.0:
        return 0.25 * u * u / nu
    knee = 2.0 * math.asinh(math.sqrt(1.0 / nu))
    return math.sinh(0.5 * u) ** 2 if u < knee else (0.5 * (u - knee) + 1.0) ** 2 / nu


def _shape_edges(shape_bin: int) -> tuple[float, float]:
    low = 0.0 if shape_bin <= LOWEST_BIN else 2.0 ** (0.5 * shape_bin)
    return low, 2.0 ** (0.5 * (shape_bin + 1))


@lru_cache(maxsize=1024)
def _window(mean_bin: int, shape_bin: int) -> Window:
    """The window of a bin; it depends on no data, so that a row's digits do not either."""
    nu_low, nu_high = _shape_edges(shape_bin)
    mu_low, mu, mu_high = (_unladder(WIDTH * (mean_bin + k), nu_high) for k in (0.0, 0.5, 1.0))
    low, high = _reach(mu_low, mu_high, nu_low)
    offsets, weights = _points(low, high, _deviation(mu_low, nu_high), round(mu))
    wide = _table(offsets, weights, float(round(mu)), 3.0 / _deviation(mu, nu_high))
    # The bounds are generous where neither is near: keep what the widest of the bin needs.
    last, nu = np.array([mu_high]), np.array([nu_low])
    rho = _solve(_alone(wide), last, nu, _guess(wide.centre, last, nu))
    log_term = np.dot(np.stack([rho, -nu], axis=1), wide.exponents)[0]
    kept = int(np.flatnonzero(log_term > log_term.max() - CUT)[-1]) + 1
    trim = _table(offsets[:kept], weights[:kept], wide.centre, wide.stride)
    middle = np.array([mu]), np.array([0.5 * (nu_low + nu_high)])
    return replace(trim, bend=_bend(trim, *middle))


def _table(offsets: Array, weights: Array, centre: float, stride: float) -> Window:
    middle = np.full(offsets.shape, centre)
    statistic = _statistic(middle + offsets, middle, offsets)
    monomials = np.stack([weights * offsets**i * statistic**j for i, j in POWERS])
    # Where most mass lies at zero, its term, which is 1, is added by log1p.
    monomials[0, :1] *= centre > 0.0
    return Window(centre, np.stack([offsets, statistic]), monomials, stride, np.zeros(8))


def _guess(centre: Array | float, mu: Array, nu: Array) -> Array:
    """Rho where Var Y is mu (1 + mu) / (1 + nu mu): exact for nu = 0, nu = 1 and mu -> 0."""
    guess: Array = nu * np.log((1.0 + mu) / np.maximum(centre, 1.0)) - np.log1p(1.0 / mu)
    return guess


def _alone(window: Window) -> Binned:
    """One row of a window."""
    return Binned.of((window,), np.ones(1, dtype=np.intp))


def _bend(window: Window, mu: Array, nu: Array) -> Array:
    """What `_guess` lacks in the middle of the bin, with its Taylor coefficients."""
    own, guess = _alone(window), _guess(window.centre, mu, nu)
    rho = _solve(own, mu, nu, guess)
    parts = Law(*_cumulants(own, nu, rho, THIRD_ORDER))
    v = parts.variance
    return np.stack(
        [
            mu,
            nu,
            rho - guess,
            1.0 / v - 1.0 / mu - (nu - 1.0) / (1.0 + mu),
            parts.slope - np.log((1.0 + mu) / max(window.centre, 1.0)),
            1.0 / mu**2 + (nu - 1.0) / (1.0 + mu) ** 2 - parts.yyy / v**3,
            parts.yyr / v**2 - 1.0 / (1.0 + mu),
            -parts.yrr / v,
        ]
    )[:, 0]


# Rows -------------------------------------------------------------------------------------


def _first_rho(bins: Binned, mu: Array, nu: Array) -> Array:
    middle, shape, level, m, n, mm, mn, nn = bins.bends()
    x, z = mu - middle, nu - shape
    more = x * (m + 0.5 * mm * x + mn * z) + z * (n + 0.5 * nn * z)
    return _guess(bins.centre, mu, nu) + level + np.clip(more, -bins.stride, bins.stride)


@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def _solve(bins: Binned, mu: Array, nu: Array, rho: Array) -> Array:
    """Rho with mean mu, by Halley's method inside a bracket."""
    low, high = np.full(mu.shape, -np.inf), np.full(mu.shape, np.inf)
    out, left, stride = np.full(mu.shape, np.nan), np.arange(mu.size), bins.stride
    empty, gap = 1.0 * (bins.centre == 0.0), mu - bins.centre
    for _ in range(200):
        z, a, b, c = bins.sums(rho, nu, 4, left)
        z = z + empty
        a, b, c = a / z, b / z, c / z
        variance, third = b - a * a, c - a * (3.0 * b - 2.0 * a * a)
        lack = gap - a
        newton = lack / variance
        step = newton / np.maximum(1.0 + 0.5 * newton * third / variance, 0.5)
        # Halley's method cubes the error, so that a step this small leaves none.
        done = np.abs(step) * np.sqrt(np.maximum(variance, 1.0)) <= 1e-5
        out[left[done]] = (rho + step)[done]
        if done.all():
            break
        # An overflow, here NaN, is too large a mean.
        above = ~(lack > 0)
        high, low = np.where(above, rho, high), np.where(above, low, rho)
        rho = _inside(rho, step, low, high, stride)
        if done.any():
            more = ~done
            rho, nu, gap, left = rho[more], nu[more], gap[more], left[more]
            low, high, empty, stride = low[more], high[more], empty[more], stride[more]
    return out


def _inside(now: Array, step: Array, low: Array, high: Array, stride: Array) -> Array:
    """The step, cut to the stride; the middle of the bracket where it leaves it."""
    tried = now + np.clip(step, -stride, stride)
    inside = (tried > low) & (tried < high)
    bounded = np.isfinite(low) & np.isfinite(high)
    middle = np.where(bounded, 0.5 * low + 0.5 * high, now - stride)
    return np.where(inside, tried, middle)


def _cumulants(bins: Binned, nu: Array, rho: Array, columns: int) -> Array:
    """The fields of `Law`, shape (13, n)."""
    sums = bins.sums(rho, nu, columns, np.arange(rho.size))
    out = np.full((FIELDS, rho.size), np.nan)
    empty = bins.centre == 0.0
    log_z = np.log1p(sums[0])
    np.log(sums[0], out=log_z, where=~empty)
    z = sums[0] + empty
    a, aa, aaa, b, ab, bb, aab, abb = sums[1:THIRD_ORDER] / z
    yy, yt, tt = aa - a * a, ab - a * b, bb - b * b
    yyy = aaa - a * (3.0 * aa - 2.0 * a * a)
    yyt = aab - 2.0 * a * ab - b * (aa - 2.0 * a * a)
    ytt = abb - 2.0 * b * ab - a * (bb - 2.0 * b * b)
    r = yt / yy
    out[:7] = bins.centre, rho, log_z, b, yy, r, np.maximum(tt - r * yt, 0.0)
    out[7:10] = yyy, yyt - r * yyy, ytt - r * (2.0 * yyt - r * yyy)
    if columns > THIRD_ORDER:
        aaaa, aaab, aabb = sums[THIRD_ORDER:] / z
        yyyy = aaaa - a * (4.0 * aaa - a * (6.0 * aa - 3.0 * a * a)) - 3.0 * yy * yy
        yyyt = aaab - a * (3.0 * aab - 3.0 * a * ab) - b * (aaa - 3.0 * a * (aa - a * a))
        yytt = aabb - 2.0 * (a * abb + b * aab) + a * a * bb + b * b * aa
        yyyt -= 3.0 * yy * yt
        yytt += 4.0 * a * b * ab - 3.0 * (a * b) ** 2 - yy * tt - 2.0 * yt * yt
        out[10:] = yyyy, yyyt - r * yyyy, yytt - r * (2.0 * yyyt - r * yyyy)
    return out


def law(mu: Array, nu: Array, fourth: bool = False) -> Law:
    """Solve and sum every row.

    Parameters
    ----------
    mu, nu : ndarray, shape (n,) or (1,)
        Mean and shape; nu = 0 is the geometric distribution.
    fourth : bool
        Whether the fourth cumulants are wanted.

    Returns
    -------
    Law
        NaN outside the domain.

    Examples
    --------
    >>> float(law(np.array([3.0]), np.ones(1)).variance[0].round(12))
    3.0
    """
    mu, nu = np.broadcast_arrays(mu, nu)
    columns = len(POWERS) if fourth else THIRD_ORDER
    pairs = np.empty(mu.shape, dtype=np.complex128)
    pairs.real, pairs.imag = mu, nu
    distinct, where = np.unique(pairs, return_inverse=True)
    if 2 * distinct.size > mu.size:
        return Law(*_rows(mu, nu, columns))
    found = _rows(distinct.real.copy(), distinct.imag.copy(), columns)
    return Law(*found[:, where])


def _rows(mu: Array, nu: Array, columns: int) -> Array:
    out = np.full((FIELDS, mu.size), np.nan)
    inside = (mu >= LEAST_MEAN) & (mu <= MOST_MEAN) & (nu >= 0.0) & (nu <= MOST_SHAPE)
    rows = np.flatnonzero(inside)
    if not rows.size:
        return out
    shapes = np.floor(2.0 * np.log2(np.maximum(nu[rows], 2.0 ** (0.5 * LOWEST_BIN))))
    means = np.floor(_ladder(mu[rows], 2.0 ** (0.5 * (shapes + 1.0))) / WIDTH)
    key = (means * 256.0 + (shapes - LOWEST_BIN)).astype(np.int64)
    order = np.argsort(key, kind="stable")
    key, rows = key[order], rows[order]
    for first in range(0, rows.size, TOGETHER):
        own, taken = key[first : first + TOGETHER], rows[first : first + TOGETHER]
        starts = np.concatenate(([0], np.flatnonzero(np.diff(own)) + 1))
        keys = [divmod(each, 256) for each in own[starts].tolist()]
        windows = [_window(mean_bin, shape_bin + LOWEST_BIN) for mean_bin, shape_bin in keys]
        bins = Binned.of(windows, np.diff(np.append(starts, own.size)))
        m, n = mu[taken], nu[taken]
        rho = _solve(bins, m, n, _first_rho(bins, m, n))
        out[:, taken] = _cumulants(bins, n, rho, columns)
    return out


def log_lambda(mu: Array, nu: Array) -> Array:
    """Log lambda of the distribution with mean mu.

    Examples
    --------
    >>> float(log_lambda(np.array([1.0]), np.ones(1))[0].round(12)) + 0.0
    0.0
    """
    found = law(mu, nu)
    return found.rho + nu * np.log(np.maximum(found.centre, 1.0))


def log_normaliser(mu: Array, nu: Array) -> Array:
    """Log Z of the distribution with mean mu.

    Examples
    --------
    >>> float(log_normaliser(np.array([5.0]), np.ones(1))[0].round(12))
    5.0
    """
    found = law(mu, nu)
    centre = found.centre
    return (
        found.log_z
        + centre * found.rho
        + nu * (centre * np.log(np.maximum(centre, 1.0)) - scipy.special.gammaln(centre + 1.0))
    )
