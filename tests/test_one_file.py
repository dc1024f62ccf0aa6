"""Adding a family, link, covariance, source or renderer takes one value, and inherits the rest."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import special

import glmcount as gc
from glmcount.families.base import Equation, Family
from glmcount.families.combine.links import Link
from glmcount.inference.covariance import ESTIMATORS, Estimator, register_estimator
from glmcount.numerics.jets import Jet, constant_jet, eta_jet, exp_jet
from glmcount.report.render import RENDERERS
from glmcount.sources.base import Source, _openers, register_source


@pytest.fixture
def data():
    rng = np.random.default_rng(5)
    x = rng.normal(size=300)
    return pd.DataFrame({"x": x, "y": rng.binomial(3, special.expit(0.3 * x - 0.5))})


def thrice_terms(y, etas):
    share = special.expit(etas[0])
    value = y[0] * etas[0] + 3.0 * special.log_expit(-etas[0])
    return Jet(value, (y[0] - 3.0 * share,), ((-3.0 * share * (1.0 - share),),))


def thrice_moments(etas):
    share = special.expit(etas[0])
    slope = share * (1.0 - share)
    mean = eta_jet(etas, 0).chain(3.0 * share, 3.0 * slope, 3.0 * slope * (1.0 - 2.0 * share))
    rest = constant_jet(np.ones(1), 1)
    third = constant_jet(np.full(1, -1.0 / 3.0), 1)
    return mean, mean * (rest + third * mean)


THRICE = Family(
    name="thrice",
    aliases=(),
    label="Binomial of three",
    equations=(Equation("mean"),),
    terms=thrice_terms,
    constant=lambda y: np.log(special.comb(3, y[0])),
    moments=thrice_moments,
    sample=lambda rng, etas: rng.binomial(3, special.expit(etas[0])).astype(float),
    start=lambda sums: (float(special.logit(sums.mean / 3.0)),),
    collapse="eta",
    mean_equation=True,
    link="logit",
)


def test_a_family(data):
    result = gc.fit("y ~ x", data, family=THRICE, cov="HC1")
    eta = result.predict(which="linear")
    mean = 3.0 * special.expit(eta)
    assert result.converged
    np.testing.assert_allclose(result.fittedvalues, mean)
    assert abs(np.dot(data.x, result.resid_response)) < 1e-9
    np.testing.assert_allclose(result.predict(which="var"), mean * (1 - mean / 3.0))
    assert "Binomial of three" in str(result.summary())
    assert result.simulate(2, rng=1).shape == (300, 2)
    assert np.isfinite(result.get_prediction({"x": [0.0]}).summary_frame().to_numpy()).all()
    assert result.llnull < result.llf
    with pytest.raises(gc.errors.NotDefinedError):
        _ = result.deviance


PARTS = {
    "inflate": {"inflate": "x"},
    "hurdle": {"hurdle": "x", "zero": "probit"},
    "truncated": {"truncated": 0},
    "censored": {"censored": 2},
}


@pytest.mark.parametrize("part", PARTS)
def test_a_family_inherits_every_part(data, part):
    rows = data[data.y > 0] if part == "truncated" else data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        result = gc.fit("y ~ x", rows, family=THRICE, **PARTS[part])
    assert np.isfinite(result.llf)
    masses = [result.predict(which="prob", at=k) for k in range(4)]
    np.testing.assert_allclose(sum(masses), 1.0, rtol=1e-12)
    mean = sum(k * mass for k, mass in enumerate(masses))
    np.testing.assert_allclose(result.predict(), mean, rtol=1e-12)
    assert np.isfinite(result.resid_quantile(1)).all()
    assert result.simulate(1, rng=2)[0].between(0, 3).all()


def test_a_link(data):
    def root(lp):
        safe = np.where(lp > 0, lp, np.nan)
        return 3.0 * np.log(safe), 3.0 / safe, -3.0 / safe**2

    cube_root = Link("cube root", root, np.cbrt)
    result = gc.fit("y ~ x", data, link=cube_root)
    np.testing.assert_allclose(result.fittedvalues, result.predict(which="linear") ** 3)
    assert result.fittedvalues.sum() > 0
    assert "cube root link" in str(result.summary())


def test_a_covariance(data):
    twice = register_estimator(Estimator("twice", "twice", lambda setting, bread: 2.0 * bread))
    try:
        plain, double = gc.fit("y ~ x", data), gc.fit("y ~ x", data, cov="twice")
        np.testing.assert_allclose(double.bse, np.sqrt(2.0) * plain.bse)
        np.testing.assert_allclose(plain.with_cov(twice).bse, double.bse)
        assert "twice" in str(double.summary())
    finally:
        del ESTIMATORS["twice"]


def test_a_source(data):
    @dataclass
    class Rows:
        frame: pd.DataFrame

    def opened(given):
        if not isinstance(given, Rows):
            return None
        frame = given.frame
        return Source(
            tuple(frame.columns),
            len(frame),
            frame.index,
            lambda first, last, names: {n: frame[n].to_numpy()[first:last] for n in names},
        )

    register_source(opened)
    try:
        np.testing.assert_array_equal(
            gc.fit("y ~ x", Rows(data)).params, gc.fit("y ~ x", data).params
        )
    finally:
        _openers.remove(opened)


def test_a_renderer(data):
    RENDERERS["shout"] = lambda table: table.title.upper()
    try:
        assert gc.fit("y ~ x", data).summary().render("shout") == "POISSON REGRESSION, LOG LINK"
    finally:
        del RENDERERS["shout"]


def test_a_quantity_reaches_prediction_with_its_standard_error(data):
    from glmcount.prediction.quantities import WHICH, Quantity

    WHICH["square"] = Quantity(
        "square", lambda family, etas, at: exp_jet(eta_jet(etas, 0)) * exp_jet(eta_jet(etas, 0))
    )
    try:
        result = gc.fit("y ~ x", data)
        found = result.get_prediction(which="square")
        linear = result.get_prediction(which="linear")
        np.testing.assert_allclose(found.se, 2.0 * found.predicted * linear.se)
    finally:
        del WHICH["square"]


def test_a_taken_name_is_refused():
    with pytest.raises(gc.errors.UsageError, match="registered already"):
        gc.families.register(THRICE.with_(name="poisson"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gc.families.resolve("nb2") is gc.families.negbin()
