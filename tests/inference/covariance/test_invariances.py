"""What must not move a clustered covariance: the coding of a factor, units, centres, copies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy

import glmcount as gc

pytestmark = pytest.mark.filterwarnings("ignore::glmcount.errors.CovarianceWarning")

MODELS = {
    "poisson": {},
    "negbin": {"family": "negbin"},
    "zero-inflated": {"inflate": "1"},
    "hurdle": {"family": "negbin", "hurdle": "x"},
}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(2)
    n, groups = 110, 9
    out = pd.DataFrame({"g": rng.integers(groups, size=n), "c": rng.integers(5, size=n)})
    out["h"] = np.array(list("abc"))[rng.integers(3, size=n)]
    out["x"] = rng.normal(size=n).round(3) + rng.normal(size=groups)[out.g]
    out["w"] = rng.integers(1, 4, size=n)
    mean = np.exp(0.9 + 0.3 * out.x + 0.2 * (out.h == "b")) * rng.gamma(3.0, 1 / 3, groups)[out.g]
    out["y"] = np.where(rng.uniform(size=n) < 0.2, 0, rng.poisson(mean))
    return out


def mended(frame, formula="y ~ x + h", **options):
    return gc.fit(formula, frame, **options).with_cov(gc.cluster(["g", "c"], "CR0", psd=True))


@pytest.mark.parametrize("model", MODELS)
def test_negative_eigenvalues_are_those_relative_to_the_inverse_information(frame, model):
    result = mended(frame, **MODELS[model])
    inverse = result.with_cov("nonrobust").cov_params().to_numpy()
    scores = result.score_obs()

    def by(columns):
        sums = scores.groupby([frame[name] for name in columns]).sum().to_numpy()
        return sums.T @ sums

    filling = by(["g"]) + by(["c"]) - by(["g", "c"])
    values, vectors = scipy.linalg.eigh(inverse @ filling @ inverse, inverse)
    assert values[0] < -0.1
    sides = inverse @ vectors * np.sqrt(np.maximum(values, 0.0))
    wanted = np.sqrt((sides**2).sum(axis=1))
    np.testing.assert_allclose(result.bse.to_numpy(), wanted, rtol=1e-7)


@pytest.mark.parametrize("model", MODELS)
def test_a_mended_covariance_does_not_go_by_coding_units_or_copies(frame, model):
    options = MODELS[model]
    errors = mended(frame, **options).bse
    coded = mended(frame, "y ~ x + C(h, Treatment('c'))", **options).bse
    assert coded["x"] == pytest.approx(errors["x"], rel=1e-7)
    moved = mended(frame.assign(x=1000 * frame.x + 50_000), **options).bse
    assert 1000 * moved["x"] == pytest.approx(errors["x"], rel=1e-7)
    weighted = mended(frame, weights="w", **options).bse
    copies = mended(frame.loc[frame.index.repeat(frame.w)], **options).bse
    np.testing.assert_allclose(weighted, copies, rtol=1e-7)


def test_whose_variance_is_negative_goes_by_the_coefficients_of_the_formula(frame):
    """Refused where a coefficient has a negative variance, warned of where a combination has."""
    outcomes = set()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        data = frame.assign(c=rng.permutation(frame.c), g=rng.permutation(frame.g) % 4)
        result = gc.fit("y ~ x + h", data.assign(x=data.x + 20))
        inverse, scores = result.cov_params().to_numpy(), result.score_obs()
        sums = [scores.groupby([data[n] for n in by]).sum().to_numpy() for by in ("g", "c", "gc")]
        one, other, both = (each.T @ each for each in sums)
        variances = (inverse @ (one + other - both) @ inverse).diagonal()
        outcomes.add(bool((variances < 0).any()))
        found = result.with_cov(gc.cluster(["g", "c"], "CR0"))
        if (variances < 0).any():
            with pytest.raises(gc.errors.CovarianceError, match="a coefficient by itself"):
                _ = found.bse
        else:
            np.testing.assert_allclose(found.bse, np.sqrt(variances), rtol=1e-6)
    assert outcomes == {True, False}


def test_degrees_of_freedom_are_none_where_a_cluster_has_more_than_all_of_the_information():
    data = pd.DataFrame({"y": [0, 9, 0, 1, 8, 0, 1, 0, 0, 1, 30, 2], "x": np.linspace(-2, 2, 12)})
    groups = np.repeat(range(6), 2)
    result = gc.fit("y ~ x", data, family="negbin", link="identity", start=[4.0, 0.5, 1.0])
    with pytest.raises(gc.errors.CovarianceError, match="Satterthwaite's degrees") as caught:
        _ = result.with_cov(gc.cluster(groups, "CR1", df="satterthwaite")).pvalues
    assert caught.value.kind == "cluster_information"
    assert np.isfinite(result.with_cov(gc.cluster(groups, "CR1", df="t")).pvalues["x"])


# Whole numbers of each type, from one end of it to the other.
TYPES = ["int8", "int16", "uint8", "uint16", "uint64", "int64"]


@pytest.mark.parametrize("kind", TYPES)
def test_what_type_numbers_of_clusters_have_does_not_matter(kind):
    rng = np.random.default_rng(1)
    unit = rng.integers(45, size=400)
    data = pd.DataFrame({"x": rng.normal(size=400), "unit": unit, "time": np.arange(400) % 9})
    data["y"] = rng.poisson(np.exp(0.4 * data.x) * rng.gamma(2.0, 0.5, 45)[unit])
    ends = np.iinfo(kind)
    step = (ends.max - ends.min) // 44
    # Steps of one too, at either end: a table is made of numbers that lie near each other.
    for numbers in (
        [ends.min + step * k for k in range(45)],
        [ends.min + k for k in range(45)],
        [ends.max - k for k in range(45)],
    ):
        coded = data.assign(unit=np.array(numbers, dtype=kind)[unit])
        for make in (gc.cluster, lambda by: gc.hac("time", by, lags=2)):
            wanted = gc.fit("y ~ x", data, cov=make("unit")).bse
            np.testing.assert_allclose(gc.fit("y ~ x", coded, cov=make("unit")).bse, wanted, 1e-12)
            by_array = gc.fit("y ~ x", data).with_cov(make(coded.unit.to_numpy()))
            np.testing.assert_allclose(by_array.bse, wanted, 1e-12)


def test_an_array_is_told_of_by_what_it_is_for():
    data = {"y": [1, 3, 2, 6, 4, 5], "x": [0, 1, 0, 1, 0, 1]}
    result = gc.fit("y ~ x", data)
    for values, why in ((np.zeros(6), "have one value in groups. "), (np.ones(6) * 1j, "'groups'")):
        with pytest.raises(gc.errors.GlmcountError, match=why):
            result.with_cov(gc.cluster(values))
    with pytest.raises(gc.errors.UsageError, match="Values, one a row, go as an array"):
        gc.cluster(list("aabbccdd"))
