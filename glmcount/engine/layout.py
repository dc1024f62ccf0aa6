"""How the parameters of all equations lie in one vector, and what shifts and scales do to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glmcount.engine.block import Block, Index, add_linear
from glmcount.engine.plan import PassPlan, Structure
from glmcount.engine.reach import Bound
from glmcount.engine.strip import Strip
from glmcount.numerics import Array
from glmcount.records import cached_property, dataclass, replace

__all__ = ["Layout", "linear"]

# Of a shift: what is left of a column below it is rounding.
ROUNDING = 4e-15


@dataclass(frozen=True)
class Layout:
    """How the parameters of all equations lie in one vector.

    Parameters
    ----------
    blocks : tuple of Block
        Of all equations, in order.
    slices : tuple of slice
        Parameters of each equation.
    constants : tuple of ndarray of shape (p,) or None
        For each equation the vector a with X a = 1, or None where ones are not spanned.
    """

    blocks: tuple[Block, ...]
    slices: tuple[slice, ...]
    constants: tuple[Array | None, ...]

    @cached_property
    def size(self) -> int:
        """Number of parameters."""
        return self.slices[-1].stop if self.slices else 0

    @cached_property
    def q(self) -> int:
        """Number of equations."""
        return len(self.slices)

    @cached_property
    def dense_columns(self) -> int:
        """Numeric columns of blocks without a code, over all equations."""
        return sum(block.v for block in self.blocks if block.table is None)

    @cached_property
    def plan(self) -> PassPlan:
        """What passes add up, and how it is scattered."""
        return PassPlan(self.blocks, self.structure)

    @cached_property
    def structure(self) -> Structure:
        """The codes of its blocks, and how these are bundled."""
        return Structure.made(self.blocks)

    @cached_property
    def bound(self) -> Bound | None:
        """The blocks' bounds of the move of a predictor in one matrix, where that can be."""
        found = [self.of(k) for k in range(self.q)]
        tables = [self.tables[i] for own in found for i, _ in own]
        return Bound.of([[block for _, block in own] for own in found], tables, self.size)

    @cached_property
    def coded(self) -> bool:
        """Whether any block has a code."""
        return any(block.table is not None for block in self.blocks)

    @cached_property
    def tables(self) -> tuple[Array | None, ...]:
        """The table of each block in full, (levels, width)."""
        tables = [block.table for block in self.blocks]
        return tuple(None if t is None else t.spread(np.eye(t.width)) for t in tables)

    @cached_property
    def flat(self) -> frozenset[int]:
        """Numeric columns that are constant to rounding, beside a constant."""
        out = set()
        for block in self.blocks:
            if block.table is None and self.constants[block.equation] is not None:
                sizes = block.size if block.scale is None else block.size / block.scale
                for place, shift, size in zip(block.positions, block.shift, sizes, strict=True):
                    if (shift != 0 and size <= ROUNDING * abs(shift)) or (shift == size == 0):
                        out.add(int(place))
        return frozenset(out)

    def sized(self, blocks: tuple[Block, ...]) -> Layout:
        """The same with other shifts, sizes and scales; what depends on none of these is kept."""
        made = Layout(blocks, self.slices, self.constants)
        kept = ("size", "q", "dense_columns", "structure")
        made.__dict__.update({name: getattr(self, name) for name in kept})
        return made

    def of(self, equation: int) -> list[tuple[int, Block]]:
        """Blocks of an equation with their places in `blocks`."""
        return [(i, b) for i, b in enumerate(self.blocks) if b.equation == equation]

    def reach(self, theta: Array) -> float:
        """Upper bound of |x_i' theta| over rows and equations."""
        return max((sum(b.reach(theta) for _, b in self.of(k)) for k in range(self.q)), default=0.0)

    def within(self, equation: int) -> Layout:
        """The same parameters, of which only that equation's have blocks."""
        return replace(self, blocks=tuple(b for b in self.blocks if b.equation == equation))

    def places(self, gone: Sequence[int]) -> Index:
        """Parameters of all equations but those."""
        held = [np.arange(s.start, s.stop) for k, s in enumerate(self.slices) if k not in gone]
        return np.concatenate([np.zeros(0, dtype=np.intp), *held]).astype(np.intp)

    def without(self, gone: Sequence[int]) -> Layout:
        """The layout of all equations but those, in order."""
        places = self.places(gone)
        new = np.full(self.size, -1, dtype=np.intp)
        new[places] = np.arange(len(places))
        number = {k: i for i, k in enumerate(k for k in range(self.q) if k not in gone)}
        slices, end = [], 0
        for k in number:
            start, end = end, end + self.slices[k].stop - self.slices[k].start
            slices.append(slice(start, end))
        return Layout(
            tuple(
                replace(b, equation=number[b.equation], positions=new[b.positions])
                for b in self.blocks
                if b.equation in number
            ),
            tuple(slices),
            tuple(None if (c := self.constants[k]) is None else c[places] for k in number),
        )

    @cached_property
    def sizes(self) -> Array:
        """Largest |x_ij| of each shifted column."""
        out = np.zeros(self.size)
        for block in self.blocks:
            columns = np.ones(1)
            if block.table is not None and block.table.dense is not None:
                columns = np.abs(block.table.dense).max(axis=0)
            elif block.table is not None:
                columns = np.ones(block.table.width)
            out[block.positions] = np.outer(columns, block.size).reshape(-1)
        return out

    def unshifted(self, matrix: Array, kept: Index) -> Array:
        """A M A' over kept columns, where theta = A theta_shifted, A = (I - a m') S.

        Of a symmetric matrix; what is too large for a number becomes infinite.
        """
        if self._plain:
            return matrix
        with np.errstate(over="ignore", invalid="ignore"):
            scales = self._scales[kept]
            out = self._both_sides(scales[:, None] * matrix * scales, kept, -1.0)
            return 0.5 * (out + out.T)

    def reshifted(self, matrix: Array, kept: Index) -> Array:
        """The inverse of `unshifted`."""
        scales = 1.0 / self._scales[kept]
        return scales[:, None] * self._both_sides(matrix, kept, 1.0) * scales

    def _both_sides(self, matrix: Array, kept: Index, sign: float) -> Array:
        """(I + sign a m') M (I + sign m a'), for every equation that has shifts."""
        for constant, shift in self._shifts:
            a, m = sign * constant[kept], shift[kept]
            matrix = matrix + np.outer(a, np.dot(m, matrix))
            matrix = matrix + np.outer(np.dot(matrix, m), a)
        return matrix

    def unshift(self, theta: Array) -> Array:
        """A theta: estimates in the columns as the user has them."""
        if self._plain:
            return theta
        out = theta * self._scales
        for constant, shift in self._shifts:
            out = out - constant * float(np.dot(shift, out))
        return out

    def functions(self, matrix: Array, kept: Index) -> Array:
        """Linear functions of the user's parameters as those of the kept, shifted ones: R A."""
        for constant, shift in self._shifts:
            matrix = matrix - np.outer(np.dot(matrix, constant), shift)
        return (matrix * self._scales)[:, kept]

    def unshifted_scores(self, scores: Array) -> Array:
        """Scores by row, (n, p), as derivatives by what `unshift` gives: s' A^-1."""
        if self._plain:
            return scores
        scores = scores / self._scales
        for constant, shift in self._shifts:
            scores = scores + np.outer(np.dot(scores, constant), shift)
        return scores

    def carried(self, theta: Array) -> float:
        """What `unshift` subtracts from a constant, its addends without their signs."""
        size = np.abs(theta * self._scales)
        return float(sum(np.dot(np.abs(shift), size) for _, shift in self._shifts))

    def reshift(self, theta: Array) -> Array:
        """Inverse of `unshift`: since m'a = 0 it is S^-1 (I + a m')."""
        for constant, shift in self._shifts:
            theta = theta + constant * float(np.dot(shift, theta))
        return theta / self._scales

    @cached_property
    def _plain(self) -> bool:
        """Whether the columns are as the user has them: A is the identity."""
        return not self._shifts and all(block.scale is None for block in self.blocks)

    @cached_property
    def _scales(self) -> Array:
        out = np.ones(self.size)
        for block in self.blocks:
            if block.scale is not None:
                width = len(block.positions) // block.v
                out[block.positions] = np.tile(block.scale, width)
        return out

    @cached_property
    def _shifts(self) -> tuple[tuple[Array, Array], ...]:
        """(a, m) of each equation with shifted columns: X a = 1, m what was subtracted."""
        out = []
        for equation, constant in enumerate(self.constants):
            shifts = np.zeros(self.size)
            for _, block in self.of(equation):
                if block.table is None:
                    shifts[block.positions] = block.shift
            if constant is not None and shifts.any():
                out.append((constant, shifts))
        return tuple(out)


def linear(layout: Layout, strip: Strip, theta: Array, equation: int) -> Array:
    """x_i' theta over a strip, without the offset, shape (n,)."""
    total = np.zeros(strip.n)
    for i, block in layout.of(equation):
        add_linear(block, strip.blocks[i], block.beta(theta), total)
    return total
