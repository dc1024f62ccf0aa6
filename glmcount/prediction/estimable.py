"""What the data tell of a new row: which predictors are estimated, infinite or neither.

A row's predictor is estimated where it is a combination of rows that the fit knows. A column
that was left out, as a combination of others in the data, gives ways along which no row of the
data moves; a maximum at infinity gives ways along which only the rows without doubt move. A new
row that moves along the first has no estimate, one along the second is infinite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from glmcount.columns.column import Column
from glmcount.design.rows import Rows
from glmcount.design.values import coerced
from glmcount.engine.layout import linear
from glmcount.engine.passes import predictors
from glmcount.engine.strip import Strip
from glmcount.errors import NotEstimableWarning, counted, some
from glmcount.fitting.estimates import parameters
from glmcount.fitting.falling import FAR, moves_of, size_of
from glmcount.fitting.run import Fit
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet
from glmcount.records import dataclass

__all__ = ["Reach", "reach_of", "settled", "told_of"]

# Moves below such a share of their terms are rounding.
ROUNDING = 1e-9
# Root of the number of rows of which one may hold all that a near dependence leaves.
SPREAD = 1e3
# In the place of a predictor without an estimate, besides 0: no slope is 0 at both by chance.
STAND_IN = 0.7
# A predictor whose exponential is infinite or zero in double precision.
BEYOND = 750.0


@dataclass(frozen=True)
class Reach:
    """The predictors of some rows, and which of them are numbers.

    Parameters
    ----------
    etas : tuple of ndarray, each of shape (n,) or (1,)
        Finite everywhere: a stand-in where there is no estimate, far away where it is infinite.
    ways : tuple of (ndarray or None), one each equation
        0, 1 or -1 where a predictor is finite or infinite, NaN where there is none; None where
        all are finite.
    """

    etas: tuple[Array, ...]
    ways: tuple[Array | None, ...]

    @property
    def whole(self) -> bool:
        """Whether all predictors are finite and estimated."""
        return all(way is None for way in self.ways)

    def lost(self, jet: Jet) -> NDArray[np.bool_] | None:
        """Rows in which a quantity depends on a predictor that has no estimate."""
        out: NDArray[np.bool_] | None = None
        for way, slope in zip(self.ways, jet.d1, strict=True):
            if way is not None and slope is not None:
                mine = np.isnan(way) & (slope != 0.0)
                out = mine if out is None else out | mine
        return out

    def beyond(self, jet: Jet) -> NDArray[np.bool_] | None:
        """Rows in which a quantity is made of a predictor that is infinite."""
        out: NDArray[np.bool_] | None = None
        for way, slope in zip(self.ways, jet.d1, strict=True):
            if way is not None and slope is not None:
                mine = np.abs(way) == 1.0
                out = mine if out is None else out | mine
        return out

    def elsewhere(self) -> tuple[Array, ...]:
        """The predictors with another stand-in where there is no estimate."""
        return tuple(
            eta if way is None else np.where(np.isnan(way), STAND_IN, eta)
            for eta, way in zip(self.etas, self.ways, strict=True)
        )

    def at(self, far: float) -> tuple[Array, ...]:
        """The predictors, infinite ones so far away."""
        return tuple(
            eta if way is None else np.where(np.abs(way) == 1.0, way * far, eta)
            for eta, way in zip(self.etas, self.ways, strict=True)
        )


def reach_of(fit: Fit, strip: Strip) -> Reach:
    """The predictors of a strip's rows and which of them the fit tells of."""
    etas = predictors(fit.layout, strip, fit.settled)
    if fit.falling is None and not fit.dependences:
        return Reach(etas, (None,) * fit.layout.q)
    out, ways = [], []
    for k, eta in enumerate(etas):
        way = _ways(fit, strip, k)
        if way is not None:
            eta = np.where(np.nan_to_num(way, nan=9.0) == 0.0, eta, 0.0)
            eta = np.where(np.abs(way) == 1.0, way * BEYOND, eta)
        out.append(eta)
        ways.append(way)
    return Reach(tuple(out), tuple(ways))


def settled(
    jet_of: Callable[[Sequence[Array]], Jet], reach: Reach, n: int
) -> tuple[Jet, Array, NDArray[np.bool_] | None, NDArray[np.bool_]]:
    """A quantity with its values, NaN where it has none; rows where it is a limit, or lost.

    A limit that cannot be had where exponentials are infinite is had from nearer.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        jet = jet_of(reach.etas)
        value = np.array(np.broadcast_to(jet.value, (n,)), dtype=np.float64)
        beyond, lost = reach.beyond(jet), np.zeros(n, dtype=bool)
        for each in () if reach.whole else (jet, jet_of(reach.elsewhere())):
            own = reach.lost(each)
            lost |= False if own is None else own
        if beyond is not None and np.isnan(value[beyond]).any():
            nearer = np.broadcast_to(jet_of(reach.at(FAR)).value, (n,))
            # What is below e^-40 or above e^40 there is on its way to 0 or infinity.
            nearer = np.where(np.abs(nearer) < 1e-17, 0.0, nearer)
            nearer = np.where(np.abs(nearer) > 1e17, np.copysign(np.inf, nearer), nearer)
            value = np.where(beyond & np.isnan(value), nearer, value)
    value[lost] = np.nan
    return jet, value, beyond, lost


def _ways(fit: Fit, strip: Strip, equation: int) -> Array | None:
    own = fit.layout.slices[equation]
    way = np.zeros(strip.n)
    far = fit.falling
    if far is not None and far.null is not None and np.any(far.null[own] != 0.0):
        way = far.ways(moves_of(far.layout, strip, far.null, equation))
    for number, _ in enumerate(fit.dependences):
        if own.start <= fit.dependences[number].column < own.stop:
            way = np.where(leaves(fit, strip, number, equation), np.nan, way)
    return way if np.any(way != 0.0) else None


def leaves(fit: Fit, strip: Strip, number: int, equation: int) -> NDArray[np.bool_]:
    """Rows in which a column that was left out is not the combination it was in the data."""
    one = fit.dependences[number]
    null = one.null(fit.layout.sizes)
    gap = np.abs(linear(fit.layout, strip, null, equation))
    # What is left of a dependence may all be in one row, and in a row whose own terms are small:
    # the combination has the rounding of the others.
    slack = ROUNDING + SPREAD * one.residual
    usual = float(np.max(np.abs(null) * fit.layout.sizes, initial=0.0))
    own: NDArray[np.bool_] = gap > slack * (size_of(fit.layout, strip, null, equation) + usual)
    return own


def told_of(data: Rows, fit: Fit, gone: NDArray[np.bool_]) -> NotEstimableWarning | None:
    """What to say where rows have no estimate: which, and of what nothing is known.

    Parameters
    ----------
    data : Rows
    fit : Fit
    gone : ndarray of bool, shape (rows of the source,)
        Rows of the source, in order, that are NaN for want of an estimate.
    """
    rows = np.flatnonzero(gone)
    if not len(rows):
        return None
    columns = _columns_of(data, fit, gone)
    cell = _cell(data, fit, int(rows[0]), columns)
    names = parameters(fit.family, data.spec).names
    if columns:
        told = some(repr(names[fit.dependences[i].column]) for i in columns)
        why = f"the data do not tell of the left-out column {told} apart from the others"
    else:
        why = "ways to infinity move their predictor up and down"
    count = counted(len(rows), "row")
    return NotEstimableWarning(
        f"{count} cannot be predicted and {'is' if len(rows) == 1 else 'are'} NaN, rows (counted "
        f"from 0) {some(rows)}: {why}{cell}. Leave such rows out, or fit a model without that "
        "column."
    )


def _columns_of(rows: Rows, fit: Fit, gone: NDArray[np.bool_]) -> list[int]:
    """Dependences that some row without an estimate leaves."""

    def look(strip: Strip) -> set[int]:
        used = np.arange(strip.n) if strip.where is None else strip.where
        mine = gone[used + strip.first]
        numbers: set[int] = set()
        for number, one in enumerate(fit.dependences):
            equation = next(k for k, s in enumerate(fit.layout.slices) if one.column < s.stop)
            if np.any(leaves(fit, strip, number, equation) & mine):
                numbers.add(number)
        return numbers

    def either(a: set[int], b: set[int]) -> set[int]:
        return a | b

    found: set[int] = rows.fold(look, either)
    return sorted(found)


def _cell(rows: Rows, fit: Fit, row: int, columns: Sequence[int]) -> str:
    """The values of the variables of those columns in one row."""
    spec = rows.spec
    every = [part for e in spec.equations for part in e.parts for _ in part.names]
    parts = [every[fit.dependences[i].column] for i in columns]
    codes = dict.fromkeys(code for part in parts for code in (*part.categorical, *part.numeric))
    names = spec.columns(tuple(codes))
    for number in range(rows.source.n_strips):
        first, last = rows.source.span(number)
        if first <= row < last and names:
            columns_of = coerced(rows.source.strip(number, names)[1])
            values = [f"{name} = {_value(columns_of[name], row - first)}" for name in names]
            return f" (row {row} has {', '.join(values)})"
    return ""


def _value(column: Column, row: int) -> object:
    """One value as the user wrote it."""
    value = column.values[row]
    if column.kind == "categorical" and column.levels is not None:
        return repr(column.levels[int(value)])
    return f"{value:g}" if column.kind == "numeric" else value
