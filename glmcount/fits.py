"""From a request to all that a result is made of, and from one fit to the next."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

from glmcount.cells.compress import compressed
from glmcount.checks import measured_warnings, refuse_measured
from glmcount.design.build import Roles, beside, left_out_missing, replaced, with_response
from glmcount.design.given import response_values
from glmcount.design.measure import Measured, measure, remeasure
from glmcount.design.prints import check_prints, read_beside
from glmcount.design.recall import planned_layout
from glmcount.design.rows import Cache, Rows
from glmcount.engine.layout import Layout
from glmcount.errors import (
    DataChangedError,
    GlmcountError,
    NoRowsError,
    UnknownColumnError,
    UsageError,
    outside,
    some,
)
from glmcount.families.base import Family
from glmcount.families.model import model_family
from glmcount.figures import Figures, attempt
from glmcount.fitted import AtHand, Fitted
from glmcount.fitting.estimates import estimates, names
from glmcount.fitting.identified import in_doubt, refuse_unidentified
from glmcount.fitting.maximise import maximise
from glmcount.fitting.run import Settings
from glmcount.inference.covariance.estimator import (
    Covariance,
    Estimator,
    covariance,
    warn_of,
    with_arrays,
)
from glmcount.inference.setting import NOTHING_MORE, Needs, Setting, with_needed, without_arrays
from glmcount.notes import fit_warnings
from glmcount.numerics import Array
from glmcount.records import dataclass, replace
from glmcount.request import (
    GONE,
    OPTIONS,
    Options,
    Request,
    check_options,
    chosen_estimator,
    information_of,
    start_of,
    warn_of_size,
)
from glmcount.subject import Subject

__all__ = ["Changes", "Ready", "attached", "fitted", "opened", "part_designs", "refitted"]

# State, covariance asked for, figures that are known, and the covariance where it is known.
Made = tuple[Fitted, Estimator, None, Covariance | GlmcountError | None]


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
    y : ndarray, shape (rows of the data,), or None
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

    def __getstate__(self) -> dict[str, Any]:
        """What was asked alone, of `env` only what the design calls."""
        held, subject, request = self.__dict__, self.subject, self.request
        if self.y is not None:
            subject = replace(subject, y=self.y)
        if self.rows is not None and request.env is not None:
            variables = self.rows.spec.variables.values()
            called = {k: f for own in variables for k, f in own.expression.functions.items()}
            request = replace(request, env=called or None)
        gone = dict.fromkeys(("rows", "layout", "measured", "y"))
        return {**held, **gone, "subject": subject, "request": request}

    @property
    def arrays(self) -> tuple[str, ...]:
        """Arguments that held rows, by which these can be had again."""
        own = self.subject.arrays
        replaced = () if self.y is None or "y" in own else ("y",)
        return (*own, *replaced, *self.request.arrays)


def fitted(subject: Subject, request: Request) -> Made:
    """Fit what is asked: the state of a result, and its covariance.

    Raises
    ------
    GlmcountError
    """
    cov = chosen_estimator(request.cov, request.weights_type)
    rows, family = opened(subject, request, cov.needs)
    information = information_of(request, family)
    if request.weights_type == "probability":
        warn_of_size(cov, family)
    if cov.needs.groups or cov.needs.order:
        rows = with_needed(rows, cov.needs)
    measured, layout = measure(rows, planned_layout(rows.spec), family)
    start = None if request.start is None else start_of(request.start, layout.size)
    settings = Settings(request.method, information, start, request.knobs)
    ready = Ready(request, subject, rows, layout, measured, family, settings, cov)
    return _maximised(ready, rows, measured)


def opened(subject: Subject, request: Request, needs: Needs = NOTHING_MORE) -> tuple[Rows, Family]:
    """The rows of a subject by a design that is learnt of them, and the family asked for.

    Rows that miss a column that a covariance needs are left out.
    """
    found = subject.opened(request)
    family = _family(request, found.parts, found.columns["censored"] is not None)
    read = tuple(dict.fromkeys((*needs.groups, *needs.order)))
    roles = Roles(found.columns, part_designs(family, found.parts), read, needs.given)
    return found.design(roles), family


def refitted(state: Fitted, changes: Mapping[str, Any]) -> Made:
    """Fit again with some arguments changed; with another response alone the rest is as it was.

    Raises
    ------
    GlmcountError
    """
    ready: Ready = state.again
    subject, given = ready.subject, changes.get("y")
    moved = subject.rows in changes
    asked = None if moved else state.asked
    held = None if "y" in changes else ready.y
    if given is not None and asked is not None:
        held = response_values(ready.rows.source, ready.rows.spec.response, given)
        if len(changes) == 1:
            asked.check()
            data = with_response(with_needed(ready.rows, ready.cov.needs), held)
            measured = remeasure(data, ready.measured, ready.family)
            return _maximised(_answered(ready, held), data, measured)
    own = subject.__dict__
    others = {name: value for name, value in changes.items() if name not in own}
    check_options(others, subject.function, tuple(own))
    if asked is not None:
        _refuse_edited(asked, ready, changes)
    rows = {name: value for name, value in changes.items() if name in own}
    if moved:
        subject = subject.moved(rows, held)
    elif held is not None:
        subject = subject.answered(left_out_missing(ready.rows, held))
        subject = replace(subject, **{**rows, "y": subject.y})
    else:
        subject = replace(subject, **rows)
    options = {name: value for name, value in changes.items() if name in OPTIONS}
    held_back = {**subject.__dict__, **ready.request.__dict__, **options}
    lacking = [name for name, value in held_back.items() if value is GONE]
    if lacking:
        raise NoRowsError(
            f"The fit was given {some(lacking)} as arrays, which a result from another process or "
            "from a file does not have. Pass them to refit too, or call r = r.with_data(...) with "
            "those of the fit."
        )
    return fitted(subject, replace(ready.request, **options))


def _refuse_edited(asked: Rows, ready: Ready, changes: Mapping[str, Any]) -> None:
    """Refuse to fit other rows than before where no others were given.

    Raises
    ------
    DataChangedError
        If the table, or arrays, were edited after the fit.
    """
    named = ", ".join(f"{name}=..." for name in dict.fromkeys((*ready.arrays, *changes)))
    otherwise = (
        f"refit fits the same rows otherwise; r.refit({named}) fits the data as they are now."
    )
    try:
        opened = ready.subject.opened(ready.request)
        columns = beside(opened.source, opened.columns, ready.y)
    except GlmcountError as error:
        raise DataChangedError(
            f"The data are not those that were fitted: they cannot be read as these were. "
            f"{otherwise} {error}"
        ) from error
    given = {role.name for role in asked.spec.roles if role.name.startswith("<")}
    held = {name: asked.source.beside[name] for name in given}
    asked.refuse_edited(opened.source.with_columns({**held, **columns}), otherwise)


def attached(found: Fitted, given: Mapping[str, Any]) -> Fitted:
    """What was found, with its rows at hand.

    Raises
    ------
    UsageError
        If something else is given than what the fit was given.
    DataChangedError
        If the rows are not those that were fitted.
    """
    ready: Ready = found.again
    given = dict(given)
    if (made := given.pop("cov", None)) is not None:
        cov = with_arrays(ready.cov, made)
        ready = replace(ready, cov=cov, request=replace(ready.request, cov=cov))
    if set(given) != set(ready.arrays):
        wanted = ", ".join("data" if name == "data" else f"{name}=" for name in ready.arrays)
        raise UsageError(
            f"with_data takes what the fit was given as a table or as arrays, which is {wanted}; "
            f"got {some(given) or 'nothing'}.",
            kind="with_data",
        )
    prints = found.known_prints()
    try:
        again = _reopened(ready, found, given)
        cells = compressed(
            again[1], again[0].layout, again[0].measured, found.family, ready.request.compress
        )
        gated = again[1].gated()
        asked = read_beside(gated, prints)
        check_prints(asked, prints)
    except (DataChangedError, NoRowsError, UnknownColumnError):
        raise
    except GlmcountError as error:
        raise DataChangedError(
            f"The data are not those that were fitted: they cannot be read as these were. {error}"
        ) from error
    cells = None if cells is None else cells.gated(gated)
    held = AtHand(found.fit.narrowed(asked), asked, gated.source.index, cells)
    return replace(found, again=again[0], held=held, prints=None)


def _reopened(ready: Ready, found: Fitted, given: Mapping[str, Any]) -> tuple[Ready, Rows]:
    """What was ready for the fit, and its rows by the design that it learnt."""
    own = ready.subject.__dict__
    arrays = {name: value for name, value in given.items() if name in own}
    subject = ready.subject.holding(arrays)
    options = {name: value for name, value in given.items() if name not in own}
    request = replace(ready.request, **options)
    needs, spec = without_arrays(ready.cov.needs, found)
    rows, _ = opened(subject, request, needs)
    data, values = rows, None
    if replaced(found.asked_spec):
        # The rows used stayed those of the response that was there first.
        values = response_values(rows.source, rows.spec.response, given["y"])
        data = with_response(rows, values)
    data = replace(data, spec=spec, cache=Cache(request.knobs.memory))
    measured, layout = measure(data, planned_layout(data.spec), ready.family)
    base = data if values is None else rows
    settings, cov = ready.settings, ready.cov
    again = Ready(request, subject, base, layout, measured, ready.family, settings, cov, values)
    return again, data


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


def part_designs(family: Family, parts: Mapping[str, Any]) -> tuple[tuple[str, Any] | None, ...]:
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
    if ready.cov.refuses is not None:
        ready.cov.refuses(family, data.spec)
    notes = measured_warnings(data, measured, request.weights_type, family)
    cells = compressed(data, layout, measured, family, request.compress)
    seen = (data, measured) if cells is None else (cells.rows, cells.measured)
    needs = ready.cov.needs
    # Refits take long, and nobody may ask for them.
    early = bool(needs.groups or needs.order) and not needs.refits
    settings = ready.settings
    if early and needs.scores and cells is None:
        settings = replace(settings, slopes=True)
    found = maximise(seen[0], layout, seen[1], family, settings)
    if in_doubt(found):
        refuse_unidentified(*seen, layout, family, partial(names, family, data.spec))
    rows = found.narrowed(data)
    values = estimates(found, rows.spec, family)
    notes += fit_warnings(rows, found, values, measured, request.separation)
    for note in notes:
        python_warnings.warn(note, stacklevel=outside())
    state = partial(
        Fitted,
        spec=rows.spec,
        asked_spec=data.spec,
        account=data.plan.account,
        measured=measured,
        fit=found,
        family=family,
        estimates=values,
        options=ready.settings,
        weights_type=request.weights_type,
        again=ready,
        warnings=tuple(notes),
    )
    index, known = data.source.index, None
    if early:
        known = _before_the_gate(ready.cov, state(held=AtHand(rows, data, index, cells)))
        state = partial(state, fit=replace(found, last=found.last.without_slopes()))
    gated = data.gated()
    kept = None if cells is None else cells.gated(gated)
    whole = state(held=AtHand(found.narrowed(gated), gated, index, kept))
    if ready.cov.doubts is not None:
        warn_of(ready.cov.doubts(whole))
    return whole, ready.cov, None, known


def _before_the_gate(cov: Estimator, state: Fitted) -> Covariance | GlmcountError:
    """The covariance, or why there is none, of rows that nobody can have edited yet.

    Once they are looked at whenever they are read, that look is a third of what clusters take.
    """
    return attempt(lambda: covariance(cov, Setting(state, lambda: Figures(state).scale)))
