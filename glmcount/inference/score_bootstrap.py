"""A test for few clusters: bootstrap of the scores at the fit under the hypothesis.

Under R theta = r with efficient scores d_g = (R H^-1 R')^-1 R H^-1 s_g of the clusters,
S = sum_g d_g and T = S' (sum_g d_g d_g')^-1 S (Kline & Santos 2012, J. Econometric Methods 1). A
draw multiplies by a random v_g, of mean 0 and variance 1, each cluster's score at the restricted
estimate without that cluster, s_g + H_g N (N'(H - H_g)N)^-1 N's_g to first order, N the directions
that the hypothesis leaves free: scores at the estimate itself are too small where a cluster weighs
much (MacKinnon, Nielsen & Webb 2024, arXiv:2406.00650, their WCLR-S). What the nuisance parameters
take of a draw is taken of each cluster by its own information, so that the variance is made anew:
e_g = v_g d_g - C_g sum_h v_h delta_h with delta_h = (N'HN)^-1 N's_h and C_g the efficient rows of
H_g N.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy

from glmcount.allowed import whole
from glmcount.errors import ConvergenceError, CovarianceError, NotDefinedError, UsageError
from glmcount.fitted import Fitted
from glmcount.fitting.restrict import Restricted, restricted
from glmcount.fitting.solvers import solver
from glmcount.inference.covariance.cluster import Clustered, named
from glmcount.inference.covariance.estimator import Estimator, shown_name
from glmcount.inference.covariance.grouped import Groups, all_sums, groups_of, informations, spans
from glmcount.inference.hypotheses import shortened
from glmcount.inference.intervals import significance
from glmcount.inference.setting import Needs, Setting
from glmcount.inference.tests import Tested, TestResult, posed
from glmcount.numerics import Array
from glmcount.numerics.factor import factor
from glmcount.records import dataclass, replace

__all__ = ["clusters_of", "score_bootstrap"]

# Clusters from which signs are drawn; below them Webb's six points, of which there are more.
SIGNS = 12
WEBB = np.sqrt(np.array([0.5, 1.0, 1.5]))
# Share of the information that clusters without one must have to speak of a parameter.
ALONE = 1e-6
# Numbers that a run of draws may have.
NUMBERS = 1 << 21
# Draws that repeat the data differ from them by rounding.
TIE = 1e-10
# Of an interval's end: in standard errors, and how far it is looked for.
CLOSE = 1e-4
FAR = 64.0


@dataclass(frozen=True)
class Asked:
    """A hypothesis about the kept parameters as they are estimated: R theta = r."""

    matrix: Array
    values: Array
    text: str


@dataclass(frozen=True)
class Scores:
    """What draws are made of.

    Parameters
    ----------
    own : ndarray, shape (G, q)
        Efficient scores d_g.
    drawn : ndarray, shape (G, q)
        Those that draws multiply, each without its own cluster's part in the estimate.
    moves : ndarray, shape (G, f)
        delta_g, how a cluster moves the free parameters.
    shares : ndarray, shape (G, q, f)
        C_g.
    """

    own: Array
    drawn: Array
    moves: Array
    shares: Array


def clusters_of(cov: Estimator, groups: Any) -> Needs:
    """The clusters of a test: those named, else those of the covariance.

    Raises
    ------
    UsageError
        If there are none, or several ways of them.
    """
    if groups is not None:
        columns, arrays = named("groups", groups)
    elif isinstance(cov.compute, Clustered):
        columns, arrays = cov.compute.columns, dict(cov.needs.given)
    else:
        raise UsageError(
            f"score_bootstrap draws signs of clusters, and the covariance {cov.name!r} has none. "
            "Pass groups='g', or use r.with_cov({'cluster': 'g'}).score_bootstrap(...).",
            kind="no_clusters",
        )
    if len(columns) > 1:
        raise UsageError(
            f"score_bootstrap takes one way of clusters, and {len(columns)} are named. Pass the "
            "column with fewest clusters as groups=.",
            kind="several_clusters",
        )
    return Needs(scores=True, groups=columns, given=arrays)


def score_bootstrap(
    about: Tested,
    found: Fitted,
    needs: Needs,
    hypothesis: tuple[Array, Array, str],
    reps: int,
    rng: np.random.Generator,
    alpha: float | None,
) -> TestResult:
    """The test, and where `alpha` is given the interval of what is tested that inverts it.

    Raises
    ------
    NotDefinedError
        For several hypotheses where an interval is asked for.
    CovarianceError
        For as many hypotheses as clusters.
    """
    reps = whole("reps", reps, 99, "reps")
    alpha = None if alpha is None else significance(alpha)
    asked = _asked(about, found, *hypothesis)
    if alpha is not None and len(asked.matrix) > 1:
        raise NotDefinedError(
            f"An interval inverts the test of one hypothesis, and {shortened(asked.text)!r} are "
            f"{len(asked.matrix)}. Leave out alpha=, or test each alone.",
            kind="several_hypotheses",
        )
    opened = found.opened(needs.groups, (), needs.given)
    setting = Setting(opened, lambda: 1.0, needs)
    groups = groups_of(setting, (0,))
    if len(asked.matrix) >= len(groups):
        # So many sums of scores have a covariance of their own making: T is then G in every draw.
        raise CovarianceError(
            f"{len(groups)} clusters of {shown_name(needs.groups[0])} leave no joint test of "
            f"{len(asked.matrix)} hypotheses: it takes more clusters than these. Test fewer at a "
            "time.",
            kind="singular_covariance",
        )
    seed = int(rng.integers(1 << 63))
    under = _restricted(found, asked)
    statistic, share = _judged(_scores(setting, groups, asked, under), reps, seed)
    note = f"{len(groups)} clusters of {shown_name(needs.groups[0])}, {_drawn(len(groups), reps)}"
    ends = None
    if alpha is not None:
        ends = _as_asked(about, hypothesis[0], _ends(setting, groups, asked, (reps, seed), alpha))
    return TestResult(
        statistic,
        share,
        len(asked.matrix),
        "T",
        asked.text,
        title="Score bootstrap test",
        conf_int=ends,
        note=note,
    )


def _asked(about: Tested, found: Fitted, rows: Array, values: Array, text: str) -> Asked:
    """The hypothesis on the scale on which parameters are estimated.

    Raises
    ------
    CovarianceError
        If its rows repeat each other.
    NotDefinedError
        If it mixes ancillary parameters with others, or speaks of one that is not estimated.
    """
    own = posed(about, rows, values, shortened(text))
    estimates = found.estimates
    free = len(estimates.names) - int(estimates.fixed.sum())
    mixed = estimates.natural & (own.coefficients != 0).any(axis=0) & (own.scale == 1.0)
    lost = own.coefficients[:, free:].any() or np.any(estimates.ways(rows) != 0.0)
    if lost or np.any(mixed & (estimates.slope != 1.0)):
        raise NotDefinedError(
            f"The hypothesis {shortened(text)!r} concerns a parameter that is infinite or on its "
            "boundary, or mixes an ancillary parameter with others: there is no linear "
            "hypothesis on the scale on which it is estimated.",
            kind="no_score_test",
        )
    matrix = own.coefficients[:, :free]
    if _repeated(matrix):
        raise CovarianceError(
            f"The hypotheses {shortened(text)!r} repeat or contradict each other, or name no "
            "parameter, so there is no joint test of them. Leave one out.",
            kind="singular_hypothesis",
        )
    return Asked(matrix, own.constants, text)


def _repeated(matrix: Array) -> bool:
    """Whether a row is nothing, or a combination of others."""
    lengths = np.linalg.norm(matrix, axis=1)
    if not lengths.all():
        return True
    return bool(np.linalg.matrix_rank(matrix / lengths[:, None]) < len(matrix))


def _restricted(found: Fitted, asked: Asked) -> Restricted:
    """The fit under the hypothesis.

    Raises
    ------
    ConvergenceError
        If it does not come to an end.
    """
    rows, measured = found.seen_here
    matrix = np.zeros((len(asked.matrix), found.fit.layout.size))
    matrix[:, found.fit.kept] = asked.matrix
    constraints = matrix, asked.values
    value = f" (at {asked.values[0]:.6g})" if len(asked.values) == 1 else ""
    try:
        under = restricted(rows, measured, found.fit, found.options, constraints)
    except ConvergenceError as error:
        if error.kind != "start":
            raise
        raise ConvergenceError(
            f"The fit under {shortened(asked.text)!r}{value} was not found: some mean would leave "
            "what the link or a number allows. Leave out alpha=, test a value nearer to the "
            "estimate, or use link='log'.",
            kind="null_fit",
        ) from None
    if under.status != "final":
        raise ConvergenceError(
            f"The fit under {shortened(asked.text)!r}{value} has no maximum at finite parameters, "
            "or it was not found, so that it has no scores. Look at r.separation, and leave out "
            "what it names.",
            kind="null_fit",
        )
    return under


def _as_asked(about: Tested, rows: Array, ends: tuple[float, float]) -> tuple[float, float]:
    """Ends of the combination as the hypothesis has it, from those of what is tested."""
    row, found = rows[0], about.found
    factor, outer = float(np.abs(row).max()), np.array(ends)
    own = np.flatnonzero((row != 0.0) & found.natural)
    # One of these stands alone: beside others it has no score test.
    if len(own):
        natural = about.family.equations[int(found.equations[own[0]])].natural
        assert natural is not None
        factor = float(row[own[0]])
        outer = natural(outer)[0]
    low, high = np.sort(factor * outer)
    return float(low), float(high)


def _scores(setting: Setting, groups: Groups, asked: Asked, under: Restricted) -> Scores:
    """Efficient scores of the clusters at the fit under the hypothesis, and what moves them."""
    found, fit = setting.found, setting.fit
    there = replace(setting, found=replace(found, fit=replace(fit, theta=under.theta)))
    full = np.zeros((len(asked.matrix), fit.layout.size))
    full[:, fit.kept] = asked.matrix
    inside = fit.layout.functions(full, fit.kept)
    information = _information(there, groups, under)
    free = scipy.linalg.null_space(inside / np.linalg.norm(inside, axis=1, keepdims=True))
    middle = np.dot(np.linalg.solve(information, inside.T).T, inside.T)
    efficient = np.linalg.solve(middle, np.linalg.solve(information, inside.T).T)
    inner = np.dot(free.T, np.dot(information, free))
    sums = all_sums(there, groups)
    without = sums.copy()
    shares = np.empty((len(groups), len(inside), free.shape[1]))
    for first, last in spans(len(groups), len(information) ** 2, there):
        own = informations(there, groups, first, last)
        crossed = np.dot(own, free)
        shares[first:last] = np.einsum("qk,gkf->gqf", efficient, crossed)
        without[first:last] += _taken(inner, free, crossed, sums[first:last])
    moves = np.linalg.solve(inner, np.dot(free.T, without.T)).T
    return Scores(np.dot(sums, efficient.T), np.dot(without, efficient.T), moves, shares)


def _taken(inner: Array, free: Array, crossed: Array, sums: Array) -> Array:
    """What clusters take of their own scores by their part in the estimate, (G, k)."""
    if not free.shape[1]:
        return np.zeros_like(sums)
    others = inner - np.einsum("kf,gkl->gfl", free, crossed)
    # Where a cluster alone tells of a nuisance parameter nothing is left without it.
    told = np.linalg.eigvalsh(others)[:, 0] > ALONE * np.linalg.eigvalsh(inner)[0]
    others[~told] = inner
    steps = np.linalg.solve(others, np.dot(sums, free)[:, :, None])[:, :, 0]
    steps[~told] = 0.0
    return np.einsum("gkf,gf->gk", crossed, steps)


def _information(there: Setting, groups: Groups, under: Restricted) -> Array:
    """What the clusters' informations add up to: observed, or expected where the fit's is."""
    options = there.found.options
    found, definite = under.information.matrix, under.information.definite
    if solver(options.method).expected != (options.information == "expected"):
        # The fit under the hypothesis steps by the other one.
        parts = spans(len(groups), len(found) ** 2, there)
        found = sum(informations(there, groups, *part).sum(axis=0) for part in parts)
        definite = factor(found) is not None
    return found if definite else _products(there)


def _products(there: Setting) -> Array:
    """Sum of the products of the rows' scores, where the observed information is indefinite."""

    def work(seen: Any) -> Array:
        return np.dot(seen.scores.T, seen.scores)

    return there.fold(work, np.add)


def _statistics(own: Array, spread: Array) -> Array:
    """S' V^-1 S for sums (r, q) and what they are sums of, (r, G, q)."""
    if own.shape[1] == 1:
        return own[:, 0] ** 2 / np.einsum("rgq,rgq->r", spread, spread)
    variances = np.einsum("rga,rgb->rab", spread, spread)
    return np.einsum("ra,ra->r", own, np.linalg.solve(variances, own[:, :, None])[:, :, 0])


def _judged(scores: Scores, reps: int, seed: int) -> tuple[float, float]:
    """The statistic, and the share of draws that are as large."""
    count = len(scores.own)
    whole_sum = scores.own.sum(axis=0)
    statistic = float(_statistics(whole_sum[None], scores.own[None])[0])
    as_large = total = 0
    for drawn in _draws(count, reps, seed):
        moved = np.dot(drawn, scores.moves)
        spread = drawn[:, :, None] * scores.drawn - np.einsum("rf,gqf->rgq", moved, scores.shares)
        values = _statistics(np.dot(drawn, scores.drawn), spread)
        as_large += int(np.sum(values >= statistic * (1.0 - TIE)))
        total += len(drawn)
    # The data themselves are one more draw.
    return statistic, (as_large + 1) / (total + 1)


def _enumerated(count: int, reps: int) -> bool:
    return count >= SIGNS and 2 ** (count - 1) <= reps


def _drawn(count: int, reps: int) -> str:
    if _enumerated(count, reps):
        return f"all {2 ** (count - 1):,} patterns of signs"
    return f"{reps:,} draws of {'signs' if count >= SIGNS else 'Webb weights'}"


def _draws(count: int, reps: int, seed: int) -> Iterator[Array]:
    """Weights of the clusters, (draws, G), some at a time."""
    rng = np.random.default_rng(seed)
    every = _enumerated(count, reps)
    total = 2 ** (count - 1) if every else reps
    step = max(1, NUMBERS // count)
    for first in range(0, total, step):
        last = min(first + step, total)
        if every:
            bits = np.arange(first, last)[:, None] >> np.arange(count) & 1
            yield np.asarray(1.0 - 2.0 * bits, dtype=np.float64)
            continue
        signs = 1.0 - 2.0 * rng.integers(2, size=(last - first, count))
        if count < SIGNS:
            signs *= WEBB[rng.integers(3, size=signs.shape)]
        yield np.asarray(signs, dtype=np.float64)


def _ends(
    setting: Setting, groups: Groups, asked: Asked, draws: tuple[int, int], alpha: float
) -> tuple[float, float]:
    """Where the test's p-value passes alpha, below the estimate and above it."""
    found, fit = setting.found, setting.fit
    full = np.zeros((1, fit.layout.size))
    full[:, fit.kept] = asked.matrix
    inside = fit.layout.functions(full, fit.kept)[0]
    estimate = float(np.dot(asked.matrix[0], fit.layout.unshift(fit.settled)[fit.kept]))
    sums = all_sums(setting, groups)
    step = float(np.linalg.norm(np.dot(sums, fit.information.solve(inside))))

    def share(value: float) -> float:
        own = Asked(asked.matrix, np.array([value]), asked.text)
        under = _restricted(found, own)
        return _judged(_scores(setting, groups, own, under), *draws)[1]

    low, high = (_crossing(share, estimate, sign * step, alpha) for sign in (-1.0, 1.0))
    return low, high


def _crossing(share: Any, estimate: float, step: float, alpha: float) -> float:
    """The end on one side: doubled steps out, then halves; infinite where none is met."""
    inner, outer = 0.0, 2.0
    while share(estimate + outer * step) > alpha:
        inner, outer = outer, 2.0 * outer
        if outer > FAR:
            return float(np.copysign(np.inf, step))
    while outer - inner > CLOSE:
        middle = 0.5 * (inner + outer)
        if share(estimate + middle * step) > alpha:
            inner = middle
        else:
            outer = middle
    return estimate + 0.5 * (inner + outer) * step
