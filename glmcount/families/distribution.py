"""What follows from any log-likelihood: probabilities, tails, quantiles, upper sums as jets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from glmcount.families.base import Etas, Family
from glmcount.families.jets import add_logs, log_complement
from glmcount.numerics import Array, Jet, exp_jet

__all__ = ["binary", "log_above", "log_mass", "log_zero", "mass_jet", "quantiles", "tails", "up_to"]

BLOCK = 64
LONGEST = 200_000
# Below this share 1 - F has lost two digits, and the upper terms are added instead.
THIN = 1e-2
NEGLIGIBLE = 40.0


def rows_of(etas: Etas, rows: NDArray[np.intp]) -> list[Array]:
    """Predictors of some rows; one that is the same in all rows stays (1,)."""
    return [eta if eta.shape == (1,) else eta[rows] for eta in etas]


def log_mass(family: Family, etas: Etas, count: Array) -> Jet:
    """Jet of log P(Y = count), count of shape (n,) or (1,)."""
    y = _stacked(family, count)
    jet = family.terms(y, etas)
    return Jet(jet.value + family.constant(y), jet.d1, jet.d2)


def _stacked(family: Family, count: Array) -> Array:
    """A response of that count; further rows (limits of censoring) out of its way."""
    y = np.full((1 + len(family.columns), count.size), np.inf)
    y[0] = count
    return y


def log_zero(family: Family, etas: Etas) -> Jet:
    """Jet of log P(Y = 0)."""
    return log_mass(family, etas, np.zeros(1 if all(e.shape == (1,) for e in etas) else _n(etas)))


def binary(family: Family, etas: Etas) -> tuple[Jet, Jet]:
    """Jets of log P(Y = 0) and log P(Y > 0)."""
    if family.binary is not None:
        return family.binary(etas)
    none = log_zero(family, etas)
    return none, log_complement(none)


def _n(etas: Etas) -> int:
    return max(eta.size for eta in etas)


def mass_jet(family: Family, etas: Etas, count: float) -> Jet:
    """Jet of P(Y = count)."""
    return exp_jet(log_mass(family, etas, np.full(_n(etas), count)))


def up_to(family: Family, etas: Etas, count: int) -> Jet:
    """Jet of P(Y <= count)."""
    total = mass_jet(family, etas, 0.0)
    for k in range(1, count + 1):
        total = total + mass_jet(family, etas, float(k))
    return total


def log_above(family: Family, etas: Etas, count: Array) -> Jet:
    """Jet of log P(Y > count), count of shape (n,) whole numbers or (1,).

    By 1 - F, or where that is below `THIN` by the sum of the upper terms.
    """
    n = max(count.size, _n(etas))
    count = np.broadcast_to(count, (n,))
    q = len(etas)
    value, first = np.zeros(n), np.zeros((q, n))
    second = np.zeros((q, q, n))
    for k in np.unique(count):
        rows = np.flatnonzero(count == k)
        part = _log_above(family, rows_of(etas, rows), int(k), len(rows))
        value[rows] = part.value
        for j in range(q):
            first[j, rows] = 0.0 if part.d1[j] is None else part.d1[j]
            for i in range(q):
                second[j, i, rows] = 0.0 if part.d2[j][i] is None else part.d2[j][i]
    return Jet(value, tuple(first), tuple(tuple(row) for row in second))


def _log_above(family: Family, etas: list[Array], k: int, n: int) -> Jet:
    if k < 0:
        zero = np.zeros(n)
        none = (None,) * len(etas)
        return Jet(zero, none, (none,) * len(etas))
    below = log_mass(family, etas, np.zeros(n))
    for j in range(1, k + 1):
        below = add_logs(below, log_mass(family, etas, np.full(n, float(j))))
    above = log_complement(below)
    # log f(0) has all its digits, so that 1 - f(0) has them too.
    thin = np.flatnonzero(above.value < np.log(THIN)) if k > 0 else np.zeros(0, dtype=np.intp)
    return above if not len(thin) else _patched(above, thin, _upper(family, rows_of(etas, thin), k))


def _upper(family: Family, etas: list[Array], k: int) -> Jet:
    n = _n(etas)
    total = log_mass(family, etas, np.full(n, k + 1.0))
    for j in range(k + 2, k + LONGEST):
        term = log_mass(family, etas, np.full(n, float(j)))
        total = add_logs(total, term)
        if np.all(term.value < total.value - NEGLIGIBLE):
            break
    return total


def _patched(jet: Jet, rows: NDArray[np.intp], part: Jet) -> Jet:
    def put(old: Array | None, new: Array | None) -> Array | None:
        if old is None:
            return None
        out = np.array(np.broadcast_to(old, jet.value.shape))
        out[rows] = 0.0 if new is None else new
        return out

    span = range(jet.q)
    value = put(jet.value, part.value)
    assert value is not None
    return Jet(
        value,
        tuple(put(jet.d1[j], part.d1[j]) for j in span),
        tuple(tuple(put(jet.d2[j][k], part.d2[j][k]) for k in span) for j in span),
    )


def tails(family: Family, y: Array, etas: Etas) -> tuple[Array, Array, Array, Array]:
    """log F(y - 1), log F(y), log S(y - 1), log S(y), S(y) = P(Y > y).

    The family's own, or by adding up probabilities, each tail from its smaller side.
    """
    if family.tails is not None:
        return family.tails(y, etas)
    count = np.floor(y[0])
    with np.errstate(divide="ignore"):
        below = _lower_sums(family, etas, count)
        here = np.exp(log_mass(family, etas, count).value)
        upto = below + here
        above = np.maximum(-np.expm1(np.log(np.minimum(upto, 1.0))), 0.0)
        far = np.flatnonzero(upto > 0.5)
        if len(far):
            above[far] = _upper_sums(family, rows_of(etas, far), count[far])
        return np.log(below), np.log(np.minimum(upto, 1.0)), np.log(above + here), np.log(above)


def _blocks(family: Family, etas: Etas, first: Array, width: int, rows: NDArray[np.intp]) -> Array:
    """P(Y = first + j), j < width, for some rows: (rows, width)."""
    counts = (first[:, None] + np.arange(width)).ravel()
    spread = [eta if eta.shape == (1,) else np.repeat(eta[rows], width) for eta in etas]
    return np.exp(log_mass(family, spread, counts).value).reshape(len(rows), width)


def _lower_sums(family: Family, etas: Etas, count: Array) -> Array:
    """P(Y < count) by row."""
    out = np.zeros(count.size)
    top = float(count.max(initial=0.0))
    start = 0.0
    while start < top:
        rows = np.flatnonzero(count > start)
        mass = _blocks(family, etas, np.full(len(rows), start), BLOCK, rows)
        mass[start + np.arange(BLOCK) >= count[rows, None]] = 0.0
        out[rows] += mass.sum(axis=1)
        start += BLOCK
    return out


def _upper_sums(family: Family, etas: Etas, count: Array) -> Array:
    """P(Y > count) by row, term by term until they no longer matter."""
    out = np.zeros(count.size)
    rows = np.arange(count.size)
    first = count + 1.0
    for _ in range(LONGEST // BLOCK):
        mass = _blocks(family, etas, first[rows], BLOCK, rows)
        out[rows] += mass.sum(axis=1)
        first[rows] += BLOCK
        falling = mass[:, -1] <= mass[:, -2]
        rows = rows[~(falling & (mass[:, -1] * BLOCK <= 1e-17 * out[rows]))]
        if not len(rows):
            break
    return out


def quantiles(family: Family, etas: Etas, share: float, n: int) -> Array:
    """Smallest count with P(Y <= count) >= share, by row.

    Where the family has its own tails by doubling and halving, else by adding up.
    """
    wide = [np.broadcast_to(eta, (n,)) for eta in etas]
    if family.tails is not None:
        own = family.tails
        return _bisected(lambda count: own(_stacked(family, count), wide)[1], np.log(share), n)
    out, total = np.zeros(n), np.zeros(n)
    rows = np.arange(n)
    start = 0.0
    while len(rows) and start < LONGEST:
        mass = _blocks(family, wide, np.full(len(rows), start), BLOCK, rows)
        running = total[rows, None] + np.cumsum(mass, axis=1)
        reached = running >= share
        done = reached.any(axis=1)
        out[rows[done]] = start + np.argmax(reached[done], axis=1)
        total[rows] = running[:, -1]
        rows = rows[~done]
        start += BLOCK
    out[rows] = np.nan
    return out


def _bisected(log_cdf: Callable[[Array], Array], target: float, n: int) -> Array:
    low, high = np.full(n, -1.0), np.ones(n)
    while True:
        short = log_cdf(high) < target
        if not short.any():
            break
        low = np.where(short, high, low)
        high = np.where(short, 2.0 * high, high)
    while np.any(high - low > 1.0):
        middle = np.floor(0.5 * (low + high))
        enough = log_cdf(np.maximum(middle, 0.0)) >= target
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    return high
