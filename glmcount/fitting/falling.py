"""A maximum at infinity: the directions that lead there, and what is left of the model.

Along a direction of recession the likelihood grows for ever, to that of a model in which the
rows that move are certain and the others are as before (Geyer 2009, doi:10.1214/08-EJS349). A
function of the parameters that no such direction moves has its estimate in that limit; any
other is infinite, or has no limit where directions move it both ways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from glmcount.engine.layout import Layout, linear
from glmcount.engine.strip import Strip
from glmcount.fitting.programme import ways
from glmcount.numerics import Array
from glmcount.records import dataclass, replace

__all__ = ["FAR", "Falling", "moves_of", "sent", "size_of"]

# A predictor this far is that of a row without doubt; its weight e^-60 is below rounding of any.
FAR = 60.0
# Moves below such a share of the terms they are made of are rounding.
ROUNDING = 1e-11


@dataclass(frozen=True)
class Falling:
    """The way to infinity.

    Parameters
    ----------
    rows : ndarray of bool, shape (n,)
        Rows that it leaves without doubt; none where it is one of parameters alone.
    where : tuple of int
        Their numbers in the data.
    layout : Layout
        The columns that `direction` and `null` are of, shifted by the values of one row that
        stays: of whole numbers moves are then exact.
    direction : ndarray, shape (p,)
    settled : ndarray, shape (p,), or None
        Parameters in the limit, in the fit's own columns; None where it was not reached.
    null : ndarray, shape (p, k)
        Basis of the directions that move no other row, each of one equation.
    cone : ndarray, shape (m, k)
        Distinct moves of `rows` along these; a direction of recession z has cone z <= 0.
    carriers : ndarray of int, shape (k,)
        Columns that the other rows do not tell from those before.
    """

    rows: NDArray[np.bool_]
    where: tuple[int, ...]
    layout: Layout
    direction: Array
    settled: Array | None = None
    null: Array | None = None
    cone: Array | None = None
    carriers: NDArray[np.intp] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "rows": (len(self.rows), np.packbits(self.rows))}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        count, bits = state["rows"]
        rows = np.unpackbits(bits, count=count).astype(bool)
        self.__dict__.update({**state, "rows": rows})

    def leads_on(self, other: Falling) -> bool:
        """Whether it leads further than another."""
        assert self.carriers is not None and other.carriers is not None
        return len(self.carriers) > len(other.carriers)

    def within(self, layout: Layout) -> Array:
        """The direction in the columns of another layout of the same design."""
        return layout.reshift(self.layout.unshift(self.direction))

    def started(self, layout: Layout, theta: Array) -> Array:
        """Parameters with the predictors of the rows that stay, zero at the carriers."""
        assert self.null is not None and self.carriers is not None
        null = [layout.reshift(self.layout.unshift(way)) for way in self.null.T]
        along = np.stack(null, axis=1)
        back = scipy.linalg.lstsq(along[self.carriers], theta[self.carriers])[0]
        out: Array = theta - np.dot(along, back)
        out[self.carriers] = 0.0
        return out

    def ways(self, functions: Array) -> Array:
        """Where functions of the shifted parameters go, one a row of their moves along `null`."""
        assert self.cone is not None
        return ways(self.cone, functions)


def size_of(layout: Layout, strip: Strip, vector: Array, equation: int) -> Array:
    """Sum of the sizes of the terms of x_i' vector, shape (n,): what rounding is relative to."""
    total = np.zeros(strip.n)
    for i, block in layout.of(equation):
        beta, rows = block.sizes(vector), strip.blocks[i]
        for k in range(block.v):
            column = rows.column(k, block)
            if block.table is None:
                total += beta[k] if column is None else np.abs(column) * beta[k]
            else:
                assert rows.codes is not None
                gathered = np.take(beta[:, k], rows.codes)
                total += gathered if column is None else gathered * np.abs(column)
    return total


def moves_of(
    layout: Layout, strip: Strip, vectors: Array, equation: int, slack: float | Array = ROUNDING
) -> Array:
    """How each row's predictor moves along each vector, (n, k); rounding is zero."""
    own = layout.slices[equation]
    out = np.zeros((strip.n, vectors.shape[1]))
    slacks = np.broadcast_to(slack, (vectors.shape[1],))
    for j, vector in enumerate(vectors.T):
        if np.any(vector[own] != 0.0):
            moves = linear(layout, strip, vector, equation)
            least = slacks[j] * size_of(layout, strip, vector, equation)
            out[:, j] = np.where(np.abs(moves) > least, moves, 0.0)
    return out


def sent(layout: Layout, strip: Strip, theta: Array, falling: Falling) -> Strip:
    """A strip whose rows that go to infinity have predictors far enough to be certain."""
    offsets: list[Array | None] = list(strip.offsets)
    for k in range(layout.q):
        moves = moves_of(falling.layout, strip, falling.direction[:, None], k)[:, 0]
        gone = moves != 0.0
        if gone.any():
            old = strip.offsets[k]
            held = np.zeros(strip.n) if old is None else old
            away = np.sign(moves) * FAR - linear(layout, strip, theta, k)
            offsets[k] = np.where(gone, away, held)
    return replace(strip, offsets=tuple(offsets))


def joined(rows: Sequence[Array], width: int) -> Array:
    """Rows below each other."""
    return np.concatenate([np.zeros((0, width)), *rows])
