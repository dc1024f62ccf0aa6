"""Laws that every registered family keeps, under every registered link."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from glmcount.families import StartSums, links
from glmcount.families.distribution import tails as tails_of
from tests.laws.problems import (
    EVERY,
    LIKELIHOODS,
    MADE,
    QUICK,
    SEEDS,
    composed,
    counts,
    typical_etas,
    with_link,
)

PAIRS = list(composed())
LIKELY = [(family, link) for family, link in PAIRS if family in LIKELIHOODS]
COUNTED = [
    p for p in PAIRS if p[0] not in MADE and EVERY[p[0]].deviance and EVERY[p[0]].domain == "log"
]
STEP = 1e-3
SUPPORT = np.arange(6000.0)
STARTED = StartSums(weight=10.0, response=20.0, square=90.0, log_exposure=0.0, offset=0.0)


def slope(function, etas, k):
    """Five-point difference in the k-th predictor, error of the order of STEP^4."""

    def at(step):
        return function([eta + step * (j == k) for j, eta in enumerate(etas)])

    return (8 * (at(STEP) - at(-STEP)) - (at(2 * STEP) - at(-2 * STEP))) / (12 * STEP)


def dense(entry, n):
    return np.zeros(n) if entry is None else np.broadcast_to(entry, (n,))


def response(family, y=SUPPORT):
    """A response of those counts, its further rows out of the way."""
    return np.stack([y, *(np.full(len(y), np.inf) for _ in family.columns)])


def log_pmf(family, etas, y=SUPPORT):
    return family.terms(response(family, y), etas).value + family.constant(response(family, y))


def assert_jet(function, etas, n, tolerance):
    """The derivatives a jet claims are those of its value."""
    jet = function(etas)
    for j in range(len(etas)):
        found = slope(lambda at: function(at).value, etas, j)
        scale = 1 + np.abs(found)
        np.testing.assert_allclose(dense(jet.d1[j], n) / scale, found / scale, atol=tolerance)
        for k in range(len(etas)):
            second = slope(lambda at, j=j: dense(function(at).d1[j], n), etas, k)
            scale = 1 + np.abs(second)
            np.testing.assert_allclose(
                dense(jet.d2[j][k], n) / scale, second / scale, atol=tolerance
            )


@pytest.mark.parametrize(("name", "link"), PAIRS)
@QUICK
@given(seed=SEEDS)
def test_terms_are_a_jet(name, link, seed):
    etas = typical_etas(name, link, seed, 20)
    y = counts(name, seed)
    family = with_link(name, link)
    assert_jet(lambda at: family.terms(y, at), etas, 20, 1e-8)


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize(("name", "link"), PAIRS)
@QUICK
@given(seed=SEEDS)
def test_moments_are_jets(name, link, part, seed):
    etas = typical_etas(name, link, seed, 20)
    family = with_link(name, link)
    assert_jet(lambda at: family.moments(at)[part], etas, 20, 1e-8)


@pytest.mark.parametrize(("name", "link"), LIKELY)
@QUICK
@given(seed=SEEDS)
def test_probabilities_sum_to_one(name, link, seed):
    etas = typical_etas(name, link, seed, 1)
    assert np.exp(log_pmf(with_link(name, link), etas)).sum() == pytest.approx(1, abs=1e-11)


@pytest.mark.parametrize(("name", "link"), LIKELY)
@QUICK
@given(seed=SEEDS)
def test_moments_are_those_of_the_probabilities(name, link, seed):
    etas = typical_etas(name, link, seed, 1)
    family = with_link(name, link)
    mass = np.exp(log_pmf(family, etas))
    mean, variance = (float(np.ravel(jet.value)[0]) for jet in family.moments(etas))
    assert np.dot(mass, SUPPORT) == pytest.approx(mean, rel=1e-10)
    assert np.dot(mass, (SUPPORT - mean) ** 2) == pytest.approx(variance, rel=1e-9)


@pytest.mark.parametrize(("name", "link"), LIKELY)
@QUICK
@given(seed=SEEDS)
def test_the_score_has_mean_zero(name, link, seed):
    etas = typical_etas(name, link, seed, 1)
    family = with_link(name, link)
    mass = np.exp(log_pmf(family, etas))
    jet = family.terms(response(family), etas)
    for first in jet.d1:
        values = dense(first, len(SUPPORT))
        assert abs(np.dot(mass, values)) <= 1e-10 * (1 + np.dot(mass, np.abs(values)))


@pytest.mark.parametrize(("name", "link"), LIKELY)
@QUICK
@given(seed=SEEDS)
def test_the_information_is_the_variance_of_the_score(name, link, seed):
    etas = typical_etas(name, link, seed, 1)
    family = with_link(name, link)
    mass = np.exp(log_pmf(family, etas))
    jet = family.terms(response(family), etas)
    known = family.expected(etas) if family.expected else None
    for j in range(len(etas)):
        for k in range(len(etas)):
            scores = dense(jet.d1[j], len(SUPPORT)) * dense(jet.d1[k], len(SUPPORT))
            size = 1 + np.dot(mass, np.abs(scores))
            variance = np.dot(mass, scores)
            curvature = -np.dot(mass, dense(jet.d2[j][k], len(SUPPORT)))
            assert curvature == pytest.approx(variance, abs=1e-9 * size)
            if known is not None and known[j][k] is not None:
                entry = float(np.ravel(known[j][k])[0])
                assert entry == pytest.approx(variance, abs=1e-9 * size)


@pytest.mark.parametrize(("name", "link"), [p for p in PAIRS if EVERY[p[0]].deviance])
@QUICK
@given(seed=SEEDS)
def test_deviance_differs_as_the_log_likelihood_does(name, link, seed):
    family = with_link(name, link)
    here, there = (typical_etas(name, link, seed + k, 20) for k in (0, 1))
    there = (there[0], *here[1:])
    y = counts(name, seed)
    change = family.deviance(y, here) - family.deviance(y, there)
    expected = -2 * (family.terms(y, here).value - family.terms(y, there).value)
    np.testing.assert_allclose(change, expected, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize(("name", "link"), COUNTED)
@QUICK
@given(seed=SEEDS)
def test_deviance_is_zero_where_the_mean_is_the_count(name, link, seed):
    family = with_link(name, link)
    y = np.random.default_rng(seed).integers(1, 300, 20).astype(float)
    etas = typical_etas(name, link, seed, 20)
    exact = (np.array([links[link].inverse(count) for count in y]), *etas[1:])
    assert np.all(np.abs(family.deviance(y[None, :], exact)) <= 1e-12)
    assert np.all(family.deviance(y[None, :], etas) >= 0)


@pytest.mark.parametrize(("name", "link"), LIKELY)
@QUICK
@given(seed=SEEDS)
def test_tails_are_sums_of_probabilities(name, link, seed):
    etas = typical_etas(name, link, seed, 1)
    family = with_link(name, link)
    mass = np.exp(log_pmf(family, etas))
    low, high = family.support
    y = np.arange(low, min(high, low + 39) + 1)
    wide = [np.repeat(eta, len(y)) for eta in etas]
    below, upto, atleast, above = (np.exp(t) for t in tails_of(family, response(family, y), wide))
    lower = np.cumsum(mass)[y.astype(int)]
    upper = np.append(np.cumsum(mass[::-1])[::-1], 0)
    np.testing.assert_allclose(upto, lower, rtol=1e-9)
    np.testing.assert_allclose(below[1:], lower[:-1], rtol=1e-9)
    assert below[0] == 0
    np.testing.assert_allclose(atleast, upper[y.astype(int)], rtol=1e-9)
    np.testing.assert_allclose(above, upper[y.astype(int) + 1], rtol=1e-9)


@pytest.mark.parametrize(("name", "link"), PAIRS)
def test_samples_have_the_mean_and_variance(name, link):
    family = with_link(name, link)
    etas = typical_etas(name, link, 5, 1)
    wide = (np.full(40_000, etas[0][0]), *etas[1:])
    drawn = family.sample(np.random.default_rng(11), wide)
    mean, variance = (float(np.ravel(jet.value)[0]) for jet in family.moments(etas))
    assert drawn.shape == (40_000,)
    assert np.all((drawn >= 0) & (drawn == np.floor(drawn)))
    assert abs(drawn.mean() - mean) <= 5 * np.sqrt(variance / len(drawn))
    assert drawn.var() == pytest.approx(variance, rel=0.15)


BOUNDED = [(name, link) for name, link in PAIRS if EVERY[name].limits]


@pytest.mark.parametrize(("name", "link"), BOUNDED)
@QUICK
@given(seed=SEEDS, small=st.sampled_from([1e-5, 1e-9, 1e-13]))
def test_a_family_becomes_its_limit(name, link, seed, small):
    family = with_link(name, link)
    etas = list(typical_etas(name, link, seed, 20))
    y = counts(name, seed)
    for limit in family.limits:
        if not np.isfinite(limit.value):
            # nu = infinity: the other end, towards which the predictor grows.
            continue
        gone = {limit.equation, *limit.lost}
        rest = tuple(eta for j, eta in enumerate(etas) if j not in gone)
        near = list(etas)
        for k in limit.lost:
            near[k] = np.array([family.start(STARTED)[k]])
        near[limit.equation] = np.full(1, np.log(small))
        there = limit.family.terms(y, rest).value
        score, information = limit.score(y, rest)
        gained = family.terms(y, near).value - there
        # The second-order term is at most about alpha^2 y^3, or the square of the first.
        second = small**2 * (1e5 + np.max(np.square(score)))
        rounding = 4e-14 * (1 + np.abs(there).max())
        np.testing.assert_allclose(gained, small * score, atol=second + rounding)
        # A zero says nothing of a truncated count.
        assert np.all(information >= 0) and np.any(information > 0)


@pytest.mark.parametrize("name", links)
@QUICK
@given(mean=st.floats(0.01, 1e6))
def test_a_link_is_a_jet_and_its_inverse_undoes_it(name, mean):
    link = links[name]
    own = {"log": np.log, "logit": special.logit}[link.domain]
    mean = mean if link.domain == "log" else mean / (1 + mean)
    lp = np.array([link.inverse(mean)])
    h, first, second = link.own(lp)
    # The inverse itself rounds: 1 - mean has lost what mean / (1 - mean) asks for.
    lost = 4e-16 / (1 - mean) if link.domain == "logit" else 0.0
    assert float(h[0]) == pytest.approx(own(mean), abs=1e-12 + lost, rel=1e-12)
    step = 1e-3 * max(abs(float(lp[0])), 1e-2)

    def at(shift, part):
        return float(np.broadcast_to(link.own(lp + shift)[part], (1,))[0])

    for part, claimed in ((0, first), (1, second)):
        near = 8 * (at(step, part) - at(-step, part))
        wide = at(2 * step, part) - at(-2 * step, part)
        found = (near - wide) / (12 * step)
        assert float(np.ravel(claimed)[0]) == pytest.approx(found, rel=1e-8, abs=1e-8)
