"""Cubic regression splines and tensor products against scipy's interpolation and products."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from glmcount.language.cubic import (
    cubic,
    cubic_learnt,
    cubic_seen,
    tensor,
    tensor_learnt,
    tensor_seen,
)
from glmcount.language.knots import Span, Tally
from glmcount.language.moments import Total

X = np.random.default_rng(6).uniform(0.0, 4.0, 50)


def learnt_of(cyclic, x=X, strips=1, **settings):
    seen = [cubic_seen(cyclic, settings, [part]) for part in np.array_split(x, strips)]
    return cubic_learnt(cyclic, settings, reduce(lambda a, b: a.merge(b), seen))


@pytest.mark.parametrize("cyclic", [False, True])
@pytest.mark.parametrize("df", [3, 6])
def test_a_column_interpolates_one_at_its_knot_and_zero_at_others(cyclic, df):
    learnt = learnt_of(cyclic, df=df)
    found = cubic(cyclic, {"df": df}, learnt, [X])
    knots = learnt.all_knots
    assert (knots[0], knots[-1]) == (X.min(), X.max())
    heights = np.eye(df)
    if cyclic:
        heights = np.vstack([heights, heights[:1]])
    curves = CubicSpline(knots, heights, bc_type="periodic" if cyclic else "natural")
    np.testing.assert_allclose(found, curves(X), rtol=0, atol=1e-12)


def test_beyond_the_knots_it_goes_on_straight_or_round():
    settings = {"knots": [1.0, 3.0], "lower_bound": 0.0, "upper_bound": 4.0}
    plain = learnt_of(False, **settings)
    slope = [
        cubic(False, settings, plain, [np.array(x)]) for x in ([4.0, 5.0, 7.0], [0.0, -1.0, -3.0])
    ]
    for at in slope:
        np.testing.assert_allclose(at[2] - at[0], 3.0 * (at[1] - at[0]), atol=1e-12)
    round_ = learnt_of(True, **settings)
    at = np.array([0.5, 3.25, 1.0])
    found = [cubic(True, settings, round_, [at + turn]) for turn in (0.0, 4.0, -8.0)]
    np.testing.assert_allclose(found[1], found[0], atol=1e-12)
    np.testing.assert_allclose(found[2], found[0], atol=1e-12)


@pytest.mark.parametrize("cyclic", [False, True])
@pytest.mark.parametrize("strips", [1, 3])
@pytest.mark.parametrize("fixed", [False, True])
def test_centred_columns_add_up_to_nothing(cyclic, strips, fixed):
    settings = {"df": 4, "constraints": "center"}
    if fixed:
        settings = {"knots": [1.0, 2.0, 3.0], "lower_bound": 0.0, "upper_bound": 4.0} | {
            "constraints": "center"
        }
    learnt = learnt_of(cyclic, strips=strips, **settings)
    found = cubic(cyclic, settings, learnt, [X])
    width = len(learnt.all_knots) - cyclic
    assert found.shape == (50, width - 1) and np.linalg.matrix_rank(found) == width - 1
    np.testing.assert_allclose(found.sum(axis=0), 0.0, atol=1e-12)


def test_other_constraints_hold_for_every_combination():
    rows = [[1.0, 2.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]]
    learnt = learnt_of(False, df=2, constraints=rows)
    np.testing.assert_allclose(np.array(rows) @ learnt.basis, 0.0, atol=1e-14)
    np.testing.assert_allclose(learnt.basis.T @ learnt.basis, np.eye(2), atol=1e-14)


def test_what_is_kept_of_a_strip_is_no_more_than_needed():
    fixed = {"knots": [1.0], "lower_bound": 0.0, "upper_bound": 4.0}
    kinds = [
        (Tally, {"df": 4}),
        (Span, {"knots": [1.0]}),
        (Tally, {"knots": [1.0], "constraints": "center"}),
        (Total, {**fixed, "constraints": "center"}),
    ]
    for kind, settings in kinds:
        assert type(cubic_seen(False, settings, [X])) is kind


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "give either df= or knots="),
        ({"df": 1}, "must be 2 or more"),
        ({"df": 4, "knots": [1.0]}, "needs 2 inner knots, but 1"),
        ({"df": 3, "constraints": [[1.0]]}, "constraints must have"),
        ({"df": 3, "constraints": "none"}, "constraints must be 'center'"),
        ({"knots": [9.0]}, "above upper"),
    ],
)
def test_settings_that_do_not_fit(settings, said):
    with pytest.raises(ValueError, match=said):
        learnt_of(False, **settings)


@pytest.mark.parametrize("center", [False, True])
def test_a_tensor_product_has_all_products_the_last_fastest(center):
    a, b = np.random.default_rng(1).normal(size=(2, 30, 3))
    settings = {"constraints": "center"} if center else {}
    learnt = tensor_learnt(settings, tensor_seen(settings, [a, b[:, :2]]))
    found = tensor(settings, learnt, [a, b[:, :2]])
    plain = np.stack([a[:, i] * b[:, j] for i in range(3) for j in range(2)], axis=1)
    if not center:
        np.testing.assert_array_equal(found, plain)
        return
    np.testing.assert_allclose(found.sum(axis=0), 0.0, atol=1e-12)
    assert found.shape == (30, 5)
    assert np.linalg.matrix_rank(np.c_[plain, found], tol=1e-10) == 6


def test_constraints_of_a_tensor_product_that_do_not_fit():
    settings = {"constraints": [[1.0, 2.0]]}
    with pytest.raises(ValueError, match="3 columns, not 2"):
        tensor_learnt(settings, tensor_seen(settings, [np.ones((4, 3))]))
