"""One pass that measures encoded columns: means to shift by, sizes, sums of the response."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from glmcount.columns.column import extent_of
from glmcount.design.exact import check_exact
from glmcount.design.rows import Rows
from glmcount.design.spec import DesignSpec
from glmcount.design.values import OF_NEGATIVE, OF_OFFSET, OF_RESPONSE, OF_TERM
from glmcount.engine.block import Block, BlockRows
from glmcount.engine.layout import Layout
from glmcount.engine.strip import Strip
from glmcount.errors import NonfiniteDesignError, some
from glmcount.families.base import Family, StartSums
from glmcount.numerics import Array
from glmcount.records import dataclass, replace

__all__ = ["Measured", "check_finite", "check_response", "measure", "remeasure"]

LARGE = 1e50
# Counts up to which a table of them is made, where it is shorter than the rows or short.
SMALL, SHORT = 4_096, 256

# Rows named in a message: of one strip, so that how many there are in all is not known.
SHOWN = 5


@dataclass(frozen=True)
class Measured:
    """What the rows are like, before any fit.

    Parameters
    ----------
    n : int
        Used rows.
    sums : StartSums
    weight_square : float
        Sum of w^2.
    whole, whole_weights : bool
        Whether response and weights are whole numbers.
    negative : tuple of int
        First rows with a negative response.
    outside : tuple of int
        First rows with a count that the family cannot have.
    fraction : int or None
        First row with a response that is not whole.
    constant : float
        Sum of w c(y), the part of the log-likelihood that depends on y only.
    columns : tuple of ndarray (3, v) by block
        Sum, smallest and largest value of each numeric column.
    offset_span : float
        Largest minus smallest offset of the mean.
    """

    n: int
    sums: StartSums
    weight_square: float
    whole: bool
    whole_weights: bool
    negative: tuple[int, ...]
    outside: tuple[int, ...]
    fraction: int | None
    constant: float
    columns: tuple[Array, ...]
    offset_span: tuple[float, float]


def measure(rows: Rows, layout: Layout, family: Family) -> tuple[Measured, Layout]:
    """Measure all used rows; the layout comes back with shifts and sizes.

    Raises
    ------
    NonfiniteDesignError
        If an expression made NaN or infinity in a used row.
    """
    known = _known(rows, layout)
    measured = rows.fold(partial(_measure, rows.spec, family, known), _fold)
    if known is not None:
        both = zip(measured.columns, known, strict=True)
        columns = tuple([np.where(np.isnan(k), found, k) for found, k in both])
        measured = replace(measured, columns=columns)
    check_exact(rows, measured.columns)
    blocks = tuple(
        _sized(block, measured.columns[i], measured.n, layout.constants[block.equation])
        for i, block in enumerate(layout.blocks)
    )
    # Without numeric columns nothing is shifted: what was derived of the layout stays.
    if all(new is old for new, old in zip(blocks, layout.blocks, strict=True)):
        return measured, layout
    return measured, layout.sized(blocks)


def remeasure(rows: Rows, known: Measured, family: Family) -> Measured:
    """Measure a new response over rows of which all else is known.

    Raises
    ------
    NonfiniteDesignError
        If the response is NaN or infinite in a used row.
    """

    def look(strip: Strip) -> Measured:
        found = _table_of_counts(strip, family)
        if found is None:
            check_response(rows.spec, strip)
        return _with_response(known, strip, family, found)

    return rows.fold(look, partial(_fold_response, known))


def _known(rows: Rows, layout: Layout) -> list[Array] | None:
    """What learning the design has told of each block's numeric columns; NaN of the others."""
    if not rows.plan.extents:
        return None
    known = [np.full((3, block.v), np.nan) for block in layout.blocks]
    for i, first, part in rows.spec.places():
        if len(part.numeric) == 1 and part.numeric[0] in rows.plan.extents:
            known[i][:, first] = rows.plan.extents[part.numeric[0]]
    return known


def _measure(
    spec: DesignSpec, family: Family, known: Sequence[Array] | None, strip: Strip
) -> Measured:
    w, offset = strip.weights, strip.offsets[0]
    counted = _table_of_counts(strip, family)
    with np.errstate(over="ignore", invalid="ignore"):
        columns = tuple(
            [
                _extent(rows, None if known is None else known[i])
                for i, rows in enumerate(strip.blocks)
            ]
        )
        totals = [] if counted else [strip.y.sum()]
        totals += [o.sum() for o in strip.offsets if o is not None]
        for extent in columns:
            totals += extent[0].tolist()
    if not all(map(math.isfinite, totals)):
        check_finite(spec, strip)
    weight = float(strip.n) if w is None else float(w.sum())
    beside = Measured(
        n=strip.n,
        sums=StartSums(
            weight=weight,
            response=0.0,
            square=0.0,
            log_exposure=_log_exposure(strip, weight),
            offset=0.0 if offset is None else _weigher(w)(offset),
        ),
        outside=(),
        weight_square=float(strip.n) if w is None else float(np.dot(w, w)),
        whole=True,
        whole_weights=w is None or bool(np.array_equal(w, np.floor(w))),
        negative=(),
        fraction=None,
        constant=0.0,
        columns=columns,
        offset_span=(0.0, 0.0)
        if offset is None
        else (float(offset.min(initial=np.inf)), float(offset.max(initial=-np.inf))),
    )
    return _with_response(beside, strip, family, counted)


def _with_response(
    beside: Measured, strip: Strip, family: Family, counted: _Response | None
) -> Measured:
    """What is known of rows, with what a strip's response tells."""
    found = counted or _rows_of_response(strip, family)
    low, high = found.smallest, found.largest
    outside = low < family.support[0] or high > family.support[1]
    sums = StartSums(
        beside.sums.weight,
        found.total,
        found.square,
        beside.sums.log_exposure,
        beside.sums.offset,
        found.zero,
        max(high, 0.0),
    )
    return Measured(
        beside.n,
        sums,
        beside.weight_square,
        found.whole,
        beside.whole_weights,
        _beyond(strip, 0.0, np.inf) if low < 0 else (),
        _beyond(strip, *family.support) if outside else (),
        None if found.whole else _first_fraction(strip),
        found.constant,
        beside.columns,
        beside.offset_span,
    )


def _fold_response(known: Measured, total: Measured, part: Measured) -> Measured:
    """The fold of strips that tell of the response alone."""
    every, sums = _fold(total, part), known.sums
    return replace(
        every,
        n=known.n,
        sums=replace(
            every.sums, weight=sums.weight, log_exposure=sums.log_exposure, offset=sums.offset
        ),
        weight_square=known.weight_square,
        whole_weights=known.whole_weights,
        columns=known.columns,
        offset_span=known.offset_span,
    )


@dataclass(frozen=True)
class _Response:
    """Weighted sums of a strip's response, of its square, its zeros and its constant part."""

    total: float
    square: float
    zero: float
    constant: float
    smallest: float
    largest: float
    whole: bool


def _table_of_counts(strip: Strip, family: Family) -> _Response | None:
    """From how often each count occurs; None where the response is more than small counts."""
    y = strip.y[0]
    low, high = _ends(y)
    if (
        not strip.n
        or len(strip.y) > 1
        or not (low >= 0 and high <= max(SHORT, min(SMALL, strip.n)))
    ):
        return None
    counts = y.astype(np.intp)
    if np.count_nonzero(counts != y):
        return None
    times = np.bincount(counts, strip.weights)
    total, square, constant = _of_counts(family.constant, len(times)).dot(times).tolist()
    return _Response(
        total,
        square,
        float(times[0]),
        constant,
        low,
        high,
        True,
    )


@lru_cache(maxsize=32)
def _of_counts(constant: Callable[[Array], Array], size: int) -> Array:
    """Counts 0, 1, ..., their squares and constant parts, (3, size)."""
    values = np.arange(size, dtype=np.float64)
    return np.stack([values, values * values, constant(values[None])])


def _ends(y: Array) -> tuple[float, float]:
    """Smallest and largest value, NaN where there is one; of no rows (inf, -inf)."""
    # To look for the place and then there takes a third of the time of a reduction.
    return (y.item(y.argmin()), y.item(y.argmax())) if len(y) else (np.inf, -np.inf)


def _rows_of_response(strip: Strip, family: Family) -> _Response:
    y, weigh = strip.y[0], _weigher(strip.weights)
    # Of counts beyond 1e154 the squares are infinite, and so is what a start makes of them.
    with np.errstate(over="ignore"):
        squares = y * y
    return _Response(
        total=weigh(y),
        square=weigh(squares),
        zero=weigh((y == 0).astype(np.float64)),
        constant=weigh(family.constant(np.abs(strip.y))) if strip.n else 0.0,
        smallest=float(y.min(initial=np.inf)),
        largest=float(y.max(initial=-np.inf)),
        whole=bool(np.array_equal(y, np.floor(y))),
    )


def _log_exposure(strip: Strip, weight: float) -> float:
    """log sum w exp(offset)."""
    offset, w = strip.offsets[0], strip.weights
    if offset is None or not strip.n:
        return float(np.log(weight)) if weight > 0 else -np.inf
    top = float(offset.max())
    return top + float(np.log(_weigher(w)(np.exp(offset - top))))


def _weigher(w: Array | None) -> Callable[[Array], float]:
    return (lambda v: float(v.sum())) if w is None else (lambda v: float(np.dot(v, w)))


def _beyond(strip: Strip, low: float, high: float) -> tuple[int, ...]:
    """The first rows whose response is below or above."""
    y = strip.y[0]
    return tuple(_rows(strip, np.flatnonzero((y < low) | (y > high))[:6]))


def _first_fraction(strip: Strip) -> int:
    y = strip.y[0]
    return int(_rows(strip, np.flatnonzero(y != np.floor(y))[:1])[0])


def _rows(strip: Strip, used: NDArray[np.intp]) -> list[int]:
    rows = used if strip.where is None else strip.where[used]
    return [int(row) + strip.first for row in rows]


def _extent(rows: BlockRows, known: Array | None) -> Array:
    out = np.zeros((3, len(rows.rows)))
    for k, row in enumerate(rows.rows):
        if row is None or (known is not None and not math.isnan(known[0, k])):
            continue
        out[:, k] = extent_of(row)
    return out


def check_finite(spec: DesignSpec, strip: Strip) -> None:
    """Refuse NaN and infinity made by an expression; only a bad sum is looked into."""
    check_response(spec, strip)
    with np.errstate(over="ignore", invalid="ignore"):
        i = 0
        for equation, offset in zip(spec.equations, strip.offsets, strict=True):
            if offset is not None and not np.isfinite(offset.sum()):
                own = " + ".join((*equation.offsets, *filter(None, [spec.exposure])))
                _refuse(own, strip, offset, OF_OFFSET)
            names = [n for p in equation.parts if p.table is None for n in p.names]
            coded = [p for p in equation.parts if p.table is not None]
            labels = ([names] if names else []) + [list(p.numeric) or [p.term] for p in coded]
            for label in labels:
                for k, row in enumerate(strip.blocks[i].rows):
                    if row is not None and row.dtype.kind == "f" and not np.isfinite(row.sum()):
                        _refuse(label[min(k, len(label) - 1)], strip, row)
                i += 1


def check_response(spec: DesignSpec, strip: Strip) -> None:
    """Refuse NaN and infinity in the response."""
    if not all(map(math.isfinite, _ends(strip.y[0]))):
        _refuse(spec.response, strip, strip.y[0], OF_RESPONSE)


def _refuse(what: str, strip: Strip, values: Array, advice: str = "") -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if not len(bad):
        return
    advice = advice or (OF_NEGATIVE if np.isnan(values[bad]).any() else OF_TERM)
    more = " and more" if len(bad) > SHOWN else ""
    raise NonfiniteDesignError(
        f"{what} is NaN or infinite in rows whose data are there: rows (counted from 0) "
        f"{some(_rows(strip, bad[:SHOWN]))}{more} give {some(values[bad[:SHOWN]])}. Such rows are "
        f"not missing data and are not dropped. {advice}"
    )


def _sized(block: Block, extent: Array, n: int, constant: Array | None) -> Block:
    if not any(block.numeric) or not extent.any():
        return block
    total, low, high = extent
    ones = (low == 0) & (high == 0) & (total == 0)
    shift = np.zeros(block.v)
    if block.table is None and constant is not None and n:
        shift = np.where(low == high, low, total / n)
    size = np.where(ones, 1.0, np.maximum(np.abs(high - shift), np.abs(low - shift)))
    # Squares of such columns, summed and weighted, might overflow.
    far = (size > LARGE) | ((size < 1.0 / LARGE) & (size > 0))
    if not far.any():
        return replace(block, shift=shift, size=size)
    powers = np.exp2(-np.round(np.log2(np.where(size > 0, size, 1.0))))
    scale = np.where(far, powers, 1.0)
    return replace(block, shift=shift, size=size * scale, scale=scale)


def _fold(total: Measured, part: Measured) -> Measured:
    a, b = total.sums, part.sums
    columns = tuple(
        np.stack([x[0] + y[0], np.minimum(x[1], y[1]), np.maximum(x[2], y[2])])
        for x, y in zip(total.columns, part.columns, strict=True)
    )
    return Measured(
        n=total.n + part.n,
        sums=StartSums(
            a.weight + b.weight,
            a.response + b.response,
            a.square + b.square,
            float(np.logaddexp(a.log_exposure, b.log_exposure)),
            a.offset + b.offset,
            a.zero + b.zero,
            max(a.largest, b.largest),
        ),
        weight_square=total.weight_square + part.weight_square,
        whole=total.whole and part.whole,
        whole_weights=total.whole_weights and part.whole_weights,
        negative=(total.negative + part.negative)[:6],
        outside=(total.outside + part.outside)[:6],
        fraction=part.fraction if total.fraction is None else total.fraction,
        constant=total.constant + part.constant,
        columns=columns,
        offset_span=(
            min(total.offset_span[0], part.offset_span[0]),
            max(total.offset_span[1], part.offset_span[1]),
        ),
    )
