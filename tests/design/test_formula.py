"""Formulas to terms and coded columns, against patsy's own design of the same data."""

from __future__ import annotations

import numpy as np
import patsy
import pytest

from glmcount.design.formula import (
    MAX_DEPTH,
    PatsyContrast,
    build_parts,
    intercept_part,
    parse_model,
    parse_part,
)
from glmcount.errors import (
    DataError,
    FormulaError,
    FormulaSyntaxError,
    FormulaTooComplexError,
    MemoryLimitError,
)
from glmcount.language.contrasts import contrast
from tests.made import counts, design_of, patsy_design

COLUMNS = ("y", "x", "z", "g", "h")
DATA = counts() | {"h": np.resize(["p", "q"], 60)}


def test_a_formula_as_expressions():
    parsed = parse_model("y ~ x*g + offset(log(z)) + x**2", COLUMNS)
    assert parsed.response == "y" and parsed.offsets == ("log(z)",)
    assert parsed.terms == ((), ("x",), ("g",), ("x", "g"))
    assert set(parsed.expressions) == {"y", "x", "g", "log(z)"}
    assert parsed.itself == (("x**2", "x"),)
    part = parse_part("z - 1", "inflate", COLUMNS)
    assert (part.response, part.terms) == ("", (("z",),))
    assert parse_model("y ~ f(x)", COLUMNS, {"f": abs}).expressions["f(x)"].functions == {"f": abs}


@pytest.mark.parametrize(
    ("formula", "error", "kind"),
    [
        (None, FormulaSyntaxError, "formula_syntax"),
        (" ", FormulaSyntaxError, "formula_syntax"),
        ("y ~ x +", FormulaSyntaxError, "formula_syntax"),
        ("y ~ (x", FormulaSyntaxError, "formula_syntax"),
        ("~ x", FormulaError, "response"),
        ("y + z ~ x", FormulaError, "response"),
        ("y ~ x + y", FormulaError, "response_as_predictor"),
        ("y ~ x:offset(z)", FormulaError, "offset_term"),
        ("y ~ (x + z + g)" + " * (x + z)" * 9, FormulaTooComplexError, "formula_too_complex"),
        ("y ~ x" + " + x" * MAX_DEPTH, FormulaTooComplexError, "formula_too_complex"),
    ],
)
def test_formulas_that_say_nothing(formula, error, kind):
    with pytest.raises(error) as caught:
        parse_model(formula, COLUMNS)
    assert caught.value.kind == kind


def test_parts_have_no_response():
    with pytest.raises(FormulaError, match="right-hand side only") as caught:
        parse_part("y ~ x", "inflate", COLUMNS)
    assert caught.value.kind == "response"
    with pytest.raises(FormulaSyntaxError, match="inflate must be the right-hand side"):
        parse_part(3, "inflate", COLUMNS)


@pytest.mark.parametrize(
    "formula",
    [
        "x + g",
        "0 + g + h",
        "g*h",
        "g:h",
        "0 + x:g:h",
        "bs(x, df=4):g + C(h, Sum)*z",
        "0 + C(g, Helmert):C(h, Diff):x",
    ],
)
def test_parts_multiply_out_to_patsy_s_columns(formula):
    spec = design_of(f"y ~ {formula}", DATA).spec
    expected = patsy_design(formula, DATA)
    assert list(spec.equations[0].names) == list(expected)
    matrix, end = np.asarray(expected), 0
    for part in spec.equations[0].parts:
        begin, end = end, end + len(part.names)
        own = matrix[:, begin:end][:, part.order]
        assert sorted(part.order) == list(range(len(part.names)))
        if part.table is None:
            continue
        # Rows of one joint level are its row of the table, times what numbers they have.
        levels = [spec.variables[code].levels for code in part.categorical]
        values = [DATA[code if len(code) == 1 else code[2]] for code in part.categorical]
        codes = [
            np.array([own.index(v) for v in value])
            for own, value in zip(levels, values, strict=True)
        ]
        joint = np.ravel_multi_index(codes, [len(own) for own in levels])
        numbers = [np.asarray(patsy.dmatrix(f"0 + {c}", DATA)) for c in part.numeric]
        wide = numbers[0] if numbers else np.ones((60, 1))
        product = (part.table[joint][:, :, None] * wide[:, None, :]).reshape(60, -1)
        np.testing.assert_allclose(own, product, rtol=0, atol=1e-12)


def test_parts_that_cannot_be_built():
    variables = design_of("y ~ x + g", DATA | {"Intercept": DATA["x"]}).spec.variables
    assert build_parts((), variables, 2**30) == ()
    with pytest.raises(MemoryLimitError, match=r"g \(3\)"):
        build_parts((("x",), ("g",)), variables, 8 * 9)
    named = design_of("y ~ 0 + Intercept", DATA | {"Intercept": DATA["x"]}).spec.variables
    with pytest.raises(DataError) as caught:
        build_parts(((), ("Intercept",)), named, 2**30)
    assert caught.value.kind == "duplicate_column"


def test_a_constant_and_contrasts_as_patsy_asks_for_them():
    part = intercept_part()
    assert (part.names, part.table, part.order.tolist()) == (("Intercept",), None, [0])
    own, theirs = PatsyContrast(contrast("Sum")), patsy.Sum()
    for way in ("code_with_intercept", "code_without_intercept"):
        a, b = (getattr(each, way)(("u", "v", "w")) for each in (own, theirs))
        assert a.matrix.tolist() == b.matrix.tolist() and list(a.column_suffixes) == list(
            b.column_suffixes
        )
