"""Tests and profile intervals against car, lmtest, MASS and fits of R with coefficients as offsets.

`tests/golden/make_tests.R` makes the figures.
"""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pytest

import glmcount as gc
from tests import golden_files

FOLDER = golden_files.FOLDER / "tests"
RECORDS = {case: golden_files.read(case, FOLDER) for case in golden_files.names(FOLDER)}


@cache
def fitted(case, formula=None, family=None):
    record = RECORDS[case]
    call = record["call"] | ({} if family is None else {"family": family})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        return gc.fit(formula or record["formula"], golden_files.data(record["data"]), **call)


def summed(formula):
    """The same with sums to zero, as type 3 needs."""
    for name in ("wool", "tension"):
        formula = formula.replace(name, f"C({name}, Sum)")
    return formula


def having(start):
    return [(c, key) for c, r in RECORDS.items() for key in r["values"] if key.startswith(start)]


@pytest.mark.parametrize(("case", "key"), having("anova"))
def test_a_table_is_that_of_r(case, key):
    _, number, test, *more = key.split("_")
    formula = RECORDS[case]["formula"]
    formula = summed(formula) if number == "3" else formula
    result = fitted(case, formula, "quasipoisson" if test == "f" else None)
    test = "lr" if test == "f" else test
    options = {"nuisance": "held"} if more else {}
    with warnings.catch_warnings():
        # Without ment in the zero part of biochemists_zinb there is no inflation.
        warnings.filterwarnings("ignore", "Without inflate_ment")
        found = result.anova(int(number), test, **options)
    for name, (df, statistic, pvalue) in RECORDS[case]["values"][key].items():
        own = found.loc[name if number != "3" else summed(name)]
        assert own["df"] == df
        # pscl stops up to 1e-2 errors from the maximum, and log-likelihoods 1e-7 below it.
        np.testing.assert_allclose(own["statistic"], statistic, rtol=1e-7, atol=1e-6)
        np.testing.assert_allclose(own["pvalue"], pvalue, rtol=1e-5)


@pytest.mark.parametrize(("case", "key"), having("profile"))
def test_profiles(case, key):
    expected = RECORDS[case]["values"][key]
    held = "held" if "held" in key else "estimated"
    found = fitted(case).conf_int(method="profile", nuisance=held, parameters=list(expected))
    # MASS interpolates its profiles to 3 or 4 digits, pscl stops before the maximum.
    tolerance = 3e-4 if held == "held" else 2e-6 if "loose" in key else 1e-7
    tolerance = 1.5e-5 if "interpolated" in key else tolerance
    for name, ends in expected.items():
        np.testing.assert_allclose(found.loc[name], ends, atol=tolerance)


def test_likelihood_ratio():
    (formula, (df, statistic, pvalue)) = next(iter(RECORDS["quine_negbin"]["values"]["lr"].items()))
    found = gc.lr_test(fitted("quine_negbin", formula), fitted("quine_negbin"))
    assert found.df == df
    assert found.distribution == "chi2"
    np.testing.assert_allclose([found.statistic, found.pvalue], [statistic, pvalue], rtol=1e-8)


@pytest.mark.parametrize("terms", ["tension", "tension + wool:tension"])
def test_scores(terms):
    df, statistic, pvalue = RECORDS["warpbreaks_poisson"]["values"]["score"][terms]
    found = fitted("warpbreaks_poisson", "breaks ~ wool").score_test(terms)
    assert found.df == df
    np.testing.assert_allclose([found.statistic, found.pvalue], [statistic, pvalue], rtol=1e-8)
