"""Derivatives of a design by a column: the slope of every predictor, against differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.design.encode import Piece
from glmcount.design.recall import planned_layout
from glmcount.design.slopes import slopes
from glmcount.engine.layout import linear


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(2)
    n = 400
    frame = pd.DataFrame({"x": rng.uniform(1.0, 3.0, n), "z": rng.normal(50.0, 1.0, n)})
    frame["g"], frame["h"] = rng.choice(list("abc"), n), rng.choice(list("uv"), n)
    frame["t"] = rng.uniform(0.5, 2.0, n)
    frame["y"] = rng.poisson(frame.t * np.exp(0.2 * frame.x))
    frame.loc[::37, "z"] = np.nan
    return frame


MODELS = {
    "y ~ x * g + log(x):z": True,
    "y ~ bs(x, df=4, lower_bound=0.5, upper_bound=3.5) * g:h + z": True,
    "y ~ standardize(x):center(z):g + offset(sqrt(x))": True,
    "y ~ C(g, Sum) * h + x:bs(x, df=4, lower_bound=0.5, upper_bound=3.5)": True,
    "y ~ cr(x, df=4):h + I(x * z) / t": True,
}


def predictor(result, frame):
    return result.predict(frame, which="linear").to_numpy()


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
@pytest.mark.parametrize("formula", MODELS)
@pytest.mark.parametrize("exposure", [None, "t", "x"])
def test_slopes_of_the_predictor(data, formula, exposure):
    result = gc.fit(formula, data, exposure=exposure)
    spec, fit = result._state.rows.spec, result._state.fit
    where = np.flatnonzero(data.z.notna())
    columns = {name: data[name].to_numpy() for name in data}
    strip, exact = slopes(spec, Piece(0, 0, len(data), where), columns, "x")
    assert exact is MODELS[formula]
    found = linear(planned_layout(spec), strip, fit.layout.unshift(fit.theta), 0)
    found += 0.0 if strip.offsets[0] is None else strip.offsets[0]
    used = data.iloc[where]
    sides = [
        predictor(result, used.assign(x=used.x + k * 1e-3))
        - predictor(result, used.assign(x=used.x - k * 1e-3))
        for k in (1, 2)
    ]
    wanted = (8.0 * sides[0] - sides[1]) / 12e-3
    off = np.abs(found - wanted) / (1.0 + np.abs(wanted))
    assert np.quantile(off, 0.97) < 1e-7
    assert off.max() < 1e-2


def test_levels_have_none(data):
    result = gc.fit("y ~ g * x", data)
    columns = {name: data[name].to_numpy() for name in data}
    with pytest.raises(gc.errors.DataError, match="jumps"):
        slopes(result._state.rows.spec, Piece(0, 0, len(data), None), columns, "g")
