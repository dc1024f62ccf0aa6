"""Whether the likelihood is larger elsewhere: starts far from a fit, climbed all at once.

Where the log-likelihood need not be concave a maximum is the best of those found. Four kinds of
starts find others: parameters drawn over what is typical of the family, climbed for some passes
under random weights of the rows (Wood 2001, Biometrics 57, 240-244: such a likelihood has its
maxima elsewhere); rows that could be certain, as zeros beyond all other counts are in a
zero-inflated model; the directions of a regression for an ancillary parameter in which the
one-sided score at its boundary points inwards; and what the family itself knows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from glmcount.engine.passes import predictors
from glmcount.engine.scores import chunks
from glmcount.engine.spread import ENTRIES, Small, columns_of
from glmcount.engine.strip import Strip, one_strip
from glmcount.families.base import Limit
from glmcount.fitting.crowd import Climbed, Crowd, Known, climb
from glmcount.fitting.run import Run
from glmcount.fitting.start import usual
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Search", "searched"]

SEED = 20_011
# Starts that are drawn: so many, and more for each parameter beside those of the mean.
STARTS = 5
EACH = 2
MOST = 16
# Of either kind on a sample of the rows.
FEW = 4
# Starts that something speaks for.
GIVEN = 16
# So many rows at an end of a column may differ from all others.
FOREMOST = (1, 2, 4)
# Rows up to which all are searched on, and how many of more are.
ROWS = 1_000
SAMPLE = 300
# Standard errors by which a score over all rows points inwards surely: some five units of the
# log-likelihood.
SURE = 3.0
# Its multiples lie between whole numbers as evenly as any (Weyl 1916).
GOLDEN = 0.5 * (5.0**0.5 - 1.0)
# Passes at most, and few points are still on it: towards a step function the way is long.
PASSES = 40
# On a sample, whose maxima are those of all rows only where they are plain to see.
GLIMPSES = 16
# On more rows from where a climb on a sample has ended: what these bear out is near.
AGAIN = 8
# Logits at which a row counts as certain, or as not concerned.
CERTAIN = 3.0
# What an end must promise beyond what is known; a step's promise is that exact at the top.
LEAST = 5e-6
# By how much more a sample must tell of another maximum, and by how much for each parameter:
# less it does by chance, half a unit a parameter in any one of its maxima (Wilks 1938).
CHANCE, HALF = 5.0, 0.5
# So many times what a sample's errors cost others is not them.
UNLIKE = 10.0
# Ends that are solved again.
SOLVED = 2


@dataclass(frozen=True)
class Search:
    """What a search found.

    Parameters
    ----------
    starts : int
    rows : int
        How many rows it looked at; fewer than all where there are many.
    better : tuple of ndarray, each of shape (p,)
        Parameters from which the likelihood climbs above the known one, the best first.
    """

    starts: int
    rows: int
    better: tuple[Array, ...]


def searched(run: Run, base: Array, llf: float, limits: Sequence[str] = ()) -> Search | None:
    """Search for a larger log-likelihood than that of a fit.

    Parameters
    ----------
    run : Run
    base : ndarray, shape (p,)
        Parameters of the fit, or inside from it where it lies on a boundary.
    llf : float
        Its log-likelihood without the y-only part.
    limits : sequence of str
        Names of the boundaries on which it lies.

    Returns
    -------
    Search or None
        None where the rows cannot be laid side by side.
    """
    small, y, whole = _rows(run)
    if small is None:
        return None
    crowd = Crowd(run.family, small, y)
    n = small.strip.n
    rng = np.random.default_rng(SEED)
    unsure = len(base) - small.slices[0].stop
    # Where the family itself knows of maxima far from what is typical there are more of them.
    rough = run.family.further is not None
    starts = min(MOST if rough else STARTS + EACH * unsure, MOST if whole else FEW)
    drawn = _drawn(crowd, base, starts, rng)
    given = [*_inwards(crowd, base, rng), *_certain(crowd, base, usual(run), drawn, rng)]
    given = [*given, *_further(crowd, base), *_about(crowd, drawn)][: GIVEN if whole else FEW]
    points = np.array([*given, *drawn])
    trial, weights = _by_content(crowd, starts, rng), small.strip.weights
    known, own, gain = (Known(llf, base, LEAST), (), 0.0) if whole else _near(crowd, base)
    end = climb(crowd, points, weights, known, PASSES if whole else GLIMPSES, trial)
    better = (*own, *_better(end, known))
    if whole:
        return Search(len(points), n, better)
    surely = _surely_inwards(run, crowd, base, limits)
    better = (*surely, *_borne_out(run, base, better, gain))
    return Search(len(points) + len(surely), n, better)


def _rows(run: Run) -> tuple[Small | None, Array, bool]:
    """The columns and the response to search on, and whether they are those of all rows."""
    if run.small is not None and run.small.strip.n <= ROWS:
        # The columns may be those of another response.
        return run.small, run.rows.cache.strips[0].y, True
    return (*_sampled(run, SAMPLE), False)


def _sampled(run: Run, most: int) -> tuple[Small | None, Array]:
    """The columns and the response of so many rows at most."""
    step = -(-run.rows.n_used // most)
    some = run.rows.fold(lambda strip: [strip.taken(_one_of(step, strip.n))], lambda a, b: a + b)
    strip = one_strip(some)
    return run.rows.holding(strip).small(run.layout), strip.y


def _one_of(step: int, n: int) -> NDArray[np.intp]:
    """A row of each so many: each time at another place, since data may repeat themselves.

    Of panels as long as a step every so manieth row would be the same time of each.
    """
    runs = np.arange(-(-n // step))
    places = step * runs + np.floor(step * np.mod((runs + 0.5) * GOLDEN, 1.0)).astype(np.intp)
    return places[places < n]


def _near(crowd: Crowd, base: Array) -> tuple[Known, tuple[Array, ...], float]:
    """What is to be surpassed on a sample: where the fit leads there.

    And that itself, where it lies higher than a sample's own maximum does by chance; and by how
    much it lies higher than the fit.
    """
    weights, chance = crowd.small.strip.weights, max(CHANCE, HALF * len(base))
    end = climb(crowd, base[None], weights, Known(least=chance), GLIMPSES)
    llf, point = float(end.llf[0]), end.points[0]
    gain = llf - float(crowd.sums(crowd.predictors(base[None]), weights)[0][0])
    return Known(llf, point, chance), (point,) if gain > 2.0 * chance else (), gain


def _borne_out(run: Run, base: Array, better: tuple[Array, ...], gain: float) -> tuple[Array, ...]:
    """What more rows bear out of what a sample tells.

    Among many columns a few hundred rows have maxima of their own, and a climb over all rows from
    each of these takes longer than the fit.
    """
    if not better:
        return ()
    small, y = _sampled(run, min(run.rows.n_used, ENTRIES // run.layout.size))
    if small is None:
        return better
    crowd = Crowd(run.family, small, y)
    points = _likely(crowd, base, np.array(better), gain)
    if not len(points):
        return ()
    known, own, _ = _near(crowd, base)
    end = climb(crowd, points, small.strip.weights, known, AGAIN)
    return (*own, *_better(end, known))[:SOLVED]


def _likely(crowd: Crowd, base: Array, points: Array, gain: float) -> Array:
    """Those points that may be maxima by what other rows than those of a sample say of them.

    What a sample of m rows gains by its own estimates, p / 2 units for p parameters or more where
    the data vary more than the model allows, these cost n other rows n / m times (Akaike 1973).
    What lacks many times more is the sample's own.
    """
    every = np.concatenate([base[None], points])
    told = crowd.sums(crowd.predictors(every), crowd.small.strip.weights)[0]
    usual = max(HALF * len(base), gain) * (1.0 + crowd.small.strip.n / SAMPLE)
    found: Array = points[told[0] - told[1:] <= UNLIKE * usual]
    return found


def _better(end: Climbed, known: Known) -> tuple[Array, ...]:
    """The ends that surpass what is known, or still may, best first.

    One that has surpassed it goes before those that only hope to.
    """
    more = known.promised(end.llf, end.hoped)
    if not more.max(initial=-np.inf) > 0.0:
        return ()
    order = np.argsort(-more, kind="stable")
    first = order[end.llf[order] > known.llf + known.least][:1]
    order = np.concatenate([first, order[~np.isin(order, first)]])[:SOLVED]
    return tuple(end.points[i] for i in order if more[i] > 0.0 and math.isfinite(end.llf[i]))


def _by_content(crowd: Crowd, count: int, rng: np.random.Generator) -> Array:
    """Exponential weights of the rows, told by what a row holds, (count, n).

    Copies of a row share theirs, wherever they stand, so that a weight is as many rows.
    """
    held = [(crowd.y[:1], *crowd.spread(crowd.y[:1]))]
    held += [
        (own, *moments) for own, moments in zip(crowd.small.columns, crowd.moments, strict=True)
    ]
    standard = np.concatenate([(own - mean[:, None]) / size[:, None] for own, mean, size in held])
    mixed = rng.normal(size=(count, len(standard))).dot(standard)
    # The digits of a sine behind the fourth: as good as drawn, and steady against rounding.
    return -np.log1p(-np.mod(1e4 * np.sin(9.0 * mixed), 1.0))


def _drawn(crowd: Crowd, base: Array, count: int, rng: np.random.Generator) -> Array:
    """Starts about the mean of a fit, its other parameters over what is typical."""
    points = np.tile(base, (count, 1))
    small, constants = crowd.small, crowd.small.layout.constants
    for k, own in enumerate(small.slices):
        low, high = crowd.family.typical[k]
        width = high - low
        mean, sizes = crowd.moments[k]
        draws = rng.normal(size=(count, own.stop - own.start)) / sizes
        constant = constants[k]
        if k == 0:
            draws *= 0.1 * width
            points[:, own] += draws
            if constant is not None:
                # About the rows' mean, wherever the columns are shifted to.
                points -= (draws.dot(mean) - draws.dot(constant[own]))[:, None] * constant
            continue
        # Zeros that end at a threshold ask for slopes much larger than usual ones.
        points[:, own] = 0.5 * width * np.geomspace(0.5, 6.0, count)[:, None] * draws
        if constant is not None:
            # Strata: every share of the range has its start.
            share = (rng.permutation(count) + rng.random(count)) / max(count, 1)
            centre = points[:, own].dot(mean)
            level = low - 0.25 * width + 1.5 * width * share - centre
            points += level[:, None] * constant
    return points


def _certain(
    crowd: Crowd, base: Array, usual: Array, drawn: Array, rng: np.random.Generator
) -> list[Array]:
    """Starts at which the rows beyond all others are certain.

    In an equation in which all rows are free to go one way and some the other way: there the
    predictor may run off for these, and for the others to the other side. So it may for the
    smallest counts where a dispersion has a regression. The other parameters are those of the
    fit and, since they may be far from what they are then, usual and drawn ones.
    """
    small, out = crowd.small, []
    constants, own_ends = small.layout.constants, small.slices[0].stop
    for k, (down, up) in enumerate(crowd.family.runs_off(crowd.y)):
        constant, columns, own = constants[k], small.columns[k], small.slices[k]
        if k == 0 or constant is None or len(columns) == 1:
            continue
        lift = np.zeros(small.strip.n)
        if down is None and up is None:
            # A dispersion without bound makes the smallest count certain, where it is large
            # beside a small mean too.
            up = crowd.y[0] == crowd.family.support[0]
            lift = np.maximum(-crowd.predictors(base[None])[0][0], 0.0)
        elif down is None or up is None or not down.all():
            continue
        if not up.any() or up.all():
            continue
        further = np.r_[own_ends : own.start, own.stop : len(base)]
        directions = _directions(columns, base[own], crowd.moments[k][1], rng)
        for number, direction in enumerate(directions):
            at = direction.dot(columns)
            held, free = at[~up].max(), at[up]
            beyond = np.unique(free[free > held])
            if not len(beyond):
                continue
            # A step between two rows, and a slope over half of those beyond.
            middle = 0.5 * (beyond[(len(beyond) - 1) // 2] + beyond[len(beyond) // 2])
            for near in sorted({float(beyond[0]), float(middle)}):
                more = float(lift[np.argmin(np.where(up, np.abs(at - near), np.inf))])
                steep = (2.0 * CERTAIN + more) / max(near - held, 1e-3 * (at.max() - at.min()))
                others = [base.copy(), usual.copy()]
                if len(further):
                    others.append(base.copy())
                    others[-1][further] = drawn[number % len(drawn), further]
                for start in others:
                    start[own] = steep * direction
                    out.append(start + 0.5 * (more - steep * (held + near)) * constant)
    return out


def _further(crowd: Crowd, base: Array) -> list[Array]:
    """Starts that the family itself knows of."""
    small, further = crowd.small, crowd.family.further
    constants = small.layout.constants[1:]
    if further is None or any(constant is None for constant in constants):
        return []
    mean = crowd.predictors(base[None])[0][0]
    out = []
    for values in further(crowd.y, mean):
        start = base.copy()
        start[small.slices[0].stop :] = 0.0
        for constant, value in zip(constants, values, strict=True):
            start += 0.0 if constant is None else value * constant
        out.append(start)
    return out


def _about(crowd: Crowd, drawn: Array) -> list[Array]:
    """Starts that the family knows of at means that are drawn.

    Which rows are at the ends of the means may be another matter at the maximum sought.
    """
    out = []
    for number, start in enumerate(drawn[::2]):
        known = _further(crowd, start)
        out += [known[number % len(known)]] if known else []
    return out


def _inwards(crowd: Crowd, base: Array, rng: np.random.Generator) -> list[Array]:
    """Starts inside from a boundary, where a parameter that has a regression grows from it."""
    return [
        start
        for limit in crowd.family.limits
        if len(crowd.small.columns[limit.equation]) > 1
        for start in _inward(crowd, limit, base, rng)
    ]


def _surely_inwards(run: Run, crowd: Crowd, base: Array, limits: Sequence[str]) -> list[Array]:
    """Starts inside from a boundary to which the one-sided score of all rows points.

    A sample tells too little of this: what its rows would gain may be less than it has by chance.
    """
    rng = np.random.default_rng(SEED)
    return [
        start
        for limit in crowd.family.limits
        if limit.name in limits and len(crowd.small.columns[limit.equation]) > 1
        for start in _inward(crowd, limit, base, rng, run)[:SOLVED]
    ]


def _inward(
    crowd: Crowd, limit: Limit, base: Array, rng: np.random.Generator, run: Run | None = None
) -> list[Array]:
    """The directions in which the one-sided score is largest, in standard errors.

    Of the rows of a crowd; or of all, if it is surely above 0 there, the largest first.
    """
    small, k = crowd.small, limit.equation
    columns, own, constant = small.columns[k], small.slices[k], small.layout.constants[k]
    if constant is None:
        return []
    groups = [*_steep(columns), _moderate(crowd.moments[k][1], rng)]
    directions = np.concatenate(groups)
    if run is None:
        etas, weights = list(crowd.predictors(base[None])[:, 0]), small.strip.weights
        top, gain, spread = _pull(limit, crowd.y, etas, weights, directions.dot(columns))
    else:
        top, gain, spread = _pull_of_all(run, limit, base, directions)
    told = np.where(spread > 0, gain / np.sqrt(np.maximum(spread, 1e-300)), -np.inf)
    out, first = [], 0
    for group in groups:
        i = first + int(np.argmax(told[first : first + len(group)]))
        first += len(group)
        if told[i] > (0.0 if run is None else SURE):
            start = base.copy()
            start[own] = directions[i]
            level = limit.start(float(gain[i] / spread[i])) - top[i]
            out.append((told[i], start + level * constant))
    if run is not None:
        out.sort(key=lambda each: -each[0])
    return [start for _, start in out]


def _pull(limit: Limit, y: Array, etas: list[Array], weights: Array | None, logs: Array) -> Array:
    """Largest predictor, one-sided score and its variance of each direction, (3, directions).

    `logs` are the directions' predictors of the rows, (directions, n); the score is of a parameter
    that is their exponential over that of the largest.
    """
    rest = [eta for j, eta in enumerate(etas) if j not in limit.gone]
    score, information = (np.broadcast_to(part, logs.shape[1:]) for part in limit.score(y, rest))
    if weights is not None:
        score, information = score * weights, information * weights
    top = logs.max(axis=1, initial=-np.inf)
    sizes = np.exp(logs - top[:, None])
    return np.stack([top, sizes.dot(score), (sizes * sizes).dot(information)])


def _pulled(total: Array, part: Array) -> Array:
    """`_pull` of two parts of the rows: the one with larger predictors sets the scale of both."""
    top = np.maximum(total[0], part[0])
    scale = np.where(np.isfinite(top), top, 0.0)
    old, new = np.exp(total[0] - scale), np.exp(part[0] - scale)
    score, variance = total[1] * old + part[1] * new, total[2] * old**2 + part[2] * new**2
    return np.stack([top, score, variance])


def _pull_of_all(run: Run, limit: Limit, base: Array, directions: Array) -> Array:
    """The same over all rows."""
    layout, k = run.layout, limit.equation

    def work(strip: Strip) -> Array:
        pulls = (
            _pull(
                limit,
                part.y,
                list(predictors(layout, part, base)),
                part.weights,
                directions.dot(columns_of(layout, part)[k]),
            )
            for part in chunks(layout, strip)
        )
        return reduce(_pulled, pulls)

    return run.rows.fold(work, _pulled)


def _moderate(spread: Array, rng: np.random.Generator) -> Array:
    """Directions drawn, by which the rows differ by some units."""
    sizes = np.repeat([0.5, 1.0, 3.0], 8)[:, None]
    drawn: Array = sizes * rng.normal(size=(24, len(spread))) / spread
    return drawn


def _steep(columns: Array) -> list[Array]:
    """For each end of each column, directions by which its foremost rows differ from the others."""
    out = []
    for j, column in enumerate(columns):
        own = np.unique(column)
        for values in (own, own[::-1]):
            gaps = [values[-1] - values[-1 - k] for k in FOREMOST if len(values) > k]
            if gaps:
                group = np.zeros((len(gaps), len(columns)))
                group[:, j] = CERTAIN / np.array(gaps)
                out.append(group)
    return out


def _directions(
    columns: Array, fitted: Array, spread: Array, rng: np.random.Generator
) -> list[Array]:
    """Directions in an equation's columns: each column's, the fitted one, and drawn ones."""
    varying = columns.std(axis=1) > 1e-12
    single = [row for row, vary in zip(np.eye(len(columns)), varying, strict=True) if vary]
    out = single[:4]
    if len(single) > 1:
        drawn = rng.normal(size=(2, len(columns))) * varying / spread
        out += [fitted * varying, *drawn]
    return [sign * direction for direction in out for sign in (1.0, -1.0)]
