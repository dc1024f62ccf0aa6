"""A sample's estimate: taken, refused where it misleads, begun through a limit, kept as a guide."""

from __future__ import annotations

import gc as collector
import weakref

import numpy as np
import pytest

import glmcount as gc
from glmcount.engine.layout import linear
from glmcount.families import families
from glmcount.fitting import pilot
from glmcount.fitting.fit import solve
from glmcount.fitting.guide import Guide
from glmcount.fitting.pilot import joined_start, limit_run, piloted
from glmcount.fitting.start import first_values
from glmcount.sources import base
from tests.made import run_of


@pytest.fixture(autouse=True)
def strips(monkeypatch):
    monkeypatch.setattr(base, "STRIP_ROWS", 1_000)


def data(n=4_000, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {"x": x, "y": rng.poisson(np.exp(0.4 + 0.3 * x) * rng.gamma(2.0, 0.5, n)).astype(float)}


@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_it_is_the_estimate_of_the_heads_of_all_strips(family):
    held = data()
    run = run_of("y ~ x", held, family)
    found = piloted(run, first_values(run), 50)
    heads = np.concatenate([np.arange(50) + 1_000 * k for k in range(4)])
    some = run_of("y ~ x", {name: values[heads] for name, values in held.items()}, family)
    alone = solve(some, first_values(some))
    own = run.layout.unshift(found)
    np.testing.assert_allclose(own, some.layout.unshift(alone.theta), rtol=1e-2, atol=1e-2)
    assert run.history and all(line.pilot for line in run.history)
    whole = solve(run, found)
    assert whole.history[-1].pilot is False and whole.status == "final"


def test_a_sample_that_is_unlike_the_rows_is_left():
    held = data()
    heads = np.arange(4_000) % 1_000 < 50
    held["y"] = np.where(heads, held["y"] + 400.0, held["y"])
    run = run_of("y ~ x", held)
    theta = first_values(run)
    assert piloted(run, theta, 50) is theta


@pytest.mark.parametrize("few", [10, 100])
def test_the_rows_of_a_small_sample_stay_as_a_guide(monkeypatch, few):
    monkeypatch.setattr(pilot, "FEW", few)
    run = run_of("y ~ x", data())
    theta = piloted(run, first_values(run), 50)
    if few == 100:
        assert not isinstance(run.guide, Guide)
        return
    assert run.guide.ratio == 20.0
    heads = np.concatenate([np.arange(50) + 1_000 * k for k in range(4)])
    held = data()
    eta = np.concatenate([linear(run.layout, run.rows.strip(k), theta, 0) for k in range(4)])[heads]
    llf = held["y"][heads] @ eta - np.exp(eta).sum()
    assert run.guide.sample(theta, run.kept).llf == pytest.approx(llf, rel=1e-12)


@pytest.mark.parametrize("weights", [None, "w"])
def test_inside_from_a_limit_a_start_is_score_over_information(weights):
    held = data(600) | {"w": np.resize([1.0, 2.0, 5.0], 600)}
    run = run_of("y ~ x", held, "negbin", weights=weights)
    w = 1.0 if weights is None else held["w"]
    limit = run.family.limits[0]
    inner = limit_run(run, limit)
    assert inner.family is families["poisson"] and not inner.searches and inner.history == []
    fit = solve(inner, first_values(inner))
    joined, score = joined_start(run, inner, limit, fit.theta)
    mean = np.exp(linear(inner.layout, inner.rows.strip(0), fit.theta, 0))
    slope = (w * ((held["y"] - mean) ** 2 - held["y"])).sum() / 2
    assert score == pytest.approx(slope, rel=1e-10)
    np.testing.assert_array_equal(joined[:2], fit.theta)
    # Where alpha is 0 the expected information is half the sum of squared means.
    assert np.exp(joined[2]) == pytest.approx(slope / (w * mean**2 / 2).sum(), rel=1e-9)


def test_a_fit_leaves_its_rows_when_its_result_is_left():
    """Without the collector of cycles, which comes when it likes: rows are most of the memory."""
    table = data(60_000)
    collector.collect()
    collector.disable()
    try:
        result = gc.fit("y ~ x", table, cov={"cluster": np.arange(60_000) // 40})
        assert any(line.pilot for line in result.history)
        assert result._state.fit.last.slopes == {}
        there = [weakref.ref(result._state.held.asked.cache), weakref.ref(result._state.fit)]
        del result
        assert [one() for one in there] == [None, None]
    finally:
        collector.enable()
