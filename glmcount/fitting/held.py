"""A fit with one coefficient held, by its column as an offset: found as any fit is.

`restrict` goes on from a point that is known, and quickly; where a likelihood has several maxima
the largest one under a constraint may be another than that to which it leads. This one looks for
it as a first fit does.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glmcount.design.layout import layout_of
from glmcount.design.rows import Rows
from glmcount.design.spec import DesignSpec, EquationDesign, Part
from glmcount.engine.block import BlockRows
from glmcount.engine.layout import linear
from glmcount.engine.strip import Strip
from glmcount.errors import ConvergenceError
from glmcount.fitting.nested import fit_of
from glmcount.fitting.run import Fit, Settings
from glmcount.numerics import Array
from glmcount.records import dataclass, replace

__all__ = ["HeldColumn", "held_column"]


@dataclass(frozen=True)
class HeldColumn:
    """Rows whose design has one column less, and where that was.

    Parameters
    ----------
    rows : Rows
    spec : DesignSpec
        Without the column.
    equation, position : int
        The column's equation, and its place among all parameters.
    turn : callable
        From a strip to its blocks without the column.
    """

    rows: Rows
    spec: DesignSpec
    equation: int
    position: int
    turn: Callable[[Strip], tuple[BlockRows, ...]]

    def fit(self, fit: Fit, options: Settings, value: float) -> tuple[float, Array] | None:
        """Log-likelihood and parameters, in a fit's shifted columns, at a value of the coefficient.

        None where the maximum lies on a boundary of the family, or there is none.
        """
        layout = layout_of(self.rows.spec)
        unit = np.zeros(layout.size)
        unit[self.position] = value

        def turned(strip: Strip) -> Strip:
            offsets = list(strip.offsets)
            moved, old = linear(layout, strip, unit, self.equation), strip.offsets[self.equation]
            offsets[self.equation] = moved if old is None else old + moved
            return replace(strip, blocks=self.turn(strip), offsets=tuple(offsets))

        rows = self.rows.turned(self.spec, turned)
        try:
            found = fit_of(rows, fit.family, options, compress=False).fit
        except ConvergenceError:
            return None
        if found.limits:
            return None
        user = np.insert(found.layout.unshift(found.theta), self.position, value)
        return found.llf, fit.layout.reshift(user)


def held_column(rows: Rows, position: int) -> HeldColumn | None:
    """The rows of a design without one of its columns; None where a part cannot do without it."""
    at = 0
    for k, equation in enumerate(rows.spec.equations):
        for number, part in enumerate(equation.parts):
            column = position - at
            at += len(part.names)
            if 0 <= column < len(part.names):
                return _held(rows, (k, number, column), position)
    return None


def _held(rows: Rows, place: tuple[int, int, int], position: int) -> HeldColumn | None:
    spec, (k, number, column) = rows.spec, place
    own = spec.equations[k]
    part = own.parts[number]
    if len(part.names) > 1 and (part.table is None or part.numeric):
        return None
    smaller = _smaller(part, column)
    parts = (*own.parts[:number], *smaller, *own.parts[number + 1 :])
    equations = list(spec.equations)
    equations[k] = EquationDesign(parts, own.offsets)
    # By its place: equations with the same terms share their parts.
    before = sum(len(equation.parts) for equation in spec.equations[:k]) + number
    block, first, _ = list(spec.places())[before]

    def turn(strip: Strip) -> tuple[BlockRows, ...]:
        if smaller:
            return strip.blocks
        kept = strip.blocks[block].rows
        less = kept[:first] + kept[first + 1 :] if part.table is None else ()
        changed = (BlockRows(strip.blocks[block].codes, less),) if less else ()
        return (*strip.blocks[:block], *changed, *strip.blocks[block + 1 :])

    return HeldColumn(rows, replace(spec, equations=tuple(equations)), k, position, turn)


def _smaller(part: Part, column: int) -> tuple[Part, ...]:
    """A factor without one column of its table; nothing is left of a single column."""
    if len(part.names) == 1:
        return ()
    assert part.table is not None
    kept = part.order != column
    order = part.order[kept]
    return (
        replace(
            part,
            table=part.table[:, kept],
            order=np.where(order > column, order - 1, order),
            names=(*part.names[:column], *part.names[column + 1 :]),
            plan=None,
        ),
    )
