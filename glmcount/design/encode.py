"""Strips of plain columns to encoded strips: codes, views of numeric columns, offsets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import product
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from glmcount.columns.column import Column
from glmcount.design.spec import Account, DesignSpec, EquationDesign, Part, Plan
from glmcount.design.values import codes_of, coerced, evaluated, joint_code, numbers_of, undefined
from glmcount.engine.block import BlockRows
from glmcount.engine.strip import Strip, one_strip
from glmcount.errors import DataError, some
from glmcount.numerics import Array
from glmcount.numerics.blas import several, solving
from glmcount.records import dataclass, field, replace
from glmcount.sources.base import THREADED_BLAS, Columns, Source, map_fold

__all__ = ["Encoder"]

T = TypeVar("T")
Row = NDArray[Any] | None


@dataclass
class Encoder:
    """Encodes strips of a source by a learnt design, and folds over them.

    Codes are kept from pass to pass, and whole encoded strips while `memory` lasts. Cells
    that stand for rows come as strips that are kept, with the encoder of the rows `behind`.
    `tables` is where what is made of a design stays from one response to the next. Where it is
    `made` from another encoder, that one's strips are turned into its own.
    """

    source: Source
    spec: DesignSpec
    plan: Plan
    threads: int | None = None
    memory: int = 0
    codes: dict[tuple[int, str], NDArray[Any]] = field(default_factory=dict)
    strips: dict[int, Strip] = field(default_factory=dict)
    response: bool = True
    behind: Encoder | None = None
    tables: dict[Any, Any] = field(default_factory=dict)
    made: tuple[Encoder, Callable[[Strip], Strip]] | None = None

    def fold(
        self, work: Callable[[Strip], T], add: Callable[[T, T], T], threads: int | None = None
    ) -> T:
        """Fold ``work(strip)`` over all strips, in order; `threads` where the user named none."""

        def one(number: int, first: int, raw: Columns) -> T:
            return work(self.encoded(number, first, raw))

        held = len(self.strips) == 1 == self.source.n_strips
        if held and self.source.n_rows < THREADED_BLAS:
            return work(self.strips[0])
        names = () if len(self.strips) == self.source.n_strips else self.names
        return map_fold(self.source, names, one, add, self.threads or threads)

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of the source that are read."""
        if self.made is not None:
            return self.made[0].names
        spec = self.spec
        own: list[str] = [spec.response, *spec.beside] if self.response else []
        if spec.weights is not None and self.response:
            own.append(spec.weights)
        return spec.columns((*own, *spec.predictors))

    def without(self, gone: Sequence[int]) -> Encoder:
        """The same rows for all equations but those; codes and encoded strips are shared."""
        if not gone:
            return self
        kept = [k for k in range(len(self.spec.equations)) if k not in gone]
        own = [i for i, number in enumerate(self.spec.block_equations) if number in kept]
        strips = {number: strip.of(own, kept) for number, strip in self.strips.items()}
        behind = None if self.behind is None else self.behind.without(gone)
        return replace(self, spec=self.spec.without(gone), strips=strips, behind=behind)

    def constants(self, spec: DesignSpec) -> Encoder:
        """The same rows by a design of which every equation is a constant, or nothing."""
        ones = tuple(BlockRows(None, (None,)) for equation in spec.equations if equation.parts)
        count = len(spec.equations)
        strips = {
            number: replace(strip, blocks=ones, offsets=strip.offsets[:count])
            for number, strip in self.strips.items()
        }
        behind = None if self.behind is None else self.behind.constants(spec)
        return replace(self, spec=spec, codes={}, strips=strips, behind=behind)

    def turned(self, spec: DesignSpec, turn: Callable[[Strip], Strip]) -> Encoder:
        """The same rows by another design, whose strips are made of these when they are read."""
        strips = {number: turn(strip) for number, strip in self.strips.items()}
        behind = None if self.behind is None else self.behind.turned(spec, turn)
        return replace(self, spec=spec, codes={}, strips=strips, behind=behind, made=(self, turn))

    @property
    def rows(self) -> Encoder:
        """The rows themselves: those behind cells, else what is encoded here."""
        return self if self.behind is None else self.behind

    def strip(self, number: int) -> Strip:
        """One strip."""
        names = () if number in self.strips else self.names
        return self.encoded(number, *self.source.strip(number, names))

    def head(self, rows: int, parts: int = 1) -> Encoder:
        """The first used rows of every strip, held in memory as so many strips."""
        strips = self.fold(lambda strip: [strip.span(0, rows)], lambda a, b: a + b)
        whole = one_strip(strips)
        return self.holding(whole, max(-(-whole.n // parts), 1))

    def holding(self, rows: Strip, strip_rows: int | None = None) -> Encoder:
        """Rows that are held in memory, whatever the source."""
        source = Source((), rows.n, None, lambda first, last, names: {}, strip_rows)
        plan = Plan((None,) * source.n_strips, Account(rows.n, 0, {}))
        held = {}
        for number in range(source.n_strips):
            first, last = source.span(number)
            part = rows.span(first, last)
            held[number] = replace(part, number=number, first=first, where=None)
        return replace(self, source=source, plan=plan, strips=held, codes={}, memory=0)

    def solving(self, size: int) -> AbstractContextManager[None]:
        """For solves between passes, which BLAS need not share between threads.

        Passes over several strips hold it to one anyhow.
        """
        return solving(size) if self.source.n_strips == 1 else several(size)

    @property
    def n_used(self) -> int:
        """Rows used."""
        return self.plan.account.n_rows - self.plan.account.n_dropped

    def encoded(self, number: int, first: int, raw: Columns) -> Strip:
        """A strip, from the cache or made from its columns."""
        found = self.strips.get(number)
        if found is not None:
            return found
        if self.made is not None:
            origin, turn = self.made
            return turn(origin.encoded(number, first, raw))
        n = self.source.span(number)[1] - first
        maker = _StripMaker(self, number, n, coerced(raw), self.plan.where(number, n))
        strip = maker.strip(first)
        cost = _own_bytes(strip)
        if cost <= self.memory:
            self.memory -= cost
            self.strips[number] = strip
        return strip


def _own_bytes(strip: Strip) -> int:
    """Bytes a strip holds beyond the source's own columns."""
    arrays: list[Any] = [strip.y, strip.weights, *strip.offsets]
    for block in strip.blocks:
        arrays += block.rows
    return sum(a.nbytes for a in arrays if a is not None and a.base is None)


@dataclass
class _StripMaker:
    encoder: Encoder
    number: int
    length: int
    columns: Mapping[str, Column]
    where: NDArray[np.intp] | None
    numbers: dict[str, list[NDArray[Any]]] = field(default_factory=dict)
    single: dict[str, NDArray[Any]] = field(default_factory=dict)

    def strip(self, first: int) -> Strip:
        spec = self.encoder.spec
        used = self.length if self.where is None else len(self.where)
        y, weights = np.zeros((1, used)), None
        if self.encoder.response:
            y = np.stack(
                [
                    self._plain(spec.response, "The response"),
                    *(self._limits(code, first) for code in spec.beside),
                ]
            )
            weights = None if spec.weights is None else self._plain(spec.weights, "weights")
        blocks: list[BlockRows] = []
        offsets = []
        for number, equation in enumerate(spec.equations):
            blocks += self._blocks(equation)
            offsets.append(self._offset(equation, first, mean=number == 0))
        return Strip(
            self.number,
            first,
            used,
            self.where,
            y,
            weights,
            tuple(blocks),
            tuple(offsets),
        )

    @property
    def _first(self) -> int:
        return self.encoder.source.span(self.number)[0]

    def _kept(self, values: NDArray[Any]) -> NDArray[Any]:
        return values if self.where is None else values[self.where]

    def _numbers(self, code: str) -> list[NDArray[Any]]:
        if code not in self.numbers:
            variable = self.encoder.spec.variables[code]
            self.numbers[code] = [
                self._kept(c) for c in numbers_of(variable, self.columns, self.length)
            ]
        return self.numbers[code]

    def _plain(self, code: str, what: str) -> Array:
        variable = self.encoder.spec.variables[code]
        if variable.kind == "categorical" and variable.levels and _boolean(variable.levels):
            codes = self._categorical_codes(code)
            values = [np.asarray(variable.levels, dtype=np.float64)[codes]]
        elif variable.kind == "categorical" or variable.width != 1:
            raise DataError(
                f"{what} {code!r} must be one column of numbers, not "
                + (
                    f"levels such as {some(variable.levels or (), 3)}."
                    if variable.levels
                    else f"{variable.width} columns."
                ),
                kind="response_type" if what == "The response" else what,
            )
        else:
            values = self._numbers(code)
        return np.ascontiguousarray(values[0], dtype=np.float64)

    def _limits(self, code: str, first: int) -> Array:
        """Limits of censoring; below 1 every count would be censored and say nothing."""
        limits = self._plain(code, "censored")
        bad = np.flatnonzero(~(limits >= 1))
        if len(bad):
            rows = (bad if self.where is None else self.where[bad]) + first
            raise DataError(
                f"censored {code!r} must be 1 or more: a count that reaches it says only 'so many "
                f"or more'. Rows (counted from 0) {some(rows)} hold {some(limits[bad])}. "
                "Infinity leaves a row uncensored.",
                kind="censored",
            )
        return limits

    def _categorical_codes(self, code: str) -> NDArray[Any]:
        if code not in self.single:
            variable = self.encoder.spec.variables[code]
            value = evaluated(variable.expression, variable.state, self.columns, self.length)
            levels = variable.levels or ()
            self.single[code] = codes_of(value, levels, code, self.where, self._first)
        return self.single[code]

    def _codes(self, part: Part) -> NDArray[Any]:
        key = (self.number, ":".join(part.categorical))
        if key not in self.encoder.codes:
            variables = [self.encoder.spec.variables[code] for code in part.categorical]
            single = [self._categorical_codes(code) for code in part.categorical]
            for code, codes in zip(part.categorical, single, strict=True):
                if len(codes) and codes.item(codes.argmin()) < 0:
                    raise undefined(code, codes, self.where, self._first)
            joint = joint_code(single, [len(v.levels or ()) for v in variables])
            self.encoder.codes[key] = joint
        return self.encoder.codes[key]

    def _products(self, part: Part) -> tuple[Row, ...]:
        if not part.numeric:
            return (None,)
        out = []
        for chosen in product(*(self._numbers(code) for code in part.numeric)):
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
                coded.append(BlockRows(self._codes(part), self._products(part)))
        return ([BlockRows(None, tuple(dense))] if dense else []) + coded

    def _offset(self, equation: EquationDesign, first: int, mean: bool) -> Array | None:
        spec = self.encoder.spec
        total: Array | None = None
        for code in equation.offsets:
            value = np.asarray(self._numbers(code)[0], dtype=np.float64)
            total = value if total is None else total + value
        if mean and spec.exposure is not None:
            exposure = np.asarray(self._numbers(spec.exposure)[0], dtype=np.float64)
            if len(exposure) and not exposure.min() > 0:
                self._refuse_exposure(exposure, first)
            log = np.log(exposure)
            total = log if total is None else total + log
        return total

    def _refuse_exposure(self, exposure: Array, first: int) -> None:
        bad = np.flatnonzero(~(exposure > 0))
        rows = (bad if self.where is None else self.where[bad]) + first
        raise DataError(
            f"exposure {self.encoder.spec.exposure!r} must be positive: its logarithm is the "
            f"offset. Rows (counted from 0) {some(rows)} hold {some(exposure[bad])}. Leave these "
            "rows out, or correct them.",
            kind="nonpositive_exposure",
        )


def _boolean(levels: tuple[Any, ...]) -> bool:
    return all(isinstance(level, bool | np.bool_) for level in levels)
