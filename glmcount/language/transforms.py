"""patsy's stateful transforms and contrasts, and what they learn as plain data.

This file and `formula.py` are the only ones that import patsy. A saved state holds numbers
and the names of transforms; loading looks the names up in a fixed registry and refuses all
others, so that a file can never choose what is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np
from patsy import ContrastMatrix, PatsyError
from patsy import builtins as patsy_words

from glmcount.errors import (
    DataError,
    FormulaError,
    GlmcountError,
    UnsafeFormulaError,
    caret,
    near,
    some,
)
from glmcount.language.node import TRANSFORMS, Expression, Node
from glmcount.language.polynomials import orthonormal
from glmcount.records import dataclass

__all__ = [
    "CONTRASTS",
    "State",
    "apply",
    "box",
    "new_state",
    "settle",
    "settled_contrast",
    "show",
    "state_from_plain",
    "state_to_plain",
]

Array = np.ndarray[Any, np.dtype[Any]]
box: Callable[..., Any] = patsy_words.C

# Levels up to which patsy's matrix of powers loses no digit that is told.
EXACT = 10
# patsy's own attributes that hold what a finished transform has learnt; pinned by tests
_LEARNT: dict[str, tuple[str, ...]] = {
    "center": ("_sum", "_count"),
    "standardize": ("current_n", "current_mean", "current_M2"),
    "scale": ("current_n", "current_mean", "current_M2"),
    "bs": ("_degree", "_all_knots"),
    "cr": ("_all_knots", "_constraints"),
    "cc": ("_all_knots", "_constraints"),
    "te": ("_constraints",),
}
_TRANSFORMS: dict[str, Callable[[], Any]] = {
    name: getattr(patsy_words, name).__patsy_stateful_transform__ for name in TRANSFORMS
}


class Poly:
    """The coding by orthogonal polynomials: patsy's, which keeps its digits for few levels."""

    def __init__(self, scores: Sequence[float] | None = None) -> None:
        self.scores = scores

    def code_with_intercept(self, levels: Sequence[Any]) -> ContrastMatrix:
        """All degrees, the constant as ones."""
        if len(levels) <= EXACT:
            return patsy_words.Poly(self.scores).code_with_intercept(levels)
        matrix = orthonormal(len(levels), self.scores)
        matrix[:, 0] = 1.0
        usual = [".Constant", ".Linear", ".Quadratic", ".Cubic"]
        more = [f"^{degree}" for degree in range(len(usual), len(levels))]
        return ContrastMatrix(matrix, [*usual, *more][: len(levels)])

    def code_without_intercept(self, levels: Sequence[Any]) -> ContrastMatrix:
        """Degrees from 1 on."""
        if len(levels) <= EXACT:
            return patsy_words.Poly(self.scores).code_without_intercept(levels)
        full = self.code_with_intercept(levels)
        return ContrastMatrix(full.matrix[:, 1:], full.column_suffixes[1:])


CONTRASTS: dict[str, Callable[..., Any]] = {
    "Treatment": patsy_words.Treatment,
    "Sum": patsy_words.Sum,
    "Poly": Poly,
    "Helmert": patsy_words.Helmert,
    "Diff": patsy_words.Diff,
}


# The level that a coding compares with: its setting, and its place where nothing is set.
_REFERENCES = {"Treatment": ("reference", 0), "Sum": ("omit", -1)}


def settled_contrast(
    expression: Expression, contrast: Any, order: tuple[Any, ...], levels: tuple[Any, ...]
) -> tuple[Any, Any]:
    """The coding for the levels used, and the level it was to compare with where none has it.

    Parameters
    ----------
    expression : Expression
    contrast : object
        As ``C(...)`` has it, or None.
    order, levels : tuple
        All levels of the data, and those that rows used have.

    Raises
    ------
    FormulaError
        For a level that the data do not have, and a coding of another size.
    """
    name = "Treatment" if contrast is None else type(contrast).__name__
    if name not in _REFERENCES:
        _check_size(expression, contrast, levels)
        return contrast, None
    setting, place = _REFERENCES[name]
    asked = getattr(contrast, setting, None)
    if asked is None:
        return contrast, None if order[place] in levels else order[place]
    if asked in order:
        level = asked
    elif isinstance(asked, int) and -len(order) <= asked < len(order):
        level = order[asked]
    else:
        raise FormulaError(
            f"{asked!r} is no level of {expression.code}.{near(str(asked), map(str, order))}\n"
            f"{_pointed(expression)}\nLevels: {some(map(repr, order), 20)}.",
            kind="unknown_level",
        )
    if level in levels:
        return type(contrast)(level), None
    return type(contrast)(), level


def _check_size(expression: Expression, contrast: Any, levels: tuple[Any, ...]) -> None:
    """Refuse matrices and scores that do not fit the levels."""
    rows = contrast if isinstance(contrast, np.ndarray) else getattr(contrast, "scores", None)
    if rows is not None and len(rows) != len(levels):
        what = "rows" if isinstance(contrast, np.ndarray) else "scores"
        raise FormulaError(
            f"The coding has {len(rows)} {what}, and {len(levels)} levels are used: "
            f"{some(map(repr, levels), 20)}. Give one for each, in this order.\n"
            f"{_pointed(expression)}",
            kind="contrast_size",
        )

    if rows is not None and not isinstance(contrast, np.ndarray) and len(set(rows)) < len(rows):
        raise FormulaError(
            f"The scores of a coding must differ from level to level.\n{_pointed(expression)}",
            kind="contrast_size",
        )


def _pointed(expression: Expression) -> str:
    """The code of a factor, with a caret under its coding."""
    code = expression.code
    given = [dict(node.keywords).get("contrast") for node in expression.tree.walk()]
    text = next((node.text for node in given if node is not None), code)
    begin = max(code.find(text), 0)
    return caret(code, begin, begin + len(text))


@dataclass
class State:
    """What the stateful calls of one expression learn: one transform object each."""

    transforms: list[Any]


def new_state(expression: Expression) -> State:
    """Return an empty state, to be filled by `memorize` and `finish`.

    Examples
    --------
    >>> from glmcount.language.parse import parse
    >>> from glmcount.language.evaluate import evaluate, finish, memorize
    >>> expression = parse("center(x)", ["x"])
    >>> state = new_state(expression)
    >>> memorize(expression, state, 0, {"x": np.array([1.0, 2.0, 6.0])})
    >>> finish(expression, state, 0)
    >>> evaluate(expression, state, {"x": np.array([4.0])})
    array([1.])
    """
    return State([_TRANSFORMS[node.name]() for node in expression.transforms])


@contextmanager
def _explained(node: Node) -> Iterator[None]:
    """Turns the errors of patsy's transforms and contrasts into ours."""
    try:
        yield
    except GlmcountError:
        raise
    except (
        PatsyError,
        ArithmeticError,
        LookupError,
        NotImplementedError,
        TypeError,
        ValueError,
    ) as error:
        raise FormulaError(f"{node.text}: {error}") from error


def _settings(node: Node) -> dict[str, Any]:
    return {name: child.value for name, child in node.keywords}


def show(node: Node, state: State, arrays: list[Array]) -> None:
    """Show one strip to a transform, without the rows in which its input is missing."""
    lost = _missing(arrays)
    if lost.any():
        arrays = [array[~lost] for array in arrays]
    transform = state.transforms[node.slot]
    if node.name in ("standardize", "scale") and arrays[0].ndim == 1:
        _accumulate(transform, arrays[0])
    else:
        with _explained(node):
            transform.memorize_chunk(*arrays, **_settings(node))


def settle(node: Node, state: State) -> None:
    """End the learning of one transform."""
    with _explained(node):
        state.transforms[node.slot].memorize_finish()


def _accumulate(transform: Any, values: Array) -> None:
    """patsy's online mean and variance on scalars: the same digits in a fraction of the time.

    D. E. Knuth, The Art of Computer Programming 2, 3rd ed., 4.2.2 (15)-(16), after Welford;
    in extended precision where the machine has it, as patsy does it.
    """
    count = transform.current_n
    mean, squares = np.longdouble(0.0), np.longdouble(0.0)
    if transform.current_mean is not None:
        mean, squares = transform.current_mean[0], transform.current_M2[0]
    for value in values.astype(np.longdouble):
        count += 1
        delta = value - mean
        mean = mean + delta / count
        squares = squares + delta * (value - mean)
    transform.current_n = count
    transform.current_mean, transform.current_M2 = np.array([mean]), np.array([squares])


def _missing(arrays: list[Array]) -> Array:
    """True for the rows in which any of `arrays` is NaN."""
    masks = [np.isnan(array) for array in arrays]
    return np.logical_or.reduce([m if m.ndim == 1 else m.any(axis=1) for m in masks])


def apply(node: Node, state: State, arrays: list[Array]) -> Array:
    """Transform one strip by what has been learnt; rows with missing input come out as NaN."""
    transform, length = state.transforms[node.slot], len(arrays[0])
    knots = getattr(transform, "_all_knots", None)
    # splines neither take NaN nor no rows at all: a harmless value stands in
    filler = 0.0 if knots is None else float(knots[0])
    lost = _missing(arrays)
    if lost.any():
        shaped = [lost if array.ndim == 1 else lost[:, None] for array in arrays]
        arrays = [np.where(s, filler, a) for s, a in zip(shaped, arrays, strict=True)]
    if not length:
        arrays = [np.full((1, *array.shape[1:]), filler) for array in arrays]
    if node.name == "bs" and knots is not None:
        _check_range(node, arrays[0], knots)
    with _explained(node):
        result = np.asarray(transform.transform(*arrays, **_settings(node)), dtype=np.float64)
    if lost.any():
        result[lost] = np.nan
    return result[:length]


def _check_range(node: Node, values: Array, knots: Array) -> None:
    """B-splines are not defined beyond their outermost knots."""
    outside = np.flatnonzero((values < knots[0]) | (values > knots[-1]))
    if outside.size:
        raise DataError(
            f"{node.text} was learnt on values from {knots[0]:g} to {knots[-1]:g} and is not "
            f"defined outside; there are {outside.size} such values, for example "
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
        {
            "transform": node.name,
            "learnt": {
                name.lstrip("_"): _to_plain(getattr(state.transforms[node.slot], name))
                for name in _LEARNT[node.name]
            },
        }
        for node in expression.transforms
    ]


def _to_plain(value: Any) -> Any:
    """Arrays as lists; extended precision as the sum of two doubles, which is exact."""
    if isinstance(value, np.ndarray) and value.dtype == np.longdouble:
        high = value.astype(np.float64)
        return {"high": high.tolist(), "low": (value - high).astype(np.float64).tolist()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


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
        if not isinstance(name, str) or name not in _LEARNT:
            _refuse(expression, f"names {name!r}, which is not one of {', '.join(_LEARNT)}")
        learnt, fields = saved.get("learnt"), _LEARNT[node.name]
        keys = {field.lstrip("_") for field in fields}
        if name != node.name or not isinstance(learnt, dict) or set(learnt) != keys:
            _refuse(expression, f"does not describe {node.text}")
        for field in fields:
            value = _from_plain(expression, learnt[field.lstrip("_")])
            setattr(state.transforms[node.slot], field, value)
    return state


def _from_plain(expression: Expression, value: Any) -> Any:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    parts = [value.get("high"), value.get("low")] if isinstance(value, dict) else [value]
    if not all(isinstance(part, list) and _is_numeric(part) for part in parts):
        _refuse(expression, "holds something that is no number")
    try:
        return sum((np.array(part, np.longdouble) for part in parts[1:]), np.array(parts[0], float))
    except ValueError:
        _refuse(expression, "holds lists of different lengths")


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
