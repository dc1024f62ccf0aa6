"""What the formula language is, and that nothing else gets past it."""

import keyword

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glmcount.errors import (
    FormulaError,
    FormulaSyntaxError,
    FormulaTooComplexError,
    UnknownColumnError,
    UnsafeFormulaError,
    UsageError,
)
from glmcount.language.parse import parse

COLUMNS = ["x", "z", "s", "my col", "visits"]


@pytest.mark.parametrize(
    "code",
    [
        "I(__import__('os').system('id'))",
        "__import__('os')",
        "x.__class__",
        "x.__class__.__mro__[1].__subclasses__()",
        "x.sum()",
        "x.T",
        "s.str.upper()",
        "C.__init__(x)",
        "C.__globals__",
        "(lambda: 1)()",
        "lambda: 1",
        "np.load('f', allow_pickle=True)",
        "np.fromfile('f')",
        "np.savetxt('f', x)",
        "np.core",
        "np.pi",
        "np.log.__class__",
        "np.linalg.inv(x)",
        "np.random.normal(x)",
        "pd.read_pickle('x.pkl')",
        "open('f')",
        "eval('1')",
        "exec('1')",
        "getattr(x, 'a')",
        "setattr(x, 'a', 1)",
        "globals()",
        "vars(x)",
        "print(x)",
        "x(z)",
        "x()()",
        "np.log(x)(z)",
        "[f for f in x]",
        "{f for f in x}",
        "{f: 1 for f in x}",
        "(f for f in x)",
        "I([y for y in [1]])",
        "I((w := x))",
        "I(x if x else z)",
        "x and z",
        "x or z",
        "not x",
        "x in [1]",
        "x is None",
        "x == None",
        "x == [1]",
        "0 < x < 1",
        "1 < 2",
        "x[0]",
        "x[::2]",
        "{'a': x}",
        "{1, 2}",
        "f'{x}'",
        "f'{x.__class__}'",
        "I(f'x')",
        "'{0.__class__}'.format(x)",
        "'a%s' % x",
        "b'a'",
        "x == b'a'",
        "...",
        "1j",
        "x * 1j",
        "(-8)**0.5",
        "x @ z",
        "x ^ 2",
        "x << 2",
        "x >> 1",
        "I('a' * 9**9)",
        "I('a' + 'b')",
        "x + 'a'",
        "-'a'",
        "~'a'",
        "'a'",
        "None",
        "[1, 2]",
        "(1, 2)",
        "I([1, 2] * 9)",
        "I([x])",
        "x + [1]",
        "x + None",
        "I(9**9**9)",
        "I(9**9**9**9)",
        "I(10**400)",
        "I(2.0**5000)",
        "x * 1e999",
        "x + 99999999999999999999999",
        "x + 0x" + "f" * 5000,
        "I(1 / 0)",
        "I(1 % 0)",
        "I(-(9**9**9))",
        "Q(x)",
        "Q()",
        "Q('x', 'z')",
        "Q(name='x')",
        "Q('x' + 'z')",
        "Q(f'x')",
        "Q(*['x'])",
        "Q(['x'])",
        "Q(1)",
        "I()",
        "I(x, z)",
        "I(x=z)",
        "np.log(x, x)",
        "np.log(x, out=x)",
        "np.log(*[x])",
        "np.log(**{'x': x})",
        "np.log()",
        "np.log('a')",
        "np.log(None)",
        "np.add(x, z)",
        "np.minimum(x)",
        "np.where(x > 0)",
        "np.where('a', x, z)",
        "np.where(x > 0, x, None)",
        "C()",
        "C('a')",
        "C(1)",
        "C(Sum(1))",
        "C(s, 'b')",
        "C(s, x)",
        "C(s, np.log(x))",
        "C(s, levels=open('f'))",
        "C(s, levels='abc')",
        "C(s, levels=x)",
        "C(s, Treatment, contrast=Sum)",
        "C(s, Sum, ['a'], 3)",
        "C(s, depth=2)",
        "C(s, [1, 2])",
        "C(s, [['a'], ['b']])",
        "C(s, [[1], [1, 2]])",
        "C(s) + 1",
        "np.log(C(s))",
        "center(C(s))",
        "C(s) == 'a'",
        "Treatment('b')",
        "x + Sum()",
        "C(s, Treatment(x))",
        "C(s, Treatment(open('f')))",
        "C(s, Treatment('a', 'b'))",
        "C(s, Helmert(1))",
        "bs()",
        "bs(1, df=4)",
        "bs('x', df=4)",
        "bs(x, df=z)",
        "bs(x, df=open('f'))",
        "bs(x, knots=x)",
        "bs(x, 4, df=4)",
        "bs(x, colour=4)",
        "bs(x, __class__=4)",
        "bs(df=4)",
        "te()",
        "te(x, 'center')",
        "center(x, 1)",
        "ContrastMatrix(x)",
        "dmatrix('x')",
        "EvalEnvironment.capture()",
        "await x",
        "I((yield))",
        "log.__call__(x)",
        "I(*x)",
    ],
)
def test_everything_else_is_refused_and_what_to_write_or_what_is_allowed_is_said(code):
    with pytest.raises(UnsafeFormulaError) as caught:
        parse(code, COLUMNS)
    why, *shown, told = str(caught.value).split("\n")
    assert why.endswith(".")
    assert any(set(line) <= {" ", "^"} and "^" in line for line in shown)
    assert told.endswith(".")
    assert "^^" not in told
    assert caught.value.kind == "unsafe_formula"


@pytest.mark.parametrize(
    "code",
    ["x +", "x z", "(x", "x)", "", " ", "x = 1", "import os", "x; z", "x\0", "'x", "1x", "$x",
     "9" * 5000, "'\ud800'", "def f(): 1", "x\n)", "print x", "lambda", "x == 'a' 'b", "y ~ x"],
)  # fmt: skip
def test_what_is_no_expression_is_a_syntax_error(code):
    with pytest.raises((FormulaSyntaxError, UnsafeFormulaError)) as caught:
        parse(code, COLUMNS)
    assert code == "y ~ x" or caught.value.kind == "formula_syntax"


@pytest.mark.parametrize(
    "code",
    ["(" * 3000 + "x" + ")" * 3000, "I(" * 150 + "x" + ")" * 150, "-" * 3000 + "x",
     "~" * 100_000 + "x", "x" + "+x" * 3000, "x" + "**x" * 3000, "[" * 90_000, "x" + " " * 200_000,
     "not " * 5000 + "x", "log(" * 101 + "x" + ")" * 101, "x" + "+x" * 200, "bs(x, df=10**9)",
     "bs(x, df=5, degree=99999)", "cr(x, df=1001)", "te(cr(x, df=100), cr(z, df=100))",
     "te(te(cr(x, df=30), cr(z, df=30)), cr(x, df=30))",
     f"bs(x, knots={list(range(2000))})"],
)  # fmt: skip
def test_size_is_limited_before_anything_is_computed(code):
    with pytest.raises(FormulaTooComplexError) as caught:
        parse(code, COLUMNS)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize("code", ["zzz", "x + zzz", "np.log(zzz)", "Q('zzz')", "C(zzz)", "np",
                                  "bs(zzz, df=3)", "__builtins__", "C(s, zzz)", "Sum + x",
                                  "zzz == 'a'", "f(zzz)"])  # fmt: skip
def test_unknown_names_are_named_with_a_caret(code):
    with pytest.raises(UnknownColumnError, match="is not a column of the data") as caught:
        parse(code, COLUMNS, {"f": np.cumsum})
    assert "Columns: x, z, s, my col, visits." in str(caught.value)


def test_near_names_are_suggested():
    with pytest.raises(UnknownColumnError, match=r"Did you mean 'visits'\?"):
        parse("vists", COLUMNS)
    with pytest.raises(UnknownColumnError, match=r"Did you mean Q\('my col'\)\?"):
        parse("Q('my_col')", COLUMNS)
    with pytest.raises(UnsafeFormulaError, match=r"Did you mean .*'log1p'"):
        parse("log1q(x)", COLUMNS)
    with pytest.raises(UnknownColumnError, match=r"log is a function: write log\(\.\.\.\)"):
        parse("log", COLUMNS)


def test_hostile_column_names_stay_names():
    hostile = "x') + __import__('os').getcwd() + Q('x"
    assert parse(f'Q("{hostile}")', [hostile]).columns == (hostile,)
    with pytest.raises(UnknownColumnError):
        parse(f'Q("{hostile}")', ["x"])
    assert parse("Q('__builtins__')", ["__builtins__"]).columns == ("__builtins__",)


@pytest.mark.parametrize(
    ("hint", "code"),
    [("with & for 'and'", "(x > 0) and (z > 0)"), ("with ~", "not x"), ("power", "x^2"),
     (r"where\(condition", "1 if x else 2"), (r"\(a < b\) & \(b < c\)", "0 < x < 1"),
     ("Treatment\\('b'\\)", "C(s, 'b')"), (r"isnan", "x == None"), ("Q\\('the.name'\\)", "x.y")],
)  # fmt: skip
def test_refusals_say_what_to_write_instead(hint, code):
    with pytest.raises(UnsafeFormulaError, match=hint):
        parse(code, COLUMNS)


@pytest.mark.parametrize(
    ("formula", "code", "start", "marked"),
    [
        ("y ~ x + zzz", "zzz", 8, "zzz"),
        ("y ~ x + np.log(zzz)", "np.log(zzz)", 8, "zzz"),
        ("y ~ zzzz + zzz", "zzz", 11, "zzz"),
        ("y ~ np.log( x+zzz )", "np.log(x + zzz)", 4, "zzz"),
        ("y ~ x.a", "x.a", 4, "x.a"),
        ("y ~ I(x .a)", "I(x.a)", 4, "I(x .a"),
        ("y ~ x + \n zzz", "zzz", 10, "zzz"),
        ("y ~ I('ä' * zzz)", "I('ä' * zzz)", 4, "'ä'"),
        ("y ~ I(ä * zzz)", "I(ä * zzz)", 4, "zzz"),
        ("y ~ I(x +)", "I(x +)", 4, ")"),
    ],
)
def test_the_caret_points_into_the_formula(formula, code, start, marked):
    with pytest.raises(FormulaError) as caught:
        parse(code, [*COLUMNS, "ä"], formula=formula, start=start)
    lines = str(caught.value).splitlines()
    row = next(place for place, line in enumerate(lines) if set(line.strip()) == {"^"})
    assert lines[row - 1].strip() == formula.replace("\n", " ")
    first = lines[row].index("^")
    assert lines[row - 1][first : first + lines[row].count("^")] == marked
    if formula.count(marked) > 1:
        assert first - 4 >= start


def test_columns_are_listed_once_in_order_of_first_use():
    expression = parse("where(z > 0, x, z) + Q('my col') * log(x)", COLUMNS)
    assert expression.columns == ("z", "x", "my col")
    assert parse("I(1)", COLUMNS).columns == ()


def test_expressions_are_their_code():
    assert parse("log(x)", ["x"]) == parse("log(x)", ["x", "z"])
    assert len({parse("log(x)", ["x"]), parse("log(x)", ["x"]), parse("log(z)", ["z"])}) == 2


@pytest.mark.parametrize(
    ("code", "stateful", "passes", "handles"),
    [("x", False, 0, False), ("log(x)", False, 0, False), ("center(x)", True, 1, False),
     ("bs(center(x), df=3) + center(z)", True, 2, False), ("isnan(x)", False, 0, True),
     ("log(np.where(x > 0, x, 1))", False, 0, True)],
)  # fmt: skip
def test_properties(code, stateful, passes, handles):
    expression = parse(code, COLUMNS)
    assert (expression.stateful, expression.passes) == (stateful, passes)
    assert expression.handles_missing is handles


def test_names_are_compared_as_the_parser_writes_them():
    assert parse("µ + ﬁ", ["\u00b5", "fi"]).columns == ("\u00b5", "fi")


def test_functions_of_the_user():
    expression = parse("f(x, 2, mode='a')", COLUMNS, {"f": np.cumsum})
    assert expression.columns == ("x",)
    for bad in ("f(C(s))", "f(*[x])", "f(x, **{})", "f.g(x)", "g(x)", "f(f)(x)"):
        with pytest.raises(UnsafeFormulaError):
            parse(bad, COLUMNS, {"f": np.cumsum})
    with pytest.raises(UnknownColumnError, match="f is a function"):
        parse("f + x", COLUMNS, {"f": np.cumsum})
    with pytest.raises(UnsafeFormulaError, match="no plain function"):
        parse("f(x)", COLUMNS, {"f": 3})
    with pytest.raises(UnsafeFormulaError, match="no plain function"):
        parse("mine(x)", COLUMNS, {"mine": __import__("patsy").center})


def test_words_of_the_language_keep_their_meaning():
    for name, function in {"log": np.log10, "C": lambda x: x, "Q": print}.items():
        with pytest.raises(UsageError, match="Give it another name"):
            parse(f"{name}(x)", COLUMNS, {name: function})
    # what the caller's own namespace imports from numpy and patsy is the same thing
    same = {"log": np.log, "abs": np.abs, "center": __import__("patsy").center}
    assert parse("log(abs(center(x)))", COLUMNS, same).columns == ("x",)


def test_reading_warns_of_nothing():
    assert parse(r"s == 'a\d'", COLUMNS).columns == ("s",)


PIECES = "x z Q C np log ( ) [ ] . , 'a' __class__ + ** 9 lambda : if else for in == ~ = *"
ALPHABET = [*PIECES.split(), " ", *keyword.kwlist]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(ALPHABET), max_size=14).map("".join))
def test_any_text_is_read_or_refused_by_a_formula_error(code):
    try:
        expression = parse(code, COLUMNS)
    except FormulaError as error:
        assert str(error)
    else:
        assert set(expression.columns) <= set(COLUMNS)
        assert "__class__" not in code or "'" in code
