"""Roles: columns that tell rows apart or order them, carried beside the weights.

A covariance names them. They are no part of a formula and no row is left out for them: a used row
that has no value is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.columns.coerce import coerce
from glmcount.columns.column import Column, Levels, Values
from glmcount.design.spec import Plan, Role
from glmcount.errors import DataError, UnknownColumnError, near, some
from glmcount.sources.base import Columns, Given, Source

__all__ = ["learn_roles", "role_values"]

Where = NDArray[np.intp] | None


def learn_roles(
    source: Source, plan: Plan, groups: Sequence[str], order: Sequence[str], threads: int | None
) -> tuple[Role, ...]:
    """Go over the used rows for the levels of groups, in the order in which they appear.

    Raises
    ------
    UnknownColumnError
        If there is no such column.
    DataError
        If a used row has no value, or times that are neither numbers nor dates.
    """
    # In brackets are arrays that were given beside the data.
    own = [name for name in source.names if not name.startswith("<")]
    for name in (*groups, *order):
        if name not in own and name not in source.beside:
            raise UnknownColumnError(
                f"The covariance reads the column {name!r}, and the data have none of that name."
                f"{near(name, own)} It takes one of the columns: {some(own, 20)}."
            )
    found: dict[str, Values] = {}
    if groups:
        names = tuple(dict.fromkeys(groups))
        found = source.fold(names, partial(_levels, plan, names), _joined, threads)
    return (
        *(Role(name, "group", found[name]) for name in groups),
        *(Role(name, "order") for name in order),
    )


def _levels(
    plan: Plan, names: Sequence[str], number: int, first: int, raw: Columns
) -> dict[str, Values]:
    out = {}
    for name in names:
        column = _column(name, raw[name])
        where = plan.where(number, len(column))
        _refuse_missing(name, column, where, first)
        out[name] = _distinct(column, where)
    return out


def _joined(total: dict[str, Values], part: dict[str, Values]) -> dict[str, Values]:
    return {name: _unique(np.concatenate([total[name], part[name]])) for name in total}


def _unique(values: Values) -> Values:
    found: Values = pd.unique(values)
    return found


def _column(name: str, values: Given) -> Column:
    return values if isinstance(values, Column) else coerce(name, values)


def _distinct(column: Column, where: Where) -> Values:
    """Values of the used rows, each once, by first appearance."""
    values = column.values if column.whole is None else column.whole
    seen = _unique(values if where is None else values[where])
    return seen if column.levels is None else _objects(column.levels)[seen]


def _objects(levels: Levels) -> Values:
    out = np.empty(len(levels), dtype=object)
    out[:] = levels
    return out


def _refuse_missing(name: str, column: Column, where: Where, first: int) -> None:
    missing = column.missing_mask()
    if missing is None:
        return
    rows = np.flatnonzero(missing if where is None else missing[where])
    if len(rows):
        told = (rows if where is None else where[rows]) + first
        raise DataError(
            f"The covariance reads {name!r}, which is missing in {len(rows)} rows that the fit "
            f"uses: rows (counted from 0) {some(told)}. Give them a value, or leave these rows "
            "out of the data.",
            kind="missing_role",
        )


def role_values(
    roles: Sequence[Role], columns: Columns, where: Where, first: int
) -> tuple[Values, ...]:
    """For each role the codes, or times, of the used rows of a strip.

    Raises
    ------
    DataError
        If a used row has no value, or one that no row had before.
    """
    out = []
    for role in roles:
        column = _column(role.name, columns[role.name])
        _refuse_missing(role.name, column, where, first)
        found = _times(role.name, column) if role.levels is None else _codes(role, column, first)
        out.append(found if where is None else found[where])
    return tuple(out)


def _codes(role: Role, column: Column, first: int) -> Values:
    """Codes of a strip's rows; those of values that no used row had are -1."""
    values = column.values if column.whole is None else column.whole
    if column.levels is None:
        return role.codes(values)
    own = role.codes(_objects(column.levels))
    # A code of -1 takes the last: missing values are of rows that are not used.
    return np.append(own, -1)[values]


def _times(name: str, column: Column) -> Values:
    if column.kind == "categorical":
        raise DataError(
            f"{name!r} orders the rows, and holds levels such as {some(column.levels or (), 3)}. "
            "Give times as numbers or dates.",
            kind="order_type",
        )
    if column.kind == "datetime":
        if column.values.dtype.kind == "M":
            return column.values.astype("M8[ns]")
        return column.values.astype("m8[ns]").view(np.int64)
    return column.values if column.whole is None else column.whole
