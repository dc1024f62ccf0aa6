"""`fit` and `fit_arrays`: check the options, walk the rooms, hand over `Results`."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from glmcount.checks import (
    check_choice,
    check_options,
    fit_warnings,
    measured_warnings,
    refuse_measured,
)
from glmcount.design.build import array_design, formula_design
from glmcount.design.encode import Encoder, layout_of
from glmcount.design.measure import measure
from glmcount.errors import DataError, GlmcountWarning, UsageError
from glmcount.families.base import Family, resolve
from glmcount.families.links import Link, compose
from glmcount.fitting.fit import maximise
from glmcount.fitting.run import Options
from glmcount.fitting.solvers import solver
from glmcount.inference.covariance import Estimator, estimator
from glmcount.inference.estimates import estimates
from glmcount.inference.state import State
from glmcount.numerics import Array, Control
from glmcount.results import Results
from glmcount.sources.base import Source, open_source
from glmcount.sources.frame import from_columns

__all__ = ["fit", "fit_arrays"]


def fit(
    formula: str,
    data: Any,
    *,
    family: str | Family = "poisson",
    link: str | Link | None = None,
    offset: Any = None,
    exposure: Any = None,
    weights: Any = None,
    weights_type: str = "frequency",
    cov: str | Estimator | None = None,
    information: str | None = None,
    method: str = "newton",
    start: Sequence[float] | None = None,
    missing: str = "drop",
    separation: str = "warn",
    env: Mapping[str, Callable[..., Any]] | None = None,
    control: Control | None = None,
    **unknown: Any,
) -> Results:
    """Fit a count model by maximum likelihood.

    Parameters
    ----------
    formula : str
        ``"y ~ x1 + C(g)"``, in patsy's language; ``offset(log(t))`` may be a term.
    data : DataFrame, Table or dict
        pandas, polars, pyarrow, or a dict of columns.
    family : str or Family
        "poisson", "quasipoisson", "negbin" ("nb2"), "geometric", or a value such as
        ``glmcount.families.negbin(alpha=0.5)``.
    link : {"log", "identity", "sqrt"}, optional
    offset, exposure, weights : str, array or Series, optional
        A column, an expression, or one value a row. The logarithm of the exposure is added
        to the predictor. All are remembered by predict and the null model.
    weights_type : {"frequency", "importance", "probability"}
        Copies of a row; weights as given; sampling weights (robust errors by default).
    cov : {"nonrobust", "opg", "HC0", "HC1", "HC2", "HC3"}, optional
    information : {"expected", "observed"}, optional
        Default: expected for one equation (as R and statsmodels), observed for several.
    method : {"newton", "irls", "lbfgs", "gradient"}
    start : array, optional
        Starting values in the order of the parameters, ancillary ones as logarithms.
    missing : {"drop", "raise"}
        What to do with rows that have missing values.
    separation : {"warn", "raise", "ignore"}
        What to do where a coefficient is infinite.
    env : dict, optional
        The user's own functions for the formula.
    control : Control, optional

    Returns
    -------
    Results

    Raises
    ------
    GlmcountError
        With what is wrong, where, and what to do; ``error.kind`` names it.

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ x", data={"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
    >>> [round(float(b), 4) for b in r.params]
    [0.4055, 1.0986]
    """
    check_options(unknown)
    options = {
        "family": family,
        "link": link,
        "weights_type": weights_type,
        "cov": cov,
        "information": information,
        "method": method,
        "start": start,
        "missing": missing,
        "separation": separation,
        "control": control,
    }
    roles = {"offset": offset, "exposure": exposure, "weights": weights}
    call = {"formula": formula, "data": data, "env": env, **roles, **options}
    source = open_source(data)
    control = control or Control()

    def design(equations: int) -> Encoder:
        return formula_design(source, formula, roles, equations, env, control)

    return _fit(design, source, options, partial(_changed, fit, call))


def fit_arrays(
    y: Any,
    X: Any,
    names: Sequence[str] | None = None,
    **options: Any,
) -> Results:
    """Fit to arrays: `X` as it is, no intercept added.

    Parameters
    ----------
    y : array, shape (n,)
    X : array or DataFrame, shape (n, p)
    names : sequence of str, optional
        Column names; x0, x1, ... by default, or those of a DataFrame.
    **options
        As `fit`; offset, exposure and weights are arrays.

    Returns
    -------
    Results

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit_arrays([1, 2, 3], [[1.0], [1.0], [1.0]])
    >>> round(float(r.params["x0"]), 6)
    0.693147
    """
    allowed = {k: v for k, v in options.items() if k in _ARRAY_OPTIONS}
    check_options({k: v for k, v in options.items() if k not in _ARRAY_OPTIONS})
    table, response = _columns(y, X, names)
    source = from_columns(table, getattr(y, "index", None))
    roles = {what: allowed.pop(what, None) for what in ("offset", "exposure", "weights")}
    columns = [name for name in table if name != response]
    control = allowed.get("control") or Control()

    def design(equations: int) -> Encoder:
        return array_design(source, response, columns, roles, equations, control)

    settings = {**_ARRAY_DEFAULTS, **allowed}
    call = {"y": y, "X": X, "names": names, **roles, **settings}
    return _fit(design, source, settings, partial(_changed, fit_arrays, call))


def _changed(fitter: Callable[..., Results], call: dict[str, Any], **changes: Any) -> Results:
    return fitter(**{**call, **changes})


_ARRAY_DEFAULTS: dict[str, Any] = {
    "family": "poisson",
    "link": None,
    "weights_type": "frequency",
    "cov": None,
    "information": None,
    "method": "newton",
    "start": None,
    "missing": "drop",
    "separation": "warn",
    "control": None,
}
_ARRAY_OPTIONS = (*_ARRAY_DEFAULTS, "offset", "exposure", "weights")


def _columns(y: Any, matrix: Any, names: Sequence[str] | None) -> tuple[dict[str, Any], str]:
    if isinstance(matrix, pd.DataFrame):
        # Column by column: one array of a frame would be a copy of all of it.
        columns = [_number(matrix.iloc[:, j]) for j in range(matrix.shape[1])]
        names = list(map(str, matrix.columns)) if names is None else names
    else:
        columns = _array_columns(matrix)
    count = len(columns)
    names = [f"x{j}" for j in range(count)] if names is None else list(map(str, names))
    if len(names) != count or len(set(names)) < count:
        raise UsageError(
            f"names must be {count} different names, one for each column of X.",
            kind="names",
        )
    response = str(getattr(y, "name", None) or "y")
    while response in names:
        response += "_"
    values = y.array if isinstance(y, pd.Series) else np.asarray(y)
    if np.ndim(values) != 1:
        raise DataError(f"y must have one dimension, not shape {np.shape(values)}.", kind="data")
    return {response: values, **dict(zip(names, columns, strict=True))}, response


def _number(column: pd.Series) -> Any:
    return column.to_numpy().astype(np.uint8) if column.dtype == np.bool_ else column.array


def _array_columns(matrix: Any) -> list[Any]:
    array = np.asarray(matrix)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise DataError(
            f"X must be a table of numbers, (rows, columns); got shape {array.shape} of "
            f"{array.dtype}. For factors and formulas use glmcount.fit(formula, data).",
            kind="design_dtype",
        )
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    return [array[:, j] for j in range(array.shape[1])]


def _information(given: str | None, family: Family) -> str:
    check_choice("information", given, (None, "expected", "observed"))
    return given or ("expected" if len(family.equations) == 1 else "observed")


def _fit(
    design: Callable[[int], Encoder],
    source: Source,
    asked: dict[str, Any],
    again: Callable[..., Results],
) -> Results:
    family = compose(resolve(asked["family"]), asked["link"])
    check_choice("weights_type", asked["weights_type"], ("frequency", "importance", "probability"))
    check_choice("missing", asked["missing"], ("drop", "raise"))
    check_choice("separation", asked["separation"], ("warn", "raise", "ignore"))
    robust = "HC1" if asked["weights_type"] == "probability" else "nonrobust"
    chosen = estimator(asked["cov"], robust)
    solver(asked["method"])
    information = _information(asked["information"], family)
    encoder = design(len(family.equations))
    notes: list[GlmcountWarning] = []
    measured, layout = measure(encoder, layout_of(encoder.spec), family.constant)
    refuse_measured(encoder, measured, asked["missing"])
    options = Options(
        asked["method"],
        information,
        _start(asked["start"], layout.size),
        asked["control"] or Control(),
    )
    notes += measured_warnings(encoder, measured, asked["weights_type"], family)
    found = maximise(encoder, layout, measured, family, options)
    values = estimates(found, encoder.spec)
    notes += fit_warnings(encoder, found, values, measured, asked["separation"])
    for note in notes:
        python_warnings.warn(note, stacklevel=3)
    state = State(
        encoder,
        measured,
        found,
        family,
        values,
        options,
        asked["weights_type"],
        source.index,
        again,
        tuple(notes),
    )
    return Results(state, chosen)


def _start(given: Sequence[float] | None, size: int) -> Array | None:
    if given is None:
        return None
    start = np.asarray(given, dtype=np.float64)
    if start.shape != (size,) or not np.all(np.isfinite(start)):
        raise UsageError(
            f"start must hold {size} finite numbers, one for each parameter in order (ancillary "
            f"ones as logarithms); got shape {start.shape}.",
            kind="start",
        )
    return start
