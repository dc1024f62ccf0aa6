"""Whole numbers beside missing ones, to the last digit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.columns.whole import EXACT, beside_missing, from_objects, refuse_merged
from glmcount.errors import DataError


@given(st.lists(st.none() | st.integers(-(2**63), 2**64 - 1), min_size=1, max_size=9))
def test_numbers_of_python_stay_as_they_are(given_):
    missing = np.array([value is None for value in given_])
    column = from_objects(np.array(given_, dtype=object), missing)
    held = column.values if column.whole is None else column.whole
    assert [None if lost else int(v) for v, lost in zip(held, missing, strict=True)] == given_
    assert column.values.tolist() == [
        pytest.approx(float(v)) if v is not None else pytest.approx(np.nan, nan_ok=True)
        for v in given_
    ]
    fits = max((v for v in given_ if v is not None), default=0) < 2**63 or (
        min((v for v in given_ if v is not None), default=0) >= 0
    )
    assert (held.dtype.kind in "iu") == fits


def test_of_none_missing_the_array_is_kept():
    values = np.array([1, 2**60 + 1])
    column = beside_missing(values, np.zeros(2, bool))
    assert column.values is values and column.whole is None
    doubles = beside_missing(values, np.array([True, False]))
    assert np.isnan(doubles.values[0]) and doubles.whole.tolist() == [0, 2**60 + 1]


def test_beyond_all_doubles():
    with pytest.raises(OverflowError):
        from_objects(np.array([10**400], dtype=object), np.zeros(1, bool))


@pytest.mark.parametrize("far", [EXACT, -EXACT, 2 * EXACT])
def test_doubles_that_merge_labels_are_refused(far):
    refuse_merged("k", np.array([1.0, EXACT - 1, np.nan, np.inf]))
    with pytest.raises(DataError, match=f"k makes levels.* {far:.17g},") as caught:
        refuse_merged("k", np.array([1.0, far]))
    assert caught.value.kind == "beyond_double"
