"""Likelihood ratios of weighted and censored models, by draws of the smaller one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy

import glmcount as gc

pytestmark = pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(8)
    n = 70
    frame = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n)})
    frame["y"] = rng.poisson(np.exp(0.8 + 0.3 * frame.x) * rng.gamma(3.0, 1.0 / 3.0, n))
    frame["w"] = rng.integers(0, 4, n)
    frame["top"] = rng.choice([3.0, 5.0, 5.5, np.inf], n)
    frame["e"] = rng.uniform(1.0, 2.0, n)
    return frame


def both(data, small, large, **options):
    return [gc.fit("y ~ x", data, **options, **small), gc.fit("y ~ x", data, **options, **large)]


PAIRS = {
    "zero inflation with a slope": ({}, {"inflate": "z"}),
    "a boundary": ({}, {"family": "negbin"}),
    "negative binomial": ({"family": "negbin"}, {"family": "negbin", "dispersion": "z"}),
}
OPTIONS = {"plain": {}, "exposure": {"exposure": "e"}, "censored": {"censored": "top"}}


BOTH = [(pair, options) for pair in PAIRS for options in OPTIONS]
# Of censored counts there is no zero part.
BOTH.remove(("zero inflation with a slope", "censored"))


@pytest.mark.parametrize(("pair", "options"), BOTH)
def test_a_frequency_weight_is_so_many_rows(data, pair, options):
    repeated = data.loc[data.index.repeat(data.w)]
    small, large = PAIRS[pair]
    weighted = both(data, small, large, weights="w", **OPTIONS[options])
    single = both(repeated.reset_index(drop=True), small, large, **OPTIONS[options])
    found, wanted = (gc.lr_test(*each, bootstrap=39, rng=4) for each in (weighted, single))
    assert found.statistic == pytest.approx(wanted.statistic, rel=1e-6, abs=1e-6)
    assert found.pvalue == wanted.pvalue
    assert found.note == wanted.note == "39 draws"
    assert 0.0 < found.pvalue <= 1.0


def likelihood(y, limit, X):
    hit = y >= limit

    def minus(b):
        mean = np.exp(X @ b)
        above = scipy.stats.poisson.logsf(np.ceil(limit[hit]) - 1, mean[hit])
        return -(scipy.stats.poisson.logpmf(y, mean)[~hit].sum() + above.sum())

    return -scipy.optimize.minimize(minus, np.zeros(X.shape[1]), tol=1e-12).fun


def test_censored_counts_are_drawn_whole_and_cut(data):
    limit = data.top.to_numpy()
    small = gc.fit("y ~ x", data, censored="top")
    large = gc.fit("y ~ x + e", data, censored="top")
    test = gc.lr_test(small, large, bootstrap=29, rng=11)
    X = np.column_stack([np.ones(len(data)), data.x, data.e])
    rng, more = np.random.default_rng(11), 0
    for _ in range(29):
        drawn = rng.poisson(np.exp(X[:, :2] @ small.params.to_numpy()))
        y = np.minimum(drawn, np.ceil(limit))
        ratio = 2.0 * (likelihood(y, limit, X) - likelihood(y, limit, X[:, :2]))
        more += ratio >= test.statistic
    assert test.pvalue == (1 + more) / 30
    assert 0 < more < 29


def test_drawn_and_closed_agree_under_censoring(data):
    # Under chi2(1) the p-value of 399 draws has a standard error of 0.025 at 0.5.
    counts = data.assign(y=np.random.default_rng(1).poisson(np.exp(0.8 + 0.3 * data.x)))
    small = gc.fit("y ~ x", counts, censored=4)
    large = gc.fit("y ~ x + z", counts, censored=4)
    closed, drawn = gc.lr_test(small, large), gc.lr_test(small, large, bootstrap=399, rng=1)
    assert drawn.pvalue == pytest.approx(closed.pvalue, abs=0.08)


def test_progress_is_told(data, capsys):
    told = {"control": gc.Control(progress=True)}
    quiet = both(data, {}, {"family": "negbin"})
    gc.lr_test(*quiet, bootstrap=9, rng=1)
    assert capsys.readouterr().err == ""
    small, large = both(data, {}, {"family": "negbin"}, **told)
    capsys.readouterr()
    gc.lr_test(small, large, bootstrap=9, rng=1)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("9/9 draws, ")


def refused(models):
    with pytest.raises(gc.errors.GlmcountError) as caught:
        gc.lr_test(*models, bootstrap=9, rng=1)
    return caught.value


def test_what_has_no_counts_to_draw_is_refused(data):
    pair = {}, {"family": "negbin"}
    counted = data.assign(w=data.w + 1)
    importance = both(counted, *pair, weights="w", weights_type="importance")
    error = refused(importance)
    assert error.kind == "weighted_bootstrap"
    assert "importance weights say how much a row matters" in str(error)
    error = refused(both(data.assign(w=data.w + 0.5), *pair, weights="w"))
    assert error.kind == "weighted_bootstrap"
    assert "no whole numbers" in str(error)
    many = both(data.assign(w=10_000_000), *pair, weights="w")
    assert refused(many).kind == "memory_limit"
    reached = np.where(data.y >= 4, data.y, np.inf)
    error = refused(both(data, *pair, censored=reached))
    assert error.kind == "censored_bootstrap"
    assert "only rows that reached a limit have one" in str(error)
