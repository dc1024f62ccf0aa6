"""New rows: a table read by a learnt design."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from glmcount.allowed import real, refuse
from glmcount.design.arrays import matrix_columns
from glmcount.design.given import ARRAY, as_array, given_column
from glmcount.design.learn import complete_rows
from glmcount.design.rows import Rows
from glmcount.design.spec import DesignSpec
from glmcount.engine.strip import Strip
from glmcount.errors import DataError, UnknownColumnError, UsageError, counted, near, some
from glmcount.fitted import Fitted
from glmcount.language.parse import parse
from glmcount.numerics.control import Control
from glmcount.records import replace
from glmcount.sources.base import Source, open_source

__all__ = ["as_table", "bare_rows", "new_rows", "spread_out"]

# What to pass where the new rows have no column of their own.
ALL_ALIKE = {
    "exposure": " Pass exposure=1 for one unit in every row, or predict which='rate'.",
    "offset": " Pass offset=0 for none.",
}


def as_table(state: Fitted, newdata: Any) -> Any:
    """What a user passes as newdata= as a table: single values are one row, or that of all rows.

    To a fit to arrays new arrays answer, those of further parts by their names in a dict.

    Raises
    ------
    UsageError, DataError
        For arrays that do not fit.
    """
    if isinstance(newdata, pd.Series):
        # Of one row: what a frame gives by .loc or .iloc.
        index = pd.Index([0 if newdata.name is None else newdata.name])
        newdata = pd.DataFrame({str(name): [value] for name, value in newdata.items()}, index)
    if state.again.subject.function == "fit_arrays":
        arrays = _arrays(newdata)
        if arrays is not None:
            return _named(state, arrays)
        _refuse_unnamed(state, newdata)
    return spread_out(newdata)


def spread_out(table: Any) -> Any:
    """A dict whose single values are those of all rows, or else one row; other tables as they are.

    Examples
    --------
    >>> spread_out({"x": [1, 2], "g": "a"})["g"]
    ['a', 'a']
    """
    if not isinstance(table, Mapping):
        return table
    single = {name: value for name, value in table.items() if _single(value)}
    if not single:
        return table
    length = max((len(v) for name, v in table.items() if name not in single), default=1)
    # Lists have no labels: they take those of whatever stands beside them.
    return {name: [value] * length if name in single else value for name, value in table.items()}


def bare_rows(rows: Rows) -> Rows:
    """The same rows without offset and exposure of the mean."""
    spec = rows.spec
    if spec.exposure is None and not spec.equations[0].offsets:
        return rows
    return rows.turned(spec.bare(), without_offset)


def without_offset(strip: Strip) -> Strip:
    """A strip of rows without offset and exposure of the mean."""
    return replace(strip, offsets=(None, *strip.offsets[1:]))


def _single(value: Any) -> bool:
    if isinstance(value, list | tuple):
        # numpy would ask for rows of one length.
        return False
    return isinstance(value, str) or np.ndim(value) == 0


def _arrays(newdata: Any) -> dict[str, Any] | None:
    """Arrays by the names under which fit_arrays takes them; None for a table."""
    if isinstance(newdata, np.ndarray | list | tuple):
        return {"X": newdata}
    if isinstance(newdata, Mapping) and "X" in newdata and not _single(newdata["X"]):
        return dict(newdata)
    return None


def _refuse_unnamed(state: Fitted, newdata: Any) -> None:
    """Refuse a table without the names by which a fit to arrays knows its columns."""
    names = getattr(newdata, "columns", newdata)
    if not isinstance(names, Iterable) or isinstance(names, str):
        return
    there, spec = set(map(str, names)), state.spec
    needed = spec.columns(tuple(c for e in spec.equations for p in e.parts for c in p.numeric))
    further = [name.partition(">")[0].strip("<") for name in needed if name.startswith("<")]
    if further and not there.issuperset(needed):
        raise _needs_part(further[0])
    if needed and there.isdisjoint(needed):
        raise UsageError(
            f"A table is read by the names of its columns, which in this fit are {some(needed)}; "
            f"this one has {some(names)}. Pass an array, such as newdata.to_numpy(), to have "
            "columns by position.",
            kind="array_names",
        )


def _needs_part(what: str) -> UsageError:
    return UsageError(
        f"The model has columns of its own for {what}=, which X does not hold: pass "
        f"newdata={{'X': X, {what!r}: ...}}.",
        kind="usage",
    )


def _named(state: Fitted, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of arrays, named as in the fit; no part that is gone at a boundary is needed."""
    out: dict[str, Any] = {}
    left, spec = dict(arrays), state.asked_spec
    needed = state.spec.columns(state.spec.predictors)
    for number, equation in enumerate(spec.equations):
        names = spec.columns(tuple(code for part in equation.parts for code in part.numeric))
        what = names[0].partition(">")[0].strip("<") if number and names else "X"
        if not names or (what not in left and not set(names) & set(needed)):
            continue
        if what not in left:
            raise _needs_part(what)
        columns = matrix_columns(what, _as_rows(what, left.pop(what), len(names)))
        if len(columns) != len(names):
            raise DataError(
                f"{what} has {counted(len(columns), 'column')}, and {len(names)} where the "
                f"model was fitted: "
                f"{some(names)}. Give the same columns in the same order.",
                kind="data",
            )
        out.update(zip(names, columns, strict=True))
    if left.keys() - {"X"}:
        raise UsageError(f"The model has no columns for {some(left.keys() - {'X'})}.", kind="usage")
    return out or {"X": matrix_columns("X", arrays["X"])[0]}


def _as_rows(what: str, given: Any, count: int) -> Any:
    """One row where as many numbers are given as there are columns; a table as it is."""
    if isinstance(given, pd.DataFrame):
        return given
    values = as_array(what, given)
    return values[None, :] if np.ndim(values) == 1 and len(values) == count > 1 else values


def new_rows(
    spec: DesignSpec, newdata: Any, given: Mapping[str, Any], control: Control
) -> tuple[Rows, Any]:
    """Rows over new rows by the learnt design, and their index.

    Raises
    ------
    UnknownColumnError
        If a column is missing; of kind ``exposure_required`` or ``offset_required`` where
        the exposure or offset is.
    """
    source: Source = open_source(newdata)
    # What a covariance read of the rows that were fitted.
    spec = replace(spec, roles=())
    for what in ("offset", "exposure"):
        name = ARRAY.format(what)
        value = given.get(what)
        if value is not None and _single(value) and not isinstance(value, str):
            value = np.full(source.n_rows, _one_for_all(what, value))
        if value is not None:
            code, extra = given_column(source, what, value)
            spec, source = _instead(spec, what, code, source, extra)
        elif name in spec.columns(spec.predictors) and name not in source.names:
            raise UnknownColumnError(
                f"The model was fitted with {what}= given as an array, which new rows do not "
                f"have: pass {what}=..., one value for each new row.",
                kind=f"{what}_required",
            )
    _check_columns(spec, source)
    needed = {code: spec.variables[code] for code in spec.predictors}
    plan, source = complete_rows(source, needed, control.threads)
    return Rows(source, spec, plan, control.threads, response=False), source.index


def _one_for_all(what: str, value: Any) -> float:
    """A single offset or exposure, that of all rows."""
    least, allowed = -math.inf, "a finite number"
    if what == "exposure":
        least, allowed = 0.0, "a finite number above 0"
    told = f"{allowed}, or one for each new row"
    number = real(what, value, told, "new_exposure", above=least)
    if math.isinf(number):
        refuse(what, value, told, "new_exposure")
    return number


def _instead(
    spec: DesignSpec, what: str, code: str, source: Source, extra: Mapping[str, Any]
) -> tuple[DesignSpec, Source]:
    """The design with its offset or exposure read from elsewhere."""
    # An offset given beside the formula stands after those in it.
    old = spec.exposure if what == "exposure" else next(reversed(spec.equations[0].offsets), None)
    if old is None:
        raise UsageError(f"The model has no {what}.{_what_it_has(spec, what)}", kind="usage")
    if code not in spec.variables and not extra:
        raise UsageError(
            f"{what}={code!r} is not what the model was fitted with; put it into the new data "
            f"under the old name, or pass an array.",
            kind="usage",
        )
    name = ARRAY.format(what)
    if not extra:
        return spec, source
    expression = parse(code, (*source.names, name))
    variables = {**spec.variables, code: replace(spec.variables[old], expression=expression)}
    if what == "exposure":
        return replace(spec, variables=variables, exposure=code), source.with_columns(extra)
    first = spec.equations[0]
    offsets = (*first.offsets[:-1], code)
    equations = (replace(first, offsets=offsets), *spec.equations[1:])
    changed = replace(spec, variables=variables, equations=equations)
    return changed, source.with_columns(extra)


def _what_it_has(spec: DesignSpec, what: str) -> str:
    """The other of offset and exposure, where the model has that."""
    if what == "exposure" and spec.equations[0].offsets:
        return " It has an offset: pass offset=, the logarithm of an exposure."
    if what == "offset" and spec.exposure is not None:
        return " It has an exposure: pass exposure=, whose logarithm is the offset."
    return ""


def _check_columns(spec: DesignSpec, source: Source) -> None:
    roles = dict.fromkeys((code for e in spec.equations for code in e.offsets), "offset")
    if spec.exposure is not None:
        roles[spec.exposure] = "exposure"
    # Without those that hold what was given beside the table.
    there = [name for name in source.names if not name.startswith("<")]
    for code in spec.predictors:
        for name in spec.variables[code].expression.columns:
            if name in source.names:
                continue
            role = roles.get(code)
            own = code in (spec.exposure, *spec.equations[0].offsets)
            why = f"The model was fitted with {role}={code!r}" if role else "The model needs it"
            raise UnknownColumnError(
                f"The new data have no column {name!r}.{near(name, there)} {why}; columns "
                f"there are: {some(there, 20)}.{ALL_ALIKE.get(role or '', '') if own else ''}",
                kind=f"{role}_required" if role else None,
            )
