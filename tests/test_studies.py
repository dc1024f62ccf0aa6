"""What the studies of coverage hold intervals against."""

from __future__ import annotations

import coverage_effects
import coverage_law
import numpy as np
import pytest
import study_coverage

import glmcount as gc

DEPENDENT = ("clusters", "two ways", "time", "panels")


@pytest.mark.parametrize("kind", DEPENDENT)
@pytest.mark.parametrize("model", ["Poisson", "NB2"])
def test_a_mean_that_is_right_has_its_slope(model, kind):
    assert coverage_law.limit(model, kind) == pytest.approx(coverage_law.SLOPE, abs=1e-7)


@pytest.mark.parametrize("kind", ["clusters", "time"])
@pytest.mark.parametrize("model", ["ZIP", "hurdle"])
def test_another_law_has_another_slope(model, kind):
    n = 300_000
    data = coverage_law.drawn(model, kind, n, np.random.default_rng(4), n // 5)
    r = gc.fit("y ~ x + z + f", data, cov={"cluster": "g"}, **coverage_law.MODELS[model])
    # What is left of the past is less than twice the variance of independent rows.
    assert abs(r.params["x"] - coverage_law.limit(model, kind)) < 4 * 1.4 * r.bse["x"]
    if model == "ZIP":
        assert coverage_law.SLOPE - coverage_law.limit(model, kind) > 0.006


@pytest.mark.parametrize("model", coverage_law.MODELS)
def test_means_are_those_of_what_is_drawn(model):
    data = coverage_law.drawn(model, "rows", 200_000, np.random.default_rng(8), 100)
    mean = coverage_law.expected(model, data.x, data.f)
    assert abs((data.y - mean).mean()) < 4 * data.y.std() / np.sqrt(len(data))
    x, f = np.linspace(-2, 2, 9), np.resize(list("abc"), 9)
    after, before = (coverage_law.expected(model, x + step, f) for step in (1e-5, -1e-5))
    slope = coverage_law.slope_of_mean(model, x, f)
    np.testing.assert_allclose((after - before) / 2e-5, slope, rtol=1e-8)
    rows = coverage_law.slope_of_mean(model, data.x, data.f)
    everywhere = coverage_effects.everywhere(model)["slopes"]
    assert abs(rows.mean() - everywhere) < 4 * rows.std() / np.sqrt(len(rows))


def test_what_lies_outside_is_said():
    table = [
        "| a | 100 | 1,000 | interval: one | 95.0 | 92.9 | 97.1 |  |",
        "| b | 100 | 400 | at least: two | 99.9 | 91.3 |  | 95.0 |",
        "| c | 100 | 1,000 | without theory: three | 50.0 | 50.0 | 50.0 | 50.0 |",
    ]
    near, _, far = study_coverage.outside(table)
    assert near == "Intervals outside 93 to 97 %: a, one, NB2 92.9; a, one, ZIP 97.1."
    assert far == "Outside the binomial limits: b, two, NB2 91.3."


def test_rows_that_are_not_asked_for_stay_as_they_are():
    kept = study_coverage.kept(["panels"])
    assert set(kept) == set(study_coverage.KINDS) - {"panels"}
    table = [line for lines in study_coverage.kept([]).values() for line in lines]
    assert study_coverage.page(table) == study_coverage.PAGE.read_text(encoding="utf-8")
