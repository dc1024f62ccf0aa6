"""Checks an expression of a formula word by word, without ever executing it.

`parse` turns the code of one factor into an `Expression` in which every name has been
resolved to a column, a constant or a function of a fixed list. Whatever is not on the list
is refused here, before any data are touched; `evaluate.py` computes the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from typing import Any

from glmcount.language.calls import call
from glmcount.language.foreign import quoted, random
from glmcount.language.node import (
    ARITHMETIC,
    COMPARISONS,
    LARGEST,
    LOGIC,
    OPERATIONS,
    Expression,
    Node,
    called,
    hint,
)
from glmcount.language.reader import Reader, is_number, rules

__all__ = ["Expression", "parse"]


def parse(
    code: str,
    columns: Collection[str],
    functions: Mapping[str, Callable[..., Any]] | None = None,
    *,
    formula: str | None = None,
    start: int = 0,
) -> Expression:
    """Check the code of one factor and resolve every name in it.

    Parameters
    ----------
    code : str
        A factor, such as ``"np.log(x)"`` or ``"C(s, Treatment('b'))"``.
    columns : collection of str
        Names of the data's columns.
    functions : mapping, optional
        The user's own functions by name.
    formula : str, optional
        The whole formula, for the caret of an error; `code` when absent.
    start : int, default 0
        Where the factor begins in `formula`.

    Returns
    -------
    Expression

    Raises
    ------
    FormulaSyntaxError
        If `code` is no expression.
    UnsafeFormulaError
        If it asks for anything outside the formula language.
    UnknownColumnError
        If a name is neither a column nor a function.
    FormulaTooComplexError
        If it is longer, deeper or wider than any sensible formula.
    UsageError
        If a function of the user's has the name of a word of the language.

    Examples
    --------
    >>> parse("np.log(x) * Q('my col')", ["x", "my col"]).columns
    ('x', 'my col')
    >>> parse("x.__class__", ["x"])
    Traceback (most recent call last):
        ...
    glmcount.errors.UnsafeFormulaError: An attribute (a dot) is not part of the formula language.
        x.__class__
        ^^^^^^^^^^^
    ...
    """
    reader = Reader(code, columns, functions or {}, formula, start)
    syntax = reader.syntax()
    tree = reader.read(syntax)
    if tree.kind == "contrast" or (tree.kind == "constant" and not is_number(tree.value)):
        why = f"{reader.text(syntax)} is no column and makes none."
        reader.refuse(syntax, why, _unquoted(tree.value, reader.columns))
    called = {node.name: reader.functions[node.name] for node in tree.walk() if node.kind == "user"}
    return Expression(code, tuple(reader.used), tree, called, tuple(reader.transforms))


def _unquoted(value: Any, columns: Collection[str]) -> str:
    """What to write for names in quotes or in a list."""
    if isinstance(value, str) and value in columns:
        return f"Write {quoted(value)} for the column."
    if isinstance(value, list) and value and all(each in columns for each in value):
        return f"Write {' + '.join(map(quoted, value))}: terms are joined by +."
    return ""


def _constant(reader: Reader, node: ast.Constant) -> Node:
    if node.value is not None and not isinstance(node.value, str | bool | int | float):
        reader.refuse(node, f"{reader.text(node)} is no number, string, boolean or None.")
    return reader.known(node, node.value)


def _sequence(reader: Reader, node: ast.List | ast.Tuple) -> Node:
    parts = [reader.read(part) for part in node.elts]
    if any(part.kind != "constant" for part in parts):
        told = "Terms are joined by +, as in y ~ x + z. A list may hold constants only."
        reader.refuse(node, "Columns in a list are no term.", told)
    return reader.known(node, [part.value for part in parts])


def _name(reader: Reader, node: ast.Name) -> Node:
    return reader.column(node, reader.written(node, reader.columns))


def _binary(reader: Reader, node: ast.BinOp) -> Node:
    name = ARITHMETIC.get(type(node.op)) or LOGIC.get(type(node.op))
    if name is None:
        reader.refuse_kind(node, f"{called(node.op)} is not an operator of formulas.", node.op)
    left, right = reader.number(node.left), reader.number(node.right)
    if type(node.op) in LOGIC:
        given = any(
            part.kind == "constant" and type(part.value) is not bool for part in (left, right)
        )
        if given:
            advice = random(reader.text(node)) if name == "|" else ""
            reader.refuse(node, "& and | join conditions, as in I((x > 0) | (z > 1)).", advice)
        return Node("logic", name, arguments=(left, right), text=reader.text(node))
    if left.kind == right.kind == "constant":
        value = _fold(name, left.value, right.value)
        if isinstance(value, complex):
            reader.refuse(node, f"{reader.text(node)} is not a real number.")
        return reader.known(node, value)
    return Node("arithmetic", name, arguments=(left, right), text=reader.text(node))


def _fold(name: str, left: float, right: float) -> Any:
    """Two constants computed with, in numbers that cannot grow without bound."""
    try:
        # the float power is cheap and tells whether the exact one would be
        if name == "**" and not abs(float(left) ** right) <= LARGEST:
            return float("inf")
        return OPERATIONS[name](left, right)
    except (OverflowError, ZeroDivisionError):
        return float("inf")


def _unary(reader: Reader, node: ast.UnaryOp) -> Node:
    if isinstance(node.op, ast.Not):
        reader.refuse(node, "'not' is not an operator of formulas.", hint(node.op))
    inner = reader.number(node.operand)
    if isinstance(node.op, ast.Invert):
        return Node("logic", "~", arguments=(inner,), text=reader.text(node))
    is_plus = isinstance(node.op, ast.UAdd)
    if inner.kind == "constant":
        return reader.known(node, +inner.value if is_plus else -inner.value)
    return Node("arithmetic", "+" if is_plus else "-", arguments=(inner,), text=reader.text(node))


def _compare(reader: Reader, node: ast.Compare) -> Node:
    name = COMPARISONS.get(type(node.ops[0]))
    if len(node.ops) > 1 or name is None:
        reader.refuse(node, "This comparison is not part of formulas.", hint(node))
    pair = (reader.read(node.left), reader.read(node.comparators[0]))
    if all(part.kind == "constant" for part in pair):
        reader.refuse(node, "Two constants are compared.")
    for part in pair:
        if isinstance(part.value, list) or part.kind in ("factor", "contrast"):
            reader.refuse(node, f"{part.text} cannot be compared.")
        if part.kind == "constant" and part.value is None:
            reader.refuse(node, "Nothing compares to None.", "Write isnan(...).")
    return Node("compare", name, arguments=pair, text=reader.text(node))


rules.update(
    {
        ast.Constant: _constant,
        ast.List: _sequence,
        ast.Tuple: _sequence,
        ast.Name: _name,
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.Compare: _compare,
        ast.Call: call,
    }
)
