"""A run of rows none of which is used tells of nothing, and stands in nothing's way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc


@pytest.mark.filterwarnings("ignore::glmcount.errors.MissingRowsWarning")
@pytest.mark.parametrize("empty", [0, 1, 2])
@pytest.mark.parametrize("model", [{}, {"family": "negbin"}, {"inflate": "1"}])
def test_a_whole_strip_is_left_out(empty, model):
    n = 3 * 65_536
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"x": rng.normal(size=n)})
    data["y"] = rng.poisson(np.exp(0.2 + 0.3 * data.x)) * (rng.random(n) > 0.2)
    data.loc[empty * 65_536 : (empty + 1) * 65_536 - 1, "x"] = np.nan
    result = gc.fit("y ~ x", data, **model)
    other = gc.fit("y ~ x", data[data.x.notna()], **model)
    np.testing.assert_allclose(result.params, other.params, rtol=1e-9)
    np.testing.assert_allclose(result.with_cov("HC1").bse, other.with_cov("HC1").bse, rtol=1e-8)


@pytest.mark.filterwarnings("ignore::glmcount.errors.MissingRowsWarning")
@pytest.mark.parametrize("empty", [0, 1])
def test_a_strip_in_which_text_is_missing_throughout(empty):
    n = 2 * 65_536
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": rng.choice(["a", "b"], n).astype(object)})
    data["y"] = rng.poisson(np.where(data.g == "a", 1.0, 2.0))
    data.loc[empty * 65_536 : (empty + 1) * 65_536 - 1, "g"] = None
    result, other = gc.fit("y ~ g", data), gc.fit("y ~ g", data[data.g.notna()])
    np.testing.assert_allclose(result.params, other.params, rtol=1e-9)
    assert list(result.params.index) == list(other.params.index)
