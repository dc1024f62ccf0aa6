"""Maxima inside, on boundaries and elsewhere: the best of these, and what is told of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

import glmcount as gc
from glmcount.errors import ConvergenceError
from glmcount.families import poisson, zero_inflated
from glmcount.fitting import maximise
from glmcount.fitting.run import Settings
from glmcount.numerics.control import Control
from tests.made import counts, ready

DATA = counts()
X = np.stack([np.ones(60), DATA["x"]], axis=1)


def best(family, formula="y ~ x", data=DATA, parts=None, **settings):
    rows, layout, measured, own = ready(formula, data, family, parts)
    return maximise.maximise(rows, layout, measured, own, Settings(**settings))


def test_a_maximum_inside_is_that_of_an_optimiser():
    def minus(theta):
        mean, size = np.exp(X @ theta[:2]), np.exp(-theta[2])
        return -stats.nbinom.logpmf(DATA["y"], size, size / (size + mean)).sum()

    expected = optimize.minimize(minus, [0.5, 0.0, -1.0], method="BFGS", options={"gtol": 1e-9})
    found = best("negbin")
    assert found.converged and found.limits == ()
    assert found.llf == pytest.approx(-expected.fun, rel=1e-11)
    np.testing.assert_allclose(found.layout.unshift(found.theta), expected.x, atol=1e-6)


def test_a_maximum_on_a_boundary_is_that_of_the_limit():
    data = DATA | {"y": np.random.default_rng(6).binomial(6, 0.4, 60).astype(float)}
    found, limit = best("negbin", data=data), best("poisson", data=data)
    assert [each.label for each in found.limits] == ["alpha = 0"]
    assert found.family.name == "poisson" and found.left == (0,)
    assert found.llf == pytest.approx(limit.llf, rel=1e-13)
    assert found.looked.limits == ("alpha = 0",) and limit.looked is None


def test_a_larger_maximum_is_found_where_the_score_points_elsewhere():
    six = {"y": np.array([59.0, 0, 2, 10, 10, 10]), "x": np.array([4, -0.1, -0.5, 2.1, 0.1, 1.6])}
    found = best("negbin", data=six)
    assert found.llf == pytest.approx(-18.16407, abs=1e-5) and found.limits == ()
    assert found.looked.starts > 0 and found.looked.rows == 6
    # Who bounds the iterations wants no search.
    bounded = best("negbin", data=six, control=Control(maxiter=1), start=np.array([1.3, 0.6, -1.7]))
    assert bounded.status == "maxiter" and bounded.looked.starts == 0


def test_a_secondary_fit_that_cannot_begin_is_left_out():
    def refusing():
        raise ConvergenceError("no", kind="start")

    assert maximise.attempted(refusing, 3) == 3 and maximise.attempted(lambda: 4, 3) == 4
    with pytest.raises(ZeroDivisionError):
        maximise.attempted(lambda: 1 / 0, 3)


def test_a_limit_by_itself():
    rows, layout, measured, own = ready("y ~ x", DATA, "negbin")
    fit = maximise.maximise(rows, layout, measured, own, Settings())
    inner = maximise.fit_limit(rows, fit, measured, own.limits[0], Settings())
    assert inner.family.name == "poisson"
    assert inner.llf == pytest.approx(best("poisson").llf, rel=1e-13)


def test_points_that_come_home_late_are_not_solved_again(monkeypatch):
    # At pass ten one of them promised more still, since its way to the known maximum is bent.
    ended = []
    monkeypatch.setattr(maximise, "_ended", lambda run, theta: ended.append(theta))
    data = gc.datasets.load("quine")
    data["x"] = np.random.default_rng(0).standard_t(2, len(data))
    result = gc.fit("Days ~ x + Sex", data.iloc[::2], family="negbinp")
    assert result.llf == pytest.approx(-276.61972463, abs=1e-7)
    assert ended == []


def test_an_inflation_that_nothing_speaks_for_ends_at_its_boundary():
    family = zero_inflated(poisson)
    y = np.where(DATA["y"] == 0, 1.0, DATA["y"])
    found = best(family, data=DATA | {"y": y})
    plain = best("poisson", data=DATA | {"y": y})
    assert len(found.limits) == 1 and found.left == (0,)
    assert found.llf == pytest.approx(plain.llf, rel=1e-12)
    # With a zero in every other row there is an inflation, and the maximum is an optimiser's.
    more = np.where(np.arange(60) % 2 == 0, 0.0, y)

    def minus(theta):
        mean, share = np.exp(X @ theta[:2]), 1 / (1 + np.exp(-theta[2]))
        zero = share + (1 - share) * np.exp(-mean)
        chance = (1 - share) * stats.poisson.pmf(more, mean)
        return -np.log(np.where(more == 0, zero, chance)).sum()

    expected = optimize.minimize(minus, [0.5, 0.0, -1.0], method="BFGS", options={"gtol": 1e-9})
    inside = best(family, data=DATA | {"y": more})
    assert inside.limits == () and inside.left == (0, 1)
    assert inside.llf == pytest.approx(-expected.fun, rel=1e-11)
