"""What stateful transforms learn from the rows that are used, in passes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from glmcount.columns.column import Column, Values
from glmcount.design.values import coerced
from glmcount.language.learning import finish, merge, observed
from glmcount.language.node import Expression
from glmcount.language.transforms import State, new_state
from glmcount.numerics.control import Control
from glmcount.sources.base import Columns, Source

__all__ = ["memorised"]

Mask = NDArray[np.bool_]


def memorised(
    source: Source, expressions: Mapping[str, Expression], keep: list[Mask | None], control: Control
) -> dict[str, State]:
    """Learn stateful transforms from the used rows: each strip alone, merged in order."""
    stateful = {code: e for code, e in expressions.items() if e.stateful}
    states = {code: new_state(e) for code, e in stateful.items()}
    for number in range(max((e.passes for e in stateful.values()), default=0)):
        active = {code: e for code, e in stateful.items() if number < e.passes}
        names = tuple(dict.fromkeys(name for e in active.values() for name in e.columns))
        work = partial(_observed, active, states, keep, number)
        add = partial(_merged, active, number, control.memory)
        kept = add(states, source.fold(names, work, add, control.threads))
        for code, expression in active.items():
            finish(expression, kept[code], number)
        states |= kept
    return states


def _observed(
    active: Mapping[str, Expression],
    states: Mapping[str, State],
    keep: list[Mask | None],
    number: int,
    strip: int,
    first: int,
    raw: Columns,
) -> dict[str, State]:
    columns = coerced(raw)
    out = {}
    for code, expression in active.items():
        data = {n: _kept(columns[n], keep[strip]) for n in expression.columns}
        out[code] = observed(expression, states[code], number, data)
    return out


def _merged(
    active: Mapping[str, Expression],
    number: int,
    memory: int,
    before: Mapping[str, State],
    more: Mapping[str, State],
) -> dict[str, State]:
    return {code: merge(e, before[code], more[code], number, memory) for code, e in active.items()}


def _kept(column: Column, keep: Mask | None) -> Values:
    value = column.value()
    return value if keep is None else value[keep]
