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


def test_a_group_that_is_missing_in_a_row_of_the_fit(data):
    data.loc[6, "g"] = None
    assert np.isfinite(data.x[6])
    told = r"'g', which is missing in 1 row .* 6\. r\.refit\(cov=\{'cluster': 'g'\}\)"
    result = gc.fit("y ~ x", data)
    for call in (
        lambda: result.with_cov(clustered("g", "CR0")),
        lambda: result.with_cov(gc.jackknife("g")),
        lambda: result.with_cov(gc.bootstrap(99, "cluster", groups="g")),
        lambda: result.score_bootstrap("x = 0", "g"),
    ):
        with pytest.raises(gc.errors.DataError, match=told) as caught:
            call()
        assert caught.value.kind == "missing_role"
    again = result.refit(cov=clustered("g", "CR0"))
    assert again.nobs == result.nobs - 1


MISSING = {
    "text": lambda codes, lost: pd.Series(codes).map(str).where(~lost, None),
    "floats": lambda codes, lost: pd.Series(codes, dtype=float).where(~lost, np.nan),
    "whole": lambda codes, lost: pd.Series(codes, dtype="Int64").where(~lost, pd.NA),
    "strings": lambda codes, lost: pd.Series(codes).map(str).astype("string").where(~lost, pd.NA),
    "categories": lambda codes, lost: pd.Series(codes).where(~lost, None).astype("category"),
    "dates": lambda codes, lost: pd.Series(
        pd.Timestamp("2026-01-01") + pd.to_timedelta(codes, unit="D")
    ).where(~lost, pd.NaT),
}


def panel_with_holes(make, n=400):
    rng = np.random.default_rng(21)
    frame = pd.DataFrame({"x": rng.normal(size=n), "u": np.arange(n) % 80})
    frame["y"] = rng.poisson(np.exp(0.5 + 0.4 * frame.x) * rng.gamma(1.0, 1.0, n))
    lost = np.isin(np.arange(n), [2, 3, 11, 380])
    frame["g"] = make(np.arange(n) % 57, lost).array
    frame.loc[[3, 40], "x"] = np.nan
    return frame


@pytest.mark.parametrize("kind", MISSING)
def test_rows_without_a_cluster_are_left_out_of_a_fit_that_asks_for_it(kind):
    frame = panel_with_holes(MISSING[kind])
    with pytest.warns(gc.errors.MissingRowsWarning, match=r"5 of 400 .*x missing 2, g missing 4"):
        result = gc.fit("y ~ x", frame, cov={"cluster": "g"})
    kept = gc.fit("y ~ x", frame.drop(index=[2, 3, 11, 380]), cov={"cluster": "g"})
    np.testing.assert_allclose(result.params, kept.params, rtol=1e-12)
    np.testing.assert_allclose(result.cov_params(), kept.cov_params(), rtol=1e-10)
    assert result.nobs == kept.nobs == 395
    assert "Rows dropped: x missing 2, g missing 4." in str(result.summary())
    arrays = gc.fit("y ~ x", frame, cov={"cluster": frame.g.array})
    # Groups of an array may be added up in another order.
    np.testing.assert_allclose(arrays.bse, result.bse, rtol=1e-15)
    assert "groups missing 4" in str(arrays.summary())
    with pytest.raises(gc.errors.DataError, match="g missing 4") as caught:
        gc.fit("y ~ x", frame, cov={"cluster": "g"}, missing="raise")
    assert caught.value.kind == "missing_values"


ASKED = {
    "two": gc.cluster(["g", "u"]),
    "cr2": gc.cluster("g", "CR2", df="satterthwaite"),
    "panels": gc.hac("t", "g", lags=1),
    "times": gc.driscoll_kraay("t", lags=2),
    "one series": gc.hac("day", lags=2),
    "jackknife": gc.jackknife("g"),
    "bootstrap": gc.bootstrap(20, "cluster", groups="g", rng=1),
}


@pytest.mark.filterwarnings("ignore::glmcount.errors.CovarianceWarning")
@pytest.mark.parametrize("options", [{}, {"family": "negbin"}, {"inflate": "1"}])
@pytest.mark.parametrize("asked", ASKED)
def test_every_covariance_leaves_out_rows_without_its_columns(asked, options):
    frame = panel_with_holes(MISSING["text"])
    n = len(frame)
    frame["t"] = (pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n) // 57, unit="D")).where(
        ~np.isin(np.arange(n), [0, 2]), pd.NaT
    )
    frame["day"] = np.where(np.arange(n) == 7, np.nan, np.arange(n))
    needs = ASKED[asked].needs
    kept = frame.dropna(subset=[*needs.groups, *needs.order])
    assert len(kept) < n
    result = gc.fit("y ~ x", frame, cov=ASKED[asked], **options)
    other = gc.fit("y ~ x", kept, cov=ASKED[asked], **options)
    np.testing.assert_allclose(result.params, other.params, rtol=1e-8)
    np.testing.assert_allclose(result.bse, other.bse, rtol=1e-7)
    assert result.nobs == other.nobs < gc.fit("y ~ x", frame, **options).nobs


def test_rows_left_out_for_a_cluster_from_fit_to_fit():
    frame = panel_with_holes(MISSING["floats"]).assign(w=np.arange(400) % 4)
    result = gc.fit("y ~ x", frame, cov={"cluster": "g"}, weights="w")
    np.testing.assert_array_equal(result.refit().bse, result.bse)
    more = result.refit(cov="HC1")
    assert more.nobs == gc.fit("y ~ x", frame, weights="w").nobs > result.nobs
    again = result.refit(y=2 * frame.y.to_numpy())
    assert again.nobs == result.nobs
    back = pickle.loads(pickle.dumps(result))  # noqa: S301
    np.testing.assert_array_equal(back.with_data(frame).fittedvalues, result.fittedvalues)
    np.testing.assert_array_equal(back.with_data(frame).refit().bse, result.bse)
    shorter = gc.fit(
        "y ~ x", frame.dropna(), weights=(np.arange(400) % 4)[frame.notna().all(axis=1)]
    )
    np.testing.assert_allclose(
        result.with_cov("nonrobust").score_test("u").statistic, shorter.score_test("u").statistic
    )
    assert result.augment(frame)[".fitted"].isna().sum() == 400 - len(result.fittedvalues)
    with pytest.raises(gc.errors.DataChangedError):
        back.with_data(frame.assign(g=frame.g.fillna(1.0)))


def test_partitions_without_a_value_of_the_cluster():
    frame = panel_with_holes(MISSING["text"])
    frame.loc[100:119, "g"] = None
    whole = gc.fit("y ~ x", frame, cov={"cluster": "g"})
    cut = gc.sources.open_source(frame)
    cut = type(cut)(cut.names, cut.n_rows, cut.index, cut.read, 20)
    parts = gc.fit("y ~ x", cut, cov={"cluster": "g"})
    np.testing.assert_allclose(parts.bse, whole.bse, rtol=1e-9)
    assert parts.nobs == whole.nobs == 375
    with pytest.raises(gc.errors.DataError, match=r"No row is left of 400: .*g missing 400"):
        gc.fit("y ~ x", frame.assign(g=None), cov={"cluster": "g"})


def test_arrays_of_clusters_in_another_process():
    frame = panel_with_holes(MISSING["floats"])
    groups = frame.u.to_numpy()
    result = gc.fit("y ~ x", frame, cov=gc.cluster(groups))
    back = pickle.loads(pickle.dumps(result)).with_data(frame)  # noqa: S301
    np.testing.assert_array_equal(back.bse, result.bse)
    np.testing.assert_array_equal(back.with_cov(gc.cluster(groups)).bse, result.bse)
    with pytest.raises(gc.errors.NoRowsError, match="was given an array"):
        back.refit(family="negbin")
    holes = gc.fit("y ~ x", frame, cov=gc.cluster(frame.g.to_numpy()))
    assert holes.refit(family="negbin").nobs == holes.nobs
    with pytest.raises(gc.errors.NoRowsError, match="was given groups as an array"):
        pickle.loads(pickle.dumps(holes)).with_data(frame)  # noqa: S301
    X = np.column_stack([np.ones(400), frame.x])
    arrays = gc.fit_arrays(frame.y, X, cov=gc.cluster(frame.g.to_numpy()))
    np.testing.assert_allclose(arrays.bse, holes.bse, rtol=1e-12)


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
    other = gc.fit("y ~ x", held, compress=False).with_cov(clustered("g", "CR0")).bse
    held["g"][3] = 2
    with pytest.raises(gc.errors.DataChangedError, match="column 'g' has changed"):
        _ = opened.bse
    # Asked for with the fit it was made with it, of the data as they were.
    np.testing.assert_array_equal(result.bse, other)
    with pytest.raises(gc.errors.DataChangedError, match="column 'g' has changed"):
        _ = result.with_cov(clustered("g", "CR1")).bse


def test_strips_agree_on_codes(monkeypatch, data):
    whole = gc.fit("y ~ x", data, cov=clustered("g", "CR1"))
    cut = gc.sources.open_source(data)
    cut = type(cut)(cut.names, cut.n_rows, cut.index, cut.read, 37)
    result = gc.fit("y ~ x", cut, cov=clustered("g", "CR1"))
    np.testing.assert_allclose(result.bse, whole.bse, rtol=1e-9)


@pytest.mark.parametrize("kind", ["i1", "i2", "i8", "u1", "u4", "u8", "f8", "bool", "M8[D]", "O"])
@pytest.mark.parametrize("low", [0, 100])
def test_clusters_of_every_type_are_the_same_groups(data, kind, low):
    """Whole numbers go by a table, others by their values: codes of 32 bits, in any order."""
    groups = np.random.default_rng(3).integers(2 if kind == "bool" else 20, size=len(data))
    wanted = gc.fit("y ~ x", data.assign(own=groups.astype(str)), cov=clustered("own", "CR1")).bse
    given = (groups + low * (kind != "bool")).astype(kind)
    result = gc.fit("y ~ x", data.assign(own=given), cov=clustered("own", "CR1"))
    np.testing.assert_allclose(result.bse, wanted, rtol=1e-12)
    codes = result._state.rows.strip(0).roles[0]
    assert codes.dtype == np.int32 and sorted(set(codes.tolist())) == list(range(codes.max() + 1))


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
    assert part.order[0].dtype.kind == "M" and (np.diff(part.order[0]).astype(int) < 0).all()
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


@pytest.mark.parametrize(
    "cov", [{"cluster": "u"}, gc.driscoll_kraay("u"), gc.cluster(np.arange(400) % 80)]
)
def test_new_rows_need_no_column_of_the_covariance(cov):
    frame = panel_with_holes(MISSING["floats"])
    result = gc.fit("y ~ x", frame, cov=cov)
    plain = gc.fit("y ~ x", frame)
    new = {"x": [0.0, 1.0]}
    for each in (result, pickle.loads(pickle.dumps(result))):  # noqa: S301
        np.testing.assert_array_equal(each.predict(new), plain.predict(new))
        assert each.get_prediction(new).se.gt(0.0).all()
        assert each.slopes("x", newdata=new).std_error.gt(0.0).all()
    strata = {"weight": [1.0, 3.0], "z": [0.0, 1.0]}
    frame["z"] = frame.u % 2
    rates = gc.fit("y ~ x + z", frame, cov=cov).standardised_rate(strata, by="x", groups=[0, 1])
    assert rates.std_error.gt(0.0).all()
