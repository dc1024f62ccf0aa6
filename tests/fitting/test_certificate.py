"""The certificate: condition, kappa and the bound, against their formulas on known matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.fitting.certificate import certify

VERDICTS = ("", "", "proven", "the log-likelihood is concave")


def never():
    raise AssertionError("this pass is not needed")


def certified(matrix, kappa=never, left=lambda: 1e-8, curvature=1.0, verdicts=VERDICTS, sizes=None):
    sizes = np.ones(len(matrix)) if sizes is None else sizes
    return certify(matrix, sizes, curvature, (1e-9, 2e-9, 3e-12), kappa, left, verdicts)


@given(st.floats(-0.99, 0.99), st.floats(1e-3, 1e3))
def test_of_two_columns_all_is_known(r, scale):
    d = np.array([1.0, scale])
    matrix = np.array([[1.0, r], [r, 1.0]]) * np.outer(d, d)
    found = certified(matrix, sizes=np.array([2.0, 3.0 * scale]))
    assert found.condition_number == pytest.approx((1 + abs(r)) / (1 - abs(r)), rel=1e-9)
    kappa = math.sqrt((4.0 + 9.0) / (1 - abs(r)))
    assert found.kappa == pytest.approx(kappa, rel=1e-9)
    assert found.error_bound == pytest.approx(-math.log(1 - kappa * 1e-8) / kappa, rel=1e-6)
    assert found.error_bound >= 1e-8 * (1 - 1e-6)
    assert (found.rho, found.decrement, found.floor, found.rank) == (1e-9, 2e-9, 3e-12, 2)
    assert (found.maximum, found.separation) == ("proven", "")


def test_a_bound_that_fails_asks_for_the_exact_kappa():
    # By the sizes of the columns kappa is sqrt(2), with which 0.8 is beyond what tells.
    found = certified(np.eye(2), kappa=lambda: 1.0, left=lambda: 0.8)
    assert found.kappa == 1.0 and found.error_bound == pytest.approx(-math.log(0.2))
    assert certified(np.eye(2), kappa=lambda: 1.25, left=lambda: 0.8).error_bound is None


@pytest.mark.parametrize(
    "without",
    [
        {"curvature": None, "left": never},
        {"verdicts": ("rows are separated", "", "", ""), "left": never},
        {"left": lambda: math.inf},
    ],
)
def test_where_nothing_is_proved_there_is_no_bound(without):
    found = certified(np.eye(2), **without)
    assert found.error_bound is None and found.condition_number == 1.0


def test_a_matrix_that_is_not_definite_has_no_condition():
    for matrix in (np.diag([1.0, 0.0]), np.array([[1.0, 2.0], [2.0, 1.0]])):
        found = certified(matrix, left=never)
        assert found.condition_number == math.inf and found.kappa is None
    assert certified(np.zeros((0, 0)), left=lambda: 0.0).condition_number == 1.0
