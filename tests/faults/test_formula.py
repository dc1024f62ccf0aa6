"""Formulas: missing values in conditions, look-alike names, codings, and what cannot be read."""

from __future__ import annotations

import itertools
import random
import time
import warnings

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount import errors

Y = [1, 2, 3, 4, 5, 7, 2, 3]
X = [0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 1.0, 0.5]
Z = [5.0, 3.0, np.nan, 5.0, 1.0, 6.0, np.nan, 2.0]
H = ["a", "b", None, "a", "b", "a", None, "c"]
B = pd.array([True, False, None, True, False, True, None, False], dtype="boolean")
DATA = {"y": Y, "x": X, "z": Z, "h": H, "b": B}


def quiet(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.GlmcountWarning)
        return gc.fit(formula, data, **options)


def told(formula, data, **options):
    """The kinds of the warnings of a fit, each with its message."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gc.fit(formula, data, **options)
    return [(w.message.kind, str(w.message)) for w in caught]


def refused(formula, data, **options):
    with pytest.raises(errors.GlmcountError) as caught:
        quiet(formula, data, **options)
    return caught.value


# Missing values in conditions --------------------------------------------------------------

KLEENE = {
    # formula: what each row is, None where it is not known
    "where(z > 4, 1, 0)": [1, 0, None, 1, 0, 1, None, 0],
    "where(z != 3, 1, 0)": [1, 0, None, 1, 1, 1, None, 1],
    "where(h == 'a', 1, 0)": [1, 0, None, 1, 0, 1, None, 0],
    "where(h != 'a', 1, 0)": [0, 1, None, 0, 1, 0, None, 1],
    "where(b, 1, 0)": [1, 0, None, 1, 0, 1, None, 0],
    "where(~(z > 4), 1, 0)": [0, 1, None, 0, 1, 0, None, 1],
    "where((z > 4) & (x > 1), 1, 0)": [0, 0, None, 0, 0, 1, 0, 0],
    "where((z > 4) | (x > 1), 1, 0)": [1, 0, 1, 1, 0, 1, None, 0],
    "where(isnan(z) | (z > 4), 1, 0)": [1, 0, 1, 1, 0, 1, 1, 0],
    "where(isnan(z), 9, where(z > 4, 1, 0))": [1, 0, 9, 1, 0, 1, 9, 0],
    "where(x > 1, z, 0)": [0, 0, None, 0, 0, 6, 0, 0],
    "I(where(isnan(x), 0, 1) * (z > 4))": [1, 0, None, 1, 0, 1, None, 0],
    "where(isnan(x), 0, z**0 + x)": [1, 2, None, 1, 2, 3, None, 1.5],
    "minimum(where(isnan(x), 0, z), 4)": [4, 3, None, 4, 1, 4, None, 2],
    "sign(where(isnan(x), 0, z) - 3)": [1, 0, None, 1, -1, 1, None, -1],
    "where(isnan(z > 4), 1, 0)": [0, 0, 1, 0, 0, 0, 1, 0],
}


@pytest.mark.parametrize("formula", KLEENE)
def test_a_condition_that_is_missing_is_neither_true_nor_false(formula):
    expected = np.array(KLEENE[formula], dtype=float)
    used = ~np.isnan(expected)
    r = quiet(f"y ~ {formula}", DATA)
    by_hand = quiet("y ~ v", {"y": np.array(Y)[used], "v": expected[used]})
    assert r.nobs == used.sum()
    assert r.llf == pytest.approx(by_hand.llf, rel=1e-12)
    assert list(r.params) == pytest.approx(list(by_hand.params), rel=1e-9)
    assert sum(r.dropped.values()) == (~used).sum()


@pytest.mark.parametrize(
    "formula, expected",
    [
        ("where(z > 4, 'hi', 'lo')", [1, 0, None, 1, 0, 1, None, 0]),
        ("where(x > 0, z > 4, x > 5)", [0, 0, None, 0, 0, 1, None, 0]),
        ("I(isnan(z) | (z > 4))", [1, 0, 1, 1, 0, 1, 1, 0]),
        ("I((z > 4) & ~isnan(z))", [1, 0, 0, 1, 0, 1, 0, 0]),
    ],
)
def test_conditions_as_factors_leave_out_what_is_missing(formula, expected):
    value = np.array(expected, dtype=float)
    used = ~np.isnan(value)
    r = quiet(f"y ~ {formula}", DATA)
    by_hand = quiet("y ~ v", {"y": np.array(Y)[used], "v": value[used]})
    assert r.nobs == used.sum()
    assert r.llf == pytest.approx(by_hand.llf, rel=1e-12)


def test_rows_lost_by_a_condition_are_counted_and_told():
    assert [kind for kind, _ in told("y ~ where(z > 4, 1, 0)", DATA)] == ["missing_rows"]
    r = quiet("y ~ where(isnan(z), 0, 1) * (z > 4)", DATA)
    assert r.dropped == {"z missing": 2}
    assert quiet("y ~ where(isnan(z), 0, z)", DATA, missing="raise").nobs == 8
    assert refused("y ~ where(z > 4, 1, 0)", DATA, missing="raise").kind == "missing_values"


def test_a_condition_on_what_is_not_defined_is_no_false():
    error = refused("y ~ I(log(x - 1) > 0)", DATA)
    assert error.kind == "nonfinite_design"
    assert "log(x - 1)" in str(error) and "0, 3, 7" in str(error)


def test_new_rows_with_a_missing_condition_predict_nothing():
    r = quiet("y ~ where(z > 4, 1, 0)", DATA)
    predicted = np.asarray(r.predict({"z": [5.0, np.nan, 1.0]}), dtype=float)
    assert np.isnan(predicted).tolist() == [False, True, False]
