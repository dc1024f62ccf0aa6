"""What a formula or its data say and hardly mean.

Offsets that are taken away or crossed, and squares that are none, are read off the tree that
patsy makes of a formula, before it is expanded; numbers written as text, references without a
row and offsets given twice are seen in what was learnt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from glmcount.allowed import shown
from glmcount.columns.column import Level
from glmcount.design.spec import EquationDesign, Part, Variable
from glmcount.errors import FormulaError, caret, some
from glmcount.language.foreign import quoted
from glmcount.language.node import Node
from glmcount.numerics import Array
from glmcount.spellings.formulas import BAR
from glmcount.spellings.lookup import filled, told

__all__ = [
    "as_numbers",
    "check_offsets",
    "doubts",
    "instead_of",
    "itself",
    "logged",
    "no_part",
    "numbers_in",
    "odd_sign",
]

# Of patsy's syntax trees, which have no types.
ParseNode = Any

ODD = "%<>=!@;?$^&|,.\\'\"`"
CROSSING = (":", "*", "/", "**")
LOGS = ("log", "log1p", "log2", "log10")
# A number as people write them: with signs, separators, decimal commas, percent signs.
NUMBER = re.compile(r"\s*[-+]?(\d[\d' ,.]*|[.,]\d+)([eE][-+]?\d+)?\s*%?\s*")
PLAIN = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
GROUPED = re.compile(r"\s*[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?\s*")
DECIMAL = re.compile(r"\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*")
MARKS = {"", ".", "-", "--", "?", "*", "na", "n/a", "nan", "null", "none", "missing"}
LOOKED_AT = 2_000  # levels
NUMBERS = 4  # fewer levels that all are numbers mostly are codes of groups
SHARE = 0.2  # of levels that are no numbers, up to which the others were probably meant
Doubt = tuple[str, str]


def odd_sign(formula: str) -> str:
    """The formula with a caret under the first sign that no term begins with."""
    begin = formula.find("~") + 1
    place = next((i for i, sign in enumerate(formula) if i >= begin and sign in ODD), begin)
    return caret(formula.replace("\n", " "), place)


def instead_of(response: str) -> str:
    """What is said of a response of several columns.

    Examples
    --------
    >>> instead_of("visits/years ")
    " A rate has counts as its response, and its denominator as exposure='years'."
    """
    by = response.partition("/")[2]
    if by.strip().isidentifier():
        return (
            f" A rate has counts as its response, and its denominator as exposure={by.strip()!r}."
        )
    return " The sum of two columns is I(a + b)."


def no_part(what: str, value: Any) -> str:
    """What is said of what is no right-hand side of a formula.

    Examples
    --------
    >>> no_part("inflate", ["x", "z"])
    "inflate must be the right-hand side of a formula, such as inflate='x + z'; got a list."
    """
    if isinstance(value, list | tuple) and value and all(isinstance(each, str) for each in value):
        joined = " + ".join(map(quoted, value))
        return (
            f"{what} must be the right-hand side of a formula, such as {what}={joined!r}; got a "
            "list."
        )
    return (
        f"{what} must be the right-hand side of a formula, such as {what}='z1 + z2' or "
        f"{what}='1', not {shown(value)}. For arrays of columns use glmcount.fit_arrays."
    )


def _walk(node: ParseNode) -> Iterator[ParseNode]:
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(current.args)


def _code(node: ParseNode) -> str:
    """The code of a piece that is no operator of formulas; empty for any other."""
    is_code = node.type == "PYTHON_EXPR" and node.token is not None
    return str(node.token.extra) if is_code else ""


def check_offsets(formula: str, tree: ParseNode) -> None:
    """Refuse offsets that are taken away or crossed: patsy would drop them, or multiply them.

    Raises
    ------
    FormulaError
    """
    for node in _walk(tree):
        if node.type == "-" and len(node.args) == 2:
            for leaf in _offsets(node.args[1]):
                _refuse(
                    formula,
                    leaf,
                    "An offset cannot be taken away: '- offset(...)' would leave it out. Write "
                    f"offset(-({_code(leaf)[len('offset(') : -1]})) to subtract it",
                )
        elif node.type in CROSSING:
            for leaf in (each for arg in node.args for each in _offsets(arg)):
                _refuse(formula, leaf, "offset(...) must be a term of its own")


def _offsets(tree: ParseNode) -> Iterator[ParseNode]:
    return (node for node in _walk(tree) if _code(node).startswith("offset("))


def _refuse(formula: str, leaf: ParseNode, what: str) -> None:
    origin = leaf.origin
    place = caret(formula, origin.start, origin.end) if origin else f"    {formula}"
    raise FormulaError(f"{what}.\n{place}", kind="offset_term")


def itself(tree: ParseNode) -> tuple[tuple[str, str], ...]:
    """Pieces such as ``x**2`` and ``x*x`` that formulas read as x, each with x.

    What is taken away of terms that do not have it comes with no code.

    Examples
    --------
    >>> from patsy.parse_formula import parse_formula
    >>> itself(parse_formula("y ~ x + x**2 + z*z + (a + b)**2"))
    (('x**2', 'x'), ('z*z', 'z'))
    >>> itself(parse_formula("y ~ x - mean(x)"))
    (('mean(x)', ''),)
    """
    found = {}
    for node in _walk(tree):
        if node.type == "-" and len(node.args) == 2:
            there, gone = (set(filter(None, map(_code, _walk(arg)))) for arg in node.args)
            found.update(dict.fromkeys(sorted(gone - there), ""))
        if node.type not in CROSSING or len(node.args) != 2:
            continue
        left, right = node.args
        if node.type == "**" and _code(left):
            found[f"{_code(left)}**{right.token.extra}"] = _code(left)
        elif _code(left) and _code(left) == _code(right):
            found[f"{_code(left)}{node.type}{_code(left)}"] = _code(left)
    return tuple(reversed(found.items()))


def numbers_in(levels: Iterable[Level]) -> tuple[list[str], list[str]]:
    """Levels of text that are numbers, and the others; none where the text is probably meant.

    Examples
    --------
    >>> numbers_in(["1", "2,5", "."]), numbers_in(["12a", "12b", "13"])
    ((['1', '2,5'], ['.']), ([], []))
    """
    texts = [level for level in list(levels)[:LOOKED_AT] if isinstance(level, str)]
    found = [text for text in texts if NUMBER.fullmatch(text)]
    if not found:
        return [], []
    others = [text for text in texts if not NUMBER.fullmatch(text)]
    marks = all(text.strip().lower() in MARKS for text in others)
    few = len(others) <= SHARE * len(texts) if not marks else len(found) > len(others)
    enough = len(found) >= (NUMBERS if not others else 2 if marks else 3)
    return (found, others) if enough and few else ([], [])


def logged(variable: Variable) -> str:
    """What an expression is the logarithm of, as it was written; empty where it is none."""
    tree = variable.expression.tree
    return tree.arguments[0].text if tree.kind == "elementary" and tree.name in LOGS else ""


def as_numbers(code: str, found: Iterable[str], others: Iterable[str]) -> str:
    """The call that makes numbers of text: of what `numbers_in` has found, and of marks beside it.

    Examples
    --------
    >>> as_numbers("x", ["1", "2.5"], []), as_numbers("x", ["1,000", "12"], [])
    ("pandas.to_numeric(data['x'])", "pandas.read_csv(file, thousands=',')")
    >>> as_numbers("x", ["0,5", "12"], ["."])
    "pandas.read_csv(file, na_values=['.'], decimal=',')"
    """
    odd = [text for text in found if not PLAIN.fullmatch(text)]
    marks = [f"na_values={list(others)[:3]}"] if others else []
    if not odd:
        return f"pandas.to_numeric(data[{code!r}]{', errors=' + repr('coerce') if marks else ''})"
    if all(map(GROUPED.fullmatch, odd)):
        return f"pandas.read_csv(file, {', '.join([*marks, 'thousands=' + repr(',')])})"
    if all(map(DECIMAL.fullmatch, odd)):
        return f"pandas.read_csv(file, {', '.join([*marks, 'decimal=' + repr(',')])})"
    return (
        f"data[{code!r}].str.replace(...), which takes out what is neither digit nor decimal point,"
        f" and pandas.to_numeric of that"
    )


def doubts(
    variables: Mapping[str, Variable],
    equations: Iterable[EquationDesign],
    same: Iterable[tuple[str, str]],
    offsets: Iterable[Mapping[str, Array]],
    exposure: str | None = None,
) -> tuple[Doubt, ...]:
    """What may mean another model than was meant, each with its kind.

    Parameters
    ----------
    variables : mapping of code to Variable
    equations : iterable of EquationDesign
    same : iterable of (piece, code)
        Pieces of formulas that are the code itself, as `itself` tells.
    offsets : iterable of mapping
        For each equation of several offsets, each by what it is called, over some rows.
    exposure : str, optional
        Its code.
    """
    parts = [part for equation in equations for part in equation.parts]
    used = dict.fromkeys(c for part in parts for c in (*part.numeric, *part.categorical))
    out: list[Doubt] = []
    for piece, code in same:
        if not code:
            out.append(_of_nothing(piece))
        elif code in used and variables[code].kind == "numerical":
            out.append(_of_power(piece, code))
    for code in used:
        variable = variables[code]
        if not code.startswith("I(") and _barred(variable.expression.tree):
            out.append(_of_bar(code, variable.expression.tree))
        found, others = numbers_in(variable.levels or ()) if variable.text else ([], [])
        if found:
            out.append(_of_text(code, len(variable.levels or ()), found, others))
        if variable.unused is not None and len(variable.levels or ()) > 1 and _reduced(code, parts):
            out.append(_of_reference(code, variable))
    for each in offsets:
        out += _of_offsets(each)
    if exposure is not None and (inside := logged(variables[exposure])):
        out.append(_of_log(exposure, inside))
    return tuple(out)


def _of_log(exposure: str, inside: str) -> Doubt:
    return (
        "logged_exposure",
        f"exposure={exposure!r} takes the logarithm twice: an exposure is given as it is, in "
        f"years or people, and its logarithm is added here. Write exposure={inside!r}.",
    )


def _of_nothing(piece: str) -> Doubt:
    return (
        "nothing_taken",
        f"'- {piece}' takes nothing away: the terms before it do not have {piece}. A difference of "
        f"numbers is written I(a - {piece}), and a column whose name holds a minus Q('a-b').",
    )


def _barred(node: Node) -> bool:
    """Whether bars stand between columns alone, as nobody writes a condition of comparisons."""
    if node.name != "|" or len(node.arguments) != 2:
        return False
    left, right = node.arguments
    return right.kind == "column" and (left.kind == "column" or _barred(left))


def _of_bar(code: str, node: Node) -> Doubt:
    before, behind = (each.text for each in node.arguments)
    return (
        "bar_of_columns",
        f"{code} is read as a condition here, true where {before} or {behind} is. If that is meant "
        f"write I({code}).{told(filled(BAR, [behind, repr(behind)]))}",
    )


def _of_power(piece: str, code: str) -> Doubt:
    # Inside I(...) a colon is no Python, and a column divided by itself is 1.
    sign = next(each for each in ("**", "*", ":", "/") if piece.startswith(code + each))
    product = piece if "*" in sign else f"{code}**2"
    return (
        "power_of_column",
        f"{piece} is {code} itself: in formulas {sign} crosses terms. For the product of the "
        f"numbers write I({product}).",
    )


def _reduced(code: str, parts: Iterable[Part]) -> bool:
    """Whether a factor has fewer columns than levels somewhere."""
    return any(
        part.table is not None
        and code in part.categorical
        and part.table.shape[1] < len(part.table)
        for part in parts
    )


def _of_text(code: str, count: int, found: list[str], others: list[str]) -> Doubt:
    how = as_numbers(code, found, others)
    size = f"a factor of {count:,} levels here"
    if not others:
        return (
            "numbers_as_text",
            f"Column {code!r} holds numbers written as text, such as "
            f"{some(map(repr, found), 3)}: it is {size}. Make numbers of it in the data, by "
            f"{how}, or write C({code}) if levels are meant.",
        )
    return (
        "text_among_numbers",
        f"Column {code!r} holds numbers but for {some(map(repr, others))}, so it is {size}. "
        f"If these stand for missing values make numbers of it in the data, by {how}, or write "
        f"C({code}) if levels are meant.",
    )


def _of_reference(code: str, variable: Variable) -> Doubt:
    levels = variable.levels or ()
    instead = (
        levels[-1]
        if variable.contrast is not None and variable.contrast.name == "Sum"
        else levels[0]
    )
    return (
        "unused_reference",
        f"{code}: no row used has the reference level {variable.unused!r}; {instead!r} takes its "
        f"place, and the coefficients are differences from that. Levels used: "
        f"{some(map(repr, levels))}.",
    )


def _of_offsets(each: Mapping[str, Array]) -> list[Doubt]:
    named = list(each.items())
    out = []
    for i, (one, left) in enumerate(named):
        for other, right in named[i + 1 :]:
            spread = np.ptp(left) if len(left) else 0.0
            if spread > 0 and np.ptp(left - right) <= 1e-9 * spread:
                out.append(
                    (
                        "double_offset",
                        f"{one} and {other} are the same but for a constant, and both are added to "
                        "the predictor: the exposure counts twice. Leave one of them out.",
                    )
                )
    return out
