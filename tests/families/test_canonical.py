"""The negative binomial's canonical link: published fits, and what it must have in common."""

from __future__ import annotations

import numpy as np
import pytest

import glmcount as gc

FORMULA = "Days ~ Eth + Sex + Age + Lrn"
QUINE = gc.datasets.load("quine")


def test_the_published_fit_at_theta_2():
    """GLM.jl, test/runtests.jl, from R: quine, canonical link, theta = 2."""
    result = gc.fit(FORMULA, QUINE, family=gc.families.negbin_canonical(alpha=0.5))
    assert result.deviance == pytest.approx(239.68562048977307, rel=1e-12)
    assert result.llf == pytest.approx(-553.5468847661017, rel=1e-13)


def test_the_published_fit_with_theta_estimated():
    """GLM.jl stops 7e-6 below the maximum: its llf is -546.8048603957335."""
    result = gc.fit(FORMULA, QUINE, family=gc.families.negbin_canonical())
    assert result.converged
    assert result.llf == pytest.approx(-546.8048603957335, abs=1e-5)
    assert result.llf >= -546.8048603957335


def test_where_the_link_does_not_matter():
    """A saturated factor has the same means under every link."""
    canonical = gc.fit("Days ~ Age", QUINE, family=gc.families.negbin_canonical())
    log = gc.fit("Days ~ Age", QUINE, family="negbin")
    assert canonical.llf == pytest.approx(log.llf, rel=1e-12)
    np.testing.assert_allclose(canonical.fittedvalues, log.fittedvalues, rtol=1e-9)
    assert canonical.params["alpha"] == pytest.approx(log.params["alpha"], rel=1e-9)


def test_the_score_is_the_residual():
    """Canonical: the score in the predictor is y - mu, and the information its variance."""
    family = gc.families.negbin_canonical(alpha=0.7)
    eta, y = (np.linspace(-3, -0.1, 9),), np.arange(9.0)[None, :]
    jet = family.terms(y, eta)
    mean, variance = family.moments(eta)
    np.testing.assert_allclose(jet.d1[0], y[0] - mean.value, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(-jet.d2[0][0], variance.value, rtol=1e-11)
    np.testing.assert_allclose(mean.d1[0], variance.value, rtol=1e-12)
