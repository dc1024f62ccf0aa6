"""Log-likelihoods and scores of large counts against mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from glmcount.fitting.digits import LONG_EPS, PRECISE, lost_digits, precise, remainder
from glmcount.fitting.maximise import maximise
from glmcount.fitting.run import Run, Settings
from glmcount.records import replace
from tests.made import ready

pytestmark = pytest.mark.skipif(LONG_EPS > 1e-18, reason="no extended precision here")


def large(scale, n=40):
    rng = np.random.default_rng(12)
    x, g = rng.normal(size=n), np.resize(["a", "b"], n)
    mean = scale * np.exp(0.1 * x + 0.2 * (g == "b"))
    return {"y": np.rint(mean + np.sqrt(mean) * rng.normal(size=n)), "x": x, "g": g}


def exact(data, theta):
    """Log-likelihood and score of a Poisson model in fifty digits, in the columns of the user."""
    with mpmath.workdps(50):
        llf, score = mpmath.mpf(0), [mpmath.mpf(0)] * 3
        for y, x, g in zip(data["y"], data["x"], data["g"], strict=True):
            row = [mpmath.mpf(1), mpmath.mpf(float(x)), mpmath.mpf(float(g == "b"))]
            eta = mpmath.fdot(row, [mpmath.mpf(float(t)) for t in theta])
            y = mpmath.mpf(float(y))
            llf += y * eta - mpmath.exp(eta) - mpmath.loggamma(y + 1)
            score = [s + (y - mpmath.exp(eta)) * r for s, r in zip(score, row, strict=True)]
        return float(llf), np.array([float(s) for s in score])


def fit_of(data, family="poisson", formula="y ~ x + g"):
    rows, layout, measured, own = ready(formula, data, family)
    return rows, measured, maximise(rows, layout, measured, own, Settings())


@pytest.mark.parametrize("scale", [1e6, 1e12, 1e15])
def test_the_log_likelihood_has_its_last_digits(scale):
    data = large(scale)
    rows, measured, fit = fit_of(data)
    run = Run(rows, fit.layout, measured, fit.family, Settings())
    theta = fit.layout.unshift(fit.theta)
    llf, _ = exact(data, theta)
    # Carried to the user's columns the parameters are rounded, at a maximum by nothing much.
    found = precise(run, fit.theta) + measured.constant
    assert found == pytest.approx(llf, rel=1e-12)
    assert found == fit.llf


def test_the_score_left_at_an_estimate():
    data = large(1e6)
    rows, _, fit = fit_of(data)
    user = np.array([13.8, 0.1, 0.2])
    found = remainder(rows, replace(fit, theta=fit.layout.reshift(user)))
    back = np.stack([fit.layout.unshift(one) for one in np.eye(3)], axis=1)
    _, score = exact(data, back @ fit.layout.reshift(user))
    np.testing.assert_allclose(found.score, back.T @ score, rtol=1e-9)
    mean = np.exp(13.8 + 0.2 * (data["g"] == "b") + 0.1 * data["x"])
    assert found.weight == pytest.approx(mean.sum(), rel=1e-12)
    assert found.pearson == pytest.approx(((data["y"] - mean) ** 2 / mean).sum(), rel=1e-9)
    assert 0 < found.curved < 1e-20 * found.weight
    twice = found + found
    assert twice.weight == 2 * found.weight and twice.score.tolist() == (2 * found.score).tolist()


def test_digits_of_a_dispersion_that_rounding_takes():
    assert lost_digits(*fit_of(large(1e3), "negbin")[::2], 1e3) == {}
    rng = np.random.default_rng(3)
    y = rng.poisson(1e15 * rng.gamma(1e15 / 3, 3e-15, 12)).astype(float)
    rows, _, fit = fit_of({"y": y}, "negbin", "y ~ 1")
    alpha, mean = np.exp(fit.theta[1]), np.exp(fit.layout.unshift(fit.theta)[0])
    # By hand: d2 l / d eta d log alpha of a row, summed in squares, times what eta is wrong by.
    mixed = (y - mean) * alpha * mean / (1 + alpha * mean) ** 2
    variance = np.linalg.inv(fit.information.matrix)[1, 1]
    wrong = 2.0**-52 * np.log(y.max()) * np.sqrt((mixed**2).sum()) * variance
    assert y.max() > PRECISE and wrong > 1e-8
    assert lost_digits(rows, fit, float(y.max())) == {"alpha": int(-np.log10(wrong))}
