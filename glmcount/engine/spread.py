"""Small problems: the design of one strip spread out once, so that a pass is a few products.

Of a hundred rows a pass costs what its calls cost, not its arithmetic. Up to a fixed number of
entries, less than one micro-block holds, the columns are therefore laid side by side once and
kept; larger designs stay in blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import numpy as np

from glmcount.engine.layout import Layout
from glmcount.engine.reach import Bound
from glmcount.engine.strip import Strip
from glmcount.engine.sums import Sums, noise, wobble
from glmcount.families.base import Curvature, Family
from glmcount.numerics import EPS, Array
from glmcount.numerics.jets import Jet
from glmcount.records import dataclass

__all__ = ["Small", "spread_out", "suits"]

ENTRIES = 32_768
COLUMNS = 32


@dataclass(frozen=True)
class Small:
    """The shifted columns of one strip: all of it but the response.

    Parameters
    ----------
    strip : Strip
        Rows of these columns, weights and offsets; the response may be another's.
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

    @cached_property
    def memo(self) -> dict[str, Any]:
        """What fits have derived from the columns, to be used again."""
        return {}

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
        etas = []
        for k, own in enumerate(self.slices):
            offset = self.strip.offsets[k]
            eta = theta[own] if self.plain[k] else np.dot(theta[own], self.columns[k])
            etas.append(eta if offset is None else eta + offset)
        return tuple(etas)

    def sums(self, family: Family, y: Array, theta: Array, second: bool, expected: bool) -> Sums:
        """One pass of the likelihood of a response; overflow is the caller's to silence."""
        if len(self.slices) > 1:
            return self._several(family, y, theta, second, expected)
        columns, offset, weights = self.columns[0], self.strip.offsets[0], self.strip.weights
        eta = theta if self.plain[0] else theta.dot(columns)
        etas = (eta if offset is None else eta + offset,)
        jet = family.terms(y, etas)
        value = jet.value if weights is None else jet.value * weights
        llf = float(np.add.reduce(value))
        first, curve = jet.d1[0], None
        if second and expected and family.expected:
            curve = family.expected(etas)[0][0]
        if second and curve is None and (found := jet.d2[0][0]) is not None:
            curve = -found
        if weights is not None or first is None or len(first) < self.strip.n:
            first, curve = self._row(first), self._row(curve)
        score = np.zeros(len(columns)) if first is None else columns.dot(first)
        if curve is None:
            information = np.zeros((len(columns), len(columns)))
        else:
            information = (columns * curve).dot(columns.T)
        rounding = partial(_rounding, (len(columns), first, curve)) if second else None
        return _summed(llf, score, information, rounding)

    def _several(
        self, family: Family, y: Array, theta: Array, second: bool, expected: bool
    ) -> Sums:
        """The pass of a family of several equations."""
        weights = self.strip.weights
        etas = self.predictors(theta)
        jet = family.terms(y, etas)
        value = jet.value if weights is None else jet.value * weights
        llf = float(np.add.reduce(value))
        first = [self._row(entry) for entry in jet.d1]
        curves: list[list[Array | None]] = []
        if second:
            mixed = family.expected(etas) if expected and family.expected else None
            curves = self._curves(jet, mixed)
        score, information = self._products(first, curves)
        sizes = [own.stop - own.start for own in self.slices]
        own = [row[0] for row in curves]
        rounding = partial(_rounding, *zip(sizes, first, own, strict=True)) if second else None
        return _summed(llf, score, information, rounding)

    def _curves(self, jet: Jet, mixed: Curvature | None) -> list[list[Array | None]]:
        """Negative second derivatives or expected ones, row by row; entries k >= j."""
        out = []
        for j, entries in enumerate(jet.d2):
            own = []
            for k in range(j, len(entries)):
                entry = None if mixed is None else mixed[j][k]
                if entry is None and (found := entries[k]) is not None:
                    entry = -found
                own.append(self._row(entry))
            out.append(own)
        return out

    def _products(
        self, first: list[Array | None], curves: list[list[Array | None]]
    ) -> tuple[Array, Array]:
        size = self.slices[-1].stop
        score, information = np.zeros(size), np.zeros((size, size))
        for j, own in enumerate(self.slices):
            slope = first[j]
            if slope is not None:
                score[own] = np.dot(self.columns[j], slope)
            for k, curve in enumerate(curves[j] if curves else (), j):
                if curve is not None:
                    part = np.dot(self.columns[j] * curve, self.columns[k].T)
                    other = self.slices[k]
                    information[own, other] = part
                    if k > j:
                        information[other, own] = part.T
        return score, information

    def _row(self, entry: Array | None) -> Array | None:
        """One number a row, weighted."""
        if entry is None:
            return None
        if self.strip.weights is not None:
            return entry * self.strip.weights
        n = self.strip.n
        return entry if entry.shape == (n,) else np.broadcast_to(entry, (n,))


def _rounding(*equations: tuple[int, Array | None, Array | None]) -> tuple[float, float]:
    """Rounding floor of the decrement, from each equation's columns, slopes and curvatures.

    And what rounding makes of the log-likelihood.
    """
    told = [(size, *noise(slope, curve)) for size, slope, curve in equations]
    floor = EPS * math.sqrt(sum([size * total for size, total, _ in told]))
    return floor, wobble(sum([slopes for _, _, slopes in told]))


def _summed(
    llf: float,
    score: Array,
    information: Array,
    rounding: Callable[[], tuple[float, float]] | None,
) -> Sums:
    llf = llf if _fine(llf, score, information) else -math.inf
    if rounding is None:
        return Sums(llf, score, information, 0.0)
    return Sums(llf, score, information, lambda: rounding()[0], wobble=lambda: rounding()[1])


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
    return Small(strip, layout, layout.slices, _columns(layout, strip), plain, layout.bound)


def _columns(layout: Layout, strip: Strip) -> tuple[Array, ...]:
    """The shifted columns of each equation, (p, n)."""
    out = np.ones((layout.size, strip.n))
    for block, rows, table in zip(layout.blocks, strip.blocks, layout.tables, strict=True):
        coded = None if table is None or rows.codes is None else table[rows.codes].T
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
