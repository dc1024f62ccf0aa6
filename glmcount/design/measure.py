"""One pass that measures encoded columns: means to shift by, sizes, sums of the response."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from glmcount.design.blocks import Block, BlockRows, Layout, Strip
from glmcount.design.encode import Encoder
from glmcount.errors import NonfiniteDesignError, some
from glmcount.families.base import Family, StartSums
from glmcount.numerics import Array

__all__ = ["Measured", "check_finite", "measure"]

LARGE = 1e50


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
    columns : tuple of ndarray (4, v) by block
        Sum, smallest, largest and first value of each numeric column.
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


def measure(encoder: Encoder, layout: Layout, family: Family) -> tuple[Measured, Layout]:
    """Measure all used rows; the layout comes back with shifts and sizes.

    Raises
    ------
    NonfiniteDesignError
        If an expression made NaN or infinity in a used row.
    """
    measured = encoder.fold(lambda strip: _measure(encoder, strip, family), _fold)
    blocks = tuple(
        _sized(block, measured.columns[i], measured.n, layout.constants[block.equation])
        for i, block in enumerate(layout.blocks)
    )
    return measured, replace(layout, blocks=blocks)


def _start_sums(strip: Strip) -> StartSums:
    y, w, offset = strip.y[0], strip.weights, strip.offsets[0]
    logs = np.zeros(1) if offset is None else offset
    if w is not None:
        logs = logs + np.log(w)
    elif offset is None:
        logs = np.full(1, np.log(strip.n)) if strip.n else np.full(1, -np.inf)
    weigh = _weigher(w)
    return StartSums(
        weight=float(strip.n) if w is None else float(w.sum()),
        response=weigh(y),
        square=weigh(y * y),
        log_exposure=float(logsumexp(logs)) if strip.n else -np.inf,
        offset=0.0 if offset is None else weigh(offset),
        zero=weigh((y == 0).astype(np.float64)),
        smallest=float(y.min(initial=np.inf, where=y > 0)),
        largest=float(y.max(initial=0.0)),
    )


def _weigher(w: Array | None) -> Callable[[Array], float]:
    return (lambda v: float(v.sum())) if w is None else (lambda v: float(np.dot(v, w)))


def _measure(encoder: Encoder, strip: Strip, family: Family) -> Measured:
    y = strip.y[0]
    w = strip.weights
    offset = strip.offsets[0]
    check_finite(encoder, strip)
    weigh = _weigher(w)
    negative = y.min(initial=0.0) < 0
    fractional = np.flatnonzero(y != np.floor(y))
    low, high = family.support
    outside = np.flatnonzero((y < low) | (y > high))
    return Measured(
        n=strip.n,
        sums=_start_sums(strip),
        outside=tuple(_rows(strip, outside[:6])),
        weight_square=float(strip.n) if w is None else float(np.dot(w, w)),
        whole=not len(fractional),
        whole_weights=w is None or bool(np.array_equal(w, np.floor(w))),
        negative=tuple(_rows(strip, np.flatnonzero(y < 0))[:6]) if negative else (),
        fraction=int(_rows(strip, fractional[:1])[0]) if len(fractional) else None,
        constant=weigh(family.constant(np.abs(strip.y))) if strip.n else 0.0,
        columns=tuple(_extent(rows) for rows in strip.blocks),
        offset_span=(0.0, 0.0)
        if offset is None
        else (float(offset.min(initial=np.inf)), float(offset.max(initial=-np.inf))),
    )


def _rows(strip: Strip, used: NDArray[np.intp]) -> list[int]:
    rows = used if strip.where is None else strip.where[used]
    return [int(row) + strip.first for row in rows]


def _extent(rows: BlockRows) -> Array:
    out = np.zeros((4, len(rows.rows)))
    for k, row in enumerate(rows.rows):
        if row is None:
            out[:, k] = 0.0
        elif len(row):
            out[:, k] = (row.sum(dtype=np.float64), row.min(), row.max(), row[0])
        else:
            out[:, k] = (0.0, np.inf, -np.inf, 0.0)
    return out


def check_finite(encoder: Encoder, strip: Strip) -> None:
    """Refuse NaN and infinity made by an expression; only a bad sum is looked into."""
    spec = encoder.spec
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.isfinite(strip.y.sum()):
            _refuse(spec.response, strip, strip.y[0])
        i = 0
        for equation, offset in zip(spec.equations, strip.offsets, strict=True):
            if offset is not None and not np.isfinite(offset.sum()):
                _refuse(
                    " + ".join((*equation.offsets, *filter(None, [spec.exposure]))), strip, offset
                )
            names = [n for p in equation.parts if p.table is None for n in p.names]
            coded = [p for p in equation.parts if p.table is not None]
            labels = ([names] if names else []) + [list(p.numeric) or [p.term] for p in coded]
            for label in labels:
                for k, row in enumerate(strip.blocks[i].rows):
                    if row is not None and row.dtype.kind == "f" and not np.isfinite(row.sum()):
                        _refuse(label[min(k, len(label) - 1)], strip, row)
                i += 1


def _refuse(what: str, strip: Strip, values: Array) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if not len(bad):
        return
    raise NonfiniteDesignError(
        f"{what} is NaN or infinite in {len(bad)} rows whose data are there: rows (counted "
        f"from 0) {some(_rows(strip, bad))} give {some(values[bad])}. Such rows are not missing "
        "data and are not dropped. Correct them, or choose an expression that is defined "
        "for them (log1p(x) for log(x) with zeros)."
    )


def _sized(block: Block, extent: Array, n: int, constant: Array | None) -> Block:
    total, low, high, _ = extent
    ones = (low == 0) & (high == 0) & (total == 0)
    shift = np.zeros(block.v)
    if block.table is None and constant is not None and n:
        shift = np.where(low == high, low, total / n)
    size = np.where(ones, 1.0, np.maximum(np.abs(high - shift), np.abs(low - shift)))
    scale = _scale(size)
    return replace(block, shift=shift, size=size if scale is None else size * scale, scale=scale)


def _scale(size: Array) -> Array | None:
    """Powers of two for columns whose squares, summed and weighted, might overflow."""
    far = (size > LARGE) | ((size < 1.0 / LARGE) & (size > 0))
    if not far.any():
        return None
    return np.where(far, np.exp2(-np.round(np.log2(np.where(size > 0, size, 1.0)))), 1.0)


def _fold(total: Measured, part: Measured) -> Measured:
    a, b = total.sums, part.sums
    columns = tuple(
        np.stack([x[0] + y[0], np.minimum(x[1], y[1]), np.maximum(x[2], y[2]), x[3]])
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
            min(a.smallest, b.smallest),
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
