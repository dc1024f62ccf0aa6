"""Every covariance of every family and combinator: sums over pairs of rows, or a named refusal."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import glmcount as gc
from tests.test_comparisons_everywhere import COMBINATORS, DATA, FAMILIES, fitted

pytestmark = pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")


def same(values):
    return values[:, None] == values


def kernels(rows):
    """Of each covariance what weighs the products of the scores of two rows, (n, n)."""
    firm, other = DATA.firm.to_numpy()[rows], DATA.z2.to_numpy()[rows]
    lag = np.abs(rows[:, None] - rows)
    count = len(np.unique(firm))
    near = np.maximum(1.0 - np.abs(other[:, None] - other) / 3.0, 0.0)
    return {
        "CR0": (gc.cluster("firm", "CR0"), same(firm)),
        "CR1": ({"cluster": "firm"}, same(firm) * count / (count - 1)),
        "two": (
            gc.cluster(["firm", "z2"], "CR0", psd=True),
            same(firm) + 1.0 * same(other) - same(firm) * same(other),
        ),
        "hac": (gc.hac("order", lags=2), np.maximum(1.0 - lag / 3.0, 0.0)),
        "panels": (gc.hac("z2", "firm", lags=2), near * same(firm)),
        "sums": (gc.driscoll_kraay("z2", lags=2), near),
    }


def numbers(result):
    """Numbers of the used rows among those of the data."""
    rows = result._state.used_rows()
    given = result._state.at_hand.index
    return rows if given is None else DATA.index.get_indexer(given[rows])


@pytest.mark.parametrize("combinator", COMBINATORS)
@pytest.mark.parametrize("family", FAMILIES)
def test_by_pairs_of_rows(family, combinator):
    result = fitted(family, combinator)
    if isinstance(result, gc.errors.GlmcountError):
        pytest.skip(f"no such model: {result.kind}")
    rows = numbers(result)
    if combinator == "arrays":
        pytest.skip("arrays have no columns beside them; test_cluster hands arrays over")
    if result._state.fit.falling is not None:
        pytest.skip("a maximum at infinity; test_cluster has such fits")
    scores = result.score_obs()
    names = list(scores.columns)
    bread = result.with_cov("nonrobust").cov_params().loc[names, names] / result.scale
    half = (scores @ bread).to_numpy()
    for name, (cov, kernel) in kernels(rows).items():
        if combinator == "truncated" and name == "hac":
            continue
        wanted = half.T @ kernel @ half
        try:
            found = result.with_cov(cov).cov_params().loc[names, names].to_numpy()
        except gc.errors.CovarianceError as error:
            assert error.kind in ("not_semidefinite", "no_residuals")
            continue
        if name == "two":
            size = np.sqrt(np.abs(wanted.diagonal()))
            if np.linalg.eigvalsh(wanted / np.outer(size, size))[0] < 0:
                assert np.linalg.eigvalsh(found)[0] > -1e-9 * np.abs(found).max()
                continue
        scale = np.sqrt(np.outer(np.abs(wanted.diagonal()), np.abs(wanted.diagonal())))
        np.testing.assert_allclose(found / scale, wanted / scale, atol=1e-7, err_msg=name)


REFUSED = {
    "cluster_alone", "cluster_information", "no_likelihood", "weighted_bootstrap",
    "censored_bootstrap", "bootstrap_failed", "not_defined", "no_leverage", "singular_information",
}  # fmt: skip


@pytest.mark.parametrize("combinator", ["plain", "inflate", "hurdle", "censored", "weights"])
@pytest.mark.parametrize("family", FAMILIES)
def test_others_are_numbers_or_named_refusals(family, combinator):
    result = fitted(family, combinator)
    if isinstance(result, gc.errors.GlmcountError):
        pytest.skip(f"no such model: {result.kind}")
    asked = [
        gc.cluster("firm", kind, df=df) for kind in ("CR2", "CR3") for df in ("t", "satterthwaite")
    ]
    asked += [gc.bootstrap(20, kind, rng=1) for kind in ("pairs", "bayesian", "parametric")]
    free = (~result._state.estimates.fixed) & (result._state.estimates.infinite == 0)
    for cov in asked:
        try:
            found = result.with_cov(cov)
            assert np.isfinite(found.bse.to_numpy()[free]).all()
            # The interval of a dispersion may be all of (0, inf).
            assert not np.isnan(found.conf_int().to_numpy()[free]).any()
            assert "Clustered" in str(found.summary()) or "Bootstrap" in str(found.summary())
        except gc.errors.GlmcountError as error:
            assert error.kind in REFUSED, error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            test = result.score_bootstrap("x = 0", "firm", reps=99, rng=1)
            assert 0.0 < test.pvalue <= 1.0
        except gc.errors.GlmcountError as error:
            assert error.kind in ("null_fit", "no_score_test"), error
