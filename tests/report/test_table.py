"""How cells are shown, and that nothing in a name can rearrange a table."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.report.table import CELL_WIDTH, TableColumn, clean, fixed, p_value, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000"),
        (-0.0, "0.0000"),
        (1.028874, "1.0289"),
        (-0.361993, "-0.3620"),
        (0.00004, "4.000e-05"),
        (0.00006, "0.0001"),
        (-0.00004, "-4.000e-05"),
        (99999.12345, "99999.1234"),
        (999999.99999, "1.000e+06"),
        (-123456.0, "-1.235e+05"),
        (1e200, "1.000e+200"),
        (-1e-300, "-1.00e-300"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, ""),
    ],
)
def test_four_decimals_or_scientific(value, text):
    assert fixed(value, 4) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 6))
def test_a_shown_number_fits_and_is_zero_only_for_zero(value, places):
    text = fixed(value, places)
    assert len(text) <= CELL_WIDTH
    assert (float(text) == 0) == (value == 0)


@given(st.floats(-1e5, 1e5))
def test_what_is_shown_is_the_value_rounded(value):
    assert math.isclose(float(fixed(value, 4)), value, rel_tol=5e-4, abs_tol=5e-5)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "<0.001"),
        (1e-300, "<0.001"),
        (0.000999, "<0.001"),
        (0.001, "0.001"),
        (0.0435, "0.043"),
        (1.0, "1.000"),
        (math.nan, ""),
    ],
)
def test_p_values_are_never_zero(value, text):
    assert p_value(value) == text


def test_cells_may_be_numbers_of_numpy_text_or_nothing():
    column = TableColumn("coef")
    cells = [np.float64(2.5), 3, "-inf", None, float("nan")]
    assert [shown(column, cell) for cell in cells] == ["2.5000", "3.0000", "-inf", "", ""]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("plain [T.a]", "plain [T.a]"),
        ("two\nlines\r\t", r"two\nlines\r\t"),
        ("red \x1b[31m", r"red \x1b[31m"),
        ("\u202eabc", r"\u202eabc"),
        ("\u2028", r"\u2028"),
        ("\ud800", r"\ud800"),
        ("größe 数", "größe 数"),
    ],
)
def test_control_characters_are_written_out(name, written):
    assert clean(name) == written
