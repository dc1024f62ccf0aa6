"""A model's design from what a user wrote: formula, offsets, exposure, weights."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from glmcount.design.encode import Encoder
from glmcount.design.formula import ParsedFormula, build_parts, intercept_part, parse_model
from glmcount.design.learn import learn_variables
from glmcount.design.safe import parse
from glmcount.design.spec import DesignSpec, EquationDesign, Part
from glmcount.design.words import Expression
from glmcount.errors import DataError, RankError
from glmcount.numerics import Control
from glmcount.sources.base import Columns, Source

__all__ = ["ARRAY", "Given", "array_design", "formula_design", "given_column", "with_columns"]

ARRAY = "<{}>"
Given = str | Sequence[float] | np.ndarray | pd.Series | None


def with_columns(source: Source, columns: Mapping[str, Any]) -> Source:
    """The source with further columns beside its own."""
    if not columns:
        return source

    def read(first: int, last: int, names: Sequence[str]) -> Columns:
        own = [name for name in names if name not in columns]
        more = {name: columns[name][first:last] for name in names if name in columns}
        return {**source.read(first, last, own), **more}

    return replace(source, names=(*source.names, *columns), read=read)


def given_column(source: Source, what: str, value: Any) -> tuple[str, dict[str, Any]]:
    """(expression, extra columns) for an offset, exposure or weights as the user gave it.

    Raises
    ------
    DataError
        If an array has another length than the data, or a Series another index.
    """
    if isinstance(value, str):
        if value not in source.names:
            return value, {}
        plain = value.isidentifier() and not keyword.iskeyword(value)
        return (value if plain else f"Q({value!r})"), {}
    if isinstance(value, pd.Series) and _other_index(value, source):
        place = int(np.argmax(np.asarray(value.index != source.index)))
        raise DataError(
            f"{what} is a Series whose index is not the data's in the data's order: at row "
            f"{place} it has {value.index[place]!r}, the data {source.index[place]!r}. Put it "
            f"into the data as a column, or pass {what}=series.to_numpy() to use positions.",
            kind="index_mismatch",
        )
    column = value.array if isinstance(value, pd.Series) else np.asarray(value)
    if column.ndim != 1 or len(column) != source.n_rows:
        raise DataError(
            f"{what} must be a column name, an expression, or one value for each of the "
            f"{source.n_rows} rows; got an array of shape {np.shape(value)}.",
            kind=f"{what}_length",
        )
    name = ARRAY.format(what)
    return f"Q({name!r})", {name: column}


def _other_index(value: pd.Series, source: Source) -> bool:
    same_length = source.index is not None and len(value) == source.n_rows
    return same_length and not value.index.equals(source.index)


def _check_not_empty(source: Source) -> None:
    if source.n_rows == 0:
        raise DataError("The data have no rows.", kind="empty_data")


def _learnt(
    source: Source,
    parsed: ParsedFormula,
    roles: Mapping[str, Any],
    env: Mapping[str, Callable[..., Any]] | None,
    control: Control,
) -> tuple[DesignSpec, Encoder]:
    """Learn what the formula and the roles (offset, exposure, weights) need."""
    expressions: dict[str, Expression] = dict(parsed.expressions)
    codes: dict[str, str] = {}
    for what, value in roles.items():
        if value is None:
            continue
        code, extra = given_column(source, what, value)
        source = with_columns(source, extra)
        expressions[code] = parse(code, source.names, env)
        codes[what] = code
    _check_not_empty(source)
    variables, plan = learn_variables(source, expressions, codes.get("weights"), control.threads)
    offsets = (*parsed.offsets, *([codes["offset"]] if "offset" in codes else []))
    spec = DesignSpec(
        formula=parsed.formula,
        variables=variables,
        equations=(EquationDesign((), offsets),),
        response=parsed.response,
        exposure=codes.get("exposure"),
        weights=codes.get("weights"),
    )
    _check_roles(spec)
    if plan.account.n_dropped >= plan.account.n_rows:
        raise DataError(
            f"No row is left: of {plan.account.n_rows} rows all have {plan.account.told()}.",
            kind="no_observations",
        )
    return spec, Encoder(source, spec, plan, control.threads, control.memory)


def _check_roles(spec: DesignSpec) -> None:
    for what, code in (
        *(("offset", code) for code in spec.equations[0].offsets),
        ("exposure", spec.exposure),
    ):
        if code is not None:
            variable = spec.variables[code]
            if variable.kind != "numerical" or variable.width != 1:
                raise DataError(f"{what} {code!r} must be one column of numbers.", kind=what)


def formula_design(
    source: Source,
    formula: str,
    roles: Mapping[str, Any],
    equations: int,
    env: Mapping[str, Callable[..., Any]] | None,
    control: Control,
) -> Encoder:
    """Learn a formula's design; further equations are constants."""
    parsed = parse_model(formula, source.names, env)
    spec, encoder = _learnt(source, parsed, roles, env, control)
    parts = build_parts(parsed.terms, spec.variables, control.memory_limit)
    return _with_parts(spec, encoder, parts, equations)


def array_design(
    source: Source,
    response: str,
    columns: Sequence[str],
    roles: Mapping[str, Any],
    equations: int,
    control: Control,
) -> Encoder:
    """A design whose columns are taken as they are."""
    names = source.names
    expressions = {f"Q({name!r})": parse(f"Q({name!r})", names) for name in (response, *columns)}
    formula = f"{response} ~ {' + '.join(columns[:6])}{' + ...' if len(columns) > 6 else ''}"
    parsed = ParsedFormula(formula, f"Q({response!r})", (), (), expressions)
    spec, encoder = _learnt(source, parsed, roles, None, control)
    for name in columns:
        if spec.variables[f"Q({name!r})"].kind != "numerical":
            raise DataError(
                f"Column {name!r} of X does not hold numbers. Code it in numbers, or use "
                "glmcount.fit(formula, data), which takes factors.",
                kind="design_dtype",
            )
    parts = tuple(
        Part(name, (f"Q({name!r})",), (), None, np.zeros(1, dtype=np.intp), (name,))
        for name in columns
    )
    return _with_parts(spec, encoder, parts, equations)


def _with_parts(
    spec: DesignSpec, encoder: Encoder, parts: tuple[Part, ...], equations: int
) -> Encoder:
    if not any(part.names for part in parts):
        raise RankError(
            "The formula has no column left of which a coefficient could be estimated; "
            "'y ~ 1' fits a constant.",
            kind="no_parameters",
        )
    more = tuple(EquationDesign((intercept_part(),)) for _ in range(equations - 1))
    full = replace(spec, equations=(replace(spec.equations[0], parts=parts), *more))
    return replace(encoder, spec=full)
