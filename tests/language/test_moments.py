"""Means and spreads of strips that merge, against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.language.moments import (
    Moments,
    Total,
    centred,
    columns_of,
    moments_of,
    standardised,
    total_of,
)

VALUES = st.floats(-1e6, 1e6).map(lambda v: v + 1e9)
STRIPS = st.lists(st.lists(VALUES, max_size=12), min_size=1, max_size=5).filter(
    lambda strips: sum(map(len, strips)) > 1
)


def spread_of(values):
    """Root of the sum of squares about the mean."""
    exact = [Fraction(v) for v in values]
    middle = sum(exact) / len(exact)
    return middle, float(sum((v - middle) ** 2 for v in exact)) ** 0.5


@given(STRIPS)
def test_merged_moments_are_those_of_all_values(strips):
    together = [value for strip in strips for value in strip]
    middle, root = spread_of(together)
    parts = [np.array(strip, float)[:, None] for strip in strips]
    found = reduce(Moments.merge, map(Moments.of, parts))
    assert found.count == len(together)
    # What is left of the mean is told to far more digits than one double has at 1e9.
    left = Fraction(float(found.high[0])) + Fraction(float(found.low[0])) - middle
    assert abs(float(left)) <= 1e-14 * 1e6 + 1e-15 * root
    assert found.root[0] == pytest.approx(root, rel=1e-9, abs=1e-8)
    total = reduce(Total.merge, map(Total.of, parts))
    assert float(total.mean()[0]) == pytest.approx(float(middle), rel=2.3e-16)


def test_a_constant_has_no_spread_and_large_values_one():
    held = Moments.of(np.full((5, 1), 0.1))
    assert held.root.tolist() == [0.0] and held.high.tolist() == [0.1]
    far = Moments.of(np.array([[1e200], [-1e200]]))
    assert far.root[0] == pytest.approx(2**0.5 * 1e200)
    assert Moments.of(np.zeros((0, 2))).count == 0
    nothing = Moments.of(np.zeros((0, 1)))
    assert nothing.merge(held) is held and held.merge(nothing) is held


def test_centred_and_standardised_columns():
    x = np.random.default_rng(0).normal(50.0, 3.0, (40, 2))
    learnt = total_of({}, [x])
    np.testing.assert_allclose(centred({}, learnt, [x]), x - x.mean(axis=0), atol=1e-12)
    one = total_of({}, [x[:, 0]])
    assert centred({}, one, [x[:, 0]]).shape == (40,)
    moments = moments_of({}, [x])
    plain = standardised({}, moments, [x])
    np.testing.assert_allclose(plain, (x - x.mean(axis=0)) / x.std(axis=0), atol=1e-12)
    by_sample = standardised({"ddof": 1, "center": False}, moments, [x])
    np.testing.assert_allclose(by_sample, x / x.std(axis=0, ddof=1), rtol=1e-13)
    kept = standardised({"rescale": False}, moments, [x])
    np.testing.assert_allclose(kept, x - x.mean(axis=0), atol=1e-12)
    assert columns_of(x[:, 0]).shape == (40, 1) and columns_of(x) is x
