"""A small problem's passes are those of the blocks."""

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.design.rows import Rows
from glmcount.engine import spread as small
from glmcount.engine.weigh import weighing
from glmcount.fitting import run
from tests.laws.problems import small_strips
from tests.made import run_of


def data(n=400):
    rng = np.random.default_rng(11)
    out = pd.DataFrame(
        {
            "x": rng.normal(50.0, 2.0, n),
            "z": rng.normal(size=n),
            "t": rng.uniform(1.0, 2.0, n),
            "w": rng.integers(1, 4, n),
            "g": rng.choice(list("abc"), n),
            "h": rng.choice(list("uv"), n),
        }
    )
    mean = np.exp(0.9 + 0.3 * out.z)
    out["y"] = rng.negative_binomial(2, 1 / (1 + mean / 2)) * (rng.random(n) > 0.3)
    return out


DATA = data()


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ 1", {}),
        ("y ~ x + z", {"exposure": "t"}),
        ("y ~ g * h * x", {"weights": "w"}),
        ("y ~ 0 + g:h + C(g, Poly):x", {}),
        ("y ~ bs(x, df=5) + g", {"link": "sqrt"}),
        ("y ~ g + z", {"family": "negbin"}),
        ("y ~ g + z", {"family": "negbin", "inflate": "h + offset(z)", "exposure": "t"}),
        ("y ~ x", {"family": "negbin", "dispersion": "h", "weights": "w"}),
        ("y ~ x", {"method": "irls", "family": "geometric"}),
    ],
)
def test_fits_agree_with_those_of_blocks(formula, options, monkeypatch):
    spread = gc.fit(formula, DATA, **options)
    monkeypatch.setattr(Rows, "small", lambda self, layout: None)
    blocks = gc.fit(formula, DATA, **options)
    gap = np.abs(spread.params - blocks.params)
    assert (gap <= 1e-10 * np.maximum(np.abs(blocks.params), blocks.bse)).all()
    np.testing.assert_allclose(spread.bse, blocks.bse, rtol=1e-9)
    assert spread.llf == pytest.approx(blocks.llf, rel=1e-12)


@pytest.mark.parametrize(
    "formula", ["y ~ g * x + z", "y ~ 0 + C(g, Sum) * h + z", "y ~ g : bs(x, df=4) + z"]
)
def test_sums_and_reach_are_those_of_the_blocks(formula):
    fit = gc.fit(formula, DATA, family="negbin", dispersion="h", weights="w")
    state = fit._state
    one = run.Run(state.rows, state.fit.layout, state.measured, state.family, state.options)
    assert one.small is not None
    theta = state.fit.theta + 0.01
    mine = one.evaluate(theta, expected=False)
    one.small = None
    other = one.evaluate(theta, expected=False)
    assert mine.llf == pytest.approx(other.llf, rel=1e-13)
    scale = np.abs(other.information.matrix).max()
    np.testing.assert_allclose(
        mine.information.matrix, other.information.matrix, atol=1e-12 * scale
    )
    np.testing.assert_allclose(mine.score, other.score, atol=1e-12 * np.abs(other.score).max())
    assert mine.floor == pytest.approx(other.floor, rel=1e-12)
    found = state.rows.small(state.fit.layout)
    assert found is not None
    for direction in (theta, *np.random.default_rng(3).normal(size=(20, len(theta)))):
        assert found.reach(direction) == pytest.approx(state.fit.layout.reach(direction), rel=1e-14)


def test_large_designs_stay_in_blocks():
    n = small.ENTRIES // 2
    rng = np.random.default_rng(2)
    many = pd.DataFrame({"y": rng.poisson(2.0, n), "x": rng.normal(size=n)})
    state = gc.fit("y ~ x", many)._state
    assert state.rows.small(state.fit.layout) is not None
    more = pd.concat([many, many.head(1)], ignore_index=True)
    state = gc.fit("y ~ x", more)._state
    assert state.rows.small(state.fit.layout) is None
    state = gc.fit("y ~ x", many.head(100), control=gc.Control(memory=0))._state
    assert state.rows.small(state.fit.layout) is None


def test_what_is_kept_of_a_design_is_of_its_layout():
    fit = gc.fit("y ~ g + x", DATA, family="negbin")
    again = fit.refit(y=DATA.y.sample(frac=1.0, random_state=3).to_numpy())
    assert again._state.rows.cache.small is fit._state.rows.cache.small
    assert fit.llnull < fit.llf
    assert fit.null_deviance > fit.deviance


@pytest.mark.parametrize("formula", ["y ~ g * x + z", "y ~ g + x"])
def test_strips_that_tell_of_different_entries_add_up(formula, monkeypatch):
    """A strip without zeros says nothing of how count and zero part go together."""
    data = DATA.sort_values("y", ignore_index=True)
    whole = gc.fit(formula, data, inflate="h")
    small_strips(monkeypatch, 250)
    assert (data.y[250:] > 0).all()
    cut = gc.fit(formula, data, inflate="h")
    np.testing.assert_allclose(cut.params, whole.params, rtol=1e-9)
    np.testing.assert_allclose(cut.bse, whole.bse, rtol=1e-9)


@pytest.mark.parametrize(
    ("formula", "family", "parts", "options"),
    [
        ("y ~ x + z", "poisson", [], {}),
        ("y ~ g", "negbin", None, {"exposure": "t"}),
        ("y ~ x", "negbin", [("dispersion", "h")], {"weights": "w"}),
        ("y ~ x", "negbinp", None, {}),
    ],
)
def test_sums_at_many_points_are_those_at_each(formula, family, parts, options):
    own = run_of(formula, DATA, family, parts, **options)
    spread, y, weigh = own.small, own.rows.cache.strips[0].y, weighing(own.family, expected=False)
    points = 0.1 * np.random.default_rng(1).normal(size=(4, own.size))
    # A mean that overflows.
    points[2] += 800.0 * own.layout.constants[0]
    etas = spread.moves(points)
    for each, offset in zip(etas, spread.strip.offsets, strict=True):
        each += 0.0 if offset is None else offset
    weights = spread.strip.weights
    with np.errstate(all="ignore"):
        every = [spread.sums(weigh, y, point) for point in points]
        llf, score, information = spread.many(
            weigh, np.tile(y, 4), None if weights is None else np.tile(weights, 4), etas
        )
    assert llf[2] == every[2].llf == -np.inf
    assert not score[2].any() and not information[2].any()
    for k in (0, 1, 3):
        assert llf[k] == pytest.approx(every[k].llf, rel=1e-13)
        np.testing.assert_allclose(score[k], every[k].score, rtol=1e-10, atol=1e-9)
        matrix = every[k].information.matrix
        np.testing.assert_allclose(information[k], matrix, atol=1e-12 * np.abs(matrix).max())
