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
FLOATS = ["float16", "float32", "float64", "longdouble"]


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


@pytest.mark.parametrize("kind", FLOATS)
def test_clusters_may_be_doubles_of_any_precision(kind):
    data = {"y": [1, 3, 2, 6, 4, 5], "x": [0, 1, 0, 1, 0, 1], "g": [-2, -2, 0, 0, 3, 3]}
    wanted = gc.fit("y ~ x", data, cov={"cluster": "g"}).bse
    coded = {**data, "g": np.array(data["g"], dtype=kind) / 2}
    np.testing.assert_allclose(gc.fit("y ~ x", coded, cov={"cluster": "g"}).bse, wanted, 1e-12)
    assert len(gc.fit("y ~ C(g)", coded).params) == 3


def test_numbers_of_64_bits_without_a_sign_are_told_apart_over_many_rows():
    """Some strips have numbers that 64 bits with a sign hold, others have not."""
    rng = np.random.default_rng(3)
    unit = np.sort(rng.integers(40, size=70_000))
    data = pd.DataFrame({"y": rng.poisson(2.0, 70_000), "x": rng.normal(size=70_000), "unit": unit})
    wanted = gc.fit("y ~ x", data, cov={"cluster": "unit"})
    numbers = np.arange(40, dtype=np.uint64) + np.uint64(2**63 - 20)
    found = gc.fit("y ~ x", data.assign(unit=numbers[unit]), cov={"cluster": "unit"})
    np.testing.assert_allclose(found.bse, wanted.bse, rtol=1e-9)
    # As doubles they are fewer, which is told and not taken.
    with pytest.raises(gc.errors.DataError, match="which groups rows by 'unit'") as caught:
        gc.fit("y ~ x", data.assign(unit=numbers[unit].astype(float)), cov={"cluster": "unit"})
    assert caught.value.kind == "beyond_double"


def test_an_array_is_told_of_by_what_it_is_for():
    data = {"y": [1, 3, 2, 6, 4, 5], "x": [0, 1, 0, 1, 0, 1]}
    result = gc.fit("y ~ x", data)
    for values, why in ((np.zeros(6), "have one value in groups. "), (np.ones(6) * 1j, "'groups'")):
        with pytest.raises(gc.errors.GlmcountError, match=why):
            result.with_cov(gc.cluster(values))
    with pytest.raises(gc.errors.UsageError, match="Values, one a row, go as an array"):
        gc.cluster(list("aabbccdd"))


def series_of(rng, n=90):
    wave = np.convolve(rng.normal(size=n + 4), np.ones(5) / 3, "valid")
    x = rng.normal(size=n) + 0.5 * wave
    return pd.DataFrame({"x": x, "y": rng.poisson(np.exp(0.8 + 0.3 * x + 0.6 * wave))})


# The same ninety times, in other words; without every tenth of them.
CLOCKS = {
    "doubles": np.arange(90.0),
    "tenths": np.arange(90) * 0.1 + 1000.7,
    "int8": np.arange(-60, 30).astype("int8"),
    "months": pd.date_range("1960-01-31", periods=90, freq="ME"),
    "days of 1400": np.arange("1400-01-01", "1400-04-01", dtype="M8[D]").astype("M8[s]"),
    "years from 1400": np.arange("1400", "1490", dtype="M8[Y]").astype("M8[s]"),
    "hours of 1500": np.arange("1500-01-01T00", "1500-01-04T18", dtype="M8[h]").astype("M8[ms]"),
    "days in summer time": pd.date_range("2020-03-01", periods=90, tz="Europe/Berlin"),
}


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("options", [{}, {"lags": 4}, {"kernel": "qs", "bandwidth": "newey-west"}])
def test_how_times_are_written_does_not_matter(clock, options):
    data = series_of(np.random.default_rng(4)).assign(t=np.arange(90), other=CLOCKS[clock])
    data = data[data.t % 10 != 3].sample(frac=1, random_state=1)
    wanted = gc.fit("y ~ x", data, cov=gc.hac("t", **options)).bse
    found = gc.fit("y ~ x", data, cov=gc.hac("other", **options)).bse
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_whole_numbers_may_be_doubles_whatever_their_smallest_difference():
    data = series_of(np.random.default_rng(4)).assign(t=np.cumsum(np.resize([2, 3], 90)))
    wanted = gc.fit("y ~ x", data, cov=gc.hac("t", lags=6)).bse
    found = gc.fit("y ~ x", data.astype({"t": float}), cov=gc.hac("t", lags=6)).bse
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_the_rule_of_newey_and_west_goes_by_differences_of_times():
    """Its sums are those of values that lie so many units apart, by all pairs."""
    data = series_of(np.random.default_rng(6)).assign(t=np.arange(90))
    data = data[~data.t.between(30, 50)]
    result = gc.fit("y ~ x", data)
    total = result.score_obs()["x"].to_numpy()
    apart = np.subtract.outer(data.t.to_numpy(), data.t.to_numpy())
    lags = int(4 * (len(data) / 100) ** (2 / 9))
    sums = [total @ (apart == lag) @ total / len(data) for lag in range(lags + 1)]
    slope = 2 * sum(lag * sums[lag] for lag in range(1, lags + 1))
    level = sums[0] + 2 * sum(sums[1:])
    bandwidth = 1.1447 * ((slope / level) ** 2 * len(data)) ** (1 / 3)
    note = str(result.with_cov(gc.hac("t", bandwidth="newey-west")).summary())
    assert f"bandwidth {bandwidth:.6g} by the rule of Newey" in " ".join(note.split())


def test_times_that_are_none_are_told_of():
    data = series_of(np.random.default_rng(4)).assign(t=np.arange(90.0), unit=np.arange(90))
    result = gc.fit("y ~ x", data.assign(t=data.t.replace(5.0, np.inf)))
    with pytest.raises(gc.errors.CovarianceError, match="t orders the rows, and holds infinite"):
        _ = result.with_cov(gc.hac("t", lags=2)).bse
    with pytest.raises(gc.errors.DataError, match="'time' orders the rows, and holds levels"):
        _ = result.with_cov(gc.hac(np.array(list("ab") * 45), lags=2)).bse
    alone = gc.fit("y ~ x", data).with_cov(gc.hac("t", "unit", lags=2))
    with pytest.warns(gc.errors.CovarianceWarning, match="no series has two times, so that"):
        _ = alone.bse
    # A grid of nanoseconds is not made, however far apart the times are.
    far = data.assign(t=np.sort(np.random.default_rng(1).choice(10**15, 90, replace=False)))
    found = gc.fit("y ~ x", far).with_cov(gc.hac("t", kernel="parzen", bandwidth="newey-west"))
    np.testing.assert_allclose(found.bse, found.with_cov("HC0").bse, rtol=1e-12)


def test_panels_given_as_an_array_are_called_that():
    data = series_of(np.random.default_rng(4)).assign(t=np.arange(90) % 30)
    result = gc.fit("y ~ x", data)
    for unit, said in (
        (np.arange(90) // 30, "in 3 panels by an array:"),
        (np.ones(90), "1 panel by"),
    ):
        found = result.with_cov(gc.hac("t", unit, lags=1))
        assert said in " ".join(str(found.summary()).split())


def test_a_column_that_is_called_order_is_not_taken_for_the_order_of_the_rows_unseen():
    data = series_of(np.random.default_rng(4)).assign(t=np.arange(90)[::-1] // 2 * 2 + 1)
    data = data.assign(order=data.t, unit=np.arange(90) % 2)
    result = gc.fit("y ~ x", data)
    with pytest.warns(gc.errors.CovarianceWarning, match="these have a column 'order'") as told:
        _ = result.with_cov(gc.hac("order", lags=2)).bse
    assert told[0].message.kind == "order_column"
    wanted = result.with_cov(gc.hac("t", "unit", lags=2)).bse
    found = result.with_cov(gc.hac(data["order"], "unit", lags=2)).bse
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_columns_of_arrow_are_arrays_too():
    arrow = pytest.importorskip("pyarrow")
    data = {"y": [1, 3, 2, 6, 4, 5], "x": [0, 1, 0, 1, 0, 1], "g": list("aabbcc")}
    result = gc.fit("y ~ x", data)
    wanted = result.with_cov(gc.cluster("g")).bse
    whole = arrow.array(data["g"])
    for groups in (whole, arrow.chunked_array([data["g"][:2], data["g"][2:]])):
        np.testing.assert_allclose(result.with_cov(gc.cluster(groups)).bse, wanted, rtol=1e-12)
    for bad in (arrow.table({"g": data["g"]}), [whole, 3]):
        with pytest.raises(gc.errors.UsageError, match="groups must be"):
            gc.cluster(bad)


def test_arrays_that_were_changed_are_told_of_by_what_they_are_for():
    groups = np.array([0, 0, 1, 1, 2, 2])
    data = {"y": [1, 3, 2, 6, 4, 5], "x": [0, 1, 0, 1, 0, 1]}
    found = gc.fit("y ~ x", data).with_cov(gc.cluster(groups))
    groups[:] = 0
    with pytest.raises(gc.errors.DataChangedError, match="column '<groups>' has changed"):
        _ = found.bse
