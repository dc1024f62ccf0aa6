"""What lies under a fit, row by row: its scores and its design, as tables of their own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from glmcount.design.recall import planned_layout
from glmcount.engine.scores import chunks
from glmcount.engine.spread import columns_of
from glmcount.engine.strip import Strip
from glmcount.errors import MemoryLimitError
from glmcount.fitted import Fitted
from glmcount.fitting.estimates import parameters
from glmcount.fitting.sums import fold_scores
from glmcount.numerics import Array

__all__ = ["design_matrix", "score_obs"]


def score_obs(state: Fitted) -> pd.DataFrame:
    """Derivatives of each row's weighted log-likelihood by the parameters as reported.

    Raises
    ------
    MemoryLimitError
    """
    fit, found = state.fit, state.estimates
    _check_memory(state, len(fit.kept), "the scores")
    free = ~found.fixed
    parts = fold_scores(state.rows, fit, lambda strip, scores: [scores], lambda a, b: a + b)
    names = [name for name, own in zip(found.names, free, strict=True) if own]
    scores = np.concatenate(parts) / found.slope[free]
    return pd.DataFrame(scores, index=state.labels(), columns=pd.Index(names))


def design_matrix(state: Fitted) -> pd.DataFrame:
    """The columns of all equations but those that are one parameter on its natural scale.

    Raises
    ------
    MemoryLimitError
    """
    spec = state.rows.spec
    layout = planned_layout(spec)
    _check_memory(state, layout.size, "the design")
    every = parameters(state.fit.family, spec)
    shown = np.flatnonzero(~every.natural)

    def work(strip: Strip) -> list[Array]:
        return [np.concatenate(columns_of(layout, part)).T for part in chunks(layout, strip)]

    columns = np.concatenate(state.rows.fold(work, lambda a, b: a + b))[:, shown]
    return pd.DataFrame(
        columns, index=state.labels(), columns=pd.Index([every.names[j] for j in shown])
    )


def _check_memory(state: Fitted, columns: int, what: str) -> None:
    limit = state.options.control.memory
    size = 8 * state.measured.n * columns
    if size > limit:
        raise MemoryLimitError(
            f"{what.capitalize()} of {state.measured.n:,} rows and {columns:,} columns take "
            f"{size / 2**20:,.1f} MiB; control=glmcount.Control(memory=...) allows "
            f"{limit / 2**20:,.1f} MiB. Raise it, or take fewer rows.",
            kind="memory_limit",
        )
