"""The score bootstrap: against its formulas by hand, the Wald test, and its own interval."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(3)
    g = rng.integers(13, size=400)
    frame = pd.DataFrame({"x": rng.normal(size=400), "z": rng.normal(size=400), "g": g})
    shared = rng.gamma(3.0, 1 / 3, 13)[g]
    frame["y"] = rng.poisson(np.exp(0.3 + 0.2 * frame.x) * shared)
    return frame


def fitted(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gc.fit(*args, **options)


def test_by_hand_over_all_patterns_of_signs(panel):
    # Poisson, z = 0.05: every quantity from matrices, every one of 2^12 patterns.
    value = 0.05
    null = gc.fit("y ~ x + offset(0.05 * z)", panel)
    X = np.column_stack([np.ones(400), panel.x, panel.z])
    mu = null.fittedvalues.to_numpy()
    G = 13
    scores = np.zeros((G, 3))
    np.add.at(scores, panel.g.to_numpy(), X * (panel.y.to_numpy() - mu)[:, None])
    info = np.zeros((G, 3, 3))
    np.add.at(info, panel.g.to_numpy(), X[:, :, None] * X[:, None, :] * mu[:, None, None])
    whole = info.sum(axis=0)
    efficient = np.append(-np.linalg.solve(whole[:2, :2], whole[:2, 2]), 1.0)
    own = scores @ efficient
    statistic = own.sum() ** 2 / (own @ own)
    out = []
    for each in range(G):
        rest = whole[:2, :2] - info[each][:2, :2]
        out.append(scores[each] + info[each][:, :2] @ np.linalg.solve(rest, scores[each, :2]))
    out = np.array(out)
    moves = np.linalg.solve(whole[:2, :2], out[:, :2].T).T
    large = 0
    for rest in itertools.product((1.0, -1.0), repeat=G - 1):
        v = np.array([*rest, 1.0])
        e = v * (out @ efficient) - np.einsum("k,gkf,f->g", efficient, info[:, :, :2], v @ moves)
        large += (v @ out @ efficient) ** 2 / (e @ e) >= statistic * (1 - 1e-10)
    result = fitted("y ~ x + z", panel)
    found = result.score_bootstrap(f"z = {value}", "g")
    assert found.statistic == pytest.approx(statistic, rel=1e-8)
    assert found.pvalue == pytest.approx((large + 1) / (2 ** (G - 1) + 1), rel=1e-12)
    assert "all 4,096 patterns of signs" in str(found)


def test_the_information_is_that_of_the_fit(panel):
    # NB2 by matrices: the expected information has no entry between coefficients and alpha.
    result = fitted("y ~ x + z", panel, family="negbin", information="expected")
    null = gc.fit("y ~ x", panel, family="negbin")
    alpha, mu = null.params["alpha"], null.fittedvalues.to_numpy()
    X = np.column_stack([np.ones(400), panel.x, panel.z])
    first = (panel.y.to_numpy() - mu) / (1.0 + alpha * mu)
    whole = X.T @ (X * (mu / (1.0 + alpha * mu))[:, None])
    efficient = np.append(-np.linalg.solve(whole[:2, :2], whole[:2, 2]), 1.0)
    own = np.bincount(panel.g, X @ efficient * first)
    statistic = own.sum() ** 2 / (own @ own)
    found = result.score_bootstrap("z = 0", "g")
    assert found.statistic == pytest.approx(statistic, rel=1e-7)
    observed = fitted("y ~ x + z", panel, family="negbin").score_bootstrap("z = 0", "g")
    assert abs(observed.statistic / statistic - 1) > 1e-3


@pytest.mark.parametrize("information", ["observed", "expected"])
def test_the_solver_makes_no_difference(panel, information):
    options = {"family": "negbin", "information": information}
    found = [
        fitted("y ~ x + z", panel, method=method, **options).score_bootstrap("z = 0", "g")
        for method in ("newton", "irls")
    ]
    assert found[0].statistic == pytest.approx(found[1].statistic, rel=1e-6)
    assert found[0].pvalue == pytest.approx(found[1].pvalue, abs=2e-3)


def test_with_many_clusters_it_is_the_wald_test():
    rng = np.random.default_rng(5)
    g = rng.integers(400, size=4_000)
    frame = pd.DataFrame({"x": rng.normal(size=4_000), "z": rng.normal(size=4_000), "g": g})
    frame["y"] = rng.poisson(np.exp(0.3 + 0.2 * frame.x) * rng.gamma(3.0, 1 / 3, 400)[g])
    frame.loc[rng.random(4_000) < 0.2, "y"] = 0
    for options in (
        {},
        {"family": "negbin"},
        {"inflate": "1"},
        {"family": "negbin", "hurdle": "x"},
    ):
        result = fitted("y ~ x + z", frame, cov={"cluster": "g"}, **options)
        for hypothesis in ("z = 0", "x = 0.2, z = 0"):
            wald, found = result.wald_test(hypothesis), result.score_bootstrap(hypothesis, rng=1)
            assert found.df == wald.df
            assert found.pvalue == pytest.approx(wald.pvalue, abs=0.03)


def test_the_interval_inverts_the_test(panel):
    result = fitted("y ~ x + z", panel, family="negbin")
    found = result.score_bootstrap("x = 0", "g", rng=2, alpha=0.1)
    low, high = found.conf_int
    assert low < result.params["x"] < high
    for end, side in ((low, 1.0), (high, -1.0)):
        inside = result.score_bootstrap(f"x = {end + side * 0.003}", "g", rng=2).pvalue
        outside = result.score_bootstrap(f"x = {end - side * 0.003}", "g", rng=2).pvalue
        assert outside <= 0.1 < inside


def test_an_ancillary_parameter_is_tested_on_its_logarithm(panel):
    result = fitted("y ~ x + z", panel, family="negbin")
    alpha = result.params["alpha"]
    assert result.score_bootstrap(f"alpha = {alpha}", "g", rng=1).pvalue > 0.99
    assert result.score_bootstrap(f"alpha = {30 * alpha}", "g", rng=1).pvalue < 0.05
    for hypothesis, kind in (("alpha = 0", "boundary_hypothesis"), ("alpha = x", "no_score_test")):
        with pytest.raises(gc.errors.NotDefinedError) as caught:
            result.score_bootstrap(hypothesis, "g")
        assert caught.value.kind == kind


def test_an_interval_is_of_the_combination_as_the_hypothesis_has_it(panel):
    """Its ends are values that are tested: of alpha itself, and of -2 x where that is asked."""
    result = gc.fit("y ~ x", panel, family="negbin")
    found = result.score_bootstrap("alpha = 1", "g", rng=2, alpha=0.1)
    low, high = found.conf_int
    assert 0 < low < result.params["alpha"] < high
    for end in found.conf_int:
        own = result.score_bootstrap({"alpha": end}, "g", rng=2)
        assert own.pvalue == pytest.approx(0.1, abs=2e-3)
    twice = result.score_bootstrap("-2*alpha = -2", "g", rng=2, alpha=0.1)
    assert twice.conf_int == pytest.approx((-2 * high, -2 * low), rel=1e-9)
    low, high = result.score_bootstrap("x = 0", "g", rng=2, alpha=0.1).conf_int
    turned = result.score_bootstrap("-2*x = 0", "g", rng=2, alpha=0.1).conf_int
    assert turned == pytest.approx((-2 * high, -2 * low), rel=1e-3)


def test_a_hypothesis_beyond_the_link_is_told_of(panel):
    result = gc.fit("y ~ x", panel.assign(y=panel.y + 1), link="sqrt")
    with pytest.raises(gc.errors.ConvergenceError, match=r"under 'x = 90' \(at 90\) was") as told:
        result.score_bootstrap("x = 90", "g")
    assert told.value.kind == "null_fit"


def test_what_is_drawn_and_refused(panel):
    result = fitted("y ~ x + z", panel)
    few = panel.assign(h=panel.g % 5)
    short = fitted("y ~ x + z", few)
    found = short.score_bootstrap("z = 0", "h", rng=1, reps=499)
    assert "499 draws of Webb weights" in str(found)
    assert found.pvalue == short.score_bootstrap("z = 0", "h", rng=1, reps=499).pvalue
    array = result.score_bootstrap("z = 0", panel.g.to_numpy(), rng=1)
    assert array.pvalue == result.score_bootstrap("z = 0", "g", rng=1).pvalue

    def kind(*args, **options):
        with pytest.raises(gc.errors.GlmcountError) as caught:
            result.score_bootstrap(*args, **options)
        return caught.value.kind

    assert kind("z = 0") == "no_clusters"
    assert kind("z = 0", ["g", "x"]) == "several_clusters"
    assert kind("z = 0", "nowhere") == "unknown_column"
    assert kind("z = 0", "g", reps=3) == "reps"
    assert kind("z = 0, x = 0", "g", alpha=0.05) == "several_hypotheses"
    assert kind("q = 0", "g") == "hypothesis"


def test_its_size_with_twelve_clusters():
    # docs/study_clusters.md has 5,000 replicates of four models; here few, within 99.9 %.
    rejections = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        g = np.repeat(np.arange(12), 15)
        frame = pd.DataFrame({"t": (g < 3) * 1.0, "g": g, "z": rng.normal(size=180)})
        frame["y"] = rng.poisson(np.exp(0.5 + 0.3 * frame.z) * rng.gamma(2.0, 0.5, 12)[g])
        result = gc.fit("y ~ z + t", frame)
        rejections += result.score_bootstrap("t = 0", "g", reps=2_048).pvalue <= 0.05
    assert rejections <= stats.binom.ppf(0.9995, 150, 0.07)
