"""The pass: strips of rows to sums of log-likelihood, score and information, in order.

Inside a strip dense work goes by micro-blocks that stay in the cache, tables of factors by the
whole. Only np.dot is used: matmul keeps the interpreter lock for small results, which would
leave the second thread idle.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from glmcount.engine.block import Block, add_linear
from glmcount.engine.gram import gram
from glmcount.engine.layout import Layout
from glmcount.engine.plan import Raw
from glmcount.engine.scatter import plus, scratch
from glmcount.engine.strip import Strip
from glmcount.engine.sums import Slopes, Sums, wobble
from glmcount.engine.tables import Coding, add_coded, coding_of, table_sums
from glmcount.engine.weigh import Unweighed, Weigh, Weighed
from glmcount.numerics import EPS, Array
from glmcount.records import dataclass

__all__ = [
    "Pass",
    "Sums",
    "add",
    "assemble",
    "few_dense",
    "micro_rows",
    "predictors",
    "strip_slopes",
    "strip_sums",
]

# Dense columns up to which a strip with codes is taken whole.
FEW = 8
# Dense columns of equations, by equation: the block's number and its columns in a buffer.
Filled = dict[int, tuple[int, Array]]


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
    slopes: bool = False,
) -> Raw:
    """Sums of a strip, by block and by pair of blocks, in the space of levels.

    With `slopes` also the weighted slopes of its rows, by its number.
    """
    # Overshooting steps overflow on purpose: the sums then are not finite, and are halved.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _strip_sums(layout, strip, theta, weigh, block_rows, extra, slopes)


def strip_slopes(
    layout: Layout, strip: Strip, theta: Array, weigh: Weigh, block_rows: int
) -> Slopes:
    """Weighted slopes of a strip's rows by each equation, some rows after the other."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        blocks = _weighed(
            layout, strip, theta, weigh, block_rows, None, coding_of(layout.plan, strip)
        )
        return _slopes(layout, [(last - first, weighed) for first, last, _, weighed in blocks])


def _slopes(layout: Layout, parts: list[tuple[int, Weighed]]) -> Slopes:
    # Not joined yet: whoever reads them joins those of all strips.
    return tuple([(n, weighed.first[k]) for n, weighed in parts] for k in range(layout.q))


def _weighed(
    layout: Layout,
    strip: Strip,
    theta: Array,
    weigh: Weigh,
    block_rows: int,
    extra: Array | None,
    coding: Coding,
) -> Iterator[tuple[int, int, Filled, Weighed]]:
    """Each micro-block: its rows, its dense columns in buffers, and what is to be added up."""
    bases = [_start_eta(layout, strip, coding, theta, k) for k in range(layout.q)]
    dense = {k: _dense(layout, k) for k in range(layout.q)}
    step = _step(layout, strip, block_rows)
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
        yield first, last, filled, weighed


def _step(layout: Layout, strip: Strip, block_rows: int) -> int:
    return max(strip.n, 1) if few_dense(layout) else micro_rows(layout, block_rows)


def _strip_sums(
    layout: Layout,
    strip: Strip,
    theta: Array,
    weigh: Weigh,
    block_rows: int,
    extra: Array | None,
    slopes: bool,
) -> Raw:
    raw: Raw = {}
    coding = coding_of(layout.plan, strip)
    kept: list[tuple[int, Weighed]] = []
    first_each: list[tuple[int, Weighed]] = []
    step = _step(layout, strip, block_rows)
    blocks = _weighed(layout, strip, theta, weigh, block_rows, extra, coding)
    for first, last, filled, weighed in blocks:
        add(raw, {("s",): weighed.scalars})
        if slopes:
            first_each.append((last - first, weighed))
        if coding.own:
            kept.append((last - first, _full(weighed, last - first)))
        if coding.own and step >= strip.n:
            raw |= _table_sums(layout, strip, coding, filled, kept)
        _dense_sums(raw, weighed, filled, last - first)
    if coding.own and step < strip.n:
        raw |= _table_sums(layout, strip, coding, {}, kept)
    if slopes:
        raw["u", strip.number] = _slopes(layout, first_each)
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


@dataclass(frozen=True, eq=False)
class Pass:
    """What a pass does with each strip, as plain data where its weighing function is."""

    layout: Layout
    theta: Array
    weigh: Weigh
    block_rows: int
    slopes: bool = False

    def __call__(self, strip: Strip) -> Raw:
        """The sums of a strip."""
        return strip_sums(
            self.layout, strip, self.theta, self.weigh, self.block_rows, slopes=self.slopes
        )


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
    slopes = {key[1]: value for key, value in raw.items() if key[0] == "u"}
    return Sums(llf, score, information, floor, wobble(float(scalars[1])), slopes)
