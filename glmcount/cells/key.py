"""What tells rows apart in the eyes of a model, as one number for each row.

Codes of factors and whole numbers of a small range are digits of that number. Other columns
are told apart by their bits: the key is then a hash, with the columns beside it to compare.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.columns.whole import EXACT
from glmcount.design.measure import Measured
from glmcount.design.rows import Rows
from glmcount.engine.layout import Layout
from glmcount.engine.strip import Strip
from glmcount.records import dataclass

__all__ = ["Field", "Key", "Unsuited", "fields_of", "hashed"]

WIDEST = 2**62
RANGE = 2**16
ODD = (0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0x8CB92BA72F3D8DD7)
HALF = np.uint64(32)

Keys = NDArray[Any]
Words = list[NDArray[Any]]


class Unsuited(Exception):
    """A key does not hold the rows: numbers that are not whole, or two kinds with one hash."""


@dataclass(frozen=True)
class Field:
    """One column that rows of a cell share.

    Parameters
    ----------
    read : callable
        The column of a strip.
    low, levels : float, int
        Its values are low, low + 1, ..., `levels` of them; 0 for any other column, which is
        compared bit by bit.
    """

    read: Callable[[Strip], NDArray[Any] | None]
    low: float = 0.0
    levels: int = 0


def fields_of(
    rows: Rows, layout: Layout, measured: Measured, offsets: bool, response: bool
) -> tuple[Field, ...]:
    """Columns of the design that tell rows apart, with the offsets and the response if asked.

    A factor within an interaction is told by it, and a product by its factors.
    """
    found = _coded(rows, layout)
    if any(any(block.numeric) for block in layout.blocks):
        found += _numeric(rows, measured)
    if offsets:
        q = len(rows.spec.equations)
        found += [Field(lambda strip, k=k: strip.offsets[k]) for k in range(q)]  # type: ignore[misc]
    if response:
        top = measured.sums.largest
        levels = int(top) + 1 if measured.whole and top < RANGE else 0
        found.append(Field(lambda strip: strip.y[0], 0.0, levels))
        more = range(1, 1 + len(rows.spec.beside))
        found += [Field(lambda strip, k=k: strip.y[k]) for k in more]  # type: ignore[misc]
    return tuple(found)


def _coded(rows: Rows, layout: Layout) -> list[Field]:
    sets: dict[frozenset[str], int] = {}
    for i, _, part in rows.spec.places():
        if part.table is not None:
            sets.setdefault(frozenset(part.categorical), i)
    out = []
    for own, i in sets.items():
        table = layout.blocks[i].table
        if table is not None and not any(own < other for other in sets):
            out.append(Field(lambda strip, i=i: strip.blocks[i].codes, 0.0, table.levels))  # type: ignore[misc]
    return out


def _numeric(rows: Rows, measured: Measured) -> list[Field]:
    spec = rows.spec
    seen: dict[tuple[str, ...], tuple[int, int]] = {}
    for i, first, part in spec.places():
        if part.numeric:
            seen.setdefault(part.numeric, (i, first))
    out = []
    for names, (i, first) in seen.items():
        if len(names) > 1 and all((name,) in seen for name in names):
            continue
        width = int(np.prod([spec.variables[name].width for name in names], dtype=int))
        for j in range(first, first + width):
            low, high = measured.columns[i][1:3, j]
            # Beyond 2^53 the ends are rounded, and the digits would not begin at 0.
            exact = max(abs(low), abs(high)) < EXACT
            whole = exact and low == np.floor(low) and high == np.floor(high)
            levels = int(high - low) + 1 if whole and high - low < RANGE else 0
            out.append(Field(lambda strip, i=i, j=j: strip.blocks[i].rows[j], float(low), levels))  # type: ignore[misc]
    return out


@dataclass(frozen=True)
class Key:
    """What rows of a cell share, as one number for each row.

    Parameters
    ----------
    fields : tuple of Field
    salt : int
        Which multiplier hashes take.
    """

    fields: tuple[Field, ...]
    salt: int = 0

    @property
    def space(self) -> int:
        """How many keys there can be; 0 where keys are hashes."""
        total = 1
        for each in self.fields:
            total *= each.levels
        return total if total < WIDEST else 0

    def of(self, strip: Strip, rows: NDArray[np.intp] | None = None) -> tuple[Keys, Words]:
        """Keys of the rows of a strip, and the columns to compare beside them.

        Raises
        ------
        Unsuited
            If a column holds other numbers than its field says.
        """
        space = self.space
        kind = np.int32 if 0 < space < 2**31 else np.int64
        words: Words = []
        joint, size = None, 1
        for each in self.fields:
            values = each.read(strip)
            if values is None:
                continue
            values = values if rows is None else values[rows]
            if not each.levels:
                # Adding zero makes one of the two zeros that there are.
                words.append(np.add(values, 0.0, dtype=np.float64).view(np.int64))
                continue
            digits = _digits(values, each, kind)
            if joint is None or size * each.levels >= WIDEST:
                words += [] if joint is None else [joint]
                joint, size = digits, each.levels
            else:
                joint *= kind(each.levels)
                joint += digits
                size *= each.levels
        n = strip.n if rows is None else len(rows)
        joint = np.zeros(n, dtype=kind) if joint is None else joint
        if space:
            return joint, []
        words.append(joint)
        return hashed(words, self.salt), words


def _digits(values: NDArray[Any], each: Field, kind: type[Any]) -> Keys:
    if values.dtype.kind == "f":
        if not np.array_equal(values, np.floor(values)):
            raise Unsuited
        values = np.subtract(values, each.low, dtype=np.float64)
        return values.astype(kind)
    found = values.astype(kind)
    if each.low:
        # Modulo the type's range both may lie outside of it; the difference does not.
        found -= np.int64(each.low).astype(kind)
    return found


def hashed(words: Words, salt: int) -> Keys:
    """One number of 64 bits for several; of a single word none is lost."""
    odd = np.uint64(ODD[salt])
    total = np.zeros(len(words[0]), dtype=np.uint64)
    for word in words:
        total ^= word.astype(np.int64, copy=False).view(np.uint64)
        total *= odd
        total ^= total >> HALF
    return total
