"""Designs with fewer and more parts, against formulas that have these."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

import glmcount as gc
from glmcount.design.layout import layout_of
from glmcount.errors import CovarianceError, NotDefinedError
from glmcount.families import resolve
from glmcount.fitting.nested import designed, fit_of, outer, scored, with_parts
from glmcount.fitting.run import Settings
from tests.made import counts, design_of

DATA = counts(200, 3)
CASES = [("poisson", []), ("negbin", [None]), ("pig", [None])]


@pytest.mark.parametrize(("name", "parts"), CASES)
@pytest.mark.parametrize(
    ("formula", "term", "left"),
    [
        ("y ~ x + z + g", "z", "y ~ x + g"),
        ("y ~ x*g", "x:g", "y ~ x + g"),
    ],
)
def test_a_fit_without_a_part_is_that_of_the_formula(name, parts, formula, term, left):
    rows = design_of(formula, DATA, parts)
    spec = with_parts(rows.spec, 0, lambda part: part.term != term)
    found = fit_of(designed(rows, spec, 1 << 20), resolve(name), Settings())
    expected = gc.fit(left, DATA, family=name)
    assert found.fit.llf == pytest.approx(expected.llf, abs=1e-8)


def test_without_any_column_the_mean_is_one():
    rows = design_of("y ~ 0 + x", DATA)
    spec = with_parts(rows.spec, 0, lambda part: False)
    found = fit_of(designed(rows, spec, 1 << 20), resolve("poisson"), Settings())
    assert found.fit.llf == pytest.approx(stats.poisson.logpmf(DATA["y"], 1.0).sum(), rel=1e-12)
    rows = design_of("y ~ 0 + x", DATA, [None])
    spec = with_parts(rows.spec, 0, lambda part: False)
    found = fit_of(designed(rows, spec, 1 << 20), resolve("negbin"), Settings())

    def negative(log_alpha):
        size = np.exp(-log_alpha)
        return -stats.nbinom.logpmf(DATA["y"], size, size / (size + 1.0)).sum()

    best = optimize.minimize_scalar(negative, bounds=(-8.0, 4.0), method="bounded")
    assert found.fit.llf == pytest.approx(-best.fun, abs=1e-6)


def both(formula, larger, parts, name, **settings):
    rows = design_of(larger, DATA, parts)
    family = resolve(name)
    wanted = {part.term for part in design_of(formula, DATA, parts).spec.equations[0].parts}
    spec = with_parts(rows.spec, 0, lambda part: part.term in wanted)
    null = fit_of(designed(rows, spec, 1 << 20), family, Settings())
    return null, rows, scored(null.fit, null.rows, rows, Settings(**settings))


@pytest.mark.parametrize(("name", "parts"), CASES)
def test_the_smaller_fit_has_no_score_of_its_own(name, parts):
    null, _, found = both("y ~ x", "y ~ x + g + z", parts, name, information="observed")
    score = found.fit.information.matrix @ found.fit.layout.reshift(found.step)
    own = np.setdiff1d(np.arange(len(score)), found.added)
    assert len(found.added) == 3
    assert np.abs(score[own]).max() < 1e-6 < np.abs(score[found.added]).min()
    assert found.fit.llf == null.fit.llf


def test_one_step_is_nearly_the_fit():
    # Near the null a Newton step from it nearly is the maximum.
    data = {**DATA, "e": 1e-3 * DATA["x"] ** 2}
    rows = design_of("y ~ x + e", data)
    spec = with_parts(rows.spec, 0, lambda part: part.term != "e")
    null = fit_of(designed(rows, spec, 1 << 20), resolve("poisson"), Settings())
    found = scored(null.fit, null.rows, rows, Settings())
    larger = gc.fit("y ~ x + e", data)
    user = layout_of(rows.spec), found.step
    assert user[1][2] == pytest.approx(larger.params["e"], rel=0.15)


def test_columns_that_the_model_has_add_nothing():
    rows = design_of("y ~ g + x + I(2 * x)", DATA)
    spec = with_parts(rows.spec, 0, lambda part: part.term != "I(2 * x)")
    null = fit_of(designed(rows, spec, 1 << 20), resolve("poisson"), Settings())
    with pytest.raises(NotDefinedError) as caught:
        scored(null.fit, null.rows, rows, Settings())
    assert caught.value.kind == "nothing_added"


@pytest.mark.parametrize("importance", [False, True])
def test_the_outer_product(importance):
    rows = design_of("y ~ x", DATA, weights="w")
    layout, theta = layout_of(rows.spec), np.array([0.4, 0.2])
    mu = np.exp(0.4 + 0.2 * DATA["x"])
    scores = (DATA["y"] - mu)[:, None] * np.column_stack([np.ones(200), DATA["x"]])
    w = DATA["w"] ** 2 if importance else DATA["w"]
    found = outer(rows, layout, theta, resolve("poisson"), importance)
    np.testing.assert_allclose(found, scores.T @ (w[:, None] * scores), rtol=1e-12)


def test_an_information_that_serves_is_named():
    assert both("y ~ x", "y ~ x + z", [], "poisson")[2].information == "expected"
    assert both("y ~ x", "y ~ x + z", [None], "negbin", information="observed")[2].information == (
        "observed"
    )
    outer_one = both("y ~ x", "y ~ x + z", [], "poisson", information="outer")[2]
    assert outer_one.information == "outer product of the scores"


def test_none_that_is_definite_is_refused():
    # Two rows beside a saturated mean: neither their scores nor their information tell of more.
    data = {"y": [3.0, 3.0, 3.0], "a": [1.0, 0.0, 0.0], "b": [0.0, 1.0, 0.0]}
    rows = design_of("y ~ a + b", data)
    spec = with_parts(rows.spec, 0, lambda part: part.term == "Intercept")
    null = fit_of(designed(rows, spec, 1 << 20), resolve("poisson"), Settings())
    with pytest.raises(CovarianceError):
        scored(null.fit, null.rows, rows, Settings(information="outer"))
