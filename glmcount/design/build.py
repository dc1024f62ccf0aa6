"""A model's design from what a user wrote: formula, offsets, exposure, weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from glmcount.columns.column import Column
from glmcount.design.doubts import doubts
from glmcount.design.formula import ParsedFormula, intercept_part
from glmcount.design.given import ARRAY, BESIDE, given_column, response_values
from glmcount.design.learn import learn_variables
from glmcount.design.recall import planned_model, planned_part, planned_parts
from glmcount.design.roles import with_read
from glmcount.design.rows import Cache, Rows
from glmcount.design.spec import DesignSpec, EquationDesign, Part, Plan, Variable
from glmcount.design.values import coerced, numbers_of
from glmcount.errors import DataError, FormulaError, MemoryLimitError, RankError
from glmcount.language.node import Expression, Functions
from glmcount.language.parse import parse
from glmcount.numerics import Array
from glmcount.numerics.control import Control
from glmcount.records import dataclass, field, replace
from glmcount.sources.base import Columns, Given, Source

__all__ = [
    "Roles",
    "array_design",
    "beside",
    "formula_design",
    "left_out_missing",
    "replaced",
    "with_response",
]

RESPONSE = ARRAY.format("response")
REPLACED = Variable(parse(f"Q({RESPONSE!r})", (RESPONSE,)), "numerical")


@dataclass(frozen=True)
class Roles:
    """What a model takes besides the formula of its mean.

    Parameters
    ----------
    columns : mapping
        offset, exposure, weights and censored as the user gave them; None where not. "y" is
        a response that takes the place of the formula's.
    parts : tuple of (name, given) or None
        For each further equation how the user calls it, and its right-hand side (or for
        arrays its columns); None for a constant.
    read : tuple of str
        Columns that a covariance reads: rows that miss one are left out too.
    given : mapping
        Those of them that were given as arrays.
    """

    columns: Columns
    parts: tuple[tuple[str, Given] | None, ...] = ()
    read: tuple[str, ...] = ()
    given: Columns = field(default_factory=dict)


def with_response(rows: Rows, values: Array) -> Rows:
    """The same rows, design, offsets and weights with another response."""
    spec = rows.spec
    shared = spec.response in (*spec.predictors, spec.weights, *spec.beside)
    name = f"{spec.response} (replaced)" if shared else spec.response
    spec = replace(spec, variables={**spec.variables, name: REPLACED}, response=name)
    source = rows.source.with_columns({RESPONSE: values})
    return rows.with_response(source, spec, values)


def replaced(spec: DesignSpec) -> bool:
    """Whether its response took the place of another one."""
    return spec.variables[spec.response].expression == REPLACED.expression


def beside(source: Source, columns: Columns, y: Array | None) -> dict[str, Given]:
    """What was given as arrays, offset and weights and the response, as columns of a table."""
    found: dict[str, Given] = {}
    for what, value in columns.items():
        if value is not None and what != "y":
            found.update(given_column(source, what, value)[1])
    if y is None and columns.get("y") is not None:
        y = response_values(source, "y", columns["y"])
    return found if y is None else {**found, RESPONSE: y}


def left_out_missing(rows: Rows, values: Array) -> Array:
    """A response that is missing in the rows that were left out."""
    if not rows.plan.account.n_dropped:
        return values
    out = np.full(len(values), np.nan)
    for number in range(rows.source.n_strips):
        first, last = rows.source.span(number)
        where = rows.plan.where(number, last - first)
        own = slice(first, last) if where is None else first + where
        out[own] = values[own]
    return out


def _held(source: Source) -> Source:
    """A source of a single strip whose columns are coerced once."""
    if source.stream is not None or source.n_strips > 1:
        return source
    held: dict[str, Column] = {}

    def read(first: int, last: int, names: Sequence[str]) -> Columns:
        more = [name for name in names if name not in held]
        if more:
            held.update(coerced(source.read(first, last, more)))
        return {name: held[name] for name in names}

    return replace(source, read=read)


def _no_rows() -> DataError:
    return DataError("The data have no rows.", kind="empty_data")


def _learnt(
    source: Source,
    parsed: ParsedFormula,
    roles: Roles,
    env: Functions,
    control: Control,
) -> tuple[DesignSpec, Source, Plan]:
    """Learn what the formula and the roles (offset, exposure, weights) need."""
    expressions: dict[str, Expression] = dict(parsed.expressions)
    codes: dict[str, str] = {}
    if roles.columns.get("y") is not None:
        values = response_values(source, parsed.response, roles.columns["y"])
        source = source.with_columns({RESPONSE: values})
        expressions[parsed.response] = REPLACED.expression
    for what, value in roles.columns.items():
        if value is None or what == "y":
            continue
        code, extra = given_column(source, what, value)
        source = source.with_columns(extra)
        expressions[code] = parse(code, source.names, env)
        codes[what] = code
        if what == "weights" and expressions[code].stateful:
            raise DataError(
                f"weights {code!r} would be learnt from the rows that they choose. Make them a "
                "column of the data first.",
                kind="weights",
            )
    if source.n_rows == 0:
        raise _no_rows()
    source = _held(with_read(source, roles.read, roles.given) if roles.read else source)
    variables, plan, source = learn_variables(
        source, expressions, codes.get("weights"), control, roles.read
    )
    # Of a stream that is known only now.
    if source.n_rows == 0:
        raise _no_rows()
    offsets = (*parsed.offsets, *([codes["offset"]] if "offset" in codes else []))
    spec = DesignSpec(
        formula=parsed.formula,
        variables=variables,
        equations=(EquationDesign((), offsets),),
        response=parsed.response,
        exposure=codes.get("exposure"),
        weights=codes.get("weights"),
        beside=(codes[BESIDE],) if BESIDE in codes else (),
    )
    if plan.account.n_dropped >= plan.account.n_rows:
        raise DataError(
            f"No row is left of {plan.account.n_rows:,}: {plan.account.told()}.",
            kind="no_observations",
        )
    return spec, source, plan


def _check_number(what: str, code: str, variable: Variable) -> None:
    if variable.kind != "numerical" or variable.width != 1:
        raise DataError(f"{what} {code!r} must be one column of numbers.", kind=what)


def formula_design(
    source: Source,
    formula: str,
    roles: Roles,
    env: Functions,
    control: Control,
) -> Rows:
    """Learn the design of a formula and of the model's further parts."""
    parsed = planned_model(formula, source.names, env)
    others = [
        None if given is None else planned_part(given[1], given[0], source.names, env)
        for given in roles.parts
    ]
    expressions = dict(parsed.expressions)
    for other in others:
        expressions.update({} if other is None else other.expressions)
    for other in others:
        if other is not None and any(parsed.response in codes for codes in other.terms):
            raise FormulaError(
                f"The response is also a predictor.\n    {other.formula}",
                kind="response_as_predictor",
            )
    if len(expressions) > len(parsed.expressions):
        parsed = replace(parsed, expressions=expressions)
    learnt = _learnt(source, parsed, roles, env, control)
    spec = learnt[0]
    parts = planned_parts(parsed.terms, spec.variables, control.memory_limit)
    more = []
    for other in others:
        if other is None:
            more.append(CONSTANT)
            continue
        own = planned_parts(other.terms, spec.variables, control.memory_limit)
        more.append(EquationDesign(own, other.offsets))
    same = [each for one in (parsed, *others) if one is not None for each in one.itself]
    return _rows(learnt, control, parts, more, same)


CONSTANT = EquationDesign((intercept_part(),))


def array_design(
    source: Source, response: str, columns: Sequence[str], roles: Roles, control: Control
) -> Rows:
    """A design whose columns are taken as they are; further parts are lists of columns."""
    names = source.names
    every = (response, *columns, *(n for given in roles.parts if given for n in given[1]))
    # Before anything is read: the columns of X are those of the model.
    constants = sum(given is None for given in roles.parts)
    _check_memory(len(every) - 1 + constants, control.memory_limit)
    expressions = {f"Q({name!r})": parse(f"Q({name!r})", names) for name in every}
    formula = f"{response} ~ {' + '.join(columns[:6])}{' + ...' if len(columns) > 6 else ''}"
    parsed = ParsedFormula(formula, f"Q({response!r})", (), (), expressions)
    learnt = _learnt(source, parsed, roles, None, control)
    spec = learnt[0]
    for name in every[1:]:
        if spec.variables[f"Q({name!r})"].kind != "numerical":
            raise DataError(
                f"Column {name!r} of X does not hold numbers. Code it in numbers, or use "
                "glmcount.fit(formula, data), which takes factors.",
                kind="design_dtype",
            )

    def taken(chosen: Mapping[str, str]) -> tuple[Part, ...]:
        return tuple(
            Part(name, (f"Q({key!r})",), (), None, np.zeros(1, dtype=np.intp), (name,))
            for key, name in chosen.items()
        )

    more = [CONSTANT if g is None else EquationDesign(taken(g[1])) for g in roles.parts]
    return _rows(learnt, control, taken(dict(zip(columns, columns, strict=True))), more)


def _check_memory(count: int, limit: int) -> None:
    if 8 * count * count > limit:
        raise MemoryLimitError(
            f"The model has {count:,} columns in all, whose information matrix takes "
            f"{8 * count * count / 2**30:,.3g} GiB; the limit is {limit / 2**30:,.3g} GiB. Leave "
            "columns out, or raise control=glmcount.Control(memory_limit=...)."
        )


def _several_offsets(
    learnt: tuple[DesignSpec, Source, Plan], equations: Sequence[EquationDesign]
) -> Iterator[dict[str, Array]]:
    """For each equation of several offsets, each by what it is called, in the first strip."""
    spec, source, plan = learnt
    for k, equation in enumerate(equations):
        exposure = spec.exposure if k == 0 else None
        codes = [*equation.offsets, *([exposure] if exposure is not None else [])]
        if len(codes) < 2:
            continue
        first, raw = source.strip(0, spec.columns(tuple(codes)))
        columns, length = coerced(raw), source.span(0)[1] - first
        where = plan.where(0, length)
        found = {}
        for i, code in enumerate(codes):
            values = numbers_of(spec.variables[code], columns, length)[0]
            values = np.asarray(values if where is None else values[where], dtype=np.float64)
            if i < len(equation.offsets):
                again = " again" if f"The offset {code}" in found else ""
                found[f"The offset {code}{again}"] = values
            elif (values > 0).all():
                found[f"the exposure {code}"] = np.log(values)
        if all(np.isfinite(values).all() for values in found.values()):
            yield found


def _rows(
    learnt: tuple[DesignSpec, Source, Plan],
    control: Control,
    parts: tuple[Part, ...],
    more: Sequence[EquationDesign],
    same: Sequence[tuple[str, str]] = (),
) -> Rows:
    """What was learnt as an rows, the parts of its equations known."""
    spec, source, plan = learnt
    equations = (EquationDesign(parts, spec.equations[0].offsets), *more)
    for equation in equations:
        if not equation.names:
            raise RankError(
                "The formula has no column left of which a coefficient could be estimated; "
                "'y ~ 1' fits a constant.",
                kind="no_parameters",
            )
        for code in equation.offsets:
            _check_number("offset", code, spec.variables[code])
    if spec.exposure is not None:
        _check_number("exposure", spec.exposure, spec.variables[spec.exposure])
    _check_memory(sum(len(equation.names) for equation in equations), control.memory_limit)
    full = DesignSpec(
        spec.formula,
        spec.variables,
        equations,
        spec.response,
        spec.exposure,
        spec.weights,
        spec.beside,
        doubts(spec.variables, equations, same, _several_offsets(learnt, equations), spec.exposure),
    )
    return Rows(source, full, plan, control.threads, Cache(control.memory))
