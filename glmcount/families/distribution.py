"""What follows from any log-likelihood: probabilities and tails, as numbers and as jets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from glmcount.families.base import Etas, Family
from glmcount.families.panels import Look, add_up
from glmcount.numerics import EPS, Array
from glmcount.numerics.jets import Jet, add_logs, exp_jet, log_complement, times

__all__ = [
    "HALF",
    "binary",
    "limited_moments",
    "log_above",
    "log_below",
    "log_beyond",
    "log_mass",
    "log_masses",
    "log_zero",
    "mass_jet",
    "rest_of",
    "rows_of",
    "shares",
    "stacked",
    "tails",
    "up_to",
]

# Below this share 1 - F has lost two digits, and the upper terms are added instead.
THIN = 1e-2
# Counts up to here are added up one after the other.
SHORT = 64.0
HALF = np.log(0.5)
# Shares whose logarithm is below have no say in a variance.
NOWHERE = 60.0
Rows = NDArray[np.intp]


def rows_of(etas: Etas, rows: Rows) -> list[Array]:
    """Predictors of some rows; one that is the same in all rows stays (1,)."""
    return [eta if eta.shape == (1,) else eta[rows] for eta in etas]


def log_mass(family: Family, etas: Etas, count: Array) -> Jet:
    """Jet of log P(Y = count), count of shape (n,) or (1,)."""
    return _rounded_mass(family, etas, count)[0]


def _rounded_mass(family: Family, etas: Etas, count: Array) -> tuple[Jet, Array]:
    """The same, and about how much of it is rounding."""
    y = stacked(family, count)
    jet = family.terms(y, etas)
    if family.mass is not None:
        value = family.mass(y, etas)
        return _with(jet, value), EPS * np.abs(value)
    constant = family.constant(y)
    return _with(jet, jet.value + constant), EPS * (np.abs(jet.value) + np.abs(constant))


def log_masses(family: Family, etas: Etas, count: Array) -> tuple[Array, Array]:
    """Values of log P(Y = count), and about how much of them is rounding."""
    if family.mass is None:
        jet, rounding = _rounded_mass(family, etas, count)
        return jet.value, rounding
    value = family.mass(stacked(family, count), etas)
    return value, EPS * np.abs(value)


def stacked(family: Family, count: Array) -> Array:
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


def up_to(family: Family, etas: Etas, count: Array) -> Jet:
    """Jet of P(Y <= count), count of shape (n,): whole numbers of 0 or more."""
    below, above = tails(family, stacked(family, count), etas)[1::2]
    # F' = -S', which keeps its digits where F is small: see `log_above`.
    slopes = times(exp_jet(_with(log_above(family, etas, count), above)), -1.0)
    return _with(slopes, np.exp(below))


def _with(jet: Jet, value: Array) -> Jet:
    return Jet(value, jet.d1, jet.d2)


# Upper sums as jets -----------------------------------------------------------------------


def log_above(family: Family, etas: Etas, count: Array) -> Jet:
    """Jet of log P(Y > count), count of shape (n,) whole numbers or (1,).

    By 1 - F, or where that is below `THIN` by the sum of the upper terms.
    """
    if family.above is not None:
        return family.above(etas, count)
    n = max(count.size, _n(etas))
    count = np.broadcast_to(count, (n,))
    if np.all(count == 0):
        # log f(0) has all its digits, so that 1 - f(0) has them too.
        return log_complement(log_mass(family, etas, np.zeros(n)))
    out = _Filled(len(etas), n)
    few = (count >= 0) & (count < SHORT)
    # A few counts below a limit that many rows share are added up for all of these at once.
    parts, far = list(_by_limit(family, etas, count, few)), np.zeros(0, dtype=np.intp)
    if np.any(count >= SHORT):
        mean = _wide(family.moments(etas)[0].value, n)
        far = np.flatnonzero(~few & (count >= mean))
        parts += _by_sum(family, etas, count, ~few & (count < mean))
    thin = [far]
    for rows, below in parts:
        found = log_complement(below)
        out.put(rows, found)
        thin.append(rows[found.value < np.log(THIN)])
    high = np.concatenate(thin)
    high = high[count[high] > 0]
    if high.size:
        own, above = rows_of(etas, high), count[high] + 1.0
        out.put(high, _log_sum(family, own, above, np.full(high.size, family.support[1]), True))
    return out.jet()


def _by_limit(
    family: Family, etas: Etas, count: Array, chosen: NDArray[np.bool_]
) -> Iterator[tuple[Rows, Jet]]:
    """Rows of one count with the jets of log P(Y <= count), counts of a few."""
    for k in np.unique(count[chosen]):
        rows = np.flatnonzero(chosen & (count == k))
        own, zero = rows_of(etas, rows), np.zeros(rows.size)
        below = log_mass(family, own, zero)
        for j in range(1, int(k) + 1):
            below = add_logs(below, log_mass(family, own, zero + j))
        yield rows, below


def _by_sum(
    family: Family, etas: Etas, count: Array, chosen: NDArray[np.bool_]
) -> Iterator[tuple[Rows, Jet]]:
    rows = np.flatnonzero(chosen & (count >= 0))
    if rows.size:
        least = np.full(rows.size, family.support[0])
        yield rows, _log_sum(family, rows_of(etas, rows), count[rows], least, False)


class _Filled:
    """A jet that is put together from jets of some of its rows."""

    def __init__(self, q: int, n: int) -> None:
        self.value, self.first, self.second = np.zeros(n), np.zeros((q, n)), np.zeros((q, q, n))

    def put(self, rows: Rows, part: Jet) -> None:
        self.value[rows] = part.value
        for j, (slope, bends) in enumerate(zip(part.d1, part.d2, strict=True)):
            self.first[j, rows] = 0.0 if slope is None else slope
            for k, bend in enumerate(bends):
                self.second[j, k, rows] = 0.0 if bend is None else bend

    def jet(self) -> Jet:
        return Jet(self.value, tuple(self.first), tuple(tuple(row) for row in self.second))


def _log_sum(family: Family, etas: Etas, first: Array, last: Array, up: bool) -> Jet:
    """Jet of the logarithm of a sum of probabilities.

    With l the log-probability its derivatives are the mean of l' and the mean of l'' plus the
    covariance of l', both weighted by the probabilities; the covariance is taken about l' at
    the first count, so that it does not cancel in a far tail.
    """
    q, n = len(etas), first.size
    origin = _slopes(log_mass(family, etas, first), n)
    pairs = [(j, k) for j in range(q) for k in range(j, q)]

    def look(rows: Rows, counts: Array) -> tuple[Array, Array, Array]:
        own, flat = _repeated(etas, rows, counts)
        jet, rounding = _rounded_mass(family, own, flat)
        slopes = _slopes(jet, flat.size).reshape(q, *counts.shape) - origin[:, rows, None]
        bends = [
            _wide(jet.d2[j][k], flat.size).reshape(counts.shape) + slopes[j] * slopes[k]
            for j, k in pairs
        ]
        columns = np.concatenate([slopes, np.stack(bends)])
        logs = jet.value.reshape(counts.shape)
        # A count that is out of the question has no say, whatever its derivatives are.
        columns = np.where(np.isneginf(logs), 0.0, columns)
        return logs, columns, rounding.reshape(counts.shape)

    value, means = add_up(look, first, last, up, q + len(pairs))
    second = {(j, k): means[q + i] - means[j] * means[k] for i, (j, k) in enumerate(pairs)}
    span = range(q)
    return Jet(
        value,
        tuple(origin[j] + means[j] for j in span),
        tuple(tuple(second[min(j, k), max(j, k)] for k in span) for j in span),
    )


def _slopes(jet: Jet, n: int) -> Array:
    return np.stack([_wide(slope, n) for slope in jet.d1])


def _wide(values: Array | None, n: int) -> Array:
    return np.broadcast_to(np.zeros(1) if values is None else values, (n,))


def _repeated(etas: Etas, rows: Rows, counts: Array) -> tuple[list[Array], Array]:
    """Predictors of the rows once for each of their counts, and those in one row."""
    m = counts.shape[1]
    return [e if e.shape == (1,) else np.repeat(e[rows], m) for e in etas], counts.ravel()


def limited_moments(family: Family, etas: Etas, limit: Array) -> tuple[Array, Array]:
    """Mean and variance of min(Y, limit), limit whole or infinite, by row."""
    n = limit.size
    mean, variance = (np.array(_wide(jet.value, n)) for jet in family.moments(etas))
    rows = np.flatnonzero(np.isfinite(limit))
    above = log_beyond(family, rows_of(etas, rows), limit[rows] - 1.0)
    rows, above = rows[above > -NOWHERE], np.exp(above[above > -NOWHERE])
    own, top = rows_of(etas, rows), limit[rows]
    # Distances from where most of it lies, so that their squares do not cancel.
    centre = np.minimum(mean[rows], top)
    plain = _look(family, own)

    def look(some: Rows, counts: Array) -> tuple[Array, Array, Array]:
        logs, _, rounding = plain(some, counts)
        far = counts - centre[some, None]
        return logs, np.stack([far, far * far]), rounding

    share, (first, second) = add_up(
        look, top - 1.0, np.full(rows.size, family.support[0]), False, 2
    )
    share, far = np.exp(share), top - centre
    first, second = share * first + above * far, share * second + above * far * far
    mean[rows], variance[rows] = centre + first, second - first * first
    return mean, variance


# Tails ------------------------------------------------------------------------------------


def tails(family: Family, y: Array, etas: Etas) -> tuple[Array, Array, Array, Array]:
    """log F(y - 1), log F(y), log S(y - 1), log S(y), S(y) = P(Y > y).

    The family's own, or by adding up probabilities, each tail from its smaller side.
    """
    n = y.shape[1]
    if family.tails is None:
        return _sums(family, etas, np.floor(y[0]))
    own = family.tails(y, etas)
    found = [np.array(_wide(part, n)) for part in own]
    lost = np.flatnonzero(np.isnan(found).any(axis=0) & _known(etas, n))
    if lost.size:
        rest = _sums(family, rows_of(etas, lost), np.floor(y[0][lost]))
        for part, values in zip(found, rest, strict=True):
            part[lost] = values
    return found[0], found[1], found[2], found[3]


def _known(etas: Etas, n: int) -> NDArray[np.bool_]:
    out = np.ones(n, dtype=bool)
    for eta in etas:
        out &= ~np.isnan(eta)
    return out


def _sums(family: Family, etas: Etas, count: Array) -> tuple[Array, Array, Array, Array]:
    """The four tails by adding up below the count, above it, or both where both are large."""
    n = count.size
    here = log_masses(family, etas, count)[0]
    below, beyond = np.full(n, np.nan), np.full(n, np.nan)

    def lower(rows: Rows) -> None:
        below[rows] = log_below(family, rows_of(etas, rows), count[rows])

    def upper(rows: Rows) -> None:
        beyond[rows] = log_beyond(family, rows_of(etas, rows), count[rows])

    low = count < _wide(family.moments(etas)[0].value, n)
    lower(np.flatnonzero(low))
    upper(np.flatnonzero(~low))
    with np.errstate(invalid="ignore"):
        upto, above = np.logaddexp(below, here), np.logaddexp(beyond, here)
    upper(np.flatnonzero(low & (upto > HALF)))
    lower(np.flatnonzero(~low & (above > HALF)))
    return _four(below, here, beyond)


def log_below(family: Family, etas: Etas, count: Array, least: float | None = None) -> Array:
    """Log of the sum of the probabilities of lower counts, down to `least`, by row."""
    lowest = np.full(count.size, family.support[0] if least is None else least)
    first = np.minimum(count - 1.0, family.support[1])
    return add_up(_look(family, etas), first, lowest, False)[0]


def log_beyond(family: Family, etas: Etas, count: Array) -> Array:
    """Log of the sum of the probabilities of higher counts, by row."""
    most = np.full(count.size, family.support[1])
    return add_up(_look(family, etas), count + 1.0, most, True)[0]


def _look(family: Family, etas: Etas) -> Look:
    def look(rows: Rows, counts: Array) -> tuple[Array, Array, Array]:
        logs, rounding = log_masses(family, *_repeated(etas, rows, counts))
        shape = counts.shape
        return logs.reshape(shape), np.zeros((0, *shape)), rounding.reshape(shape)

    return look


def _four(below: Array, here: Array, beyond: Array) -> tuple[Array, Array, Array, Array]:
    """From log F(y - 1) and log S(y), of which one may be NaN, and log f(y)."""
    with np.errstate(invalid="ignore"):
        upto, above = np.logaddexp(below, here), np.logaddexp(beyond, here)
    below = np.where(np.isnan(below) | (above < HALF), rest_of(above), below)
    beyond = np.where(np.isnan(beyond) | (upto < HALF), rest_of(upto), beyond)
    upto = np.where(np.isnan(upto) | (beyond < HALF), rest_of(beyond), upto)
    above = np.where(np.isnan(above) | (below < HALF), rest_of(below), above)
    return below, upto, above, beyond


def shares(
    below: Array, here: Array, above: Array, beyond: Array
) -> tuple[Array, Array, Array, Array]:
    """Four tails of which the upper two are exact, and the lower two where they are small."""
    return (
        np.where(above < HALF, rest_of(above), np.minimum(below, 0.0)),
        np.where(beyond < HALF, rest_of(beyond), np.minimum(here, 0.0)),
        np.minimum(above, 0.0),
        np.minimum(beyond, 0.0),
    )


def rest_of(log_share: Array) -> Array:
    """log(1 - exp(log_share)) of a share; minus infinity where that is 1 to the last digit."""
    share = np.minimum(log_share, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(share > HALF, np.log(-np.expm1(share)), np.log1p(-np.exp(share)))
