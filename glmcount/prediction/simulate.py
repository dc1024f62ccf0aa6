"""New responses drawn from a fitted model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from glmcount.allowed import MOST, generator, whole
from glmcount.engine.passes import predictors
from glmcount.engine.strip import Strip
from glmcount.errors import MemoryLimitError, NotDefinedError
from glmcount.fitted import Fitted
from glmcount.inference.responses import check_finite
from glmcount.numerics import Array

__all__ = ["simulate"]

Draw = tuple[list[Array], Array | None]


def simulate(state: Fitted, n: Any, rng: Any) -> pd.DataFrame:
    """Draw n responses for each fitted row, one column a draw.

    Under frequency weights a row stands for w counts, and what is drawn is their sum.

    Raises
    ------
    UsageError
        If n is not a whole number of 1 or more, or rng no source of random numbers.
    MemoryLimitError
        If the draws would take more than `Control.memory_limit`.
    NotDefinedError
        For a quasi-likelihood, sums that have no law of the family, and means beyond the range
        of numbers.
    """
    count = whole("n", n, 1, "draws", "simulate draws n responses for each row.")
    source = generator(rng)
    sample = _sampler(state)
    _check_memory(count, state)
    fit = state.fit

    def look(strip: Strip) -> list[Draw]:
        with np.errstate(over="ignore"):
            etas = predictors(fit.layout, strip, fit.theta)
        weights = None if state.importance else strip.weights
        return [([np.broadcast_to(eta, (strip.n,)) for eta in etas], weights)]

    strips = state.rows.fold(look, lambda a, b: a + b)
    with np.errstate(all="ignore"):
        draws = {k: np.concatenate([sample(source, *s) for s in strips]) for k in range(count)}
    for drawn in draws.values():
        check_finite(drawn, fit.family)
    found = pd.DataFrame(draws, index=state.labels())
    return found.astype(np.int64) if all(map(_whole, draws.values())) else found


def _whole(drawn: Array) -> bool:
    """Whether all are whole numbers that doubles tell apart."""
    return bool(np.all((np.abs(drawn) <= MOST) & (np.rint(drawn) == drawn)))


def _sampler(state: Fitted) -> Callable[[np.random.Generator, list[Array], Array | None], Array]:
    family = state.fit.family
    if not family.likelihood:
        raise NotDefinedError(
            f"{family.label} has a mean and a variance but no distribution to draw from; fit "
            "family='poisson' or 'negbin'.",
            kind="no_likelihood",
        )
    weighted = not state.importance and state.spec.weights is not None
    if weighted and family.pooled is None:
        raise NotDefinedError(
            f"A row with a frequency weight w stands for w counts, and the sum of w counts has no "
            f"law in the {family.inside} family. Repeat the rows in the data, without weights, "
            "and simulate each.",
            kind="sums_leave_family",
        )

    def sample(rng: np.random.Generator, etas: list[Array], weights: Array | None) -> Array:
        if weights is None or family.pooled is None:
            return family.sample(rng, etas)
        return family.pooled(rng, etas, weights)

    return sample


def _check_memory(count: int, state: Fitted) -> None:
    limit = state.options.control.memory_limit
    size = 8 * count * state.measured.n
    if size > limit:
        raise MemoryLimitError(
            f"{count:,} draws of {state.measured.n:,} rows take {size / 2**30:,.1f} GiB; the limit "
            f"is {limit / 2**30:,.1f} GiB. Draw fewer at a time, passing one "
            "numpy.random.Generator as rng= so that the draws go on, or raise "
            "control=glmcount.Control(memory_limit=...).",
            kind="memory_limit",
        )
