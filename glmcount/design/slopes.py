"""How a design moves with a column of the data: derivatives of all its columns, by row."""

from __future__ import annotations

from functools import reduce
from itertools import product

import numpy as np

from glmcount.design.encode import Maker, Piece
from glmcount.design.spec import DesignSpec, EquationDesign, Part
from glmcount.design.values import coerced
from glmcount.engine.block import BlockRows
from glmcount.engine.strip import Strip
from glmcount.errors import DataError
from glmcount.language.derivative import derivative
from glmcount.numerics import Array
from glmcount.records import dataclass, field
from glmcount.sources.base import Columns

__all__ = ["slopes"]


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
    blocks: list[BlockRows] = []
    offsets = []
    for number, equation in enumerate(spec.equations):
        blocks += made.blocks(equation)
        offsets.append(made.offset(equation, mean=number == 0))
    y = np.zeros((1, piece.used))
    own = (piece.number, piece.first, piece.used, piece.where)
    return Strip(*own, y, None, tuple(blocks), tuple(offsets)), made.exact


@dataclass
class _Slopes:
    column: str
    maker: Maker
    exact: bool = True
    known: dict[str, list[Array]] = field(default_factory=dict)

    def of(self, code: str) -> list[Array]:
        """Derivatives of the columns of a variable in the rows used."""
        if code not in self.known:
            variable, maker = self.maker.spec.variables[code], self.maker
            names = variable.expression.columns
            data = {name: maker.columns[name].value() for name in names}
            whole = {n: maker.columns[n] for n in names if maker.columns[n].whole is not None}
            if self.column in names:
                found = derivative(variable.expression, variable.state, data, self.column, whole)
                self.exact = self.exact and found.exact
                values = maker.kept(found.values)
                self.known[code] = list(values.T) if values.ndim > 1 else [values]
            else:
                still = np.zeros(maker.piece.used)
                self.known[code] = [still] * variable.width
        return self.known[code]

    def products(self, part: Part) -> tuple[Array, ...]:
        """The product rule over the variables of a part."""
        self._refuse_levels(part)
        if not part.numeric:
            return (np.zeros(self.maker.piece.used),)
        values = [self.maker.values_of(code) for code in part.numeric]
        moves = [self.of(code) for code in part.numeric]
        out = []
        for chosen in product(*(range(len(each)) for each in values)):
            total = np.zeros(self.maker.piece.used)
            for moving in range(len(chosen)):
                factors = [
                    moves[k][place] if k == moving else np.asarray(values[k][place], np.float64)
                    for k, place in enumerate(chosen)
                ]
                total += reduce(np.multiply, factors)
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

    def blocks(self, equation: EquationDesign) -> list[BlockRows]:
        """Blocks of an equation, in the order of `encode`."""
        dense: list[Array] = []
        coded = []
        for part in equation.parts:
            if part.table is None:
                dense += self.products(part)
            else:
                coded.append(BlockRows(self.maker.codes_by(part), self.products(part)))
        return ([BlockRows(None, tuple(dense))] if dense else []) + coded

    def offset(self, equation: EquationDesign, mean: bool) -> Array | None:
        """The derivative of an equation's offset."""
        parts = [self.of(code)[0] for code in equation.offsets]
        exposure = self.maker.spec.exposure if mean else None
        if exposure is not None:
            parts.append(self.of(exposure)[0] / self.maker.values_of(exposure)[0])
        return reduce(np.add, parts) if parts else None
