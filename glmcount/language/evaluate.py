"""Computes a checked expression on data.

Every step is a function of the table `_STEPS`; there is no other way to compute anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from glmcount.columns.coerce import coerce, refuse_datetime
from glmcount.columns.column import Column
from glmcount.errors import DataError, FormulaError, counted, some
from glmcount.language.contrasts import Box, contrast, rows_of
from glmcount.language.node import OPERATIONS, Expression, Node
from glmcount.language.transforms import State, apply, new_state
from glmcount.language.truth import (
    certain,
    chosen,
    holds_truth,
    is_boolean,
    joined,
    negated,
    with_missing,
)
from glmcount.records import dataclass
from glmcount.spellings.formulas import BAR
from glmcount.spellings.lookup import filled, told

__all__ = ["Scope", "evaluate", "inputs", "scope_of", "value_of"]

Array = np.ndarray[Any, np.dtype[Any]]

_ELEMENTARY: dict[str, Callable[..., Any]] = {
    "log": np.log,
    "log1p": np.log1p,
    "log2": np.log2,
    "log10": np.log10,
    "exp": np.exp,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "floor": np.floor,
    "ceil": np.ceil,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "sign": np.sign,
    "minimum": np.minimum,
    "maximum": np.maximum,
}


@dataclass(frozen=True)
class Scope:
    """What the steps of one evaluation share."""

    data: Mapping[str, Any]
    functions: Mapping[str, Callable[..., Any]]
    state: State
    length: int
    keeps_missing: bool
    whole: Mapping[str, Column]


def evaluate(
    expression: Expression,
    state: State | None,
    data: Mapping[str, Any],
    length: int | None = None,
    whole: Mapping[str, Column] = MappingProxyType({}),
) -> Any:
    """Compute an expression on one strip of data.

    Parameters
    ----------
    expression : Expression
    state : State or None
        What its transforms have learnt; None when it has none.
    data : mapping
        Columns by name: arrays or pandas Categoricals, as ``Column.value()`` returns them.
    length : int, optional
        Rows of the strip, for expressions without a column; those of `data` when absent.
    whole : mapping, optional
        Columns of whole numbers that stand in `data` as doubles.

    Returns
    -------
    ndarray of shape (n,) or (n, k), pandas Categorical, or the `Box` of ``C(...)``
        NaN and infinity are returned as they come out, without a numpy warning.

    Raises
    ------
    FormulaError
        If a function of the user's returns another number of rows, or a transform fails.
    DataError
        If text, categories or dates are computed with.

    Examples
    --------
    >>> from glmcount.language.parse import parse
    >>> evaluate(parse("x**-1", ["x"]), None, {"x": np.array([1, 2, 4])})
    array([1.  , 0.5 , 0.25])
    """
    rows = scope_of(expression, state or new_state(expression), data, length, whole)
    with np.errstate(all="ignore"):
        return _whole(_compute(expression.tree, rows), rows.length)


def scope_of(
    expression: Expression,
    state: State,
    data: Mapping[str, Any],
    length: int | None = None,
    whole: Mapping[str, Column] = MappingProxyType({}),
) -> Scope:
    """What the steps of an evaluation of some rows share."""
    first = expression.columns[0] if expression.columns else next(iter(data), None)
    if first is not None:
        length = len(data[first])
    elif length is None:
        length = 1
    return Scope(data, expression.functions, state, length, expression.handles_missing, whole)


def value_of(node: Node, rows: Scope) -> Any:
    """What one step comes to; a single number where all rows have it."""
    return _compute(node, rows)


def _whole(value: Any, length: int) -> Any:
    """`value`, with a single number repeated for every row."""
    return np.full(length, value) if np.ndim(value) == 0 and not _is_box(value) else value


def _is_box(value: Any) -> bool:
    return isinstance(value, pd.Categorical | Box)


def _compute(node: Node, rows: Scope) -> Any:
    return _STEPS[node.kind](node, rows)


def _constant(node: Node, rows: Scope) -> Any:
    return node.value


def _column(node: Node, rows: Scope) -> Any:
    value = rows.data[node.name]
    is_plain = isinstance(value, np.ndarray) and value.dtype.kind in "biufmM"
    if is_plain or isinstance(value, pd.Categorical):
        return value
    return coerce(node.name, value).value()


def _number(node: Node, rows: Scope) -> Any:
    """The value of `node` in double precision: booleans as 0 and 1, missing ones as NaN."""
    value = _compute(node, rows)
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, pd.Categorical):
        if not is_boolean(value):
            raise DataError(
                f"{node.text} holds categories or text and cannot be computed with.",
                kind="design_dtype",
            )
        table = np.array([*(float(level) for level in value.categories), np.nan])
        return table.take(value.codes)
    if value.dtype.kind in "mM":
        refuse_datetime(node.text)
    return value.astype(np.float64, copy=False)


def _truth(node: Node, rows: Scope, behind: str = "") -> Any:
    """The value of `node` as true and false, or missing; `behind` is what a bar has behind it."""
    value = _compute(node, rows)
    if holds_truth(value):
        return value
    raise DataError(
        f"{node.text} is not true or false everywhere: & | ~ need comparisons or booleans, such "
        f"as ({node.text} != 0).{told(filled(BAR, [behind, repr(behind)])) if behind else ''}",
        kind="design_dtype",
    )


def _arithmetic(node: Node, rows: Scope) -> Any:
    values = [_number(argument, rows) for argument in node.arguments]
    if len(values) == 1:
        return -values[0] if node.name == "-" else values[0]
    result = OPERATIONS[node.name](*values)
    if node.name == "**" and (np.ndim(values[1]) or values[1] == 0 or not np.ndim(values[0])):
        # numpy has NaN**0 and 1**NaN be 1: what is missing would be coded.
        lost = np.isnan(values[0]) | np.isnan(values[1])
        result = np.where(lost, np.nan, result) if lost.any() else result
    return result


def _logic(node: Node, rows: Scope) -> Any:
    behind = node.arguments[1].text if node.name == "|" else ""
    values = [_truth(argument, rows, behind) for argument in node.arguments]
    return negated(values[0]) if len(values) == 1 else joined(node.name, *values)


def _comparable(node: Node, rows: Scope) -> Any:
    value = _compute(node, rows)
    if isinstance(value, pd.Categorical):
        return _number(node, rows) if is_boolean(value) else value
    if getattr(value, "dtype", np.dtype(float)).kind in "mM":
        refuse_datetime(node.text)
    return value


def _compare(node: Node, rows: Scope) -> Any:
    """One comparison; of what is missing nothing is known."""
    left, right = sides = [_comparable(argument, rows) for argument in node.arguments]
    name = node.name
    if isinstance(right, pd.Categorical) and not isinstance(left, pd.Categorical):
        left, right = right, left
        name = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(name, name)
    if isinstance(left, pd.Categorical) and np.ndim(right) == 0:
        result = _compare_levels(node, left, right, name)
    elif isinstance(left, pd.Categorical) and name in ("==", "!="):
        pairs = np.asarray(left, dtype=object), np.asarray(right, dtype=object)
        result = np.asarray(OPERATIONS[name](*pairs), dtype=bool)
    elif any(isinstance(value, pd.Categorical | str) for value in (left, right)):
        raise DataError(
            f"{node.text} compares text with what is no column of text.", kind="design_dtype"
        )
    else:
        exact = (
            _exactly(each, rows, side) for each, side in zip(node.arguments, sides, strict=True)
        )
        result = OPERATIONS[name](*exact)
    for argument, value in zip(node.arguments, sides, strict=True):
        # Rows in which a column is missing are left out anyway, unless asked about.
        if rows.keeps_missing or argument.kind != "column":
            result = _unknown(result, value)
    return result


def _exactly(node: Node, rows: Scope, value: Any) -> Any:
    """What a column of whole numbers is compared by; whatever where it is missing."""
    return (
        rows.whole[node.name].whole if node.kind == "column" and node.name in rows.whole else value
    )


def _unknown(result: Any, value: Any) -> Any:
    """The result of a comparison, missing where one of its sides is."""
    lost = value.codes < 0 if isinstance(value, pd.Categorical) else _isnan(value)
    return with_missing(certain(result), lost | _isnan(result))


def _compare_levels(node: Node, column: pd.Categorical, level: Any, name: str) -> Array:
    """A categorical column against one value: decided once for each level."""
    levels = list(column.categories)
    operation = OPERATIONS[name]
    if levels and all(isinstance(each, str) for each in levels) != isinstance(level, str):
        kinds = ("text", repr(level)) if isinstance(levels[0], str) else ("numbers", repr(level))
        raise DataError(
            f"{node.text} compares a column of {kinds[0]} with {kinds[1]}, which no row of it can "
            f"be. Levels: {some(map(repr, levels))}.",
            kind="design_dtype",
        )
    if column.ordered and name not in ("==", "!="):
        if level not in levels:
            raise DataError(
                f"{node.text}: {level!r} is no level. Levels: {some(map(repr, levels), 20)}.",
                kind="unseen_level",
            )
        level, levels = levels.index(level), list(range(len(levels)))
    try:
        table = [bool(operation(each, level)) for each in levels]
    except TypeError:
        raise DataError(
            f"{node.text} compares values of different types.", kind="design_dtype"
        ) from None
    return np.array([*table, name == "!="]).take(column.codes)


def _elementary(node: Node, rows: Scope) -> Any:
    if node.name == "where":
        return _where(node, rows)
    if node.name == "isnan":
        return _isnan(_compute(node.arguments[0], rows))
    return _ELEMENTARY[node.name](*(_number(argument, rows) for argument in node.arguments))


def _isnan(value: Any) -> Any:
    if isinstance(value, pd.Categorical):
        return value.codes < 0
    kind = np.asarray(value).dtype.kind
    if kind in "biuU":
        return np.zeros(np.shape(value), dtype=bool)
    return np.isnat(value) if kind in "mM" else np.isnan(value)


def _where(node: Node, rows: Scope) -> Any:
    """Numbers, booleans or text by a condition, each kept what it is; missing where that is."""
    condition = _truth(node.arguments[0], rows)
    branches = [_compute(argument, rows) for argument in node.arguments[1:]]
    if all(map(_is_condition, branches, node.arguments[1:])):
        return _where_truth(condition, branches)
    if any(isinstance(branch, str) or _is_text(branch) for branch in branches):
        texts = (np.asarray(branch, dtype=object) for branch in branches)
        picked = chosen(_whole(condition, rows.length), texts, None)
        return coerce(node.text, picked).value()
    numbers = (_number(argument, rows) for argument in node.arguments[1:])
    return chosen(condition, numbers, np.nan)


def _where_truth(condition: Any, branches: list[Any]) -> Any:
    lost = chosen(condition, map(_isnan, branches), True)
    return with_missing(chosen(condition, map(certain, branches), False), lost)


def _is_condition(value: Any, node: Node) -> bool:
    """True and false; a column of booleans among numbers counts as 0 and 1."""
    return holds_truth(value) and node.kind != "column"


def _is_text(value: Any) -> bool:
    return isinstance(value, pd.Categorical) and not is_boolean(value)


def _factor(node: Node, rows: Scope) -> Any:
    first = node.arguments[0]
    data = rows.whole.get(first.name) if first.kind == "column" else None
    if data is None:
        data = _whole(_compute(first, rows), rows.length)
    inner = data if isinstance(data, Box) else Box(data)
    settings = {name: _compute(child, rows) for name, child in node.keywords}
    coding, levels = settings.get("contrast"), settings.get("levels")
    if isinstance(coding, list):
        coding = rows_of(coding)
    return Box(
        inner.data,
        inner.contrast if coding is None else coding,
        inner.levels if levels is None else levels,
    )


def _contrast(node: Node, rows: Scope) -> Any:
    return contrast(node.name, **{name: child.value for name, child in node.keywords})


def inputs(node: Node, rows: Scope) -> list[Array]:
    """The arguments of a transform as numbers, one for each row."""
    return [_whole(_number(argument, rows), rows.length) for argument in node.arguments]


def _transform(node: Node, rows: Scope) -> Any:
    return apply(node, rows.state, inputs(node, rows))


def _user(node: Node, rows: Scope) -> Any:
    """A function of the user's, on double precision numbers, booleans or text."""
    positional = [_argument(argument, rows) for argument in node.arguments]
    named = {name: _argument(child, rows) for name, child in node.keywords}
    result = rows.functions[node.name](*positional, **named)
    if np.ndim(result) == 2:
        result = np.asarray(result, dtype=np.float64)
    elif not isinstance(result, bool | int | float | np.number):
        result = coerce(node.text, result).value()
    if np.ndim(result) and len(result) != rows.length:
        raise FormulaError(
            f"{node.text} returned {counted(len(result), 'value')} for "
            f"{counted(rows.length, 'row')}; a function in a "
            "formula returns one for each row."
        )
    return result


def _argument(node: Node, rows: Scope) -> Any:
    value = _compute(node, rows)
    if _is_text(value):
        texts = np.array(value, dtype=object)
        texts[value.codes < 0] = None
        return texts
    if isinstance(value, pd.Categorical):
        return _number(node, rows) if (value.codes < 0).any() else certain(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
        shown = value.astype(np.float64, copy=False).view()
        shown.flags.writeable = False  # it may be the data's own memory
        return shown
    return value


_STEPS: dict[str, Callable[[Node, Scope], Any]] = {
    "constant": _constant,
    "column": _column,
    "arithmetic": _arithmetic,
    "logic": _logic,
    "compare": _compare,
    "elementary": _elementary,
    "factor": _factor,
    "contrast": _contrast,
    "transform": _transform,
    "user": _user,
}
