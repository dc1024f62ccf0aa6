"""When separation is suspected, and the limits it leads to, on data that are known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.engine.layout import linear
from glmcount.families import poisson, zero_inflated
from glmcount.fitting.separation import (
    by_curvature,
    doubtful,
    emptied,
    foreseen,
    freedom,
    further,
    limit_outcome,
    separated,
)
from glmcount.fitting.solvers import newton
from glmcount.fitting.start import first_values
from glmcount.records import replace
from tests.made import counts, run_of

# x sends the first two rows off; of the others the mean is 2.5.
DATA = {"y": np.array([0.0, 0, 3, 1, 2, 4]), "x": np.array([1.0, 2, 0, 0, 0, 0])}
WHOLE = counts()


def solved(formula, data, family="poisson", parts=None, expected=False):
    run = run_of(formula, data, family, parts)
    return run, newton(run.problem(expected), first_values(run))


def test_a_fit_that_runs_away_is_doubted_and_the_rows_decide():
    run, outcome = solved("y ~ x", DATA)
    assert outcome.status == "recession" and doubtful(run, outcome)
    falling = separated(run, outcome, ())
    assert falling.rows.tolist() == [True, True, False, False, False, False]
    assert falling.where == (0, 1)
    moves = linear(falling.layout, run.rows.strip(0), falling.direction, 0)
    assert moves[:2].max() < 0 and not moves[2:].any()
    ahead = foreseen(run, ())
    assert ahead.where == falling.where
    own = freedom(run, ())
    assert own.layout.blocks[0].shift[1] == 0.0


def test_one_with_a_maximum_is_not():
    run, outcome = solved("y ~ x + g", WHOLE)
    assert outcome.status == "final" and not doubtful(run, outcome)
    assert separated(run, outcome, ()) is None and foreseen(run, ()) is None


def test_a_late_end_with_a_large_error_is_doubted():
    run, outcome = solved("y ~ x + g", WHOLE)
    run.history = [run.history[0]] * 20
    assert not doubtful(run, outcome)
    flat = replace(outcome, sums=replace_information(outcome.sums, 1e-6))
    assert doubtful(run, flat)
    run.history = run.history[:5]
    assert not doubtful(run, flat)


def replace_information(sums, share):
    return type(sums)(sums.llf, sums.score, share * sums.information.matrix, 0.0)


@pytest.mark.parametrize("coding", ["g", "0 + g"])
@pytest.mark.parametrize("empty", [0, 57])
def test_a_level_of_zeros_is_seen_in_the_first_pass(coding, empty):
    codes = np.repeat(np.arange(120), 2)
    y = np.tile([1.0, 2.0], 120)
    data = {"g": np.array([f"{k:03d}" for k in codes]), "y": y}
    run = run_of(f"y ~ {coding}", data)
    assert not emptied(run, run.evaluate(first_values(run), expected=True))
    data["y"] = np.where(codes == empty, 0.0, y)
    run = run_of(f"y ~ {coding}", data)
    assert emptied(run, run.evaluate(first_values(run), expected=True))
    assert np.flatnonzero(foreseen(run, ()).rows).tolist() == [2 * empty, 2 * empty + 1]


def test_of_few_columns_or_several_parts_nobody_asks():
    run = run_of("y ~ g", {"y": [0.0, 0, 1, 2], "g": list("aabb")})
    assert not emptied(run, run.evaluate(first_values(run), expected=True))


def test_the_fit_in_the_limit_is_that_of_the_other_rows():
    run, outcome = solved("y ~ x", DATA)
    falling = separated(run, outcome, ())
    run.gone, run.memo = falling, None
    run.kept = np.setdiff1d(run.kept, falling.carriers)
    outside = np.full(2, 1e4)
    with np.errstate(over="ignore", invalid="ignore"):
        found = limit_outcome(run, False, [outside, falling.started(run.layout, outcome.theta)])
    assert found.status == "final"
    # The mean of the rows that stay is 2.5, and the others are certain.
    llf = (DATA["y"] * np.log(2.5))[2:].sum() - 4 * 2.5
    assert found.sums.llf == pytest.approx(llf, rel=1e-12)
    assert further(run, found, (), falling) is None
    run.kept = np.zeros(0, dtype=np.intp)
    nothing = limit_outcome(run, False, [])
    assert (nothing.status, len(nothing.theta)) == ("final", 0)


def test_where_scoring_stopped_newton_s_method_says_what_it_is():
    run = run_of("y ~ x", DATA)
    stopped = newton(run.problem(True), first_values(run))
    end, scoring = by_curvature(run, replace(stopped, status="maxiter"))
    assert end.status == "recession" and scoring is False


def test_in_a_mixture_the_last_step_tells():
    # Every zero is structural or not; all ones stand where d is 1.
    d = np.r_[np.zeros(20), np.ones(20)]
    y = np.r_[np.tile([0.0, 2, 0, 3], 5), np.tile([1.0, 2, 3, 2], 5)]
    run, outcome = solved("y ~ 1", {"y": y, "d": d}, zero_inflated(poisson), [("inflate", "d")])
    falling = separated(run, outcome, ())
    assert outcome.status == "recession" and falling is not None
    assert falling.rows.tolist() == (d == 1).tolist()
