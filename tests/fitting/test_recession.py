"""Directions of recession decided by the rows' signs, against a linear programme over all rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from glmcount.engine.layout import linear
from glmcount.families import hurdle, poisson
from glmcount.fitting.falling import FAR
from glmcount.fitting.recession import Freedom, far_along, gone_by, leading_to, recession
from tests.made import run_of


def freedom_of(data, formula="y ~ x + z + g", **options):
    run = run_of(formula, data, **options)
    return run, Freedom(run.rows, run.layout, run.family, ()).centred()


def drawn(seed, n=14):
    rng = np.random.default_rng(seed)
    data = {"y": rng.poisson(0.7, n).astype(float), "g": np.resize(["a", "b", "c"], n)}
    return data | {"x": rng.integers(-2, 3, n).astype(float), "z": rng.integers(0, 3, n) / 2}


def design_of(data):
    columns = [np.ones(len(data["y"])), data["x"], data["z"], data["g"] == "b", data["g"] == "c"]
    return np.stack(columns, axis=1).astype(float)


def separated_rows(data):
    """Zeros that some d with X d = 0 on positive counts and X d <= 0 on zeros takes below 0."""
    x, zero = design_of(data), data["y"] == 0
    out = np.zeros(len(zero), bool)
    for i in np.flatnonzero(zero):
        found = linprog(
            x[i],
            A_ub=x[zero],
            b_ub=np.zeros(zero.sum()),
            A_eq=x[~zero],
            b_eq=np.zeros((~zero).sum()),
            bounds=(-1, 1),
            method="highs",
        )
        out[i] = found.fun < -1e-9
    return out


@settings(deadline=None, max_examples=25, derandomize=True)
@given(st.integers(0, 10_000))
def test_the_rows_that_run_off_are_those_of_the_programme(seed):
    data = drawn(seed)
    run, own = freedom_of(data)
    expected = separated_rows(data)
    direction = recession(own)
    if direction is None:
        assert not expected.any()
        return
    falling = leading_to(own, run.rows, gone_by(own, direction), direction)
    np.testing.assert_array_equal(falling.rows, expected)
    assert falling.where == tuple(np.flatnonzero(expected))
    moves = design_of(data) @ own.layout.unshift(direction)
    assert np.abs(moves[~expected]).max() <= 1e-12 * np.abs(moves).max()
    assert moves[expected].max() < 0


def test_which_way_rows_may_run():
    data = {
        "y": np.array([0.0, 1.0, 0.0]),
        "x": np.array([1.0, 2.0, 4.0]),
        "w": np.array([1.0, 1, 1]),
    }
    _, own = freedom_of(data, "y ~ x")
    ((way, told),) = own.of(own.rows.strip(0))
    assert way.tolist() == [-1.0, 0.0, -1.0] and told.all()
    assert own.held(own.rows.strip(0))[0].tolist() == [0.0, 1.0, 0.0]
    # Columns are shifted by a row that must stay.
    assert own.layout.blocks[0].shift.tolist() == [0.0, 2.0]


def test_a_hurdle_s_parts_run_their_own_ways():
    data = {"y": np.array([0.0, 1.0, 5.0, 0.0]), "x": np.array([1.0, 2.0, 4.0, 3.0])}
    _, own = freedom_of(data, "y ~ x", family=hurdle(poisson))
    (count, tells), (zero, _) = own.of(own.rows.strip(0))
    assert tells.tolist() == [False, True, True, False]
    assert count.tolist()[1:3] == [-1.0, 0.0]
    assert zero.tolist() == [-1.0, 1.0, 1.0, -1.0]


SEPARATED = {
    "y": np.array([0.0, 0, 3, 1, 2, 4]),
    "x": np.array([1.0, 2, 0, 0, 0, 0]),
    "z": np.array([0.5, 1, 2, 3, 5, 8]),
}


def test_far_along_all_rows_that_go_are_certain():
    run, own = freedom_of(SEPARATED, "y ~ x + z")
    falling = leading_to(own, run.rows, gone_by(own, recession(own)))
    theta = run.layout.reshift(np.array([0.4, 3.0, 0.1]))
    far = far_along(run.rows, run.layout, falling, theta)
    eta = linear(run.layout, run.rows.strip(0), far, 0)
    assert eta[:2].max() == pytest.approx(-FAR, rel=1e-9)
    before = linear(run.layout, run.rows.strip(0), theta, 0)
    np.testing.assert_allclose(eta[2:], before[2:], atol=1e-9)


def test_rows_that_cannot_go_lead_nowhere():
    run, own = freedom_of(SEPARATED, "y ~ x + z")
    # The last row alone: it has a count, and others hold its columns.
    going = lambda strip: [np.array([0.0, 0, 0, 0, 0, -1.0])]  # noqa: E731
    assert leading_to(own, run.rows, going) is None
    assert recession(freedom_of(SEPARATED, "y ~ z")[1]) is None
