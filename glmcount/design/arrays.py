"""Counts and a matrix, as a user hands them over, to named columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from glmcount.allowed import plain, refuse, shown
from glmcount.design.given import as_array
from glmcount.errors import DataError, UsageError
from glmcount.sources.base import Given

__all__ = ["array_columns", "matrix_columns", "part_columns"]


def array_columns(
    y: Given, matrix: Given, names: Sequence[str] | None
) -> tuple[dict[str, Given], str]:
    """Columns by name, the response among them, and the response's name.

    Raises
    ------
    DataError, UsageError
        For shapes, types and names that do not fit.
    """
    columns, names = _named_columns("X", matrix, names, "x")
    response = str(getattr(y, "name", None) or "y")
    while response in names:
        response += "_"
    values = as_array("y", y)
    if np.ndim(values) != 1:
        raise DataError(
            f"y must hold one count for each row; got {shown(y)}.{_instead(y, matrix)}", kind="data"
        )
    return {response: values, **dict(zip(names, columns, strict=True))}, response


def _instead(y: Given, matrix: Given) -> str:
    """What to pass for a response of another shape."""
    if isinstance(y, str):
        return " A formula and its table are fitted by glmcount.fit(formula, data)."
    if np.ndim(y) == 2 and np.ndim(matrix) == 1:
        return " The response comes first: fit_arrays(y, X)."
    return " Pass y.ravel()." if np.ndim(y) == 2 and np.shape(y)[1] == 1 else ""


def matrix_columns(what: str, matrix: Given) -> list[Given]:
    """The columns of a matrix.

    Raises
    ------
    DataError
        If it is no table of numbers.
    """
    return _named_columns(what, matrix, None, "x")[0]


def part_columns(what: str, given: Given) -> tuple[dict[str, Given], Mapping[str, str]] | None:
    """Columns of a further part of a model, and their names by key; None for a constant."""
    if given is None or (isinstance(given, str) and given.strip() == "1"):
        return None
    if isinstance(given, str):
        raise UsageError(
            f"{what}={given!r} is a formula, and fit_arrays knows no names: pass an array of "
            f"columns, '1', or use glmcount.fit(formula, data, {what}=...).",
            kind="names",
        )
    columns, names = _named_columns(what, given, None, "z")
    keys = [f"<{what}> {name}" for name in names]
    return dict(zip(keys, columns, strict=True)), dict(zip(keys, names, strict=True))


def _named_columns(
    what: str, matrix: Given, names: Sequence[str] | None, letter: str
) -> tuple[list[Given], list[str]]:
    if isinstance(matrix, pd.DataFrame):
        # Column by column: one array of a frame would be a copy of all of it.
        columns = [_number(matrix.iloc[:, j]) for j in range(matrix.shape[1])]
        names = list(map(str, matrix.columns)) if names is None else names
    else:
        columns = _split(what, matrix)
    count = len(columns)
    names = plain(names)
    if not (names is None or isinstance(names, Iterable)):
        refuse("names", names, f"a list of {count} names, one for each column of {what}", "names")
    names = [f"{letter}{j}" for j in range(count)] if names is None else list(map(str, names))
    if len(names) != count or len(set(names)) < count:
        raise UsageError(
            f"names must be a list of different names, one for each of the {count} "
            f"column{'s' if count > 1 else ''} of {what}.",
            kind="names",
        )
    return columns, names


def _number(column: pd.Series) -> Given:
    return column.to_numpy().astype(np.uint8) if column.dtype == np.bool_ else column.array


def _split(what: str, matrix: Given) -> list[Given]:
    array = as_array(what, matrix)
    if np.ndim(array) == 1:
        array = np.asanyarray(array)[:, None]
    if np.ndim(array) != 2 or array.dtype.kind not in "biufO":
        got = f"shape {array.shape} of {array.dtype}" if np.ndim(array) else type(matrix).__name__
        raise DataError(
            f"{what} must be a table of numbers, (rows, columns); got {got}. For factors and "
            "formulas use glmcount.fit(formula, data).",
            kind="design_dtype",
        )
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    return [array[:, j] for j in range(array.shape[1])]
