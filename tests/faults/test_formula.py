"""Formulas: missing values in conditions, look-alike names, codings, and what cannot be read."""

from __future__ import annotations

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


# Names that look alike ---------------------------------------------------------------------

WIDE = "\uff58"  # full-width x, which Python's parser reads as x
MICRO, MU = "\u00b5", "\u03bc"  # the micro sign, which it reads as the Greek letter


@pytest.mark.parametrize("first, second", [("x", WIDE), (MICRO, MU), ("\u00aa", "a")])
@pytest.mark.parametrize("wrap", ["{}", "np.log({} + 2)", "center({})", "I({} > 1)"])
def test_the_column_that_was_written_is_used(first, second, wrap):
    data = {"y": Y, first: X, second: [1.0, 0.0, 3.0, 1.0, 2.0, 0.0, 5.0, 2.0]}
    for name in (first, second):
        r = quiet(f"y ~ {wrap.format(name)}", data)
        plain = quiet(f"y ~ {wrap.format('v')}", {"y": Y, "v": data[name]})
        assert r.llf == pytest.approx(plain.llf, rel=1e-12), name
    both = quiet(f"y ~ {first} + {second}", data)
    plain = quiet("y ~ v + w", {"y": Y, "v": data[first], "w": data[second]})
    assert list(both.params) == pytest.approx(list(plain.params), rel=1e-9)


def test_look_alike_offsets_and_weights_are_the_written_ones():
    data = {"y": Y, "x": X, WIDE: [1.0, 2.0, 1.0, 3.0, 1.0, 2.0, 1.0, 1.0]}
    for role in ("weights", "exposure", "offset"):
        r = quiet("y ~ 1", data, **{role: WIDE})
        plain = quiet("y ~ 1", data, **{role: np.array(data[WIDE])})
        assert r.llf == pytest.approx(plain.llf, rel=1e-12)


def test_a_name_that_only_looks_like_columns_is_used_where_it_is_one_and_else_refused():
    one = quiet(f"y ~ {WIDE}", {"y": Y, "x": X})
    assert one.llf == pytest.approx(quiet("y ~ x", {"y": Y, "x": X}).llf, rel=1e-12)
    bold, script = "\U0001d431", "\U0001d4cd"  # mathematical x, bold and script
    error = refused(f"y ~ {WIDE}", {"y": Y, bold: X, script: X})
    assert error.kind == "ambiguous_column"
    assert "^" in str(error)


def test_the_function_that_was_written_is_called():
    given = {"f": lambda v: v, "\uff46": lambda v: v**2}
    data = {"y": Y, "x": X}
    assert quiet("y ~ \uff46(x)", data, env=given).llf == pytest.approx(
        quiet("y ~ I(x**2)", data).llf, rel=1e-12
    )
