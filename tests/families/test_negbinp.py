"""NB1 and NB-P against 50 digits, statsmodels and the Poisson they become."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.datasets import randhie as rand
from statsmodels.distributions.discrete import nbinom

import glmcount as gc
from glmcount.errors import UsageError
from glmcount.families import families, negbin, negbin1, negbinp, resolve
from tests.families.fits import biochemists, randhie


def truth(y, mu, alpha, power):
    """log f(y), with its first derivatives in log mu, log alpha and the power."""

    def log_pmf(eta, log_alpha, p):
        a = mp.exp(log_alpha + (p - 2) * eta)
        r, m = 1 / a, mp.exp(eta)
        choose = mp.loggamma(y + r) - mp.loggamma(r) - mp.loggamma(y + 1)
        return choose + y * (eta + mp.log(a)) - (y + r) * mp.log1p(a * m)

    with mp.workdps(60):
        at = (mp.log(mp.mpf(mu)), mp.log(mp.mpf(alpha)), mp.mpf(power))
        orders = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (2, 0, 0), (1, 1, 0), (0, 2, 0))
        return [float(mp.diff(log_pmf, at, n) if any(n) else log_pmf(*at)) for n in orders]


@pytest.mark.parametrize("alpha", [1e-10, 1e-4, 0.3, 20.0])
@pytest.mark.parametrize(("y", "mu"), [(0, 0.3), (3, 2.7), (40, 25.0), (900, 1000.0)])
@pytest.mark.parametrize("power", [1.0, 1.7])
def test_fifty_digits(y, mu, alpha, power):
    count = np.array([[float(y)]])
    etas = (np.log([mu]), np.log([alpha]), np.array([power]))
    family = families["negbinp"]
    jet = family.terms(count, etas)
    found = [
        (jet.value + family.constant(count))[0],
        *(first[0] for first in jet.d1),
        *(jet.d2[j][k][0] for j, k in ((0, 0), (0, 1), (1, 1))),
    ]
    np.testing.assert_allclose(found, truth(y, mu, alpha, power), rtol=2e-11, atol=1e-14 * mu)
    fixed = negbinp(power=power).terms(count, etas[:2])
    np.testing.assert_allclose(fixed.value, jet.value, rtol=1e-14)
    np.testing.assert_allclose(fixed.d2[0][0], jet.d2[0][0], rtol=1e-12)


def test_powers_one_and_two_are_nb1_and_nb2():
    rng = np.random.default_rng(2)
    y, etas = rng.integers(0, 20, (1, 9)).astype(float), (rng.normal(size=9), rng.normal(size=9))
    two = negbinp(power=2).terms(y, etas)
    np.testing.assert_allclose(two.value, negbin().terms(y, etas).value, rtol=1e-14)
    mu, alpha = np.exp(etas[0]), np.exp(etas[1])
    chances = nbinom.pmf(y[0], mu / alpha, 1.0 / (1.0 + alpha))
    found = negbin1.terms(y, etas).value + negbin1.constant(y)
    np.testing.assert_allclose(np.exp(found), chances, rtol=1e-11)
    _, variance = negbin1.moments(etas)
    np.testing.assert_allclose(variance.value, mu * (1 + alpha), rtol=1e-14)
    assert resolve("nb1") is negbin1 and resolve("nbp") is negbinp()


def test_no_deviance_no_expectation():
    for family in (negbin1, negbinp(), negbinp(power=1.5)):
        assert family.deviance is None and family.expected is None
    assert negbinp().limits[0].lost == (2,)


@pytest.mark.parametrize("power", [np.inf, "2", np.nan])
def test_a_power_is_a_number(power):
    with pytest.raises(UsageError, match="negbin1"):
        negbinp(power=power)


def test_randhie():
    """statsmodels: NegativeBinomial(loglike_method="nb1"), in its own tests from Stata."""
    result = randhie("negbin1")
    assert result.llf == pytest.approx(-43278.75612911823, rel=1e-12)
    assert result.params["alpha"] == pytest.approx(3.731151380800305, rel=1e-8)


def test_an_estimated_power():
    """statsmodels' NegativeBinomialP has no score left at these estimates, its p held there."""
    nb1 = randhie("negbin1")
    beta = nb1.params.to_numpy()
    start = [*beta[:-1], np.log(beta[-1]), 1.5]
    result = randhie("negbinp", start=start)
    found = result.params.to_numpy()
    assert result.converged and result.llf > nb1.llf + 20
    data = rand.load_pandas()
    model = sm.NegativeBinomialP(data.endog, sm.add_constant(data.exog), p=found[-1])
    assert result.llf == pytest.approx(model.loglike(found[:-1]), rel=1e-11)
    np.testing.assert_allclose(model.score(found[:-1]), 0.0, atol=1e-4)
    for power in (found[-1] - 0.01, found[-1] + 0.01):
        aside = randhie(negbinp(power=float(power))).llf
        assert aside == pytest.approx(
            result.llf - 0.5 * (0.01 / result.bse["power"]) ** 2, rel=1e-7
        )


def test_glmmtmb():
    """R 4.2, glmmTMB 1.1.5, family = nbinom1(); its dispersion is alpha."""
    result = biochemists("negbin1")
    assert result.llf == pytest.approx(-1564.698735352549, rel=1e-8)


def test_a_poisson_sample_is_answered_by_poisson():
    rng = np.random.default_rng(4)
    x = rng.normal(size=300)
    y = rng.binomial(8, 0.3 + 0.1 * (x > 0))
    with pytest.warns(gc.errors.BoundaryWarning):
        result = gc.fit("y ~ x", {"y": y, "x": x}, family="negbin1")
    assert result.params["alpha"] == 0
