"""Learning a design: which rows are used, what each variable is, what transforms keep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.columns.coerce import union_levels
from glmcount.columns.column import Column, Extent, Levels
from glmcount.design.given import plain_name
from glmcount.design.marks import Marks, marks_of
from glmcount.design.spec import Account, Plan, Variable
from glmcount.design.states import memorised
from glmcount.design.task import length_of
from glmcount.design.values import Value, coerced, evaluated, used_levels
from glmcount.errors import DataError, FormulaError, counted, some
from glmcount.language.contrasts import settled_contrast
from glmcount.language.node import Expression
from glmcount.language.transforms import State
from glmcount.numerics.control import Control
from glmcount.records import dataclass, field, replace
from glmcount.sources.base import Columns, Source

__all__ = ["complete_rows", "learn_variables"]

HEAVIEST = 1e75

Mask = NDArray[np.bool_]
# Levels with which the codes of a strip of text are kept: the levels themselves take memory.
FEW = 4_096


@dataclass
class _Scan:
    """What one strip, or several folded, told."""

    lengths: list[int] = field(default_factory=list)
    keep: list[Mask | None] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    used: int = 0
    # Of the first strip that is used: a column without a value has no type.
    kinds: dict[str, Value] = field(default_factory=dict)
    levels: dict[str, list[tuple[Levels, Levels, bool]]] = field(default_factory=dict)
    text: dict[int, dict[str, Column]] = field(default_factory=dict)
    extents: dict[str, Extent] = field(default_factory=dict)
    marks: list[Marks] = field(default_factory=list)


def learn_variables(
    source: Source,
    expressions: Mapping[str, Expression],
    weights: str | None,
    control: Control,
    also: Sequence[str] = (),
) -> tuple[dict[str, Variable], Plan, Source]:
    """Go over the rows and learn every variable, the rows to use, and how many there are.

    A row is used when no column it needs is missing, none of `also` either, and its weight is
    positive. Levels are those of the used rows, as R's glm has them. The source comes back with
    its text read: finding the levels of text is most of what reading it costs.

    Raises
    ------
    DataError
        For unusable columns or weights.
    MemoryLimitError
        Where quantiles are asked for of too many values.
    """
    own = (name for e in expressions.values() for name in e.columns)
    names = tuple(dict.fromkeys((*own, *also)))
    # A single strip is held as it was read; text that was coded elsewhere stays there.
    single = source.stream is None and source.n_strips == 1
    light = not single and _light(source, names, expressions)
    threads = control.threads or (1 if light else None)
    # Doubles that can be read again are marked later, by all threads.
    again = not single and source.stream is None and source.folding is None
    text = not single and source.folding is None
    look = partial(_scan, expressions, weights, tuple(also), text, again)
    scan = source.fold(names or source.names[:1], look, _fold, threads)
    source = source.measured(scan.lengths)
    states = memorised(source, expressions, scan.keep, control)
    variables = {}
    for code, expression in expressions.items():
        if expression.stateful:
            scan.kinds[code] = _first_value(source, expression, states[code])
        variables[code] = _variable(code, expression, scan, states.get(code))
    account = Account(source.n_rows, source.n_rows - scan.used, scan.missing)
    bits = tuple(None if keep is None else np.packbits(keep) for keep in scan.keep)
    whole = all(keep is None for keep in scan.keep)
    extents = {code: e for code, e in scan.extents.items() if whole and math.isfinite(e[0])}
    source = replace(source, coded=scan.text) if any(scan.text.values()) else source
    return variables, Plan(bits, account, extents, tuple(scan.marks)), source


def _light(source: Source, names: Sequence[str], expressions: Mapping[str, Expression]) -> bool:
    """Whether a strip is looked through in steps as short as a second thread takes to wake up."""
    if source.stream is not None or any(e.tree.kind != "column" for e in expressions.values()):
        return False
    return all(
        isinstance(column, pd.Categorical | Column)
        or (isinstance(column, np.ndarray) and column.dtype.kind in "biuf")
        for column in source.columns(0, 0, names).values()
    )


def _scan(
    expressions: Mapping[str, Expression],
    weights: str | None,
    also: tuple[str, ...],
    text: bool,
    again: bool,
    number: int,
    first: int,
    raw: Columns,
) -> _Scan:
    columns, length = coerced(raw), length_of(raw)
    scan = _Scan([length])
    # Here, where text is read and codes are in the processor's cache.
    light = {n: c for n, c in columns.items() if not again or c.values.dtype.kind != "f"}
    scan.marks = [marks_of(light)]
    masks = {name: column.missing_mask() for name, column in columns.items()}
    values = {
        code: evaluated(expression, None, columns, length)
        for code, expression in expressions.items()
        if not expression.stateful
    }
    if number == 0:
        for code, value in values.items():
            if expressions[code].functions:
                _check_by_row(code, expressions[code], columns, value)
    keep = _kept(scan, expressions, weights, also, masks, values, first)
    scan.keep = [keep]
    _note_values(scan, expressions, columns, values)
    scan.used = length if keep is None else int(np.count_nonzero(keep))
    scan.kinds = values
    if text:
        few = {n: c for n, c in columns.items() if c.found and len(c.levels or ()) < FEW}
        scan.text = {first: few}
    return scan


def _kept(
    scan: _Scan,
    expressions: Mapping[str, Expression],
    weights: str | None,
    also: tuple[str, ...],
    masks: Mapping[str, Mask | None],
    values: Mapping[str, Value],
    first: int,
) -> Mask | None:
    """Which rows of a strip are used, None for all; the others are counted by what they lack."""
    drop: Mask | None = None
    lost: dict[str, Mask] = {}
    for code, expression in expressions.items():
        own = _missing(expression, values.get(code), masks)
        if code == weights:
            own = _zero_weights(code, first, values[code], own)
            if own is not None:
                scan.missing[f"{_called(expression)} zero"] = int(own.sum())
        elif own is not None:
            _note_missing(lost, expression, masks, own)
        if own is not None:
            drop = own.copy() if drop is None else drop | own
    for name in also:
        mask = masks[name]
        if mask is not None:
            lost[name] = mask
            drop = mask if drop is None else drop | mask
    for name, mask in lost.items():
        reason = f"{plain_name(name)} missing"
        scan.missing[reason] = scan.missing.get(reason, 0) + int(mask.sum())
    return None if drop is None or not drop.any() else ~drop


def _note_values(
    scan: _Scan,
    expressions: Mapping[str, Expression],
    columns: Mapping[str, Column],
    values: Mapping[str, Value],
) -> None:
    """Note the levels of a strip, and the extents of its numbers where all rows are used."""
    for code, value in values.items():
        if value.column is not None:
            given = value.column.declared or value.levels != value.column.levels
            scan.levels[code] = [(value.levels, used_levels(value, scan.keep[0]), given)]
        elif scan.keep[0] is None and expressions[code].tree.kind == "column":
            extent = columns[expressions[code].columns[0]].extent
            if extent is not None:
                scan.extents[code] = extent


def _called(expression: Expression) -> str:
    """An expression in the user's words: what was given as an array by what it is for."""
    name = expression.tree.name if expression.tree.kind == "column" else ""
    return name.strip("<>") if name.startswith("<") else expression.code


def _check_by_row(
    code: str, expression: Expression, columns: Mapping[str, Column], value: Value
) -> None:
    """Refuse a user's function that looks beyond the row: strips and new data would differ."""
    if value.numbers is None or len(value.numbers) < 2:
        return
    half = len(value.numbers) // 2
    few = {
        n: replace(columns[n], values=columns[n].values[:half], whole=None)
        for n in expression.columns
    }
    again = evaluated(expression, None, few, half).numbers
    if again is None or not np.allclose(again, value.numbers[:half], rtol=1e-9, equal_nan=True):
        raise FormulaError(
            f"{code} gives other values when it sees fewer rows, so it would not mean the same for "
            "new data or for large tables. A function in env= must work row by row; center(x) and "
            "standardize(x) learn their constants from the fit.",
            kind="not_by_row",
        )


def _note_missing(
    lost: dict[str, Mask], expression: Expression, masks: Mapping[str, Mask | None], own: Mask
) -> None:
    """Add to the rows lost for each column: expressions that ask for missing values lose fewer."""
    for name in expression.columns:
        mask = masks[name]
        if mask is not None:
            lost[name] = mask & own if name not in lost else lost[name] | (mask & own)


def _missing(
    expression: Expression, value: Value | None, masks: Mapping[str, Mask | None]
) -> Mask | None:
    """Rows this variable cannot be had for, because a column it reads is missing there."""
    drop: Mask | None = None
    for name in expression.columns:
        mask = masks[name]
        if mask is not None:
            drop = mask if drop is None else drop | mask
    if drop is None or not expression.handles_missing or value is None:
        return drop
    if value.column is not None:
        absent = value.column.values < 0
    else:
        assert value.numbers is not None
        absent = np.isnan(value.numbers)
    own = drop & (absent if absent.ndim == 1 else absent.any(axis=1))
    return own if own.any() else None


def _zero_weights(code: str, first: int, value: Value, missing: Mask | None) -> Mask | None:
    numbers = value.numbers
    if numbers is None or numbers.ndim != 1:
        raise DataError(f"weights {code!r} must be one column of numbers.", kind="weights")
    if missing is not None and missing.any():
        raise DataError(
            f"weights {code!r} are missing in {counted(int(missing.sum()), 'row')}, the first row "
            f"{first + int(np.argmax(missing))} (counted from 0). Give every row a weight; "
            "0 leaves a row out.",
            kind="missing_weights",
        )
    bad = ~(numbers >= 0) | np.isinf(numbers)
    if bad.any():
        rows = np.flatnonzero(bad)
        raise DataError(
            f"weights {code!r} must be finite and not negative; rows (counted from 0) "
            f"{some(rows + first)} hold {some(numbers[rows])}.",
            kind="negative_weights",
        )
    zero = numbers == 0
    far = np.flatnonzero(numbers > HEAVIEST)
    if len(far):
        raise DataError(
            f"weights {code!r} must be no larger than {HEAVIEST:g}, so that sums of their squares "
            f"are numbers; rows (counted from 0) {some(far + first)} hold "
            f"{some(numbers[far])}. Divide all weights by one of them: estimates stay as they "
            "are.",
            kind="weights_range",
        )
    return zero if zero.any() else None


def _fold(total: _Scan, part: _Scan) -> _Scan:
    total.lengths += part.lengths
    total.keep += part.keep
    total.marks += part.marks
    if not total.used:
        total.kinds = part.kinds if part.used else total.kinds
    total.used += part.used
    for name, count in part.missing.items():
        total.missing[name] = total.missing.get(name, 0) + count
    total.text |= part.text
    # Of the strips together only what every one of them told.
    total.extents = {
        code: (a[0] + b[0], min(a[1], b[1]), max(a[2], b[2]))
        for code, a in total.extents.items()
        if (b := part.extents.get(code)) is not None
    }
    for code, levels in part.levels.items():
        total.levels.setdefault(code, []).extend(levels)
    return total


def _first_value(source: Source, expression: Expression, state: State | None) -> Value:
    columns = coerced(source.strip(0, expression.columns)[1])
    return evaluated(expression, state, columns, source.span(0)[1])


def _variable(code: str, expression: Expression, scan: _Scan, state: State | None) -> Variable:
    value = scan.kinds[code]
    if value.column is None:
        assert value.numbers is not None
        width = 1 if value.numbers.ndim == 1 else value.numbers.shape[1]
        return Variable(expression, "numerical", width, None, value.contrast, state)
    found = scan.levels.get(code, [])
    order = union_levels(
        [levels for levels, _, _ in found], declared=any(d for _, _, d in found), name=code
    )
    used = {level for _, seen, _ in found for level in seen}
    levels = tuple([level for level in order if level in used])
    if not scan.used:
        return Variable(expression, "categorical", 1, levels, value.contrast, state)
    if not levels:
        raise DataError(
            f"{code} has none of the levels {some(map(repr, order))} in any row used. Levels are "
            "compared with their type: 1 is not '1'.",
            kind="unseen_level",
        )
    contrast, unused = settled_contrast(expression, value.contrast, order, levels)
    text = expression.tree.kind == "column" and not any(declared for _, _, declared in found)
    return Variable(expression, "categorical", 1, levels, contrast, state, text, unused)


def complete_rows(
    source: Source, variables: Mapping[str, Variable], threads: int | None
) -> tuple[Plan, Source]:
    """Rows of new data in which no variable is missing; the others predict to NaN."""
    expressions = {code: v.expression for code, v in variables.items()}
    names = tuple(dict.fromkeys(name for e in expressions.values() for name in e.columns))
    if not names and source.counted:
        return Plan((None,) * source.n_strips, Account(source.n_rows, 0, {})), source
    scan = source.fold(names or source.names[:1], partial(_complete, variables), _fold, threads)
    source = source.measured(scan.lengths)
    bits = tuple(None if keep is None else np.packbits(keep) for keep in scan.keep)
    return Plan(bits, Account(source.n_rows, source.n_rows - scan.used, {})), source


def _complete(variables: Mapping[str, Variable], number: int, first: int, raw: Columns) -> _Scan:
    columns, length = coerced(raw), length_of(raw)
    masks = {name: column.missing_mask() for name, column in columns.items()}
    drop: Mask | None = None
    for variable in variables.values():
        value, expression = None, variable.expression
        if expression.handles_missing:
            value = evaluated(expression, variable.state, columns, length)
        own = _missing(expression, value, masks)
        if own is not None:
            drop = own if drop is None else drop | own
    keep = None if drop is None or not drop.any() else ~drop
    return _Scan([length], [keep], used=length if keep is None else int(np.count_nonzero(keep)))
