"""Roles: columns that tell rows apart or order them, carried beside the weights.

A covariance names them. They are no part of a formula. A fit that is asked for such a covariance
leaves out the rows that miss one; once its rows are settled, one without a value is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.columns.coerce import coerce
from glmcount.columns.column import Column, Levels, Values
from glmcount.columns.whole import above, refuse_merged
from glmcount.design.given import given_column, plain_name
from glmcount.design.spec import Plan, Role
from glmcount.errors import (
    DataChangedError,
    DataError,
    NoRowsError,
    UnknownColumnError,
    counted,
    near,
    some,
)
from glmcount.records import dataclass
from glmcount.sources.base import Columns, Given, Source

__all__ = ["learn_roles", "role_values", "with_read"]

Where = NDArray[np.intp] | None
# Whole numbers up to which a flag each is quicker than a search, 4 MB of them.
SPAN = 1 << 22


def learn_roles(
    source: Source, plan: Plan, groups: Sequence[str], order: Sequence[str], threads: int | None
) -> tuple[Role, ...]:
    """Go over the used rows for the levels of groups, among the values that they have.

    Raises
    ------
    UnknownColumnError
        If there is no such column.
    DataError
        If a used row has no value, or times that are neither numbers nor dates.
    """
    _refuse_unknown(source, (*groups, *order))
    found: dict[str, Met] = {}
    if groups:
        names = tuple(dict.fromkeys(groups))
        found = source.fold(names, partial(_levels, plan, names), _joined, threads)
    return (
        *(found[name].role(name) for name in groups),
        *(Role(name, "order") for name in order),
    )


def with_read(source: Source, names: Sequence[str], given: Mapping[str, Given]) -> Source:
    """The source beside the arrays that a covariance was given; all that it reads is there.

    Raises
    ------
    UnknownColumnError
        If there is no such column.
    DataError
        If an array has another length than the data.
    """
    columns: dict[str, Given] = {}
    for name, values in given.items():
        columns |= given_column(source, name.strip("<>"), values)[1]
    source = source.with_columns(columns) if columns else source
    _refuse_unknown(source, names)
    return source


def _refuse_unknown(source: Source, names: Sequence[str]) -> None:
    # In brackets are arrays that were given beside the data.
    own = [name for name in source.names if not name.startswith("<")]
    for name in names:
        if name in own or name in source.beside:
            continue
        if name.startswith("<"):
            raise NoRowsError(
                "The covariance was given an array, which a result from another process or from a "
                "file does not have. Pass it again: r.with_data(data, cov=...) where the fit was "
                "given it, such as cov=glmcount.cluster(array), else r.with_cov(...) after that."
            )
        raise UnknownColumnError(
            f"The covariance reads the column {name!r}, and the data have none of that name."
            f"{near(name, own)} It takes one of the columns: {some(own, 20)}."
        )


@dataclass(frozen=True)
class Met:
    """Values that used rows have: each once, or flags over whole numbers or levels.

    Parameters
    ----------
    values : ndarray, shape (values,), or None
        None where there are flags.
    there : ndarray of bool, shape (flags,), or None
    low : int
        The whole number of the first flag.
    levels : tuple or None
        What flags are of, where not whole numbers.
    """

    values: Values | None
    there: NDArray[np.bool_] | None = None
    low: int = 0
    levels: Levels | None = None

    def each(self) -> Values | Levels:
        """The values, each once."""
        if self.there is None:
            assert self.values is not None
            return self.values
        if self.levels is not None and self.there.all():
            return self.levels
        own = np.flatnonzero(self.there)
        return own + self.low if self.levels is None else _objects(self.levels)[own]

    def role(self, name: str) -> Role:
        """The role of a column of these values."""
        if self.there is None:
            return Role(name, "group", self.values)
        table = np.where(self.there, np.cumsum(self.there, dtype=np.int32) - 1, np.int32(-1))
        return Role(name, "group", self.each(), table, self.low, self.levels)


def _levels(
    plan: Plan, names: Sequence[str], number: int, first: int, raw: Columns
) -> dict[str, Met]:
    out = {}
    for name in names:
        column = _column(name, raw[name])
        where = plan.where(number, len(column))
        _refuse_missing(Role(name, "group"), column, where, first)
        values = _numbers(column)
        if values.dtype.kind == "f":
            subject = f"The covariance, which groups rows by {plain_name(name)!r},"
            refuse_merged(subject, values if where is None else values[where], "")
        out[name] = _met(column, where)
    return out


def _joined(total: dict[str, Met], part: dict[str, Met]) -> dict[str, Met]:
    return {name: _both(total[name], part[name]) for name in total}


def _both(a: Met, b: Met) -> Met:
    if a.there is not None and b.there is not None and _alike(a.levels, b.levels):
        low = min(a.low, b.low)
        high = max(a.low + len(a.there), b.low + len(b.there))
        if high - low <= SPAN:
            there = np.zeros(high - low, dtype=bool)
            for one in (a, b):
                assert one.there is not None
                there[one.low - low : one.low - low + len(one.there)] |= one.there
            return Met(None, there, low, a.levels)
    values = [_objects(own) if isinstance(own, tuple) else own for own in (a.each(), b.each())]
    if any(own.dtype == np.uint64 for own in values):
        # Beside 64 bits with a sign they would become doubles.
        values = [own.astype(np.uint64) for own in values]
    return Met(_unique(np.concatenate(values)))


def _alike(a: Levels | None, b: Levels | None) -> bool:
    # Of many levels a comparison of each takes as long as the rows.
    return a is b or a == b


def _met(column: Column, where: Where) -> Met:
    values = _numbers(column)
    used = values if where is None else values[where]
    low = high = 0
    if column.levels is not None:
        high = len(column.levels) - 1
    elif values.dtype.kind in "iu" and len(used):
        low, high = int(used.min()), int(used.max())
    else:
        return Met(_unique(used))
    if high - low >= SPAN or high > np.iinfo(np.int64).max:
        return Met(_unique(used))
    there = np.zeros(high - low + 1, dtype=bool)
    there[above(used, low).astype(np.intp, copy=False)] = True
    return Met(None, there, low, column.levels)


def _unique(values: Values) -> Values:
    found: Values = pd.unique(values)
    return found


def _numbers(column: Column) -> Values:
    """Numbers that pandas finds again: whole where they are, and it knows none of 16 bits."""
    if column.whole is not None:
        return column.whole
    return column.values.astype(np.float64) if column.values.dtype == "f2" else column.values


def _column(name: str, values: Given) -> Column:
    return values if isinstance(values, Column) else coerce(plain_name(name), values)


def _objects(levels: Levels) -> Values:
    out = np.empty(len(levels), dtype=object)
    out[:] = levels
    return out


def _refuse_missing(role: Role, column: Column, where: Where, first: int) -> None:
    missing = column.missing_mask()
    if missing is None:
        return
    rows = np.flatnonzero(missing if where is None else missing[where])
    if len(rows):
        told = (rows if where is None else where[rows]) + first
        array = role.name.startswith("<")
        name = f"the array {plain_name(role.name)!r}" if array else repr(role.name)
        named = role.what == "group" and not array
        call = f"cov={{'cluster': {name}}}), or" if named else "cov=...), with"
        raise DataError(
            f"The covariance reads {name}, which is missing in {counted(len(rows), 'row')} that "
            f"the fit uses: rows (counted from 0) {some(told)}. r.refit({call} a covariance that "
            "reads it, fits without these rows. Or give them a value.",
            kind="missing_role",
        )


def role_values(
    roles: Sequence[Role], columns: Columns, where: Where, first: int
) -> tuple[Values, ...]:
    """For each role the codes, or times, of the used rows of a strip.

    Raises
    ------
    DataError
        If a used row has no value.
    DataChangedError
        If one has a value that no used row had before.
    """
    out = []
    for role in roles:
        column = _column(role.name, columns[role.name])
        _refuse_missing(role, column, where, first)
        found = _times(role.name, column) if role.levels is None else _codes(role, column, first)
        out.append(found if where is None else found[where])
        if role.levels is not None:
            _refuse_unseen(role, out[-1], where, first)
    return tuple(out)


def _refuse_unseen(role: Role, codes: Values, where: Where, first: int) -> None:
    if codes.min(initial=0) < 0:
        rows = np.flatnonzero(codes < 0)
        told = (rows if where is None else where[rows]) + first
        raise DataChangedError(
            f"The data are not those that were fitted: {plain_name(role.name)!r}, by which the "
            "covariance groups rows, has values that no row of the fit had, in the rows (counted "
            f"from 0) {some(told)}."
        )


def _codes(role: Role, column: Column, first: int) -> Values:
    """Codes of a strip's rows; those of values that no used row had are -1."""
    values = _numbers(column)
    if column.levels is None:
        return role.codes(values)
    own = role.table
    if own is None or not _alike(role.known, column.levels):
        own = role.codes(_objects(column.levels))
    elif values.min(initial=0) >= 0:
        return role.of(values)
    # A code of -1 takes the last: missing values are of rows that are not used.
    return np.append(own, np.int32(-1)).take(values)


def _times(name: str, column: Column) -> Values:
    if column.kind == "categorical":
        raise DataError(
            f"{plain_name(name)!r} orders the rows, and holds levels such as "
            f"{some(column.levels or (), 3)}. Give times as numbers or dates.",
            kind="order_type",
        )
    if column.kind == "datetime":
        if column.values.dtype.kind == "M":
            return column.values
        return column.values.astype("m8[ns]").view(np.int64)
    return _numbers(column)
