"""Null models against closed forms: constants, offsets alone, deviances, boundaries."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import optimize, stats

import glmcount as gc
from glmcount.errors import NotDefinedError
from glmcount.families import families
from glmcount.fitting.maximise import maximise
from glmcount.fitting.null import limit_llf, null_deviance, null_fit, unit_deviances
from glmcount.fitting.null import tested as counted
from glmcount.fitting.run import Settings
from glmcount.numerics.control import USUAL
from glmcount.records import replace
from tests.made import counts, ready

DATA = counts(120)
Y, W, T = DATA["y"], DATA["w"], DATA["t"]


def both(family="poisson", formula="y ~ x + g", parts=None, **roles):
    rows, layout, measured, own = ready(formula, DATA, family, parts, **roles)
    return rows, measured, own, maximise(rows, layout, measured, own, Settings())


@pytest.mark.parametrize("constant", [True, False])
def test_a_constant_is_the_mean_and_without_one_the_offset(constant):
    rows, measured, family, _ = both(exposure="t", weights="w")
    null = null_fit(rows, measured, family, (constant,), USUAL)
    mean = (W @ Y) / (W @ T) if constant else 1.0
    assert null.llf == pytest.approx(W @ stats.poisson.logpmf(Y, mean * T), rel=1e-13)
    assert null.layout.size == constant
    deviance = null_deviance(rows, measured, null, constant, USUAL)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = 2 * (np.where(Y > 0, Y * np.log(Y / (mean * T)), 0.0) - (Y - mean * T))
    assert deviance == pytest.approx(W @ unit, rel=1e-12)


@pytest.mark.parametrize("parts", [None, [("dispersion", "x")]])
def test_the_null_deviance_keeps_the_dispersion_row_by_row(parts):
    rows, measured, _family, fit = both("negbin", parts=parts)
    theta = fit.layout.unshift(fit.theta)[4:]
    alpha = np.exp(theta[0] + (theta[1] * DATA["x"] if parts else 0.0)) * np.ones(120)

    def deviance(eta):
        mean = np.exp(eta)
        first = np.where(Y > 0, Y * np.log(np.maximum(Y, 1) / mean), 0.0)
        second = (Y + 1 / alpha) * np.log((1 + alpha * Y) / (1 + alpha * mean))
        return 2 * (first - second).sum()

    expected = optimize.minimize_scalar(deviance, bounds=(-3, 3), options={"xatol": 1e-10})
    found = null_deviance(rows, measured, fit, True, USUAL)
    assert found == pytest.approx(expected.fun, rel=1e-9)
    assert unit_deviances(rows, fit) < found


def test_parameters_beyond_those_of_the_null_model():
    rows, measured, family, fit = both("negbin", parts=[("dispersion", "x + z")])
    null = null_fit(rows, measured, family, (True, True), USUAL)
    assert null.left == (0, 1)
    assert counted(fit, null, (4, 3), (True, True)) == 3 + 2
    assert counted(replace(fit, kept=fit.kept[1:]), null, (4, 3), (True, True)) == 2 + 2
    limit = replace(null, family=families["poisson"], limits=(family.limits[0],))
    with pytest.raises(NotDefinedError, match="alpha = 0") as caught:
        counted(fit, limit, (4, 3), (True, True))
    assert caught.value.kind == "null_on_boundary"
    # On that boundary both are the limit's, and so is the test: of the mean's three slopes.
    inner = replace(limit, layout=fit.layout.without([1]), kept=np.arange(4))
    assert counted(inner, limit, (4, 3), (True, True)) == 3


def test_the_limit_s_own_fit():
    rows, measured, family, fit = both("negbin")
    poisson_fit = both("poisson")[3]
    found = limit_llf(rows, measured, fit, family.limits[0], USUAL)
    assert found == pytest.approx(poisson_fit.llf, rel=1e-12) and found < fit.llf


def test_a_limit_of_a_predictor_that_cannot_move_is_not_tried():
    rows, measured, family, _ = both("negbin", parts=[("dispersion", "0 + x")])
    null = null_fit(rows, measured, family, (True, False), USUAL)
    size = 1.0
    mean = Y.mean()
    expected = stats.nbinom.logpmf(Y, size, size / (size + mean)).sum()
    assert null.limits == () and null.llf == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_on_a_ridge_the_null_model_is_at_its_top(seed):
    # Beside a constant mean NB-P's power means nothing, and its null model is NB2's.
    rng = np.random.default_rng(seed)
    x = rng.normal(size=300)
    y = rng.poisson(np.exp(0.8 + 0.4 * x) * rng.gamma(2.0, 0.5, 300))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ridge = gc.fit("y ~ x", {"y": y, "x": x}, family="negbinp").llnull
    plain = gc.fit("y ~ 1", {"y": y, "x": x}, family="negbin").llf
    assert ridge == pytest.approx(plain, rel=1e-13)
