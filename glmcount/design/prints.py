"""Prints of rows: marks of all that a design makes of them, by which they are known again.

The marks of the columns of a table tell whether they were edited, and depend on how the table
holds them. Prints are of encoded rows: the same rows from a frame, from arrays or from a file
have the same. What is encoded may differ by rounding from one machine to the next, so that a print
is the sum of the values' logarithms, with their signs, each times an irregular number of its place:
beside values however large a small one shows that differs by more than rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from glmcount.columns.column import Values
from glmcount.design.given import plain_name
from glmcount.design.marks import places
from glmcount.design.rows import Rows
from glmcount.design.spec import DesignSpec
from glmcount.engine.strip import Strip
from glmcount.errors import DataChangedError, some
from glmcount.numerics import EPS

__all__ = ["Prints", "check_prints", "prints_of", "read_beside"]

# So many roundings of a sum of its terms are no change.
ROUNDING = 64.0
# What stands behind the name of a column that a covariance reads.
GROUPED = ", by which the covariance groups rows,"
ORDERED = ", by which the covariance orders rows,"


class Print(NamedTuple):
    """The sum of one run of a column, and what rounding may make of it."""

    total: float
    rounding: float


Prints = tuple[dict[str, Print], ...]


def _print(values: Values) -> Print:
    numbers = values.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        flat = np.nan_to_num(np.copysign(np.log1p(np.abs(numbers)), numbers), nan=math.pi)
    n = len(flat)
    own = 1.0 + (places(1 << max(n - 1, 1).bit_length())[:n] >> np.uint64(11)) * 2.0**-53
    size = float(np.abs(flat).sum()) + math.sqrt(n)
    return Print(float((flat * own).sum()), ROUNDING * EPS * size)


def _differing(prints: dict[str, Print], columns: dict[str, Values]) -> str | None:
    """The first column that is not as it was."""
    for name, known in prints.items():
        if abs(_print(columns[name]).total - known.total) > known.rounding:
            return name
    return None


def prints_of(rows: Rows) -> Prints:
    """Of all strips, in order."""

    def look(strip: Strip) -> Prints:
        return ({name: _print(values) for name, values in _columns(rows.spec, strip)},)

    return rows.fold(look, lambda a, b: a + b)


def read_beside(rows: Rows, prints: Prints) -> Rows:
    """The rows with the columns that a covariance which came after the fit reads beside them.

    Raises
    ------
    UnknownColumnError, DataError
        If there is no such column, or a used row has no value in it.
    """
    names = dict.fromkeys(name for marks in prints for name in marks if not name.startswith("<"))
    groups = [name.removesuffix(GROUPED) for name in names if name.endswith(GROUPED)]
    order = [name.removesuffix(ORDERED) for name in names if name.endswith(ORDERED)]
    return rows.with_roles(groups, order)


def check_prints(rows: Rows, prints: Prints) -> None:
    """Refuse rows that are not those.

    Arrays that a covariance was given may be missing: these stay in their process.

    Raises
    ------
    DataChangedError
    """
    if rows.source.n_strips != len(prints):
        raise _others(f"they have {rows.source.n_rows:,} rows, which is another number")

    def look(strip: Strip) -> str:
        marks, columns = prints[strip.number], dict(_columns(rows.spec, strip))
        marks = {k: own for k, own in marks.items() if k in columns or not k.startswith("<")}
        name = "number of rows" if marks.keys() != columns.keys() else _differing(marks, columns)
        if name is None:
            return ""
        first, last = rows.source.span(strip.number)
        return f"{plain_name(name)} is not what it was in the rows {first} to {last - 1}"

    told = rows.fold(look, lambda a, b: a or b)
    if told:
        raise _others(told)


def _others(why: str) -> DataChangedError:
    return DataChangedError(
        f"The data are not those that were fitted: {why}. with_data takes the data of the fit, "
        "all rows in their order; r.refit(data=...) fits others, and r.predict(newdata) predicts "
        "for them."
    )


def _columns(spec: DesignSpec, strip: Strip) -> Iterator[tuple[str, Values]]:
    """All that the engine sees of a strip, each by what it is called; what is shared once."""
    yield "the number of rows used", np.array([float(strip.n), float(strip.first)])
    if strip.where is not None:
        yield "which rows are used", strip.where
    for k, row in enumerate(strip.y):
        yield f"the response {spec.response}" if k == 0 else spec.beside[k - 1], row
    if strip.weights is not None:
        yield "the weights", strip.weights
    for k, offset in enumerate(strip.offsets):
        if offset is not None:
            yield f"the offset of equation {k + 1}", offset
    terms: dict[int, list[str]] = {}
    for block, _, part in spec.places():
        terms.setdefault(block, []).append(part.term)
    seen: set[int] = set()
    for i, own in enumerate(strip.blocks):
        for k, values in enumerate((own.codes, *own.rows)):
            if values is not None and id(values) not in seen:
                seen.add(id(values))
                yield f"{some(dict.fromkeys(terms[i]), 3)} ({i + 1}.{k})", values
    for role, values in zip(spec.roles, strip.roles, strict=True):
        array, told = role.name.startswith("<"), GROUPED if role.what == "group" else ORDERED
        yield role.name if array else f"{role.name}{told}", values
