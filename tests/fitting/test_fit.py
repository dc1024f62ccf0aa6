"""A column that others give is left out, whatever the family, and the rest is the same fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc


@pytest.mark.parametrize("family", ["poisson", "quasipoisson", "geometric", "negbin"])
def test_a_combination_is_left_out_and_told(family):
    rng = np.random.default_rng(11)
    data = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200)})
    data["c"] = 2 * data.a - data.b + 1
    data["y"] = rng.poisson(np.exp(0.2 + 0.3 * data.a) * rng.gamma(2, 0.5, 200))
    with pytest.warns(gc.errors.DroppedColumnWarning, match="'c'"):
        result = gc.fit("y ~ a + b + c", data, family=family)
    without = gc.fit("y ~ a + b", data, family=family)
    np.testing.assert_allclose(result.params, without.params, rtol=1e-9)
    np.testing.assert_allclose(result.bse, without.bse, rtol=1e-9)
    np.testing.assert_allclose(result.predict(data), without.predict(data), rtol=1e-9)
    found = result.aliased["c"]
    assert set(found) == {"Intercept", "a", "b"}
    np.testing.assert_allclose([found[n] for n in ("Intercept", "a", "b")], [1, 2, -1], rtol=1e-9)
