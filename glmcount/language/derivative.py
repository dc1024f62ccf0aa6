"""The derivative of a checked expression with respect to a column.

Each step knows how its value moves with those it is made of. Where it does not, as for a function
of the user's, a central difference tells, and the derivative says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce
from types import MappingProxyType
from typing import Any

import numpy as np

from glmcount.columns.column import Column
from glmcount.errors import DataError
from glmcount.language.evaluate import Scope, inputs, scope_of, value_of
from glmcount.language.node import Expression, Node
from glmcount.language.transforms import TRANSFORMS, State, apply, new_state
from glmcount.language.truth import chosen
from glmcount.numerics import Array
from glmcount.records import dataclass, replace

__all__ = ["Derivative", "derivative"]

# Of a number, or of a column's size where it is near zero: with differences over two distances
# rounding and what is left out of the series are then of one size.
STEP = 1e-3
NEAR = 1e-3


@dataclass(frozen=True)
class Derivative:
    """A derivative by row.

    Parameters
    ----------
    values : ndarray, shape (n,) or (n, k)
        As the expression has values.
    exact : bool
        False where a part of it is a central difference.
    """

    values: Array
    exact: bool


@dataclass(frozen=True)
class _Moved:
    """How a step moves: None where it does not."""

    slope: Any
    exact: bool = True


STILL = _Moved(None)


def derivative(
    expression: Expression,
    state: State | None,
    data: Mapping[str, Any],
    column: str,
    whole: Mapping[str, Column] = MappingProxyType({}),
) -> Derivative:
    """The derivative of an expression with respect to a column of numbers, row by row.

    Parameters
    ----------
    expression : Expression
    state : State or None
        What its transforms have learnt, which is held.
    data : mapping
        As `evaluate` takes them.
    column : str

    Raises
    ------
    DataError
        If the column holds no numbers, or the expression has levels.

    Examples
    --------
    >>> from glmcount.language.parse import parse
    >>> derivative(parse("x * log(x)", ["x"]), None, {"x": np.array([1.0, np.e])}, "x").values
    array([1., 2.])
    """
    rows = scope_of(expression, state or new_state(expression), data, None, whole)
    with np.errstate(all="ignore"):
        found = _moved(expression.tree, rows, column)
        own = np.asarray(value_of(expression.tree, rows))
    slope = np.zeros(()) if found.slope is None else np.asarray(found.slope, dtype=np.float64)
    values = np.array(np.broadcast_to(slope, own.shape or (rows.length,)))
    if own.ndim and own.dtype.kind == "f":
        # What has no value does not move either.
        values[np.isnan(own)] = np.nan
    return Derivative(values, found.exact)


def _moved(node: Node, rows: Scope, column: str) -> _Moved:
    reads = any(each.kind == "column" and each.name == column for each in node.walk())
    return _MOVES[node.kind](node, rows, column) if reads else STILL


def _column(node: Node, rows: Scope, column: str) -> _Moved:
    values = value_of(node, rows)
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        raise DataError(
            f"{column!r} holds levels, dates or conditions: there is no derivative with respect to "
            "it. Compare its levels instead.",
            kind="no_derivative",
        )
    return _Moved(1.0)


def _levels(node: Node, rows: Scope, column: str) -> _Moved:
    raise DataError(
        f"{node.text} has levels: it does not move with {column!r} but jumps. Compare levels, or "
        f"let {column!r} enter the formula as a number.",
        kind="no_derivative",
    )


def _steps(node: Node, rows: Scope, column: str) -> _Moved:
    """Conditions and counts of whole units: they jump, and between jumps they stay."""
    return STILL


def _arithmetic(node: Node, rows: Scope, column: str) -> _Moved:
    moves = [_moved(argument, rows, column) for argument in node.arguments]
    slopes, exact = [m.slope for m in moves], all(m.exact for m in moves)
    if len(slopes) == 1:
        return _Moved(-slopes[0] if node.name == "-" else slopes[0], exact)
    a, b = inputs(node, rows)
    partial = _ARITHMETIC[node.name]
    return _Moved(_combined(partial(a, b), slopes), exact)


def _combined(partials: tuple[Any, ...], slopes: list[Any]) -> Any:
    """The chain rule: what does not move has no part in it, whatever its factor."""
    parts = [
        np.multiply(factor(), slope)
        for factor, slope in zip(partials, slopes, strict=True)
        if slope is not None
    ]
    return reduce(np.add, parts) if parts else None


_ARITHMETIC: dict[str, Callable[[Array, Array], tuple[Callable[[], Any], ...]]] = {
    "+": lambda a, b: (lambda: 1.0, lambda: 1.0),
    "-": lambda a, b: (lambda: 1.0, lambda: -1.0),
    "*": lambda a, b: (lambda: b, lambda: a),
    "/": lambda a, b: (lambda: 1.0 / b, lambda: -a / b / b),
    "//": lambda a, b: (lambda: 0.0, lambda: 0.0),
    "%": lambda a, b: (lambda: 1.0, lambda: -np.floor_divide(a, b)),
    "**": lambda a, b: (
        lambda: np.where(b == 0.0, 0.0, b * a ** (b - 1.0)),
        lambda: _by_power(a, b),
    ),
}


def _by_power(a: Array, b: Array) -> Array:
    """d a^b / d b; of a base of zero it is zero where the power is positive."""
    return np.where((a == 0.0) & (b > 0.0), 0.0, a**b * np.log(a))


_ELEMENTARY: dict[str, Callable[[Array], Any]] = {
    "log": lambda a: 1.0 / a,
    "log1p": lambda a: 1.0 / (1.0 + a),
    "log2": lambda a: 1.0 / (a * math.log(2.0)),
    "log10": lambda a: 1.0 / (a * math.log(10.0)),
    "exp": np.exp,
    "expm1": np.exp,
    "sqrt": lambda a: 0.5 / np.sqrt(a),
    "abs": np.sign,
    "floor": np.zeros_like,
    "ceil": np.zeros_like,
    "sign": np.zeros_like,
    "sin": np.cos,
    "cos": lambda a: -np.sin(a),
    "tan": lambda a: 1.0 / np.square(np.cos(a)),
}


def _elementary(node: Node, rows: Scope, column: str) -> _Moved:
    if node.name == "isnan":
        return STILL
    branches = node.arguments[1:] if node.name == "where" else node.arguments
    moves = [_moved(argument, rows, column) for argument in branches]
    exact = all(each.exact for each in moves)
    if node.name in _ELEMENTARY:
        (values,) = inputs(node, rows)
        return _Moved(_combined((lambda: _ELEMENTARY[node.name](values),), [moves[0].slope]), exact)
    slopes = [0.0 if each.slope is None else each.slope for each in moves]
    if node.name == "where":
        condition = value_of(node.arguments[0], rows)
        return _Moved(chosen(condition, slopes, np.nan), exact)
    a, b = inputs(node, rows)
    first = a <= b if node.name == "minimum" else a >= b
    slope = np.where(first, *slopes)
    return _Moved(np.where(np.isnan(a) | np.isnan(b), np.nan, slope), exact)


def _transform(node: Node, rows: Scope, column: str) -> _Moved:
    arrays = inputs(node, rows)
    moves = [_moved(argument, rows, column) for argument in node.arguments]
    slopes = [
        np.zeros_like(a) if m.slope is None else np.array(np.broadcast_to(m.slope, a.shape))
        for a, m in zip(arrays, moves, strict=True)
    ]
    # The value is asked for too: it refuses what is outside the knots, and says what is missing.
    lost = np.isnan(apply(node, rows.state, arrays))
    learnt = rows.state.learnt[node.slot]
    fill = getattr(learnt, "all_knots", (0.0,))[0]
    held = [np.where(np.isnan(a), fill, a) for a in arrays]
    settings = {name: child.value for name, child in node.keywords}
    values = TRANSFORMS[node.name].slopes(settings, learnt, held, slopes)
    return _Moved(np.where(lost, np.nan, values), all(each.exact for each in moves))


def _difference(node: Node, rows: Scope, column: str) -> _Moved:
    """Any step by central differences of the column."""
    values = np.asarray(rows.data[column], dtype=np.float64)
    step = _step(values)
    others = {name: own for name, own in rows.whole.items() if name != column}

    def at(times: float) -> Array:
        data = {**rows.data, column: values + times * step}
        return np.asarray(value_of(node, replace(rows, data=data, whole=others)), dtype=np.float64)

    return _Moved(_central(at, step), False)


def _step(values: Array) -> Array:
    """A step for each value, which is a power of two: adding it to a value is hardly rounded."""
    known = values[np.isfinite(values)]
    size = math.sqrt(float(np.mean(np.square(known)))) if known.size else 1.0
    wanted = STEP * np.maximum(np.abs(values), NEAR * (size or 1.0))
    return np.exp2(np.round(np.log2(np.where(np.isfinite(wanted), wanted, 1.0))))


def _central(at: Callable[[float], Array], step: Array) -> Array:
    """Differences over two distances, which leave out the fifth derivative and beyond."""
    found: Array = (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / 12.0
    return found / (step[:, None] if found.ndim > step.ndim else step)


_MOVES: dict[str, Callable[[Node, Scope, str], _Moved]] = {
    "column": _column,
    "arithmetic": _arithmetic,
    "logic": _steps,
    "compare": _steps,
    "elementary": _elementary,
    "factor": _levels,
    "contrast": _levels,
    "transform": _transform,
    "user": _difference,
}
