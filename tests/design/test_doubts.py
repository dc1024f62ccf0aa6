"""What a formula or its data hardly mean: told where it is, and not where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from patsy.parse_formula import parse_formula

from glmcount.design.doubts import check_offsets, doubts, itself, numbers_in, odd_sign
from glmcount.errors import FormulaError
from tests.made import counts, design_of

DATA = counts()


@pytest.mark.parametrize(
    ("formula", "place"),
    [
        ("y ~ x - offset(z)", "offset(z)"),
        ("y ~ x:offset(z)", "offset(z)"),
        ("y ~ (g + offset(log(z)))*x", "offset(log(z))"),
        ("y ~ (g + offset(z))**2", "offset(z)"),
        ("y ~ g / offset(z)", "offset(z)"),
    ],
)
def test_offsets_that_are_taken_away_or_crossed(formula, place):
    with pytest.raises(FormulaError) as caught:
        check_offsets(formula, parse_formula(formula))
    assert caught.value.kind == "offset_term"
    line, carets = str(caught.value).split("\n")[-2:]
    assert line[carets.index("^") : carets.rindex("^") + 1] == place


@pytest.mark.parametrize("formula", ["y ~ x + offset(z)", "y ~ offset(z) - 1", "y ~ x - g"])
def test_offsets_that_are_terms(formula):
    assert check_offsets(formula, parse_formula(formula)) is None


def test_an_odd_sign_is_pointed_at():
    shown = odd_sign("y < 3 ~ x + %z")
    line, carets = shown.split("\n")
    assert line[carets.index("^")] == "%"


def test_pieces_that_are_the_column_itself():
    def found(formula):
        return dict(itself(parse_formula(formula)))

    assert found("y ~ x**2 + z*z + x:x") == {"x**2": "x", "z*z": "z", "x:x": "x"}
    assert found("y ~ (x + z)**2 + x*z + I(x**2)") == {}


@given(st.lists(st.integers(-999, 999), min_size=4, unique=True), st.sampled_from([".", ",", " %"]))
def test_numbers_as_people_write_them(numbers, mark):
    texts = [f"{k}%" if mark == " %" else f"{k}{mark}5" for k in numbers]
    assert numbers_in(texts) == (texts, [])
    assert numbers_in([*texts, "n/a", "-"]) == (texts, ["n/a", "-"])


@pytest.mark.parametrize(
    "levels",
    [["1", "2", "3"], ["a", "b"], ["1a", "1b"], [1, 2, 3, 4, 5], ["1", "2", "x", "y", "z"], []],
)
def test_levels_that_are_meant(levels):
    assert numbers_in(levels) == ([], [])


def kinds(formula, data=DATA, **roles):
    return [kind for kind, _ in design_of(formula, data, **roles).spec.doubts]


def test_doubts_of_designs():
    assert kinds("y ~ x*g + I(x**2)") == []
    assert kinds("y ~ x**2 + g") == ["power_of_column"]
    assert kinds("y ~ g**2") == []
    text = np.array([f"{k % 7}.5" for k in range(60)])
    assert kinds("y ~ v", dict(DATA, v=text)) == ["numbers_as_text"]
    assert kinds("y ~ C(v)", dict(DATA, v=text)) == []
    text[3] = "n/a"
    assert kinds("y ~ v", dict(DATA, v=text)) == ["text_among_numbers"]
    gone = dict(DATA, x=np.where(DATA["g"] == "a", np.nan, DATA["x"]))
    assert kinds("y ~ x + g", gone) == ["unused_reference"]
    assert kinds("y ~ 0 + x + g", gone) == []


def test_offsets_that_differ_by_a_constant_alone():
    x = np.array([1.0, 2.0, 4.0])

    def told(**offsets):
        return [kind for kind, _ in doubts({}, (), (), [offsets])]

    assert told(a=x, b=x + 7.0) == ["double_offset"]
    assert told(a=x, b=x + 7.0, c=x) == ["double_offset"] * 3
    assert told(a=x, b=2 * x) == told(a=np.ones(3), b=np.zeros(3)) == told(a=x[:0], b=x[:0]) == []
