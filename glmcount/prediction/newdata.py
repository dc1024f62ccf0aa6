"""New rows: a table read by a learnt design."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glmcount.design.given import ARRAY, given_column
from glmcount.design.learn import complete_rows
from glmcount.design.rows import Rows
from glmcount.design.spec import DesignSpec
from glmcount.errors import UnknownColumnError, UsageError, near, some
from glmcount.language.parse import parse
from glmcount.numerics.control import Control
from glmcount.records import replace
from glmcount.sources.base import Source, open_source

__all__ = ["new_rows"]


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
    for what in ("offset", "exposure"):
        name = ARRAY.format(what)
        value = given.get(what)
        if value is not None:
            code, extra = given_column(source, what, value)
            spec, source = _instead(spec, what, code, source, extra)
        elif name in spec.columns(spec.predictors):
            raise UnknownColumnError(
                f"The model was fitted with {what}= given as an array, which new rows do not "
                f"have: pass {what}=..., one value for each new row.",
                kind=f"{what}_required",
            )
    _check_columns(spec, source)
    needed = {code: spec.variables[code] for code in spec.predictors}
    plan, source = complete_rows(source, needed, control.threads)
    return Rows(source, spec, plan, control.threads, response=False), source.index


def _instead(
    spec: DesignSpec, what: str, code: str, source: Source, extra: Mapping[str, Any]
) -> tuple[DesignSpec, Source]:
    """The design with its offset or exposure read from elsewhere."""
    # An offset given beside the formula stands after those in it.
    old = spec.exposure if what == "exposure" else next(reversed(spec.equations[0].offsets), None)
    if old is None:
        raise UsageError(f"The model has no {what}.", kind="usage")
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


def _check_columns(spec: DesignSpec, source: Source) -> None:
    roles = dict.fromkeys((code for e in spec.equations for code in e.offsets), "offset")
    if spec.exposure is not None:
        roles[spec.exposure] = "exposure"
    for code in spec.predictors:
        for name in spec.variables[code].expression.columns:
            if name in source.names:
                continue
            role = roles.get(code)
            why = f"The model was fitted with {role}={code!r}" if role else "The model needs it"
            raise UnknownColumnError(
                f"The new data have no column {name!r}.{near(name, source.names)} {why}; columns "
                f"there are: {some(source.names, 20)}.",
                kind=f"{role}_required" if role else None,
            )
