"""Predicted quantities and their delta-method standard errors, from the family's jets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from glmcount.design.blocks import Layout, Strip, quadratic
from glmcount.design.build import ARRAY, given_column, with_columns
from glmcount.design.encode import Encoder
from glmcount.design.learn import complete_rows
from glmcount.design.measure import check_finite
from glmcount.design.safe import parse
from glmcount.design.spec import DesignSpec
from glmcount.errors import UnknownColumnError, UsageError, near, some
from glmcount.families.base import Family
from glmcount.fitting.objective import predictors
from glmcount.fitting.run import Fit
from glmcount.inference.estimates import width
from glmcount.inference.state import State
from glmcount.numerics import Array, Control, Jet, eta_jet
from glmcount.sources.base import Source, open_source

__all__ = [
    "WHICH",
    "Prediction",
    "Quantity",
    "new_rows",
    "predicted",
    "prediction",
    "quantity",
    "target",
]


@dataclass(frozen=True)
class Quantity:
    """Something to predict: a jet of the predictors.

    Parameters
    ----------
    name : str
    jet : callable
        ``(family, etas) -> Jet``.
    """

    name: str
    jet: Callable[[Family, Sequence[Array]], Jet]


WHICH: dict[str, Quantity] = {
    q.name: q
    for q in (
        Quantity("mean", lambda family, etas: family.moments(etas)[0]),
        Quantity("linear", lambda family, etas: eta_jet(etas, 0)),
        Quantity("var", lambda family, etas: family.moments(etas)[1]),
    )
}


def quantity(which: str) -> Quantity:
    """The quantity of that name.

    Raises
    ------
    UsageError
        With the names there are.
    """
    if which not in WHICH:
        raise UsageError(
            f"which={which!r} cannot be predicted.{near(which, WHICH)} which takes: {some(WHICH)}.",
            kind="unknown_which",
        )
    return WHICH[which]


def new_rows(
    spec: DesignSpec, newdata: Any, given: Mapping[str, Any], control: Control
) -> tuple[Encoder, Any]:
    """Encoder over new rows by the learnt design, and their index.

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
    plan = complete_rows(source, needed, control.threads)
    return Encoder(source, spec, plan, control.threads, 0, response=False), source.index


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
        return replace(spec, variables=variables, exposure=code), with_columns(source, extra)
    first = spec.equations[0]
    offsets = (*first.offsets[:-1], code)
    equations = (replace(first, offsets=offsets), *spec.equations[1:])
    changed = replace(spec, variables=variables, equations=equations)
    return changed, with_columns(source, extra)


def _check_columns(spec: DesignSpec, source: Source) -> None:
    roles = dict.fromkeys(spec.equations[0].offsets, "offset")
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


def predicted(
    encoder: Encoder,
    fit: Fit,
    jet_of: Callable[[Family, Sequence[Array]], Jet],
    matrix: Array | None,
) -> tuple[Array, Array | None]:
    """(values, standard errors) over all rows of the source; NaN in rows left out.

    `matrix` is the covariance over all shifted columns, zero where one was left out.
    """
    n = encoder.source.n_rows
    values = np.full(n, np.nan)
    errors = None if matrix is None else np.full(n, np.nan)

    def work(strip: Strip) -> int:
        if not encoder.response:
            check_finite(encoder, strip)
        etas = predictors(fit.layout, strip, fit.theta)
        jet = jet_of(fit.family, etas)
        rows = np.arange(strip.n) if strip.where is None else strip.where
        values[rows + strip.first] = jet.value
        if errors is not None and matrix is not None:
            errors[rows + strip.first] = _error(fit.layout, strip, jet, matrix)
        return 0

    encoder.fold(work, lambda a, b: a)
    return values, errors


def _error(layout: Layout, strip: Strip, jet: Jet, matrix: Array) -> Array:
    chosen = [None if d is None else np.broadcast_to(d, (strip.n,)) for d in jet.d1]
    return np.sqrt(np.maximum(quadratic(layout, strip, matrix, chosen), 0.0))


@dataclass(frozen=True)
class Prediction:
    """Predictions with standard errors and intervals.

    Parameters
    ----------
    predicted, se : Series
    linear, linear_se : Series
        The mean's linear predictor, on which intervals of the mean are made.
    df : float or None
        Of the t distribution; None for normal.
    inverse : callable
        From the linear predictor to the predicted quantity, for interval ends; None makes
        intervals symmetric.
    """

    predicted: pd.Series
    se: pd.Series
    linear: pd.Series
    linear_se: pd.Series
    df: float | None
    inverse: Callable[[Array], Array] | None

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Interval of the quantity, columns 0 and 1."""
        reach = width(alpha, self.df)
        columns = {}
        for column, sign in enumerate((-1.0, 1.0)):
            if self.inverse is None:
                columns[column] = self.predicted + sign * reach * self.se
            else:
                ends = (self.linear + sign * reach * self.linear_se).to_numpy()
                columns[column] = pd.Series(self.inverse(ends), index=self.predicted.index)
        return pd.DataFrame(columns)

    def summary_frame(self, alpha: float = 0.05) -> pd.DataFrame:
        """Columns mean, mean_se, mean_ci_lower, mean_ci_upper."""
        ends = self.conf_int(alpha)
        return pd.DataFrame(
            {
                "mean": self.predicted,
                "mean_se": self.se,
                "mean_ci_lower": ends[0],
                "mean_ci_upper": ends[1],
            }
        )


def prediction(
    encoder: Encoder,
    fit: Fit,
    which: str,
    matrix: Array,
    df: float | None,
    label: Callable[[Array], pd.Series],
) -> Prediction:
    """A `Prediction` of one quantity over the rows of an encoder."""
    values, errors = predicted(encoder, fit, quantity(which).jet, matrix)
    linear, linear_errors = predicted(encoder, fit, WHICH["linear"].jet, matrix)
    assert errors is not None and linear_errors is not None
    inverse = None
    if which == "mean":
        rest = [fit.theta[s][:1] for s in fit.layout.slices[1:]]
        inverse = lambda lp: fit.family.moments((lp, *rest))[0].value  # noqa: E731
    return Prediction(
        label(values), label(errors), label(linear), label(linear_errors), df, inverse
    )


def target(
    state: State, newdata: Any, given: Mapping[str, Any]
) -> tuple[Encoder, Callable[[Array], pd.Series]]:
    """Encoder over the rows to predict for, and how their values become a Series."""
    if newdata is None:
        state.check_unchanged()
        rows, index = state.used_rows(), state.labels()
        return state.encoder, lambda values: pd.Series(values[rows], index=index)
    encoder, index = new_rows(state.encoder.spec, newdata, given, state.options.control)
    return encoder, lambda values: pd.Series(values, index=index)
