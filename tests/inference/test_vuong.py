"""Vuong's test: against pscl, its formula by rows, the variance test by simulation, refusals."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc
from glmcount.inference.vuong import _variance_test, ratios_of, vuong
from tests import golden_files

DATA = gc.datasets.load("biochemists")
TERMS = "fem + mar + kid5 + phd + ment"
PSCL = golden_files.read("vuong", golden_files.FOLDER / "comparisons")["values"]


@pytest.fixture(scope="module")
def fits():
    formula = f"art ~ {TERMS}"
    return {
        "poisson": gc.fit(formula, DATA),
        "negbin": gc.fit(formula, DATA, family="negbin"),
        "zip": gc.fit(formula, DATA, inflate=TERMS),
        "hurdle": gc.fit(formula, DATA, hurdle=TERMS),
    }


@pytest.mark.parametrize("pair", PSCL)
def test_the_statistic_is_that_of_pscl(fits, pair):
    """Which does not count theta among the parameters: corrected, only of models without one."""
    first, second = (fits[name] for name in pair.split("_"))
    for correction, value in zip((None, "aic", "bic"), PSCL[pair], strict=True):
        if correction is None or "negbin" not in pair:
            found = vuong(first._state, second._state, correction)
            assert found.statistic == pytest.approx(value, abs=2e-5), correction


def test_the_published_statistics():
    """Of Poisson against the zero-inflated Poisson model, a pair that users are refused."""
    assert [f"{value:.4f}" for value in PSCL["poisson_zip"]] == ["-4.1805", "-3.6386", "-2.3328"]


@pytest.mark.parametrize("correction", [None, "aic", "bic"])
def test_it_is_its_formula(fits, correction):
    one, other, n = fits["negbin"], fits["zip"], len(DATA)
    counts = list(range(int(DATA.art.max()) + 1))
    rows = np.arange(n), DATA.art.to_numpy()
    own, its = (np.log(r.predict(which="prob", at=counts).to_numpy()[rows]) for r in (one, other))
    m = own - its
    found = gc.vuong_test(one, other, correction=correction)
    # 7 parameters against 12.
    penalty = {None: 0.0, "aic": 7 - 12, "bic": (7 - 12) * np.log(n) / 2}[correction]
    assert found.estimate == pytest.approx((m.sum() - penalty) / n, rel=1e-8)
    z = (m.sum() - penalty) / (np.sqrt(n) * m.std(ddof=1))
    assert found.statistic == pytest.approx(z, rel=1e-8)
    assert found.pvalue == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-7)
    half = (found.conf_int[1] - found.conf_int[0]) / 2
    assert half == pytest.approx(stats.norm.isf(0.025) * found.estimate / z, rel=1e-8)


def test_the_sign_turns_with_the_order(fits):
    first = gc.vuong_test(fits["negbin"], fits["zip"])
    second = gc.vuong_test(fits["zip"], fits["negbin"])
    assert first.statistic == pytest.approx(-second.statistic, rel=1e-9)
    assert first.pvalue == pytest.approx(second.pvalue, rel=1e-9)


def test_a_frequency_weight_is_copies():
    data = DATA.assign(w=np.resize([1, 2, 3], len(DATA)))
    whole = data.loc[np.repeat(data.index, data.w)].reset_index(drop=True)
    pairs = [
        (gc.fit("art ~ ment", rows, family="negbin", **call), gc.fit("art ~ kid5", rows, **call))
        for rows, call in ((data, {"weights": "w"}), (whole, {}))
    ]
    found, truth = (gc.vuong_test(*pair) for pair in pairs)
    assert found.statistic == pytest.approx(truth.statistic, rel=1e-8)
    assert found.conf_int == pytest.approx(truth.conf_int, rel=1e-8)
    weighted, plain = (_variance_test(a._state, b._state, ratios_of(a._state, b._state))
                       for a, b in pairs)  # fmt: skip
    assert weighted == pytest.approx(plain, rel=1e-6)


def test_the_variance_test_has_its_size_where_the_models_coincide():
    """y ~ x and y ~ z with neither in the truth: both are the constant model there."""
    rng = np.random.default_rng(5)
    n, reps = 400, 500
    data = pd.DataFrame({"x": rng.normal(size=n), "z": rng.exponential(size=n), "y": 1})
    data.loc[0, "y"] = 0
    one, other = gc.fit("y ~ x", data), gc.fit("y ~ z", data)
    hits = 0
    for _ in range(reps):
        y = rng.poisson(2.0, n)
        first, second = one.refit(y=y)._state, other.refit(y=y)._state
        hits += _variance_test(first, second, ratios_of(first, second)) <= 0.05
    low, high = stats.binom.ppf([0.0005, 0.9995], reps, 0.05)
    assert low <= hits <= high


NESTED = [("poisson", "negbin"), ("poisson", "zip"), ("zip", "poisson"), ("negbin", "poisson")]


@pytest.mark.parametrize(("one", "other"), NESTED)
def test_a_model_and_its_parent_are_refused(fits, one, other):
    with pytest.raises(gc.errors.UsageError, match="lr_test") as caught:
        gc.vuong_test(fits[one], fits[other])
    assert caught.value.kind == "nested_models"


def test_a_model_of_fewer_columns_is_refused(fits):
    fewer = gc.fit("art ~ fem + ment", DATA)
    for pair in ((fewer, fits["poisson"]), (fits["zip"], fewer)):
        with pytest.raises(gc.errors.UsageError) as caught:
            gc.vuong_test(*pair)
        assert caught.value.kind == "nested_models"


def test_models_that_the_data_do_not_tell_apart_are_refused(fits):
    again = gc.fit(f"art ~ C(fem, Sum) + {TERMS.removeprefix('fem + ')}", DATA)
    for one, other in (("zip", "hurdle"), ("poisson", None)):
        with pytest.raises(gc.errors.NotDefinedError, match="aic or bic") as caught:
            gc.vuong_test(fits[one], again if other is None else fits[other])
        assert caught.value.kind == "indistinguishable"


def test_usage(fits):
    quasi = gc.fit("art ~ ment", DATA, family="quasipoisson")
    sampled = gc.fit("art ~ kid5", DATA.assign(w=2.0), weights="w", weights_type="importance")
    half = gc.fit("art ~ kid5", DATA[:400])
    for pair, kinds in (
        ((fits["negbin"], "zip"), {"vuong_test"}),
        ((quasi, fits["negbin"]), {"no_likelihood"}),
        ((fits["negbin"], sampled), {"weighted_vuong"}),
        ((fits["negbin"], half), {"different_rows"}),
    ):
        with pytest.raises(gc.errors.GlmcountError) as caught:
            gc.vuong_test(*pair)
        assert caught.value.kind in kinds
    with pytest.raises(gc.errors.UsageError) as caught:
        gc.vuong_test(fits["negbin"], fits["zip"], correction="hqc")
    assert caught.value.kind == "vuong_correction"


FAMILIES = ("negbin", "negbin1", "genpoisson", "compoisson", "pig", "geometric", "poisson")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("part", [{}, {"inflate": "1"}, {"hurdle": "ment"}])
def test_every_family_gives_a_number_or_a_named_refusal(family, part):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = gc.fit("art ~ kid5", DATA, family=family, **part)
    first = gc.fit("art ~ ment", DATA)
    try:
        found = gc.vuong_test(first, other)
    except gc.errors.GlmcountError as error:
        assert error.kind in ("indistinguishable", "nested_models")
        return
    assert np.isfinite([found.statistic, found.pvalue]).all()
    assert np.sign(found.statistic) == np.sign(first.llf - other.llf)
