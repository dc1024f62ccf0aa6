"""Steps that all rows of a small problem bend: fewer passes, and no trace of them in results."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.design.build import Roles, formula_design
from glmcount.design.layout import layout_of
from glmcount.design.measure import measure
from glmcount.families import families
from glmcount.fitting import run as run_module
from glmcount.fitting.bend import Bend, bend_of
from glmcount.fitting.run import Run, Settings
from glmcount.fitting.solvers import newton_step
from glmcount.numerics.control import Control
from glmcount.sources.base import open_source

POISSON = families["poisson"]


def drawn(seed, n=80, slope=0.4):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.standard_normal(n), "z": rng.standard_normal(n) > 0})
    frame["g"] = rng.choice(list("abcd"), n)
    frame["t"], frame["w"] = rng.uniform(0.5, 4.0, n), rng.integers(1, 4, n)
    frame["y"] = rng.poisson(frame["t"] * np.exp(0.5 + slope * frame["x"] + 0.3 * frame["z"]))
    return frame


def started(frame, formula, **columns):
    """A fit before its first step."""
    rows = formula_design(open_source(frame), formula, Roles(columns), None, Control())
    measured, layout = measure(rows, layout_of(rows.spec), POISSON)
    return Run(rows, layout, measured, POISSON, Settings())


def left(run, theta, best, bent):
    """How far a step from somewhere ends from the maximum."""
    sums = run.reduced(theta, True, expected=True)
    step = newton_step(sums)[0]
    return np.abs(theta + (run.guide.step(theta, sums, step) if bent else step) - best).max()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("columns", [{}, {"exposure": "t"}, {"weights": "w", "offset": "x"}])
def test_a_bent_step_leaves_the_fourth_power_of_a_move(seed, columns):
    run = started(drawn(seed), "y ~ x * z", **columns)
    best = np.zeros(4)
    best[run.layout.constants[0] != 0] = 0.5
    for _ in range(30):
        best = best + newton_step(run.reduced(best, True, expected=True))[0]
    away = np.random.default_rng(seed).standard_normal(4)
    away *= 0.1 / run.reach(away)
    for bent, power in ((False, 2), (True, 4)):
        far, near = (left(run, best + share * away, best, bent) for share in (1.0, 0.5))
        assert np.log2(far / near) == pytest.approx(power, abs=0.25)


@pytest.mark.parametrize("columns", [{}, {"exposure": "t"}, {"weights": "w"}])
def test_free_means_are_met_at_once(columns):
    frame = drawn(7)
    r = gc.fit("y ~ 0 + g", frame, **columns)
    exposed, weight = frame[columns.get("exposure", "w")], frame["w"] ** ("weights" in columns)
    exposed = exposed if "exposure" in columns else exposed**0
    sums = pd.DataFrame({"y": weight * frame["y"], "t": weight * exposed}).groupby(frame["g"]).sum()
    np.testing.assert_allclose(r.params, np.log(sums["y"] / sums["t"]), rtol=0, atol=1e-13)
    assert len(r.history) == 2


@pytest.fixture(params=range(12))
def case(request):
    """Data of any kind, with a formula and what goes with it."""
    frame = drawn(
        request.param, n=20 + 40 * (request.param % 4), slope=(0.2, 0.8, 2.0)[request.param % 3]
    )
    formula = ["y ~ x + g", "y ~ x * g", "y ~ x + z + np.sqrt(t)", "y ~ bs(x, df=5)"][
        request.param % 4
    ]
    return frame, formula, [{}, {"exposure": "t"}, {"weights": "w"}][request.param % 3]


def test_results_are_those_of_newton_alone(case, monkeypatch):
    frame, formula, columns = case
    bent = gc.fit(formula, frame, **columns)
    monkeypatch.setattr(run_module, "bend_of", lambda *given: None)
    plain = gc.fit(formula, frame, **columns)
    np.testing.assert_allclose(bent.params, plain.params, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(bent.bse, plain.bse, rtol=1e-9)
    assert bent.llf == pytest.approx(plain.llf, abs=1e-9)
    assert bent.converged
    assert len(bent.history) <= len(plain.history)


def test_steps_that_are_bent_never_lower_the_likelihood(case):
    frame, formula, columns = case
    r = gc.fit(formula, frame, **columns)
    told = np.array([each.llf for each in r.history])
    assert (np.diff(told) >= -1e-9 * np.abs(told[1:])).all()


@pytest.mark.filterwarnings("ignore::glmcount.errors.IllConditionedWarning")
@pytest.mark.parametrize("far", [1e3, 1e5, 1e6])
def test_a_row_far_from_all_others_does_not_keep_the_steps_short(far):
    # Newton's steps halve its mean one by one, and each moves the others by 1 / far.
    y, x, z = np.zeros((3, 12))
    y[[2, 4, 5]] = 4, 4, 4000
    x[[0, 5, 8, 10, 11]] = far, -3, 3, 2, 3
    z[4] = 1.0
    r = gc.fit("y ~ x + z", {"y": y, "x": x, "z": z})
    assert r.converged and len(r.history) < 20
    # Two rows stand for themselves, six of x = 0 for the constant; of x = 2 and 3 hardly any mean.
    constant = np.log(4 / 6)
    expected = [constant, (constant - np.log(4000)) / 3, np.log(4) - constant]
    np.testing.assert_allclose(r.params, expected, atol=2e-3)
    score = np.stack([np.ones(12), x, z]) @ (y - np.exp(r.params @ np.stack([np.ones(12), x, z])))
    np.testing.assert_allclose(score, 0, atol=1e-7 * far)


def test_columns_that_were_left_out_bend_nothing():
    frame = drawn(3)
    frame["twice"] = 2 * frame["x"]
    with pytest.warns(gc.errors.DroppedColumnWarning):
        r = gc.fit("y ~ x + twice + g", frame)
    alone = gc.fit("y ~ x + g", frame)
    np.testing.assert_allclose(r.params, alone.params, rtol=1e-9, atol=1e-10)
    assert len(r.history) == len(alone.history)


def test_only_a_logarithm_under_its_canonical_link_is_bent():
    run = started(drawn(1), "y ~ x")
    assert isinstance(run.guide, Bend)
    for family in (families["geometric"], families["negbin"], families["bernoulli"]):
        assert bend_of(run.rows, run.layout, run.small, family, run.control) is None
