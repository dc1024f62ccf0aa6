"""The pass: strips of rows to sums of log-likelihood, score and information, in order.

Inside a strip dense work goes by micro-blocks that stay in the cache, tables of factors by the
whole. Only np.dot is used: matmul keeps the interpreter lock for small results, which would
leave the second thread idle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from glmcount.engine.block import Block, add_linear
from glmcount.engine.gram import gram
from glmcount.engine.layout import Layout
from glmcount.engine.plan import Raw
from glmcount.engine.scatter import plus, scratch
from glmcount.engine.strip import Strip
from glmcount.engine.sums import Sums, noise, wobble
from glmcount.engine.tables import Coding, add_coded, coding_of, table_sums
from glmcount.families.base import Family
from glmcount.numerics import EPS, Array
from glmcount.records import dataclass

__all__ = [
    "Likelihood",
    "Pass",
    "Sums",
    "Unweighed",
    "Weigh",
    "Weighed",
    "add",
    "assemble",
    "few_dense",
    "informed",
    "likelihood_weights",
    "micro_rows",
    "predictors",
    "strip_sums",
    "weighing",
]

# Dense columns up to which a strip with codes is taken whole.
FEW = 8
# Dense columns of equations, by equation: the block's number and its columns in a buffer.
Filled = dict[int, tuple[int, Array]]


class Unweighed(NamedTuple):
    """What a weighing function sees: some rows and their predictors.

    Parameters
    ----------
    y : ndarray, shape (m, n)
    weights : ndarray, shape (n,), or None
    etas : tuple of ndarray, each of shape (n,)
        Or (1,) for a predictor that is the same in all rows.
    extra : ndarray, shape (n,), or None
        A row quantity computed beforehand, such as the leverage.
    points : int
        For how many parameters the rows are there, those of one after those of the other.
    """

    y: Array
    weights: Array | None
    etas: tuple[Array, ...]
    extra: Array | None = None
    points: int = 1


class Weighed(NamedTuple):
    """What to add up: scalars, sum first_j x_j, and sum second_jk x_j x_k'."""

    scalars: Array
    first: tuple[Array | None, ...]
    second: Mapping[tuple[int, int], Array | None]


Weigh = Callable[[Unweighed], Weighed]


def micro_rows(layout: Layout, block_rows: int) -> int:
    """Rows a micro-block: halved while its dense columns exceed 8 MB."""
    rows = block_rows
    while layout.dense_columns * rows * 8 > 8 * 2**20 and rows > 256:
        rows //= 2
    return rows


def few_dense(layout: Layout) -> bool:
    """Whether a pass is mostly look-ups and tables.

    They keep the interpreter lock, and a second thread then costs more than it gains.
    """
    return layout.coded and layout.dense_columns <= FEW


def _start_eta(layout: Layout, strip: Strip, coding: Coding, theta: Array, equation: int) -> Array:
    """Predictor from offsets, factors and constants; dense columns are added by block."""
    offset = strip.offsets[equation]
    coded = any(block.table is not None for _, block in layout.of(equation))
    if offset is None and not coded:
        return np.zeros(1)
    eta = np.zeros(strip.n) if offset is None else np.array(offset, dtype=np.float64)
    add_coded(layout.plan, strip, coding, equation, theta, eta)
    return eta


def _dense(layout: Layout, equation: int) -> tuple[int, bool] | None:
    """The dense block of an equation, and whether it has more than ones."""
    for i, block in layout.of(equation):
        if block.table is None:
            return i, any(block.numeric)
    return None


def predictors(layout: Layout, strip: Strip, theta: Array) -> tuple[Array, ...]:
    """All predictors of a strip, offsets included; (1,) where the same in all rows."""
    etas = []
    coding = coding_of(layout.plan, strip)
    for k in range(layout.q):
        eta = _start_eta(layout, strip, coding, theta, k)
        found = _dense(layout, k)
        if found is not None:
            i, varies = found
            block = layout.blocks[i]
            if varies:
                # A strip of one row has shape (1,) too: add to it, never replace it.
                eta = np.array(np.broadcast_to(eta, (strip.n,)))
                add_linear(block, strip.blocks[i], block.beta(theta), eta)
            else:
                eta = eta + block.beta(theta).sum()
        etas.append(eta)
    return tuple(etas)


def strip_sums(
    layout: Layout,
    strip: Strip,
    theta: Array,
    weigh: Weigh,
    block_rows: int,
    extra: Array | None = None,
) -> Raw:
    """Sums of a strip, by block and by pair of blocks, in the space of levels."""
    # Overshooting steps overflow on purpose: the sums then are not finite, and are halved.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _strip_sums(layout, strip, theta, weigh, block_rows, extra)


def _strip_sums(
    layout: Layout,
    strip: Strip,
    theta: Array,
    weigh: Weigh,
    block_rows: int,
    extra: Array | None,
) -> Raw:
    raw: Raw = {}
    coding = coding_of(layout.plan, strip)
    bases = [_start_eta(layout, strip, coding, theta, k) for k in range(layout.q)]
    dense = {k: _dense(layout, k) for k in range(layout.q)}
    kept: list[tuple[int, Weighed]] = []
    step = micro_rows(layout, block_rows)
    if few_dense(layout):
        step = max(strip.n, 1)
    for first in range(0, max(strip.n, 1), step):
        last = min(first + step, strip.n)
        filled, etas = _gather(layout, strip, theta, (first, last), bases, dense)
        weighed = weigh(
            Unweighed(
                strip.y[:, first:last],
                None if strip.weights is None else strip.weights[first:last],
                etas,
                None if extra is None else extra[first:last],
            )
        )
        add(raw, {("s",): weighed.scalars})
        if coding.own:
            kept.append((last - first, _full(weighed, last - first)))
        if coding.own and step >= strip.n:
            raw |= _table_sums(layout, strip, coding, filled, kept)
        _dense_sums(raw, weighed, filled, last - first)
    if coding.own and step < strip.n:
        raw |= _table_sums(layout, strip, coding, {}, kept)
    return raw


def _gather(
    layout: Layout,
    strip: Strip,
    theta: Array,
    span: tuple[int, int],
    bases: list[Array],
    dense: dict[int, tuple[int, bool] | None],
) -> tuple[Filled, tuple[Array, ...]]:
    """Dense columns of a micro-block in buffers, and its predictors."""
    first, last = span
    filled: Filled = {}
    etas = []
    for k, base in enumerate(bases):
        eta = base if base.shape == (1,) else base[first:last]
        found = dense[k]
        if found is not None:
            i, varies = found
            block = layout.blocks[i]
            beta = block.beta(theta)
            buffer = scratch(("dense", k), (block.v, last - first))
            strip.blocks[i].fill(buffer, block, first, last)
            eta = eta + (np.dot(beta, buffer) if varies else beta.sum())
            filled[k] = (i, buffer)
        etas.append(eta)
    return filled, tuple(etas)


def _stretched(values: Array | None, n: int) -> Array | None:
    if values is None or values.shape == (n,):
        return values
    return np.ascontiguousarray(np.broadcast_to(values, (n,)))


def _full(weighed: Weighed, n: int) -> Weighed:
    return Weighed(
        weighed.scalars,
        tuple(_stretched(f, n) for f in weighed.first),
        {jk: _stretched(s, n) for jk, s in weighed.second.items()},
    )


def _dense_sums(raw: Raw, weighed: Weighed, filled: Filled, n: int) -> None:
    for k, (i, columns) in filled.items():
        first = _stretched(weighed.first[k], n)
        if first is not None:
            add(raw, {("g", i): np.dot(columns, first)})
    # Pairs across equations first: a square pair scales its buffer in place.
    for j, k in sorted(weighed.second, key=lambda jk: jk[0] == jk[1]):
        second = _stretched(weighed.second[j, k], n)
        if second is None or j not in filled or k not in filled:
            continue
        (a, left), (b, right) = filled[j], filled[k]
        add(raw, {("h", a, b): gram(left, right, second, j == k)})


def _table_sums(
    layout: Layout, strip: Strip, coding: Coding, filled: Filled, kept: list[tuple[int, Weighed]]
) -> Raw:
    """Tables of a strip from what its micro-blocks weighed, and the columns still in buffers."""
    there = dict(filled.values())

    def column(i: int, k: int) -> Array:
        if i in there:
            return there[i][k]
        found = strip.blocks[i].column(k, layout.blocks[i])
        assert found is not None
        return found

    first = tuple(_joined([(n, w.first[k]) for n, w in kept]) for k in range(layout.q))
    second = {jk: _joined([(n, w.second[jk]) for n, w in kept]) for jk in kept[0][1].second}
    return table_sums(layout.plan, strip, coding, column, first, second)


def _joined(parts: list[tuple[int, Array | None]]) -> Array | None:
    """Micro-blocks one after the other; what one does not have is 0 there.

    Rows without a zero tell of fewer entries than those of which one is.
    """
    if all(part is None for _, part in parts):
        return None
    whole = [np.zeros(n) if part is None else part for n, part in parts]
    return whole[0] if len(whole) == 1 else np.concatenate(whole)


def add(total: Raw, part: Raw) -> Raw:
    """Add sums in place; the fold of every pass."""
    for key, value in part.items():
        total[key] = plus(total[key], value) if key in total else value
    return total


def assemble(layout: Layout, raw: Raw) -> tuple[Array, Array, Array]:
    """(scalars, score, information) from the sums by level."""
    score = np.zeros(layout.size)
    information = np.zeros((layout.size, layout.size))
    by_block: Raw = {}
    for key, value in raw.items():
        # Strips that tell of different entries (one without zeros, of a zero part) have plans
        # of their own, which share blocks.
        add(by_block, layout.plan.handed_out(key, value) if key[0] == "c" else {key: value})
    for key, value in by_block.items():
        if key[0] == "g":
            block = layout.blocks[key[1]]
            own = value if block.table is None else block.table.fold(value)
            score[block.places] = own.reshape(-1)
        elif key[0] == "h":
            a, b = layout.blocks[key[1]], layout.blocks[key[2]]
            part = _folded(a, b, value).reshape(len(a.positions), len(b.positions))
            _put(information, a, b, part)
            if a is not b:
                _put(information, b, a, part.T)
    return raw["s",], score, information


def _folded(a: Block, b: Block, value: Array) -> Array:
    if value.ndim == 3:
        assert a.table is not None and b.table is not None
        return a.table.between(value, b.table)
    if a.table is not None:
        value = a.table.fold(value, axis=0)
    return value if b.table is None else b.table.fold(value, axis=2)


def _put(matrix: Array, a: Block, b: Block, part: Array) -> None:
    if isinstance(a.places, slice) and isinstance(b.places, slice):
        matrix[a.places, b.places] = part
    else:
        matrix[np.ix_(a.positions, b.positions)] = part


def weighing(family: Family, expected: bool, second: bool = True) -> Weigh:
    """Weighing function of log-likelihood, score and information, however rows are held."""
    # Under a canonical link the two informations are one.
    mixing = family.expected if expected and not family.canonical else None
    pairs = [(j, k) for j in range(family.q) for k in range(j, family.q)]

    def weigh(rows: Unweighed) -> Weighed:
        w = rows.weights
        jet = family.terms(rows.y, rows.etas)
        value = jet.value if w is None else jet.value * w
        told = np.add.reduce(value.reshape(rows.points, -1), axis=1)
        first = jet.d1 if w is None else tuple([_times(d, w) for d in jet.d1])
        matrix: dict[tuple[int, int], Array | None] = {}
        if not second:
            return Weighed(told, first, matrix)
        mixed = None if mixing is None else mixing(rows.etas)
        for j, k in pairs:
            entry = None if mixed is None else mixed[j][k]
            if entry is None and (found := jet.d2[j][k]) is not None:
                entry = -found
            matrix[j, k] = entry if w is None else _times(entry, w)
        return Weighed(told, first, matrix)

    return weigh


def likelihood_weights(family: Family, expected: bool, second: bool = True) -> Weigh:
    """As `weighing`, with what rounding makes of it.

    Scalars: sum w l, sum w |l'| over all equations, then for each equation
    sum w (|l'| + 2 |l''|)^2 / |l''|, of which the rounding floor of the decrement is made.
    """
    weigh = weighing(family, expected, second)

    def told(rows: Unweighed) -> Weighed:
        found = weigh(rows)
        scalars = np.zeros(2 + family.q)
        scalars[0] = found.scalars[0]
        for j, slope in enumerate(found.first):
            scalars[2 + j], slopes = noise(slope, found.second.get((j, j)))
            scalars[1] += slopes
        return Weighed(scalars, found.first, found.second)

    return told


@dataclass(frozen=True, eq=False)
class Likelihood:
    """`likelihood_weights` as plain data: a family, and what is added up."""

    family: Family
    expected: bool
    second: bool = True

    def __call__(self, rows: Unweighed) -> Weighed:
        """Some rows, weighed."""
        return likelihood_weights(self.family, self.expected, self.second)(rows)


@dataclass(frozen=True, eq=False)
class Pass:
    """What a pass does with each strip, as plain data where its weighing function is."""

    layout: Layout
    theta: Array
    weigh: Weigh
    block_rows: int

    def __call__(self, strip: Strip) -> Raw:
        """The sums of a strip."""
        return strip_sums(self.layout, strip, self.theta, self.weigh, self.block_rows)


def informed(family: Family, rows: Unweighed) -> tuple[Array, ...]:
    """1 for each row that says something of an equation, 0 for each that does not.

    A zero says nothing of the count part of a hurdle.
    """
    jet = family.terms(rows.y, rows.etas)
    out = []
    for k in range(jet.q):
        said = np.zeros(rows.y.shape[1], dtype=bool)
        for entry in (jet.d1[k], jet.d2[k][k]):
            said |= np.zeros(1, dtype=bool) if entry is None else entry != 0
        out.append(said.astype(np.float64))
    return tuple(out)


def _times(values: Array | None, weights: Array) -> Array | None:
    return None if values is None else values * weights


def likelihood_sums(layout: Layout, raw: Raw) -> Sums:
    """`Sums` of a pass of `likelihood_weights`."""
    with np.errstate(invalid="ignore", over="ignore"):
        scalars, score, information = assemble(layout, raw)
    llf = float(scalars[0])
    if not (np.isfinite(llf) and np.all(np.isfinite(score)) and np.all(np.isfinite(information))):
        llf = -np.inf
    squares = sum(
        (layout.slices[k].stop - layout.slices[k].start) * float(scalars[2 + k])
        for k in range(layout.q)
    )
    floor = EPS * float(np.sqrt(squares))
    return Sums(llf, score, information, floor, wobble(float(scalars[1])))
