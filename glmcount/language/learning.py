"""What the transforms of an expression learn from data, strip by strip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from glmcount.language.evaluate import inputs, scope_of
from glmcount.language.node import Expression
from glmcount.language.transforms import State, merged, seen, settle

__all__ = ["finish", "memorize", "merge", "observed"]


def memorize(expression: Expression, state: State, number: int, data: Mapping[str, Any]) -> None:
    """Show one strip of data to the transforms that learn in pass `number`.

    Rows in which a transform's own input is missing are not shown to it.

    Parameters
    ----------
    expression : Expression
    state : State
        Changed in place.
    number : int
        The pass, from 0 to ``expression.passes - 1``.
    data : mapping
        Columns by name: arrays or pandas Categoricals, as ``Column.value()`` returns them.

    Raises
    ------
    FormulaError
        If a transform cannot take its input.
    """
    part = observed(expression, state, number, data)
    state.learnt = merge(expression, state, part, number).learnt


def observed(expression: Expression, state: State, number: int, data: Mapping[str, Any]) -> State:
    """What the transforms that learn in pass `number` keep of one strip alone, as `memorize`.

    Parameters
    ----------
    expression : Expression
    state : State
        What the transforms of earlier passes have learnt; it is not changed.
    number : int
    data : mapping

    Returns
    -------
    State
        To be added, in the order of the strips, by `merge`.
    """
    rows = scope_of(expression, state, data)
    learnt = list(state.learnt)
    with np.errstate(all="ignore"):
        for node in expression.transforms:
            if node.number == number:
                learnt[node.slot] = seen(node, inputs(node, rows))
    return State(learnt)


def merge(
    expression: Expression, before: State, more: State, number: int, memory: int | None = None
) -> State:
    """What the transforms of pass `number` keep of two runs of rows, in order.

    Parameters
    ----------
    expression : Expression
    before, more : State
        Of the rows before, which may be none, and of those after them.
    number : int
    memory : int, optional
        Bytes that the distinct values of one column may take.

    Raises
    ------
    MemoryLimitError
        Where they take more.

    Examples
    --------
    >>> from glmcount.language.parse import parse
    >>> from glmcount.language.transforms import new_state
    >>> expression = parse("center(x)", ["x"])
    >>> state, strips = new_state(expression), ([1.0, 2.0], [6.0])
    >>> a, b = (observed(expression, state, 0, {"x": np.array(x)}) for x in strips)
    >>> merge(expression, a, b, 0).learnt[0].mean()
    array([3.])
    """
    learnt = list(before.learnt)
    with np.errstate(all="ignore"):
        for node in expression.transforms:
            if node.number == number:
                place = node.slot
                learnt[place] = merged(node, learnt[place], more.learnt[place], memory)
    return State(learnt)


def finish(expression: Expression, state: State, number: int) -> None:
    """End pass `number`: its transforms settle what they have learnt.

    Raises
    ------
    FormulaError
        If a transform cannot be learnt from what it was shown.
    """
    for node in expression.transforms:
        if node.number == number:
            with np.errstate(all="ignore"):
                settle(node, state)
