"""In-memory tables: pandas, polars, pyarrow tables, dicts of columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from glmcount.columns.coerce import coerce
from glmcount.errors import DataError, some
from glmcount.sources.base import Columns, Source, register_source
from glmcount.sources.labels import paired

__all__ = ["from_columns"]

_LISTS = (list, tuple, range)


def from_columns(columns: Mapping[str, Any], index: Any = None) -> Source:
    """Source over columns that can be sliced.

    Raises
    ------
    DataError
        If the columns differ in length.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = some(f"{name!r} has {length}" for name, length in lengths.items())
        raise DataError(f"The columns differ in length: {told}.", kind="column_length")
    return _lazy(tuple(columns), max(lengths.values(), default=0), index, columns.__getitem__)


def _lazy(
    names: tuple[str, ...],
    n_rows: int,
    index: Any,
    column: Callable[[str], Any],
    keep: Callable[[], None] | None = None,
) -> Source:
    """Columns that are read when they are asked for; all are those of the first time.

    `keep` is called then, where some are left for later.
    """
    taken: dict[str, Any] = {}

    def read(first: int, last: int, wanted: Sequence[str]) -> Columns:
        begun = bool(taken)
        for name in wanted:
            if name not in taken:
                taken[name] = column(name)
        if not begun and keep is not None and len(taken) < len(names):
            keep()
        if last - first == n_rows:
            return {name: taken[name] for name in wanted}
        return {name: taken[name][first:last] for name in wanted}

    return Source(names, n_rows, index, read)


def _sliceable(series: pd.Series) -> Any:
    """The numpy array behind a plain column (a view), or the values as they are.

    Categories are made plain here, once for all strips.
    """
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        return series.to_numpy()
    if isinstance(dtype, pd.CategoricalDtype):
        return coerce(str(series.name), series.array)
    return series.array


@register_source
def _dict(data: Any) -> Source | None:
    if not isinstance(data, Mapping):
        return None
    given, index = paired({str(name): values for name, values in data.items()})
    columns = {
        name: _sliceable(values) if isinstance(values, pd.Series) else values
        for name, values in given.items()
    }
    for name, values in columns.items():
        if hasattr(values, "toarray") and hasattr(values, "nnz"):
            raise DataError(
                f"Column {name!r} is a scipy.sparse {type(values).__name__}, which is not taken: "
                "pass its numbers, matrix.toarray().ravel().",
                kind="sparse",
            )
        if isinstance(values, str) or not (isinstance(values, _LISTS) or _is_column(values)):
            raise DataError(
                f"Column {name!r} is a single value, not a column of values.",
                kind="column_length",
            )
    listed = {name: _listed(values) for name, values in columns.items()}
    return from_columns(listed, None if index is None else index.view())


def _is_column(values: Any) -> bool:
    """Whether there are several values, asked of the shape where that is told without a copy."""
    shape = getattr(values, "shape", None)
    return bool(shape if isinstance(shape, tuple) else np.ndim(values))


def _listed(values: Any) -> Any:
    if not isinstance(values, _LISTS):
        return values
    items = [None if item is np.ma.masked else item for item in values]
    # pandas keeps a mixed list as objects, where numpy would turn [1, "a"] into strings.
    found = _sliceable(pd.Series(items))
    if getattr(found, "dtype", None) != np.float64 or not np.isnan(found).any():
        return found
    # Beside missing ones it makes doubles of whole numbers, which do not hold every one.
    whole = pd.api.types.infer_dtype(items, skipna=True) == "integer"
    return pd.Series(items, dtype=object).to_numpy() if whole else found


@register_source
def _dataframe_like(data: Any) -> Source | None:
    """polars DataFrames and pyarrow Tables: told by what they offer, imported by nobody."""
    if hasattr(data, "get_column") and hasattr(data, "height"):
        data = data.clone()
        return _lazy(tuple(data.columns), int(data.height), None, data.get_column)
    if hasattr(data, "column_names") and hasattr(data, "num_rows"):
        return _lazy(tuple(data.column_names), int(data.num_rows), None, data.column)
    if hasattr(data, "collect_schema") and hasattr(data, "collect"):
        return _dataframe_like(data.collect())
    return None


@register_source
def _pandas(data: Any) -> Source | None:
    if not isinstance(data, pd.DataFrame):
        return None
    table = data
    # While these are held, who writes into the table writes into a copy of theirs.
    held: list[pd.Series] = []
    # An index of Arrow text is slow to go over, and slower for few labels to be made a list.
    given = data.columns.to_numpy(dtype=object).tolist()
    names = tuple(map(str, given))
    labels = dict(zip(names, given, strict=True))
    repeated = {name for name in names if names.count(name) > 1} if len(labels) < len(names) else ()

    def column(name: str) -> Any:
        if name in repeated:
            places = [i + 1 for i, other in enumerate(names) if other == name]
            raise DataError(
                f"Column {name!r} stands {len(places)} times in the data (columns "
                f"{some(places)}); rename all but one.",
                kind="duplicate_column",
            )
        held.append(table[labels[name]])
        return _sliceable(held[-1])

    def keep() -> None:
        nonlocal table
        table = table.copy(deep=False)

    return _lazy(names, len(data), data.index.view(), column, keep)
