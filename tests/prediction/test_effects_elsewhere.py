"""Effects beside those of Stata, statsmodels and R."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm

import glmcount as gc

R = json.loads((Path(__file__).parent / "effects.json").read_text())
NAMES = ["lncoins", "idp", "lpi", "fmde", "physlm", "disea", "hlthg", "hlthf", "hlthp"]
DUMMIES = ["idp", "hlthg", "hlthf", "hlthp"]


@pytest.fixture(scope="module")
def randhie():
    frame = sm.datasets.randhie.load_pandas().data
    return frame, gc.fit("mdvis ~ " + " + ".join(NAMES), frame)


# Stata 11's margins, as statsmodels' tests have them (results_discrete.RandHIE.poisson). Stata
# holds the columns in single precision, which leaves seven to eight digits.
SLOPES = [-0.15027280560599, -0.70677348928158, 0.10094500919705, -0.09890639687842,
          0.77721770295359, 0.09708707452600, -0.03614158359367, 0.15462412033340,
          0.58957704430148]  # fmt: skip
SLOPES_SE = [0.008273103, 0.0305119343, 0.0052466639, 0.0046317555, 0.0351582168, 0.0016652181,
             0.0264611158, 0.0437974779, 0.0752099666]  # fmt: skip
STEPS = [-0.66568074771099, -0.03608195237609, 0.15804581481115, 0.65104087597053]
STEPS_SE = [0.0269856266, 0.0263736472, 0.0457480115, 0.0913901155]


def test_stata_margins(randhie):
    _, result = randhie
    table = result.slopes(NAMES)
    np.testing.assert_allclose(table.estimate, SLOPES, rtol=5e-7)
    np.testing.assert_allclose(table.std_error, SLOPES_SE, rtol=5e-7)
    steps = result.comparisons(dict.fromkeys(DUMMIES, (0, 1)))
    np.testing.assert_allclose(steps.estimate, STEPS, rtol=5e-7)
    np.testing.assert_allclose(steps.std_error, STEPS_SE, rtol=5e-7)


@pytest.mark.parametrize("slope", ["dydx", "eyex", "eydx", "dyex"])
def test_statsmodels_margins(randhie, slope):
    frame, result = randhie
    own = sm.Poisson(frame.mdvis, sm.add_constant(frame[NAMES])).fit(
        disp=0, method="newton", maxiter=100, tol=1e-12
    )
    there = own.get_margeff(method=slope)
    table = result.slopes(NAMES, slope=slope)
    np.testing.assert_allclose(table.estimate, there.margeff, rtol=1e-8)
    np.testing.assert_allclose(table.std_error, there.margeff_se, rtol=1e-7)
    at_mean = own.get_margeff(at="mean", method=slope)
    grid = result.slopes(NAMES, slope=slope, newdata=result.grid())
    np.testing.assert_allclose(grid.estimate, at_mean.margeff, rtol=1e-8)
    np.testing.assert_allclose(grid.std_error, at_mean.margeff_se, rtol=1e-7)


def check(table, name, rtol=1e-6, order=slice(None)):
    estimate, error = (np.array(R[name][what])[order] for what in ("estimate", "std_error"))
    np.testing.assert_allclose(table.estimate, estimate, rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(table.std_error, error, rtol=rtol, err_msg=name)


@pytest.fixture(scope="module")
def quine():
    # R's glm.nb takes the expected information.
    data = gc.datasets.load("quine")
    return data, gc.fit("Days ~ Sex * Age + Eth", data, family="negbin", information="expected")


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
def test_averages_of_a_negative_binomial_model_in_r(quine):
    _, result = quine
    check(result.comparisons("Sex"), "nb_sex")
    check(result.comparisons("Sex", by="Age"), "nb_sex_by_age")
    check(result.comparisons("Sex", comparison="ratio"), "nb_sex_ratio")


def test_emmeans_of_counts(quine):
    data, result = quine
    cells = result.grid(**{name: sorted(set(data[name])) for name in ("Sex", "Age", "Eth")})
    check(result.predictions(newdata=cells, by="Sex"), "emmeans_sex")
    pairs = result.predictions(newdata=cells, by="Age", hypothesis="pairwise")
    # There by the first of each pair, here by the second.
    check(pairs, "emmeans_age", order=[0, 1, 3, 2, 4, 5])


# pscl's information is one of differences.
DIFFERENCES = 2e-4


@pytest.fixture(scope="module")
def biochemists():
    return gc.datasets.load("biochemists")


def test_averages_of_a_zero_inflated_model_in_r(biochemists):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        result = gc.fit("art ~ fem + ment", biochemists, family="negbin", inflate="ment + kid5")
    check(result.slopes("ment"), "zi_slope", DIFFERENCES)
    levels = ("Men", "Women")
    check(result.comparisons({"fem": levels}), "zi_fem", DIFFERENCES)
    check(result.slopes("kid5", which="zero"), "zi_zero", DIFFERENCES)


def test_averages_of_a_hurdle_model_in_r(biochemists):
    result = gc.fit("art ~ fem + ment", biochemists, hurdle="ment + kid5")
    check(result.comparisons("ment"), "hurdle_step", DIFFERENCES)
    check(result.slopes("ment", which="prob-positive"), "hurdle_positive", DIFFERENCES)
