"""Likelihood ratios of responses that the smaller of two models draws.

A row with a whole frequency weight w stands for w counts: so many are drawn, and both models are
fitted to all of them, equal counts of a row taken together again. A censored count is drawn as the
count that it would be, and cut at the limit of its row.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from glmcount.checks import refuse_measured
from glmcount.design.measure import measure
from glmcount.design.recall import planned_layout
from glmcount.engine.passes import predictors
from glmcount.engine.strip import Strip, one_strip
from glmcount.errors import GlmcountWarning, MemoryLimitError, NotDefinedError
from glmcount.fits import refitted
from glmcount.fitted import Fitted
from glmcount.fitting.maximise import maximise
from glmcount.numerics import Array
from glmcount.prediction.simulate import simulate
from glmcount.records import replace

__all__ = ["drawn_ratio"]

# Arrays of the length of all copies that a draw takes.
ARRAYS = 8


def drawn_ratio(null: Fitted, full: Fitted) -> Callable[[np.random.Generator], float]:
    """What draws a response of the smaller model, and gives the likelihood ratio of both.

    Raises
    ------
    NotDefinedError
        Where weights are no numbers of copies, and where limits of censoring are known only of
        the counts that reached them.
    MemoryLimitError
        If there are too many copies.
    """
    limit = _limits(null)
    models = _quiet(null), _quiet(full)
    if null.spec.weights is None:
        return partial(_of_rows, models, limit)
    copies = _copies(null)
    rows = np.repeat(np.arange(len(copies)), copies)
    bound = None if limit is None else limit[rows]
    strips = [one_strip(state.asked.fold(lambda strip: [strip], operator.add)) for state in models]
    return partial(_of_copies, tuple(zip(models, strips, strict=True)), rows, bound)


def _quiet(state: Fitted) -> Fitted:
    """The same, of which refits tell no progress."""
    ready = state.again
    control = replace(ready.settings.control, progress=False)
    settings = replace(ready.settings, control=control)
    return replace(state, options=settings, again=replace(ready, settings=settings))


def _limits(null: Fitted) -> Array | None:
    """The limit of each used row; None where none is censored."""
    if not null.family.columns:
        return None
    y = np.concatenate(null.asked.fold(lambda strip: [strip.y], operator.add), axis=1)
    known = np.isfinite(y[1])
    if not known.all() and (y[0][known] >= y[1][known]).all():
        raise NotDefinedError(
            "A bootstrap draws counts and cuts them at the limit of their row, and here only rows "
            "that reached a limit have one: censored= is infinite in all others. Give each row "
            "the limit at which its count would have been cut, or compare the models by aic.",
            kind="censored_bootstrap",
        )
    return np.ceil(y[1])


def _copies(null: Fitted) -> NDArray[np.intp]:
    """How many counts each used row stands for."""
    strips = null.asked.fold(lambda strip: [strip.weights], operator.add)
    weights = np.concatenate(strips)
    if null.importance or np.any(weights != np.rint(weights)):
        what = "say how much a row matters" if null.importance else "are no whole numbers"
        raise NotDefinedError(
            f"A bootstrap draws the counts that rows stand for, and these {null.weights_type} "
            f"weights {what}, so that no number of counts is known to draw. Fit without weights, "
            "or with whole numbers of copies.",
            kind="weighted_bootstrap",
        )
    size, limit = 8 * ARRAYS * float(weights.sum()), null.options.control.memory_limit
    if size > limit:
        raise MemoryLimitError(
            f"The weights add up to {weights.sum():,.0f} counts, and to draw each takes some "
            f"{size / 2**30:,.1f} GiB; the limit is {limit / 2**30:,.1f} GiB. Raise "
            "control=glmcount.Control(memory_limit=...).",
            kind="memory_limit",
        )
    return weights.astype(np.intp)


def _cut(drawn: Array, limit: Array | None) -> Array:
    return drawn if limit is None else np.minimum(drawn, limit)


def _of_rows(models: Sequence[Fitted], limit: Array | None, source: np.random.Generator) -> float:
    """The ratio of one response, a count for each row."""
    drawn = _cut(simulate(models[0], 1, source)[0].to_numpy(), limit)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GlmcountWarning)
        for state in models:
            y = np.full(state.rows.source.n_rows, np.nan)
            y[state.used_rows()] = drawn
            found.append(refitted(state, {"y": y})[0].fit.llf)
    return max(2.0 * (found[1] - found[0]), 0.0)


def _of_copies(
    models: Sequence[tuple[Fitted, Strip]],
    rows: NDArray[np.intp],
    limit: Array | None,
    source: np.random.Generator,
) -> float:
    """The ratio of one response, a count for each copy of a row, as cells of equal ones."""
    drawn = _cut(_drawn_copies(models[0][0], rows, source), limit)
    order = np.lexsort((drawn, rows))
    places, counts = rows[order], drawn[order]
    new = np.append(True, (np.diff(places) != 0) | (np.diff(counts) != 0))
    starts = np.flatnonzero(new)
    weights = np.diff(np.append(starts, len(places))).astype(np.float64)
    places, counts = places[starts], counts[starts]
    found = [_likelihood(state, own.taken(places), counts, weights) for state, own in models]
    return max(2.0 * (found[1] - found[0]), 0.0)


def _drawn_copies(null: Fitted, rows: NDArray[np.intp], source: np.random.Generator) -> Array:
    fit = null.fit

    def look(strip: Strip) -> list[Array]:
        etas = predictors(fit.layout, strip, fit.theta)
        return [np.stack([np.broadcast_to(eta, (strip.n,)) for eta in etas])]

    with np.errstate(all="ignore"):
        etas = np.concatenate(null.rows.fold(look, operator.add), axis=1)
        return fit.family.sample(source, list(etas[:, rows]))


def _likelihood(state: Fitted, strip: Strip, counts: Array, weights: Array) -> float:
    """The largest log-likelihood of a model of other counts."""
    strip = replace(strip, y=np.concatenate([counts[None], strip.y[1:]]), weights=weights)
    rows, family = state.asked.holding(strip), state.family
    measured, layout = measure(rows, planned_layout(rows.spec), family)
    refuse_measured(rows, measured, "drop", family)
    return maximise(rows, layout, measured, family, state.options).llf
