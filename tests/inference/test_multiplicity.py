"""Adjusted p-values against statsmodels', and intervals against the tests they belong to."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from glmcount.inference.multiplicity import ADJUSTMENTS, adjusted
from glmcount.inference.together import largest

THEIRS = {"holm": "holm", "bonferroni": "bonferroni", "sidak": "sidak", "fdr": "fdr_bh"}
Z = np.array([0.3, -2.6, 3.4, 2.1, -2.6, 1.0, 5.5])
# Of rank 3, as contrasts of four levels are.
ROOTS = np.random.default_rng(5).normal(size=(7, 3))


def law_of(df=None):
    return lambda places: largest(ROOTS[places], np.eye(3), df)


def p_of(z, df=None):
    return 2 * (stats.norm.sf(np.abs(z)) if df is None else stats.t.sf(np.abs(z), df))


def made(name, z=Z, alpha=0.05, df=None):
    return adjusted(name, z, p_of(z, df), law_of(df), alpha, df)


@pytest.mark.parametrize("name", THEIRS)
def test_p_values_are_those_of_statsmodels(name):
    truth = multipletests(p_of(Z), method=THEIRS[name])[1]
    np.testing.assert_allclose(made(name).pvalues, truth, rtol=1e-10)


@pytest.mark.parametrize("name", [n for n in ADJUSTMENTS if n != "holm"])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("df", [None, 8.0])
def test_an_interval_leaves_out_zero_where_its_test_rejects(name, alpha, df):
    for z in (Z, Z / 2, np.array([2.0]), np.linspace(0.5, 3, 7)):
        found = made(name, z, alpha, df)
        np.testing.assert_array_equal(np.abs(z) > found.width, found.pvalues < alpha)


def test_holms_intervals_are_bonferronis():
    found, other = made("holm"), made("bonferroni")
    assert found.width == other.width and found.intervals == "Bonferroni"
    assert np.all(found.pvalues <= other.pvalues)


def test_single_step_lies_between_one_test_and_bonferroni():
    found = made("single-step")
    assert np.all(p_of(Z) <= found.pvalues) and np.all(found.pvalues <= made("sidak").pvalues)
    assert 0 < found.error < 1e-4
    assert found.width < made("sidak").width


@pytest.mark.parametrize("name", ADJUSTMENTS)
def test_one_test_needs_no_adjustment(name):
    z = np.array([2.2])
    found = made(name, z)
    assert found.pvalues[0] == pytest.approx(p_of(z)[0], rel=1e-12)
    assert found.width == pytest.approx(stats.norm.isf(0.025), rel=1e-9)


@pytest.mark.parametrize("name", ADJUSTMENTS)
def test_a_test_that_there_is_not_does_not_count(name):
    z = np.array([np.nan, *Z[1:]])
    found = adjusted(name, z, p_of(z), law_of(), 0.05, None)
    fewer = adjusted(name, z[1:], p_of(z[1:]), lambda places: law_of()(places + 1), 0.05, None)
    assert np.isnan(found.pvalues[0]) and found.width == pytest.approx(fewer.width, rel=1e-12)
    np.testing.assert_allclose(found.pvalues[1:], fewer.pvalues, rtol=1e-12)
    none = adjusted(name, z[:1], z[:1], law_of(), 0.05, None)
    assert np.isnan(none.pvalues).all()
