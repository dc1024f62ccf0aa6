"""The levels of a factor as linear functions of the parameters, averaged over all else.

Within each term that the factor stands in, other factors have equal weights over their levels and
numbers are at their means (estimated marginal means: Searle, Speed & Milliken 1980, The American
Statistician 34). What stands in other terms is the same for all levels, and so are offsets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from glmcount.columns.coerce import coerce
from glmcount.columns.column import Column
from glmcount.design.spec import DesignSpec, EquationDesign, Part, Variable
from glmcount.design.values import coerced, numbers_of
from glmcount.errors import DataError, UsageError, near, some
from glmcount.families.base import Family
from glmcount.fitted import Fitted
from glmcount.numerics import Array
from glmcount.records import dataclass
from glmcount.sources.base import Columns

__all__ = ["FactorLevels", "factor_levels"]


@dataclass(frozen=True, eq=False)
class FactorLevels:
    """Levels of a factor in one equation.

    Parameters
    ----------
    term : str
        As it was asked for.
    labels : tuple of str
    base : int
        The level that the others are coded against, or the first.
    rows : ndarray, shape (levels, parameters)
        The part of each level's predictor that the factor has to do with, over all columns of
        the design as the user has them, left-out ones too.
    equation : int
        Of the fit's own family.
    """

    term: str
    labels: tuple[str, ...]
    base: int
    rows: Array
    equation: int


def factor_levels(state: Fitted, term: str) -> FactorLevels:
    """The levels of the factor that a user names.

    Raises
    ------
    UsageError
        If the model has no such factor, or its levels cannot be changed while all else stays.
    """
    number, code = _place(state, term)
    spec = state.spec
    variable = spec.variables[code]
    assert variable.levels is not None
    _refuse_entangled(spec, spec.equations[number], code)
    labels = tuple(str(level) for level in variable.levels)
    own = state.fit.layout.slices[number]
    rows = np.zeros((len(labels), state.fit.layout.size))
    rows[:, own] = _rows(state, spec.equations[number], code)
    return FactorLevels(term, labels, _base(variable), rows, number)


def _factors(spec: DesignSpec, family: Family) -> Iterator[tuple[str, tuple[int, str]]]:
    """Each name by which a factor may be asked for, and where it is."""
    for number, (equation, own) in enumerate(zip(spec.equations, family.equations, strict=True)):
        prefix = own.prefix if number else ""
        codes = dict.fromkeys(code for part in equation.parts for code in part.categorical)
        for code in codes:
            columns = spec.variables[code].expression.columns
            for name in dict.fromkeys((code, *(columns if len(columns) == 1 else ()))):
                yield prefix + name, (number, code)


def _place(state: Fitted, term: str) -> tuple[int, str]:
    found: dict[str, list[tuple[int, str]]] = {}
    for name, place in _factors(state.spec, state.fit.family):
        found.setdefault(name, []).append(place)
    if term not in found:
        told = some(map(repr, found), 12) if found else "none"
        raise UsageError(
            f"The model has no factor {term!r}.{near(term, found)} Factors it has: {told}. A "
            "number becomes a factor by C(...) in the formula; numbers and columns of arrays are "
            "compared by r.t_test('a - b = 0').",
            kind="no_factor",
        )
    if len(found[term]) > 1:
        codes = [code for _, code in found[term]]
        raise UsageError(
            f"The column {term!r} stands in the model as {some(codes)}, which cannot be changed "
            "one without the other. Use one of them in the formula, or r.t_test of coefficients.",
            kind="entangled_factor",
        )
    return found[term][0]


def _refuse_entangled(spec: DesignSpec, equation: EquationDesign, code: str) -> None:
    """Refuse a factor whose column other variables of its equation read too."""
    columns = set(spec.variables[code].expression.columns)
    codes = {c for part in equation.parts for c in (*part.numeric, *part.categorical)} - {code}
    shared = [c for c in sorted(codes) if columns & set(spec.variables[c].expression.columns)]
    if shared:
        raise UsageError(
            f"{code!r} reads the same column as {some(map(repr, shared))}, so that its levels "
            "cannot be changed while these stay as they are. Use one of them in the formula, or "
            "r.t_test of the coefficients.",
            kind="entangled_factor",
        )


def _base(variable: Variable) -> int:
    assert variable.levels is not None
    coding = variable.contrast
    reference = None if coding is None else coding.setting("reference")
    if reference is None or reference not in variable.levels:
        return 0
    return variable.levels.index(reference)


def _rows(state: Fitted, equation: EquationDesign, code: str) -> Array:
    """Each level's columns of the equation, zero in the terms without the factor."""
    spec = state.spec
    parts = [part for part in equation.parts if code in part.categorical]
    means = _means(state, tuple(dict.fromkeys(c for part in parts for c in part.numeric)))
    levels = spec.variables[code].levels
    assert levels is not None
    out = np.zeros((len(levels), len(equation.names)))
    start = 0
    for part in equation.parts:
        if code in part.categorical:
            factor: Any = np.ones(1)
            for each in part.numeric:
                factor = np.kron(factor, means[each])
            out[:, start + part.order] = np.kron(_averaged(spec, part, code), factor[None])
        start += len(part.names)
    return out


def _averaged(spec: DesignSpec, part: Part, code: str) -> Array:
    """Rows of a part's table by the levels of one factor, the mean over those of the others."""
    assert part.table is not None
    sizes = [len(spec.variables[each].levels or ()) for each in part.categorical]
    own = part.categorical.index(code)
    table = np.moveaxis(part.table.reshape(*sizes, -1), own, 0)
    return table.mean(axis=tuple(range(1, len(sizes))))


def _means(state: Fitted, codes: Sequence[str]) -> dict[str, Array]:
    """Numerical variables where the columns that they read are at their means."""
    if not codes:
        return {}
    spec = state.spec
    names = spec.columns(tuple(codes))
    found = _column_means(state, names)
    columns = {name: coerce(name, np.array([found[name]])) for name in names}
    return {
        code: np.concatenate(
            [
                np.asarray(values, dtype=np.float64)
                for values in numbers_of(spec.variables[code], columns, 1)
            ]
        )
        for code in codes
    }


def _column_means(state: Fitted, names: Sequence[str]) -> dict[str, float]:
    """Means over the used rows; weights that stand for copies or for a population count."""
    rows, spec = state.rows, state.spec
    weighs = spec.weights if state.weights_type != "importance" else None
    more = () if weighs is None else spec.columns((weighs,))
    rows.check()

    def one(number: int, first: int, raw: Columns) -> Array:
        columns = coerced(raw)
        n = rows.source.span(number)[1] - first
        where = rows.plan.where(number, n)
        used = slice(None) if where is None else where
        weights = np.ones(n)
        if weighs is not None:
            weights = np.asarray(
                numbers_of(spec.variables[weighs], columns, n)[0], dtype=np.float64
            )
        own = [np.dot(weights[used], _numbers(columns[name], name)[used]) for name in names]
        return np.array([*own, weights[used].sum()])

    every = tuple(dict.fromkeys((*names, *more)))
    *sums, total = rows.source.fold(every, one, np.add, rows.threads)
    return {name: float(value) / float(total) for name, value in zip(names, sums, strict=True)}


def _numbers(column: Column, name: str) -> Array:
    if column.kind != "numeric":
        raise DataError(
            f"The factor stands in a term with a number that is computed from {name!r}, which is "
            "no number and has no mean to hold it at. Write the product as a column of the data.",
            kind="no_mean",
        )
    return column.values.astype(np.float64)
