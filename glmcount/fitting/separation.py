"""Separation by the sign of a recession: the last Newton step of a fit that runs away.

A maximum does not exist when a direction d has x_i'd = 0 wherever y > 0 and x_i'd <= 0
wherever y = 0, with at least one strict sign: along it the likelihood grows for ever
(Correia, Guimaraes & Zylkin 2019, arXiv:1903.01633).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glmcount.design.blocks import Layout, Strip, linear
from glmcount.design.encode import Encoder
from glmcount.numerics import Array

__all__ = ["Separation", "recession_rows"]

FLAT = 1e-4
MOVES = 1e-2


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
    encoder: Encoder, layout: Layout, step: Array
) -> tuple[NDArray[np.bool_], tuple[int, ...]] | None:
    """Rows that `step` sends to minus infinity; None where it is no direction of recession."""

    def look(strip: Strip) -> tuple[list[Array], list[int], float, float]:
        move = linear(layout, strip, step, 0)
        positive = strip.y[0] > 0
        held = float(np.abs(move[positive]).max(initial=0.0))
        rise = float(move[~positive].max(initial=0.0))
        falls = ~positive & (move < -MOVES)
        used = np.flatnonzero(falls)
        rows = used if strip.where is None else strip.where[used]
        return [falls], [int(r) + strip.first for r in rows], held, rise

    def fold(a: tuple, b: tuple) -> tuple:  # type: ignore[type-arg]
        return a[0] + b[0], a[1] + b[1], max(a[2], b[2]), max(a[3], b[3])

    falls, where, held, rise = encoder.fold(look, fold)
    if not where or held > FLAT or rise > FLAT:
        return None
    return np.concatenate(falls).astype(bool), tuple(where)
