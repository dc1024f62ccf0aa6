"""Whether columns of numbers span a constant, against least squares on the columns."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.fitting.constant import spans_constant
from glmcount.numerics.control import USUAL
from tests.made import ready

RNG = np.random.default_rng(9)
X = RNG.normal(size=(80, 2))
SHARE = RNG.uniform(size=80)
CASES = {
    "neither": ("0 + a + b", {"a": X[:, 0], "b": X[:, 1]}, False),
    "two shares": ("0 + a + b", {"a": SHARE, "b": 1 - SHARE}, True),
    "of any sizes": ("0 + a + b", {"a": 1e9 * SHARE, "b": 1e-7 * (1 - SHARE)}, True),
    "and another": ("0 + a + b + c", {"a": SHARE, "b": 2 - SHARE, "c": X[:, 0]}, True),
    "repeated": ("0 + a + b + c", {"a": SHARE, "b": 1 - SHARE, "c": 2 * SHARE}, True),
    "a column of twos": ("0 + a", {"a": np.full(80, 2.0)}, True),
    "one row off": ("0 + a", {"a": np.where(np.arange(80) == 7, 2.0, 2.001)}, False),
    "nearly": ("0 + a + b", {"a": SHARE, "b": 1 - SHARE + 1e-5 * X[:, 0]}, False),
    "a spline": ("0 + bs(a, df=5, include_intercept=True)", {"a": SHARE}, True),
    "a spline without": ("0 + bs(a, df=5)", {"a": SHARE}, False),
    "an intercept": ("a", {"a": SHARE}, True),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_whether_ones_are_a_combination(name, weighted):
    formula, columns, expected = CASES[name]
    data = columns | {"y": RNG.poisson(2.0, 80), "w": RNG.integers(1, 4, 80)}
    rows, layout, _, _ = ready(f"y ~ {formula}", data, weights="w" if weighted else None)
    assert spans_constant(rows, layout, 0, USUAL) is expected


def test_of_one_equation_alone():
    data = {"y": RNG.poisson(2.0, 80), "a": SHARE, "b": 1 - SHARE}
    rows, layout, _, _ = ready("y ~ 0 + a", data, "negbin", [("dispersion", "0 + a + b")])
    assert [spans_constant(rows, layout, k, USUAL) for k in (0, 1)] == [False, True]
