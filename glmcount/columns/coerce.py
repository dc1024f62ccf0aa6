"""The dtype shield: one column of whatever kind, turned into numbers or codes.

pandas (numpy, nullable, Arrow and string dtypes), polars, pyarrow, numpy and plain lists
come in; out comes a `Column` of plain numpy values. Native numbers are never copied.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from glmcount.columns.column import Array, Column, Level, Levels
from glmcount.columns.whole import beside_missing, from_objects, refuse_merged
from glmcount.errors import DataError, near, some

__all__ = ["categorise", "coerce", "nearest_level", "recode", "refuse_datetime", "union_levels"]

BOOLEAN: Levels = (False, True)
PLAIN = frozenset((str, bool, int, float))
FEW = 1_000


def coerce(name: str, values: Any) -> Column:
    """Turn one column into numbers, codes or times.

    Parameters
    ----------
    name : str
        The column's name, for errors.
    values : Series, Index, ndarray, list, polars.Series, pyarrow Array or ChunkedArray
        The column.

    Returns
    -------
    Column

    Raises
    ------
    DataError
        Of kind ``design_dtype`` when the values are of a type that makes no sense in a
        model (complex numbers, mixed numbers and strings, nested lists).

    Examples
    --------
    >>> column = coerce("s", ["b", None, "a"])
    >>> column.kind, column.values.tolist(), column.levels
    ('categorical', [1, -1, 0], ('a', 'b'))
    """
    if isinstance(values, Column):
        return values
    if isinstance(values, np.ndarray):
        return _from_numpy(name, values)
    if isinstance(values, pd.Series | pd.Index) and not isinstance(values, pd.MultiIndex):
        if isinstance(values.dtype, np.dtype):
            return _from_numpy(name, values.to_numpy())
        return _from_extension(name, values.array)
    if isinstance(values, pd.api.extensions.ExtensionArray):
        return _from_extension(name, values)
    home = type(values).__module__.partition(".")[0]
    if home == "polars":
        return _from_polars(name, values)
    if home == "pyarrow":
        return _from_arrow(name, values)
    if isinstance(values, list | tuple | range):
        return _from_objects(name, _objects(values))
    return _refuse(name, f"is a {type(values).__name__}, not a column of values")


def _objects(values: Sequence[Any]) -> Array:
    """An object array of exactly these items; numpy would turn [1, "a"] into strings."""
    items = np.empty(len(values), dtype=object)
    for row, item in enumerate(values):
        items[row] = item
    return items


def _refuse(name: str, why: str) -> NoReturn:
    raise DataError(
        f"Column {name!r} {why}. A column may hold numbers, booleans, strings, categories, "
        "or, inside C(...), dates.",
        kind="design_dtype",
    )


def nearest_level(level: Level, levels: Sequence[Level]) -> str:
    """What is said of a level that there is not: its namesake of another type, or those nearest.

    Examples
    --------
    >>> nearest_level("2", (1, 2))
    " The levels are numbers: write 2, not '2'."
    >>> nearest_level("B", ("a", "b"))
    " Did you mean 'b'?"
    """
    for own in levels:
        if str(own) == str(level) and own != level:
            kinds = {str: "text", bool: "true and false", np.bool_: "true and false"}
            kind = kinds.get(type(own), "numbers")
            return f" The levels are {kind}: write {own!r}, not {level!r}."
    if isinstance(level, str):
        return near(level, [own for own in levels if isinstance(own, str)])
    return ""


def refuse_datetime(name: str) -> NoReturn:
    """Raise the error for dates or durations used as if they were numbers.

    Raises
    ------
    DataError
        Always, of kind ``design_dtype``.
    """
    raise DataError(
        f"{name} holds dates or durations, which have no natural unit in a model. Make a number "
        "of it in the data, such as days since a start, or as a predictor levels by C(...).",
        kind="design_dtype",
    )


def _from_numpy(name: str, values: Array) -> Column:
    kind = values.dtype.kind
    if values.ndim != 1:
        _refuse(name, f"has {values.ndim} dimensions")
    if isinstance(values, np.ma.MaskedArray):
        return _from_masked(name, values)
    if kind in "iuf":
        native = values.dtype.isnative and values.dtype.itemsize <= 8
        return Column("numeric", values if native else values.astype(np.float64))
    if kind == "b":
        return _boolean(values.view(np.int8))
    if kind in "mM":
        return Column("datetime", values)
    if kind in "UT":
        return _found(*pd.factorize(values.astype(object)))
    if kind in "OS":
        return _from_objects(name, values.astype(object, copy=False))
    return _refuse(name, "holds complex numbers" if kind == "c" else f"is of type {values.dtype}")


def _from_masked(name: str, values: np.ma.MaskedArray[Any, Any]) -> Column:
    given, hidden = np.ma.getdata(values), np.ma.getmaskarray(values)
    if given.dtype.kind in "iu":
        return beside_missing(given, hidden)
    if given.dtype.kind == "f":
        return Column("numeric", np.where(hidden, np.nan, given.astype(np.float64)))
    items = given.astype(object)
    items[hidden] = None
    return _from_objects(name, items)


def _boolean(codes: Array) -> Column:
    return Column("categorical", codes, BOOLEAN, declared=True)


def _from_extension(name: str, array: Any) -> Column:
    """A pandas extension array, by its dtype."""
    dtype = array.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        own, ordered = dtype.categories, bool(dtype.ordered)
        labels = own.to_numpy() if own.dtype == np.int64 else None
        return Column("categorical", array.codes, _plain(own), ordered, True, labels=labels)
    if isinstance(dtype, pd.SparseDtype):
        return _from_numpy(name, np.asarray(array))
    if isinstance(dtype, pd.ArrowDtype):
        return _from_arrow(name, array.__arrow_array__())
    if isinstance(dtype, pd.StringDtype):
        few = _found_few(array.to_numpy(dtype=object).tolist()) if len(array) <= FEW else None
        return _found(*pd.factorize(array)) if few is None else few
    if isinstance(dtype, pd.DatetimeTZDtype):
        return Column("datetime", array.to_numpy(dtype=f"M8[{dtype.unit}]"))
    if isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype):
        return _from_extension(name, pd.Categorical(array, ordered=True))
    if pd.api.types.is_bool_dtype(dtype):
        return _boolean(array.to_numpy(dtype=np.int8, na_value=-1))
    if pd.api.types.is_numeric_dtype(dtype):
        missing = array.isna()
        if missing.any() and dtype.numpy_dtype.kind in "iu":
            known = array.to_numpy(dtype=dtype.numpy_dtype, na_value=0)
            return beside_missing(known, missing)
        if missing.any():
            return _from_numpy(name, array.to_numpy(dtype=np.float64, na_value=np.nan))
        return _from_numpy(name, array.to_numpy(dtype=dtype.numpy_dtype))
    return _from_numpy(name, array.to_numpy())


def _plain(levels: pd.Index) -> Levels:
    """Levels as plain strings and numbers; intervals, periods and dates by their text."""
    listed = levels.tolist()
    # Asked of each level, this takes as long as a pass over ten rows a level.
    if levels.dtype.kind in "iufb" or PLAIN.issuperset(map(type, listed)):
        return tuple(listed)
    return tuple([v if isinstance(v, str | bool | int | float) else str(v) for v in listed])


def _found(codes: Array, levels: Any) -> Column:
    """A categorical column whose levels were found in the values, in any order."""
    listed = _plain(pd.Index(levels))
    order = sorted(range(len(listed)), key=listed.__getitem__)
    table = np.full(len(listed) + 1, -1, dtype=np.min_scalar_type(-max(1, len(listed))))
    table[order] = np.arange(len(listed))
    return Column("categorical", table.take(codes), tuple(listed[place] for place in order))


def _found_few(texts: list[Any]) -> Column | None:
    """As `_found`, of so few texts that pandas' preparations would cost more than the work.

    None where one is missing.
    """
    found = set(texts)
    if not all(isinstance(text, str) for text in found):
        return None
    levels = tuple(sorted(found))
    place = {level: code for code, level in enumerate(levels)}
    smallest = np.min_scalar_type(-max(1, len(levels)))
    codes = np.fromiter(map(place.__getitem__, texts), smallest, len(texts))
    return Column("categorical", codes, levels)


def _from_objects(name: str, values: Array) -> Column:
    """An object array, by what its items are."""
    first = next((item for item in values[:100] if item is not None), None)
    if isinstance(first, str):
        # Mostly all are text: told by the levels, of which there are fewer than rows.
        codes, levels = pd.factorize(values)
        if all(isinstance(level, str) for level in levels):
            return _found(codes, levels)
    found = pd.api.types.infer_dtype(values, skipna=True)
    if found == "string":
        return _found(*pd.factorize(values))
    missing = pd.isna(values)
    if found == "boolean":
        codes = np.full(len(values), -1, dtype=np.int8)
        codes[~missing] = values[~missing].astype(np.int8)
        return _boolean(codes)
    if found in ("datetime64", "datetime", "date", "timedelta64", "timedelta"):
        delta = found.startswith("timedelta")
        times = pd.to_timedelta(values) if delta else pd.to_datetime(values, utc=True)
        return Column("datetime", times.to_numpy(dtype="m8[us]" if delta else "M8[us]"))
    if found in ("period", "interval"):
        return _from_extension(name, pd.Categorical(values, ordered=True))
    if found == "bytes":
        values = values.copy()
        try:
            values[~missing] = [item.decode() for item in values[~missing]]
        except UnicodeDecodeError:
            _refuse(name, "holds bytes that are no text in UTF-8")
        return _from_objects(name, values)
    if found not in ("integer", "floating", "mixed-integer-float", "decimal", "empty"):
        _check_numbers(name, values, missing)
    result = np.full(len(values), np.nan)
    try:
        if found == "integer":
            return from_objects(values, missing)
        result[~missing] = values[~missing].astype(np.float64)
    except OverflowError:
        _refuse_huge(name, values, missing)
    return Column("numeric", result)


def _refuse_huge(name: str, values: Array, missing: Array) -> NoReturn:
    for row in np.flatnonzero(~missing):
        try:
            float(values[row])
        except OverflowError:
            _refuse(name, f"holds a number beyond 1.8e308 in row {row} (counted from 0)")
    _refuse(name, "holds numbers beyond 1.8e308")


def _check_numbers(name: str, values: Array, missing: Array) -> None:
    """Refuse objects that are not all real numbers, with one of each sort and its row."""
    examples: dict[bool, tuple[int, Any]] = {}
    for row in np.flatnonzero(~missing):
        item = values[row]
        good = isinstance(item, numbers.Number) and not isinstance(item, bool | np.bool_)
        examples.setdefault(good and not isinstance(item, complex), (int(row), item))
        if len(examples) == 2:
            break
    if False in examples:
        verb = "mixes" if len(examples) == 2 else "holds"
        shown = " and ".join(
            f"{item!r} ({type(item).__name__}, row {row})"
            for row, item in sorted(examples.values(), key=lambda pair: pair[0])
        )
        _refuse(name, f"{verb} {shown}")


def _from_polars(name: str, values: Any) -> Column:
    """A polars Series, by its dtype; polars itself is never imported."""
    dtype = str(getattr(values, "dtype", "no column"))
    if dtype == "no column" or "128" in dtype:
        _refuse(name, f"is a polars {type(values).__name__} of type {dtype}")
    if dtype == "String":
        return _found(*pd.factorize(values.to_numpy()))
    if dtype.startswith(("Int", "UInt")) and values.null_count():
        return beside_missing(values.fill_null(0).to_numpy(), values.is_null().to_numpy())
    if not dtype.startswith(("Categorical", "Enum")):
        return _from_numpy(name, values.to_numpy())
    codes, physical = pd.factorize(values.to_physical().to_numpy())
    present = values.unique().drop_nulls()
    names = dict(zip(present.to_physical().to_list(), present.to_list(), strict=True))
    found = _found(codes, [names[int(code)] for code in physical])
    if not dtype.startswith("Enum"):
        return found
    levels = tuple(values.dtype.categories.to_list())
    return Column("categorical", recode(found, levels, name), levels, ordered=True, declared=True)


def _from_arrow(name: str, values: Any) -> Column:
    """A pyarrow Array or ChunkedArray, by its type; pyarrow itself is never imported."""
    dtype = str(getattr(values, "type", "no column"))
    if dtype == "no column" or not hasattr(values, "to_numpy"):
        _refuse(name, f"is a pyarrow {type(values).__name__}")
    is_text = dtype in ("string", "large_string", "string_view")
    if is_text:
        values = values.dictionary_encode()
    elif not dtype.startswith("dictionary"):
        how = {} if hasattr(values, "chunks") else {"zero_copy_only": False}
        if dtype.startswith(("int", "uint")) and values.null_count:
            known, missing = values.fill_null(0), values.is_null()
            return beside_missing(known.to_numpy(**how), missing.to_numpy(**how))
        return _from_numpy(name, values.to_numpy(**how))
    if hasattr(values, "chunks"):
        # numpy conversion of chunks with different dictionaries mixes their codes up
        values = values.unify_dictionaries().combine_chunks()
    # Codes may be unsigned, which have no room for -1.
    codes = values.indices.cast("int32").fill_null(-1).to_numpy(zero_copy_only=False)
    levels = values.dictionary.to_pylist()
    if is_text:
        return _found(codes, levels)
    kept = [level for level in levels if level is not None]
    is_level = np.array([*(level is not None for level in levels), False])
    table = np.where(is_level, np.cumsum(is_level) - 1, -1)
    categories = pd.Categorical.from_codes(table.take(codes), kept, ordered=values.type.ordered)
    return _from_extension(name, categories)


def categorise(name: str, values: Any) -> Column:
    """Make a categorical column of any column: what ``C(...)`` does to numbers and dates.

    Parameters
    ----------
    name : str
        The column's or expression's name, for errors.
    values : array_like
        Anything `coerce` takes.

    Returns
    -------
    Column
        Categorical; the levels of numbers and dates are their sorted distinct values, dates
        as text.

    Examples
    --------
    >>> column = categorise("x", [20, 10, 20])
    >>> column.levels, column.values.tolist()
    ((10, 20), [1, 0, 1])
    """
    column = coerce(name, values)
    if column.kind == "categorical":
        return column
    codes, found = _distinct(name, column)
    order = np.argsort(found)
    sorted_levels = found[order]
    times = column.kind == "datetime"
    levels = _plain(pd.Index(sorted_levels)) if times else tuple(sorted_levels.tolist())
    table = np.full(len(levels) + 1, -1, dtype=np.min_scalar_type(-max(1, len(levels))))
    table[order] = np.arange(len(levels))
    return Column("categorical", table.take(codes), levels)


def _distinct(name: str, column: Column) -> tuple[Array, Array]:
    """Distinct numbers or times, and which of them each row has, -1 where missing."""
    if column.whole is not None:
        known = ~np.isnan(column.values)
        codes = np.full(len(known), -1)
        codes[known], found = pd.factorize(column.whole[known])
        return codes, found
    if column.values.dtype.kind != "f":
        return pd.factorize(column.values)
    values = column.values.astype(np.float64)
    refuse_merged(name, values)
    return pd.factorize(values)


def recode(column: Column, levels: Levels, name: str, first_row: int = 0) -> Array:
    """Write a categorical column as codes into given levels.

    Parameters
    ----------
    column : Column
        A strip; numbers and dates are made categorical by `categorise`.
    levels : tuple
        The levels the model knows, in its order.
    name : str
        The column's name, for the error.
    first_row : int, default 0
        Row number of the strip's first row, for the error.

    Returns
    -------
    ndarray of shape (n,)
        Codes, -1 where missing, in the smallest signed integers that hold `levels`.

    Raises
    ------
    DataError
        Of kind ``unseen_level`` when a row has a level that is not in `levels`.

    Examples
    --------
    >>> recode(coerce("s", ["b", "a"]), ("a", "c", "b"), "s").tolist()
    [2, 0]
    """
    if column.levels is None:
        column = categorise(name, column)
    own = column.levels or ()
    if own == levels:
        return column.values
    place = {level: code for code, level in enumerate(levels)}
    smallest = np.min_scalar_type(-max(2, len(levels)))
    table = np.array([*(place.get(level, -2) for level in own), -1], dtype=smallest)
    codes: Array = table.take(column.values)
    rows = np.flatnonzero(codes == -2)
    if rows.size:
        unseen = [own[code] for code in np.unique(column.values[rows])]
        where = f"row{'s' if rows.size > 1 else ''} (counted from 0) {some(rows + first_row)}"
        raise DataError(
            f"{name!r} has levels that the model has not seen: {some(map(repr, unseen))}, in "
            f"{where}.{nearest_level(unseen[0], levels)} Known levels: "
            f"{some(map(repr, levels), 20)}.",
            kind="unseen_level",
        )
    return codes


def union_levels(
    parts: Sequence[Levels], *, declared: bool = False, name: str = "a factor"
) -> Levels:
    """Merge the levels found in several strips.

    Parameters
    ----------
    parts : sequence of tuples
        The levels of each strip.
    declared : bool, default False
        True when the data type gives their order: it is kept, and new levels follow in the
        order they are first seen. Otherwise the union is sorted.
    name : str
        The column's name, for the error.

    Returns
    -------
    tuple

    Raises
    ------
    DataError
        If strips disagree about the order, or hold levels that cannot be sorted together.

    Examples
    --------
    >>> union_levels([("a", "c"), ("b",)])
    ('a', 'b', 'c')
    >>> union_levels([("low", "high"), ("low", "high", "top")], declared=True)
    ('low', 'high', 'top')
    """
    merged = dict.fromkeys(level for part in parts for level in part)
    if not declared:
        try:
            return tuple(sorted(merged))
        except TypeError:
            kinds = {type(level).__name__ for level in merged}
            _refuse(name, f"mixes levels of different types: {some(sorted(kinds))}")
    place = {level: number for number, level in enumerate(merged)}
    for part in parts:
        places = [place[level] for level in part]
        if places != sorted(places):
            raise DataError(
                f"Parts of column {name!r} order its levels differently: {some(parts[0])} and "
                f"{some(part)}. Give every part the same categories.",
                kind="level_order",
            )
    return tuple(merged)
