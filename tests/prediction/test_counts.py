"""Intervals of new counts: against mixtures by brute force, and what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc
from glmcount.prediction import counts


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"x": rng.normal(size=150), "t": rng.uniform(0.5, 3.0, 150)})
    rate = frame.t * np.exp(0.8 + 0.4 * frame.x)
    frame["y"] = rng.poisson(rate * rng.gamma(2.0, 0.5, 150)) * (rng.random(150) > 0.2)
    return frame


def by_brute_force(shares, level):
    """Ends and coverage from P(Y = k), one row a draw, by counting up."""
    total = shares.mean(axis=0).cumsum()
    low = int(np.argmax(total >= (1 - level) / 2))
    high = int(np.argmax(total >= (1 + level) / 2))
    return low, high, total[high] - (total[low - 1] if low else 0.0)


def test_a_poisson_interval_is_a_quantile_of_the_mixture():
    result = gc.fit("y ~ 1", {"y": [1, 3, 2, 6, 0, 4, 2, 3]})
    found = result.get_prediction().count_interval(0.9, draws=20_000, rng=1).iloc[0]
    # Many other draws: normal in log mu, with variance 1 / sum(y).
    rng = np.random.default_rng(5)
    means = np.exp(np.log(21 / 8) + rng.normal(size=200_000) / np.sqrt(21))
    low, high, coverage = by_brute_force(stats.poisson.pmf(np.arange(60), means[:, None]), 0.9)
    assert (found.lower, found.upper) == (low, high)
    assert found.coverage == pytest.approx(coverage, abs=5e-4)


def test_a_zero_inflated_interval_is_a_quantile_of_the_mixture(data):
    result = gc.fit("y ~ x", data, inflate="x", exposure="t")
    row = data.iloc[[7]]
    found = result.get_prediction(row).count_interval(0.8, draws=20_000).iloc[0]
    rng = np.random.default_rng(6)
    b = rng.multivariate_normal(result.params, result.cov_params(), size=100_000)
    x, t = row.x.iloc[0], row.t.iloc[0]
    mean = t * np.exp(b[:, :2] @ [1.0, x])
    zero = 1.0 / (1.0 + np.exp(-(b[:, 2:] @ [1.0, x])))
    shares = (1 - zero)[:, None] * stats.poisson.pmf(np.arange(80), mean[:, None])
    shares[:, 0] += zero
    low, high, coverage = by_brute_force(shares, 0.8)
    assert (found.lower, found.upper) == (low, high)
    assert found.coverage == pytest.approx(coverage, abs=1e-3)


FAMILIES = ["poisson", "geometric", "negbin", "negbin1", "genpoisson2", "pig"]
PARTS = [{}, {"inflate": "1"}, {"hurdle": "x"}]


@pytest.mark.parametrize("part", PARTS, ids=["plain", "inflate", "hurdle"])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
def test_both_ways_to_the_ends_agree(data, family, part, monkeypatch):
    result = gc.fit("y ~ x", data, family=family, exposure="t", **part)
    prediction = result.get_prediction(data.head(8))
    added = prediction.count_interval(draws=40)
    monkeypatch.setattr(counts, "FEW", 0.0)
    searched = prediction.count_interval(draws=40)
    np.testing.assert_array_equal(added[["lower", "upper"]], searched[["lower", "upper"]])
    np.testing.assert_allclose(added.coverage, searched.coverage, rtol=1e-9)
    assert (added.coverage >= 0.95 - 1e-9).all()


@pytest.mark.parametrize("size", [1e6, 1e12])
def test_large_counts(data, size):
    rng = np.random.default_rng(2)
    frame = data.assign(y=rng.poisson(size * np.exp(0.1 * data.x)))
    result = gc.fit("y ~ x", frame)
    found = result.get_prediction(frame.head(3)).count_interval()
    mean = result.fittedvalues.head(3)
    # Normal, of the count's variance and the mean's.
    error = result.get_prediction(frame.head(3)).se
    width = 2 * stats.norm.ppf(0.975) * np.sqrt(mean + error**2)
    np.testing.assert_allclose(found.upper - found.lower, width, rtol=2e-3)
    np.testing.assert_allclose(found.coverage, 0.95, atol=1e-3)


@pytest.mark.parametrize(("options", "most"), [({}, 10), ({"family": "negbin"}, 10)])
def test_large_counts_are_asked_for_their_law_few_times(data, options, most, monkeypatch):
    rng = np.random.default_rng(2)
    mean = 1e6 * np.exp(0.1 * data.x) * (rng.gamma(4.0, 0.25, 150) if options else 1.0)
    frame = data.assign(y=rng.poisson(mean))
    prediction = gc.fit("y ~ x", frame, **options).get_prediction(frame.head(6))
    asked, tails = [], counts.tails

    def counted(family, y, etas):
        asked.append(y.shape[1])
        return tails(family, y, etas)

    monkeypatch.setattr(counts, "tails", counted)
    found = prediction.count_interval(draws=40)
    assert np.isfinite(found).all(axis=None)
    # For both ends and what lies beyond them: halving alone takes forty.
    assert sum(asked) <= most * 6 * 40


def test_draws_are_the_same_each_time_unless_asked(data):
    prediction = gc.fit("y ~ x", data, family="negbin").get_prediction(data.head(5))
    pd.testing.assert_frame_equal(prediction.count_interval(), prediction.count_interval())
    other = prediction.count_interval(rng=3)
    assert not other.coverage.equals(prediction.count_interval().coverage)
    assert list(other.columns) == ["lower", "upper", "coverage"]
    wider = prediction.count_interval(0.99)
    assert (wider.upper >= prediction.count_interval().upper).all()


def test_a_count_at_another_exposure(data):
    result = gc.fit("y ~ x", data, exposure="t")
    own = result.get_prediction({"x": 0.3}, exposure=4.0).count_interval()
    column = result.get_prediction({"x": 0.3, "t": 4.0}).count_interval()
    np.testing.assert_array_equal(own, column)
    once = result.get_prediction({"x": 0.3}, which="rate").count_interval()
    assert once.upper[0] < own.upper[0]


def test_a_level_that_is_an_alpha_is_told(data):
    prediction = gc.fit("y ~ x", data).get_prediction(data.head(2))
    with pytest.warns(gc.errors.IntervalWarning, match=r"5 %. For 95 % write level=0.95") as told:
        low = prediction.count_interval(0.05)
    assert told[0].message.kind == "unusual_level"
    assert (low.upper <= prediction.count_interval(0.5).upper).all()


def test_what_has_no_law_is_refused(data):
    quasi = gc.fit("y ~ x", data, family="quasipoisson")
    with pytest.raises(gc.errors.NotDefinedError, match="distribution"):
        quasi.get_prediction().count_interval()
    prediction = gc.fit("y ~ x", data).get_prediction(data.head(2))
    with pytest.raises(gc.errors.UsageError):
        prediction.count_interval(95)
    with pytest.raises(gc.errors.NoRowsError):
        pickle.loads(pickle.dumps(prediction)).count_interval()  # noqa: S301


def test_limits_and_unknown_rows_are_nan():
    frame = pd.DataFrame({"y": [1, 2, 3, 0, 0], "d": [0, 0, 0, 1, 1]})
    with pytest.warns(gc.errors.GlmcountWarning):
        result = gc.fit("y ~ d", frame)
    with pytest.warns(gc.errors.PredictionWarning, match="limit"):
        found = result.get_prediction().count_interval()
    assert found.upper.isna().tolist() == [False] * 3 + [True] * 2
