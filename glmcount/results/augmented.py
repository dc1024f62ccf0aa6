"""A user's table with what a fit says of each of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from glmcount.allowed import shown
from glmcount.errors import DataError, UsageError, some
from glmcount.fits import attached
from glmcount.fitted import Fitted
from glmcount.sources.labels import paired

__all__ = ["augmented"]


def augmented(state: Fitted, columns: pd.DataFrame, data: Any) -> pd.DataFrame:
    """The table that was fitted with further columns, NaN in rows that were left out.

    Parameters
    ----------
    state : Fitted
    columns : DataFrame, (rows used, k)
        In the order of the rows used.
    data : DataFrame, dict or other table
        All rows of the data; one with an index may have them in another order.

    Raises
    ------
    UsageError, DataError
        If that is no table, or has other rows, or has columns of these names.
    DataChangedError
        If its values are not those that were fitted.
    """
    table = _as_frame(data)
    count = state.rows.source.n_rows
    if len(table) != count:
        raise UsageError(
            f"augment(data=) takes the table that was fitted, with all of its {count:,} rows; this "
            f"one has {len(table):,}. For new rows use r.predict(newdata).",
            kind="augment",
        )
    names = [f".{name}" for name in columns]
    taken = [name for name in names if name in table.columns]
    if taken:
        raise DataError(
            f"The table has {some(map(repr, taken))} already: take data.drop(columns=...).",
            kind="augment",
        )
    labels = state.at_hand.index
    ordered = table
    if isinstance(data, pd.DataFrame) and labels is not None:
        fitted = pd.DataFrame(index=labels)
        ordered = paired({"the fitted data": fitted, "data": table})[0]["data"]
    _check_values(state, ordered)
    out = np.full((count, len(names)), np.nan)
    out[state.used_rows()] = columns.to_numpy(dtype=np.float64)
    found = pd.concat([ordered, pd.DataFrame(out, ordered.index, names)], axis=1)
    return found if ordered.index.equals(table.index) else found.loc[table.index]


def _as_frame(data: Any) -> pd.DataFrame:
    if isinstance(data, pd.DataFrame):
        return data
    columns = None
    if isinstance(data, Mapping):
        columns = dict(data)
    elif hasattr(data, "get_column") and hasattr(data, "to_dict"):
        columns = data.to_dict(as_series=False)
    elif hasattr(data, "column_names") and hasattr(data, "to_pandas"):
        columns = data.to_pandas()
    try:
        if columns is not None:
            return pd.DataFrame(columns)
    except (ValueError, TypeError):
        # Columns of other lengths, or single values.
        pass
    raise UsageError(
        f"augment(data=) takes the table that was fitted, a DataFrame or a dict of columns; got "
        f"{shown(data)}.",
        kind="augment",
    )


def _check_values(state: Fitted, table: pd.DataFrame) -> None:
    """Refuse a table of other values; arrays have no names to look for in one."""
    ready = state.again
    if ready.subject.function != "fit":
        return
    held = {**ready.request.__dict__, **ready.subject.__dict__}
    given = {name: ready.y if name == "y" else held[name] for name in ready.arrays}
    attached(state, {**given, "data": table})
