"""How each kind of call is read: to which node, with which settings, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.errors import (
    FormulaTooComplexError,
    UnknownColumnError,
    UnsafeFormulaError,
    UsageError,
)
from glmcount.language.calls import STEEPEST, call
from glmcount.language.node import ELEMENTARY, WIDEST
from glmcount.language.parse import parse
from glmcount.language.reader import Reader, rules


def read(code, functions=None):
    reader = Reader(code, ["x", "z", "my col"], functions or {}, None, 0)
    return call(reader, reader.syntax()), reader


def settings(node):
    return {name: child.value for name, child in node.keywords}


def test_it_is_the_rule_of_calls_once_formulas_are_parsed():
    assert parse("log(x)", ["x"]).tree.kind == "elementary"
    assert call in rules.values()


@pytest.mark.parametrize("name", sorted(ELEMENTARY))
def test_elementary_functions_take_exactly_their_arguments(name):
    count = ELEMENTARY[name]
    for written in (name, f"np.{name}"):
        node, reader = read(f"{written}({', '.join(['x'] * count)})")
        assert (node.kind, node.name, len(node.arguments)) == ("elementary", name, count)
        assert list(reader.used) == ["x"]
        for wrong in (["x"] * (count + 1), ["x"] * (count - 1), ["x"] * (count - 1) + ["out=z"]):
            with pytest.raises(UnsafeFormulaError, match=f"takes {count} argument"):
                read(f"{written}({', '.join(wrong)})")


def test_words_of_the_language():
    node, _ = read("C(x, Treatment('b'), levels=['a', 'b'])")
    assert (node.kind, node.arguments[0].name) == ("factor", "x")
    coding = dict(node.keywords)["contrast"]
    assert (coding.kind, coding.name, settings(coding)) == (
        "contrast",
        "Treatment",
        {"reference": "b"},
    )
    assert dict(node.keywords)["levels"].value == ["a", "b"]
    assert dict(read("C(x, Sum)")[0].keywords)["contrast"].name == "Sum"
    assert dict(read("C(x, [[1, 0], [0, 1]])")[0].keywords)["contrast"].value == [[1, 0], [0, 1]]
    assert read("I(x)")[0].kind == "column"
    assert read("Q('my col')")[0].name == "my col"


def test_transforms_have_slots_and_learn_inside_out():
    node, reader = read("center(bs(x, 5, degree=2) * scale(z))")
    assert [t.name for t in reader.transforms] == ["bs", "scale", "center"]
    assert [t.slot for t in reader.transforms] == [0, 1, 2]
    assert [t.number for t in reader.transforms] == [0, 0, 1]
    assert settings(reader.transforms[0]) == {"df": 5, "degree": 2}
    assert node is reader.transforms[2]
    assert len(read("te(cr(x, 3), cr(z, 3), constraints='center')")[0].arguments) == 2


def test_functions_of_the_user():
    node, _ = read("f(x, 2, by=z)", {"f": lambda x, k, by: x})
    assert (node.kind, node.name) == ("user", "f")
    assert [a.kind for a in node.arguments] == ["column", "constant"]
    # numpy's own may come by the name of a word; another function may not.
    assert read("log(x)", {"log": np.log})[0].kind == "elementary"
    with pytest.raises(UsageError, match="is a word of the formula language"):
        read("log(x)", {"log": lambda x: x})
    with pytest.raises(UnsafeFormulaError, match="no plain function"):
        read("f(x)", {"f": 3})
    with pytest.raises(UnsafeFormulaError, match="factor cannot be computed"):
        read("f(C(x))", {"f": abs})


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("lag(x)", "'lag' is not a function of formulas"),
        ("lgo(x)", "Did you mean 'log'"),
        ("x.sum()", "is not a function of formulas"),
        ("log(*x)", r"\* and \*\* arguments"),
        ("C()", "C needs a column"),
        ("C(1)", "C needs a column"),
        ("C(x, 'Sum')", "is no contrast"),
        ("C(x, levels=3)", "levels must be a list of constants, at least one"),
        ("C(x, levels=[1, 1])", "each once"),
        ("C(x, Sum, contrast=Sum)", "each at most once"),
        ("Poly(scores='a')", "must be a list of numbers"),
        ("Treatment(x)", "must be a constant"),
        ("Diff(1)", "takes no settings"),
        ("I(x, z)", "one argument"),
        ("Q(x)", "takes one string"),
        ("center(1)", "needs a column to learn from"),
        ("bs(x, df=2.5)", "must be a whole number"),
        ("bs(x, knot=[1])", "Did you mean 'knots'"),
        ("center('a')", "cannot be computed with"),
    ],
)
def test_calls_that_say_nothing(code, said):
    with pytest.raises(UnsafeFormulaError, match=said):
        read(code)


@pytest.mark.parametrize(
    "code",
    [
        f"bs(x, df={WIDEST + 1})",
        f"bs(x, df=30, degree={STEEPEST + 1})",
        "te(cr(x, 40), cr(z, 40))",
    ],
)
def test_calls_that_would_make_too_much(code):
    with pytest.raises(FormulaTooComplexError):
        read(code)


def test_a_quoted_name_has_to_be_a_column():
    with pytest.raises(UnknownColumnError, match="nobody"):
        read("Q('nobody')")
