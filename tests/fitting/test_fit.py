"""One solve: columns that others give, limits at infinity, the last step and its information."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.engine.layout import linear
from glmcount.fitting.fit import solve
from glmcount.fitting.run import Settings
from glmcount.fitting.start import first_values
from tests.made import counts, run_of


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


def solved(formula, data, family="poisson", **settings):
    run = run_of(formula, data, family, settings=Settings(**settings))
    return run, solve(run, first_values(run))


@pytest.mark.parametrize("method", ["newton", "irls", "lbfgs"])
@pytest.mark.parametrize("family", ["poisson", "geometric"])
@pytest.mark.parametrize("wanted", ["expected", "observed"])
def test_the_information_is_that_asked_for_at_the_estimate(method, family, wanted):
    data = counts()
    run, fit = solved("y ~ x", data, family, method=method, information=wanted)
    assert fit.status == "final" and fit.reached[0] <= 1e-6
    x = np.stack([np.ones(60), data["x"] - run.layout.blocks[0].shift[1]], axis=1)
    mean = np.exp(x @ fit.theta)
    score = data["y"] - mean if family == "poisson" else (data["y"] - mean) / (1 + mean)
    bend = mean
    if family == "geometric":
        bend = (
            mean / (1 + mean) if wanted == "expected" else mean * (1 + data["y"]) / (1 + mean) ** 2
        )
    np.testing.assert_allclose(fit.information.matrix, (x.T * bend) @ x, rtol=2e-9)
    assert np.abs(x.T @ score).max() <= 1e-9 * (x.T @ np.abs(score)).max()


def test_the_limit_at_infinity_is_the_fit_of_the_rows_that_stay():
    data = {"y": np.array([0.0, 0, 3, 1, 2, 4]), "x": np.array([1.0, 2, 0, 0, 0, 0])}
    run, fit = solved("y ~ x", data)
    assert fit.status == "recession" and fit.separated and fit.falling.where == (0, 1)
    stay = linear(fit.layout, run.rows.strip(0), fit.settled, 0)[2:]
    np.testing.assert_allclose(stay, np.log(2.5), rtol=1e-12)
    llf = sum(y * np.log(2.5) - 2.5 - np.log(f) for y, f in ((3, 6), (1, 1), (2, 2), (4, 24)))
    assert fit.llf == pytest.approx(llf, rel=1e-12)
    assert linear(fit.layout, run.rows.strip(0), fit.theta, 0)[:2].max() <= -59.9
    # Of the column that carries the rows off nothing is known.
    assert not fit.information.matrix[1].any() and fit.information.matrix[0, 0] == pytest.approx(10)


def test_columns_known_to_depend_on_others_are_left_out():
    data = counts()
    data["c"] = 2.0 * data["x"] + 1.0
    run, fit = solved("y ~ x + c", data)
    (one,) = fit.dependences
    assert fit.kept.tolist() == [0, 1] and one.column == 2 and one.exact
    assert fit.theta[2] == 0.0
    again = solve(run, first_values(run), fit.dependences)
    assert again.kept.tolist() == [0, 1] and again.llf == pytest.approx(fit.llf, rel=1e-14)
