"""Figures made by one pass are those made one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.design.rows import Rows


def data(n=4_000):
    rng = np.random.default_rng(8)
    out = pd.DataFrame({"x": rng.normal(size=n), "t": rng.uniform(0.5, 2.0, n)})
    out["w"] = rng.integers(1, 4, n)
    return out.assign(y=rng.poisson(np.exp(0.2 + 0.3 * out.x) * out.t))


DATA = data()
ASKED = [
    {},
    {"exposure": "t"},
    {"exposure": "t", "weights": "w"},
    {"weights": "w", "weights_type": "importance"},
    {"link": "sqrt"},
    {"link": "sqrt", "offset": "t"},
    {"family": "quasipoisson"},
    {"family": "geometric"},
    {"family": "negbin"},
    {"family": "bernoulli"},
    {"inflate": "1"},
]
FIGURES = ("llnull", "deviance", "null_deviance", "pearson_chi2")


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
@pytest.mark.parametrize("options", ASKED)
@pytest.mark.parametrize("formula", ["y ~ x", "y ~ 0 + x"])
def test_a_summary_s_figures_are_those_asked_for_alone(formula, options):
    if formula == "y ~ 0 + x" and "link" in options:
        pytest.skip("a mean of x^2 begins nowhere")
    frame = DATA.assign(y=DATA.y.clip(upper=1)) if options.get("family") == "bernoulli" else DATA
    one, other = (gc.fit(formula, frame, **options) for _ in range(2))
    one.summary()
    for name in FIGURES:
        try:
            expected = getattr(other, name)
        except gc.errors.GlmcountError as error:
            with pytest.raises(type(error)):
                getattr(one, name)
        else:
            assert getattr(one, name) == pytest.approx(expected, rel=1e-12)


def test_a_summary_of_a_poisson_model_goes_over_the_rows_once(monkeypatch):
    folds = []
    fold = Rows.fold

    def telling(self, *arguments, **options):
        folds.append(self)
        return fold(self, *arguments, **options)

    result = gc.fit("y ~ x", pd.concat([DATA] * 20, ignore_index=True), exposure="t")
    monkeypatch.setattr(Rows, "fold", telling)
    str(result.summary())
    assert len(folds) == 1
