"""Likelihood ratios of responses that the smaller of two models draws.

Both models are fitted to each response, to all of the counts that rows with frequency weights stand
for.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from glmcount.checks import refuse_measured
from glmcount.design.measure import measure
from glmcount.design.recall import planned_layout
from glmcount.engine.strip import Strip, one_strip
from glmcount.errors import GlmcountWarning, NotDefinedError
from glmcount.fits import refitted
from glmcount.fitted import Fitted
from glmcount.fitting.maximise import maximise
from glmcount.inference.responses import Responses, responses
from glmcount.records import replace

__all__ = ["drawn_ratio"]


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
    _refuse_importance(null)
    drawing = responses(null, null.rows)
    models = _quiet(null), _quiet(full)
    if drawing.copies is None:
        return partial(_of_rows, models, drawing)
    strips = [one_strip(state.asked.fold(lambda strip: [strip], operator.add)) for state in models]
    return partial(_of_copies, tuple(zip(models, strips, strict=True)), drawing)


def _quiet(state: Fitted) -> Fitted:
    """The same, of which refits tell no progress."""
    ready = state.again
    control = replace(ready.settings.control, progress=False)
    settings = replace(ready.settings, control=control)
    return replace(state, options=settings, again=replace(ready, settings=settings))


def _refuse_importance(null: Fitted) -> None:
    """Refuse weights that say how much a row matters."""
    if null.importance and null.spec.weights is not None:
        raise NotDefinedError(
            f"A bootstrap draws the counts that rows stand for, and these {null.weights_type} "
            "weights say how much a row matters, so that no number of counts is known to draw. "
            "Fit without weights, or with whole numbers of copies.",
            kind="weighted_bootstrap",
        )


def _of_rows(models: Sequence[Fitted], drawing: Responses, source: np.random.Generator) -> float:
    """The ratio of one response, a count for each row."""
    drawn, found = drawing.drawn(source), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GlmcountWarning)
        for state in models:
            y = np.full(state.rows.source.n_rows, np.nan)
            y[state.used_rows()] = drawn
            found.append(refitted(state, {"y": y})[0].fit.llf)
    return max(2.0 * (found[1] - found[0]), 0.0)


def _of_copies(
    models: Sequence[tuple[Fitted, Strip]], drawing: Responses, source: np.random.Generator
) -> float:
    """The ratio of one response, a count for each copy of a row."""
    drawn = drawing.counted(source)
    found = [_likelihood(state, drawn.of(whole)) for state, whole in models]
    return max(2.0 * (found[1] - found[0]), 0.0)


def _likelihood(state: Fitted, strip: Strip) -> float:
    """The largest log-likelihood of a model of other rows."""
    rows, family = state.asked.holding(strip), state.family
    measured, layout = measure(rows, planned_layout(rows.spec), family)
    refuse_measured(rows, measured, "drop", family)
    return maximise(rows, layout, measured, family, state.options).llf
