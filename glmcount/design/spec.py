"""The learnt design as frozen records: what a formula means once the data have been seen."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.columns.column import Extent, Levels, Values
from glmcount.columns.whole import above
from glmcount.errors import some
from glmcount.language.contrasts import Contrast
from glmcount.language.node import Expression
from glmcount.language.transforms import State
from glmcount.numerics import Array
from glmcount.records import cached_property, dataclass, field, replace

__all__ = ["Account", "DesignSpec", "EquationDesign", "Part", "Plan", "Role", "Variable"]


@dataclass(frozen=True)
class Variable:
    """One evaluated expression of a formula, with all that was learnt of it.

    Parameters
    ----------
    expression : Expression
    kind : {"numerical", "categorical"}
    width : int
        Columns a numerical variable has.
    levels : tuple or None
        Levels of a categorical variable.
    contrast : Contrast or None
        The coding asked for by ``C(...)``.
    state : State or None
        What stateful transforms have learnt.
    text : bool
        Whether its levels were found in a column of text.
    unused : object
        The level it was to be compared with, where no row used has it; else None.
    """

    expression: Expression
    kind: str
    width: int = 1
    levels: Levels | None = None
    contrast: Contrast | None = None
    state: State | None = None
    text: bool = False
    unused: Any = None


@dataclass(frozen=True)
class Part:
    """Columns that share one table and one set of numeric columns.

    Parameters
    ----------
    term : str
        patsy's name of the term.
    numeric, categorical : tuple of str
        Codes of its variables, in the term's order.
    table : ndarray, shape (joint levels, columns), or None
        Kronecker product of the contrast matrices, (joint levels, columns).
    order : ndarray of int, shape (columns,)
        For each column in block order (table slow, numeric fast) its place among `names`.
    names : tuple of str
        Column names, as patsy has them.
    plan : hashable, or None
        What it was made of, where that tells all of it: parts of one plan are alike.
    """

    term: str
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    table: Array | None
    order: NDArray[np.intp]
    names: tuple[str, ...]
    plan: Hashable = None


@dataclass(frozen=True)
class EquationDesign:
    """Design of one equation: its parts in order, and the codes of its offsets."""

    parts: tuple[Part, ...]
    offsets: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names, in the order in which the formula has its terms."""
        return tuple(name for part in self.parts for name in part.names)

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the terms, each once."""
        return tuple(dict.fromkeys(part.term for part in self.parts))


@dataclass(frozen=True, eq=False)
class Role:
    """A column that tells rows apart or orders them, beside the formula.

    Parameters
    ----------
    name : str
        Of the column.
    what : {"group", "order"}
    levels : ndarray, shape (levels,), or tuple, or None
        Of groups, the values that used rows have.
    table : ndarray of shape (numbers or codes,), or None
        Numbers of the levels by how far whole numbers lie above `low`, or by the codes of
        `known`; -1 where no used row has them.
    low : int
    known : tuple or None
        The levels of a categorical column that all partitions share.
    """

    name: str
    what: str
    levels: Values | Levels | None = None
    table: NDArray[np.int32] | None = None
    low: int = 0
    known: Levels | None = None

    def __getstate__(self) -> dict[str, object]:
        return {"name": self.name, "what": self.what, "levels": self.levels}

    def codes(self, values: Values) -> NDArray[np.int32]:
        """The number of each value among the levels; -1 where it is none."""
        if self.table is not None and self.known is None and values.dtype.kind in "iu":
            high = self.low + len(self.table) - 1
            if len(values) and values.min() >= self.low and values.max() <= high:
                return self.of(above(values, self.low))
        found: NDArray[np.int32] = self._index.get_indexer(pd.Index(values)).astype(np.int32)
        return found

    def of(self, places: Values) -> NDArray[np.int32]:
        """The numbers of levels by places in the table, in memory of their own."""
        assert self.table is not None
        return places.astype(np.int32) if self._dense else self.table.take(places)

    @cached_property
    def _dense(self) -> bool:
        """Whether each number of the table has its level, so that these are its places."""
        return self.table is not None and bool(self.table.min(initial=0) >= 0)

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self.levels)


@dataclass(frozen=True)
class DesignSpec:
    """Everything needed to build the same design from other rows.

    Parameters
    ----------
    formula : str
    variables : mapping of code to Variable
    equations : tuple of EquationDesign
        One for each equation of the family, the mean first.
    response : str
        Code of the response.
    exposure, weights : str or None
        Codes of the exposure and the weights.
    beside : tuple of str
        Codes of what the family reads beside the response, such as a limit of censoring.
    doubts : tuple of (kind, message)
        What may mean another model than was meant.
    roles : tuple of Role
        What a covariance reads beside the model.
    """

    formula: str
    variables: Mapping[str, Variable]
    equations: tuple[EquationDesign, ...]
    response: str
    exposure: str | None = None
    weights: str | None = None
    beside: tuple[str, ...] = ()
    doubts: tuple[tuple[str, str], ...] = ()
    roles: tuple[Role, ...] = ()

    def without(self, gone: Sequence[int]) -> DesignSpec:
        """The design of all equations but those."""
        kept = tuple(e for k, e in enumerate(self.equations) if k not in gone)
        return replace(self, equations=kept)

    def places(self) -> Iterator[tuple[int, int, Part]]:
        """Every part with its block, and the first of its numeric columns there.

        Numeric parts of an equation share a block, its first.
        """
        block = 0
        for equation in self.equations:
            dense, first = block, 0
            block += any(part.table is None for part in equation.parts)
            for part in equation.parts:
                if part.table is not None:
                    yield block, 0, part
                    block += 1
                    continue
                yield dense, first, part
                widths = [self.variables[code].width for code in part.numeric]
                first += math.prod(widths)

    @property
    def block_equations(self) -> tuple[int, ...]:
        """Equation of each block."""
        out: list[int] = []
        for k, equation in enumerate(self.equations):
            coded = sum(part.table is not None for part in equation.parts)
            out += [k] * (coded + (coded < len(equation.parts)))
        return tuple(out)

    @cached_property
    def predictors(self) -> tuple[str, ...]:
        """Codes a prediction needs."""
        codes: dict[str, None] = {}
        for equation in self.equations:
            for part in equation.parts:
                codes.update(dict.fromkeys((*part.numeric, *part.categorical)))
            codes.update(dict.fromkeys(equation.offsets))
        if self.exposure is not None:
            codes[self.exposure] = None
        return tuple(codes)

    @cached_property
    def single_levels(self) -> tuple[str, ...]:
        """Factors that have one level in the used rows."""
        return tuple(
            code
            for code, variable in self.variables.items()
            if variable.levels is not None and len(variable.levels) == 1 and code != self.response
        )

    def bare(self) -> DesignSpec:
        """The same without offset and exposure of the mean."""
        first = replace(self.equations[0], offsets=())
        return replace(self, equations=(first, *self.equations[1:]), exposure=None)

    def columns(self, codes: tuple[str, ...]) -> tuple[str, ...]:
        """Data columns that these variables read."""
        found: dict[str, None] = {}
        for code in codes:
            found.update(dict.fromkeys(self.variables[code].expression.columns))
        return tuple(found)


@dataclass(frozen=True)
class Account:
    """Which rows were left out and why; one row can have several reasons."""

    n_rows: int
    n_dropped: int
    reasons: Mapping[str, int]

    def told(self) -> str:
        """The reasons in words."""
        return some((f"{reason} {count:,}" for reason, count in self.reasons.items()), 12)


@dataclass(frozen=True)
class Plan:
    """Which rows a fit uses: one bit a row, and the account of the others.

    Parameters
    ----------
    keep : tuple of ndarray of uint8, shape (rows / 8,), or None, one each strip
        Packed bits; None where every row of the strip is used.
    account : Account
    extents : mapping of code to tuple of float
        Sum, smallest and largest value of plain columns of numbers, where every row is used:
        what was learnt while missing values were looked for.
    marks : tuple of mapping of str to int
        Of each strip the marks of the columns that were looked at; none where they are not known.
    """

    keep: tuple[NDArray[np.uint8] | None, ...]
    account: Account
    extents: Mapping[str, Extent] = field(default_factory=dict)
    marks: tuple[Mapping[str, int], ...] = ()

    def forgetting(self, columns: Collection[str]) -> Plan:
        """The same, of which the marks of some columns are not known any more."""
        kept = [{n: mark for n, mark in own.items() if n not in columns} for own in self.marks]
        return replace(self, marks=tuple(kept))

    def keeping(self, spans: Sequence[tuple[int, int]], mask: NDArray[np.bool_]) -> Plan:
        """Those of the used rows that a mask over all rows has, strip by strip."""
        keep, used = [], 0
        for number, (first, last) in enumerate(spans):
            own, where = mask[first:last], self.where(number, last - first)
            kept = own.copy() if where is None else np.zeros(last - first, dtype=bool)
            if where is not None:
                kept[where] = own[where]
            used += int(kept.sum())
            keep.append(None if kept.all() else np.packbits(kept))
        account = self.account
        left = account.n_rows - account.n_dropped - used
        reasons = {**account.reasons, "masked": left} if left else account.reasons
        return Plan(tuple(keep), Account(account.n_rows, account.n_dropped + left, reasons))

    def where(self, number: int, n: int) -> NDArray[np.intp] | None:
        """Used rows of a strip of n rows, or None for all."""
        bits = self.keep[number]
        return None if bits is None else np.flatnonzero(np.unpackbits(bits, count=n))
