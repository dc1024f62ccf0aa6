"""Generalized Poisson against 50 digits, statsmodels, glmmTMB and the Poisson it becomes."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.distributions.discrete import genpoisson_p

import glmcount as gc
from glmcount.errors import UsageError
from glmcount.families import families, genpoisson, genpoisson2, resolve
from tests.families.fits import biochemists, randhie

UNDER = genpoisson(power=2, under=True)


def truth(y, mu, a):
    """log f(y) of GP-2 with its derivatives in log mu and a."""

    def log_pmf(eta, a):
        m = mp.exp(eta)
        rate = m * (1 + a * y) / (1 + a * m)
        power = (y - 1) * mp.log1p(a * y)
        return y * (eta - mp.log1p(a * m)) + power - rate - mp.loggamma(y + 1)

    with mp.workdps(50):
        at = (mp.log(mp.mpf(mu)), mp.mpf(a))
        orders = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))
        return [float(mp.diff(log_pmf, at, n) if any(n) else log_pmf(*at)) for n in orders]


def parts(family, y, etas):
    jet = family.terms(y, etas)
    pairs = ((0, 0), (0, 1), (1, 1))
    value = (jet.value + family.constant(y))[0]
    return [value, *(d[0] for d in jet.d1), *(jet.d2[j][k][0] for j, k in pairs)]


@pytest.mark.parametrize("a", [-0.02, -1e-6, 0.0, 1e-12, 1e-4, 0.3, 20.0, 1e6])
@pytest.mark.parametrize(("y", "mu"), [(0, 0.3), (1, 4.0), (3, 2.7), (40, 25.0), (9000, 1e4)])
def test_fifty_digits(y, mu, a):
    if 1 + a * max(y, mu) <= 0:
        assert UNDER.terms(np.array([[float(y)]]), (np.log([mu]), np.array([a]))).value == -np.inf
        return
    found = parts(UNDER, np.array([[float(y)]]), (np.log([mu]), np.array([a])))
    scale = np.array([mu, mu, mu * mu, mu, mu * mu, mu**3 / (1 + abs(a))])
    expected = np.array(truth(y, mu, a))
    assert np.all(np.abs(found - expected) <= 1e-12 * np.abs(expected) + 1e-14 * scale)


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("alpha", [1e-9, 0.2, 5.0])
def test_alpha_and_its_logarithm_agree(power, alpha):
    rng = np.random.default_rng(1)
    y, eta = rng.integers(0, 30, (1, 50)).astype(float), rng.normal(1, 1, 50)
    log = genpoisson(power=power).terms(y, (eta, np.log([alpha])))
    plain = genpoisson(power=power, under=True).terms(y, (eta, np.array([alpha])))
    np.testing.assert_allclose(log.value, plain.value, rtol=1e-12)
    np.testing.assert_allclose(log.d1[1], alpha * plain.d1[1], rtol=1e-9)
    second = alpha**2 * plain.d2[1][1] + alpha * plain.d1[1]
    np.testing.assert_allclose(log.d2[1][1], second, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("p", [1, 2])
def test_probabilities_of_statsmodels(p):
    y = np.arange(30.0)
    for mu, alpha in ((0.5, 0.1), (4.0, 1.0), (8.0, 0.01)):
        etas = (np.full(30, np.log(mu)), np.log([alpha]))
        family = genpoisson(power=p)
        found = family.terms(y[None], etas).value + family.constant(y[None])
        np.testing.assert_allclose(np.exp(found), genpoisson_p.pmf(y, mu, alpha, p), rtol=1e-11)


def test_names():
    assert resolve("gp") is resolve("gp1") is families["genpoisson"]
    assert resolve("gp2") is genpoisson(power=2) is genpoisson2
    assert genpoisson2.deviance and genpoisson().deviance is None
    assert genpoisson(under=True).limits == ()
    assert "not normalised" in genpoisson(under=True).label
    with pytest.raises(UsageError, match="genpoisson2"):
        genpoisson(power=np.nan)


def test_samples_of_less_than_poisson_variance():
    eta, a = np.full(40_000, np.log(6.0)), np.array([-0.05])
    drawn = UNDER.sample(np.random.default_rng(3), (eta, a))
    y = np.arange(20.0)
    chances = np.exp(UNDER.terms(y[None], (eta[:20], a)).value + UNDER.constant(y[None]))
    found = np.bincount(drawn.astype(int), minlength=20) / len(drawn)
    assert found.shape == (20,)  # 1 + a y > 0
    np.testing.assert_allclose(found, chances, atol=0.012)


def test_samples_follow_the_probabilities():
    etas = (np.full(40_000, 1.0), np.log([0.5]))
    drawn = genpoisson2.sample(np.random.default_rng(3), etas)
    y = np.arange(12.0)
    chances = np.exp(genpoisson2.terms(y[None], (etas[0][:12], etas[1])).value)
    chances *= np.exp(genpoisson2.constant(y[None]))
    found = np.bincount(drawn.astype(int))[:12] / len(drawn)
    np.testing.assert_allclose(found, chances, atol=5 * np.sqrt(0.2 / len(drawn)))


def test_counts_less_variable_than_poisson():
    rng = np.random.default_rng(9)
    x = rng.normal(size=400)
    y = rng.binomial(12, 1 / (1 + np.exp(0.8 - 0.2 * x)))
    found = gc.fit("y ~ x", {"y": y, "x": x}, family=genpoisson(under=True))
    model = sm.GeneralizedPoisson(y, sm.add_constant(x), p=1)
    np.testing.assert_allclose(model.score(found.params.to_numpy()), 0.0, atol=1e-6)
    assert found.llf == pytest.approx(model.loglike(found.params.to_numpy()), rel=1e-12)
    assert found.params["alpha"] < -0.1
    with pytest.warns(gc.errors.BoundaryWarning):
        assert gc.fit("y ~ x", {"y": y, "x": x}, family="genpoisson").params["alpha"] == 0


def test_randhie():
    """Stata's gnpoisson as statsmodels' tests have it; Stata's columns are in single precision."""
    result = randhie("genpoisson2")
    assert result.llf == pytest.approx(-43326.42720093228, rel=1e-9)
    assert result.params["alpha"] == pytest.approx(0.448085318, rel=1e-6)
    assert result.params["hlthp"] == pytest.approx(0.151980519, rel=1e-4)


def test_glmmtmb():
    """R 4.2.2, glmmTMB 1.1.5, family = genpois(), whose sigma is (1 + alpha)^2."""
    result = biochemists("genpoisson")
    assert result.llf == pytest.approx(-1563.869076858783, rel=1e-10)
    assert (1 + result.params["alpha"]) ** 2 == pytest.approx(1.8208062228, rel=1e-6)
    assert result.params["ment"] == pytest.approx(0.02396275582, rel=1e-6)
    assert result.bse["ment"] == pytest.approx(0.0026113411, rel=1e-3)  # its differences
    # statsmodels' Hessian at the same estimates
    assert result.bse["ment"] == pytest.approx(0.00261213, rel=2e-6)
    assert result.bse["alpha"] == pytest.approx(0.03960074, rel=2e-7)
