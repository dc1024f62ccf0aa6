"""Whether rows are separated, decided by their signs alone, whatever a fit has underflowed to.

The directions that move none of the rows that would lose are those that such rows do not tell
from zero: dependences among their columns. What is left is a small linear programme over the
moves of the rows that lose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from glmcount.design.rows import Rows
from glmcount.engine.block import Block
from glmcount.engine.layout import Layout, linear
from glmcount.engine.passes import Raw, add, assemble, predictors, strip_sums
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import Unweighed, Weighed, informed
from glmcount.families.base import Family
from glmcount.fitting.corrected import corrected
from glmcount.fitting.falling import FAR, Falling, joined, moves_of
from glmcount.fitting.programme import apart, combined, distinct, strictest
from glmcount.fitting.rank import dependences
from glmcount.numerics import Array
from glmcount.numerics.control import USUAL
from glmcount.records import dataclass, replace

__all__ = ["Freedom", "Ways", "far_along", "gone_by", "leading_to", "recession"]

# Directions taken together where rows are compared by two mixtures of them.
MIXED = 2
# Times that rows found in the way are added to a programme.
AGAIN = 20
# Rows of a strip that one programme takes.
PER_STRIP = 20_000

Ways = Callable[[Strip], Sequence[Array]]


@dataclass(frozen=True)
class Freedom:
    """The rows of a design and which way each may run.

    Parameters
    ----------
    rows, layout, family
    known : tuple of int
        Columns that are left out.
    """

    rows: Rows
    layout: Layout
    family: Family
    known: tuple[int, ...]

    def of(self, strip: Strip) -> list[tuple[Array, NDArray[np.bool_]]]:
        """For each equation the way each row may run, -1, 1 or 0, and whether it tells of it.

        A row tells of an equation by its likelihood at usual parameters, not at those of a fit
        that has run away.
        """
        weights = strip.weights
        counted = np.ones(strip.n, dtype=bool) if weights is None else weights > 0
        middle = [np.array([0.5 * (low + high)]) for low, high in self.family.typical]
        middle += [np.zeros(1)] * (self.layout.q - len(middle))
        with np.errstate(all="ignore"):
            said = informed(self.family, Unweighed(strip.y, None, tuple(middle)))
        out = []
        for (down, up), tells in zip(self.family.surely_off(strip.y), said, strict=True):
            told = counted & (tells > 0)
            either = np.zeros(strip.n, dtype=bool)
            down = either if down is None else down
            up = either if up is None else up
            out.append((np.where(down, -1.0, np.where(up, 1.0, 0.0)), told & ~(down & up)))
        return out

    def held(self, strip: Strip) -> list[Array]:
        """1 for each row that must stay, by equation."""
        return [told * (way == 0.0) for way, told in self.of(strip)]

    def centred(self) -> Freedom:
        """The same in columns shifted by a row that must stay: its whole numbers stay whole.

        By any row that tells of them where none must.
        """
        blocks = list(self.layout.blocks)
        for tells in (lambda way, told: told, lambda way, told: told & (way == 0.0)):
            for i, shift in self._values(tells).items():
                scale = 1.0 if blocks[i].scale is None else blocks[i].scale
                size = blocks[i].size + np.abs(shift - blocks[i].shift) * scale
                blocks[i] = replace(blocks[i], shift=shift, size=size)
        return replace(self, layout=replace(self.layout, blocks=tuple(blocks)))

    def _values(self, tells: Callable[[Array, NDArray[np.bool_]], Array]) -> dict[int, Array]:
        """Numeric columns of a usual row of each equation, among those asked for."""

        def look(strip: Strip) -> dict[int, tuple[float, Array]]:
            out = {}
            for k, (way, told) in enumerate(self.of(strip)):
                rows = np.flatnonzero(tells(way, told))
                for i, block in self.layout.of(k):
                    if len(rows) and block.table is None and self.layout.constants[k] is not None:
                        out[i] = _usual(strip, i, block, rows)
            return out

        def nearer(
            a: dict[int, tuple[float, Array]], b: dict[int, tuple[float, Array]]
        ) -> dict[int, tuple[float, Array]]:
            return a | {i: told for i, told in b.items() if i not in a or told[0] < a[i][0]}

        return {i: values for i, (_, values) in self.rows.fold(look, nearer).items()}

    def unmoved(self, still: Ways) -> tuple[NDArray[np.intp], Array]:
        """Ways that move none of the rows that stay (1, or 0, by equation): a basis.

        With the columns that carry them, which these rows do not tell from those before.
        """
        layout = self.layout

        def weigh(rows: Unweighed) -> Weighed:
            assert rows.extra is not None
            second: dict[tuple[int, int], Array | None] = {}
            second |= {(k, k): rows.extra[:, k] for k in range(layout.q)}
            return Weighed(np.zeros(1), (None,) * layout.q, second)

        def work(strip: Strip) -> Raw:
            extra = np.stack([*still(strip)], axis=1)
            zero = np.zeros(layout.size)
            return strip_sums(layout, strip, zero, weigh, USUAL.block_rows, extra)

        gram = assemble(layout, self.rows.fold(work, add))[2]
        found = dependences(self.rows, layout, gram, lambda strip: tuple(still(strip)))
        found = corrected(self.rows, layout, gram, found, still)
        found = tuple(one for one in found if one.exact and one.column not in self.known)
        # What an entry does to the rows that stay tells whether it is rounding.
        sizes = np.sqrt(np.diag(gram))
        null = np.array([one.null(sizes) for one in found]).reshape(-1, layout.size).T
        return np.array([one.column for one in found], dtype=np.intp), null

    def cone(self, null: Array, ways: Ways) -> Array:
        """Distinct moves along `null` of the rows that may go, less than 0 where they go so."""

        def work(strip: Strip) -> list[Array]:
            out = []
            for k, way in enumerate(ways(strip)):
                rows = np.flatnonzero(way)
                if len(rows):
                    moves = _distinct_moves(self.layout, strip, null, k, rows)
                    out.append(-way[rows[moves[0]], None] * moves[1])
            return out

        rows: list[Array] = self.rows.fold(work, _together)
        return joined(rows, null.shape[1])


def _usual(strip: Strip, number: int, block: Block, rows: NDArray[np.intp]) -> tuple[float, Array]:
    """Which row is nearest to the means of a block's columns: how near, and its values."""
    there = strip.blocks[number]
    gaps = np.zeros(len(rows))
    for k, size in enumerate(block.size):
        column = there.column(k, block)
        if column is not None and size > 0:
            gaps = np.maximum(gaps, np.abs(column[rows]) / size)
    at = rows[int(np.argmin(gaps))]
    values = [0.0 if row is None else float(row[at]) for row in there.rows]
    return float(gaps.min()), np.array(values)


def _together(a: list[Array], b: list[Array]) -> list[Array]:
    return a + b


def _distinct_moves(
    layout: Layout, strip: Strip, null: Array, equation: int, rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], Array]:
    """Which of some rows differ in their moves, and these."""
    part = strip.taken(rows)
    if null.shape[1] > MIXED:
        mixtures = np.random.default_rng(0).uniform(0.5, 1.5, size=(null.shape[1], MIXED))
        mixed = np.dot(null, mixtures)
        first = distinct(np.stack([linear(layout, part, v, equation) for v in mixed.T], axis=1))
        part = part.taken(first)
    else:
        first = np.arange(len(rows))
    moves = moves_of(layout, part, null, equation)
    own = distinct(moves)
    if len(own) > PER_STRIP:
        own = own[np.linspace(0, len(own) - 1, PER_STRIP).astype(np.intp)]
    return first[own], moves[own]


def recession(freedom: Freedom) -> Array | None:
    """A direction that sends off every row that any sends off; None where there is none."""

    def going(strip: Strip) -> list[Array]:
        return [told * way for way, told in freedom.of(strip)]

    carriers, null = freedom.unmoved(freedom.held)
    if not len(carriers):
        return None
    cone = freedom.cone(null, going)
    for _ in range(AGAIN):
        change, own = apart(cone)
        z = strictest(own)
        if z is None:
            return None
        z = combined(change, z)
        direction = combined(null, z)
        more = freedom.cone(null, _against(freedom, direction))
        if not len(more):
            return direction
        cone = np.concatenate([cone, more])
    return None


def _against(freedom: Freedom, direction: Array) -> Ways:
    """Rows that a direction moves the way they may not go, with the way they may."""

    def ways(strip: Strip) -> list[Array]:
        out = []
        for k, (way, told) in enumerate(freedom.of(strip)):
            moves = moves_of(freedom.layout, strip, direction[:, None], k)[:, 0]
            out.append(way * (told & (moves * way < 0.0)))
        return out

    return ways


def gone_by(freedom: Freedom, direction: Array) -> Ways:
    """The way each row goes along a direction, 0 for one that stays or tells nothing."""

    def ways(strip: Strip) -> list[Array]:
        out: list[Array] = []
        for k, (_, told) in enumerate(freedom.of(strip)):
            moves = moves_of(freedom.layout, strip, direction[:, None], k)[:, 0]
            out.append(np.where(told, np.sign(moves), 0.0))
        return out

    return ways


def leading_to(
    freedom: Freedom, rows: Rows, going: Ways, direction: Array | None = None
) -> Falling | None:
    """The way to the limit in which rows go as told; None where they cannot, others staying.

    Parameters
    ----------
    freedom : Freedom
    rows : Rows
        The rows themselves, where cells stand for them.
    going : callable
        The way each row goes, by equation.
    direction : ndarray, shape (p,), optional
        One that sends them so, where it is known.
    """

    def still(strip: Strip) -> list[Array]:
        ways = going(strip)
        return [
            np.where(told & (way == 0.0), 1.0, 0.0)
            for way, (_, told) in zip(ways, freedom.of(strip), strict=True)
        ]

    carriers, null = freedom.unmoved(still)
    if not len(carriers):
        return None
    cone = freedom.cone(null, going)
    change, cone = apart(cone)
    if direction is None:
        z = strictest(cone)
        along = None if z is None else combined(change, z)
    else:
        along = direction[carriers]
        z = np.asarray(np.linalg.solve(change, along), dtype=np.float64)
    if z is None or along is None or np.dot(cone, z).max() >= 0.0:
        return None
    # By the ways as they were found: their mixtures would cancel each other.
    direction = combined(null, along / -np.dot(cone, z).max())
    null = np.stack([combined(null, way) for way in change.T], axis=1)

    def look(strip: Strip) -> tuple[list[Array], list[int]]:
        falls = np.any([way != 0.0 for way in going(strip)], axis=0)
        used = np.flatnonzero(falls)
        where = used if strip.where is None else strip.where[used]
        return [falls], [int(r) + strip.first for r in where]

    masks, where = rows.fold(look, lambda a, b: (a[0] + b[0], a[1] + b[1]))
    mask = np.concatenate(masks).astype(bool)
    return Falling(mask, tuple(where), freedom.layout, direction, None, null, cone, carriers)


def far_along(rows: Rows, layout: Layout, falling: Falling, theta: Array) -> Array:
    """Parameters in the limit moved along the direction until rows that go are without doubt."""

    def look(strip: Strip) -> float:
        far = 0.0
        for k in range(layout.q):
            moves = moves_of(falling.layout, strip, falling.direction[:, None], k)[:, 0]
            gone = moves != 0.0
            if gone.any():
                eta = np.broadcast_to(predictors(layout, strip, theta)[k], (strip.n,))[gone]
                far = max(
                    far, float(((FAR - np.sign(moves[gone]) * eta) / np.abs(moves[gone])).max())
                )
        return far

    return theta + rows.fold(look, max) * falling.within(layout)
