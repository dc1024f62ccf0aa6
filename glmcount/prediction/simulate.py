"""New responses drawn from a fitted model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from glmcount.design.blocks import Strip
from glmcount.fitting.objective import predictors
from glmcount.inference.state import State
from glmcount.numerics import Array

__all__ = ["simulate"]


def simulate(state: State, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw n responses for each fitted row, one column a draw."""
    fit = state.fit

    def look(strip: Strip) -> list[tuple[Array, ...]]:
        etas = predictors(fit.layout, strip, fit.theta)
        return [tuple(np.broadcast_to(eta, (strip.n,)) for eta in etas)]

    etas = state.encoder.fold(look, lambda a, b: a + b)
    draws = {k: np.concatenate([fit.family.sample(rng, eta) for eta in etas]) for k in range(n)}
    return pd.DataFrame(draws, index=state.labels())
