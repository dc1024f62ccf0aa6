"""Levels of which every count is 0: seen at once, not at the end of a long way to infinity."""

import numpy as np
import pandas as pd
import pytest

import glmcount as gc


def firms(levels, empty, rows=4_000):
    rng = np.random.default_rng(7)
    firm = np.concatenate([np.arange(levels), rng.integers(0, levels, rows - levels)])
    y = rng.poisson(np.exp(0.5 + rng.normal(0.0, 0.5, levels)[firm])) + (np.arange(rows) < levels)
    y[np.isin(firm, empty)] = 0
    return {"y": y, "firm": firm, "x": rng.normal(size=rows)}


@pytest.mark.parametrize("empty", [(3, 77), (0,), (0, 119)])
@pytest.mark.parametrize("method", ["newton", "lbfgs"])
def test_empty_levels_take_few_steps_and_give_the_limit(empty, method):
    data = firms(120, empty)
    with pytest.warns(gc.errors.SeparationWarning):
        r = gc.fit("y ~ C(firm) + x", data, method=method)
    rest = ~np.isin(data["firm"], empty)
    limit = gc.fit("y ~ C(firm) + x", {name: values[rest] for name, values in data.items()})
    assert len(r.history) <= 12
    assert set(r.separation.where) == set(np.flatnonzero(~rest))
    assert r.llf == pytest.approx(limit.llf, rel=1e-12)
    assert r.params["x"] == pytest.approx(limit.params["x"], rel=1e-9)
    assert r.bse["x"] == pytest.approx(limit.bse["x"], rel=1e-8)
    if 0 not in empty:
        assert all(r.params[f"C(firm)[T.{level}]"] == -np.inf for level in empty)


def test_a_level_that_only_looks_empty_is_fitted():
    data = firms(120, ())
    exposure = np.where(data["firm"] == 5, 1e7, 1.0)
    data["y"][data["firm"] == 5] = 0
    data["y"][5] = 1
    r = gc.fit("y ~ C(firm)", data, exposure=exposure)
    assert r.separation is None
    own = data["firm"] == 5
    level = r.params["Intercept"] + r.params["C(firm)[T.5]"]
    assert level == pytest.approx(np.log(1.0 / exposure[own].sum()), rel=1e-9)


@pytest.mark.parametrize(
    ("formula", "idle", "told"),
    [
        ("y ~ g", ("a",), True),
        ("y ~ C(g) + x", ("a",), True),
        ("y ~ C(g, Treatment('b'))", ("a",), False),
        ("y ~ g", ("b",), False),
        ("y ~ g + h", ("a", "u"), False),
        ("y ~ g:h", ("a", "c", "u"), False),
    ],
)
def test_a_reference_without_events_is_named_and_no_other_corner(formula, idle, told):
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.resize(list("abc"), 60), "h": np.resize(list("uvuu"), 60)})
    data["x"] = rng.normal(size=60)
    gone = data.g.isin(idle) | data.h.isin(idle)
    data["y"] = np.where(gone, 0, rng.poisson(3.0, 60) + 1)
    with pytest.warns(gc.errors.SeparationWarning) as caught:
        gc.fit(formula, data)
    said = [str(each.message) for each in caught]
    assert any("It is the reference of g that has no events" in each for each in said) == told
