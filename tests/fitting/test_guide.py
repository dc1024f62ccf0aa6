"""A pilot's rows guide the fit of all: fewer passes, and no trace of them in its results."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.engine.sums import Sums
from glmcount.fitting import pilot, start
from glmcount.fitting.guide import Guide
from glmcount.fitting.run import Run
from glmcount.fitting.solvers import newton_step

NARROW, BROAD = 6, 50


@pytest.fixture(autouse=True)
def _few_rows_guide(monkeypatch):
    """A sample small enough for data of a test's size to have a guide."""
    monkeypatch.setattr(start, "PILOT_LEAST", 3_000)


def names(count):
    return [f"x{k}" for k in range(count)]


def drawn(count, n=60_000, seed=11):
    rng = np.random.default_rng(seed)
    columns = names(count)
    frame = pd.DataFrame({name: rng.standard_normal(n) for name in columns})
    eta = 0.3 + frame[columns] @ np.linspace(-0.2, 0.2, count) * np.sqrt(8 / count)
    frame["y"] = rng.poisson(np.exp(eta) * rng.gamma(2.0, 0.5, n))
    return frame


def formula(count):
    return "y ~ " + " + ".join(names(count))


@pytest.fixture
def passes(monkeypatch):
    """One entry for each pass over all rows."""
    told = []
    evaluate = Run.evaluate

    def telling(self, theta, second=True, *, expected):
        if not self.pilot:
            told.append(second)
        return evaluate(self, theta, second, expected=expected)

    monkeypatch.setattr(Run, "evaluate", telling)
    return told


def unguided(monkeypatch):
    """No sample is small enough to guide."""
    monkeypatch.setattr(pilot, "FEW", np.inf)


class Poisson:
    """Sums of a Poisson regression written out."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __call__(self, theta):
        eta = self.x @ theta
        mu = np.exp(eta)
        information = (self.x * mu[:, None]).T @ self.x
        return Sums(float(self.y @ eta - mu.sum()), self.x.T @ (self.y - mu), information, 0.0)


@pytest.fixture
def problem():
    frame = drawn(4, n=8_000)
    x = np.column_stack([np.ones(len(frame)), frame[names(4)]])
    every, some = Poisson(x, frame.y.to_numpy()), Poisson(x[:2000], frame.y.to_numpy()[:2000])
    theta = np.zeros(5)
    for _ in range(30):
        theta = theta + newton_step(every(theta))[0]
    return every, some, theta


def length(sums, d):
    return float(np.sqrt(sums.information.quadratic(d)))


def test_a_guided_step_leaves_a_fraction_of_what_newton_s_leaves(problem):
    every, some, best = problem
    start = best + 0.05 * np.array([1.0, -1.0, 1.0, -1.0, 1.0])
    sums = every(start)
    step, _, _ = newton_step(sums)
    guide = Guide(lambda theta, kept: some(theta), 4.0, 5, 2_000)
    bent = guide.step(start, sums, step)
    plain, guided = (length(every(best), start + d - best) for d in (step, bent))
    assert guided < 0.3 * plain
    assert guide.curve == pytest.approx(plain / length(sums, step) ** 2, rel=0.3)


def test_a_sample_that_bends_a_step_too_far_is_not_followed(problem):
    every, _, best = problem
    wild = Poisson(40.0 * every.x[:2000], every.y[:2000])
    start = best + 0.05
    sums = every(start)
    step, _, _ = newton_step(sums)
    guide = Guide(lambda theta, kept: wild(theta), 4.0, 5, 2_000)
    assert guide.step(start, sums, step) is step


FAMILIES = [
    ("poisson", {}),
    ("negbin", {"method": "irls"}),
    ("negbin", {}),
    ("poisson", {"inflate": "x0 + x1"}),
    ("negbin", {"hurdle": "x0 + x1"}),
    ("poisson", {"weights": "w", "weights_type": "importance"}),
]


@pytest.mark.parametrize("count", [NARROW, BROAD])
@pytest.mark.parametrize(("family", "options"), FAMILIES)
def test_results_are_those_without_a_guide(family, options, count, passes, monkeypatch):
    data = drawn(count)
    data["w"] = np.abs(data["x0"]) + 0.1
    if "inflate" in options:
        data.loc[::4, "y"] = 0
    found = gc.fit(formula(count), data, family=family, **options)
    guided = len(passes)
    passes.clear()
    unguided(monkeypatch)
    alone = gc.fit(formula(count), data, family=family, **options)
    # Scoring takes a pass more or less.
    assert guided <= len(passes) + (options.get("method") == "irls")
    assert found.converged and found.certificate.rho <= 1e-6
    assert (np.abs(found.params - alone.params) <= 1e-9 * alone.bse).all()
    np.testing.assert_allclose(found.bse, alone.bse, rtol=3e-10)
    assert found.llf == pytest.approx(alone.llf, rel=1e-13)


@pytest.mark.parametrize("tilt", [0.5, 6.0])
def test_a_misleading_guide_costs_passes_and_no_digit(tilt, monkeypatch):
    data = drawn(BROAD)
    alone = gc.fit(formula(BROAD), data)

    class Misleading(Guide):
        def __init__(self, honest, ratio, size, rows):
            def tilted(theta, kept):
                sums = honest(theta, kept)
                slope = np.exp(tilt * theta)
                bent = sums.information.matrix * np.outer(slope, slope)
                return Sums(sums.llf, sums.score * slope, bent, 0.0)

            super().__init__(tilted, ratio, size, rows)

    monkeypatch.setattr(pilot, "Guide", Misleading)
    found = gc.fit(formula(BROAD), data)
    assert found.converged
    assert (np.abs(found.params - alone.params) <= 1e-9 * alone.bse).all()
    np.testing.assert_allclose(found.bse, alone.bse, rtol=1e-9)
    assert len(found.history) <= len(alone.history) + 8


def test_a_sample_of_other_rows_than_the_rest(monkeypatch):
    """The first half, which the pilot sees, has neither the spread nor the effects of the rest."""
    data = drawn(BROAD)
    half = len(data) // 2
    rest = data.index >= half
    data.loc[rest, names(BROAD)] *= 2.0
    eta = data.loc[rest, names(BROAD)] @ np.linspace(0.05, -0.05, BROAD)
    data.loc[rest, "y"] = np.random.default_rng(3).poisson(np.exp(eta))
    found = gc.fit(formula(BROAD), data)
    unguided(monkeypatch)
    alone = gc.fit(formula(BROAD), data)
    assert found.converged
    assert (np.abs(found.params - alone.params) <= 1e-9 * alone.bse).all()
    np.testing.assert_allclose(found.bse, alone.bse, rtol=1e-9)


@pytest.mark.parametrize("count", [NARROW, BROAD])
def test_columns_that_depend_on_others_are_dropped(count):
    data = drawn(count)
    alone = gc.fit(formula(count), data)
    data["twice"] = 2.0 * data["x1"] - data["x2"]
    with pytest.warns(gc.errors.DroppedColumnWarning):
        found = gc.fit(formula(count) + " + twice", data)
    assert (np.abs(found.params - alone.params) <= 1e-9 * alone.bse).all()


def test_any_number_of_threads_gives_the_same_bits():
    data = pd.concat([drawn(BROAD, n=140_000)] * 3, ignore_index=True)
    one, two = (gc.fit(formula(BROAD), data, control=gc.Control(threads=k)) for k in (1, 2))
    assert one.params.to_numpy().tobytes() == two.params.to_numpy().tobytes()
    assert one.bse.to_numpy().tobytes() == two.bse.to_numpy().tobytes()


def test_a_sample_that_is_a_large_share_of_the_rows_guides_nothing(passes, monkeypatch):
    monkeypatch.setattr(start, "PILOT_LEAST", 10_000)
    data = drawn(BROAD)
    assert gc.fit(formula(BROAD), data).converged
    guided = len(passes)
    passes.clear()
    unguided(monkeypatch)
    gc.fit(formula(BROAD), data)
    assert guided == len(passes)


def test_separation_is_found_with_a_guide():
    data = drawn(BROAD)
    data["x3"] = (np.arange(len(data)) % 7 == 0).astype(float)
    data.loc[data["x3"] == 1.0, "y"] = 0
    with pytest.warns(gc.errors.SeparationWarning):
        found = gc.fit(formula(BROAD), data)
    with pytest.warns(gc.errors.SeparationWarning):
        alone = gc.fit(formula(BROAD), data, start=[0.0] * (BROAD + 1))
    finite = np.isfinite(alone.bse)
    assert (np.isfinite(found.bse) == finite).all() and not finite.all()
    np.testing.assert_allclose(found.bse[finite], alone.bse[finite], rtol=1e-8)


@pytest.mark.parametrize("count", [NARROW, BROAD])
def test_weights_whose_squares_underflow(count):
    data = drawn(count)
    data["w"] = 1e-290
    options = {"weights": "w", "weights_type": "importance"}
    found = gc.fit(formula(count), data, **options)
    plain = gc.fit(formula(count), data)
    np.testing.assert_allclose(found.params, plain.params, rtol=1e-7, atol=1e-9)
