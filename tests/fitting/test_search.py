"""The search for larger likelihoods: what it finds where there is more, and nothing where not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import glmcount as gc
from glmcount.errors import ConvergenceError
from glmcount.fitting import search
from glmcount.fitting.fit import solve
from glmcount.fitting.run import Run
from glmcount.fitting.search import searched
from glmcount.fitting.start import first_values, usual
from tests.made import counts, run_of

# Six rows whose score at alpha = 0 points outwards, and a maximum inside.
SIX = {
    "y": np.array([59.0, 0, 2, 10, 10, 10]),
    "x": np.array([4, -0.1, -0.5, 2.1, 0.1, 1.6]),
}


def test_a_maximum_inside_is_found_from_the_boundary():
    run = run_of("y ~ x", SIX, "negbin")
    limit = run_of("y ~ x", SIX)
    poisson = solve(limit, first_values(limit))
    base = usual(run)
    base[:2] = poisson.theta
    known = poisson.llf - run.measured.constant
    found = searched(run, base, known)
    assert found.rows == 6 and found.starts >= search.STARTS and found.better
    best = max(solve(run, start).llf for start in found.better)
    # From R's MASS::glm.nb.
    assert best == pytest.approx(-18.16407, abs=1e-5) and best > poisson.llf
    again = searched(run, base, known)
    assert [each.tolist() for each in again.better] == [each.tolist() for each in found.better]


@pytest.mark.parametrize("weights", [None, "w"])
def test_from_the_maximum_nothing_is_better(weights):
    run = run_of("y ~ x + g", counts(), "negbin", weights=weights)
    fit = solve(run, first_values(run))
    found = searched(run, fit.theta, fit.llf - run.measured.constant)
    assert found.better == () and found.starts > 0
    below = searched(run, fit.theta, fit.llf - run.measured.constant - 1.0)
    assert below.better, "what is known to be less is surpassed"


def test_of_many_rows_a_share_is_looked_at(monkeypatch):
    monkeypatch.setattr(search, "ROWS", 100)
    monkeypatch.setattr(search, "SAMPLE", 50)
    run = run_of("y ~ x", counts(400), "negbin")
    fit = solve(run, first_values(run))
    found = searched(run, fit.theta, fit.llf - run.measured.constant)
    assert found.rows == 50 and found.better == ()


def test_wide_designs_are_not_searched():
    rng = np.random.default_rng(5)
    data = {f"x{k}": rng.normal(size=200) for k in range(40)} | {"y": rng.poisson(2.0, 200) + 0.0}
    run = run_of("y ~ " + " + ".join(f"x{k}" for k in range(40)), data, "negbin")
    assert searched(run, usual(run), 0.0) is None


def test_a_weight_is_as_many_rows_to_a_search():
    data = counts(40, seed=3)
    copies = {name: np.repeat(values, data["w"].astype(int)) for name, values in data.items()}
    found = []
    for own, weights in ((data, "w"), (copies, None)):
        run = run_of("y ~ x", own, "negbin", [("dispersion", "x + z")], weights=weights)
        found.append(searched(run, run.layout.reshift(np.array([0.5, 0.2, -8, 0, 0])), -1e6))
    one, other = found
    assert one.starts == other.starts and len(one.better) == len(other.better) > 0
    ends = [[solve(run, start).llf for start in each.better] for each in found]
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-8)


def many_rows(n, seed):
    """ZINB with eight columns in either part, drawn from the model that is fitted."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 8))
    y = rng.poisson(np.exp(0.5 + x @ np.linspace(-0.2, 0.2, 8)) * rng.gamma(2.0, 0.5, n))
    y[rng.uniform(size=n) < 1.0 / (1.0 + np.exp(0.7 - x @ np.linspace(0.3, -0.3, 8)))] = 0
    return {"y": y.astype(float)} | {f"x{k}": column for k, column in enumerate(x.T)}


@pytest.mark.parametrize("seed", [1, 3, 7])
def test_what_few_rows_tell_by_chance_is_not_climbed_over_all(seed, monkeypatch):
    # Of these a few hundred rows have maxima of their own: over all rows a hundred passes each.
    passes, evaluate = [], Run.evaluate

    def counted(self, *given, **named):
        passes.append(seed)
        return evaluate(self, *given, **named)

    monkeypatch.setattr(Run, "evaluate", counted)
    terms = " + ".join(f"x{k}" for k in range(8))
    fit = gc.fit(f"y ~ {terms}", many_rows(20_000, seed), family="negbin", inflate=terms)
    assert fit.converged and len(passes) <= 15


def test_a_larger_maximum_of_many_rows_is_found_from_a_sample():
    # The six rows five hundred times, whose maximum lies inside.
    data = {name: np.repeat(values, 500) for name, values in SIX.items()}
    run = run_of("y ~ x", data, "negbin")
    limit = run_of("y ~ x", data)
    poisson = solve(limit, first_values(limit))
    base = usual(run)
    base[:2] = poisson.theta
    found = searched(run, base, poisson.llf - run.measured.constant)
    assert found.rows < 3_000 and found.better
    best = max(solve(run, start).llf for start in found.better)
    assert best == pytest.approx(-18.16407 * 500, abs=1e-2)


def test_other_rows_tell_a_maximum_from_what_a_sample_has_alone():
    data = many_rows(1_500, 2)
    terms = " + ".join(f"x{k}" for k in range(8))
    run = run_of(f"y ~ {terms}", data)
    crowd = search.Crowd(run.family, run.small, run.rows.cache.strips[0].y)
    best = solve(run, first_values(run)).theta
    # Maxima of 300 rows each are likely; one that follows a few rows far away is not.
    parts = [{k: v[first::5] for k, v in data.items()} for first in range(5)]
    own = []
    for part in parts:
        other = run_of(f"y ~ {terms}", part)
        found = other.layout.unshift(solve(other, first_values(other)).theta)
        own.append(run.layout.reshift(found))
    wild = best.copy()
    wild[3] += 1.5
    points = np.array([own[0], wild, *own[1:], np.full(len(best), np.inf)])
    with np.errstate(all="ignore"):
        kept = search._likely(crowd, best, points, 0.0)
        every = search._likely(crowd, best, points, 1e6)
    np.testing.assert_array_equal(kept, own)
    # Where a sample gains as much by itself, it tells nothing against another.
    assert len(every) == len(points) - 1


def test_a_climb_without_hope_of_what_is_known_is_left():
    run = run_of("y ~ x + g", counts(), "negbin")
    start = first_values(run)
    fit, passes = solve(run, start), run.passes
    run.known = fit.llf + 1e6
    with pytest.raises(ConvergenceError, match="cannot reach"):
        solve(run, start)
    assert run.passes - passes <= 4
    run.known = fit.llf + 1e-3
    with pytest.raises(ConvergenceError, match="cannot reach"):
        solve(run, start)
    run.known = fit.llf - 1e-3
    assert solve(run, start).llf == pytest.approx(fit.llf, rel=1e-12)


def test_data_that_repeat_themselves_are_seen_whole():
    """Panels of twenty rows, of 6,000: every twentieth row would be the same time of each.

    Ten times vary more than Poisson counts and ten less, all of them together less.
    """
    rng = np.random.default_rng(4)
    n, time = 6_000, np.arange(6_000) % 20
    data = {"x": rng.normal(size=n), "b": ((time >= 1) & (time <= 10)) * 1}
    mean = np.exp(1.0 + 0.1 * data["x"])
    wide = rng.negative_binomial(2.8, 2.8 / (2.8 + mean))
    data["y"] = np.where(data["b"] == 1, wide, np.rint(mean).astype(int))
    with pytest.warns(gc.errors.GlmcountWarning):
        found = gc.fit("y ~ x", data, family="negbin", dispersion="b")
    assert found.llf > gc.fit("y ~ x", data).llf + 300.0
    assert np.isneginf(found.params["dispersion_Intercept"])
    step, n = 7, 101
    places = search._one_of(step, n)
    assert np.all(places // step == np.arange(len(places))) and places[-1] < n
    assert set(places % step) == set(range(step))


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
@pytest.mark.parametrize(("size", "seed"), [(3.2, 2), (4.0, 1), (8.0, 0), (8.0, 2)])
def test_what_all_rows_tell_at_a_boundary_is_not_left_to_a_sample(size, seed):
    """Half the rows vary more than Poisson counts, half much less, all of them together less.

    Fits begun inside find more, by 58 to 328 units, than a boundary that a sample lets stand.
    """
    rng = np.random.default_rng(seed)
    n = 6_000
    data = {"x": rng.normal(size=n), "b": (np.arange(n) % 20 >= 10) * 1}
    mean = np.exp(1.0 + 0.1 * data["x"])
    wide = rng.negative_binomial(size, size / (size + mean))
    data["y"] = np.where(data["b"] == 1, wide, np.rint(mean).astype(int))
    options = {"family": "negbin", "dispersion": "b"}
    found = gc.fit("y ~ x", data, **options)
    inside = gc.fit("y ~ x", data, start=[1.0, 0.1, -5.0, 4.0], **options)
    assert inside.llf > gc.fit("y ~ x", data).llf + 50.0
    assert found.llf == pytest.approx(inside.llf, abs=1e-5)
    assert found.params["dispersion_b"] == inside.params["dispersion_b"] == np.inf


def test_a_boundary_that_all_rows_bear_out_stays():
    rng = np.random.default_rng(3)
    data = {"x": rng.normal(size=6_000), "b": rng.integers(0, 2, 6_000)}
    data["y"] = rng.binomial(8, 0.3, 6_000)
    with pytest.warns(gc.errors.BoundaryWarning):
        found = gc.fit("y ~ x", data, family="negbin", dispersion="b")
    assert found.llf == pytest.approx(gc.fit("y ~ x", data).llf, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_pull_at_a_boundary_is_that_of_its_parts_however_far_rows_lie(seed):
    """Of the first rows alone the largest predictor is far below that of all: no size overflows."""
    rng = np.random.default_rng(seed)
    n = 3_000
    limit = run_of("y ~ x", SIX, "negbin").family.limits[0]
    y, eta = rng.poisson(2.0, n)[None].astype(float), rng.normal(size=n)
    logs = 50.0 * rng.standard_t(1.1, (4, n))
    cuts = [0, 0, 10, 1_200, 1_200, n]
    parts = [
        search._pull(limit, y[:, a:b], [eta[a:b], eta[a:b]], None, logs[:, a:b])
        for a, b in pairwise(cuts)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = search._pulled(total, part)
    whole = search._pull(limit, y, [eta, eta], None, logs)
    assert logs[:, :10].max() < logs.max() - 1_000.0
    assert np.isfinite(total).all()
    np.testing.assert_allclose(total, whole, rtol=1e-10, atol=1e-300)
