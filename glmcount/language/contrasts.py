"""Contrasts as values: a name and its settings, and the columns that code the levels of a factor.

Matrices and names are patsy's. Polynomials come from recurrences at any number of levels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from glmcount.columns.coerce import nearest_level
from glmcount.errors import FormulaError, caret, counted, some
from glmcount.language.node import Expression
from glmcount.language.polynomials import orthonormal
from glmcount.numerics import EPS, Array
from glmcount.records import dataclass

__all__ = ["CODINGS", "MATRIX", "Box", "Contrast", "contrast", "rows_of", "settled_contrast"]

# Of the largest entry of a column.
ZERO = 8.0 * EPS

Levels = tuple[Any, ...]
Coded = tuple[Array, tuple[str, ...]]
MATRIX = "matrix"


@dataclass(frozen=True)
class Contrast:
    """How the levels of a factor are coded.

    Parameters
    ----------
    name : str
        One of `CODINGS`: Treatment, Sum, Poly, Helmert, Diff, or matrix for rows of numbers.
    settings : tuple of (name, value)
        Those given: ``reference`` of Treatment, ``omit`` of Sum, ``scores`` of Poly, and
        ``rows`` of a matrix, a tuple of tuples of numbers.

    Examples
    --------
    >>> coding = Contrast("Sum")
    >>> coding.matrix(("a", "b", "c"), full=False).tolist()
    [[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]
    >>> coding.suffixes(("a", "b", "c"), full=True)
    ('[mean]', '[S.a]', '[S.b]')
    """

    name: str
    settings: tuple[tuple[str, Any], ...] = ()

    def setting(self, name: str) -> Any:
        """The value of a setting; None where it was not given."""
        return dict(self.settings).get(name)

    def coded(self, levels: Levels, full: bool) -> Coded:
        """The matrix, (levels, columns), and what each column adds to the factor's name.

        Parameters
        ----------
        levels : tuple
        full : bool
            Whether the columns span the constant.

        Raises
        ------
        FormulaError
            If a setting names no level, or scores do not fit.
        """
        return CODINGS[self.name](levels, full, **dict(self.settings))

    def matrix(self, levels: Levels, full: bool) -> Array:
        """The first half of `coded`."""
        return self.coded(levels, full)[0]

    def suffixes(self, levels: Levels, full: bool) -> tuple[str, ...]:
        """The second half of `coded`."""
        return self.coded(levels, full)[1]


@dataclass(frozen=True, eq=False)
class Box:
    """The value of ``C(...)``: rows that have levels, and what was said of them.

    Parameters
    ----------
    data : ndarray or Categorical, shape (n,)
    contrast : Contrast or None
    levels : list or None
    """

    data: Any
    contrast: Contrast | None = None
    levels: Sequence[Any] | None = None


def contrast(name: str, **settings: Any) -> Contrast:
    """A contrast as a formula names it; lists of scores become tuples.

    Examples
    --------
    >>> contrast("Poly", scores=[1, 2, 10])
    Contrast(name='Poly', settings=(('scores', (1.0, 2.0, 10.0)),))
    """
    if settings.get("scores") is not None:
        settings["scores"] = tuple(np.atleast_1d(settings["scores"]).astype(float).tolist())
    return Contrast(name, tuple(settings.items()))


def rows_of(matrix: Sequence[Sequence[float]]) -> Contrast:
    """The coding by a matrix, a row for each level."""
    rows = tuple(tuple(map(float, row)) for row in matrix)
    return Contrast(MATRIX, (("rows", rows),))


def _shown(prefix: str, levels: Sequence[Any]) -> tuple[str, ...]:
    return tuple([f"[{prefix}{_text(level)}]" for level in levels])


def _text(level: Any) -> str:
    if isinstance(level, bytes):
        try:
            return level.decode("utf-8")
        except UnicodeDecodeError:
            return repr(level)
    return level if isinstance(level, str) else repr(level)


def _place(levels: Levels, asked: Any) -> int:
    """The place of a level; numbers that are no level count places."""
    if asked in levels:
        return levels.index(asked)
    if isinstance(asked, int) and -len(levels) <= asked < len(levels):
        return asked % len(levels)
    raise FormulaError(
        f"{asked!r} is no level. Levels: {some(map(repr, levels), 20)}.", kind="unknown_level"
    )


def _with_constant(matrix: Array) -> Array:
    return np.column_stack([np.ones(len(matrix)), matrix])


def _but_one(levels: Levels, left: int, there: float) -> tuple[Array, Levels]:
    """Unit vectors, for all levels but one, which has `there` in every column."""
    out = np.insert(np.eye(len(levels) - 1), left, there, axis=0)
    return out, levels[:left] + levels[left + 1 :]


def _treatment(levels: Levels, full: bool, reference: Any = None) -> Coded:
    if full:
        return np.eye(len(levels)), _shown("", levels)
    place = 0 if reference is None else _place(levels, reference)
    matrix, others = _but_one(levels, place, 0.0)
    return matrix, _shown("T.", others)


def _sum(levels: Levels, full: bool, omit: Any = None) -> Coded:
    place = len(levels) - 1 if omit is None else _place(levels, omit)
    matrix, others = _but_one(levels, place, -1.0)
    names = _shown("S.", others)
    return (_with_constant(matrix), ("[mean]", *names)) if full else (matrix, names)


def _poly(levels: Levels, full: bool, scores: Sequence[float] | None = None) -> Coded:
    if scores is not None and len(scores) != len(levels):
        raise FormulaError(
            f"The coding has {counted(len(scores), 'score')}, and the factor "
            f"{counted(len(levels), 'level')}.",
            kind="contrast_size",
        )
    matrix = orthonormal(len(levels), scores)
    # In the middle of the levels zero, not its rounding, which an infinite coefficient may meet.
    matrix[np.abs(matrix) < ZERO * np.abs(matrix).max(axis=0)] = 0.0
    matrix[:, 0] = 1.0
    usual = (".Constant", ".Linear", ".Quadratic", ".Cubic")
    names = (*usual, *(f"^{degree}" for degree in range(len(usual), len(levels))))[: len(levels)]
    return (matrix, names) if full else (matrix[:, 1:], names[1:])


def _helmert(levels: Levels, full: bool) -> Coded:
    """Each level against those before."""
    rows, columns = np.indices((len(levels), len(levels) - 1))
    matrix = np.where(rows == columns + 1, columns + 1.0, np.where(rows <= columns, -1.0, 0.0))
    if full:
        return _with_constant(matrix), _shown("H.", ["intercept", *levels[1:]])
    return matrix, _shown("H.", levels[1:])


def _diff(levels: Levels, full: bool) -> Coded:
    """Each level against the one before."""
    count = len(levels)
    rows, columns = np.indices((count, count - 1))
    matrix = np.where(rows <= columns, columns + 1 - count, columns + 1) / count
    if full:
        return _with_constant(matrix), _shown("D.", levels)
    return matrix, _shown("D.", levels[:-1])


def _given(levels: Levels, full: bool, rows: Sequence[Sequence[float]]) -> Coded:
    matrix = np.array(rows, dtype=np.float64)
    return matrix, _shown("custom", range(matrix.shape[1]))


CODINGS: dict[str, Callable[..., Coded]] = {
    "Treatment": _treatment,
    "Sum": _sum,
    "Poly": _poly,
    "Helmert": _helmert,
    "Diff": _diff,
    MATRIX: _given,
}
# The level that a coding compares with: its setting, and its place where nothing is set.
_REFERENCES = {"Treatment": ("reference", 0), "Sum": ("omit", -1)}
# The setting that has one entry for each level, and what its entries are called.
_BY_LEVEL = {"Poly": ("scores", "scores"), MATRIX: ("rows", "rows")}


def settled_contrast(
    expression: Expression, asked: Contrast | None, order: Levels, levels: Levels
) -> tuple[Contrast | None, Any]:
    """The coding for the levels used, and the level it was to compare with where none has it.

    Parameters
    ----------
    expression : Expression
    asked : Contrast or None
        As ``C(...)`` has it.
    order, levels : tuple
        All levels of the data, and those that rows used have.

    Raises
    ------
    FormulaError
        For a level that the data do not have, and a coding of another size.
    """
    name = "Treatment" if asked is None else asked.name
    if name not in _REFERENCES:
        _check_size(expression, asked, levels)
        return asked, None
    setting, place = _REFERENCES[name]
    wanted = None if asked is None else asked.setting(setting)
    if wanted is None:
        return asked, None if order[place] in levels else order[place]
    if wanted in order:
        level = wanted
    elif isinstance(wanted, int) and -len(order) <= wanted < len(order):
        level = order[wanted]
    else:
        raise FormulaError(
            f"{wanted!r} is no level of {expression.code}.{nearest_level(wanted, order)}\n"
            f"{_pointed(expression)}\nLevels: {some(map(repr, order), 20)}.",
            kind="unknown_level",
        )
    if level in levels:
        return Contrast(name, ((setting, level),)), None
    return Contrast(name), level


def _check_size(expression: Expression, asked: Contrast | None, levels: Levels) -> None:
    """Refuse matrices and scores that do not fit the levels."""
    setting, what = _BY_LEVEL.get("" if asked is None else asked.name, ("", ""))
    given = asked.setting(setting) if asked is not None else None
    if given is None:
        return
    if len(given) != len(levels):
        raise FormulaError(
            f"The coding has {len(given)} {what}, and {len(levels)} levels are used: "
            f"{some(map(repr, levels), 20)}. Give one for each, in this order.\n"
            f"{_pointed(expression)}",
            kind="contrast_size",
        )
    if what == "scores" and len(set(given)) < len(given):
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
