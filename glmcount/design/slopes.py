"""How a design moves with a column of the data: derivatives of its columns, by row."""

from __future__ import annotations

from functools import reduce
from itertools import product

import numpy as np

from glmcount.columns.column import Values
from glmcount.design.encode import Maker, Piece
from glmcount.design.spec import DesignSpec, EquationDesign, Part
from glmcount.design.values import coerced
from glmcount.engine.block import BlockRows
from glmcount.engine.strip import Strip
from glmcount.errors import DataError
from glmcount.language.derivative import derivative
from glmcount.numerics import Array
from glmcount.numerics.jets import ONE, plus
from glmcount.numerics.jets import product as times
from glmcount.records import dataclass, field
from glmcount.sources.base import Columns

__all__ = ["Motion", "Move", "moves", "slopes"]


@dataclass(frozen=True)
class Move:
    """A numeric column of a block that moves.

    Parameters
    ----------
    block, place : int
        Of the block, and of the column among its numeric ones.
    codes : ndarray of int, shape (n,), or None
        Of the block's factors.
    row : ndarray, shape (n,) or (1,)
        Its derivative.
    """

    block: int
    place: int
    codes: Values | None
    row: Array


@dataclass(frozen=True)
class Motion:
    """How a strip moves with a column: what is not here stays.

    Parameters
    ----------
    columns : tuple of Move
    offsets : tuple of ndarray of shape (n,) or None, one each equation
    exact : bool
        False where a derivative is a central difference.
    """

    columns: tuple[Move, ...]
    offsets: tuple[Array | None, ...]
    exact: bool


def moves(maker: Maker, column: str) -> Motion:
    """The derivatives of what `encode` makes by a column of numbers; products by their rule.

    Raises
    ------
    DataError
        If the column, or what the formula makes of it, has levels.
    """
    made = _Slopes(column, maker)
    found: list[Move] = []
    offsets = []
    first = 0
    for number, equation in enumerate(maker.spec.equations):
        blocks = made.blocks(equation)
        for block, (codes, rows) in enumerate(blocks, first):
            found += [Move(block, k, codes, row) for k, row in enumerate(rows) if row is not None]
        first += len(blocks)
        offsets.append(made.offset(equation, mean=number == 0))
    return Motion(tuple(found), tuple(offsets), made.exact)


def slopes(spec: DesignSpec, piece: Piece, columns: Columns, column: str) -> tuple[Strip, bool]:
    """The strip of the derivatives of what `encode` makes, and whether all of them are exact.

    Its blocks are those of the design, not shifted; interactions follow the product rule, and what
    does not move is zero. Its offsets are derivatives of offsets.

    Raises
    ------
    DataError
        If the column, or what the formula makes of it, has levels.
    """
    made = _Slopes(column, Maker(spec, piece, coerced(columns), False, {}))
    still = np.zeros(piece.used)
    blocks: list[BlockRows] = []
    offsets: list[Array | None] = []

    def whole(row: Array | None) -> Array:
        return still if row is None else np.broadcast_to(row, still.shape)

    for number, equation in enumerate(spec.equations):
        blocks += [
            BlockRows(codes, tuple(map(whole, rows))) for codes, rows in made.blocks(equation)
        ]
        own = made.offset(equation, mean=number == 0)
        reads = equation.offsets or (number == 0 and spec.exposure is not None)
        offsets.append(whole(own) if reads else None)
    y = np.zeros((1, piece.used))
    own_rows = (piece.number, piece.first, piece.used, piece.where)
    return Strip(*own_rows, y, None, tuple(blocks), tuple(offsets)), made.exact


@dataclass
class _Slopes:
    column: str
    maker: Maker
    exact: bool = True
    known: dict[str, list[Array | None]] = field(default_factory=dict)

    def of(self, code: str) -> list[Array | None]:
        """Derivatives of the columns of a variable in the rows used; None where they stay."""
        if code not in self.known:
            variable = self.maker.spec.variables[code]
            reads = self.column in variable.expression.columns
            self.known[code] = self._moved(code) if reads else [None] * variable.width
        return self.known[code]

    def _moved(self, code: str) -> list[Array | None]:
        variable, maker = self.maker.spec.variables[code], self.maker
        expression, names = variable.expression, variable.expression.columns
        if expression.tree.kind == "column" and maker.columns[self.column].kind == "numeric":
            return [ONE]
        data = {name: maker.columns[name].value() for name in names}
        whole = {n: maker.columns[n] for n in names if maker.columns[n].whole is not None}
        found = derivative(expression, variable.state, data, self.column, whole)
        self.exact = self.exact and found.exact
        values = maker.kept(found.values)
        return list(values.T) if values.ndim > 1 else [values]

    def products(self, part: Part) -> tuple[Array | None, ...]:
        """The product rule over the variables of a part."""
        self._refuse_levels(part)
        if not part.numeric:
            return (None,)
        values = [self.maker.values_of(code) for code in part.numeric]
        moved = [self.of(code) for code in part.numeric]
        out: list[Array | None] = []
        for chosen in product(*(range(len(each)) for each in values)):
            total: Array | None = None
            for moving, own in enumerate(chosen):
                term = moved[moving][own]
                for k, place in enumerate(chosen):
                    if k != moving and term is not None:
                        term = times(term, np.asarray(values[k][place], np.float64))
                total = plus(total, term)
            out.append(total)
        return tuple(out)

    def _refuse_levels(self, part: Part) -> None:
        for code in part.categorical:
            if self.column in self.maker.spec.variables[code].expression.columns:
                raise DataError(
                    f"{code} has levels: it does not move with {self.column!r} but jumps. Compare "
                    f"levels, or let {self.column!r} enter the formula as a number.",
                    kind="no_derivative",
                )

    def blocks(
        self, equation: EquationDesign
    ) -> list[tuple[Values | None, tuple[Array | None, ...]]]:
        """Codes and derivatives of the blocks of an equation, in the order of `encode`."""
        dense: list[Array | None] = []
        coded: list[tuple[Values | None, tuple[Array | None, ...]]] = []
        for part in equation.parts:
            if part.table is None:
                dense += self.products(part)
            else:
                coded.append((self.maker.codes_by(part), self.products(part)))
        return [(None, tuple(dense)), *coded] if dense else coded

    def offset(self, equation: EquationDesign, mean: bool) -> Array | None:
        """The derivative of an equation's offset."""
        parts = [self.of(code)[0] for code in equation.offsets]
        exposure = self.maker.spec.exposure if mean else None
        if exposure is not None:
            moved = self.of(exposure)[0]
            parts.append(None if moved is None else moved / self.maker.values_of(exposure)[0])
        return reduce(plus, parts, None)
