"""What a formula of another package says here."""

from __future__ import annotations

import pytest

from glmcount.language.foreign import (
    called_elsewhere,
    foreign,
    look_alike,
    other_name,
    plainly,
    quoted,
    skeleton,
)
from glmcount.spellings.formulas import LOOKS_LIKE

COLUMNS = ["y", "x", "z", "g", "my col", "x.1", "class", "it's", "a\u00a0b"]


def told(text):
    found = foreign(text, COLUMNS)
    return None if found is None else (found.advice, text[found.start : found.end])


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("y ~ x + my  col", "my  col"),
        ("y ~ x.1 + x", "x.1"),
        ("y ~ x * class", "class"),
        ("y ~ as.factor(g) + x", "as.factor(g)"),
        ("y ~ x + c.x##i.g", "c.x##i.g"),
        ("y ~ x \u2212 z", "\u2212"),
        ("y ~ x^2", "x^2"),
        ("y ~ (1 | g)", "(1 | g)"),
        ("y ~ x && z", "&&"),
    ],
)
def test_the_place_is_that_of_the_piece(text, piece):
    assert told(text)[1] == piece


@pytest.mark.parametrize(
    "text",
    ["y ~ x + z", "y ~ x.10", "y ~ classes", "y ~ C(g, Treatment('my col'))", "y ~ bs(x, df=4)",
     "y ~ log(x) + 'as.factor(g)'", "y ~ x:z + x*z", "y ~ 1e5"],
)  # fmt: skip
def test_what_is_ours_is_left_alone(text):
    assert told(text) is None


def test_the_longest_name_is_meant():
    found = foreign("y ~ my col 2", ["y", "my col", "my col 2"])
    assert "Q('my col 2')" in found.advice


def test_names_are_quoted_where_formulas_need_it():
    plain = ["x", "größe", "x_1"]
    assert [quoted(name) for name in plain] == plain
    assert quoted("it's") == 'Q("it\'s")'
    assert quoted("nan") == "Q('nan')"
    assert quoted("3") == "Q('3')"


@pytest.mark.parametrize("sign", sorted(LOOKS_LIKE))
def test_signs_that_look_alike_are_plain_in_the_skeleton(sign):
    assert skeleton(sign).isascii()
    assert skeleton(sign) == LOOKS_LIKE[sign]


def test_functions_of_other_packages_keep_their_arguments():
    assert called_elsewhere("relevel", ["factor(g)", "ref='b'"]) == " Write C(g, Treatment('b'))."
    assert called_elsewhere("poly", ["x", "3"]).startswith(" Write x + I(x**2) + I(x**3)")
    assert called_elsewhere("rms::rcs", ["x", "4"]).startswith(" Write cr(x")
    assert called_elsewhere("unheard", ["x"]) == ""


def test_names_that_are_drawn_alike_are_told_apart_by_their_signs():
    assert "U+0445" in look_alike("\u0445", ["x"])
    assert look_alike("x", ["x", "y"]) == ""
    assert "True" in other_name("TRUE")
    assert other_name("x") == ""


def test_parsers_are_read_in_plain_words():
    assert plainly("expected a noun, not ':'") == "a term should stand here"
    assert plainly("something new") == "something new"
