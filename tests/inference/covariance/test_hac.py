"""Covariances robust to autocorrelation against sandwich, and against sums over pairs of rows."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.fitting.sums import fold_scores
from glmcount.inference.covariance.kernels import KERNELS as KERNELS_OF
from glmcount.inference.covariance.series import lagged
from tests import golden_files

FOLDER = golden_files.FOLDER / "covariances"
CASES = sorted(path.stem for path in FOLDER.glob("series_*.json"))
KERNELS = ("bartlett", "parzen", "qs")


@pytest.fixture(scope="module", params=CASES)
def case(request):
    record = json.loads((FOLDER / f"{request.param}.json").read_text())
    frame = golden_files.data(record["data"])
    if record["time"] == "month":
        frame["month"] = pd.to_datetime(frame.month)
    number = np.arange(len(frame))
    frame = frame.assign(panel=number % record["panels"], turn=number // record["panels"])
    call = dict(record["call"])
    if isinstance(call["family"], dict):
        call["family"] = gc.families.negbin(alpha=call["family"]["alpha"])
    time = record["time"]
    if time != "order":
        # The order of the rows says nothing.
        frame = frame.sample(frac=1.0, random_state=1)
    return record["values"], gc.fit(record["formula"], frame, **call), time


def close(values, result, cov, key):
    found = result.with_cov(cov).cov_params().loc[values["names"], values["names"]].to_numpy()
    wanted = np.array(key)
    scale = np.sqrt(np.outer(wanted.diagonal(), wanted.diagonal()))
    np.testing.assert_allclose(found / scale, wanted / scale, rtol=0, atol=2e-7)


def test_newey_west(case):
    values, result, time = case
    close(values, result, gc.hac(time), values["newey_west"])
    close(values, result, gc.hac(time, lags=values["newey_west_lag"]), values["newey_west"])
    close(values, result, gc.hac(time, prewhiten=1), values["newey_west_whitened"])
    close(values, result, gc.hac(time, lags=4, adjust=True), values["newey_west_4"])


@pytest.mark.parametrize("kernel", KERNELS)
def test_bandwidths_by_rule(case, kernel):
    values, result, time = case
    for white in (0, 1):
        cov = gc.hac(time, bandwidth="andrews", kernel=kernel, prewhiten=white)
        close(values, result, cov, values["andrews"][f"{kernel}{white}"])
    cov = gc.hac(time, bandwidth="newey-west", kernel=kernel)
    close(values, result, cov, values["rule"][kernel])


def test_panels(case):
    values, result, _ = case
    close(values, result, gc.hac("turn", "panel"), values["panel"])
    close(values, result, gc.hac("turn", "panel", lags=2, adjust=True), values["panel_2"])
    close(values, result, gc.driscoll_kraay("turn"), values["driscoll_kraay"])
    close(values, result, gc.driscoll_kraay("turn", 3, adjust=True), values["driscoll_kraay_3"])


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "firm": np.repeat(np.arange(30), 20),
            "year": np.tile(np.arange(2000, 2020), 30),
            "x": rng.normal(size=600),
            "e": rng.uniform(0.5, 2.0, 600),
            "w": rng.integers(1, 4, 600),
        }
    )
    frame["y"] = rng.poisson(
        frame.e * np.exp(0.4 + 0.3 * frame.x) * rng.gamma(2.0, 0.5, 30)[frame.firm]
    )
    frame.loc[rng.random(600) < 0.25, "y"] = 0
    # Gaps, ties and no order.
    frame = frame[rng.random(600) < 0.85]
    return pd.concat([frame, frame.iloc[:40]]).sample(frac=1.0, random_state=2)


MODELS = {
    "poisson": {},
    "quasi": {"family": "quasipoisson"},
    "negbin": {"family": "negbin", "weights": "w"},
    "zinb": {"family": "negbin", "inflate": "x", "weights": "w", "weights_type": "importance"},
    "hurdle": {"family": "negbin", "hurdle": "x"},
    "censored": {"censored": 5},
}


@pytest.mark.parametrize("model", MODELS)
def test_every_model_by_pairs_of_rows(panel, model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = gc.fit("y ~ x", panel, exposure="e", **MODELS[model])
    scores = scores_of(result)
    firm, year = panel.firm.to_numpy(), panel.year.to_numpy()
    lag = np.abs(year[:, None] - year)
    for cov, weights in (
        (gc.hac("year", "firm", lags=2), np.where(firm[:, None] == firm, 1 - lag / 3.0, 0)),
        (gc.driscoll_kraay("year", lags=2), 1 - lag / 3.0),
        (gc.hac("year", "firm", bandwidth=4.5), np.where(firm[:, None] == firm, 1 - lag / 4.5, 0)),
    ):
        middle = scores.T @ np.maximum(weights, 0.0) @ scores
        bread = result.with_cov("nonrobust")._held.covariance / result.scale
        found = result.with_cov(cov)._held.covariance
        wanted = bread @ middle @ bread
        scale = np.sqrt(np.outer(wanted.diagonal(), wanted.diagonal()))
        np.testing.assert_allclose(found / scale, wanted / scale, atol=1e-9)


def scores_of(result):
    # Tested by themselves: scores of the rows by the user's parameters, as estimated.
    return np.concatenate(
        fold_scores(
            result._state.rows, result._state.fit, lambda rows, own: [own], lambda a, b: a + b
        )
    )


@pytest.mark.filterwarnings("ignore:.*rows of one time are added up")
def test_runs_of_times_and_transforms_give_the_same(panel):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = gc.fit("y ~ x", panel, exposure="e", family="negbin")
        short = gc.fit(
            "y ~ x", panel, exposure="e", family="negbin", control=gc.Control(memory=3_000)
        )
    for cov in (gc.hac("year", "firm", lags=3), gc.hac("year", lags=3), gc.driscoll_kraay("year")):
        np.testing.assert_allclose(short.with_cov(cov).bse, result.with_cov(cov).bse, rtol=1e-12)
    rng = np.random.default_rng(0)
    keys = np.flatnonzero(rng.random(900) < 0.8)
    scores = rng.normal(size=(len(keys), 3))
    weights = KERNELS_OF["qs"].weights(7.0, 899)
    assert len(weights) > 128
    some = np.zeros((900, 900))
    for i in range(900):
        for j in range(900):
            some[i, j] = weights[abs(i - j)] if abs(i - j) < len(weights) else 0.0
    wanted = scores.T @ some[np.ix_(keys, keys)] @ scores
    found = lagged(keys, scores, weights, len(keys))
    np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-9)


def test_times_of_every_make(panel):
    years = panel.year - 1990
    dates = {
        "month": pd.to_datetime("1990-01-15") + years.map(lambda k: pd.DateOffset(months=k)),
        "week": pd.Timestamp("1990-01-01") + pd.to_timedelta(7 * years, unit="D"),
        "number": years.astype(float) * 0.25,
        "step": years * 5,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = panel.assign(**dates)
        result = gc.fit("y ~ x", frame, exposure="e")
    wanted = result.with_cov(gc.hac("year", "firm", lags=2)).bse
    for name in dates:
        found = result.with_cov(gc.hac(name, "firm", lags=2))
        np.testing.assert_allclose(found.bse, wanted, rtol=1e-12)
    arrays = result.with_cov(gc.hac(panel.year.to_numpy(), panel.firm.to_numpy(), lags=2))
    np.testing.assert_array_equal(arrays.bse, wanted)
    assert "20 times of year in 30 panels by firm: Bartlett kernel, lags up to 2" in " ".join(
        str(result.with_cov(gc.hac("year", "firm", lags=2)).summary()).split()
    )


def test_the_order_of_the_data_is_time():
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"x": rng.normal(size=120), "y": rng.poisson(3.0, 120)})
    frame["t"] = np.arange(120)
    frame.loc[[7, 50], "x"] = np.nan
    with pytest.warns(gc.errors.MissingRowsWarning):
        result = gc.fit("y ~ x", frame)
    found = result.with_cov(gc.hac("order", lags=3)).bse
    np.testing.assert_array_equal(found, result.with_cov(gc.hac("t", lags=3)).bse)


@pytest.fixture(scope="module")
def balanced():
    """Thirty units in twenty years, one row each."""
    rng = np.random.default_rng(9)
    frame = pd.DataFrame(
        {"unit": np.repeat(np.arange(30), 20), "year": np.tile(np.arange(2000, 2020), 30)}
    )
    return gc.fit("y ~ x", frame.assign(x=rng.normal(size=600), y=rng.poisson(2.0, 600)))


@pytest.mark.parametrize(
    ("cov", "told"),
    [
        (gc.hac("year"), r"600 rows have 20 times of year, 30 each.*hac\('year', panel=\.\.\.\)"),
        (gc.hac(np.tile(np.arange(20), 30)), r"20 times of an array, 30 each.*hac\(\.\.\., panel"),
        (gc.hac("unit", panel="year"), r"by its name is the time.*hac\('year', panel='unit'\)"),
    ],
    ids=["no panel", "array", "exchanged"],
)
def test_series_that_are_hardly_meant_are_told(balanced, cov, told):
    with pytest.warns(gc.errors.CovarianceWarning, match=told) as caught:
        _ = balanced.with_cov(cov).bse
    assert caught[0].message.kind == "rows_of_one_time"


@pytest.mark.parametrize(
    "cov",
    [gc.hac("year", panel="unit"), gc.hac("order"), gc.driscoll_kraay("year")],
    ids=["panel", "order", "summed"],
)
def test_series_that_are_meant_need_no_word(balanced, cov):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (balanced.with_cov(cov).bse > 0).all()


def test_what_is_refused(panel):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = panel.assign(one=3, odd=np.sqrt(panel.year), late=panel.year.where(panel.w > 1))
        result = gc.fit("y ~ x", frame)

    def kind(call):
        with pytest.raises(gc.errors.GlmcountError) as caught:
            _ = call()
        return caught.value.kind

    assert kind(lambda: result.with_cov(gc.hac("year", "firm", prewhiten=1))) == "irregular_series"
    assert kind(lambda: result.with_cov(gc.hac("one")).bse) == "one_time"
    assert kind(lambda: result.with_cov(gc.hac("odd", lags=1)).bse) == "time_grid"
    assert kind(lambda: result.with_cov(gc.hac("late"))) == "missing_role"
    assert kind(lambda: gc.hac("year", lags=2, bandwidth=3.0)) == "lags"
    assert kind(lambda: gc.hac("year", lags=-1)) == "lags"
    assert kind(lambda: gc.hac("year", bandwidth="best")) == "bandwidth"
    assert kind(lambda: gc.hac("year", kernel="flat")) == "kernel"
    assert kind(lambda: gc.hac("year", ["firm", "x"])) == "panel"
    assert kind(lambda: gc.driscoll_kraay("order")) == "time"
    assert kind(lambda: gc.hac(["year", "x"])) == "time"
    assert kind(lambda: gc.driscoll_kraay(["year", "x"])) == "time"
    with pytest.raises(gc.errors.UsageError, match="value a row; got 3"):
        gc.hac(3)
    for beyond in (np.inf, 1e308, 40.5):
        cov = gc.hac("year", "firm", bandwidth=beyond, kernel="qs")
        assert kind(lambda cov=cov: result.with_cov(cov).bse) == "lags"
    whole = gc.hac("year", "firm", bandwidth=np.int64(3))
    assert result.with_cov(whole).bse.equals(result.with_cov(gc.hac("year", "firm", lags=2)).bse)
    gaps = gc.fit("y ~ x", frame[frame.year != 2005])
    with pytest.warns(gc.errors.CovarianceWarning, match="528 rows have 19 times of year"):
        found = kind(lambda: gaps.with_cov(gc.hac("year", bandwidth="andrews")).bse)
    assert found == "irregular_series"
    with pytest.raises(gc.errors.UsageError, match=r"glmcount\.hac\('time'\)"):
        result.with_cov("HAC")
