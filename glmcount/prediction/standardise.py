"""Rates directly standardised to a reference population, with delta-method standard errors.

With weights w_s of the strata s of the reference, adding up to one, and the model's rate r_s(g) of
stratum s where all are in group g, the standardised rate is R(g) = sum_s w_s r_s(g). Its interval
is that of log R, which is more nearly normal (Rothman, Greenland & Lash 2008, Modern Epidemiology,
chapter 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from glmcount.allowed import shown
from glmcount.columns.coerce import coerce
from glmcount.columns.column import Column
from glmcount.design.rows import Rows
from glmcount.engine.passes import predictors
from glmcount.engine.spread import columns_of
from glmcount.engine.strip import Strip
from glmcount.errors import DataError, NotDefinedError, UnknownColumnError, UsageError, near, some
from glmcount.families.proportion import proportional
from glmcount.fitted import Fitted
from glmcount.numerics import Array
from glmcount.prediction.estimable import reach_of
from glmcount.prediction.newdata import new_rows, spread_out
from glmcount.records import dataclass, replace
from glmcount.sources.base import Columns, Source, open_source

__all__ = ["Standardised", "standardised"]


@dataclass(frozen=True, eq=False)
class Standardised:
    """Standardised rates of the groups.

    Parameters
    ----------
    groups : tuple
    rates : ndarray, shape (g,)
    slopes : ndarray, shape (g, k)
        Derivatives by all shifted parameters.
    """

    groups: tuple[Any, ...]
    rates: Array
    slopes: Array

    def table(self, matrix: Array, reach: float | Array) -> tuple[Array, Array, Array, Array]:
        """Rates, standard errors, and ends of the intervals of their logarithms."""
        errors = np.sqrt(np.einsum("gj,jk,gk->g", self.slopes, matrix, self.slopes))
        factor = np.exp(reach * errors / self.rates)
        return self.rates, errors, self.rates / factor, self.rates * factor

    def compared(self, matrix: Array, ratio: bool) -> tuple[Array, Array, Array]:
        """Each group against the first: differences, or logarithms of ratios, errors, slopes."""
        values = np.log(self.rates) if ratio else self.rates
        slopes = self.slopes / self.rates[:, None] if ratio else self.slopes
        moves = slopes[1:] - slopes[0]
        errors = np.sqrt(np.einsum("gj,jk,gk->g", moves, matrix, moves))
        return values[1:] - values[0], errors, moves


def standardised(
    state: Fitted, reference: Any, by: str, weight: str, groups: Sequence[Any] | None
) -> Standardised:
    """The standardised rate of each group.

    Parameters
    ----------
    state : Fitted
    reference : table
        A row for each stratum: the model's columns but `by`, and the weights.
    by, weight : str
        Columns.
    groups : sequence or None
        Values of `by`; None for the levels of a factor.

    Raises
    ------
    UnknownColumnError
        If a column is not there.
    DataError
        If weights are negative, missing or add up to nothing.
    NotDefinedError
        If a stratum has no estimate in the model, or the mean is not in proportion to the
        exposure.
    """
    for what, name in (("by", by), ("weights", weight)):
        if not isinstance(name, str):
            raise UsageError(
                f"{what}= of standardised_rate is the name of a column; got {shown(name)}.",
                kind="column_name",
            )
    _refuse_without_rate(state, by)
    chosen = _groups(state, by, groups)
    source = open_source(spread_out(reference))
    if weight not in source.names:
        raise UnknownColumnError(
            f"The reference has no column {weight!r} of weights.{near(weight, source.names)} Name "
            f"it by weights=...; columns: {some(source.names, 12)}.",
        )
    shares = _shares(_whole(source, weight), weight)
    # Offsets of a zero part belong to its probability, not to the unit of a rate.
    spec = state.spec.bare()
    needed = [name for name in spec.columns(spec.predictors) if name != by]
    lacking = [name for name in needed if name not in source.names]
    if lacking:
        raise UnknownColumnError(
            f"The reference lacks {some(map(repr, lacking))}, which the model's rate depends on: a "
            "stratum has a value of each column of the model but the one of by=."
        )
    found = []
    for group in chosen:
        same = np.full(len(shares), group, dtype=object if isinstance(group, str) else None)
        rows, _ = new_rows(spec, source.with_columns({by: same}), {}, state.options.control)
        found.append(_rate(state, rows, shares, group))
    table = np.array(found)
    return Standardised(tuple(chosen), table[:, 0], table[:, 1:])


def _refuse_without_rate(state: Fitted, by: str) -> None:
    spec = state.spec
    given = (*spec.equations[0].offsets, *([] if spec.exposure is None else [spec.exposure]))
    if given and not proportional(state.fit.family):
        raise NotDefinedError(
            "A standardised rate is of means in proportion to their exposure, and those of this "
            f"model ({state.fit.family.title}) are not: twice the exposure is not twice the count. "
            f"Take r.predictions(by={by!r}), of means at the exposure that each row has, or with "
            "which='rate', of means at an exposure of 1.",
            kind="not_proportional",
        )


def _groups(state: Fitted, by: str, groups: Sequence[Any] | None) -> list[Any]:
    spec = state.spec
    readers = [
        spec.variables[code] for code in spec.predictors
        if by in spec.variables[code].expression.columns
    ]  # fmt: skip
    if not readers:
        raise UsageError(
            f"by={shown(by)} is no column that the model's rate depends on; those are: "
            f"{some(spec.columns(spec.predictors), 12)}.",
            kind="unknown_by",
        )
    if groups is not None:
        asked = groups.tolist() if isinstance(groups, np.ndarray | pd.Series) else groups
        if not isinstance(asked, list | tuple) or not asked:
            raise UsageError(
                f"groups is a list of values of {by!r}, two or more; got {shown(groups)}.",
                kind="unknown_by",
            )
        return list(asked)
    levels = next((variable.levels for variable in readers if variable.levels is not None), None)
    if levels is None:
        raise UsageError(
            f"by={by!r} is a number in the model, so that its groups are not known: name its "
            "values by groups=[...].",
            kind="unknown_by",
        )
    return list(levels)


def _whole(source: Source, name: str) -> Column:
    """One column of a small table."""

    def one(number: int, first: int, raw: Columns) -> list[Column]:
        return [coerce(name, raw[name])]

    parts: list[Column] = source.fold((name,), one, lambda a, b: a + b)
    return replace(parts[0], values=np.concatenate([part.values for part in parts]))


def _shares(column: Column, name: str) -> Array:
    weights = column.values.astype(np.float64) if column.kind == "numeric" else np.full(1, np.nan)
    if not (np.isfinite(weights).all() and (weights >= 0.0).all() and weights.sum() > 0.0):
        raise DataError(
            f"The weights {name!r} of the reference must be numbers of 0 or more, not all 0: how "
            "many people, or person-years, each stratum of the reference population has.",
            kind="reference_weights",
        )
    return weights / weights.sum()


def _rate(state: Fitted, rows: Rows, shares: Array, group: Any) -> Array:
    """The weighted mean of the rates, and its derivatives by the shifted parameters."""
    fit = state.fit

    def work(strip: Strip) -> Array:
        w = shares[strip.first + (np.arange(strip.n) if strip.where is None else strip.where)]
        known = reach_of(fit, strip)
        if strip.n < len(shares) or not all(
            way is None or not np.any(way[w > 0.0] != 0.0) for way in known.ways
        ):
            raise NotDefinedError(
                f"The model has no finite rate for some stratum of the reference in the group "
                f"{group!r}: its levels do not occur together in the data, its coefficients are "
                "infinite, or a value is missing. Merge strata, or leave the interaction out.",
                kind="no_rate",
            )
        mean = fit.family.moments(predictors(fit.layout, strip, fit.settled))[0]
        out = np.zeros(1 + fit.layout.size)
        out[0] = np.dot(w, np.broadcast_to(mean.value, (strip.n,)))
        columns = columns_of(fit.layout, strip)
        for own, x, slope in zip(fit.layout.slices, columns, mean.d1, strict=True):
            if slope is not None:
                out[1:][own] = np.dot(x, w * slope)
        return out

    return rows.fold(work, np.add)
