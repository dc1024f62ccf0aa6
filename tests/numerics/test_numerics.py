"""Numerics against 50 digits, differences and closed forms."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from scipy import special

from glmcount.families import rising
from glmcount.numerics.factor import Factored, condition_number, factor
from glmcount.numerics.jets import constant_jet, eta_jet, exp_jet
from glmcount.numerics.special import log1p_gap, log1p_slope
from glmcount.numerics.tails import (
    chi2_tail,
    normal_quantile,
    normal_tail,
    student_quantile,
    student_tail,
)

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
    tabled = rising.log_rising(np.array([y]), np.array([alpha]))
    direct = rising.log_rising(np.full(2, y), np.full(2, alpha))
    for found in (tabled, direct):
        np.testing.assert_allclose([part[0] for part in found], truth, rtol=1e-13)


def test_the_textbook_difference_would_fail():
    alpha, y = 1e-12, 7.0
    textbook = special.gammaln(y + 1 / alpha) - special.gammaln(1 / alpha) + y * np.log(alpha)
    (truth, _, _) = rising_truth(y, alpha)
    assert abs(textbook - truth) > 1e3 * abs(truth)


@pytest.mark.parametrize("x", [1e-3, 0.5, 1.0, 10.0, 1e3, 1e8])
def test_trigamma(x):
    assert rising.trigamma(np.array([x]))[0] == pytest.approx(float(mp.psi(1, x)), rel=3e-15)


@pytest.mark.parametrize("t", [1e-18, 1e-5, 0.0999, 0.1001, 0.5, 1e6])
def test_log1p_helpers(t):
    with mp.workdps(50):
        exact = mp.mpf(t)
        ratio = mp.log1p(exact) / exact
        gap, slope = float(1 - ratio), float(ratio - 1 / (1 + exact))
    assert log1p_gap(np.array([t]))[0] == pytest.approx(gap, rel=5e-15)
    assert log1p_slope(np.array([t]))[0] == pytest.approx(slope, rel=5e-15)


def test_tails_keep_their_digits():
    with mp.workdps(50):
        truth = float(mp.erfc(mp.mpf(30) / mp.sqrt(2)))
    assert normal_tail(np.array([30.0]))[0] == pytest.approx(truth, rel=1e-12)
    assert student_tail(np.array([40.0]), 10.0)[0] > 0
    assert chi2_tail(1000.0, 3) > 0
    assert normal_quantile(0.05) == pytest.approx(1.959963984540054, rel=1e-15)
    assert student_quantile(0.05, 5.0) == pytest.approx(2.570581835636314, rel=1e-12)


def test_jet_algebra_is_calculus():
    etas = (np.array([0.3, -0.7]), np.array([0.1, 0.9]))

    def jet(shifted):
        a, b = exp_jet(eta_jet(shifted, 0)), exp_jet(eta_jet(shifted, 1))
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
    found = factor(gram)
    assert found is not None
    scale = np.sqrt(np.diag(gram))
    truth = 1.0 / scale
    np.testing.assert_allclose(found.solve(gram @ truth), truth, rtol=1e-12)
    unity = scale[:, None] * found.inverse() * scale @ (gram / scale[:, None] / scale)
    np.testing.assert_allclose(unity, np.eye(4), atol=1e-13)
    unit = x / np.sqrt(np.diag(gram))
    values = np.linalg.eigvalsh(unit.T @ unit)
    assert condition_number(gram) == pytest.approx(values[-1] / values[0], rel=1e-10)
    assert factor(-gram) is None
    assert condition_number(np.ones((2, 2))) > 1e14


@pytest.mark.parametrize("alpha", [1e-10, 0.3, 500.0])
def test_log_rising_of_small_counts(alpha):
    y = np.array([0.0, 1.0, 2.0, 5.0])
    value, first, second = rising.log_rising(y, np.array([alpha]))
    np.testing.assert_array_equal([value[:2], first[:2], second[:2]], 0.0)
    j = np.arange(5) * alpha
    assert value[3] == pytest.approx(np.log1p(j).sum(), rel=1e-14)
    assert first[3] == pytest.approx((j / (1 + j)).sum(), rel=1e-14)
    assert second[3] == pytest.approx((j / (1 + j) ** 2).sum(), rel=1e-14)


def test_log_rising_takes_an_alpha_for_each_row():
    y = np.array([2.0, 2.0, 9.0, 9.0, 0.5])
    alpha = np.array([1e-9, 4.0, 0.1, 0.100001, 1e-3])
    found = np.array(rising.log_rising(y, alpha))
    truth = np.array([rising_truth(*pair) for pair in zip(y, alpha, strict=True)]).T
    np.testing.assert_allclose(found, truth, rtol=1e-13)


def test_log_rising_of_whole_and_broken_counts_meet():
    whole = rising.log_rising(np.array([40.0]), np.array([0.7]))
    near = rising.log_rising(np.array([40.0 + 1e-9]), np.array([0.7]))
    np.testing.assert_allclose(near, whole, rtol=1e-9)


def test_normal_tail_over_its_range():
    z = np.array([0.0, 1e-9, 1.0, 8.3, 20.0, 37.0])
    with mp.workdps(50):
        truth = [float(mp.erfc(mp.mpf(float(one)) / mp.sqrt(2))) for one in z]
    np.testing.assert_allclose(normal_tail(z), truth, rtol=1e-12)
    np.testing.assert_array_equal(normal_tail(-z), normal_tail(z))
    assert 1.0 - special.ndtr(8.5) == 0.0
    assert normal_tail(np.array([37.5]))[0] > 0.0


def test_tails_and_quantiles_undo_each_other():
    for alpha in (1e-12, 0.01, 0.5, 0.99):
        z = normal_quantile(alpha)
        assert normal_tail(np.array([z]))[0] == pytest.approx(alpha, rel=1e-11)
        for df in (1.0, 7.0, 4000.0):
            t = student_quantile(alpha, df)
            assert student_tail(np.array([t]), df)[0] == pytest.approx(alpha, rel=1e-9)


def test_chi2_tail_against_gamma():
    for x, df in ((0.0, 3), (0.5, 1), (30.0, 2), (900.0, 5)):
        with mp.workdps(50):
            truth = float(mp.gammainc(mp.mpf(df) / 2, mp.mpf(x) / 2, regularized=True))
        assert chi2_tail(x, df) == pytest.approx(truth, rel=1e-12)
    assert chi2_tail(-1e-12, 2) == 1.0
    assert chi2_tail(5.0, 0) == 1.0


def test_a_constant_jet_leaves_derivatives_to_the_rest():
    etas = (np.array([0.2, 1.0]), np.array([0.0, -1.0]))
    product = constant_jet(np.array([3.0]), 2) * exp_jet(eta_jet(etas, 0))
    np.testing.assert_allclose(product.d1[0], 3 * np.exp(etas[0]))
    assert product.d1[1] is None and product.d2[0][1] is None
    assert (constant_jet(np.ones(1), 2) + constant_jet(np.ones(1), 2)).d1 == (None, None)


def test_factor_refuses_what_is_not_definite():
    for matrix in ([[0.0]], [[np.nan]], [[np.inf]], [[1.0, 1.0], [1.0, -1.0]]):
        assert factor(np.array(matrix)) is None
    empty = np.empty((0, 0))
    assert condition_number(empty) == 1.0
    assert condition_number(np.array([[4.0, 0.0], [0.0, 1e-12]])) == pytest.approx(1.0)
    assert condition_number(np.array([[1.0, 0.0], [0.0, 0.0]])) == np.inf


def test_the_inverse_is_symmetric_to_the_last_bit():
    x = np.random.default_rng(1).normal(size=(40, 6))
    inverse = factor(x.T @ x).inverse()
    np.testing.assert_array_equal(inverse, inverse.T)
    several = factor(x.T @ x).solve(np.eye(6))
    np.testing.assert_allclose(several, inverse, rtol=1e-10, atol=1e-14)


def test_the_determinant_bounds_the_condition_number():
    rng = np.random.default_rng(11)
    for size in range(1, 13):
        for mixed in (0.0, 0.3, 0.9, 0.999):
            rows = rng.normal(size=(3 * size, size))
            rows += mixed * rows[:, :1] * rng.uniform(0.5, 20.0, size)
            gram = np.dot(rows.T, rows) * np.multiply.outer(*2 * [10.0 ** rng.uniform(-6, 6, size)])
            found = factor(gram)
            assert found is not None
            one = gram * np.multiply.outer(found.scale, found.scale)
            norm = np.abs(one).sum(axis=0).max() * np.abs(np.linalg.inv(one)).sum(axis=0).max()
            assert norm * (1.0 - 1e-12) <= found.condition_bound()
    assert Factored(np.eye(2), np.ones(2), np.zeros(2)).condition_bound() == np.inf


@pytest.mark.parametrize("size", [1e-150, 1e-110, 1e-60, 1.0, 1e60, 1e110, 1e150])
def test_an_inverse_keeps_its_digits_at_every_size(size):
    plain = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]])
    scale = np.array([1.0, size, 1.0])
    found = factor(plain * np.multiply.outer(scale, scale))
    assert found is not None
    inverse = found.inverse()
    expected = np.linalg.inv(plain)
    np.testing.assert_allclose(inverse * scale * scale[:, None], expected, rtol=1e-13)
    assert np.array_equal(inverse, inverse.T)
