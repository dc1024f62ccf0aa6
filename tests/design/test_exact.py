"""Whole numbers beyond 2^53: refused where rounding is as large as they differ, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.design.exact import check_exact
from glmcount.errors import DataError
from tests.made import design_of

Y = np.array([1.0, 2.0, 0.0, 3.0])
FAR = 2**60


def check(values, formula="y ~ k", **more):
    rows = design_of(formula, {"y": Y, "k": values, **more})
    strip = rows.strip(0)
    extents = []
    for block in strip.blocks:
        own = [np.zeros(4) if row is None else row.astype(float) for row in block.rows]
        extents.append(np.array([[v.sum(), v.min(), v.max()] for v in own]).T)
    check_exact(rows, extents)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("beside", [{}, {"z": np.array([1.5, 2.0, 0.5, 1.0])}])
def test_numbers_that_doubles_merge_are_refused_by_name(sign, beside):
    formula = "y ~ z + k" if beside else "y ~ k"
    with pytest.raises(DataError, match=r"^k holds whole numbers from .* steps of 256,") as caught:
        check(sign * (FAR + np.arange(4)), formula, **beside)
    assert caught.value.kind == "beyond_double"


@pytest.mark.parametrize(
    "values",
    [
        np.arange(4),
        2**53 - np.arange(4),
        FAR + 256 * np.arange(4),  # every one a double
        FAR * np.arange(4),
        np.array([0, FAR + 1, 5, 2**61 + 7]),  # rounded, by nothing that a range of 2^61 shows
        FAR + np.arange(4.0),  # doubles already: what they were is not known
    ],
)
def test_numbers_that_lose_nothing_are_taken(values):
    check(values)


def test_a_number_at_the_end_of_its_type():
    # As a double it is 2^63, which the type does not have.
    with pytest.raises(DataError):
        check(np.array([2**63 - 1, 2**63 - 2, 2**63 - 3, 2**63 - 4], np.int64))
