"""Terms that a fit has, in the order in which they were written, and terms to be added."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from glmcount.allowed import shown
from glmcount.design.arrays import part_columns
from glmcount.design.recall import planned_model, planned_part
from glmcount.design.rows import Rows
from glmcount.design.spec import EquationDesign, Part, Variable
from glmcount.errors import DataError, UsageError, counted
from glmcount.fits import Ready, opened, part_designs
from glmcount.fitted import Fitted
from glmcount.fitting.nested import designed
from glmcount.language.parse import parse
from glmcount.numerics import Array
from glmcount.records import replace
from glmcount.request import PARTS
from glmcount.subject import Formula

__all__ = ["added", "written"]


def written(state: Fitted) -> tuple[tuple[str, ...], ...]:
    """Terms of each equation, main effects before interactions, else as they were written."""
    ready: Ready = state.again
    subject, request = ready.subject, ready.request
    designs = state.asked_spec.equations
    texts: list[tuple[Any, str] | None] = [None]
    if isinstance(subject, Formula):
        texts = [(subject.formula, "")]
    parts = part_designs(state.family, {what: getattr(request, what) for what in PARTS})
    texts += [None if part is None else (part[1], part[0]) for part in parts]
    names, out = state.asked.source.names, []
    for design, text in zip(designs, texts, strict=True):
        if text is None or not isinstance(text[0], str):
            out.append(design.terms)
            continue
        formula, what = text
        if what:
            parsed = planned_part(formula, what, names, request.env)
        else:
            parsed = planned_model(formula, names, request.env)
        order = [":".join(codes) or "Intercept" for codes in parsed.terms]
        out.append(tuple(term for term in order if term in design.terms))
    return tuple(out)


def added(state: Fitted, terms: Any) -> Rows:
    """The rows of a fit, whose mean has further columns behind its own.

    Parameters
    ----------
    state : Fitted
    terms : str or array
        Terms of a formula, such as ``"z1 + z2"``; or columns, one value for each row of the data.

    Raises
    ------
    DataError
        If a row that was fitted has no value there.
    UsageError, FormulaError
        If they are no terms, or none that the model does not have.
    """
    asked = state.asked
    if isinstance(terms, str):
        spec, more = _by_formula(state, terms)
        rows = asked
    else:
        rows, spec, more = _by_columns(state, terms)
    first, *others = state.asked_spec.equations
    mean = EquationDesign((*first.parts, *more), first.offsets)
    variables = {**spec, **state.asked_spec.variables}
    joint = replace(state.asked_spec, variables=variables, equations=(mean, *others))
    return designed(rows, joint, state.options.control.memory)


def _by_formula(state: Fitted, terms: str) -> tuple[dict[str, Variable], tuple[Part, ...]]:
    """Variables and parts of further terms, learnt of the rows of the fit."""
    ready: Ready = state.again
    subject = ready.subject
    if not isinstance(subject, Formula):
        raise UsageError(
            "fit_arrays knows no names: pass the columns to be added as an array, "
            "r.score_test(Z), with a row for each row of X.",
            kind="names",
        )
    if not terms.strip() or "~" in terms:
        raise UsageError(
            f"score_test takes terms to be added to the mean, such as 'z1 + z2'; got "
            f"{shown(terms)}. A hypothesis about coefficients is r.wald_test(...).",
            kind="no_terms",
        )
    larger = replace(subject, formula=f"{subject.formula} + {terms}")
    rows, _ = opened(larger, ready.request, ready.cov.needs)
    spec = rows.spec
    _refuse_lost(state.asked.n_used - rows.n_used, terms)
    own, mean = state.asked_spec.equations[0], spec.equations[0]
    if len(mean.offsets) != len(own.offsets):
        raise UsageError(
            f"{shown(terms)} has an offset, which has no coefficient to be tested. Add it to the "
            "model by r.refit(formula=...).",
            kind="no_terms",
        )
    more = tuple(part for part in mean.parts if part.term not in own.terms)
    if not more:
        raise UsageError(
            f"{shown(terms)} names no term that the mean does not have: {', '.join(own.terms)}.",
            kind="no_terms",
        )
    return dict(spec.variables), more


def _refuse_lost(count: int, terms: Any) -> None:
    if count > 0:
        raise DataError(
            f"The terms {shown(terms)} have no value in {count:,} of the rows that were fitted, "
            "and a test compares models of the same rows. Leave these rows out before the fit: "
            "data.dropna(subset=[...]).",
            kind="missing_in_terms",
        )


def _by_columns(state: Fitted, terms: Any) -> tuple[Rows, dict[str, Variable], tuple[Part, ...]]:
    """The rows beside columns that are given, with variables and parts of these."""
    given, index = terms, state.at_hand.index
    if isinstance(given, pd.Series):
        given = given.to_frame()
    if isinstance(given, pd.DataFrame) and index is not None and not given.index.equals(index):
        raise DataError(
            "The columns to be added have other labels of rows than the data of the fit. Take "
            "them by these: Z.loc[data.index].",
            kind="different_index",
        )
    found = part_columns("terms", given)
    if found is None:
        raise UsageError(
            f"score_test takes terms to be added to the mean; got {shown(terms)}.", kind="no_terms"
        )
    columns = {key: _numbers(found[1][key], values) for key, values in found[0].items()}
    source = state.asked.source
    for values in columns.values():
        if len(values) != source.n_rows:
            raise DataError(
                f"The columns to be added have {counted(len(values), 'row')}, and the data of "
                f"the fit "
                f"{source.n_rows:,}.",
                kind="length",
            )
    numbers = state.asked.numbers()
    lost: Array = np.any([~np.isfinite(values[numbers]) for values in columns.values()], axis=0)
    _refuse_lost(int(lost.sum()), terms)
    rows = replace(state.asked, source=source.with_columns(columns))
    variables, parts = {}, []
    for key, name in found[1].items():
        code = f"Q({key!r})"
        variables[code] = Variable(parse(code, rows.source.names), "numerical")
        parts.append(Part(name, (code,), (), None, np.zeros(1, dtype=np.intp), (name,)))
    return rows, variables, tuple(parts)


def _numbers(name: str, values: Any) -> Array:
    """A column to be added, as numbers."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"The column {name!r} to be added does not hold numbers. Code it in numbers; of a fit "
            "by a formula a factor is named as a term, r.score_test('g').",
            kind="design_dtype",
        ) from None
