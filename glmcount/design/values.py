"""Evaluated variables as numbers or codes, whatever they were made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.columns.coerce import categorise, coerce, recode, refuse_datetime
from glmcount.columns.column import Column, Levels, Values
from glmcount.design.spec import Variable
from glmcount.errors import DataError, NonfiniteDesignError, counted, some
from glmcount.language.contrasts import Box, Contrast
from glmcount.language.evaluate import evaluate
from glmcount.language.node import Expression
from glmcount.language.transforms import State
from glmcount.records import dataclass, replace
from glmcount.sources.base import Columns

__all__ = [
    "OF_NEGATIVE",
    "OF_OFFSET",
    "OF_RESPONSE",
    "OF_TERM",
    "Value",
    "codes_of",
    "coerced",
    "evaluated",
    "undefined",
    "used_levels",
]

# What to do where an expression has no value, by what it is for.
OF_TERM = "Correct them, or take an expression that has a value there, as log1p(x) at zero."
OF_NEGATIVE = (
    "Correct them, or take an expression that has a value there: negative numbers have no "
    "logarithm and no root, and 0 / 0 is nothing. log1p(x) is for zeros alone."
)
OF_OFFSET = "Correct them, or leave them out: a row without exposure tells nothing of a rate."
OF_RESPONSE = (
    "Correct them; the counts themselves are the response, zeros too, not their logarithms."
)


@dataclass(frozen=True)
class Value:
    """A variable over some rows: numbers, or a column with levels.

    Parameters
    ----------
    numbers : ndarray, shape (n,) or (n, k), or None
    column : Column or None
        For categorical variables.
    levels : tuple
        Levels these rows could have, in order.
    contrast : Contrast or None
        Coding asked for by ``C(...)``.
    """

    numbers: Values | None
    column: Column | None = None
    levels: Levels = ()
    contrast: Contrast | None = None


def coerced(columns: Columns) -> dict[str, Column]:
    """Every column through the dtype shield."""
    return {
        name: values if isinstance(values, Column) else coerce(name, values)
        for name, values in columns.items()
    }


def evaluated(
    expression: Expression, state: State | None, columns: Mapping[str, Column], length: int
) -> Value:
    """Evaluate an expression over `length` rows of coerced columns.

    Raises
    ------
    DataError
        For a bare date or time.
    """
    if expression.tree.kind == "column":
        column = columns[expression.tree.name]
        if column.kind == "categorical":
            return Value(None, column, column.levels or ())
        if column.kind == "numeric":
            return Value(column.values)
    data = {name: columns[name].value() for name in expression.columns}
    whole = {n: columns[n] for n in expression.columns if columns[n].whole is not None}
    raw = evaluate(expression, state, data, length, whole)
    box = raw if isinstance(raw, Box) else None
    inner = raw if box is None else box.data
    if box is None and not _has_levels(inner):
        numbers = np.asarray(inner)
        if numbers.dtype.kind in "mM":
            refuse_datetime(expression.code)
        return Value(numbers)
    column = categorise(expression.code, inner)
    if isinstance(inner, pd.Categorical):
        # A Categorical carries levels even where they were merely found in this strip.
        given = all(isinstance(level, bool) for level in column.levels or ())
        declared = given or any(columns[name].declared for name in expression.columns)
        column = replace(column, declared=declared)
    if box is None:
        return Value(None, column, column.levels or ())
    levels = column.levels or () if box.levels is None else tuple(box.levels)
    return Value(None, column, levels, box.contrast)


def _has_levels(values: object) -> bool:
    return isinstance(values, pd.Categorical) or getattr(values, "dtype", None) == np.bool_


def codes_of(
    value: Value,
    levels: Levels,
    name: str,
    where: NDArray[np.intp] | None = None,
    first: int = 0,
) -> Values:
    """Codes of a categorical value against learnt levels, -1 where missing.

    Only the rows `where` are looked at: a level that occurs in dropped rows alone is not
    one of the model's.

    Raises
    ------
    DataError
        For a level that was not learnt, and for numbers in the place of levels.
    """
    column = value.column
    if column is None:
        return _no_codes(value, levels, name, where, first)
    if where is not None:
        column = replace(column, values=column.values[where])
    return recode(column, levels, name, first)


def _no_codes(
    value: Value,
    levels: Levels,
    name: str,
    where: NDArray[np.intp] | None,
    first: int,
) -> Values:
    """Codes of no rows: a column without a value has no type. Numbers are no levels."""
    assert value.numbers is not None
    rows = np.arange(len(value.numbers)) if where is None else where
    if len(rows):
        raise DataError(
            f"{name!r} has the levels {some(map(repr, levels), 6)} in this model, but row "
            f"{rows[0] + first} (counted from 0) holds the number {value.numbers[rows[0]]}. Give "
            "the levels that the fit had.",
            kind="unseen_level",
        )
    return np.zeros(0, dtype=np.int8)


def undefined(
    code: str, codes: Values, where: NDArray[np.intp] | None, first: int
) -> NonfiniteDesignError:
    """The error for used rows in which a condition or a factor has no value."""
    used = np.flatnonzero(codes < 0)
    rows = (used if where is None else where[used]) + first
    return NonfiniteDesignError(
        f"{code} has no value in {counted(len(used), 'row')} whose data are there: rows "
        f"(counted from 0) "
        f"{some(rows)}. Something in it is not defined for them, such as the logarithm of a "
        "negative number. Correct them, or choose an expression that is defined for them."
    )


def used_levels(value: Value, keep: NDArray[np.bool_] | None) -> Levels:
    """Levels that occur in the rows kept."""
    assert value.column is not None
    codes = value.column.values if keep is None else value.column.values[keep]
    own = value.column.levels or ()
    # Mostly the first rows have them all, and the rest need not be counted.
    whole = len(codes) > 0 and codes[codes.argmin()] >= 0
    for part in (codes[: 16 * len(own)], codes):
        counts = np.bincount(part if whole else part[part >= 0], minlength=len(own))
        if not len(own) or counts.item(counts.argmin()):
            return own
    return tuple(level for level, count in zip(own, counts, strict=True) if count)


def numbers_of(variable: Variable, columns: Mapping[str, Column], length: int) -> list[Values]:
    """Columns of a numerical variable, each (length,).

    Raises
    ------
    DataError
        If the data now hold levels where they held numbers.
    """
    tree = variable.expression.tree
    whole = columns[tree.name].whole if tree.kind == "column" else None
    if whole is not None and whole.dtype.kind in "iu":
        # Rows that miss it are left out, and of the others no digit is lost.
        return [whole]
    value = evaluated(variable.expression, variable.state, columns, length)
    if value.numbers is None:
        levels = value.column.levels if value.column is not None else None
        raise DataError(
            f"{variable.expression.code!r} was a number where the model was fitted, and now holds "
            f"levels such as {some(levels or (), 3)}. Convert it to numbers.",
            kind="design_dtype",
        )
    if value.numbers.ndim == 1:
        return [value.numbers]
    return [value.numbers[:, k] for k in range(value.numbers.shape[1])]


def joint_code(codes: Sequence[Values], sizes: Sequence[int]) -> Values:
    """One code for several, the first slowest, in the smallest integer type that fits."""
    if len(codes) == 1:
        return codes[0]
    joint = codes[0].astype(np.int64)
    for code, size in zip(codes[1:], sizes[1:], strict=True):
        joint *= size
        joint += code
    return joint.astype(np.min_scalar_type(math.prod(sizes)))
