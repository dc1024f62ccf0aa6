"""Formula text to terms, and learnt variables to coded columns, both by patsy.

patsy parses the formula and decides which factors span the constant; it never evaluates
anything, and this is the one file that imports it. It is shown prototypes of one row that carry
the type, width and levels of each variable.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import product
from typing import Any

import numpy as np
from patsy import ContrastMatrix, EvalEnvironment, ModelDesc, PatsyError, Term
from patsy.build import design_matrix_builders
from patsy.categorical import C as categorical_box
from patsy.parse_formula import ParseNode, parse_formula

from glmcount.allowed import shown
from glmcount.columns.column import Levels
from glmcount.design.doubts import check_offsets, instead_of, itself, no_part, odd_sign
from glmcount.design.spec import Part, Variable
from glmcount.errors import (
    DataError,
    FormulaError,
    FormulaSyntaxError,
    FormulaTooComplexError,
    MemoryLimitError,
    caret,
)
from glmcount.language.contrasts import Contrast
from glmcount.language.foreign import foreign, plainly
from glmcount.language.node import Expression, Functions
from glmcount.language.parse import parse
from glmcount.numerics import Array
from glmcount.records import dataclass, field

__all__ = [
    "ParsedFormula",
    "PatsyContrast",
    "build_parts",
    "intercept_part",
    "parse_model",
    "parse_part",
]

# What patsy hands over and takes, which has no types.
Patsy = Any

MAX_TERMS = 5_000
MAX_DEPTH = 300
TREATMENT = Contrast("Treatment")


@dataclass(frozen=True)
class ParsedFormula:
    """A formula as expressions: response, right-hand terms (tuples of codes), offsets.

    `itself` has pieces such as ``x**2`` that are x itself, each with that x, and with no code what
    is taken away and not there.
    """

    formula: str
    response: str
    terms: tuple[tuple[str, ...], ...]
    offsets: tuple[str, ...]
    expressions: Mapping[str, Expression]
    itself: tuple[tuple[str, str], ...] = ()


def _count(node: ParseNode) -> float:
    """Upper bound of the terms a formula expands to, without expanding it."""
    order, stack, depth = [], [(node, 1)], 0
    while stack:
        current, level = stack.pop()
        depth = max(depth, level)
        order.append(current)
        stack.extend((arg, level + 1) for arg in current.args)
    if depth > MAX_DEPTH:
        return float("inf")
    sizes: dict[int, float] = {}
    for current in reversed(order):
        parts = [sizes[id(arg)] for arg in current.args]
        sizes[id(current)] = _combined(current, parts)
    return sizes[id(node)]


def _combined(node: ParseNode, parts: list[float]) -> float:
    if not parts:
        return 1.0
    if node.type in (":", "/", "*"):
        return float(np.prod([part + 1.0 for part in parts]))
    if node.type == "**":
        text = str(node.args[1].token.extra) if node.args[1].token else ""
        power = min(float(text), parts[0]) if text.isdigit() else parts[0]
        # Subsets of up to `power` of the factors: at most 2^k, and at most (k + 1)^power.
        return float(min(2.0 ** min(parts[0], 1000.0), (parts[0] + 1.0) ** min(power, 60.0)))
    return float(sum(parts))


def _describe(
    formula: str, columns: Collection[str]
) -> tuple[ModelDesc, tuple[tuple[str, str], ...]]:
    """patsy's terms of a formula, and its pieces such as ``x**2`` that are x itself."""
    try:
        tree = parse_formula(formula)
        size = _count(tree)
        if size > MAX_TERMS:
            raise FormulaTooComplexError(
                f"The formula of {len(formula):,} characters nests or multiplies too much: it "
                f"may have at most {MAX_TERMS:,} terms and {MAX_DEPTH} operators in a chain. "
                "For a wide design made elsewhere use glmcount.fit_arrays(y, X, names=...)."
            )
        check_offsets(formula, tree)
        return ModelDesc.from_formula(formula), itself(tree)
    except (AssertionError, IndexError):
        # What patsy's reader takes for granted of its text does not hold.
        place, why = odd_sign(formula), ": it holds what formulas do not have."
    except PatsyError as problem:
        origin = problem.origin
        place = caret(formula, origin.start, origin.end) if origin else f"    {formula}"
        why = f": {plainly(problem.message)}."
    found = foreign(formula, columns)
    if found is not None:
        place = caret(formula.replace("\n", " "), found.start, found.end)
        why = f". {found.advice}"
    raise FormulaSyntaxError(f"The formula cannot be read{why}\n{place}")


def parse_model(
    formula: str,
    columns: Collection[str],
    functions: Functions = None,
) -> ParsedFormula:
    """Parse ``response ~ terms`` into checked expressions.

    Raises
    ------
    FormulaError
        With a caret into the formula.
    """
    if not isinstance(formula, str) or not formula.strip():
        raise FormulaSyntaxError(
            f"formula must be text such as 'y ~ x1 + x2', not {shown(formula)}. "
            "For arrays use glmcount.fit_arrays(y, X)."
        )
    described, same = _describe(formula, columns)
    left = [factor for term in described.lhs_termlist for factor in term.factors]
    if len(described.lhs_termlist) != 1 or len(left) != 1:
        raise FormulaError(_of_response(formula, columns, left), kind="response")
    reader = _FormulaReader(formula, columns, functions)
    response = reader.read(left[0])
    terms, offsets = reader.right(described, response)
    return ParsedFormula(formula, response, terms, offsets, reader.expressions, same)


def _of_response(formula: str, columns: Collection[str], left: list[Patsy]) -> str:
    """What is said of a formula that has not one response."""
    found = None if "~" in formula else foreign(formula, columns)
    if found is not None:
        return f"{found.advice}\n{caret(formula, found.start, found.end)}"
    told = "The formula needs exactly one response left of '~', such as 'y ~ x'."
    return f"{told}{instead_of(formula.partition('~')[0]) if left else ''}\n    {formula}"


def parse_part(
    text: str,
    what: str,
    columns: Collection[str],
    functions: Functions = None,
) -> ParsedFormula:
    """Parse the right-hand side that a further part of a model has, such as ``"z1 + z2"``.

    Raises
    ------
    FormulaError
        With a caret into the text.
    """
    if not isinstance(text, str) or not text.strip():
        raise FormulaSyntaxError(no_part(what, text))
    described, same = _describe(text, columns)
    if described.lhs_termlist:
        raise FormulaError(
            f"{what}={text!r} has a response; write its right-hand side only: "
            f"{what}={text.partition('~')[2].strip()!r}.",
            kind="response",
        )
    reader = _FormulaReader(text, columns, functions)
    terms, offsets = reader.right(described, None)
    return ParsedFormula(text, "", terms, offsets, reader.expressions, same)


@dataclass
class _FormulaReader:
    """patsy's terms to checked expressions."""

    formula: str
    columns: Collection[str]
    functions: Functions
    expressions: dict[str, Expression] = field(default_factory=dict)

    def read(self, factor: Patsy) -> str:
        """Code of a factor, its expression kept."""
        start = factor.origin.start if factor.origin else 0
        return self._parsed(factor.code, start)

    def _parsed(self, code: str, start: int) -> str:
        if code not in self.expressions:
            self.expressions[code] = parse(
                code, self.columns, self.functions, formula=self.formula, start=start
            )
        return code

    def right(
        self, described: ModelDesc, response: str | None
    ) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
        """Terms and offsets of the right-hand side."""
        terms, offsets = [], []
        for term in described.rhs_termlist:
            calls = [factor for factor in term.factors if _is_offset(factor, self.columns)]
            if not calls:
                codes = tuple(self.read(factor) for factor in term.factors)
                if response in codes:
                    what = "The response is also a predictor"
                    own = term.factors[codes.index(response)]
                    _refuse(self.formula, own, what, "response_as_predictor")
                terms.append(codes)
            elif len(term.factors) > 1:
                what = "offset(...) must be a term of its own"
                _refuse(self.formula, calls[0], what, "offset_term")
            else:
                inner = calls[0].code[len("offset(") : -1]
                start = calls[0].origin.start if calls[0].origin else 0
                offsets.append(self._parsed(inner, start + len("offset(")))
        return tuple(terms), tuple(offsets)


def _is_offset(factor: Patsy, columns: Collection[str]) -> bool:
    # patsy has normalised the spaces: a call of offset can only be written this way.
    return factor.code.startswith("offset(") and _closes_at_end(factor.code)


def _closes_at_end(code: str) -> bool:
    depth = 0
    for place, sign in enumerate(code):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and place >= len("offset"):
            return place == len(code) - 1
    return False


def _refuse(formula: str, factor: Patsy, what: str, kind: str) -> None:
    origin = factor.origin
    place = caret(formula, origin.start, origin.end) if origin else f"    {formula}"
    raise FormulaError(f"{what}.\n{place}", kind=kind)


class PatsyContrast:
    """A contrast of ours as patsy's protocol of contrasts wants it."""

    def __init__(self, contrast: Contrast) -> None:
        self.contrast = contrast

    def code_with_intercept(self, levels: Levels) -> ContrastMatrix:
        """Columns that span the constant."""
        return ContrastMatrix(*self.contrast.coded(levels, full=True))

    def code_without_intercept(self, levels: Levels) -> ContrastMatrix:
        """Columns beside the constant."""
        return ContrastMatrix(*self.contrast.coded(levels, full=False))


class _Prototype:
    """A learnt variable as patsy's factor protocol wants it: one row, nothing to learn."""

    def __init__(self, code: str, variable: Variable) -> None:
        self.code = code
        self.variable = variable
        self.origin = None

    def name(self) -> str:
        """Name in column names."""
        return self.code

    def memorize_passes_needed(self, state: Patsy, eval_env: Patsy) -> int:
        """Nothing is left to learn."""
        return 0

    def eval(self, state: Patsy, data: Patsy) -> Patsy:
        """One row of the right type."""
        variable = self.variable
        if variable.kind == "numerical":
            return np.zeros((1, variable.width))
        levels = variable.levels or ()
        return categorical_box(levels[:1], PatsyContrast(variable.contrast or TREATMENT), levels)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Prototype) and self.code == other.code

    def __hash__(self) -> int:
        return hash(self.code)


def _check_size(
    terms: tuple[tuple[str, ...], ...], variables: Mapping[str, Variable], limit: int
) -> None:
    total = 0.0
    for codes in terms:
        sizes = [
            len(variables[code].levels or ()) if variables[code].levels else variables[code].width
            for code in codes
        ]
        total += float(np.prod(sizes, dtype=np.float64)) if sizes else 1.0
        if 8.0 * total * total > limit:
            told = " x ".join(f"{code} ({size:,})" for code, size in zip(codes, sizes, strict=True))
            fewer = "Merge levels" if len(codes) == 1 else "Leave the interaction out, merge levels"
            raise MemoryLimitError(
                f"The term {told} makes a design of more than {total:,.0f} columns, whose "
                f"information matrix takes {8 * total * total / 2**30:,.1f} GiB; the limit is "
                f"{limit / 2**30:,.1f} GiB. {fewer}, or raise "
                "control=glmcount.Control(memory_limit=...)."
            )


def build_parts(
    terms: tuple[tuple[str, ...], ...], variables: Mapping[str, Variable], memory_limit: int
) -> tuple[Part, ...]:
    """Coded columns of the right-hand side: patsy's coding and names, in the formula's order.

    patsy lays terms without numeric columns first. Which columns a factor keeps depends on those of
    the same numeric columns alone, so that terms may stand as they were written.
    """
    _check_size(terms, variables, memory_limit)
    if not terms:
        return ()
    if ("Intercept",) in terms and () in terms:
        raise DataError(
            "A column named 'Intercept' would stand beside the constant of the same name. Rename "
            "the column, or write '0 + Intercept' to use it as the constant.",
            kind="duplicate_column",
        )
    prototypes = {code: _Prototype(code, variables[code]) for codes in terms for code in codes}
    termlist = [Term([prototypes[code] for code in codes]) for codes in terms]
    try:
        (info,) = design_matrix_builders(
            [termlist], lambda: iter([{}]), EvalEnvironment([{}]), NA_action="drop"
        )
    except (PatsyError, ArithmeticError, np.linalg.LinAlgError) as problem:
        raise FormulaError(f"The factors of the formula cannot be coded: {problem}.") from None
    coded: dict[Patsy, list[Part]] = {}
    names = iter(info.column_names)
    for term, subterms in info.term_codings.items():
        for subterm in subterms:
            own = tuple(next(names) for _ in range(subterm.num_columns))
            coded.setdefault(term, []).append(_part(term.name(), subterm, info.factor_infos, own))
    return tuple(part for term in termlist for part in coded.get(term, ()))


def _part(term: str, subterm: Patsy, infos: Patsy, names: tuple[str, ...]) -> Part:
    numeric: list[int] = []
    categorical: list[int] = []
    widths: list[int] = []
    table: Array | None = None
    for factor in subterm.factors:
        if infos[factor].type == "numerical":
            numeric.append(len(widths))
            widths.append(infos[factor].num_columns)
        else:
            categorical.append(len(widths))
            matrix = np.asarray(subterm.contrast_matrices[factor].matrix, dtype=np.float64)
            widths.append(matrix.shape[1])
            table = matrix if table is None else _kron(table, matrix)
    # patsy lets the first factor vary fastest; blocks let the table vary slowest.
    strides = np.concatenate([[1], np.cumprod(widths)])[: len(widths)].astype(np.intp)
    ordered = [*categorical, *numeric]
    order = [
        int(sum(i * strides[place] for i, place in zip(index, ordered, strict=True)))
        for index in product(*(range(widths[place]) for place in ordered))
    ]
    codes = [factor.code for factor in subterm.factors]
    return Part(
        term=term,
        numeric=tuple(codes[i] for i in numeric),
        categorical=tuple(codes[i] for i in categorical),
        table=table,
        order=np.asarray(order, dtype=np.intp),
        names=names,
    )


def _kron(left: Array, right: Array) -> Array:
    """The Kronecker product of two matrices; numpy's own takes six times as long for small ones."""
    (m, n), (p, q) = left.shape, right.shape
    return np.multiply.outer(left, right).transpose(0, 2, 1, 3).reshape(m * p, n * q)


def intercept_part() -> Part:
    """The part of an equation that is a constant."""
    order = np.zeros(1, dtype=np.intp)
    return Part("Intercept", (), (), None, order, ("Intercept",), "Intercept")
