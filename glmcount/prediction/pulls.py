"""Numbers of rows with how they move with the parameters, for the delta method.

A number h of a row has the derivative sum_j u_j x_ij over the equations j, x_ij the row's columns;
a slope, which is made of derivatives z_ij of the columns too, sum_j (u_j x_ij + v_j z_ij). The
factors u and v come from the jet of what is predicted, so that no matrix of rows and parameters is
made but that of some rows at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from glmcount.design.slopes import Motion, Move
from glmcount.engine.block import Block
from glmcount.engine.layout import Layout
from glmcount.engine.spread import columns_of
from glmcount.engine.strip import Strip
from glmcount.families.base import Family
from glmcount.fitting.run import Fit
from glmcount.numerics import Array
from glmcount.numerics.jets import ONE, Jet, plus, product
from glmcount.prediction.estimable import ROUNDING, SPREAD, Reach, settled
from glmcount.prediction.quantities import Quantity
from glmcount.records import dataclass

__all__ = ["Level", "Pull", "gradients", "level", "slope", "span", "sums"]

Bits = NDArray[np.bool_]
Entry = Array | None


@dataclass(frozen=True)
class Pull:
    """A number of each row, and how it moves with the parameters.

    Parameters
    ----------
    value : ndarray, shape (n,)
    factors : tuple of ndarray of shape (n,) or None, one each equation
        Of the columns of the rows.
    lost, limit : ndarray of bool, shape (n,)
        Rows without an estimate, and rows in which it is a limit without a standard error.
    moved : tuple of Move
        Derivatives of columns that have a part in it.
    by : tuple of ndarray of shape (n,) or None, one each equation
        Factors of these.
    """

    value: Array
    factors: tuple[Entry, ...]
    lost: Bits
    limit: Bits
    moved: tuple[Move, ...] = ()
    by: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Level:
    """A quantity in some rows, as jet and as numbers."""

    jet: Jet
    value: Array
    lost: Bits
    limit: Bits

    def pull(self) -> Pull:
        """The quantity itself."""
        return Pull(self.value, self.jet.d1, self.lost, self.limit)


def level(chosen: Quantity, family: Family, reach: Reach, at: float | None, n: int) -> Level:
    """A quantity over n rows."""
    jet, value, beyond, lost = settled(lambda e: chosen.jet(family, e, at or 0.0), reach, n)
    limit = np.zeros(n, dtype=bool)
    if beyond is not None:
        way = reach.ways[0]
        if chosen.name == "linear" and way is not None:
            value = np.where(beyond, np.copysign(np.inf, way), value)
        # A probability of 0 or 1 is so without doubt; of other limits nothing is known.
        endless = np.isinf(value) | ((value == 0.0) & (chosen.scale == "log"))
        limit = beyond & endless
    return Level(jet, value, lost, limit)


def span(moves: Motion, first: int, last: int) -> Motion:
    """How some of the rows move."""
    cut = slice(first, last)
    columns = [
        Move(
            m.block,
            m.place,
            None if m.codes is None else m.codes[cut],
            m.row if m.row.size == 1 else m.row[cut],
        )
        for m in moves.columns
    ]
    offsets = tuple(o if o is None or o.size == 1 else o[cut] for o in moves.offsets)
    return Motion(tuple(columns), offsets, moves.exact)


def _along(
    layout: Layout,
    moved: Sequence[Move],
    theta: Array,
    equation: int,
    entries: Callable[[Block, Array], Array] = Block.beta,
) -> Entry:
    """How a predictor moves, by its columns."""
    total: Entry = None
    for move in moved:
        block = layout.blocks[move.block]
        if block.equation != equation:
            continue
        own = entries(block, theta)[..., move.place] * _scale(layout, move)
        if move.codes is not None:
            own = own[move.codes]
        total = plus(total, np.atleast_1d(own * move.row))
    return total


def _scale(layout: Layout, move: Move) -> float:
    scale = layout.blocks[move.block].scale
    return 1.0 if scale is None else float(scale[move.place])


def slope(fit: Fit, base: Level, moves: Motion, x: Array, kind: str) -> Pull:
    """The derivative of a quantity by a column x, or an elasticity.

    Of a quantity Q of predictors that move by m_k it is s = sum_k Q_k m_k, whose derivative by
    the parameters is sum_j (sum_k Q_jk m_k) x_j + Q_j z_j. ``"eyex"`` is s x / Q, ``"eydx"``
    s / Q and ``"dyex"`` s x.
    """
    layout, jet, n = fit.layout, base.jet, len(base.value)
    speeds = [
        plus(_along(layout, moves.columns, fit.settled, k), moves.offsets[k])
        for k in range(layout.q)
    ]
    value: Entry = None
    for k, speed in enumerate(speeds):
        value = plus(value, product(jet.d1[k], speed))
    factors: list[Entry] = []
    for j in range(layout.q):
        own: Entry = None
        for k, speed in enumerate(speeds):
            own = plus(own, product(jet.d2[j][k], speed))
        factors.append(own)
    own_value = np.zeros(n) if value is None else np.broadcast_to(value, (n,))
    lost = base.lost | _leaves(fit, jet, moves, n)
    by: tuple[Entry, ...] = jet.d1
    limit = base.limit & ~_moving(jet, n)
    if kind in ("eyex", "eydx"):
        times = (x if kind == "eyex" else ONE) / base.value
        bent = -own_value * times / base.value
        factors = [
            plus(product(f, times), product(d, bent)) for f, d in zip(factors, jet.d1, strict=True)
        ]
        by = tuple(product(d, times) for d in jet.d1)
        own_value = own_value * times
    elif kind == "dyex":
        factors, by = [product(f, x) for f in factors], tuple(product(d, x) for d in jet.d1)
        own_value = own_value * x
    return Pull(own_value, tuple(factors), lost, limit, moves.columns, by)


def _moving(jet: Jet, n: int) -> Bits:
    """Rows whose quantity moves with some predictor."""
    out = np.zeros(n, dtype=bool)
    for d in jet.d1:
        if d is not None:
            out |= d != 0.0
    return out


def _leaves(fit: Fit, jet: Jet, moves: Motion, n: int) -> Bits:
    """Rows that a column moves out of what the data tell of, or along a way to infinity."""
    out = np.zeros(n, dtype=bool)
    ways: list[tuple[Layout, Array, Array, float]] = []
    for one in fit.dependences:
        way = one.null(fit.layout.sizes)
        slack = ROUNDING + SPREAD * one.residual
        ways.append((fit.layout, way, np.abs(way) + _usual(fit.layout, way), slack))
    far = fit.falling
    if far is not None and far.null is not None:
        cleaned = [_clean(far.layout, way) for way in far.null.T]
        ways += [(far.layout, way, way, ROUNDING) for way in cleaned]
    for layout, way, terms, slack in ways:
        for k, d in enumerate(jet.d1):
            moved = None if d is None else _along(layout, moves.columns, way, k)
            if d is not None and moved is not None:
                size = _size(layout, moves.columns, terms, k)
                out |= (np.abs(moved) > slack * size) & (d != 0.0)
    return out


def _clean(layout: Layout, way: Array) -> Array:
    """A way without entries that move no row by more than rounding."""
    moved = np.abs(way) * layout.sizes
    return np.where(moved > ROUNDING * moved.max(initial=0.0), way, 0.0)


def _usual(layout: Layout, way: Array) -> Array:
    """Entries by which each column would move a row as far as a way's largest entry does.

    Entries that ought to be zero have the rounding of such ones.
    """
    sizes = layout.sizes
    most = float(np.max(np.abs(way) * sizes, initial=0.0))
    return np.divide(most, sizes, out=np.zeros(len(sizes)), where=sizes > 0.0)


def _size(layout: Layout, moved: Sequence[Move], terms: Array, equation: int) -> Array:
    absolute = [Move(m.block, m.place, m.codes, np.abs(m.row)) for m in moved]
    found = _along(layout, absolute, terms, equation, Block.sizes)
    assert found is not None
    return found


def sums(
    layout: Layout,
    strip: Strip,
    pulls: Sequence[Pull],
    weights: Array | None,
    groups: Sequence[NDArray[np.intp] | None],
) -> list[tuple[Array, Array]]:
    """For each group of rows the weighted sums of numbers, (K,), and of derivatives, (K, p)."""
    columns = columns_of(layout, strip)
    values = np.stack([np.broadcast_to(p.value, (strip.n,)) for p in pulls])
    if weights is not None:
        values = values * weights
    weighed = [_stacked(pulls, k, weights, strip.n) for k in range(layout.q)]
    out = []
    for rows in groups:
        chosen: slice | NDArray[np.intp] = slice(None) if rows is None else rows
        gradient = np.zeros((len(pulls), layout.size))
        for own, part, found in zip(layout.slices, columns, weighed, strict=True):
            if found is not None:
                which, factors = found
                gradient[which, own] = np.dot(factors[:, chosen], part[:, chosen].T)
        for number, pull in enumerate(pulls):
            for move in pull.moved:
                _add_moved(layout, move, pull, weights, chosen, gradient[number])
        out.append((values[:, chosen].sum(axis=1), gradient))
    return out


def _stacked(
    pulls: Sequence[Pull], equation: int, weights: Array | None, n: int
) -> tuple[NDArray[np.intp], Array] | None:
    """The weighted factors of an equation, and which numbers have them."""
    which = [i for i, p in enumerate(pulls) if p.factors[equation] is not None]
    if not which:
        return None
    out = np.empty((len(which), n))
    by = ONE if weights is None else weights
    for row, i in zip(out, which, strict=True):
        np.multiply(np.asarray(pulls[i].factors[equation]), by, out=row)
    return np.asarray(which, dtype=np.intp), out


def _add_moved(
    layout: Layout,
    move: Move,
    pull: Pull,
    weights: Array | None,
    rows: slice | NDArray[np.intp],
    out: Array,
) -> None:
    """Add the weighted sum of what a column's derivative has a part in."""
    block = layout.blocks[move.block]
    factor = pull.by[block.equation]
    if factor is None:
        return
    n = len(pull.value)
    total = np.broadcast_to(factor * move.row, (n,))
    total = (total if weights is None else total * weights)[rows]
    where = block.positions[move.place :: block.v]
    table = layout.tables[move.block]
    if table is None or move.codes is None:
        out[where] += total.sum() * _scale(layout, move)
        return
    levels = np.bincount(move.codes[rows], total, minlength=len(table))
    out[where] += np.dot(levels, table) * _scale(layout, move)


def gradients(layout: Layout, strip: Strip, pull: Pull) -> Array:
    """The derivatives of a number of each row by the parameters, (p, n)."""
    out = np.zeros((layout.size, strip.n))
    for own, part, factor in zip(
        layout.slices, columns_of(layout, strip), pull.factors, strict=True
    ):
        if factor is not None:
            np.multiply(part, factor, out=out[own])
    for move in pull.moved:
        block, table = layout.blocks[move.block], layout.tables[move.block]
        factor = pull.by[block.equation]
        if factor is None:
            continue
        by = factor * move.row * _scale(layout, move)
        where = block.positions[move.place :: block.v]
        coded = table is not None and move.codes is not None
        out[where] += table[move.codes].T * by if coded and table is not None else by
    return out
