"""Rows with some columns at given values, and the others at their mean or most frequent level."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from glmcount.allowed import plain, shown
from glmcount.columns.coerce import nearest_level
from glmcount.columns.column import Column, Levels, Values
from glmcount.design.encode import Piece
from glmcount.design.values import coerced
from glmcount.engine.strip import Strip
from glmcount.errors import (
    DataError,
    MemoryLimitError,
    UnknownColumnError,
    UsageError,
    near,
    some,
)
from glmcount.fitted import Fitted
from glmcount.numerics import Array
from glmcount.numerics.control import Control
from glmcount.prediction.variables import among, coded_levels
from glmcount.records import dataclass, field
from glmcount.sources.base import Columns

__all__ = ["grid"]

# Bytes that one value takes on the way to a frame.
PLACE = 64
# What has one spelling alone.
SPELT = str | int | float


@dataclass
class _Seen:
    """Of columns of numbers the weighted sums, of others the weight of each level."""

    weight: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    levels: dict[str, dict[Any, float]] = field(default_factory=dict)

    def __add__(self, other: _Seen) -> _Seen:
        self.weight += other.weight
        for name, value in other.sums.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        for name, counts in other.levels.items():
            own = self.levels.setdefault(name, {})
            for level, count in counts.items():
                own[level] = own.get(level, 0.0) + count
        return self


def grid(state: Fitted, values: Mapping[str, Any]) -> pd.DataFrame:
    """All combinations of the values, the other columns of the model at mean or mode.

    Raises
    ------
    UnknownColumnError
        For a column that the model does not read.
    DataError
        For a level that it does not have.
    NoRowsError
        Where the rows that were fitted are not at hand.
    MemoryLimitError
        If the combinations take more than `Control.memory_limit`.
    """
    spec = state.rows.spec
    names = spec.columns(spec.predictors)
    for name in values:
        if name not in names:
            raise UnknownColumnError(
                f"The model does not read a column {name!r}.{near(name, names)} It reads: "
                f"{some(names, 20)}."
            )
    given = {name: _listed(name, value) for name, value in values.items()}
    for name, own in given.items():
        _refuse_levels(name, own, coded_levels(spec, name))
    _refuse_beyond(math.prod(map(len, given.values())), len(names), state.options.control)
    seen = _seen(state, tuple(name for name in names if name not in given))
    held = {name: total / seen.weight for name, total in seen.sums.items()}
    held |= {name: max(counts, key=counts.__getitem__) for name, counts in seen.levels.items()}
    combined = list(product(*given.values())) if given else [()]
    table = {name: [row[k] for row in combined] for k, name in enumerate(given)}
    return pd.DataFrame(
        {name: table.get(name, [held.get(name)] * len(combined)) for name in names},
        index=range(len(combined)),
    )


def _refuse_levels(name: str, values: list[Any], levels: Levels | None) -> None:
    """Refuse levels that the model does not have, before anything is predicted at them."""
    # Of dates and intervals predictions know more than one spelling.
    if levels is None or not all(isinstance(level, SPELT) for level in levels):
        return
    given = [plain(value) for value in values]
    odd = [v for v in given if isinstance(v, SPELT) and not (among(v, levels) or pd.isna(v))]
    if odd:
        raise DataError(
            f"{name!r} has no level {shown(odd[0])}.{nearest_level(odd[0], levels)} Levels: "
            f"{some(map(repr, levels))}.",
            kind="unseen_level",
        )


def _refuse_beyond(rows: int, columns: int, control: Control) -> None:
    taken = PLACE * rows * columns
    if taken > control.memory_limit:
        raise MemoryLimitError(
            f"All combinations of these values are {rows:,} rows, which take {taken / 2**30:,.1f} "
            f"GiB; the limit is {control.memory_limit / 2**30:,.1f} GiB. Name fewer values, or "
            "raise control=glmcount.Control(memory_limit=...) of the fit."
        )


def _seen(state: Fitted, names: tuple[str, ...]) -> _Seen:
    """What the fitted rows have in columns; numbers that are coded as levels count as levels."""
    spec = state.rows.spec
    coded = {
        node.name
        for code in spec.predictors
        for node in spec.variables[code].expression.tree.walk()
        if spec.variables[code].levels is not None and node.kind == "column"
    }
    weighed = state.weights_type != "importance"

    def work(strip: Strip, piece: Piece, raw: Columns) -> _Seen:
        w = strip.weights if weighed and strip.weights is not None else np.ones(strip.n)
        out = _Seen(float(w.sum()))
        for name, column in coerced({name: raw[name] for name in names}).items():
            found = column.values if piece.where is None else column.values[piece.where]
            if column.kind == "datetime":
                raise DataError(
                    f"{name!r} holds dates or durations, which have no mean: name values for it, "
                    f"r.grid({name}=[...]).",
                    kind="design_dtype",
                )
            if column.levels is not None or name in coded:
                out.levels[name] = _weight_of_each(column, found, w)
            else:
                out.sums[name] = float(np.dot(found, w))
        return out

    return state.rows.fold_beside(names, work, lambda a, b: a + b)


def _weight_of_each(column: Column, values: Values, weights: Array) -> dict[Any, float]:
    seen, codes = np.unique(values, return_inverse=True)
    labels = seen.tolist()
    if column.levels is not None:
        labels = [column.levels[code] for code in labels]
    counts = np.bincount(codes, weights, minlength=len(seen))
    return dict(zip(labels, counts.tolist(), strict=True))


def _listed(name: str, value: Any) -> list[Any]:
    found = [value] if isinstance(value, str) or np.ndim(value) == 0 else list(value)
    if not found:
        raise UsageError(f"{name}= is an empty list: name a value at least.", kind="grid")
    return found
