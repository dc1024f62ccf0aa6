"""What a user hands over beside a table: arrays, lists and Series, as columns of its rows."""

from __future__ import annotations

import keyword
import re
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from glmcount.allowed import plain, shown
from glmcount.columns.coerce import coerce
from glmcount.errors import DataError
from glmcount.numerics import Array
from glmcount.sources.base import Given, Source

__all__ = [
    "ARRAY",
    "BESIDE",
    "as_array",
    "given_column",
    "numberless",
    "plain_name",
    "response_values",
]

ARRAY = "<{}>"
BESIDE = "censored"
SAME = {"weights": "changes no estimate"}


def as_array(what: str, values: Given) -> Given:
    """Values as an array that keeps what is masked; a Series as the array it holds.

    Raises
    ------
    DataError
        For sparse matrices, for rows of different lengths, and for numbers that numpy has not.
    """
    if type(values) is np.ndarray:
        return values
    if isinstance(values, pd.Series):
        return values.array
    if isinstance(values, np.ma.MaskedArray):
        return values
    if hasattr(values, "toarray") and hasattr(values, "nnz"):
        raise DataError(
            f"{what} is a scipy.sparse {type(values).__name__}, which is not taken: pass "
            f"{what}.toarray(). Dummies of factors need no matrix at all: glmcount.fit('y ~ C(g)', "
            "data) codes them without making their columns.",
            kind="sparse",
        )
    if str(getattr(values, "dtype", "")).endswith("Int128"):
        # polars', of which there is no array.
        coerce(what, values)
    try:
        with warnings.catch_warnings():
            # Of numpy, which makes NaN of masked items in a list: that is missing too.
            warnings.simplefilter("ignore", UserWarning)
            if isinstance(values, list | tuple) and any(map(_is_masked, values)):
                return np.ma.array(values)
            return np.asarray(values)
    except ValueError:
        raise _ragged(what, values) from None


def _is_masked(item: Given) -> bool:
    return isinstance(item, np.ma.MaskedArray) and item is not np.ma.masked


def _ragged(what: str, values: Sequence[Given]) -> DataError:
    sizes = [np.size(each) if np.ndim(each) else 1 for each in map(_flat, values)]
    row = next((i for i, size in enumerate(sizes) if size != sizes[0]), 0)
    return DataError(
        f"The rows of {what} differ in length: row 0 has {sizes[0]}, row {row} (counted from 0) "
        f"{sizes[row]}. Give every row as many numbers as there are columns.",
        kind="ragged",
    )


def _flat(row: Given) -> Given:
    return range(len(row)) if isinstance(row, list | tuple) else row


def given_column(source: Source, what: str, value: Given) -> tuple[str, dict[str, Given]]:
    """(expression, extra columns) for an offset, exposure or weights as the user gave it.

    Raises
    ------
    DataError
        If an array has another length than the data, or a Series another index.
    """
    # One limit may hold for all rows; one offset or weight would say nothing.
    named = isinstance(value, str) and value in source.names
    limit = _number(value) if what == BESIDE and not named else None
    if limit is not None and not source.counted:
        # Of rows that come in a stream there is no array of this length yet.
        return repr(limit), {}
    if limit is not None:
        value = np.full(source.n_rows, limit)
    if isinstance(value, str):
        if value not in source.names:
            return value, {}
        plain = value.isidentifier() and not keyword.iskeyword(value)
        return (value if plain else f"Q({value!r})"), {}
    said = plain_name(ARRAY.format(what))
    if not source.counted:
        raise DataError(
            f"{said} was given as an array, and how many rows these data have is known only when "
            f"they have been read. Make it a column of the data, and pass its name as {said}=.",
            kind="array_beside_stream",
        )
    if isinstance(value, pd.Series) and _other_index(value, source):
        place = int(np.argmax(np.asarray(value.index != source.index)))
        raise DataError(
            f"{said} is a Series whose index is not the data's in the data's order: at row "
            f"{place} it has {value.index[place]!r}, the data {source.index[place]!r}. Put it "
            f"into the data as a column, or pass {said}=series.to_numpy() to use positions.",
            kind="index_mismatch",
        )
    column = as_array(said, value)
    if column.ndim != 1 or len(column) != source.n_rows:
        got = f"an array of shape {np.shape(value)}" if np.ndim(value) else shown(value)
        raise DataError(
            f"{said} must be a column name, an expression, or one value for each of the "
            f"{source.n_rows} rows; got {got}.{_named(said, value)}",
            kind=f"{said}_length",
        )
    name = ARRAY.format(what)
    return f"Q({name!r})", {name: column}


def _named(said: str, value: Given) -> str:
    """What to write for the name of a column in a list."""
    alone = value[0] if isinstance(value, list | tuple) and len(value) == 1 else None
    if isinstance(alone, str):
        return f" Write {said}={alone!r}."
    if _number(value) is None:
        return ""
    return (
        f" One that is the same in every row {SAME.get(said, 'moves the constant alone')}: leave "
        f"it out, or make a column of it by data.assign({said}={plain(value)!r}) and name that."
    )


# Arrays of one argument are numbered, which is no name that a user knows.
_NUMBER = re.compile(r"_\d+$")


def plain_name(name: str) -> str:
    """What a user calls a column: one that was given as an array by what it is for."""
    return _NUMBER.sub("", name[1:-1]) if _is_array(name) else name


def numberless(name: str) -> str:
    """A column as messages name it where its brackets tell it from those of the data."""
    return f"<{plain_name(name)}>" if _is_array(name) else name


def _is_array(name: str) -> bool:
    # Columns of a matrix have their own names after the bracket.
    return name.startswith("<") and name.endswith(">")


def response_values(source: Source, name: str, y: Given) -> Array:
    """A new response as numbers, one for each row of the data.

    Raises
    ------
    DataError
        For another length or index than the data's, or values that are no numbers.
    """
    if type(y) is np.ndarray and y.dtype.kind in "iuf" and y.shape == (source.n_rows,):
        return np.ascontiguousarray(y, dtype=np.float64)
    if isinstance(y, str):
        y = np.asarray(y)
    _, held = given_column(source, "y", y)
    (column,) = held.values()
    plain = isinstance(column, np.ndarray) and not isinstance(column, np.ma.MaskedArray)
    if not plain or column.dtype.kind not in "iuf":
        found = coerce(name, column)
        levels = found.levels or ("",)
        if found.kind != "numeric" and not all(isinstance(level, bool) for level in levels):
            raise DataError(
                f"The response {name!r} must be one column of numbers, not {found.kind} values.",
                kind="response_type",
            )
        column = found.values.astype(np.float64)
        if found.levels is not None:
            column[found.values < 0] = np.nan
    return np.ascontiguousarray(column, dtype=np.float64)


def _number(value: Given) -> float | None:
    """A number, written as one or in a string; None for anything else."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _other_index(value: pd.Series, source: Source) -> bool:
    same_length = source.index is not None and len(value) == source.n_rows
    return same_length and not value.index.equals(source.index)
