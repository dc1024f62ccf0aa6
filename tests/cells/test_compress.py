"""When rows are grouped, and that nothing is lost where numbers are hard."""

from __future__ import annotations

import math
import re
import warnings

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.cells import compress
from glmcount.cells import group as cells
from glmcount.cells import key as keys
from tests.laws.test_cells import agree, both, repeated_data


def few_cells(n, seed=0):
    rng = np.random.default_rng(seed)
    g = rng.integers(0, 6, n)
    return pd.DataFrame({"y": rng.poisson(np.exp(0.2 * g)), "g": pd.Categorical(g), "k": g % 3})


def test_small_data_are_never_looked_at():
    assert gc.fit("y ~ g", few_cells(compress.LEAST - 1)).n_cells is None


def test_large_data_of_few_cells_are_grouped():
    data = few_cells(compress.LEAST)
    assert gc.fit("y ~ g", data).n_cells == 6
    assert gc.fit("y ~ g", data, compress=False).n_cells is None
    negbin = gc.fit("y ~ g", data, family=gc.families.negbin(0.5))
    assert negbin.n_cells == 6


@pytest.mark.parametrize("column", ["x", "r"])
def test_columns_of_many_values_are_not_grouped(column):
    data = few_cells(compress.LEAST)
    rng = np.random.default_rng(1)
    data["x"] = rng.normal(size=len(data))
    # Whole numbers, each of which comes twice.
    data["r"] = rng.permutation(np.arange(len(data)) // 2)
    assert gc.fit(f"y ~ {column} + g", data).n_cells is None
    many = gc.fit(f"y ~ {column} + g", data, compress=True)
    assert len(data) / 3 < many.n_cells <= len(data)


def test_the_sample_tells_how_many_values_there_are():
    """Within a factor of 1.5, from some five roots of n rows, wherever the answer matters."""
    n, rng = 2**20, np.random.default_rng(2)
    for count in (100, 5_000, 60_000):
        data = pd.DataFrame({"x": rng.integers(0, count, n) / 7, "y": 1})
        held = rows_of("y ~ x", data)
        sample = list(compress._sample(held, n))
        assert sum(len(rows) for _, rows in sample) == pytest.approx(5 * math.sqrt(n), rel=0.01)
        key = keys.Key((keys.Field(lambda strip: strip.blocks[0].rows[1]),))
        assert count / 1.5 < compress._estimated(key, sample) < 1.5 * count


def rows_of(formula, data):
    return gc.fit(formula, data, compress=False)._state.rows


def test_a_column_that_is_not_whole_after_all(monkeypatch):
    """Whole in the rows that were looked at, and in its ends."""
    data = pd.DataFrame({"y": [1, 2, 3, 4], "x": [0.0, 1.0, 0.5, 0.0]})
    monkeypatch.setattr(compress, "_whole", lambda each, sample: True)
    state = rows_of("y ~ x", data), gc.fit("y ~ x", data)._state
    every = keys.fields_of(state[0], state[1].fit.layout, state[1].measured, False, False)
    assert [each.levels for each in every] == [2]
    with pytest.raises(keys.Unsuited):
        cells.group(state[0], keys.Key(every), lambda s: ((None,), 0.0), len(data))
    rows, found = both(data, "y ~ x", exposure=None)
    assert found.n_cells == 3
    assert found.params["x"] == pytest.approx(rows.params["x"], abs=1e-12)


def test_too_many_cells_are_given_up_under_way():
    """Sorted data look as if they had few cells, since a sample sees few of them."""
    n = compress.LEAST
    data = pd.DataFrame({"x": np.arange(n) // 2 / 7, "y": np.arange(n) % 3})
    seen = []

    class Watched(cells.Crowded):
        def __init__(self):
            seen.append(True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compress, "SHARE", 1 / 400)
        patch.setattr(cells, "Crowded", Watched)
        patch.setattr(compress, "_estimated", lambda key, sample: 1.0)
        assert gc.fit("y ~ x", data).n_cells is None
    assert seen == [True]


def test_options_are_checked():
    with pytest.raises(gc.errors.UsageError, match="compress='always' is not among"):
        gc.fit("y ~ g", few_cells(10), compress="always")
    with pytest.raises(gc.errors.UsageError, match="compress"):
        gc.fit_arrays([1, 2], [[1], [1]], compress=3)


def test_another_fit_keeps_the_choice():
    first = gc.fit("y ~ g", few_cells(300), compress=True)
    assert first.n_cells == 6
    assert first.refit(formula="y ~ k").n_cells == 3
    assert first.refit(compress=False).n_cells is None
    assert first.with_cov("HC0").n_cells == 6


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("kind", ["frequency", "importance"])
@pytest.mark.parametrize("exposure", [None, "t"])
def test_robust_errors_of_large_counts(weights, kind, exposure):
    """Counts near 6e7 that vary far less than their root."""
    rng = np.random.default_rng(3)
    n = 6_000
    g, t, w = rng.integers(0, 3, n), rng.choice([1.0, 2.0, 4.0], n), rng.uniform(0.5, 2.0, n)
    mean = np.rint(np.exp(18 + 0.3 * g)) * (1.0 if exposure is None else t)
    data = pd.DataFrame({"g": pd.Categorical(g), "t": t, "w": w})
    data["y"] = mean + rng.integers(-3, 4, n)
    rows, cells = both(
        data, "y ~ g", weights=weights, weights_type=kind, exposure=exposure, cov="HC0"
    )
    assert cells.n_cells == 3
    # The logarithm of an exposure is rounded, and with it a mean of 6e7 by 1e-8 counts; so is
    # a predictor of 18, which shows where the squared weights' residuals do not add up to 0.
    exact = exposure is None and not (weights and kind == "importance")
    tolerance = 1e-10 if exact else 1e-8
    np.testing.assert_allclose(cells.bse, rows.bse, rtol=tolerance)
    expected = exact_errors(data, weights, kind, exposure)
    np.testing.assert_allclose(cells.bse, expected, rtol=max(tolerance, 1e-9))


def exact_errors(data, weights, kind, exposure):
    """HC0 in closed form: the log means of three groups, their variances sums of squares."""
    variances = []
    for _, own in data.groupby("g", observed=True):
        w = np.ones(len(own)) if weights is None else own[weights].to_numpy()
        e = np.ones(len(own)) if exposure is None else own["t"].to_numpy()
        y, long = own["y"].to_numpy(), np.longdouble
        w, e, y = w.astype(long), e.astype(long), y.astype(long)
        mean = (w * y).sum() / (w * e).sum()
        c = w if kind == "frequency" else w * w
        variances.append((c * (y - mean * e) ** 2).sum() / (w * y).sum() ** 2)
    base, *others = map(float, variances)
    return np.sqrt([base, *(base + other for other in others)])


@pytest.mark.parametrize("name", ["poisson", "negbin"])
def test_separation_names_the_rows(name):
    data = repeated_data(4)
    data["y"] = np.where(data["g"] == "c", 0, data["y"])
    rows, cells = both(data, family=name)
    assert rows.separation is not None
    np.testing.assert_array_equal(cells.separation.rows, rows.separation.rows)
    assert cells.separation.rows.shape == (len(data),)
    assert cells.separation.where == rows.separation.where
    assert cells.separation.columns == rows.separation.columns
    assert cells.certificate.separation == rows.certificate.separation
    assert np.isinf(cells.bse["g[T.c]"])
    np.testing.assert_allclose(cells.bse.drop("g[T.c]"), rows.bse.drop("g[T.c]"), rtol=1e-6)


def test_separation_of_a_second_part():
    data = repeated_data(5)
    data["y"] = np.where(data["h"] == "q", data["y"].clip(lower=1), data["y"])
    rows, cells = both(data, hurdle="h")
    assert rows.separation is not None
    np.testing.assert_array_equal(cells.separation.rows, rows.separation.rows)


@pytest.mark.parametrize("options", [{"family": "negbin"}, {"family": "negbin", "inflate": "1"}])
def test_boundaries(options):
    data = repeated_data(6)
    data["y"] = np.random.default_rng(6).binomial(6, 0.4, len(data))
    rows, cells = both(data, exposure=None, **options)
    assert rows.certificate.boundary
    assert cells.certificate.boundary == rows.certificate.boundary
    agree(rows, cells, robust=("HC0", "HC1"))
    # Steps of 1e-16 at the end are rounding, and there may be one more.
    found, expected = (re.sub(r"\d+ pass\w*", "", str(r.summary())) for r in (cells, rows))
    assert found == expected


def test_summaries_agree():
    """Passes aside, of which there may be one more or less."""
    for name in ("poisson", "negbin", "quasipoisson"):
        rows, cells = both(repeated_data(7), family=name)
        told = [str(fit.summary()).splitlines() for fit in (rows, cells)]
        assert len(told[0]) == len(told[1])
        differ = [a for a, b in zip(*told, strict=True) if a != b]
        assert all("passes" in line for line in differ)


def test_certificates_agree():
    rows, cells = (fit.certificate for fit in both(repeated_data(8)))
    assert cells.rank == rows.rank
    assert cells.condition_number == pytest.approx(rows.condition_number, rel=1e-9)
    assert cells.kappa == pytest.approx(rows.kappa, rel=1e-9)
    assert (cells.error_bound is None) == (rows.error_bound is None)


def test_columns_left_out_are_the_same():
    data = repeated_data(9).assign(m=lambda d: 1.0 + 2.0 * d["k"] + d["f"])
    rows, cells = both(data, "y ~ k + f + m + g")
    assert cells.aliased.keys() == rows.aliased.keys() == {"m"}
    for name, value in rows.aliased["m"].items():
        assert cells.aliased["m"][name] == pytest.approx(value, rel=1e-9)


def test_exposures_too_far_apart_are_fitted_as_rows():
    data = few_cells(60)
    data["o"] = np.where(data["g"] == 0, -1000.0, 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        assert gc.fit("y ~ g", data, offset="o", compress=True).n_cells is None


def test_changed_data_are_noticed():
    y, X = np.array([1.0, 2.0, 3.0, 2.0]), np.ones((4, 1))
    result = gc.fit_arrays(y, X, compress=True)
    assert result.n_cells == 1
    result._state.rows.cache.strips.clear()
    y[0] = 9.0
    with pytest.raises(gc.errors.DataChangedError):
        _ = result.resid_response


def test_a_mean_of_counts_has_the_constant_of_the_counts():
    """The y-only part of the log-likelihood is never that of a mean."""
    for name, pmf in (("poisson", poisson_pmf), ("geometric", geometric_pmf)):
        result = gc.fit_arrays([0, 1, 5, 6], np.ones((4, 1)), family=name, compress=True)
        assert result.n_cells == 1
        expected = sum(math.log(pmf(y, 3.0)) for y in (0, 1, 5, 6))
        assert result.llf == pytest.approx(expected, rel=1e-13)


def poisson_pmf(y, mean):
    return math.exp(-mean) * mean**y / math.factorial(y)


def geometric_pmf(y, mean):
    return (mean / (1 + mean)) ** y / (1 + mean)
