"""The Conway-Maxwell-Poisson against sums at 50 digits, its special cases and another program."""

from __future__ import annotations

import warnings

import mpmath as mp
import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.families import compoisson, geometric, poisson
from glmcount.families.conway import law, log_lambda, log_normaliser
from glmcount.numerics import EPS

MEANS = [1e-3, 1.0, 1.5, 30.0, 1e3, 1e6]
SHAPES = [0.05, 0.4, 1.0, 3.0, 20.0]
EDGES = [(0.3, 0.001), (30.0, 0.001), (1.0, 50.0), (30.0, 50.0), (1e3, 50.0), (1e12, 7.0)]


def one(value):
    return np.array([value])


class Exact:
    """The distribution with a mean, by sums at 50 digits; Newton's method finds lambda."""

    def __init__(self, mu, nu, near):
        self.mu, self.nu = mp.mpf(mu), mp.mpf(nu)
        spread = float(mp.sqrt(self.mu * (1 + self.mu) / (1 + self.nu * self.mu)))
        # Wide and far from zero a sum is its integral, and that a sum over any fine grid:
        # what is lost is exp(-2 pi^2 (spread / step)^2).
        low, step = self.mu - 16 * spread, mp.mpf(max(1.0, spread / 2.4))
        if low < 0 or step == 1:
            low, step = mp.mpf(max(0, int(low))), mp.mpf(1)
        count = int((16 * spread - low + self.mu) / step) + (120 if step == 1 else 1)
        if nu < 0.01:
            count = int(120 / np.log1p(1 / float(mu)))
        self.points = [low + step * k for k in range(count)]
        centre, self.step = mp.mpf(round(float(mu))), step
        self.points = [y - centre for y in self.points]
        self.centre = centre
        self.log = [mp.loggamma(y + centre + 1) for y in self.points]
        self.rate = mp.mpf(near)
        for _ in range(4):
            first, second = self.solve()
            self.rate += (self.mu - centre - first) / (second - first**2)
        first, second = self.solve()
        self.variance = second - first**2

    def solve(self):
        top = self.centre * self.rate - self.nu * mp.loggamma(self.centre + 1)
        terms = [
            mp.exp((y + self.centre) * self.rate - self.nu * t - top)
            for y, t in zip(self.points, self.log, strict=True)
        ]
        total = mp.fsum(terms)
        self.log_z = mp.log(total * self.step) + top
        first = mp.fsum(w * y for w, y in zip(terms, self.points, strict=True)) / total
        return first, mp.fsum(w * y * y for w, y in zip(terms, self.points, strict=True)) / total

    def log_mass(self, y):
        return y * self.rate - self.nu * mp.loggamma(mp.mpf(y) + 1) - self.log_z


def apart(found, exact):
    return float(abs((mp.mpf(float(found)) - exact) / exact))


@pytest.mark.parametrize(("mu", "nu"), [(m, n) for m in MEANS for n in SHAPES] + EDGES)
def test_sums_have_the_digits_of_exact_ones(mu, nu):
    with mp.workdps(50):
        rate = log_lambda(one(mu), one(nu))[0]
        exact = Exact(mu, nu, rate)
        assert abs(float(exact.rate - mp.mpf(float(rate)))) <= 4e-14 * (1 + abs(rate))
        assert apart(log_normaliser(one(mu), one(nu))[0], exact.log_z) <= 1e-13
        assert apart(law(one(mu), one(nu)).variance[0], exact.variance) <= 1e-12 + EPS * np.sqrt(
            nu * mu
        )


@pytest.mark.parametrize(
    ("mu", "nu", "y"), [(0.4, 0.2, 3), (2.5, 3.0, 0), (7.0, 0.7, 20), (900.0, 2.0, 950)]
)
def test_the_jet_has_the_derivatives_of_exact_sums(mu, nu, y):
    step = mp.mpf(10) ** -12
    etas = one(np.log(mu)), one(np.log(nu))
    jet = compoisson.terms(np.full((1, 1), float(y)), etas)
    near = log_lambda(one(mu), one(nu))[0]
    with mp.workdps(50):

        def value(i, j):
            m, n = (
                mp.exp(mp.mpf(float(e[0])) + k * step) for e, k in zip(etas, (i, j), strict=True)
            )
            return Exact(m, n, near).log_mass(y)

        grid = {(i, j): value(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)}
        first = [(grid[1, 0] - grid[-1, 0]), (grid[0, 1] - grid[0, -1])]
        straight = [
            grid[1, 0] - 2 * grid[0, 0] + grid[-1, 0],
            grid[0, 1] - 2 * grid[0, 0] + grid[0, -1],
        ]
        crossed = grid[1, 1] - grid[1, -1] - grid[-1, 1] + grid[-1, -1]
        assert apart(jet.value[0], grid[0, 0]) <= 1e-13
        for k in (0, 1):
            assert apart(jet.d1[k][0], first[k] / (2 * step)) <= 1e-11
            assert apart(jet.d2[k][k][0], straight[k] / step**2) <= 1e-11
        assert apart(jet.d2[0][1][0], crossed / (4 * step**2)) <= 1e-11


def test_shape_one_is_poisson():
    eta = np.log(np.geomspace(1e-3, 1e6, 200))
    y = np.round(np.exp(eta) * 1.3)[None]
    found, exact = compoisson.terms(y, (eta, one(0.0))), poisson.terms(y, (eta,))
    log_mass = exact.value + poisson.constant(y)
    # The Poisson value itself is a difference of numbers of the size of y log y.
    np.testing.assert_allclose(found.value, log_mass, rtol=1e-12, atol=1e-15 * y.max() * 30)
    np.testing.assert_allclose(found.d1[0], exact.d1[0], rtol=1e-10)
    np.testing.assert_allclose(found.d2[0][0], exact.d2[0][0], rtol=1e-10)
    mean, variance = compoisson.moments((eta, one(0.0)))
    np.testing.assert_allclose(variance.value, mean.value, rtol=1e-13)
    np.testing.assert_allclose(
        compoisson.deviance(y, (eta, one(0.0))), poisson.deviance(y, (eta,)), rtol=1e-11, atol=2e-14
    )


def test_shape_zero_is_geometric():
    mu = np.geomspace(1e-6, 1e12, 100)
    found = law(mu, np.zeros(1))
    np.testing.assert_allclose(found.rho, -np.log1p(1 / mu), rtol=1e-13)
    np.testing.assert_allclose(found.log_z, np.log1p(mu) - found.centre * found.rho, rtol=1e-13)
    np.testing.assert_allclose(found.variance, mu * (1 + mu), rtol=1e-13)


def test_the_score_at_shape_zero_is_that_of_sums():
    eta, y = np.log([0.3, 4.0]), np.array([[2.0, 9.0]])
    score, information = compoisson.limits[0].score(y, (eta,))
    support = np.arange(600.0)
    log_factorial = np.cumsum(np.log(np.maximum(support, 1.0)))
    for k in range(2):
        mass = np.exp(geometric.terms(support[None], (eta[k : k + 1],)).value)
        gap = support - np.exp(eta[k])
        centred = log_factorial - np.dot(mass, log_factorial)
        slope = np.dot(mass, gap * centred) / np.dot(mass, gap * gap)
        residual = centred - slope * gap
        assert score[k] == pytest.approx(-residual[int(y[0, k])], rel=1e-11)
        assert information[k] == pytest.approx(np.dot(mass, residual**2), rel=1e-11)


@pytest.mark.parametrize(("mu", "nu"), [(0.2, 5.0), (3.0, 0.05), (40.0, 20.0), (1e6, 0.5)])
def test_draws_have_the_distribution(mu, nu):
    etas = np.full(20_000, np.log(mu)), one(np.log(nu))
    drawn = compoisson.sample(np.random.default_rng(5), etas)
    deviation = np.sqrt(law(one(mu), one(nu)).variance[0])
    assert abs(drawn.mean() - mu) <= 4 * deviation / np.sqrt(drawn.size)
    assert drawn.std() == pytest.approx(deviation, rel=0.04)
    counts, times = np.unique(drawn, return_counts=True)
    etas = np.full(counts.size, np.log(mu)), one(np.log(nu))
    expected = drawn.size * np.exp(compoisson.terms(counts[None], etas).value)
    frequent = expected > 20
    assert np.all(np.abs(times - expected)[frequent] <= 4.5 * np.sqrt(expected[frequent]))


def test_a_row_does_not_depend_on_the_others():
    rng = np.random.default_rng(2)
    mu, nu = rng.uniform(0.01, 40, 300), np.exp(rng.uniform(-2, 2, 300))
    together = law(mu, nu)
    twice = law(np.tile(mu, 3), np.tile(nu, 3))
    for k in (0, 17, 211):
        alone = law(mu[k : k + 1], nu[k : k + 1])
        assert alone.log_z[0] == pytest.approx(together.log_z[k], rel=1e-14)
        assert alone.yrr[0] == pytest.approx(together.yrr[k], rel=1e-12)
        assert twice.yrr[k + 300] == pytest.approx(together.yrr[k], rel=1e-12)


@pytest.mark.parametrize(
    ("mu", "nu"), [(1e-300, 1.0), (1e17, 1.0), (np.inf, 1.0), (2.0, 101.0), (np.nan, 1.0)]
)
def test_outside_the_domain_is_nan(mu, nu):
    assert np.isnan(compoisson.terms(np.ones((1, 1)), (one(np.log(mu)), one(np.log(nu)))).value[0])


@pytest.mark.parametrize("nu", [0.1, 1.0, 12.0])
def test_a_fit_finds_either_dispersion(nu):
    rng = np.random.default_rng(8)
    x = rng.normal(size=800)
    y = compoisson.sample(rng, (0.8 + 0.4 * x, one(np.log(nu))))
    result = gc.fit("y ~ x", pd.DataFrame({"y": y, "x": x}), family="cmp")
    assert result.converged
    assert result.certificate.rho <= 1e-6
    truth = np.array([0.8, 0.4, nu])
    assert np.all(np.abs(result.params - truth) <= 4 * result.bse)


def test_data_more_variable_than_geometric_are_at_the_boundary():
    rng = np.random.default_rng(4)
    y = rng.poisson(3.0 * rng.gamma(0.2, 5.0, 300))
    data = pd.DataFrame({"y": y, "x": rng.normal(size=300)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.BoundaryWarning)
        result = gc.fit("y ~ x", data, family="compoisson")
    assert result.llf == pytest.approx(gc.fit("y ~ x", data, family="geometric").llf, rel=1e-13)


def test_another_program_finds_the_same_maximum():
    """R 4.2.2, glmmTMB 1.1.5: glmmTMB(art ~ fem + mar + kid5 + phd + ment, family = compois())."""
    data = gc.datasets.load("biochemists")
    result = gc.fit("art ~ fem + mar + kid5 + phd + ment", data, family="compois")
    assert result.llf == pytest.approx(-1565.378786508040, rel=1e-11)
    assert 1 / result.params["nu"] == pytest.approx(3.4043463682, rel=1e-4)
    expected = [0.42559502389, -0.21921991076, -0.15294120465, -0.18045353611, 0.01612881276]
    np.testing.assert_allclose(result.params.iloc[:5], expected, rtol=1e-4)
    errors = [0.126339761138, 0.072918876096, 0.082281027453, 0.053234752049, 0.035726846706]
    np.testing.assert_allclose(result.bse.iloc[:5], errors, rtol=1e-4)
