"""The way to infinity: moves of rows, rounding told from moves, rows sent far away."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.engine.layout import linear
from glmcount.fitting.falling import FAR, Falling, joined, moves_of, sent, size_of
from tests.engine.test_tables import drawn
from tests.made import counts, run_of


def test_sizes_and_moves_are_those_of_the_design_written_out():
    layout, strip, design, rng = drawn(300)
    vectors = rng.normal(size=(layout.size, 3))
    vectors[layout.slices[1], 2] = 0.0
    for k, own in enumerate(layout.slices):
        exact = design[:, own] @ vectors[own]
        np.testing.assert_allclose(moves_of(layout, strip, vectors, k), exact, rtol=0, atol=1e-10)
    assert not moves_of(layout, strip, vectors, 1)[:, 2].any()
    # Of the terms without their signs; levels of a contrast count once together.
    own = layout.slices[1]
    size = size_of(layout, strip, vectors[:, 0], 1)
    terms = np.abs(design[:, own] * vectors[own, 0])
    assert (size <= terms.sum(axis=1) * (1 + 1e-12)).all()
    assert (size >= np.abs(design[:, own] @ vectors[own, 0]) - 1e-12).all()


def test_moves_that_cancel_to_rounding_are_none():
    run = run_of("y ~ x + z", counts())
    strip, layout = run.rows.strip(0), run.layout
    vector = np.zeros((3, 1))
    vector[1] = 1.0
    moves = linear(layout, strip, vector[:, 0], 0)
    place = int(np.argmax(np.abs(moves)))
    vector[0] = -moves[place] * (1 + 1e-13)
    found = moves_of(layout, strip, vector, 0)
    assert found[place] == 0.0 and np.count_nonzero(found) == 59
    assert np.count_nonzero(moves_of(layout, strip, vector, 0, slack=10.0)) == 0


DATA = {"y": [0.0, 0, 3, 1, 2, 4], "x": [1.0, 2, 0, 0, 0, 0], "z": [0.5, 1, 2, 3, 5, 8]}


@pytest.fixture
def falling():
    """x sends the first two rows off; z is not concerned."""
    run = run_of("y ~ x + z", DATA)
    layout = run.layout
    null = layout.reshift(np.array([0.0, 1.0, 0.0]))[:, None]
    rows = np.array(DATA["x"]) > 0
    cone = np.array([[1.0], [2.0]])
    return run, Falling(rows, (0, 1), layout, -null[:, 0], None, null, cone, np.array([1]))


def test_rows_that_go_are_sent_far_and_others_stay(falling):
    run, far = falling
    strip, theta = run.rows.strip(0), np.array([0.3, 5.0, -0.2])
    away = sent(run.layout, strip, theta, far)
    eta = linear(run.layout, strip, theta, 0) + away.offsets[0]
    np.testing.assert_allclose(eta[:2], -FAR, rtol=1e-12)
    np.testing.assert_allclose(eta[2:], linear(run.layout, strip, theta, 0)[2:], rtol=1e-12)


def test_a_start_in_the_limit_has_no_carrier_and_the_same_other_rows(falling):
    run, far = falling
    theta = np.array([0.3, 5.0, -0.2])
    found = far.started(run.layout, theta)
    strip = run.rows.strip(0)
    assert found[1] == 0.0
    before, after = (linear(run.layout, strip, each, 0) for each in (theta, found))
    np.testing.assert_allclose(after[2:], before[2:], atol=1e-12)
    assert np.abs(after[:2] - before[:2]).min() > 1.0


def test_functions_and_other_columns(falling):
    _run, far = falling
    assert far.ways(np.array([[1.0], [-2.0], [0.0]])).tolist() == [-1.0, 1.0, 0.0]
    other = run_of("y ~ x + z", DATA | {"x": [1.0, 2, 0, 0, 0, 0]}).layout
    own = other.unshift(far.within(other))
    np.testing.assert_allclose(own, [0.0, -1.0, 0.0], atol=1e-14)
    more = Falling(far.rows, (), far.layout, far.direction, carriers=np.array([1, 2]))
    assert more.leads_on(far) and not far.leads_on(more)
    assert joined([np.ones((2, 3)), np.zeros((1, 3))], 3).shape == (3, 3)
    assert joined([], 4).shape == (0, 4)
