"""A run: passes counted, sums of the kept columns, what the solver is given, and a finished fit."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.engine.information import Information
from glmcount.engine.sums import Sums
from glmcount.engine.weigh import Weighed
from glmcount.families import families
from glmcount.fitting.falling import Falling
from glmcount.fitting.problem import Iteration
from glmcount.fitting.run import SCORING, Fit, Settings, fold_sums
from glmcount.numerics.control import Control
from glmcount.records import replace
from tests.made import counts, run_of

DATA = counts()


def design(*columns):
    return np.stack([np.ones(60), *columns], axis=1)


def shift_of(run):
    return run.layout.blocks[0].shift


def written(run, theta):
    """Log-likelihood, score and information of a Poisson model, in the run's columns."""
    x = design(DATA["x"], DATA["z"]) - shift_of(run)
    mean = np.exp(x @ theta)
    return DATA["y"] @ (x @ theta) - mean.sum(), x.T @ (DATA["y"] - mean), (x.T * mean) @ x


@pytest.mark.parametrize("memory", [0, 2**25])
def test_sums_are_those_written_out_however_rows_are_held(memory):
    settings = Settings(control=Control(memory=memory))
    run = run_of("y ~ x + z", DATA, settings=settings)
    if not memory:
        run.small = None
    theta = np.array([0.3, 0.2, -0.1])
    sums = run.evaluate(theta, expected=True)
    llf, score, information = written(run, theta)
    assert sums.llf == pytest.approx(llf, rel=1e-12) and run.passes == 1
    np.testing.assert_allclose(sums.score, score, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(sums.information.matrix, information, rtol=1e-11, atol=1e-10)
    sizes = np.abs(design(DATA["x"], DATA["z"]) - shift_of(run)).max(axis=0)
    assert run.reach(theta) == pytest.approx(sizes @ np.abs(theta), rel=1e-12)


@pytest.mark.parametrize("memory", [0, 2**25])
def test_rows_are_asked_how_far_they_move_where_columns_say_too_much(memory, monkeypatch):
    near = {**DATA, "z": DATA["x"] + 1e-5 * DATA["z"]}
    run = run_of("y ~ x + z", near, settings=Settings(control=Control(memory=memory)))
    if not memory:
        run.small = None
    step = np.array([0.0, 1e4, -1e4])
    moved = np.abs((design(near["x"], near["z"]) - shift_of(run)) @ step).max()
    bound = run.reach(step)
    assert moved < 1.0 and bound > 1e4
    assert run.reach(step, 1.0) == pytest.approx(moved, rel=1e-9)
    # It may as well be that far.
    away = np.array([0.0, 0.0, 1.0])
    assert run.reach(away, 1e-5) == pytest.approx(run.reach(away), rel=1e-12)
    monkeypatch.setattr(run.rows, "fold", None)
    # What a decrement lets expect, or is below the tolerance, costs no pass.
    assert run.reach(step, 100.0) == bound
    assert run.reach(1e-12 * step, 0.0) == pytest.approx(1e-12 * bound)


def test_of_some_columns_the_others_are_zero_and_the_last_pass_is_remembered():
    run = run_of("y ~ x + z", DATA)
    run.kept = np.array([0, 2])
    assert run.widened(np.array([1.0, 2.0])).tolist() == [1.0, 0.0, 2.0]
    sums = run.reduced(np.array([0.3, -0.1]), True, expected=True)
    llf, score, _ = written(run, np.array([0.3, 0.0, -0.1]))
    assert sums.llf == pytest.approx(llf, rel=1e-12)
    np.testing.assert_allclose(sums.score, score[[0, 2]], atol=1e-11)
    run.reduced(np.array([0.3, -0.1]), True, expected=True)
    assert run.passes == 1
    run.reduced(np.array([0.3, -0.2]), True, expected=True)
    assert run.passes == 2


def test_rows_that_have_gone_are_far():
    gone = DATA["x"] > 0.5
    data = {"y": np.where(gone, 0.0, DATA["y"]), "d": gone.astype(float)}
    for memory in (0, 2**25):
        run = run_of("y ~ d", data, settings=Settings(control=Control(memory=memory)))
        assert run.evaluate(np.zeros(2), expected=True).llf == pytest.approx(-60.0)
        direction = run.layout.reshift(np.array([0.0, -1.0]))
        run.gone = Falling(gone, (), run.layout, direction)
        # Sure to be zero, they lose nothing; the others have a mean of one.
        found = run.evaluate(np.zeros(2), expected=True)
        assert found.llf == pytest.approx(-float((~gone).sum()), rel=1e-14)


def test_a_problem_for_the_solver():
    run = run_of("y ~ x", DATA, "negbin")
    assert not run.scoring and run.problem(False).radius < np.inf
    one = run_of("y ~ x", DATA, settings=Settings(method="irls"))
    assert one.scoring and one.problem(True).radius == np.inf
    assert one.problem(True).control.tol == SCORING and one.problem(False).control.tol == 1e-6
    one.pilot = True
    assert one.problem(False).control.maxiter == 8


def test_iterations_are_kept_and_told(capsys):
    line = Iteration(1, -3.0, 0.5, 0.1, 1.0, 0)
    seen = []
    for progress in (False, True, seen.append):
        run = run_of("y ~ x", DATA, settings=Settings(control=Control(progress=progress)))
        run.tell(line)
        assert run.history == [line]
    assert seen == [line]
    assert capsys.readouterr().out == "iteration 1: llf -3.000000, rho 5.0e-01\n"


def test_any_weighing_is_folded():
    run = run_of("y ~ x", DATA, weights="w")

    def weigh(rows):
        return Weighed(np.array([rows.weights.sum(), rows.y.sum()]), (None,), {})

    raw = fold_sums(run.rows, run.layout, np.zeros(2), weigh, run.control)
    np.testing.assert_allclose(raw["s",], [DATA["w"].sum(), DATA["y"].sum()], rtol=1e-14)


def fit_of(run, **changes):
    fit = Fit(
        family=run.family,
        layout=run.layout,
        theta=np.arange(run.size, dtype=float),
        kept=np.arange(run.size),
        llf=-1.0,
        information=Information(np.eye(run.size)),
        condition=1.0,
        reached=(0.0, 0.0),
        last=Sums(-1.0, np.zeros(run.size), np.eye(run.size), 0.5),
        status="final",
        passes=1,
        history=(),
    )
    return replace(fit, **changes)


def test_what_a_fit_says_of_itself():
    run = run_of("y ~ x + z", DATA, "negbin")
    fit = fit_of(run, kept=np.array([0, 2, 3]))
    assert fit.converged and not fit_of(run, status="maxiter").converged
    assert fit.columns() == (2, 1) and fit.left == (0, 1)
    assert not fit.separated and fit.settled is fit.theta
    assert fit.floor == 0.5
    limit = run.family.limits[0]
    inner = fit_of(run, family=families["poisson"], limits=(limit,))
    assert inner.left == (0,)
    assert [e.names for e in inner.narrowed(run.rows).spec.equations] == [("Intercept", "x", "z")]
    assert fit.narrowed(run.rows) is run.rows
    far = Falling(np.zeros(60, bool), (), run.layout, np.zeros(4), settled=np.ones(4))
    assert not fit_of(run, falling=far).separated
    assert fit_of(run, falling=far).settled is far.settled
