"""Separation by the sign of a recession: the last Newton step of a fit that runs away.

A maximum does not exist when a direction d has x_i'd = 0 wherever y > 0 and x_i'd <= 0
wherever y = 0, with at least one strict sign: along it the likelihood grows for ever
(Correia, Guimaraes & Zylkin 2019, arXiv:1903.01633). Other parts of a model have other rows
that lose nothing as their predictor runs off; the family says which.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glmcount.design.blocks import Layout, Strip, linear
from glmcount.design.encode import Encoder
from glmcount.families.base import Family
from glmcount.fitting.objective import Rows, informed, predictors
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Separation", "recession_rows"]

FLAT = 1e-4
MOVES = 1e-2
# Of several parts the direction settles more slowly; its longest move is 1.
PARTS_FLAT = 2e-2


@dataclass(frozen=True)
class Separation:
    """Rows whose mean runs to zero, and the coefficients that run to infinity.

    Parameters
    ----------
    rows : ndarray of bool, shape (nobs,)
        One for each fitted row, in order: True where x_i'd < 0.
    where : tuple of int
        Their numbers in the data, counted from 0.
    columns : tuple of str
        Coefficients that are infinite.
    direction : ndarray
        d over the kept columns of the mean, largest entry 1 in size.
    signs : tuple of int
        Sign of infinity for each of `columns`.
    """

    rows: NDArray[np.bool_]
    where: tuple[int, ...]
    columns: tuple[str, ...]
    direction: Array
    signs: tuple[int, ...]


def recession_rows(
    encoder: Encoder, layout: Layout, family: Family, theta: Array, step: Array
) -> tuple[NDArray[np.bool_], tuple[int, ...]] | None:
    """Rows of which `step` sends a predictor off at no cost.

    None where it is no direction of recession: some row would lose, or where every row goes
    along in an equation that has a limit, which is then the answer.
    """
    moving = [k for k in range(layout.q) if layout.within(k).reach(step) > MOVES]

    def look(strip: Strip) -> tuple[list[Array], list[int], float, Array]:
        free = family.runs_off(strip.y)
        said = informed(family, Rows(strip.y, None, predictors(layout, strip, theta)))
        falls = np.zeros(strip.n, dtype=bool)
        held, whole = 0.0, np.ones(layout.q, dtype=bool)
        for k in moving:
            move = linear(layout, strip, step, k)
            down, up = free[k]
            held = max(held, _held(-move, down), _held(move, up))
            goes = np.abs(move) > (MOVES if layout.q == 1 else 2.0 * PARTS_FLAT)
            falls |= goes & (said[k] > 0)
            whole[k] = bool(goes.all())
        used = np.flatnonzero(falls)
        rows = used if strip.where is None else strip.where[used]
        return [falls], [int(r) + strip.first for r in rows], held, whole

    def fold(a: tuple, b: tuple) -> tuple:  # type: ignore[type-arg]
        return a[0] + b[0], a[1] + b[1], max(a[2], b[2]), a[3] & b[3]

    falls, where, held, whole = encoder.fold(look, fold)
    limited = {limit.equation for limit in family.limits}
    flat = FLAT if layout.q == 1 else PARTS_FLAT
    if not where or held > flat or any(whole[k] for k in moving if k in limited):
        return None
    return np.concatenate(falls).astype(bool), tuple(where)


def _held(move: Array, free: NDArray[np.bool_] | None) -> float:
    """Largest move, in one direction, of a row that is not free to go there."""
    held = move if free is None else move[~free]
    return float(held.max(initial=0.0))
