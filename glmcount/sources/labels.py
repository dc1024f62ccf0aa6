"""Rows by their labels: what carries an index is paired by it, never by position alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from glmcount.errors import DataError

__all__ = ["paired"]


def paired(pieces: Mapping[str, Any]) -> tuple[dict[str, Any], pd.Index | None]:
    """Pieces of one table with their rows in the order of the first that has labels.

    Parameters
    ----------
    pieces : mapping
        Arrays, Series and DataFrames by name; what has no index is taken by position.

    Returns
    -------
    (mapping, Index or None)
        The pieces, and the labels of their rows.

    Raises
    ------
    DataError
        If two indices of the same length have not the same labels, each once.

    Examples
    --------
    >>> import pandas as pd
    >>> y, x = pd.Series([1, 2], ["a", "b"]), pd.Series([20, 10], ["b", "a"])
    >>> paired({"y": y, "x": x})[0]["x"].tolist()
    [10, 20]
    """
    out, index, whose = dict(pieces), None, ""
    for name, piece in pieces.items():
        if not isinstance(piece, pd.Series | pd.DataFrame):
            continue
        if index is None:
            index, whose = piece.index, name
        elif piece.index is not index and len(piece) == len(index):
            out[name] = _ordered(name, piece, whose, index)
    return out, index


def _ordered(name: str, piece: Any, whose: str, index: pd.Index) -> Any:
    if piece.index.equals(index):
        return piece
    if index.is_unique and piece.index.is_unique:
        places = piece.index.get_indexer(index)
        if (places >= 0).all():
            return piece.iloc[places]
    place = int(np.argmax(np.asarray(piece.index != index)))
    raise DataError(
        f"{name} and {whose} have different indices: at row {place} (counted from 0) {name} has "
        f"the label {piece.index[place]!r}, {whose} {index[place]!r}, and the labels are not the "
        "same in another order. Give both the same index, or pass .to_numpy() of them to use "
        "positions.",
        kind="index_mismatch",
    )
