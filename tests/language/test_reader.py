"""The reader: where code stands in a formula, names, and how deep it goes."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.errors import (
    FormulaSyntaxError,
    FormulaTooComplexError,
    UnknownColumnError,
    UnsafeFormulaError,
)
from glmcount.language.node import DEEPEST, LARGEST, LONGEST
from glmcount.language.parse import parse
from glmcount.language.reader import Reader, is_number, rules


def reader_of(code, columns=("x", "z"), functions=None, formula=None, start=0):
    return Reader(code, columns, functions or {}, formula, start)


def marked(shown):
    """The piece of a shown line that its carets point at."""
    line, carets = shown.split("\n")
    return line[carets.index("^") : carets.rindex("^") + 1]


@given(st.text("xy ()+*", max_size=8), st.integers(0, 9), st.integers(1, 9))
def test_carets_stand_under_the_code_wherever_it_begins(before, first, length):
    code = "abcdefghijklmnopqrs"
    reader = reader_of(code, formula=f"y ~ {before}{code} + z", start=4 + len(before))
    assert marked(reader.point(first, first + length)) == code[first : first + length]


def test_carets_of_wide_letters_and_of_long_formulas():
    reader = reader_of("é + zz", formula="y ~ é + zz", start=4)
    (name,) = [n for n in ast.walk(reader.syntax()) if isinstance(n, ast.Name) and n.id == "zz"]
    assert marked(reader.mark(name)) == "zz" and reader.text(name) == "zz"
    formula = "y ~ " + " + ".join(f"x{k}" for k in range(100)) + " + zz"
    shown = reader_of("zz", formula=formula, start=len(formula) - 2).point(0, 2)
    assert marked(shown) == "zz" and len(shown.split("\n")[0]) < 200


def test_a_piece_that_was_spaced_anew_is_looked_for():
    # What is given is as patsy writes it; the formula has it without spaces.
    reader = reader_of("log(x + zz)", formula="y ~ z + log(x+zz)", start=8)
    (name,) = [n for n in ast.walk(reader.syntax()) if isinstance(n, ast.Name) and n.id == "zz"]
    assert marked(reader.mark(name)) == "zz"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("(" * (DEEPEST + 1) + "x" + ")" * (DEEPEST + 1), FormulaTooComplexError),
        ("x" + "+x" * (LONGEST // 2), FormulaTooComplexError),
        ("x +", FormulaSyntaxError),
        ("x \0", FormulaSyntaxError),
    ],
)
def test_code_that_cannot_be_read(code, error):
    with pytest.raises(error) as caught:
        reader_of(code).syntax()
    assert len(str(caught.value)) < 600


def test_operators_may_nest_no_deeper_than_brackets():
    reader = reader_of("-" * DEEPEST + "x")
    with pytest.raises(FormulaTooComplexError):
        reader.read(reader.syntax())
    assert parse("-" * (DEEPEST - 1) + "x", ["x"]).columns == ("x",)


def test_names_count_as_written_and_note_their_use():
    # The parser itself would read the one for the other.
    reader = reader_of("ﬁt", ("ﬁt", "fit"))
    assert reader.written(reader.syntax(), reader.columns) == "ﬁt"
    alone = reader_of("ﬁt", ("fit",))
    assert alone.written(alone.syntax(), alone.columns) == "fit"
    with pytest.raises(UnknownColumnError) as caught:
        both = reader_of("ªt", ("at", "ᵃt"))
        both.written(both.syntax(), both.columns)
    assert caught.value.kind == "ambiguous_column"
    found = reader.column(reader.syntax(), "ﬁt")
    assert (found.kind, found.name, list(reader.used)) == ("column", "ﬁt", ["ﬁt"])


def test_unknown_names_are_told_with_the_nearest():
    reader = reader_of("incme", ("income", "age"))
    with pytest.raises(UnknownColumnError, match="Did you mean 'income'"):
        reader.column(reader.syntax(), "incme")
    with pytest.raises(UnknownColumnError, match=r"write log\(\.\.\.\)"):
        reader.unknown(reader.syntax(), "log")


def test_what_cannot_be_computed_with():
    for code in ("'a'", "[1, 2]", "C(x)", "Sum"):
        reader = reader_of(code if code != "Sum" else "Sum()")
        with pytest.raises(UnsafeFormulaError, match="cannot be computed with"):
            reader.number(reader.syntax())
    reader = reader_of("x")
    assert reader.number(reader.syntax()).kind == "column"
    assert reader.known(reader.syntax(), LARGEST).value == LARGEST
    for value in (2.0 * LARGEST, float("nan"), float("inf")):
        with pytest.raises(UnsafeFormulaError, match="no finite number"):
            reader.known(reader.syntax(), value)


def test_what_has_no_rule_is_refused():
    assert ast.Lambda not in rules
    reader = reader_of("lambda: 1")
    with pytest.raises(UnsafeFormulaError, match=r"\(lambda\) is not part of the formula language"):
        reader.read(reader.syntax())
    assert [is_number(v) for v in (1, 1.5, True, "1", None, 1j)] == [True] * 3 + [False] * 3
