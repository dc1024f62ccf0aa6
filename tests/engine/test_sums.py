"""What one pass adds up to, and what rounding makes of it."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.engine.information import Information
from glmcount.engine.sums import PREDICTOR, Sums, noise, wobble

CURVES = st.one_of(st.floats(0.01, 1e3), st.floats(-1e3, -0.01), st.just(0.0))
SLOPES = st.lists(st.tuples(st.floats(-1e3, 1e3), CURVES), max_size=20)


@given(SLOPES)
def test_noise_is_a_sum_over_the_rows(rows):
    first, second = np.array(rows).reshape(-1, 2).T
    squares, slopes = noise(first, second)
    expected = sum((abs(a) + 2 * abs(b)) ** 2 / abs(b) for a, b in rows if b)
    assert slopes == pytest.approx(sum(abs(a) for a, _ in rows), rel=1e-12)
    assert squares == pytest.approx(expected, rel=1e-9)


def test_noise_of_what_is_zero_and_of_predictors_that_are_the_same():
    assert noise(None, np.ones(2)) == noise(np.ones(2), None) == (0.0, 0.0)
    assert noise(np.array([1.0, -2.0]), np.array([3.0])) == pytest.approx((49 / 3 + 64 / 3, 3.0))
    assert wobble(2.0) == PREDICTOR * 2.0 * 2.0**-52


def test_rounding_is_asked_for_once_and_late():
    asked = []

    def rounding():
        asked.append(True)
        return 1e-6, 1e-5

    sums = Sums(-50.0, np.zeros(2), np.eye(2), rounding)
    part = sums.kept(np.array([1]))
    assert asked == []
    assert part.floor == sums.floor == 1e-6
    assert sums.slack == pytest.approx(50e-12 + 10 * 1e-12 + 1e-5, rel=1e-12)
    assert asked == [True]
    assert Sums(1.0, np.zeros(1), np.eye(1), 0.5, 0.25).rounding == (0.5, 0.25)


def test_sums_from_another_process_know_their_rounding():
    sums = Sums(-50.0, np.ones(2), 2.0 * np.eye(2), lambda: (1e-6, 1e-5))
    again = pickle.loads(pickle.dumps(sums))  # noqa: S301
    assert (again.llf, again.rounding) == (-50.0, (1e-6, 1e-5))
    np.testing.assert_array_equal(again.score, sums.score)
    np.testing.assert_array_equal(again.information.matrix, sums.information.matrix)


def test_rounding_that_overflows_warns_nobody():
    first, second = np.full(2, 1e200), np.array([1e-300, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sums = Sums(-1.0, np.zeros(1), np.eye(1), lambda: noise(first, second))
        assert sums.rounding[1] == 2e200


def test_some_parameters_have_their_own_score_and_information():
    matrix, score = np.array([[4.0, 1.0], [1.0, 3.0]]), np.array([5.0, 6.0])
    sums = Sums(1.0, score, Information(matrix), 0.0)
    part = sums.kept(np.array([1]))
    assert part.llf == 1.0 and part.score.tolist() == [6.0]
    assert part.information.matrix.tolist() == [[3.0]]


@pytest.mark.parametrize("llf", [-np.inf, 2.0])
def test_a_matrix_becomes_an_information_that_knows_whether_it_is_finite(llf):
    sums = Sums(llf, np.zeros(1), np.array([[2.0]]), 0.0)
    assert isinstance(sums.information, Information)
    assert sums.information.finite == np.isfinite(llf)
