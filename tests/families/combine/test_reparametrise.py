"""Reparametrised families against the same function written out, and against differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from glmcount.families import Equation, families, power_of_mean, reparametrise
from glmcount.numerics.jets import Jet, constant_jet, eta_jet, exp_jet

NEGBIN = families["negbin"]
RNG = np.random.default_rng(8)
Y = RNG.integers(0, 30, (1, 40)).astype(float)
ETAS = (RNG.uniform(-1, 2, 40), RNG.uniform(-2, 1, 40), RNG.uniform(1, 2.2, 40))


def bent(etas):
    """Two predictors made of three, with every second derivative in use."""
    a, b, c = (eta_jet(etas, k) for k in range(3))
    tenth = constant_jet(np.array([0.1]), 3)
    return a + tenth * b * c, b * c + tenth * exp_jet(a)


def differences(function, etas, k, step=1e-3):
    def at(shift):
        return function([eta + shift * (j == k) for j, eta in enumerate(etas)])

    return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)


@pytest.mark.parametrize("inner", [bent, power_of_mean()])
@pytest.mark.parametrize("what", ["terms", "mean", "variance"])
def test_the_chain_is_calculus(inner, what):
    family = reparametrise(NEGBIN, inner)
    function = {
        "terms": lambda etas: family.terms(Y, etas),
        "mean": lambda etas: family.moments(etas)[0],
        "variance": lambda etas: family.moments(etas)[1],
    }[what]

    def dense(entry):
        return np.zeros(40) if entry is None else np.broadcast_to(entry, (40,))

    jet = function(ETAS)
    for j in range(3):
        found = differences(lambda etas: function(etas).value, ETAS, j)
        np.testing.assert_allclose(dense(jet.d1[j]), found, rtol=1e-8, atol=1e-7)
        for k in range(3):
            second = differences(lambda etas, j=j: dense(function(etas).d1[j]), ETAS, k)
            np.testing.assert_allclose(dense(jet.d2[j][k]), second, rtol=1e-8, atol=1e-7)


def test_values_are_those_of_the_family():
    family = reparametrise(NEGBIN, bent)
    own = tuple(jet.value for jet in bent(ETAS))
    np.testing.assert_array_equal(family.terms(Y, ETAS).value, NEGBIN.terms(Y, own).value)
    np.testing.assert_array_equal(family.deviance(Y, ETAS), NEGBIN.deviance(Y, own))
    for found, expected in zip(family.tails(Y, ETAS), NEGBIN.tails(Y, own), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(
        family.sample(np.random.default_rng(1), ETAS), NEGBIN.sample(np.random.default_rng(1), own)
    )


def test_the_expected_information_follows_where_it_is_known():
    def swapped(etas):
        mean, spread = eta_jet(etas, 1), eta_jet(etas, 0)
        return mean + mean, spread

    found = reparametrise(NEGBIN, swapped).expected(ETAS[:2])
    known = NEGBIN.expected((2 * ETAS[1], ETAS[0]))
    np.testing.assert_allclose(found[1][1], 4 * known[0][0])
    assert found[0][0] is None
    np.testing.assert_array_equal(found[0][1], 0.0)
    mixed = reparametrise(NEGBIN, power_of_mean(1.0)).expected(ETAS[:2])
    assert mixed == ((None, None), (None, None))


def test_the_score_at_the_limit_is_scaled():
    family = reparametrise(NEGBIN, power_of_mean(), lost={2: 1.4})
    limit, own = family.limits[0], NEGBIN.limits[0]
    assert (limit.equation, limit.lost, limit.family) == (1, (2,), own.family)
    found, expected = limit.score(Y, ETAS[:1]), own.score(Y, ETAS[:1])
    scale = np.exp(-0.6 * ETAS[0])
    np.testing.assert_allclose(found[0], expected[0] * scale, rtol=1e-13)
    np.testing.assert_allclose(found[1], expected[1] * scale**2, rtol=1e-13)


def test_one_equation_becomes_another():
    def logistic(etas):
        share = special.expit(etas[0])
        slope = 1.0 - share
        log_share = eta_jet(etas, 0).chain(special.log_expit(etas[0]), slope, -share * slope)
        return (log_share,)

    family = reparametrise(
        families["poisson"], logistic, name="share", equations=(Equation("mean"),)
    )
    eta = np.array([-3.0, 0.5, 2.0])
    y = np.array([[0.0, 1.0, 2.0]])
    share = special.expit(eta)
    jet = family.terms(y, (eta,))
    assert isinstance(jet, Jet)
    np.testing.assert_allclose(jet.value, y[0] * np.log(share) - share, rtol=1e-14)
    np.testing.assert_allclose(jet.d1[0], (y[0] - share) * (1 - share), rtol=1e-14)
    np.testing.assert_allclose(family.expected((eta,))[0][0], share * (1 - share) ** 2, rtol=1e-13)
