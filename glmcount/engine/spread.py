"""Small problems: the design of one strip spread out once, so that a pass is a few products.

Of a hundred rows a pass costs what its calls cost, not its arithmetic. Up to a fixed number of
entries, less than one micro-block holds, the columns are therefore laid side by side once and
kept; larger designs stay in blocks.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from glmcount.engine.layout import Layout
from glmcount.engine.reach import Bound
from glmcount.engine.strip import Strip
from glmcount.engine.sums import Sums, noise, wobble
from glmcount.engine.weigh import Unweighed, Weigh, Weighed
from glmcount.numerics import EPS, Array
from glmcount.records import cached_property, dataclass

__all__ = ["Small", "columns_of", "spread_out", "suits"]

ENTRIES = 32_768
COLUMNS = 32


@dataclass(frozen=True)
class Small:
    """The shifted columns of one strip: all of it but the response.

    Parameters
    ----------
    strip : Strip
        Unweighed of these columns, weights and offsets; the response may be another's.
    layout : Layout
    slices : tuple of slice
        Parameters of each equation.
    columns : tuple of ndarray (p, n)
        Of each equation.
    plain : tuple of bool
        Whether an equation is one constant, whose predictor is the same in all rows.
    bound : Bound or None
        None where a block has several numeric columns by level.
    """

    strip: Strip
    layout: Layout
    slices: tuple[slice, ...]
    columns: tuple[Array, ...]
    plain: tuple[bool, ...]
    bound: Bound | None

    def serves(self, strip: Strip, layout: Layout) -> bool:
        """Whether these are the columns, weights and offsets of a strip."""
        own = self.strip
        same = layout is self.layout and strip.blocks is own.blocks
        return same and strip.weights is own.weights and strip.offsets is own.offsets

    def reach(self, theta: Array) -> float:
        """As `Layout.reach`, so that the same steps are final however a design is held."""
        if self.bound is None:
            return self.layout.reach(theta)
        moves = self.bound.matrix.dot(theta)
        parts = np.maximum.reduceat(np.abs(moves, moves), self.bound.blocks)
        if len(self.slices) == 1:
            # A few numbers are added up before numpy has begun.
            return sum(parts.tolist())
        return float(np.add.reduceat(parts, self.bound.equations).max())

    def predictors(self, theta: Array) -> tuple[Array, ...]:
        """All predictors, offsets included; (1,) where the same in all rows."""
        if len(self.slices) == 1:
            (offset,), (columns,) = self.strip.offsets, self.columns
            eta = theta if self.plain[0] else theta.dot(columns)
            return (eta if offset is None else eta + offset,)
        etas = []
        for k, own in enumerate(self.slices):
            offset = self.strip.offsets[k]
            eta = theta[own] if self.plain[k] else np.dot(theta[own], self.columns[k])
            etas.append(eta if offset is None else eta + offset)
        return tuple(etas)

    def sums(self, weigh: Weigh, y: Array, theta: Array) -> Sums:
        """One pass of a weighing function over a response; overflow is the caller's to silence."""
        found = weigh(Unweighed(y, self.strip.weights, self.predictors(theta), None))
        llf = found.scalars.item()
        score, information = self._products(found, (self.strip.n,))
        llf = llf if _fine(llf, score, information) else -math.inf
        return Sums(llf, score, information, partial(self._noise, found))

    def added(self, weigh: Weigh, theta: Array, extra: Array) -> tuple[Array, Array]:
        """What weighing adds up to of rows with something beside them, whatever their response."""
        strip = self.strip
        found = weigh(Unweighed(strip.y, strip.weights, self.predictors(theta), extra))
        return self._products(found, (strip.n,))

    def moves(self, steps: Array) -> Array:
        """What many steps add to each predictor of each row, (equations, steps, n)."""
        out = np.empty((len(self.slices), len(steps), self.strip.n))
        for each, own, columns in zip(out, self.slices, self.columns, strict=True):
            np.dot(steps[:, own], columns, out=each)
        return out

    def many(
        self, weigh: Weigh, y: Array, weights: Array | None, etas: Array
    ) -> tuple[Array, Array, Array]:
        """One pass at many points: log-likelihoods, scores, and informations.

        Parameters
        ----------
        weigh : callable
        y : ndarray, shape (m, points n)
            The response, once for each point.
        weights : ndarray, shape (points n,), or None
        etas : ndarray, shape (equations, points, n)

        Returns
        -------
        tuple of ndarray, shape (points,), (points, p) and (points, p, p)
            -inf and zeros where not all is finite.
        """
        count = etas.shape[1]
        flat = tuple(etas.reshape(len(etas), -1))
        found = weigh(Unweighed(y, weights, flat, None, count))
        llf, (score, information) = found.scalars, self._products(found, etas.shape[1:])
        add = np.add.reduce
        if not math.isfinite(add(llf) + add(score, axis=None) + add(information, axis=None)):
            told = llf + add(score, axis=1) + add(information, axis=(1, 2))
            lost = ~np.isfinite(told)
            score[lost], information[lost] = 0.0, 0.0
            llf = np.where(lost, -np.inf, llf)
        return llf, score, information

    @cached_property
    def pairs(self) -> dict[tuple[int, int], Array]:
        """Products of the columns of equations j and k >= j, (n, p_j p_k)."""
        n, every = self.strip.n, list(enumerate(self.columns))
        return {
            (j, k): (a[:, None, :] * b[None, :, :]).reshape(-1, n).T
            for j, a in every
            for k, b in every[j:]
        }

    def _bend(self, j: int, k: int, curve: Array) -> Array:
        """Sums of x_j x_k' over the rows by their weights, those of one point or of each."""
        left, right = self.columns[j], self.columns[k]
        if curve.ndim == 1:
            return (left * curve).dot(right.T)
        # Of many points products that are formed once pay.
        return curve.dot(self.pairs[j, k]).reshape(len(curve), len(left), len(right))

    def _products(self, found: Weighed, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """Score and information, of one point where the rows have shape (n,), or of each."""
        slices, every, first = self.slices, self.columns, found.first
        if len(slices) == len(shape) == 1 and first[0] is not None:
            (columns,), curve = every, found.second.get((0, 0))
            if curve is not None:
                # Into no larger matrix: of few rows a pass costs what its calls cost.
                turned = columns.T
                score = _laid(first[0], shape).dot(turned)
                return score, (columns * _laid(curve, shape)).dot(turned)
        size, points = slices[-1].stop, shape[:-1]
        score, information = np.zeros((*points, size)), np.zeros((*points, size, size))
        for own, columns, entry in zip(slices, every, first, strict=True):
            if entry is not None:
                score[..., own] = _laid(entry, shape).dot(columns.T)
        for (j, k), entry in found.second.items():
            if entry is not None:
                own, other = slices[j], slices[k]
                part = self._bend(j, k, _laid(entry, shape))
                information[..., own, other] = part
                if k > j:
                    information[..., other, own] = part.swapaxes(-1, -2)
        return score, information

    def _noise(self, found: Weighed) -> tuple[float, float]:
        """Rounding floor of the decrement, and what rounding makes of the log-likelihood."""
        squares = slopes = 0.0
        for j, (own, slope) in enumerate(zip(self.slices, found.first, strict=True)):
            shape, curve = (self.strip.n,), found.second.get((j, j))
            parts = [None if e is None else _laid(e, shape) for e in (slope, curve)]
            total, size = noise(*parts)
            squares += (own.stop - own.start) * total
            slopes += size
        return EPS * math.sqrt(squares), wobble(slopes)


def _laid(entry: Array, shape: tuple[int, ...]) -> Array:
    """One number a row, of each point."""
    if entry.shape == shape:
        return entry
    return np.broadcast_to(entry, shape) if entry.size == 1 else entry.reshape(shape)


def _fine(llf: float, score: Array, information: Array) -> bool:
    """Whether all of it is finite."""
    # A product is cheaper to look at than its parts; only a bad one is looked into.
    told = score.dot(score) + np.vdot(information, information)
    return math.isfinite(llf) and (
        math.isfinite(told) or bool(np.isfinite(score).all() and np.isfinite(information).all())
    )


def suits(n: int, p: int) -> bool:
    """Whether so many rows and parameters are a small problem."""
    return n > 0 and 0 < p <= COLUMNS and p * n <= ENTRIES


def spread_out(strip: Strip, layout: Layout) -> Small:
    """The problem of one strip, its columns side by side."""
    plain = tuple(_plain(layout, strip, k) for k in range(layout.q))
    return Small(strip, layout, layout.slices, columns_of(layout, strip), plain, layout.bound)


def columns_of(layout: Layout, strip: Strip) -> tuple[Array, ...]:
    """The shifted columns of each equation, (p, n)."""
    out = np.empty((layout.size, strip.n))
    for block, rows, table in zip(layout.blocks, strip.blocks, layout.tables, strict=True):
        coded = None if table is None or rows.codes is None else table.take(rows.codes, axis=0).T
        if not any(block.numeric):
            out[block.places] = 1.0 if coded is None else coded
            continue
        for k, position in enumerate(block.positions[: block.v]):
            column = rows.column(k, block)
            if coded is None:
                out[position] = 1.0 if column is None else column
            else:
                out[block.positions[k :: block.v]] = coded if column is None else coded * column
    return tuple([out[own] for own in layout.slices])


def _plain(layout: Layout, strip: Strip, equation: int) -> bool:
    """Whether the equation is a constant alone, without an offset."""
    blocks = layout.of(equation)
    if strip.offsets[equation] is not None or len(blocks) != 1:
        return False
    i, block = blocks[0]
    return block.table is None and block.v == 1 and strip.blocks[i].rows[0] is None
