"""Transforms that learn from the rows: what each keeps of a strip, and what it makes of that.

All a transform learns is plain data: a record of numbers and arrays. What it keeps of two runs of
rows, in order, merges into what it keeps of both, so that any source learns it in passes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, reduce
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from glmcount.errors import (
    DataError,
    FormulaError,
    GlmcountError,
    MemoryLimitError,
    UnsafeFormulaError,
    caret,
    counted,
)
from glmcount.language import bspline, cubic, moments
from glmcount.language.knots import Tally
from glmcount.language.node import Expression, Node
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = [
    "TRANSFORMS",
    "State",
    "Transform",
    "apply",
    "merged",
    "new_state",
    "seen",
    "settle",
    "state_from_plain",
    "state_to_plain",
]

# Dimensions of what records hold; whole numbers have none, and only a basis may be absent.
_DIMENSIONS = {
    **dict.fromkeys(("count", "degree"), 0),
    **dict.fromkeys(("high", "low", "root", "all_knots"), 1),
    **dict.fromkeys(("curvature", "basis"), 2),
}
# Bytes of distinct values that are kept whatever `Control.memory` says: those of one strip.
LEAST = 2**20


@dataclass(frozen=True)
class Transform:
    """One transform: functions of its settings, and the record of what it has learnt.

    Parameters
    ----------
    seen : callable
        From a strip, a list of arrays, to what is kept of it: a record with ``merge``.
    learnt : callable
        From that of all rows to what `columns` needs.
    columns : callable
        From what was learnt and a list of arrays to the transformed values.
    record : type
        What `learnt` returns.
    slopes : callable
        From what was learnt, arrays and how these move to how the transformed values do.
    """

    seen: Callable[..., Any]
    learnt: Callable[..., Any]
    columns: Callable[..., Array]
    record: type
    slopes: Callable[..., Array]


def _itself(settings: Any, kept: Any) -> Any:
    return kept


_STANDARD = Transform(
    moments.moments_of,
    _itself,
    moments.standardised,
    moments.Moments,
    moments.standardised_slopes,
)


def _cubic(cyclic: bool) -> Transform:
    return Transform(
        partial(cubic.cubic_seen, cyclic),
        partial(cubic.cubic_learnt, cyclic),
        partial(cubic.cubic, cyclic),
        cubic.Cubic,
        partial(cubic.cubic_slopes, cyclic),
    )


TRANSFORMS: dict[str, Transform] = {
    "center": Transform(
        moments.total_of, _itself, moments.centred, moments.Total, moments.centred_slopes
    ),
    "standardize": _STANDARD,
    "scale": _STANDARD,
    "bs": Transform(
        bspline.bspline_seen,
        bspline.bspline_knots,
        bspline.bspline,
        bspline.Knots,
        bspline.bspline_slopes,
    ),
    "cr": _cubic(cyclic=False),
    "cc": _cubic(cyclic=True),
    "te": Transform(
        cubic.tensor_seen, cubic.tensor_learnt, cubic.tensor, cubic.Absorbed, cubic.tensor_slopes
    ),
}


@dataclass
class State:
    """What the stateful calls of one expression have learnt, or kept of the rows so far.

    Parameters
    ----------
    learnt : list
        A record for each of them; None where it has seen no row yet.
    """

    learnt: list[Any]


def new_state(expression: Expression) -> State:
    """Return an empty state, to be filled by `memorize` and `finish`.

    Examples
    --------
    >>> from glmcount.language.parse import parse
    >>> from glmcount.language.evaluate import evaluate
    >>> from glmcount.language.learning import finish, memorize
    >>> expression = parse("center(x)", ["x"])
    >>> state = new_state(expression)
    >>> memorize(expression, state, 0, {"x": np.array([1.0, 2.0, 6.0])})
    >>> finish(expression, state, 0)
    >>> evaluate(expression, state, {"x": np.array([4.0])})
    array([1.])
    """
    return State([None] * len(expression.transforms))


@contextmanager
def _explained(node: Node) -> Iterator[None]:
    """Turns what goes wrong in a transform into an error that shows the call."""
    try:
        yield
    except GlmcountError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        place = caret(node.text, 0, len(node.text))
        raise FormulaError(f"{node.text}: {error}\n{place}") from error


def _settings(node: Node) -> dict[str, Any]:
    return {name: child.value for name, child in node.keywords}


def seen(node: Node, arrays: list[Array]) -> Any:
    """What a transform keeps of one strip, without the rows in which its input is missing."""
    lost = _missing(arrays)
    if lost.any():
        arrays = [array[~lost] for array in arrays]
    with _explained(node):
        return TRANSFORMS[node.name].seen(_settings(node), arrays)


def merged(node: Node, before: Any, more: Any, memory: int | None) -> Any:
    """What a transform keeps of two runs of rows, in order.

    Raises
    ------
    MemoryLimitError
        Where distinct values take more than `memory` bytes.
    """
    both = more if before is None else before.merge(more)
    if memory is None or not isinstance(both, Tally) or both.held <= max(memory, LEAST):
        return both
    both = both.whole()
    if both.held > max(memory, LEAST):
        raise MemoryLimitError(
            f"{node.text} places its knots at quantiles, for which all distinct values are kept, "
            f"and {len(both.runs[0][0]):,} of them take more than the {memory:,} bytes of "
            "Control.memory. Give knots=[...], with lower_bound= and upper_bound= where "
            "constraints='center', or raise control=glmcount.Control(memory=...).\n"
            f"{caret(node.text, 0, len(node.text))}",
            kind="too_many_values",
        )
    return both


def settle(node: Node, state: State) -> None:
    """End the learning of one transform."""
    kept = state.learnt[node.slot]
    if kept is None:
        raise FormulaError(f"{node.text} was shown no rows to learn from.")
    with _explained(node):
        state.learnt[node.slot] = TRANSFORMS[node.name].learnt(_settings(node), kept)


def _missing(arrays: list[Array]) -> NDArray[np.bool_]:
    """True for the rows in which any of `arrays` is NaN."""
    masks: list[NDArray[np.bool_]] = [np.isnan(array) for array in arrays]
    return reduce(np.logical_or, [m if m.ndim == 1 else np.any(m, axis=1) for m in masks])


def apply(node: Node, state: State, arrays: list[Array]) -> Array:
    """Transform one strip by what has been learnt; rows with missing input come out as NaN."""
    learnt = state.learnt[node.slot]
    lost = _missing(arrays)
    with _explained(node):
        if lost.any():
            # splines take no NaN: a harmless value stands in
            knots = getattr(learnt, "all_knots", (0.0,))
            shaped = [lost if array.ndim == 1 else lost[:, None] for array in arrays]
            arrays = [np.where(s, knots[0], a) for s, a in zip(shaped, arrays, strict=True)]
        if isinstance(learnt, bspline.Knots):
            _check_range(node, arrays[0], learnt.all_knots)
        result = TRANSFORMS[node.name].columns(_settings(node), learnt, arrays)
    if lost.any():
        result[lost] = np.nan
    return result


def _check_range(node: Node, values: Array, knots: Array) -> None:
    """B-splines are not defined beyond their outermost knots."""
    outside = np.flatnonzero((values < knots[0]) | (values > knots[-1]))
    if outside.size:
        raise DataError(
            f"{node.text} was learnt on values from {knots[0]:g} to {knots[-1]:g} and is not "
            f"defined outside, as in {counted(outside.size, 'value')}, for example "
            f"{values.flat[outside[0]]:g}. Give lower_bound= and upper_bound= when fitting.",
            kind="outside_knots",
        )


def state_to_plain(expression: Expression, state: State) -> list[dict[str, Any]]:
    """What has been learnt, as lists and numbers that JSON keeps to the last bit.

    Parameters
    ----------
    expression : Expression
    state : State
        After the last `finish`.

    Returns
    -------
    list of dict
        One for each stateful call: ``transform``, its name, and ``learnt``, numbers by name.
    """
    return [
        {"transform": node.name, "learnt": _to_plain(state.learnt[node.slot])}
        for node in expression.transforms
    ]


def _fields(record: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(record)]


def _to_plain(learnt: Any) -> dict[str, Any]:
    values = {name: getattr(learnt, name) for name in _fields(learnt)}
    return {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in values.items()}


def state_from_plain(expression: Expression, plain: Sequence[Any]) -> State:
    """Rebuild a state from what `state_to_plain` returned; predictions are bit-equal.

    Parameters
    ----------
    expression : Expression
        Parsed anew from the same code.
    plain : list of dict

    Returns
    -------
    State

    Raises
    ------
    UnsafeFormulaError
        If a name is no known transform, or the data do not belong to `expression`.
    """
    state = new_state(expression)
    if not isinstance(plain, list) or len(plain) != len(expression.transforms):
        _refuse(expression, f"needs {len(expression.transforms)} learnt transforms")
    for node, saved in zip(expression.transforms, plain, strict=True):
        name = saved.get("transform") if isinstance(saved, dict) else None
        if not isinstance(name, str) or name not in TRANSFORMS:
            _refuse(expression, f"names {name!r}, which is not one of {', '.join(TRANSFORMS)}")
        learnt, record = saved.get("learnt"), TRANSFORMS[node.name].record
        if name != node.name or not isinstance(learnt, dict) or set(learnt) != set(_fields(record)):
            _refuse(expression, f"does not describe {node.text}")
        values = {name: _from_plain(expression, name, value) for name, value in learnt.items()}
        state.learnt[node.slot] = record(**values)
    return state


def _from_plain(expression: Expression, name: str, value: Any) -> Any:
    if value is None and name == "basis":
        return value
    if type(value) is int and not _DIMENSIONS[name]:
        return value
    if not isinstance(value, list) or not _is_numeric(value):
        _refuse(expression, "holds something that is no number")
    try:
        found = np.array(value, dtype=np.float64)
    except ValueError:
        _refuse(expression, "holds lists of different lengths")
    if found.ndim != _DIMENSIONS[name]:
        _refuse(expression, f"holds numbers of another shape for {name}")
    return found


def _is_numeric(values: list[Any]) -> bool:
    """True for numbers, and for lists of lists of them."""
    return all(
        _is_numeric(value)
        if isinstance(value, list)
        else isinstance(value, int | float) and not isinstance(value, bool)
        for value in values
    )


def _refuse(expression: Expression, why: str) -> NoReturn:
    raise UnsafeFormulaError(f"The saved state of {expression.code!r} {why}.")
