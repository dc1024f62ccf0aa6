"""Columns beside the weights: coded, aligned with the rows used, guarded like all others."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc
from glmcount.inference.covariance import Estimator
from glmcount.inference.setting import Needs
from tests.made import sums_by_group
from tests.test_one_file import clustered

pytestmark = pytest.mark.filterwarnings("ignore::glmcount.errors.MissingRowsWarning")


@pytest.fixture
def data():
    rng = np.random.default_rng(11)
    n = 300
    frame = pd.DataFrame({"x": rng.normal(size=n), "g": rng.choice(["u", "v", "w", "z"], n)})
    mean = np.exp(0.5 + 0.4 * frame.x)
    frame["y"] = rng.negative_binomial(1.2, 1.2 / (1.2 + mean)) * (rng.random(n) > 0.2)
    frame.loc[5:250:7, "x"] = np.nan
    # Missing where the row is not used anyhow.
    frame.loc[5, "g"] = None
    frame["k"] = frame.g.map({"u": 2**60 + 1, "v": 2**60, "w": -3, "z": 0}).astype("Int64")
    return frame


def row_likelihood(kind, data, p):
    mean = np.exp(p[0] + p[1] * data.x)
    if kind == "poisson":
        return stats.poisson.logpmf(data.y, mean)
    if kind == "negbin":
        size = 1.0 / np.exp(p[2])
        return stats.nbinom.logpmf(data.y, size, size / (size + mean))
    share = 1.0 / (1.0 + np.exp(-p[2]))
    return np.log(share * (data.y == 0) + (1.0 - share) * stats.poisson.pmf(data.y, mean))


def by_hand(kind, result, data, groups):
    """Square roots of the diagonal of H^-1 (sum s_g s_g') H^-1, all by differences."""
    used = data[data.x.notna()]
    at = np.asarray(result.params).copy()
    slope = np.ones(len(at))
    if kind == "negbin":
        slope[2], at[2] = at[2], np.log(at[2])
    steps = 1e-4 * np.eye(len(at))

    def scores(p):
        a, b = (
            np.stack(
                [
                    row_likelihood(kind, used, p + k * s) - row_likelihood(kind, used, p - k * s)
                    for s in steps
                ],
                axis=1,
            )
            for k in (1.0, 2.0)
        )
        return (8.0 * a - b) / 12e-4

    hessian = np.stack([(scores(at + s) - scores(at - s)).sum(axis=0) / 2e-4 for s in steps])
    table = pd.DataFrame(scores(at)).groupby(used[groups].to_numpy()).sum().to_numpy()
    half = table @ np.linalg.inv(hessian)
    return slope * np.sqrt((half**2).sum(axis=0))


MODELS = {"poisson": {}, "negbin": {"family": "negbin"}, "zip": {"inflate": "1"}}


@pytest.mark.parametrize("groups", ["g", "k"])
@pytest.mark.parametrize("kind", MODELS)
def test_clusters_by_hand_with_rows_left_out(data, kind, groups):
    result = gc.fit("y ~ x", data, cov=clustered(groups, "CR0"), **MODELS[kind])
    np.testing.assert_allclose(result.bse, by_hand(kind, result, data, groups), rtol=3e-6)
    several = gc.fit("y ~ x", data, compress=True, **MODELS[kind])
    np.testing.assert_allclose(several.with_cov(clustered(groups, "CR0")).bse, result.bse)
    again = result.refit(y=2.0 * data.y.to_numpy())
    frame = data.assign(y=2.0 * data.y)
    other = gc.fit("y ~ x", frame, cov=clustered(groups, "CR0"), **MODELS[kind])
    np.testing.assert_allclose(again.bse, other.bse, rtol=1e-7)


def test_a_group_that_is_missing_in_a_used_row(data):
    data.loc[6, "g"] = None
    assert np.isfinite(data.x[6])
    for fit in (
        lambda: gc.fit("y ~ x", data, cov=clustered("g", "CR0")),
        lambda: gc.fit("y ~ x", data).with_cov(clustered("g", "CR0")),
    ):
        with pytest.raises(
            gc.errors.DataError, match=r"'g', which is missing in 1 row .* 6\. Give"
        ):
            fit()


def test_an_unknown_column(data):
    for fit in (
        lambda: gc.fit("y ~ x", data, weights=np.ones(len(data)), cov=clustered("gg", "CR0")),
        lambda: gc.fit("y ~ x", data).with_cov(clustered("gg", "CR0")),
    ):
        with pytest.raises(gc.errors.UnknownColumnError, match="one of the columns: x, g, y, k"):
            fit()


@pytest.mark.parametrize("rows", [300, 70_000])
def test_a_group_that_is_changed_later(rows):
    x = np.linspace(-1.0, 1.0, rows)
    held = {"x": x, "y": np.arange(rows) % 3, "g": np.arange(rows) % 7}
    result = gc.fit("y ~ x", held, cov=clustered("g", "CR0"), compress=False)
    opened = gc.fit("y ~ x", held, compress=False).with_cov(clustered("g", "CR0"))
    held["g"][3] = 2
    for each in (result, opened):
        with pytest.raises(gc.errors.DataChangedError, match="column 'g' has changed"):
            _ = each.bse


def test_strips_agree_on_codes(monkeypatch, data):
    whole = gc.fit("y ~ x", data, cov=clustered("g", "CR1"))
    cut = gc.sources.open_source(data)
    cut = type(cut)(cut.names, cut.n_rows, cut.index, cut.read, 37)
    result = gc.fit("y ~ x", cut, cov=clustered("g", "CR1"))
    np.testing.assert_allclose(result.bse, whole.bse, rtol=1e-9)


def test_times_and_leverages(data):
    seen = []

    def compute(setting, bread):
        setting.fold(lambda part: seen.append(part), lambda a, b: None)
        return bread

    data["t"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(300)[::-1], unit="h")
    result = gc.fit("y ~ x", data, cov=Estimator("t", "t", compute, Needs(order=("t",))))
    assert np.isfinite(result.bse).all()
    (part,) = seen
    assert part.scores is None and part.leverages is None and part.groups == ()
    assert part.order[0].dtype == "M8[ns]" and (np.diff(part.order[0]).astype(int) < 0).all()
    need = Needs(leverages=True, order=("k",))
    assert np.isfinite(result.with_cov(Estimator("t", "t", compute, need)).bse).all()
    assert seen[1].leverages.sum() == pytest.approx(2.0)
    with pytest.raises(gc.errors.DataError, match="numbers or dates"):
        result.with_cov(Estimator("t", "t", compute, Needs(order=("g",))))


def test_a_covariance_still_needs_its_columns_in_another_process(data):
    named = Estimator("g", "by g", sums_by_group, Needs(scores=True, groups=("g",)))
    result = gc.fit("y ~ x", data, cov=named)
    again = pickle.loads(pickle.dumps(result)).with_data(data)  # noqa: S301
    np.testing.assert_array_equal(again.bse, result.bse)
    np.testing.assert_array_equal(again.refit(family="poisson").bse, result.bse)
