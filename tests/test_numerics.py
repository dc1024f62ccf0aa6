"""Numerics against 50 digits, differences and closed forms."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from scipy import special

from glmcount import numerics as nm

ALPHAS = [1e-12, 1e-8, 1e-5, 1e-3, 0.05, 0.0999, 0.1001, 0.5, 3.0, 50.0]
COUNTS = [2.0, 3.0, 7.0, 50.0, 1000.0, 2.5, 1e5, 1e8]


def rising_truth(y, alpha):
    with mp.workdps(80):
        y, alpha = mp.mpf(y), mp.mpf(alpha)
        r = 1 / alpha
        one, two = mp.psi(0, y + r) - mp.psi(0, r), mp.psi(1, y + r) - mp.psi(1, r)
        value = mp.loggamma(y + r) - mp.loggamma(r) - y * mp.log(r)
        return [float(v) for v in (value, y - r * one, r * one + r * r * two)]


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("y", COUNTS)
def test_log_rising(alpha, y):
    truth = rising_truth(y, alpha)
    tabled = nm.log_rising(np.array([y]), np.array([alpha]))
    direct = nm.log_rising(np.full(2, y), np.full(2, alpha))
    for found in (tabled, direct):
        np.testing.assert_allclose([part[0] for part in found], truth, rtol=1e-13)


def test_the_textbook_difference_would_fail():
    alpha, y = 1e-12, 7.0
    textbook = special.gammaln(y + 1 / alpha) - special.gammaln(1 / alpha) + y * np.log(alpha)
    (truth, _, _) = rising_truth(y, alpha)
    assert abs(textbook - truth) > 1e3 * abs(truth)


@pytest.mark.parametrize("x", [1e-3, 0.5, 1.0, 10.0, 1e3, 1e8])
def test_trigamma(x):
    assert nm.trigamma(np.array([x]))[0] == pytest.approx(float(mp.psi(1, x)), rel=3e-15)


@pytest.mark.parametrize("t", [1e-18, 1e-5, 0.0999, 0.1001, 0.5, 1e6])
def test_log1p_helpers(t):
    with mp.workdps(50):
        exact = mp.mpf(t)
        ratio = mp.log1p(exact) / exact
        gap, slope = float(1 - ratio), float(ratio - 1 / (1 + exact))
    assert nm.log1p_gap(np.array([t]))[0] == pytest.approx(gap, rel=5e-15)
    assert nm.log1p_slope(np.array([t]))[0] == pytest.approx(slope, rel=5e-15)


def test_tails_keep_their_digits():
    with mp.workdps(50):
        truth = float(mp.erfc(mp.mpf(30) / mp.sqrt(2)))
    assert nm.normal_tail(np.array([30.0]))[0] == pytest.approx(truth, rel=1e-12)
    assert nm.student_tail(np.array([40.0]), 10.0)[0] > 0
    assert nm.chi2_tail(1000.0, 3) > 0
    assert nm.normal_quantile(0.05) == pytest.approx(1.959963984540054, rel=1e-15)
    assert nm.student_quantile(0.05, 5.0) == pytest.approx(2.570581835636314, rel=1e-12)


def test_jet_algebra_is_calculus():
    etas = (np.array([0.3, -0.7]), np.array([0.1, 0.9]))

    def jet(shifted):
        a, b = nm.exp_jet(nm.eta_jet(shifted, 0)), nm.exp_jet(nm.eta_jet(shifted, 1))
        return a * b * a + b

    step = 1e-5
    found = jet(etas)
    for k in range(2):
        up = jet(tuple(e + step * (j == k) for j, e in enumerate(etas)))
        down = jet(tuple(e - step * (j == k) for j, e in enumerate(etas)))
        np.testing.assert_allclose(found.d1[k], (up.value - down.value) / (2 * step), rtol=1e-8)
        for j in range(2):
            np.testing.assert_allclose(
                found.d2[j][k], (up.d1[j] - down.d1[j]) / (2 * step), rtol=1e-7, atol=1e-10
            )


def test_factor_does_not_mind_scales():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 4)) * [1e-8, 1.0, 1e6, 1e-3]
    gram = x.T @ x
    found = nm.factor(gram)
    assert found is not None
    scale = np.sqrt(np.diag(gram))
    truth = 1.0 / scale
    np.testing.assert_allclose(found.solve(gram @ truth), truth, rtol=1e-12)
    unity = scale[:, None] * found.inverse() * scale @ (gram / scale[:, None] / scale)
    np.testing.assert_allclose(unity, np.eye(4), atol=1e-13)
    unit = x / np.sqrt(np.diag(gram))
    values = np.linalg.eigvalsh(unit.T @ unit)
    assert nm.condition_number(gram) == pytest.approx(values[-1] / values[0], rel=1e-10)
    assert nm.factor(-gram) is None
    assert nm.condition_number(np.ones((2, 2))) > 1e14
