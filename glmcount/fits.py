"""From a request to all that a result is made of, and from one fit to the next."""

from __future__ import annotations

import sys
import warnings as python_warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from glmcount.allowed import shown
from glmcount.cells.compress import compressed
from glmcount.checks import measured_warnings, refuse_measured
from glmcount.design.build import Roles, left_out_missing, with_response
from glmcount.design.given import response_values
from glmcount.design.measure import Measured, measure, remeasure
from glmcount.design.recall import planned_layout
from glmcount.design.rows import Rows
from glmcount.engine.layout import Layout
from glmcount.errors import UsageError
from glmcount.families.base import Family
from glmcount.families.model import model_family
from glmcount.fitting.identified import refuse_unidentified
from glmcount.fitting.maximise import maximise
from glmcount.fitting.run import Settings
from glmcount.inference.covariance import Estimator
from glmcount.inference.estimates import estimates, names
from glmcount.inference.state import State
from glmcount.notes import fit_warnings
from glmcount.numerics import Array
from glmcount.records import dataclass, replace
from glmcount.request import OPTIONS, Options, Request, check_options
from glmcount.subject import Subject

__all__ = ["Changes", "fitted", "refitted"]

Made = tuple[State, Estimator]


class Changes(Options, total=False):
    """What a refit may change besides options: formula and table, or arrays."""

    formula: str
    data: Any
    y: Any
    X: Any
    names: Any


@dataclass(frozen=True)
class Ready:
    """What was asked, checked and made ready: all that a new response leaves as it is.

    Parameters
    ----------
    request : Request
    subject : Subject
    rows, layout, measured
    family : Family
    settings : Settings
    cov : Estimator
    y : ndarray or None
        A response that took the place of the one `rows` has, row by row of the source.
    """

    request: Request
    subject: Subject
    rows: Rows
    layout: Layout
    measured: Measured
    family: Family
    settings: Settings
    cov: Estimator
    y: Array | None = None


def fitted(subject: Subject, request: Request) -> Made:
    """Fit what is asked: the state of a result, and its covariance.

    Raises
    ------
    GlmcountError
    """
    opened = subject.opened(request)
    family = _family(request, opened.parts, opened.columns["censored"] is not None)
    information = _information(request.information, family)
    rows = opened.design(Roles(opened.columns, _part_designs(family, opened.parts)))
    measured, layout = measure(rows, planned_layout(rows.spec), family)
    start = _start(request.start, layout.size)
    settings = Settings(request.method, information, start, request.knobs)
    ready = Ready(request, subject, rows, layout, measured, family, settings, request.estimator)
    return _maximised(ready, rows, measured)


def refitted(state: State, changes: Mapping[str, Any]) -> Made:
    """Fit again with some arguments changed; with another response alone the rest is as it was.

    Raises
    ------
    GlmcountError
    """
    ready: Ready = state.again
    subject, given = ready.subject, changes.get("y")
    moved = subject.rows in changes
    if not moved:
        state.asked.check()
    held = None if "y" in changes else ready.y
    if given is not None and not moved:
        held = response_values(ready.rows.source, ready.rows.spec.response, given)
        if len(changes) == 1:
            data = with_response(ready.rows, held)
            measured = remeasure(data, ready.measured, ready.family)
            return _maximised(_answered(ready, held), data, measured)
    own = subject.__dict__
    check_options([name for name in changes if name not in own], subject.function)
    rows = {name: value for name, value in changes.items() if name in own}
    if moved:
        subject = subject.moved(rows, held)
    elif held is not None:
        subject = subject.answered(left_out_missing(ready.rows, held))
        subject = replace(subject, **{**rows, "y": subject.y})
    else:
        subject = replace(subject, **rows)
    options = {name: value for name, value in changes.items() if name in OPTIONS}
    return fitted(subject, replace(ready.request, **options))


def _answered(ready: Ready, values: Array) -> Ready:
    """The same with another response, without what a copy by names costs."""
    return Ready(
        ready.request,
        ready.subject,
        ready.rows,
        ready.layout,
        ready.measured,
        ready.family,
        ready.settings,
        ready.cov,
        values,
    )


def _information(given: str | None, family: Family) -> str:
    if given == "expected" and family.expected is None:
        raise UsageError(
            f"information='expected' has no closed form for {family.label}; leave it out for the "
            "observed information.",
            kind="no_expected_information",
        )
    return given or ("expected" if family.q == 1 and family.expected else "observed")


def _family(request: Request, parts: Mapping[str, Any], limited: bool) -> Family:
    second = [what for what in ("inflate", "hurdle") if parts[what] is not None]
    if len(second) > 1:
        raise UsageError(
            "inflate= and hurdle= are two models of the zeros; choose one.",
            kind="incompatible_parts",
        )
    return model_family(
        request.family,
        link=request.link,
        part=second[0] if second else None,
        zero=request.zero,
        above=request.truncated,
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
        found.append(None if given is None or _constant(given) else (names[k], given))
    return tuple(found)


def _constant(given: Any) -> bool:
    return isinstance(given, str) and given == "1"


def _maximised(ready: Ready, data: Rows, measured: Measured) -> Made:
    """Fit rows that are ready; all but their response is as asked."""
    family, request, layout = ready.family, ready.request, ready.layout
    refuse_measured(data, measured, request.missing, family)
    notes = measured_warnings(data, measured, request.weights_type, family)
    cells = compressed(data, layout, measured, family, request.compress)
    seen = (data, measured) if cells is None else (cells.rows, cells.measured)
    found = maximise(seen[0], layout, seen[1], family, ready.settings)
    refuse_unidentified(*seen, layout, family, found, partial(names, family, data.spec))
    rows = found.narrowed(data)
    values = estimates(found, rows.spec, family)
    notes += fit_warnings(rows, found, values, measured, request.separation)
    for note in notes:
        python_warnings.warn(note, stacklevel=_outside())
    gated = data.gated()
    state = State(
        found.narrowed(gated),
        measured,
        found,
        family,
        values,
        ready.settings,
        request.weights_type,
        data.source.index,
        ready,
        tuple(notes),
        gated,
        None if cells is None else cells.gated(gated),
    )
    return state, ready.cov


def _outside() -> int:
    """Stack level of the caller, however many of our own frames lie between."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("glmcount"):
        frame, level = frame.f_back, level + 1
    return level


def _start(given: Any, size: int) -> Array | None:
    if given is None:
        return None
    start = np.asarray(given)
    if start.shape != (size,) or not np.all(np.isfinite(start)):
        raise UsageError(
            f"start must hold {size} finite numbers, one for each parameter in order (ancillary "
            f"ones as logarithms); got {shown(start)}.",
            kind="start",
        )
    return start
