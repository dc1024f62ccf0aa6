"""Scores by row, in the user's columns, are the derivatives of each row's log-likelihood."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.engine import scores
from glmcount.fitting.sums import fold_scores, rows_of

MODELS = {
    "poisson": {},
    "sqrt link": {"link": "sqrt"},
    "nb1": {"family": "nb1"},
    "negbin": {"family": "negbin"},
    "negbinp": {"family": "negbinp"},
    "pig": {"family": "pig"},
    "genpoisson": {"family": "genpoisson"},
    "genpoisson2": {"family": "genpoisson2"},
    "compoisson": {"family": "compoisson"},
    "dispersion": {"family": "negbin", "dispersion": "x"},
    "zip": {"inflate": "x"},
    "zinb": {"family": "negbin", "inflate": "1"},
    "hurdle": {"hurdle": "x + g", "family": "negbin"},
    "censored": {"censored": 6},
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    n = 250
    frame = pd.DataFrame({"x": rng.normal(40.0, 1.0, n), "g": rng.choice(list("abc"), n)})
    frame["x2"] = 2.0 * frame.x
    frame["w"] = rng.integers(1, 4, n)
    frame["t"] = rng.uniform(0.5, 2.0, n)
    mean = np.exp(0.8 + 0.3 * (frame.x - 40.0) + 0.4 * (frame.g == "b")) * frame.t
    frame["y"] = rng.negative_binomial(1.5, 1.5 / (1.5 + mean)) * (rng.random(n) > 0.2)
    frame.loc[::17, "x"] = np.nan
    return frame


def gathered(result):
    state = result._state
    parts = fold_scores(state.rows, state.fit, lambda strip, own: [own], lambda a, b: a + b)
    return np.concatenate(parts)


def by_differences(result):
    """Central differences of the rows' log-likelihoods, by the parameters in their own columns."""
    fit, (strip,) = result._state.fit, [result._state.rows.strip(0)]
    layout, out = fit.layout, []
    at = layout.unshift(fit.theta)

    def value(theta):
        rows = rows_of(layout, strip, layout.reshift(theta))
        own = np.broadcast_to(fit.family.terms(rows.y, rows.etas).value, (strip.n,))
        return own if strip.weights is None else own * strip.weights

    for j in fit.kept:
        step = np.zeros(layout.size)
        step[j] = 2e-4 / max(1.0, np.abs(layout.sizes[j]), 40.0)
        near = value(at + step) - value(at - step)
        far = value(at + 2 * step) - value(at - 2 * step)
        out.append((8.0 * near - far) / (12.0 * step[j]))
    return np.stack(out, axis=1)


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
@pytest.mark.parametrize("model", MODELS)
def test_every_family(data, model, monkeypatch):
    result = gc.fit("y ~ x + g + x2", data, weights="w", exposure="t", **MODELS[model])
    found = gathered(result)
    size = 1.0 + np.abs(found).max(axis=0)
    np.testing.assert_allclose(found / size, by_differences(result) / size, atol=2e-7)
    assert (np.abs(found.sum(axis=0)) < 1e-6 * np.abs(found).sum(axis=0)).all()
    monkeypatch.setattr(scores, "NUMBERS", 100)
    np.testing.assert_allclose(gathered(result), found, rtol=1e-12, atol=1e-12)
