"""Row scores and the design as tables: what they add up to, and what they are refused for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from tests.made import patsy_design


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(3.0, 1.0, 200), "g": rng.choice(list("abc"), 200)})
    frame["t"], frame["w"] = rng.uniform(0.5, 2.0, 200), rng.integers(0, 3, 200)
    mean = frame.t * np.exp(0.2 * frame.x)
    frame["y"] = rng.poisson(mean * rng.gamma(2.0, 0.5, 200)) * (rng.random(200) > 0.2)
    frame.index = frame.index + 10
    frame.loc[15, "x"] = np.nan
    return frame


MODELS = {
    "poisson": {},
    "negbin": {"family": "negbin"},
    "regression": {"family": "negbin", "dispersion": "x"},
    "inflated": {"family": "negbin", "inflate": "x"},
    "hurdle": {"hurdle": "g"},
}
QUIET = pytest.mark.filterwarnings("ignore::glmcount.errors.MissingRowsWarning")


@QUIET
@pytest.mark.parametrize("model", MODELS)
def test_scores_make_the_robust_covariance(data, model):
    result = gc.fit("y ~ standardize(x) * g", data, exposure="t", **MODELS[model])
    scores = result.score_obs()
    assert list(scores) == list(result.params.index)
    assert scores.index.equals(result.fittedvalues.index)
    np.testing.assert_allclose(scores.sum(), 0.0, atol=1e-6)
    half = scores @ result.cov_params().to_numpy()
    np.testing.assert_allclose(
        half.T @ half, result.with_cov("HC0").cov_params(), rtol=1e-6, atol=1e-15
    )


@QUIET
def test_scores_are_weighted(data):
    weighted = gc.fit("y ~ x", data, weights="w").score_obs()
    repeated = data.loc[data.index.repeat(data.w)]
    longer = gc.fit("y ~ x", repeated).score_obs()
    np.testing.assert_allclose(weighted, longer.groupby(level=0).sum(), rtol=1e-9, atol=1e-9)


@QUIET
def test_the_design_is_that_of_patsy(data):
    formula = "bs(x, df=4) * C(g, Sum) + np.log(t)"
    result = gc.fit(f"y ~ {formula}", data)
    used = data[data.x.notna()]
    wanted = patsy_design(formula, used)
    found = result.design_matrix()
    assert list(found) == list(wanted) == list(result.params.index)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


@QUIET
def test_the_design_has_all_parts_and_what_was_left_out(data):
    result = gc.fit("y ~ x", data, family="negbin", inflate="g", exposure="t")
    design = result.design_matrix()
    assert list(design) == [name for name in result.params.index if name != "alpha"]
    mean = design[["Intercept", "x"]] @ result.params[["Intercept", "x"]]
    np.testing.assert_allclose(
        mean + np.log(data.t[design.index]), result.predict(which="linear"), rtol=1e-12
    )
    with pytest.warns(gc.errors.DroppedColumnWarning):
        twice = gc.fit("y ~ x + I(2 * x)", data)
    np.testing.assert_allclose(twice.design_matrix()["I(2 * x)"], 2 * design.x, rtol=1e-14)


@QUIET
def test_large_tables_are_refused(data):
    result = gc.fit("y ~ x", data, control=gc.Control(memory=1_000))
    for call in (result.score_obs, result.design_matrix):
        with pytest.raises(gc.errors.MemoryLimitError, match="Control"):
            call()
