"""Poisson-inverse Gaussian against Bessel functions in 60 digits, its mixture, and Poisson."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from scipy import integrate, stats

import glmcount as gc
from glmcount.errors import UsageError
from glmcount.families import families, pig, resolve
from tests.families.fits import biochemists, randhie


def ratios(y, v):
    """Sum of log R_j and its two derivatives in log v, by the same recursion in 60 digits."""
    ratio, slope, bend = mp.mpf(1), mp.mpf(0), mp.mpf(0)
    total = [mp.mpf(0)] * 3
    for j in range(1, y):
        odd = (2 * j - 1) * v
        bend = odd + 2 * slope**2 / ratio**3 - bend / ratio**2
        slope = odd - slope / ratio**2
        ratio = 1 / ratio + odd
        parts = (mp.log(ratio), slope / ratio, bend / ratio - (slope / ratio) ** 2)
        total = [a + b for a, b in zip(total, parts, strict=True)]
    return total


def bessel_log_pmf(y, eta, log_alpha):
    mu, shape = mp.exp(eta), mp.exp(-log_alpha)
    c = mp.sqrt(1 + 2 * mu / shape)
    bessel = mp.log(mp.besselk(y - mp.mpf(1) / 2, shape * c))
    front = mp.log(2 * shape / mp.pi) / 2 + shape
    return y * eta - mp.loggamma(y + 1) + front - (y - mp.mpf(1) / 2) * mp.log(c) + bessel


def truth(y, mu, alpha):
    """Value, first and second derivatives; those of the ratios by recursion."""
    with mp.workdps(60):
        eta, log_alpha = mp.log(mp.mpf(mu)), mp.log(mp.mpf(alpha))
        t = mp.exp(eta + log_alpha)
        value, slope, bend = ratios(y, mp.exp(log_alpha) / mp.sqrt(1 + 2 * t))
        k = t / (1 + 2 * t)
        bent = k / (1 + 2 * t)

        def rest(e, a):
            c = mp.sqrt(1 + 2 * mp.exp(e + a))
            return -2 * mp.exp(e) / (1 + c) + y * (e - mp.log(c))

        at, s = (eta, log_alpha), slope * bent
        whole = rest(*at) + value - mp.loggamma(y + 1)
        return [
            float(one)
            for one in (
                whole,
                mp.diff(rest, at, (1, 0)) - k * slope,
                mp.diff(rest, at, (0, 1)) + (1 - k) * slope,
                mp.diff(rest, at, (2, 0)) + k**2 * bend - s,
                mp.diff(rest, at, (1, 1)) - k * (1 - k) * bend - s,
                mp.diff(rest, at, (0, 2)) + (1 - k) ** 2 * bend - s,
            )
        ]


def parts(y, mu, alpha, rows):
    """The same from the family: with a predictor for each row, or one for all."""
    jet = pig.terms(
        np.full((1, 2), float(y)), (np.full(rows, np.log(mu)), np.full(rows, np.log(alpha)))
    )
    value = jet.value + pig.constant(np.full((1, 2), float(y)))
    pairs = ((0, 0), (0, 1), (1, 1))
    return [value[0], *(d[0] for d in jet.d1), *(jet.d2[j][k][0] for j, k in pairs)]


@pytest.mark.parametrize("alpha", [1e-8, 1e-4, 0.3, 5.0, 200.0])
@pytest.mark.parametrize(
    ("y", "mu"), [(0, 0.3), (1, 4.0), (3, 2.7), (40, 25.0), (7, 1e4), (2000, 1e4), (300, 0.1)]
)
def test_sixty_digits(y, mu, alpha):
    expected = np.array(truth(y, mu, alpha))
    # Terms of the size of y and mu are taken from each other.
    scale = max(y, mu) * np.array([1 + abs(np.log(mu)), 1, 1, 1, 1, 1])
    for rows in (1, 2):
        error = np.abs(parts(y, mu, alpha, rows) - expected)
        assert np.all(error <= 2e-12 * np.abs(expected) + 4e-15 * scale)


@pytest.mark.parametrize("alpha", [1e-3, 0.7, 50.0])
@pytest.mark.parametrize("y", [0, 1, 6, 60])
def test_the_recursion_is_that_of_bessel_functions(y, alpha):
    with mp.workdps(60):
        at = (mp.log(mp.mpf(3.2)), mp.log(mp.mpf(alpha)))
        orders = ((1, 0), (0, 1), (2, 0), (1, 1), (0, 2))

        def log_pmf(e, a):
            return bessel_log_pmf(y, e, a)

        expected = [float(log_pmf(*at)), *(float(mp.diff(log_pmf, at, n)) for n in orders)]
    np.testing.assert_allclose(parts(y, 3.2, alpha, 2), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("y", "mu", "alpha"), [(0, 2.0, 0.5), (4, 2.0, 0.5), (9, 5.0, 3.0)])
def test_it_is_the_mixture(y, mu, alpha):
    def density(g):
        return stats.poisson.pmf(y, mu * g) * stats.invgauss.pdf(g, alpha, scale=1 / alpha)

    mixed = integrate.quad(density, 0, 60, limit=300, epsabs=1e-14)[0]
    assert np.exp(parts(y, mu, alpha, 1)[0]) == pytest.approx(mixed, rel=1e-8)


def test_rows_of_many_counts_are_each_their_own():
    rng = np.random.default_rng(6)
    y = rng.integers(0, 120, 200).astype(float)
    etas = (rng.normal(1, 1, 200), rng.normal(0, 2, 200))
    jet = pig.terms(y[None], etas)
    for i in range(0, 200, 13):
        alone = pig.terms(y[None, i : i + 1], (etas[0][i : i + 1], etas[1][i : i + 1]))
        np.testing.assert_allclose(jet.value[i], alone.value[0], rtol=1e-13)
        np.testing.assert_allclose(jet.d1[1][i], alone.d1[1][0], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(jet.d2[1][1][i], alone.d2[1][1][0], rtol=1e-11, atol=1e-13)


def test_no_overflow():
    y = np.array([[0.0, 1.0, 5.0, 1500.0]])
    for alpha in (1e-300, 1e-8, 1.0, 200.0, 1e8):
        for mu in (1e-8, 1.0, 1e4):
            for rows in (1, 4):
                jet = pig.terms(y, (np.full(rows, np.log(mu)), np.full(rows, np.log(alpha))))
                for part in (jet.value, *jet.d1, *jet.d2[0], *jet.d2[1]):
                    assert np.all(np.isfinite(part))


def test_the_mean_that_fits_best_is_not_the_count():
    """Hence no deviance."""
    slope = pig.terms(np.array([[1.0]]), (np.zeros(1), np.zeros(1))).d1[0]
    assert slope[0] > 0.05
    assert pig.deviance is None and pig.expected is None and pig.tails is None


@pytest.mark.parametrize("alpha", [1e-8, 0.5, 20.0])
def test_samples_follow_the_probabilities(alpha):
    etas = (np.full(40_000, 0.7), np.log([alpha]))
    drawn = pig.sample(np.random.default_rng(3), etas)
    y = np.arange(12.0)
    shown = (etas[0][:1], etas[1])
    chances = np.exp(pig.terms(y[None], shown).value + pig.constant(y[None]))
    found = np.bincount(drawn.astype(int), minlength=12)[:12] / len(drawn)
    np.testing.assert_allclose(found, chances, atol=5 * np.sqrt(0.25 / len(drawn)))


def test_fractions_are_refused():
    with pytest.raises(UsageError, match="whole counts"):
        gc.fit("y ~ 1", {"y": [0.5, 1.0, 2.0, 4.0]}, family="pig")


def test_fits():
    assert resolve("poisson_inverse_gaussian") is families["pig"] is pig
    articles = biochemists("pig")
    negbin = biochemists("negbin")
    assert articles.converged and abs(articles.llf - negbin.llf) < 20
    assert articles.params["ment"] == pytest.approx(negbin.params["ment"], rel=0.1)
    assert randhie("pig").llf > randhie("negbin").llf  # a longer tail suits expenses


def test_counts_less_variable_than_poisson():
    y = np.random.default_rng(9).binomial(12, 0.3, 200)
    with pytest.warns(gc.errors.BoundaryWarning):
        assert gc.fit("y ~ 1", {"y": y}, family="pig").params["alpha"] == 0
