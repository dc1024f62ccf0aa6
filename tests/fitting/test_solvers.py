"""Every solver ends at the same maximum, keeps a history, and says when it did not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.fitting import solvers
from glmcount.fitting import start as beginning
from glmcount.fitting.guide import Guide
from glmcount.fitting.problem import Problem
from glmcount.numerics.control import Control


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.normal(size=400) * 50 + 1000, "z": rng.normal(size=400)})
    mean = np.exp(0.5 + 0.01 * (frame.x - 1000) + 0.2 * frame.z)
    frame["y"] = rng.poisson(mean * rng.gamma(2, 0.5, 400))
    return frame


@pytest.mark.parametrize("family", ["poisson", "negbin", "geometric"])
@pytest.mark.parametrize("method", ["irls", "lbfgs", "gradient"])
def test_methods_agree(data, family, method):
    newton = gc.fit("y ~ x + z", data, family=family)
    other = gc.fit("y ~ x + z", data, family=family, method=method)
    assert other.converged and other.method == method
    assert (np.abs(other.params - newton.params) <= 1e-9 * newton.bse).all()
    np.testing.assert_allclose(other.bse, newton.bse, rtol=1e-8)


def test_history_rises_to_the_maximum(data):
    result = gc.fit("y ~ x + z", data)
    llf = [line.llf for line in result.history]
    assert llf == sorted(llf)
    assert llf[-1] == pytest.approx(result.llf, rel=1e-10)
    assert result.history[-1].rho <= 1e-6
    frame = pd.DataFrame(result.history)
    assert list(frame)[:4] == ["iteration", "llf", "rho", "decrement"]


def test_too_few_iterations_warn(data):
    with pytest.warns(gc.errors.ConvergenceWarning) as caught:
        result = gc.fit("y ~ x + z", data, control=gc.Control(maxiter=2))
    assert not result.converged
    assert caught[0].message.kind == "convergence"
    assert "Control(maxiter" in str(caught[0].message)


def test_start_is_in_the_users_columns(data):
    first = gc.fit("y ~ x + z", data)
    again = gc.fit("y ~ x + z", data, start=first.params)
    assert len(again.history) < len(first.history)
    np.testing.assert_allclose(again.params, first.params, rtol=1e-11)
    with pytest.raises(gc.errors.UsageError, match="start must hold 3"):
        gc.fit("y ~ x + z", data, start=[0.0])


def test_progress_is_told(data, capsys):
    seen = []
    result = gc.fit("y ~ x", data, control=gc.Control(progress=seen.append))
    assert tuple(seen) == result.history
    gc.fit("y ~ x", data, control=gc.Control(progress=True))
    assert "iteration 1: llf" in capsys.readouterr().out


@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_a_pilot_changes_nothing(data, family, monkeypatch):
    big = pd.concat([data] * 10, ignore_index=True)
    whole = gc.fit("y ~ x + z", big, family=family)
    monkeypatch.setattr(beginning, "PILOT_FROM", 1000)
    monkeypatch.setattr(beginning, "PILOT_LEAST", 200)
    started = gc.fit("y ~ x + z", big, family=family)
    assert any(line.pilot for line in started.history)
    assert not any(line.pilot for line in whole.history)
    np.testing.assert_allclose(started.params, whole.params, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(started.bse, whole.bse, rtol=1e-9)


def test_poisson_data_end_at_the_boundary_of_negbin():
    y = np.repeat([2, 3, 4], 20)
    with pytest.warns(gc.errors.BoundaryWarning) as caught:
        result = gc.fit("y ~ 1", {"y": y}, family="negbin")
    assert caught[0].message.kind == "alpha_boundary"
    assert result.params["alpha"] == 0.0
    assert result.llf == pytest.approx(gc.fit("y ~ 1", {"y": y}).llf, rel=1e-14)
    assert result.aic == pytest.approx(-2 * result.llf + 4)
    assert result.certificate.boundary == "alpha = 0"


@pytest.mark.parametrize("method", ["newton", "irls", "lbfgs", "gradient"])
@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_every_method_says_when_it_is_stopped(data, method, family):
    with pytest.warns(gc.errors.ConvergenceWarning) as caught:
        result = gc.fit(
            "y ~ x + z", data, family=family, method=method, control=gc.Control(maxiter=1)
        )
    assert {one.message.kind for one in caught} == {"convergence"}
    assert not result.converged
    assert result.warnings and result.warnings[0] is caught[0].message
    assert result.certificate.rho > 1e-6
    # What was not reached is not below where it began.
    assert result.llf >= result.llnull - 1e-6


@pytest.mark.parametrize("method", ["newton", "irls", "lbfgs", "gradient"])
def test_every_method_keeps_a_history(data, method):
    result = gc.fit("y ~ x + z", data, method=method)
    numbers = [line.iteration for line in result.history]
    assert numbers[-1] >= 1 and len(numbers) >= 2
    llf = np.array([line.llf for line in result.history])
    assert (np.diff(llf) >= -1e-9 * abs(result.llf)).all()
    assert all(line.step >= 0 and line.halvings >= 0 for line in result.history)
    assert not any(line.pilot for line in result.history)
    assert result.certificate.rho <= 1e-6


def test_start_of_two_equations_holds_the_logarithm_of_alpha(data):
    first = gc.fit("y ~ x + z", data, family="negbin")
    mean = first.params[["Intercept", "x", "z"]].tolist()
    again = gc.fit("y ~ x + z", data, family="negbin", start=[*mean, np.log(first.params["alpha"])])
    assert len(again.history) < len(first.history)
    np.testing.assert_allclose(again.params, first.params, rtol=1e-9)
    for start in ([0.0] * 3, [0.0, 0.0, 0.0, np.nan], [[0.0] * 4]):
        with pytest.raises(gc.errors.UsageError, match="start must hold 4") as caught:
            gc.fit("y ~ x + z", data, family="negbin", start=start)
        assert caught.value.kind == "start"


def test_start_counts_columns_that_will_be_dropped(data):
    double = data.assign(c=2 * data.z)
    with pytest.warns(gc.errors.DroppedColumnWarning):
        first = gc.fit("y ~ x + z + c", double)
    with pytest.warns(gc.errors.DroppedColumnWarning):
        again = gc.fit("y ~ x + z + c", double, start=[*first.params, 0.0])
    assert len(again.history) < len(first.history)
    np.testing.assert_allclose(again.params, first.params, rtol=1e-9)


def test_the_printed_progress_names_the_pilot(data, monkeypatch, capsys):
    big = pd.concat([data] * 10, ignore_index=True)
    monkeypatch.setattr(beginning, "PILOT_FROM", 1000)
    monkeypatch.setattr(beginning, "PILOT_LEAST", 200)
    gc.fit("y ~ x + z", big, control=gc.Control(progress=True))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("pilot iteration 1: llf")
    assert lines[-1].startswith("iteration")


def test_a_pilot_over_many_strips():
    rng = np.random.default_rng(17)
    n = 250_000
    x = rng.normal(size=n)
    y = rng.poisson(np.exp(0.2 + 0.3 * x))
    # A level that only the last rows have, which no pilot sees.
    g = np.where(np.arange(n) >= n - 50, "rare", "often")
    result = gc.fit("y ~ x + g", {"y": y, "x": x, "g": g})
    assert sum(line.pilot for line in result.history) >= 1
    assert sum(not line.pilot for line in result.history) <= 4
    assert result.converged
    X = np.column_stack([np.ones(n), x, g == "rare"])
    mu = np.exp(X @ result.params.to_numpy())
    score = X.T @ (y - mu)
    information = (X * mu[:, None]).T @ X
    assert score @ np.linalg.solve(information, score) < 1e-16
    np.testing.assert_allclose(result.bse, np.sqrt(np.diag(np.linalg.inv(information))), rtol=1e-9)


def test_a_tighter_tolerance_is_met(data):
    result = gc.fit("y ~ x + z", data, control=gc.Control(tol=1e-12))
    assert result.converged and result.certificate.rho <= 1e-12


@pytest.mark.parametrize("part", [{"inflate": "z"}, {"hurdle": "z"}, {"inflate": "1"}])
def test_a_pilot_changes_nothing_in_models_of_parts(data, part, monkeypatch):
    big = pd.concat([data] * 10, ignore_index=True)
    big.loc[::3, "y"] = 0
    whole = gc.fit("y ~ x", big, family="negbin", **part)
    monkeypatch.setattr(beginning, "PILOT_FROM", 1000)
    monkeypatch.setattr(beginning, "PILOT_LEAST", 400)
    piloted = gc.fit("y ~ x", big, family="negbin", **part)
    assert any(line.pilot for line in piloted.history)
    assert (np.abs(piloted.params - whole.params) <= 1e-8 * whole.bse).all()
    assert piloted.llf == pytest.approx(whole.llf, rel=1e-13)


@pytest.mark.parametrize(
    ("rho", "curve", "share", "bent"),
    [
        (1e-4, 1.0, 0.01, True),  # Newton's step leaves 1e-8, a bent one 1e-10, which is enough.
        (1e-4, 1.0, 0.1, False),  # It leaves 1e-9: the pass that follows is as little the last.
        (1e-2, 1.0, 0.1, True),  # What Newton's step leaves is not within the tolerance.
        (1e-5, 1e-6, 0.01, False),  # Newton's step is enough.
    ],
)
def test_a_step_is_bent_where_that_saves_a_pass(rho, curve, share, bent):
    class Bending(Guide):
        def step(self, theta, sums, step):
            return step + 1.0

    guide, step = Bending(None, 4.0, 5, 2_000), np.ones(5)
    assert guide.share == 0.05
    guide.curve, guide.share = curve, share
    asked = Problem(None, None, Control(), None, guide=guide, left=2e-10)
    found = solvers._bent(asked, (step, None, step), (rho, rho), False)
    assert (found is not step) == bent
    # Where a look costs as much as a pass it is worth it where steps do not become shorter.
    guide.sparing = True
    assert solvers._bent(asked, (step, None, step), (rho, rho), False) is step
    found = solvers._bent(asked, (step, None, step), (rho, rho), True)
    assert (found is not step) == bent
