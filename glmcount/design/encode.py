"""Plain columns of a run of rows to an encoded strip: codes, views of numeric columns, offsets."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
from numpy.typing import NDArray

from glmcount.columns.column import Column, Levels, Values
from glmcount.design.doubts import as_numbers, logged, numbers_in
from glmcount.design.roles import role_values
from glmcount.design.spec import DesignSpec, EquationDesign, Part
from glmcount.design.values import codes_of, coerced, evaluated, joint_code, numbers_of, undefined
from glmcount.engine.block import BlockRows
from glmcount.engine.strip import Strip
from glmcount.errors import DataError, some
from glmcount.numerics import Array
from glmcount.records import dataclass, field, replace
from glmcount.sources.base import Columns

__all__ = ["Maker", "Piece", "encode"]

Row = Values | None


@dataclass(frozen=True)
class Piece:
    """A run of rows of the data, and which of them are used.

    Parameters
    ----------
    number, first, length : int
        Of the strip, of its first row, and how many rows it has.
    where : ndarray of int, shape (rows used,), or None
        The used ones, counted from its first; None for all.
    """

    number: int
    first: int
    length: int
    where: NDArray[np.intp] | None

    @property
    def used(self) -> int:
        """How many rows are used."""
        return self.length if self.where is None else len(self.where)


def encode(
    spec: DesignSpec,
    piece: Piece,
    columns: Columns,
    response: bool = True,
    codes: dict[str, Values] | None = None,
) -> Strip:
    """The strip that a design makes of columns.

    Parameters
    ----------
    spec : DesignSpec
    piece : Piece
    columns : mapping
        Of all rows of the piece, as the source has them.
    response : bool
        Whether response and weights are wanted.
    codes : dict, optional
        Joint codes by the names of their factors, where they are known; others are added.
    """
    return Maker(spec, piece, coerced(columns), response, {} if codes is None else codes).strip()


@dataclass
class Maker:
    """The columns of a piece, each variable made once."""

    spec: DesignSpec
    piece: Piece
    columns: Mapping[str, Column]
    response: bool
    codes: dict[str, Values]
    numbers: dict[str, list[Values]] = field(default_factory=dict)
    single: dict[str, Values] = field(default_factory=dict)

    def strip(self) -> Strip:
        """All of it, encoded."""
        spec, first = self.spec, self.piece.first
        used = self.piece.used
        beside = spec.beside if self.response else ()
        y, weights = np.zeros((1 + len(beside), used)), None
        if self.response:
            y[0] = self._plain(spec.response, "The response")
            for row, code in zip(y[1:], beside, strict=True):
                row[:] = self._limits(code, first)
            weights = None if spec.weights is None else self._plain(spec.weights, "weights")
        blocks: list[BlockRows] = []
        offsets = []
        for number, equation in enumerate(spec.equations):
            blocks += self._blocks(equation)
            exposure = spec.exposure if number == 0 else None
            given = equation.offsets or exposure is not None
            offsets.append(self._offset(equation, exposure) if given else None)
        return Strip(
            number=self.piece.number,
            first=first,
            n=used,
            where=self.piece.where,
            y=y,
            weights=weights,
            blocks=tuple(blocks),
            offsets=tuple(offsets),
            roles=self._roles() if spec.roles else (),
        )

    def changed(self, name: str, column: Column) -> Maker:
        """The same rows with another column in the place of one; what does not read it is kept."""
        variables = self.spec.variables

        def stays(code: str) -> bool:
            return name not in variables[code].expression.columns

        parts = [p for e in self.spec.equations for p in e.parts if p.table is not None]
        keys = {":".join(p.categorical) for p in parts if all(map(stays, p.categorical))}
        return replace(
            self,
            columns={**self.columns, name: column},
            codes={key: codes for key, codes in self.codes.items() if key in keys},
            numbers={code: own for code, own in self.numbers.items() if stays(code)},
            single={code: own for code, own in self.single.items() if stays(code)},
        )

    def _roles(self) -> tuple[Values, ...]:
        return role_values(self.spec.roles, self.columns, self.piece.where, self.piece.first)

    def kept(self, values: Values) -> Values:
        """Those of the rows used."""
        return values if self.piece.where is None else values[self.piece.where]

    def values_of(self, code: str) -> list[Values]:
        """The columns of a numerical variable in the rows used."""
        if code not in self.numbers:
            variable = self.spec.variables[code]
            self.numbers[code] = [
                self.kept(c) for c in numbers_of(variable, self.columns, self.piece.length)
            ]
        return self.numbers[code]

    def _plain(self, code: str, what: str) -> Array:
        variable = self.spec.variables[code]
        if variable.kind == "categorical" and variable.levels and _boolean(variable.levels):
            codes = self._categorical_codes(code)
            values = [np.asarray(variable.levels, dtype=np.float64)[codes]]
        elif variable.kind == "categorical" or variable.width != 1:
            raise DataError(
                f"{what} {code!r} must be one column of numbers, not "
                + (
                    f"levels such as {some(map(repr, variable.levels or ()), 3)}."
                    + _from_text(code, variable.levels or ())
                    if variable.levels
                    else f"{variable.width} columns."
                ),
                kind="response_type" if what == "The response" else what,
            )
        else:
            values = self.values_of(code)
        return np.ascontiguousarray(values[0], dtype=np.float64)

    def _limits(self, code: str, first: int) -> Array:
        """Limits of censoring; below 1 every count would be censored and say nothing."""
        limits = self._plain(code, "censored")
        bad = np.flatnonzero(~(limits >= 1))
        if len(bad):
            rows = (bad if self.piece.where is None else self.piece.where[bad]) + first
            raise DataError(
                f"censored {code!r} must be 1 or more: a count that reaches it says only 'so many "
                f"or more'. Rows (counted from 0) {some(rows)} hold {some(limits[bad])}. "
                "Infinity leaves a row uncensored.",
                kind="censored",
            )
        return limits

    def _categorical_codes(self, code: str) -> Values:
        if code not in self.single:
            variable = self.spec.variables[code]
            value = evaluated(variable.expression, variable.state, self.columns, self.piece.length)
            levels = variable.levels or ()
            self.single[code] = codes_of(value, levels, code, self.piece.where, self.piece.first)
        return self.single[code]

    def codes_by(self, part: Part) -> Values:
        """The joint code of the factors of a part."""
        key = ":".join(part.categorical)
        if key not in self.codes:
            variables = [self.spec.variables[code] for code in part.categorical]
            single = [self._categorical_codes(code) for code in part.categorical]
            for code, codes in zip(part.categorical, single, strict=True):
                if len(codes) and codes.item(codes.argmin()) < 0:
                    raise undefined(code, codes, self.piece.where, self.piece.first)
            joint = joint_code(single, [len(v.levels or ()) for v in variables])
            self.codes[key] = joint
        return self.codes[key]

    def _products(self, part: Part) -> tuple[Row, ...]:
        if not part.numeric:
            return (None,)
        out = []
        for chosen in product(*(self.values_of(code) for code in part.numeric)):
            column = chosen[0]
            for other in chosen[1:]:
                column = np.multiply(column, other, dtype=np.float64)
            out.append(column)
        return tuple(out)

    def _blocks(self, equation: EquationDesign) -> list[BlockRows]:
        dense: list[Row] = []
        coded = []
        for part in equation.parts:
            if part.table is None:
                dense += self._products(part)
            else:
                coded.append(BlockRows(self.codes_by(part), self._products(part)))
        return ([BlockRows(None, tuple(dense))] if dense else []) + coded

    def _offset(self, equation: EquationDesign, exposed: str | None) -> Array | None:
        total: Array | None = None
        for code in equation.offsets:
            value = np.asarray(self.values_of(code)[0], dtype=np.float64)
            total = value if total is None else total + value
        if exposed is not None:
            exposure = np.asarray(self.values_of(exposed)[0], dtype=np.float64)
            if len(exposure) and not exposure.min() > 0:
                self._refuse_exposure(exposure)
            log = np.log(exposure)
            total = log if total is None else total + log
        return total

    def _refuse_exposure(self, exposure: Array) -> None:
        bad = np.flatnonzero(~(exposure > 0))
        rows = (bad if self.piece.where is None else self.piece.where[bad]) + self.piece.first
        code = self.spec.exposure or ""
        inside = logged(self.spec.variables[code])
        instead = (
            f"Write exposure={inside!r}" if inside else "Leave these rows out, or correct them"
        )
        raise DataError(
            f"exposure {code!r} must be positive: its logarithm is the "
            f"offset. Rows (counted from 0) {some(rows)} hold {some(exposure[bad])}. {instead}.",
            kind="nonpositive_exposure",
        )


def _boolean(levels: Levels) -> bool:
    return all(isinstance(level, bool | np.bool_) for level in levels)


def _from_text(code: str, levels: Levels) -> str:
    """What to do with numbers that are written as text, or declared as categories."""
    if levels and not any(isinstance(each, str) for each in levels):
        return f" Make numbers of them in the data, by data[{code!r}].astype(float)."
    found, others = numbers_in(levels)
    if not found and not all(isinstance(each, str) and each.isdigit() for each in levels):
        return f" Name a column of numbers, or make one of {code} in the data."
    gone = f", which makes {some(map(repr, others), 3)} missing" if others else ""
    return f" Make numbers of them in the data, by {as_numbers(code, found, others)}{gone}."
