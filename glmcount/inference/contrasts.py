"""Comparisons of the levels of a factor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from glmcount.errors import MemoryLimitError, NotEstimableWarning, UsageError, some
from glmcount.fitted import Fitted
from glmcount.inference.intervals import tail
from glmcount.inference.levels import FactorLevels
from glmcount.inference.multiplicity import SINGLE_STEP, Adjusted, adjusted
from glmcount.inference.tests import Tested, single
from glmcount.inference.together import Largest, largest
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["KINDS", "Comparison", "LevelContrasts", "compare", "comparison", "refuse_large"]

Pairs = list[tuple[int, int]]
# Of what a linear function moves along a dependence of columns: below it is rounding.
ROUNDING = 1e-9
SPREAD = 1e3
# Contrasts of which the joint law is integrated in seconds.
MOST_TOGETHER = 2_000


@dataclass(frozen=True, eq=False)
class Comparison:
    """Weights of the levels in each contrast, and its name as a difference and as a ratio.

    Parameters
    ----------
    weights : ndarray, shape (contrasts, levels)
    differences, ratios : tuple of str
    """

    weights: Array
    differences: tuple[str, ...]
    ratios: tuple[str, ...]


def _pairwise(count: int, base: int) -> Pairs:
    return [(j, i) for i, j in combinations(range(count), 2)]


def _reference(count: int, base: int) -> Pairs:
    return [(j, base) for j in range(count) if j != base]


def _sequential(count: int, base: int) -> Pairs:
    return [(j + 1, j) for j in range(count - 1)]


PAIRS: dict[str, Callable[[int, int], Pairs]] = {
    "pairwise": _pairwise,
    "reference": _reference,
    "sequential": _sequential,
}
MEAN = "mean"
KINDS = (*PAIRS, MEAN)


def comparison(kind: str, labels: Sequence[str], base: int) -> Comparison:
    """The contrasts of a kind.

    Parameters
    ----------
    kind : str
        One of `KINDS`: every later level with every earlier one, each with the base, each with the
        one before it, each with the mean of all.
    labels : sequence of str
    base : int
    """
    count = len(labels)
    if kind == MEAN:
        weights = np.eye(count) - 1.0 / count
        named = [(label, "mean") for label in labels]
    else:
        pairs = PAIRS[kind](count, base)
        weights = np.zeros((len(pairs), count))
        for row, (one, other) in zip(weights, pairs, strict=True):
            row[one], row[other] = 1.0, -1.0
        named = [(labels[one], labels[other]) for one, other in pairs]
    return Comparison(
        weights,
        tuple([f"{one} - {other}" for one, other in named]),
        tuple([f"{one} / {other}" for one, other in named]),
    )


@dataclass(frozen=True, eq=False)
class LevelContrasts:
    """Estimates of contrasts, NaN where the data tell nothing of one.

    Parameters
    ----------
    estimate, errors, statistic, low, high : ndarray, shape (contrasts,)
        Of each contrast.
    adjusted : Adjusted
    """

    estimate: Array
    errors: Array
    statistic: Array
    low: Array
    high: Array
    adjusted: Adjusted


def compare(
    state: Fitted, about: Tested, own: FactorLevels, chosen: Comparison, adjust: str, alpha: float
) -> tuple[LevelContrasts, NotEstimableWarning | None]:
    """Contrasts with their tests, and what to say of those that are not estimable.

    Raises
    ------
    UsageError
        If the factor has one level only.
    """
    if len(own.labels) < 2:
        raise UsageError(
            f"{own.term!r} has one level in the rows used, {some(own.labels)}: there is nothing to "
            "compare it with.",
            kind="one_level",
        )
    full = np.dot(chosen.weights, own.rows)
    lost = _lost(state, full)
    kept = full[:, state.fit.kept]
    rows = np.zeros((len(full), len(about.found.names)))
    rows[:, : kept.shape[1]] = np.where(lost[:, None], 0.0, kept)
    _, estimate, errors, statistic, *_ = single(about, rows, np.zeros(len(rows)), alpha, own.term)
    for values in (estimate, errors, statistic):
        values[lost] = np.nan
    df = about.each_df(rows)
    pvalues = tail(statistic, df)
    free = kept.shape[1]

    def law(places: NDArray[np.intp]) -> Largest:
        least = float(np.min(df[places])) if isinstance(df, np.ndarray) else df
        return largest(rows[places, :free], about.matrix[:free, :free], least)

    made = adjusted(adjust, statistic, pvalues, law, alpha, df)
    with np.errstate(invalid="ignore"):
        reach = np.where(np.isfinite(estimate), made.width * errors, np.nan)
    ends = estimate - reach, estimate + reach
    return LevelContrasts(estimate, errors, statistic, *ends, made), _told(own, chosen, lost)


def refuse_large(state: Fitted, own: FactorLevels, kind: str, adjust: str) -> None:
    """Refuse more contrasts than there is memory or time for.

    Raises
    ------
    MemoryLimitError
    """
    limit, levels = state.options.control.memory_limit, len(own.labels)
    count = levels * (levels - 1) // 2 if kind == "pairwise" else levels
    size = 4 * 8 * count * max(own.rows.shape)
    instead = "Use kind='reference', 'sequential' or 'mean', which has no more than levels"
    if size > limit:
        raise MemoryLimitError(
            f"{count:,} contrasts of the {len(own.labels):,} levels of {own.term!r} take "
            f"{size / 2**30:,.1f} GiB; the limit is {limit / 2**30:,.1f} GiB. {instead}, or raise "
            "control=glmcount.Control(memory_limit=...).",
            kind="memory_limit",
        )
    if adjust == SINGLE_STEP and count > MOST_TOGETHER:
        raise MemoryLimitError(
            f"adjust='single-step' integrates over {count:,} contrasts at once, and takes up to "
            f"{MOST_TOGETHER:,}. {instead}, or adjust='holm', which costs nothing.",
            kind="single_step_size",
        )


def _lost(state: Fitted, rows: Array) -> NDArray[np.bool_]:
    """Linear functions of all columns that move with a column the data do not tell of."""
    fit = state.fit
    out = np.zeros(len(rows), dtype=bool)
    for one in fit.dependences:
        shifted = one.null(fit.layout.sizes)
        null = fit.layout.unshift(shifted)
        usual = np.max(np.abs(shifted) * fit.layout.sizes, initial=0.0)
        moves, size = np.dot(rows, null), np.dot(np.abs(rows), np.abs(null)) + usual
        out |= np.abs(moves) > (ROUNDING + SPREAD * one.residual) * size
    return out


def _told(
    own: FactorLevels, chosen: Comparison, lost: NDArray[np.bool_]
) -> NotEstimableWarning | None:
    if not lost.any():
        return None
    names = [name for name, gone in zip(chosen.differences, lost, strict=True) if gone]
    return NotEstimableWarning(
        f"Contrasts of {own.term!r} cannot be estimated and are NaN: {some(names, 6)}. They "
        "average over combinations of levels of which there are no rows, or another term gives the "
        "same columns (r.aliased). Leave that or the interaction out, or compare within the "
        "combinations there are by r.t_test."
    )
