"""Where columns lie among the parameters, and which give a constant, against patsy's matrix."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.design.layout import layout_of
from glmcount.design.spec import EquationDesign
from glmcount.engine.layout import linear
from glmcount.records import replace
from tests.made import counts, design_of, patsy_design

DATA = counts()
FORMULAS = [
    "1",
    "x + z",
    "0 + x + z",
    "g",
    "0 + g",
    "0 + C(g, Sum)",
    "g*x + z",
    "0 + x:g",
    "C(g, Poly):z + x",
    "0 + g:bs(x, df=4)",
    "bs(z, df=4):C(g, Sum) + x*z",
    "0 + z + C(x > 0):g",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_parameters_are_patsy_s_columns_in_the_formula_s_order(formula):
    rows = design_of(f"y ~ {formula}", DATA)
    layout = layout_of(rows.spec)
    expected = np.asarray(patsy_design(formula, DATA))
    strip = rows.strip(0)
    found = np.stack([linear(layout, strip, one, 0) for one in np.eye(layout.size)], axis=1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    held = layout.constants[0]
    ones = np.linalg.lstsq(expected, np.ones(60), rcond=None)
    spanned = np.abs(expected @ ones[0] - 1).max() < 1e-10
    if held is not None:
        np.testing.assert_allclose(expected @ held, 1.0, atol=1e-12)
    # Only what columns of numbers add up to is left to the rows.
    assert spanned == (held is not None) or "bs" in formula


def test_equations_follow_each_other_and_share_codes():
    rows = design_of("y ~ g + x", DATA, [("inflate", "0 + g:x"), None])
    layout = layout_of(rows.spec)
    assert layout.slices == (slice(0, 4), slice(4, 7), slice(7, 8))
    assert [b.code for b in layout.blocks] == [-1, 0, 0, -1]
    assert [b.equation for b in layout.blocks] == [0, 0, 1, 2]
    assert layout.constants[0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    assert layout.constants[1] is None and layout.constants[2].tolist() == [0] * 7 + [1]


def test_an_equation_without_columns_has_no_place():
    spec = design_of("y ~ x", DATA).spec
    layout = layout_of(replace(spec, equations=(spec.equations[0], EquationDesign(()))))
    assert layout.slices == (slice(0, 2), slice(2, 2)) and layout.constants[1] is None
    assert layout.constants[0].tolist() == [1.0, 0.0]
