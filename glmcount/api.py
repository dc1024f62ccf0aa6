"""`fit` and `fit_arrays`: check the options, walk the rooms, hand over `Results`."""

from __future__ import annotations

import sys
import warnings as python_warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from glmcount.cells.compress import compressed
from glmcount.checks import check_choice, check_options, measured_warnings, refuse_measured
from glmcount.design.arrays import array_columns, part_columns
from glmcount.design.build import (
    Roles,
    array_design,
    formula_design,
    left_out_missing,
    with_response,
)
from glmcount.design.given import response_values
from glmcount.design.measure import Measured, measure, remeasure
from glmcount.design.recall import planned_layout
from glmcount.design.rows import Rows
from glmcount.engine.layout import Layout
from glmcount.errors import UsageError
from glmcount.families.base import Family
from glmcount.families.combine.links import Link
from glmcount.families.model import model_family
from glmcount.fitting.identified import refuse_unidentified
from glmcount.fitting.maximise import maximise
from glmcount.fitting.run import Options
from glmcount.fitting.solvers import solver
from glmcount.inference.covariance import Estimator, estimator
from glmcount.inference.estimates import estimates, names
from glmcount.inference.state import State
from glmcount.notes import fit_warnings
from glmcount.numerics import Array
from glmcount.numerics.control import Control
from glmcount.records import dataclass
from glmcount.results import Results
from glmcount.sources.base import open_source
from glmcount.sources.frame import from_columns
from glmcount.sources.labels import paired

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
    inflate: str | None = None,
    hurdle: str | None = None,
    zero: str | Family | None = None,
    truncated: int | None = None,
    censored: Any = None,
    dispersion: str | None = None,
    cov: str | Estimator | None = None,
    information: str | None = None,
    method: str = "newton",
    start: Sequence[float] | None = None,
    missing: str = "drop",
    separation: str = "warn",
    compress: str | bool = "auto",
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
        A name in ``glmcount.families.families``, such as "poisson", "quasipoisson",
        "negbin" ("nb2"), "negbin1", "genpoisson", "compoisson", "pig", "bernoulli", or a
        value such as ``glmcount.families.negbin(alpha=0.5)``.
    link : {"log", "identity", "sqrt"}, optional
        Of the mean; of Bernoulli "logit", "probit", "cloglog".
    offset, exposure, weights : str, array or Series, optional
        A column, an expression, or one value a row. The logarithm of the exposure is added
        to the predictor. All are remembered by predict and the null model.
    weights_type : {"frequency", "importance", "probability"}
        Copies of a row; weights as given; sampling weights (robust errors by default).
    inflate, hurdle : str, optional
        Right-hand side of a second part: ``"z1 + z2"`` or ``"1"``. Zero-inflated, the
        probability of a structural zero; hurdle, that of a positive count, the counts above
        being zero-truncated. ``offset(...)`` may be a term.
    zero : {"logit", "probit", "cloglog"}, optional
        Link of that part; for a hurdle also "poisson", "negbin", "geometric": the
        probability that such a count is positive.
    truncated : int, optional
        Counts up to this number are never seen; 0 is the zero-truncated model.
    censored : column, expression, number or array, optional
        Limit at which a count says only "so many or more".
    dispersion : str, optional
        Right-hand side of a regression for log alpha (of "compoisson" for log nu).
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
    compress : {"auto", True, False}
        Whether rows that share what the model sees of them are fitted as one weighted row,
        which changes no result: for a Poisson model those of the same design, for others
        those of the same design, offset and, mostly, count. "auto" does so from 100,000 rows
        on where a sample says that there are few such cells; `Results.n_cells` tells.
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
    call = {name: value for name, value in locals().items() if name != "unknown"}
    check_options(unknown)
    return _fit_formula(call)


def _fit_formula(call: Mapping[str, Any]) -> Results:
    """Fit a formula; ``y`` is a response that takes the place of the formula's."""
    check_options([name for name in call if name not in _FORMULA_OPTIONS])
    source = open_source(call["data"])
    control = call["control"] or Control()
    columns = {what: call.get(what) for what in (*_COLUMNS, "y")}
    parts = {what: call[what] for what in _PARTS}

    def design(roles: Roles) -> Rows:
        return formula_design(source, call["formula"], roles, call["env"], control)

    return _fit(design, columns, parts, call, partial(_changed, _fit_formula, "data", call))


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
    return _fit_arrays({"y": y, "X": X, "names": names, **options})


def _fit_arrays(call: Mapping[str, Any]) -> Results:
    given, index = paired({what: call[what] for what in ("y", "X", *_PARTS) if what in call})
    call = {**call, **given}
    y, X, names = call["y"], call["X"], call["names"]
    options = {k: v for k, v in call.items() if k not in ("y", "X", "names")}
    allowed = {k: v for k, v in options.items() if k in _ARRAY_OPTIONS}
    check_options([name for name in options if name not in _ARRAY_OPTIONS], "fit_arrays")
    table, response = array_columns(y, X, names)
    columns = [name for name in table if name != response]
    roles = {what: allowed.pop(what, None) for what in _COLUMNS}
    given = {what: allowed.pop(what, None) for what in _PARTS}
    parts: dict[str, Any] = dict.fromkeys(_PARTS)
    for what, value in given.items():
        found = part_columns(what, value)
        if found is not None:
            table.update(found[0])
            parts[what] = found[1]
        elif value is not None:
            parts[what] = "1"
    source = from_columns(table, index)
    control = allowed.get("control") or Control()

    def design(asked: Roles) -> Rows:
        return array_design(source, response, columns, asked, control)

    settings = {**_ARRAY_DEFAULTS, **allowed}
    return _fit(design, roles, parts, settings, partial(_changed, _fit_arrays, "X", call))


def _changed(
    fitter: Callable[[Mapping[str, Any]], Results],
    rows: str,
    call: Mapping[str, Any],
    asked: _Asked,
    changes: Mapping[str, Any],
) -> Results:
    """Fit again with some arguments changed; `rows` is the one that brings other rows."""
    if changes.get("y") is None:
        return fitter({**call, **changes})
    source, name = asked.encoder.source, asked.encoder.spec.response
    if rows in changes:
        return fitter({**call, **changes})
    values = response_values(source, name, changes["y"])
    if len(changes) > 1:
        return fitter({**call, **changes, "y": left_out_missing(asked.encoder, values)})
    encoder = with_response(asked.encoder, values)
    measured = remeasure(encoder, asked.measured, asked.family)

    def again(base: _Asked, more: Mapping[str, Any]) -> Results:
        held = {} if "y" in more or rows in more else {"y": values}
        return _changed(fitter, rows, call, base, {**held, **more})

    return _maximised(asked, encoder, measured, again)


_COLUMNS = ("offset", "exposure", "weights", "censored")
_PARTS = ("inflate", "hurdle", "dispersion")
_Again = Callable[["_Asked", Mapping[str, Any]], Results]
_ARRAY_DEFAULTS: dict[str, Any] = {
    "family": "poisson",
    "link": None,
    "weights_type": "frequency",
    "zero": None,
    "truncated": None,
    "cov": None,
    "information": None,
    "method": "newton",
    "start": None,
    "missing": "drop",
    "separation": "warn",
    "compress": "auto",
    "control": None,
}
_ARRAY_OPTIONS = frozenset((*_ARRAY_DEFAULTS, *_COLUMNS, *_PARTS))
_FORMULA_OPTIONS = frozenset(("formula", "data", "env", "y", *_ARRAY_OPTIONS))


@dataclass(frozen=True)
class _Asked:
    """What was asked, checked and made ready: all that a new response leaves as it is.

    Parameters
    ----------
    encoder, layout, measured
    family : Family
    options : Options
    cov : Estimator
    weights_type, missing, separation : str
    compress : "auto" or bool
    """

    encoder: Rows
    layout: Layout
    measured: Measured
    family: Family
    options: Options
    cov: Estimator
    weights_type: str
    missing: str
    separation: str
    compress: Any


_CHOICES = {
    "weights_type": ("frequency", "importance", "probability"),
    "missing": ("drop", "raise"),
    "separation": ("warn", "raise", "ignore"),
    "compress": ("auto", True, False),
}


def _information(given: str | None, family: Family) -> str:
    check_choice("information", given, (None, "expected", "observed"))
    if given == "expected" and family.expected is None:
        raise UsageError(
            f"information='expected' has no closed form for {family.label}; leave it out for the "
            "observed information.",
            kind="no_expected_information",
        )
    return given or ("expected" if family.q == 1 and family.expected else "observed")


def _family(asked: Mapping[str, Any], parts: Mapping[str, Any], limited: bool) -> Family:
    second = [what for what in ("inflate", "hurdle") if parts[what] is not None]
    if len(second) > 1:
        raise UsageError(
            "inflate= and hurdle= are two models of the zeros; choose one.",
            kind="incompatible_parts",
        )
    return model_family(
        asked["family"],
        link=asked["link"],
        part=second[0] if second else None,
        zero=asked["zero"],
        above=asked["truncated"],
        limited=limited,
    )


def _part_designs(family: Family, parts: Mapping[str, Any]) -> tuple[tuple[str, Any] | None, ...]:
    """For each further equation how the user calls it and what was given, or None."""
    names = {
        k: "dispersion" if e.prefix == "dispersion_" else e.name
        for k, e in enumerate(family.equations)
    }
    if parts["dispersion"] is not None and "dispersion" not in names.values():
        raise UsageError(
            f"dispersion= is a regression for a dispersion that is estimated, and {family.label} "
            "has none. Use family='negbin'.",
            kind="no_dispersion",
        )
    found = []
    for k in range(1, family.q):
        given = parts.get(names[k])
        found.append(None if given is None or given == "1" else (names[k], given))
    return tuple(found)


def _fit(
    design: Callable[[Roles], Rows],
    columns: Mapping[str, Any],
    parts: Mapping[str, Any],
    asked: Mapping[str, Any],
    again: _Again,
) -> Results:
    family = _family(asked, parts, columns["censored"] is not None)
    for option, allowed in _CHOICES.items():
        check_choice(option, asked[option], allowed)
    control = asked["control"] or Control()
    robust = "HC1" if asked["weights_type"] == "probability" else "nonrobust"
    chosen = estimator(asked["cov"], robust)
    solver(asked["method"])
    information = _information(asked["information"], family)
    encoder = design(Roles(columns, _part_designs(family, parts)))
    measured, layout = measure(encoder, planned_layout(encoder.spec), family)
    options = Options(
        asked["method"],
        information,
        _start(asked["start"], layout.size),
        control,
    )
    ready = _Asked(
        encoder,
        layout,
        measured,
        family,
        options,
        chosen,
        asked["weights_type"],
        asked["missing"],
        asked["separation"],
        asked["compress"],
    )
    return _maximised(ready, encoder, measured, again)


def _maximised(asked: _Asked, encoder: Rows, measured: Measured, again: _Again) -> Results:
    """Fit rows that are ready; all but their response is as asked."""
    family = asked.family
    refuse_measured(encoder, measured, asked.missing, family)
    notes = measured_warnings(encoder, measured, asked.weights_type, family)
    cells = compressed(encoder, asked.layout, measured, family, asked.compress)
    seen = (encoder, measured) if cells is None else (cells.encoder, cells.measured)
    found = maximise(seen[0], asked.layout, seen[1], family, asked.options)
    refuse_unidentified(*seen, asked.layout, family, found, partial(names, family, encoder.spec))
    rows = found.rows(encoder)
    values = estimates(found, rows.spec, family)
    notes += fit_warnings(rows, found, values, measured, asked.separation)
    for note in notes:
        python_warnings.warn(note, stacklevel=_outside())
    gated = encoder.gated()
    state = State(
        found.rows(gated),
        measured,
        found,
        family,
        values,
        asked.options,
        asked.weights_type,
        encoder.source.index,
        partial(again, asked),
        tuple(notes),
        gated,
        None if cells is None else cells.gated(gated),
    )
    return Results(state, asked.cov)


def _outside() -> int:
    """Stack level of the caller, however many of our own frames lie between."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("glmcount"):
        frame, level = frame.f_back, level + 1
    return level


def _start(given: Sequence[float] | None, size: int) -> Array | None:
    if given is None:
        return None
    try:
        start = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(
            f"start must hold {size} numbers, not {type(given).__name__} of other things.",
            kind="start",
        ) from None
    if start.shape != (size,) or not np.all(np.isfinite(start)):
        raise UsageError(
            f"start must hold {size} finite numbers, one for each parameter in order (ancillary "
            f"ones as logarithms); got shape {start.shape}.",
            kind="start",
        )
    return start
