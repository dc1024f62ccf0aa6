"""What is compared: which columns of the data are moved, to what, and which numbers that takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from glmcount.allowed import choice, plain, shown
from glmcount.columns.column import Column, Levels
from glmcount.design.rows import Rows
from glmcount.design.spec import DesignSpec
from glmcount.design.values import coerced
from glmcount.errors import DataError, UnknownColumnError, UsageError, near, some
from glmcount.records import dataclass, field

__all__ = [
    "OBSERVED",
    "Effect",
    "Version",
    "Wanted",
    "among",
    "coded_levels",
    "compared",
    "model_columns",
    "predicted",
    "sloped",
]

HOWS = ("reference", "pairwise", "sequential")
SLOPES = {"dydx": "dY/dX", "eyex": "eY/eX", "eydx": "eY/dX", "dyex": "dY/eX"}
SIGNS = {"difference": "{} - {}", "ratio": "{} / {}", "lift": "{} / {} - 1"}


@dataclass(frozen=True)
class Version:
    """The rows as they are, or with one column moved by a step or set to a value.

    Parameters
    ----------
    name : str or None
        Of the column; None for the rows as they are.
    step : float or None
    value : object
        A number, or one of `levels`.
    levels : tuple or None
    """

    name: str | None = None
    step: float | None = None
    value: Any = None
    levels: Levels | None = None

    @property
    def told(self) -> str:
        """The change in words."""
        if self.step is not None:
            return f"{self.name} {self.step:+g}"
        return f"{self.name} = {self.value}"

    def of(self, column: Column) -> Column:
        """The column so changed."""
        n = len(column)
        if self.step is not None:
            return Column("numeric", column.values.astype(np.float64) + self.step)
        if column.levels is None:
            # Levels of whole numbers are whole numbers.
            kind = np.float64 if self.levels is None else column.values.dtype
            return Column("numeric", np.full(n, self.value, dtype=kind))
        assert self.levels is not None
        codes = np.full(n, self.levels.index(self.value), dtype=np.int32)
        return Column("categorical", codes, self.levels, column.ordered, True)


OBSERVED = Version()


@dataclass(frozen=True)
class Effect:
    """A row of a table of effects: one number of the model, or two compared.

    Parameters
    ----------
    term, contrast : str
    how : str
        "single", or "difference", "ratio", "lift" or "lnratio" of the second and the first.
    parts : tuple of int
        Of the numbers asked for.
    """

    term: str
    contrast: str
    how: str
    parts: tuple[int, ...]


@dataclass
class Wanted:
    """The numbers of each row that are asked for, each once, and what is made of them.

    Parameters
    ----------
    versions : list of Version
        Of which the quantity is asked.
    slopes : list of (column, kind)
        Whose numbers come after those of the versions.
    contrasts : list of Effect
    """

    versions: list[Version] = field(default_factory=list)
    slopes: list[tuple[str, str]] = field(default_factory=list)
    contrasts: list[Effect] = field(default_factory=list)

    def version(self, version: Version) -> int:
        """The number of a version."""
        if version not in self.versions:
            self.versions.append(version)
        return self.versions.index(version)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the data that are moved."""
        moved = [v.name for v in self.versions if v.name is not None]
        return tuple(dict.fromkeys([*moved, *(name for name, _ in self.slopes)]))


def model_columns(spec: DesignSpec) -> tuple[str, ...]:
    """Columns that the equations are made of, without those of offsets alone."""
    parts = [part for equation in spec.equations for part in equation.parts]
    return spec.columns(tuple(code for p in parts for code in (*p.numeric, *p.categorical)))


def _named(spec: DesignSpec, variables: Any) -> dict[str, Any]:
    """The columns asked for, each with what it is to be compared by."""
    known = spec.columns(spec.predictors)
    if variables is None:
        return dict.fromkeys(model_columns(spec))
    if isinstance(variables, str):
        variables = [variables]
    named = isinstance(variables, Iterable) and getattr(variables, "ndim", 1) == 1
    if not named or not all(isinstance(name, str) for name in variables):
        raise UsageError(
            f"variables must be the name of a column, a list of names or a dict; got "
            f"{shown(variables)}.",
            kind="variables",
        )
    out = dict(variables) if isinstance(variables, Mapping) else dict.fromkeys(variables)
    for name in out:
        if name not in known:
            raise UnknownColumnError(
                f"The model does not read a column {shown(name)}."
                f"{near(str(name), known)} It reads: {some(known, 20)}.",
            )
    return out


def coded_levels(spec: DesignSpec, name: str) -> Levels | None:
    """The levels that the model has for a column; None where it takes no levels of it.

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ g", {"y": [1, 3, 2, 6], "g": ["a", "b", "a", "b"]})
    >>> coded_levels(r._state.rows.spec, "g")
    ('a', 'b')
    """
    for code in spec.predictors:
        variable = spec.variables[code]
        tree = variable.expression.tree
        own = tree.arguments[0] if tree.kind == "factor" else tree
        if variable.levels is not None and own.kind == "column" and own.name == name:
            return variable.levels
    return None


def _levels(rows: Rows, name: str) -> Levels | None:
    """The levels of a column; None of one that holds numbers."""
    if (coded := coded_levels(rows.spec, name)) is not None:
        return coded
    column = coerced(rows.source.strip(0, (name,))[1])[name]
    if column.kind == "datetime":
        raise DataError(
            f"{name!r} holds dates or durations, which have no natural unit. Make a number of it "
            "in the data, such as days since a start, and fit with that.",
            kind="design_dtype",
        )
    if column.levels is None:
        return None

    def seen(number: int, first: int, raw: Mapping[str, Any]) -> dict[Any, None]:
        found = coerced(raw)[name]
        where = rows.plan.where(number, len(found))
        codes = np.unique(found.values if where is None else found.values[where])
        return dict.fromkeys(np.asarray(found.levels, dtype=object)[codes[codes >= 0]].tolist())

    every = rows.source.fold((name,), seen, lambda a, b: {**a, **b}, rows.threads)
    declared = [level for level in column.levels if level in every]
    return (*declared, *(level for level in every if level not in declared))


def sloped(rows: Rows, variables: Any, slope: Any) -> Wanted:
    """Slopes by columns of numbers; of columns with levels each against the first.

    Raises
    ------
    UsageError
        For names there are not, and for elasticities of what has levels.
    """
    choice("slope", slope, SLOPES, "unknown_slope")
    if isinstance(variables, Mapping):
        raise UsageError(
            "slopes takes a name or a list of names; what values are compared is said to "
            "r.comparisons(variables={...}).",
            kind="variables",
        )
    out = Wanted()
    named = _named(rows.spec, variables)
    known = {name: _levels(rows, name) for name in named}
    coded = [name for name in named if known[name] is not None]
    if coded and slope != "dydx":
        raise UsageError(
            f"{some(map(repr, coded))} has levels, and slope={slope!r} is of numbers. Name the "
            f"columns of numbers: variables={[n for n in named if n not in coded]!r}.",
            kind="no_derivative",
        )
    for name in named:
        levels = known[name]
        if levels is None:
            out.slopes.append((name, slope))
        else:
            _compare_levels(out, name, levels, "reference", "difference")
    # Numbers of slopes come after those of all versions.
    order = [(name, known[name]) for name in named]
    return _in_order(out, order, SLOPES[slope])


def _in_order(out: Wanted, order: Sequence[tuple[str, Levels | None]], label: str) -> Wanted:
    """The contrasts in the order in which their columns were named."""
    by_name: dict[str, list[Effect]] = {}
    for each in out.contrasts:
        by_name.setdefault(each.term, []).append(each)
    first = len(out.versions)
    for number, (name, _) in enumerate(out.slopes, first):
        by_name[name] = [Effect(name, label, "single", (number,))]
    out.contrasts = [each for name, _ in order for each in by_name.get(name, ())]
    return _not_empty(out)


def compared(rows: Rows, variables: Any, comparison: Any) -> Wanted:
    """Comparisons of numbers and of levels.

    Raises
    ------
    UsageError
        For names, levels and ways to compare that there are not.
    """
    hows = (*SIGNS, "lnratio")
    choice("comparison", comparison, hows, "unknown_comparison")
    out = Wanted()
    for name, how in _named(rows.spec, variables).items():
        levels = _levels(rows, name)
        if levels is None:
            _compare_numbers(out, name, how, comparison)
        else:
            _compare_levels(out, name, levels, "reference" if how is None else how, comparison)
    return _not_empty(out)


def predicted(rows: Rows, variables: Any) -> Wanted:
    """The rows as they are, or with one column set to each of some values.

    Raises
    ------
    UsageError
        For several columns, and for values that there are not.
    """
    out = Wanted()
    if variables is None:
        out.contrasts.append(Effect("", "", "single", (out.version(OBSERVED),)))
        return out
    named = _named(rows.spec, variables)
    if len(named) != 1:
        raise UsageError(
            "predictions sets one column to values: variables={'x': [0, 1]}, or the name of one "
            "with levels. For several at once pass newdata=r.grid(x=[0, 1], g=['a', 'b']).",
            kind="variables",
        )
    ((name, how),) = named.items()
    levels = _levels(rows, name)
    values = list(levels or ()) if how is None else _listed(how)
    known = levels is None or all(among(value, levels) for value in values)
    numbers = levels is not None or all(_finite(value) for value in values)
    if not values or not known or not numbers:
        told = "numbers" if levels is None else f"among {some(map(repr, levels), 12)}"
        raise UsageError(
            f"The values of {name!r} must be {told}, such as variables={{{name!r}: "
            f"{[0, 1] if levels is None else list(levels[:2])!r}}}; got {shown(how)}.",
            kind="variables",
        )
    for value in values:
        number = out.version(Version(name, value=plain(value), levels=levels))
        label = str(value) if levels is not None else f"{value:g}"
        out.contrasts.append(Effect(name, label, "single", (number,)))
    return out


def _listed(values: Any) -> list[Any]:
    if isinstance(values, str) or np.ndim(values) == 0:
        return [values]
    return list(values)


def _finite(value: Any) -> bool:
    value = plain(value)
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)


def _not_empty(out: Wanted) -> Wanted:
    if not out.contrasts:
        raise UsageError(
            "There is nothing to compare: the model reads no column of numbers, and none with two "
            "levels or more.",
            kind="variables",
        )
    return out


def _sign(comparison: str) -> str:
    return SIGNS.get(comparison, "ln({} / {})")


def _compare_numbers(out: Wanted, name: str, how: Any, comparison: str) -> None:
    found = plain(how)
    if found is None or (isinstance(found, int | float) and not isinstance(found, bool)):
        step = 1.0 if found is None else float(found)
        if np.isfinite(step) and step != 0.0:
            ends = out.version(OBSERVED), out.version(Version(name, step=step))
            out.contrasts.append(Effect(name, f"{step:+g}", comparison, ends))
            return
    pair = [plain(each) for each in how] if isinstance(how, tuple | list) else []
    usable = [isinstance(p, int | float) and not isinstance(p, bool) for p in pair]
    if len(pair) != 2 or not all(usable) or not np.isfinite(pair).all():
        raise UsageError(
            f"{name!r} holds numbers: compare {{{name!r}: 5}} (5 more), or {{{name!r}: (0, 1)}} "
            f"(1 with 0); got {shown(how)}.",
            kind="variables",
        )
    low, high = (float(each) for each in pair)
    ends = (out.version(Version(name, value=low)), out.version(Version(name, value=high)))
    label = _sign(comparison).format(f"{high:g}", f"{low:g}")
    out.contrasts.append(Effect(name, label, comparison, ends))


def _compare_levels(out: Wanted, name: str, levels: Levels, how: Any, comparison: str) -> None:
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(how, str) and how in HOWS:
        pairs = {
            "reference": [(levels[0], level) for level in levels[1:]],
            "pairwise": list(combinations(levels, 2)),
            "sequential": list(pairwise(levels)),
        }[how]
    elif isinstance(how, tuple | list) and len(how) == 2 and all(among(e, levels) for e in how):
        pairs = [(how[0], how[1])]
    else:
        raise UsageError(
            f"{name!r} has the levels {some(map(repr, levels), 12)}: compare {{{name!r}: "
            f"'pairwise'}}, 'reference' (each with the first), 'sequential', or two of them, "
            f"{{{name!r}: (a, b)}} (b - a); got {shown(how)}.",
            kind="variables",
        )
    for low, high in pairs:
        ends = tuple(out.version(Version(name, value=v, levels=levels)) for v in (low, high))
        label = _sign(comparison).format(high, low)
        out.contrasts.append(Effect(name, label, comparison, ends))


def among(value: Any, levels: Levels) -> bool:
    """Whether a value is one of the levels.

    Examples
    --------
    >>> among("a", ("a", "b")), among(True, (0, 1))
    (True, False)
    """
    value = plain(value)
    # True is not the number 1 here.
    return any(
        value == level and isinstance(value, bool) == isinstance(level, bool) for level in levels
    )
