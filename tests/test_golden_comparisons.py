"""Contrasts, adjusted p-values, dispersion tests and pooled estimates against R.

`tests/golden/make_golden_comparisons.R` writes the figures: emmeans, multcomp, AER, and Rubin's
rules by hand.
"""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from tests import golden_files

FOLDER = golden_files.FOLDER / "comparisons"
NAMES = golden_files.names(FOLDER)
RECORDS = {name: golden_files.read(name, FOLDER) for name in NAMES}
CONTRASTS = [name for name in NAMES if "term" in RECORDS[name]]
KINDS = ("pairwise", "reference", "sequential", "mean")


@cache
def fitted(name):
    record = RECORDS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error", gc.errors.BoundaryWarning)
        return gc.fit(record["formula"], golden_files.data(record["data"]), **record["call"])


def close(found, expected, tolerance=2e-6):
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=1e-9)


def named(found, values):
    """Our rows in the order in which R has the same contrasts."""
    labels = found.contrast.str.replace(".0", "", regex=False)
    return found.set_index(labels).loc[values["contrast"]]


def contrasts(name, kind, **more):
    """Our rows and R's; a contrast with the mean is named otherwise there, in the same order."""
    values = RECORDS[name]["values"][kind]
    found = fitted(name).contrasts(RECORDS[name]["term"], kind=kind, **more)
    assert len(found) == len(values["estimate"])
    return (found if kind == "mean" else named(found, values)), values


def test_at_least_four_data_sets_and_these_families_are_compared():
    data = {RECORDS[name]["data"] for name in CONTRASTS}
    assert len(data) == 4
    families = {(r["call"]["family"], *sorted(r["call"])) for r in map(RECORDS.get, CONTRASTS)}
    assert ("negbin", "family", "information") in families
    assert ("negbin", "family", "hurdle") in families
    assert ("negbin", "family", "inflate") in families and (
        "poisson",
        "family",
        "inflate",
    ) in families


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CONTRASTS)
def test_contrasts_are_those_of_emmeans(name, kind):
    found, values = contrasts(name, kind)
    for key in ("estimate", "std_error", "statistic"):
        close(found[key], values[key])
    close(found.p_value, values["p_none"], 2e-5)


@pytest.mark.parametrize("adjust", ["none", "holm", "bonferroni", "sidak", "fdr"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CONTRASTS)
def test_adjustments_are_those_of_emmeans(name, kind, adjust):
    found, values = contrasts(name, kind, adjust=adjust)
    close(found.p_value, values[f"p_{adjust}"], 2e-5)
    if f"low_{adjust}" in values:
        close(found.conf_low, values[f"low_{adjust}"], 5e-6)
        close(found.conf_high, values[f"high_{adjust}"], 5e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CONTRASTS)
def test_single_step_is_that_of_mvtnorm_to_its_error(name, kind):
    """Whose integration is told to three or four digits."""
    found, values = contrasts(name, kind, adjust="single-step")
    np.testing.assert_allclose(
        found.p_value, np.asarray(values["p_single_step"], dtype=float), rtol=0.02, atol=1e-3
    )


SINGLE = {
    "tension": ("dataset:warpbreaks", "breaks ~ wool + tension"),
    "Age": ("dataset:quine", "Days ~ Eth + Sex + Age"),
    "region": ("dataset:nmes1988", "visits ~ region + gender"),
}


@pytest.mark.parametrize("term", SINGLE)
def test_single_step_is_that_of_multcomp(term):
    values = RECORDS["single_step"]["values"][term]
    place, formula = SINGLE[term]
    found = gc.fit(formula, golden_files.data(place)).contrasts(term, adjust="single-step")
    assert list(found.contrast) == values["contrast"]
    close(found.estimate, values["estimate"], 1e-7)
    close(found.std_error, values["std_error"], 1e-7)
    np.testing.assert_allclose(found.p_value, values["pvalue"], atol=2e-5)
    critical = (found.conf_high - found.estimate) / found.std_error
    # multcomp's own search for it stops at four digits.
    np.testing.assert_allclose(critical, values["critical"], atol=5e-4)
    assert found.attrs["error"] < 2e-5


DISPERSION = RECORDS["dispersion"]["values"]


@pytest.mark.parametrize("name", DISPERSION)
def test_dispersion_tests_are_those_of_aer_and_the_formulas_of_dean(name):
    case = DISPERSION[name]
    result = gc.fit(case["formula"], golden_files.data(case["data"]))
    for label, values in case["values"].items():
        kind, _, alternative = label.partition("_") if label.startswith("nb") else (label, "", "")
        found = result.test_dispersion(kind, alternative=alternative or "greater")
        assert found.statistic == pytest.approx(values["statistic"], rel=1e-8), label
        if "pvalue" in values:
            assert found.pvalue == pytest.approx(values["pvalue"], rel=1e-6), label
            assert found.estimate == pytest.approx(values["estimate"], rel=1e-8), label


def test_the_published_dispersion_of_biochemists():
    """Cameron and Trivedi's z and dispersion, as AER prints them."""
    data = gc.datasets.load("biochemists")
    found = gc.fit("art ~ fem + mar + kid5 + phd + ment", data).test_dispersion("nb1")
    assert golden_files.agrees(found.statistic, "5.78246")
    assert golden_files.agrees(found.estimate, "1.824540")


@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_pooled_estimates_are_those_of_rubins_rules_by_hand(family):
    record = RECORDS["pooling"]
    values = record["values"][family]
    fits = [
        gc.fit(
            "y ~ x + z", pd.DataFrame({"y": record["y"], "z": record["z"], "x": x}), family=family
        )
        for x in record["completed"]
    ]
    pooled = gc.pool(fits)
    inner, errors = pooled.rubin.estimates, np.sqrt(np.diag(pooled.rubin.total))
    close(inner, values["estimate"])
    close(errors, values["std_error"])
    for key in ("df", "fmi", "riv"):
        close(getattr(pooled, key), values[key], 1e-5)
    known = [name != "alpha" for name in pooled.params.index]
    close(pooled.pvalues[known], np.asarray(values["pvalue"])[known], 1e-5)
