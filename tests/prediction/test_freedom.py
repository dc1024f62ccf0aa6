"""Each effect, rate and prediction by its own degrees of freedom, where the covariance has them."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy

import glmcount as gc
from tests import golden_files

FOLDER = golden_files.FOLDER / "freedom"
CASES = golden_files.names(FOLDER)


pytestmark = pytest.mark.filterwarnings("ignore::glmcount.errors.CovarianceWarning")


def satterthwaite(groups="block", kind="CR2"):
    return gc.cluster(groups, kind, df="satterthwaite")


def fitted(record):
    frame = golden_files.data(record["data"])
    frame["block"] = np.arange(len(frame)) // record["blocks"]
    call = dict(record["call"])
    if not isinstance(call["family"], str):
        family = dict(call["family"])
        call["family"] = getattr(gc.families, family.pop("name"))(**family)
    return gc.fit(record["formula"], frame, cov=satterthwaite(), **call)


@pytest.mark.parametrize("case", CASES)
def test_effects_have_the_degrees_of_freedom_of_clubsandwich(case):
    record = golden_files.read(case, FOLDER)
    result, factor = fitted(record), record["factor"]
    low, high = record["levels"]
    every = result.predictions()
    either = result.predictions({factor: [low, high]})
    tables = {
        "average": every,
        "low": either.iloc[:1],
        "high": either.iloc[1:],
        "difference": result.comparisons({factor: (low, high)}),
        "ratio": result.comparisons({factor: (low, high)}, comparison="ratio"),
    }
    if record["slope"]:
        tables["slope"] = result.slopes(record["slope"])
    df = {
        name: table.attrs["df"][0] for name, table in tables.items() if name not in ("low", "high")
    }
    df |= dict(zip(("low", "high"), either.attrs["df"], strict=True))
    single = result.get_prediction()
    df |= {"first": single.df.iloc[0], "tenth": single.df.iloc[9]}
    se = {name: table.std_error.iloc[0] for name, table in tables.items()}
    se |= {"first": single.se.iloc[0], "tenth": single.se.iloc[9]}
    for name, wanted in record["values"]["df"].items():
        assert df[name] == pytest.approx(wanted, rel=1e-6), name
        assert se[name] == pytest.approx(record["values"]["se"][name], rel=1e-7), name


@pytest.fixture
def trial():
    rng = np.random.default_rng(3)
    n, groups = 240, 12
    frame = pd.DataFrame({"c": np.arange(n) % groups, "x": rng.normal(size=n)})
    frame["t"] = (frame.c < 3) * 1
    frame["e"] = rng.uniform(1.0, 3.0, n)
    mean = frame.e * np.exp(0.3 + 0.2 * frame.x + rng.normal(0.0, 0.3, groups)[frame.c])
    frame["y"] = rng.poisson(mean * rng.gamma(2.0, 0.5, n))
    return frame


MODELS = {"poisson": {}, "negbin": {"family": "negbin"}, "hurdle": {"hurdle": "1"}}


@pytest.mark.parametrize("model", MODELS)
def test_a_linear_effect_is_judged_as_its_hypothesis(trial, model):
    result = gc.fit("y ~ t + x", trial, cov=satterthwaite("c"), **MODELS[model])
    if model != "hurdle":
        ratio = result.comparisons("t", comparison="lnratio")
        assert ratio.p_value[0] == pytest.approx(result.pvalues["t"], rel=1e-9)
        ends = result.conf_int().loc["t"]
        np.testing.assert_allclose(ratio[["conf_low", "conf_high"]].iloc[0], ends, rtol=1e-9)
    linear = result.get_prediction({"t": [1.0, 0.0], "x": [0.5, -2.0]}, which="linear")
    asked = np.zeros((2, len(result.params)))
    names = list(result.params.index)
    asked[:, names.index("Intercept")] = 1.0
    asked[:, names.index("t")] = 1.0, 0.0
    asked[:, names.index("x")] = 0.5, -2.0
    tests = result.t_test(asked)
    np.testing.assert_allclose(
        linear.conf_int().to_numpy(), tests[["conf_low", "conf_high"]].to_numpy(), rtol=1e-9
    )
    assert linear.df.min() < linear.df.max() - 0.1


def by_all_pairs(frame, result, gradient):
    """2 E(V)^2 / var(V) of a CR0 variance, by the n x n covariance of a Poisson fit's residuals."""
    X = np.column_stack([np.ones(len(frame)), frame.t, frame.x])
    mean = result.fittedvalues.to_numpy()
    bread = np.linalg.inv(X.T @ (mean[:, None] * X))
    hat = mean[:, None] * X @ bread @ X.T
    left = np.eye(len(frame)) - hat
    spread = left @ np.diag(mean) @ left.T
    table = np.stack([np.where(frame.c == g, X @ bread @ gradient, 0.0) for g in range(12)])
    moments = table @ spread @ table.T
    return np.trace(moments) ** 2 / np.sum(moments**2)


def test_degrees_of_freedom_by_the_covariance_of_all_residuals(trial):
    result = gc.fit("y ~ t + x", trial, exposure="e", cov=satterthwaite("c", "CR0"))
    X = np.column_stack([np.ones(len(trial)), trial.t, trial.x])
    mean = result.fittedvalues.to_numpy()
    slope = result.params["x"] * (mean[:, None] * X).mean(axis=0)
    slope[2] += mean.mean()
    found = result.slopes("x").attrs["df"][0]
    assert found == pytest.approx(by_all_pairs(trial, result, slope), rel=1e-9)
    rates = np.exp(result.params["Intercept"] + result.params["x"] * np.array([0.0, 1.0]))
    weights = np.array([0.25, 0.75])
    strata = {"x": [0.0, 1.0], "weight": weights}
    table = result.standardised_rate(strata, by="t", groups=[0, 1])
    reference = np.array([(weights * rates).sum(), 0.0, weights[1] * rates[1]])
    df = by_all_pairs(trial, result, reference)
    reach = scipy.stats.t.ppf(0.975, df) * table.std_error[0] / table.estimate[0]
    assert table.conf_high[0] == pytest.approx(table.estimate[0] * np.exp(reach), rel=1e-9)
    compared = result.standardised_rate(strata, by="t", groups=[0, 1], compare="ratio")
    own = by_all_pairs(trial, result, np.array([0.0, 1.0, 0.0]))
    statistic = result.params["t"] / result.bse["t"]
    assert compared.p_value[0] == pytest.approx(2 * scipy.stats.t.sf(abs(statistic), own), rel=1e-9)


def test_rows_and_hypotheses_of_effects_have_their_own(trial):
    result = gc.fit("y ~ t + x", trial, exposure="e", cov=satterthwaite("c"))
    single = result.get_prediction()
    rows = result.predictions(by=False)
    np.testing.assert_allclose(rows.attrs["df"], single.df, rtol=1e-12)
    np.testing.assert_allclose(rows.conf_low, single.conf_int()[0], rtol=1e-12)
    slopes = result.slopes("x", by=False)
    one = result.slopes("x", newdata=trial.iloc[[7]])
    assert slopes.attrs["df"][7] == pytest.approx(one.attrs["df"][0], rel=1e-9)
    assert slopes.p_value[7] == pytest.approx(one.p_value[0], rel=1e-9)
    gap = result.predictions({"t": [0, 1]}, hypothesis="pairwise")
    same = result.comparisons({"t": (0, 1)})
    assert gap.attrs["df"][0] == pytest.approx(same.attrs["df"][0], rel=1e-9)
    assert gap.p_value[0] == pytest.approx(same.p_value[0], rel=1e-9)
    assert "of each estimate's own" in gap.attrs["caption"]
    points = result.get_prediction({"t": [0], "x": [0.0], "e": [1.0]}, which="cdf", at=[0, 2])
    assert list(points.df.index) == list(points.predicted.index)
    assert np.isfinite(points.conf_int()).all(axis=None)
    again = pickle.loads(pickle.dumps(single))  # noqa: S301
    np.testing.assert_array_equal(again.conf_int(), single.conf_int())


def test_what_has_none_of_its_own_takes_the_smallest(trial):
    result = gc.fit("y ~ t + x", trial, cov=satterthwaite("c"))
    reach = (result.conf_int()[1] - result.params) / result.bse
    least = min(
        scipy.optimize.brentq(lambda v, to: scipy.stats.t.ppf(0.975, v) - to, 1, 40, args=(each,))
        for each in reach
    )
    found = result.slopes("x", unconditional=True)
    wanted = 2 * scipy.stats.t.sf(abs(found.statistic[0]), least)
    assert found.p_value[0] == pytest.approx(wanted, rel=1e-6)
    assert "the fewest of a parameter" in found.attrs["caption"]
    # The same in all rows: nothing moves.
    nothing = result.comparisons({"x": (1.0, 1.0)})
    assert nothing.conf_low[0] == nothing.conf_high[0] == 0.0


def test_other_covariances_have_one_number(trial):
    result = gc.fit("y ~ t + x", trial, cov=gc.cluster("c", "CR3", df="t"))
    assert result.get_prediction().df == 11.0
    table = result.slopes("x")
    assert "df" not in table.attrs
    assert "with 11 degrees of freedom" in table.attrs["caption"]
