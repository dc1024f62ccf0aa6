"""What is fitted: a formula over a table, or arrays; each opens as rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from glmcount.design.arrays import array_columns, part_columns
from glmcount.design.build import Roles, array_design, formula_design
from glmcount.design.rows import Rows
from glmcount.numerics import Array
from glmcount.records import dataclass, replace
from glmcount.request import COLUMNS, GONE, PARTS, Request
from glmcount.sources.base import Source, open_source
from glmcount.sources.frame import from_columns
from glmcount.sources.labels import paired

__all__ = ["Arrays", "Formula", "Opened", "Subject"]


@dataclass(frozen=True)
class Opened:
    """A subject with its rows at hand.

    Parameters
    ----------
    source : Source
    columns : mapping
        offset, exposure, weights and censored as they were given, and a response that takes
        the place of the formula's; None where not.
    parts : mapping
        inflate, hurdle and dispersion: the right-hand side, or columns by key; "1" for a
        constant, None where not given.
    design : callable
        From roles to the rows.
    """

    source: Source
    columns: Mapping[str, Any]
    parts: Mapping[str, Any]
    design: Callable[[Roles], Rows]


@dataclass(frozen=True)
class Formula:
    """A formula over a table; `y` is a response that takes the place of the formula's."""

    formula: Any
    data: Any
    y: Any = None

    function = "fit"
    rows = "data"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, **dict.fromkeys(self.arrays, GONE)}

    @property
    def arrays(self) -> tuple[str, ...]:
        """What holds rows."""
        return ("data",) if self.y is None else ("data", "y")

    def opened(self, request: Request) -> Opened:
        """The table, opened."""
        source = open_source(self.data)

        def design(roles: Roles) -> Rows:
            return formula_design(source, self.formula, roles, request.env, request.knobs)

        columns = {what: getattr(request, what) for what in COLUMNS}
        parts = {what: getattr(request, what) for what in PARTS}
        return Opened(source, {**columns, "y": self.y}, parts, design)

    def holding(self, arrays: Mapping[str, Any]) -> Formula:
        """The same with its table at hand, and the response of that."""
        return replace(self, data=arrays["data"], y=None)

    def answered(self, values: Array) -> Formula:
        """The same rows with another response."""
        return replace(self, y=values)

    def moved(self, changes: Mapping[str, Any], values: Array | None) -> Formula:
        """Other rows, which have a response of their own in the place of those values."""
        return replace(self, **{"y": None, **changes})


@dataclass(frozen=True)
class Arrays:
    """Counts and a matrix, with the names of its columns."""

    y: Any
    X: Any
    names: Sequence[str] | None = None

    function = "fit_arrays"
    rows = "X"
    arrays = ("X", "y")

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, **dict.fromkeys(self.arrays, GONE)}

    def opened(self, request: Request) -> Opened:
        """The arrays as columns, those of further parts among them."""
        pieces = {what: getattr(request, what) for what in PARTS}
        found, index = paired({"y": self.y, "X": self.X, **pieces})
        table, response = array_columns(found["y"], found["X"], self.names)
        columns = [name for name in table if name != response]
        parts: dict[str, Any] = {}
        for what in PARTS:
            part = part_columns(what, found[what])
            if part is not None:
                table.update(part[0])
            parts[what] = part[1] if part is not None else None if found[what] is None else "1"
        source = from_columns(table, index)

        def design(roles: Roles) -> Rows:
            return array_design(source, response, columns, roles, request.knobs)

        columns_beside = {what: getattr(request, what) for what in COLUMNS}
        return Opened(source, columns_beside, parts, design)

    def holding(self, arrays: Mapping[str, Any]) -> Arrays:
        """The same with its arrays at hand."""
        return replace(self, **arrays)

    def answered(self, values: Array) -> Arrays:
        """The same rows with another response, which keeps the labels by which rows pair."""
        labelled = isinstance(self.y, pd.Series)
        y = pd.Series(values, self.y.index, name=self.y.name) if labelled else values
        return replace(self, y=y)

    def moved(self, changes: Mapping[str, Any], values: Array | None) -> Arrays:
        """Another matrix for the counts, or for those values in their place."""
        return replace(self if values is None else self.answered(values), **changes)


Subject = Formula | Arrays
