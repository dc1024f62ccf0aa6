"""A pass of the likelihood against log-likelihood, score and information written out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from glmcount.engine.block import Block, BlockRows
from glmcount.engine.layout import Layout
from glmcount.engine.passes import (
    Pass,
    add,
    few_dense,
    likelihood_sums,
    micro_rows,
    strip_slopes,
    strip_sums,
)
from glmcount.engine.scatter import Occurring
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import likelihood_weights, weighing
from glmcount.families import families, poisson
from glmcount.numerics import EPS
from tests.engine.test_tables import drawn


def problem(weights):
    """A constant, a numeric column, a second constant: negative binomial rows."""
    rng = np.random.default_rng(5)
    n, x = 200, rng.normal(size=200)
    y = rng.negative_binomial(2.0, 0.4, n).astype(float)
    w = rng.uniform(0.5, 2.0, n) if weights else None
    mean = Block(0, np.arange(2), None, np.zeros(2), np.ones(2), None, (False, True))
    alpha = Block(1, np.array([2]), None, np.zeros(1), np.ones(1), None, (False,))
    layout = Layout((mean, alpha), (slice(0, 2), slice(2, 3)), (None, None))
    rows = BlockRows(None, (None, x)), BlockRows(None, (None,))
    return layout, Strip(0, 0, n, None, y[None], w, rows, (None, None)), x, y, w


@pytest.mark.parametrize("weights", [False, True])
def test_sums_are_the_derivatives_of_the_log_likelihood(weights):
    layout, strip, x, y, w = problem(weights)
    family, theta = families["negbin"], np.array([0.7, 0.2, -0.5])
    constant = float((family.constant(strip.y) * (1.0 if w is None else w)).sum())

    def llf(at):
        mean, size = np.exp(at[0] + at[1] * x), np.exp(-at[2])
        rows = stats.nbinom.logpmf(y, size, size / (size + mean))
        return float((rows * (1.0 if w is None else w)).sum())

    def sums(at, block_rows=50):
        weigh = likelihood_weights(family, expected=False)
        return likelihood_sums(layout, strip_sums(layout, strip, at, weigh, block_rows))

    found = sums(theta)
    assert found.llf + constant == pytest.approx(llf(theta), rel=1e-12)
    step = 1e-5 * np.eye(3)
    slope = [(llf(theta + d) - llf(theta - d)) / 2e-5 for d in step]
    np.testing.assert_allclose(found.score, slope, rtol=1e-6)
    bend = [(sums(theta - d).score - sums(theta + d).score) / 2e-5 for d in step]
    np.testing.assert_allclose(found.information.matrix, bend, rtol=1e-7, atol=1e-6)
    np.testing.assert_allclose(sums(theta, 1000).score, found.score, rtol=1e-13)
    assert 0 < found.floor < 1e-10


def test_the_rounding_floor_is_that_of_its_bound():
    layout, strip, x, y, _ = problem(False)
    weigh = likelihood_weights(poisson, expected=True)
    one, own = layout.without([1]), strip.of([0], [0])
    found = likelihood_sums(one, strip_sums(one, own, np.array([0.5, 0.1]), weigh, 64))
    mean = np.exp(0.5 + 0.1 * x)
    expected = EPS * np.sqrt(2 * ((np.abs(y - mean) + 2 * mean) ** 2 / mean).sum())
    assert found.floor == pytest.approx(expected, rel=1e-10)


def test_what_is_not_finite_has_no_likelihood():
    layout, strip, _, _, _ = problem(False)
    weigh = likelihood_weights(families["negbin"], expected=False)
    found = likelihood_sums(layout, strip_sums(layout, strip, np.array([800.0, 0, 0]), weigh, 64))
    assert found.llf == -np.inf


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("block_rows", [7, 1000])
def test_slopes_that_a_pass_keeps_are_those_of_a_pass_of_their_own(weights, block_rows):
    layout, strip, x, _, w = problem(weights)
    family, theta = families["negbin"], np.array([0.7, 0.2, -0.5])
    weigh = likelihood_weights(family, expected=True)
    kept = Pass(layout, theta, weigh, block_rows, slopes=True)(strip)["u", strip.number]
    alone = strip_slopes(layout, strip, theta, weighing(family, False, second=False), 64)
    eta = theta[0] + theta[1] * x
    exact = family.terms(strip.y, (eta, np.array([-0.5]))).d1
    for own, other, wanted in zip(kept, alone, exact, strict=True):
        joined = [np.concatenate([np.broadcast_to(v, n) for n, v in part]) for part in (own, other)]
        wanted = np.broadcast_to(wanted, len(x)) * (1.0 if w is None else w)
        for found in joined:
            np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-14)
    assert likelihood_sums(layout, Pass(layout, theta, weigh, 64)(strip)).slopes == {}


def test_sums_are_added_in_place_by_name():
    total = {("s",): np.array([1.0]), ("g", 0): np.array([[1.0], [2.0]])}
    part = {("s",): np.array([2.0]), ("g", 0): Occurring(np.array([1]), np.array([[5.0]]), 2)}
    found = add(total, part | {("h", 0, 0): np.eye(2)})
    assert found is total and total["s",].tolist() == [3.0]
    assert total["g", 0].tolist() == [[1.0], [7.0]] and total["h", 0, 0].tolist() == [
        [1, 0],
        [0, 1],
    ]


def test_rows_of_a_micro_block_take_eight_megabytes():
    layout, _, _, _ = drawn(3)
    assert few_dense(layout)
    assert not few_dense(problem(False)[0])
    assert micro_rows(layout, 32_768) == 32_768
    wide = Block(0, np.arange(100), None, np.zeros(100), np.ones(100), None, (True,) * 100)
    rows = micro_rows(Layout((wide,), (slice(0, 100),), (None,)), 32_768)
    assert rows * 100 * 8 <= 8 * 2**20 < 2 * rows * 100 * 8
