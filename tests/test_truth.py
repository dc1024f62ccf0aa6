"""The truth's own formulas: closed forms, and derivatives of its log-likelihood."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from tests import truth

COUNTS = np.array([3.0, 0.0, 7.0, 2.0, 5.0, 1.0, 9.0, 4.0])
GROUP = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
DESIGN = np.column_stack([np.ones(8), GROUP])
SLOPED = np.column_stack([np.ones(8), np.arange(8) / 7])
TINY = mp.mpf(10) ** -40


def close(value, expected):
    with mp.workdps(truth.DIGITS):
        return abs(value - expected) <= TINY * max(1, abs(expected))


def test_poisson_means_of_two_groups():
    found = truth.poisson(DESIGN, COUNTS, np.array([1.0, 0.5]))
    with mp.workdps(truth.DIGITS):
        assert close(found.params[0], mp.log(mp.mpf(3)))
        assert close(found.params[1], mp.log(mp.mpf(19) / 12))
        assert close(found.bse_expected[0], 1 / mp.sqrt(12))
        assert close(found.bse_expected[1], mp.sqrt(mp.mpf(1) / 12 + mp.mpf(1) / 19))
        rows = [(y, 3 if g == 0 else mp.mpf(19) / 4) for y, g in zip(COUNTS, GROUP, strict=True)]
        llf = mp.fsum(y * mp.log(mu) - mu - mp.log(mp.factorial(int(y))) for y, mu in rows)
        assert close(found.llf, llf)


def test_identity_and_sqrt_means_of_two_groups():
    identity = truth.poisson(DESIGN, COUNTS, np.array([2.5, 2.0]), link="identity")
    root = truth.poisson(DESIGN, COUNTS, np.array([1.7, 0.5]), link="sqrt")
    with mp.workdps(truth.DIGITS):
        assert close(identity.params[1], mp.mpf(7) / 4)
        assert close(identity.bse_expected[1], mp.sqrt(mp.mpf(3) / 4 + mp.mpf(19) / 16))
        assert close(root.params[0], mp.sqrt(3))
        assert close(root.bse_expected[0], mp.sqrt(mp.mpf(1) / 16))


def test_negbin_fixed_has_the_group_means_for_any_alpha():
    found = truth.negbin_fixed(DESIGN, COUNTS, np.array([1.0, 0.5]), 0.75)
    with mp.workdps(truth.DIGITS):
        assert close(found.params[0], mp.log(mp.mpf(3)))
        variance = (3 + mp.mpf("0.75") * 9) / 4
        assert close(found.bse_expected[0], mp.sqrt(variance) / 3)


def log_likelihood(beta, alpha, link, offset, weights):
    """NB2 from gamma functions, written apart from the module under test."""
    total = mp.mpf(0)
    size = 1 / mp.mpf(alpha)
    for x, y, o, w in zip(SLOPED, COUNTS, offset, weights, strict=True):
        eta = mp.fdot(beta, [mp.mpf(float(v)) for v in x]) + mp.mpf(float(o))
        mu = {"log": mp.exp, "identity": lambda e: e, "sqrt": lambda e: e**2}[link](eta)
        y = mp.mpf(float(y))
        chance = mp.gamma(y + size) / (mp.gamma(size) * mp.factorial(y))
        chance *= (size / (size + mu)) ** size * (mu / (size + mu)) ** y
        total += mp.mpf(float(w)) * mp.log(chance)
    return total


@pytest.mark.parametrize("link", ["log", "identity", "sqrt"])
def test_joint_negbin_against_numerical_derivatives(link):
    offset = np.linspace(0.0, 0.3, 8)
    weights = np.linspace(0.5, 1.5, 8)
    start = {"log": [1.0, 0.5], "identity": [2.5, 2.0], "sqrt": [1.7, 0.4]}[link]
    found = truth.negbin(
        SLOPED, COUNTS, np.array(start), 0.3, link=link, offset=offset, weights=weights
    )
    with mp.workdps(truth.DIGITS):

        def value(*params):
            return log_likelihood(params[:2], params[2], link, offset, weights)

        assert close(found.llf, value(*found.params))
        near = mp.mpf(10) ** -12
        hessian = mp.matrix(3)
        for j in range(3):
            order = tuple(int(place == j) for place in range(3))
            assert abs(mp.diff(value, found.params, order)) < near
            for k in range(3):
                order = tuple((place == j) + (place == k) for place in range(3))
                hessian[j, k] = -mp.diff(value, found.params, order)
        covariance = hessian**-1
        for j in range(3):
            assert abs(mp.sqrt(covariance[j, j]) / found.bse_observed[j] - 1) < near
        alone = 1 / mp.sqrt(hessian[2, 2])
        assert abs(alone / found.bse_expected[2] - 1) < near


def test_weights_are_repetition():
    weights = np.array([1.0, 2.0, 1.0, 3.0, 1.0, 1.0, 2.0, 1.0])
    repeated = np.repeat(np.arange(8), weights.astype(int))
    start = np.array([1.0, 0.5])
    once = truth.negbin(SLOPED, COUNTS, start, 0.3, weights=weights)
    many = truth.negbin(SLOPED[repeated], COUNTS[repeated], start, 0.3)
    assert all(close(a, b) for a, b in zip(once.params, many.params, strict=True))
    assert all(close(a, b) for a, b in zip(once.bse_observed, many.bse_observed, strict=True))
    assert close(once.llf, many.llf)


def test_condition_of_a_correlation():
    matrix = [[mp.mpf(4), mp.mpf(3)], [mp.mpf(3), mp.mpf(9)]]
    assert truth.condition(matrix) == pytest.approx(3.0, rel=1e-14)


def test_no_maximum_is_no_answer():
    apart = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    with pytest.raises((ArithmeticError, ValueError)):
        truth.poisson(DESIGN, apart * COUNTS, np.array([-3.0, 4.0]))
