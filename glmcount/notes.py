"""What is said after a fit: warnings of what it came to."""

from __future__ import annotations

import re

import numpy as np

from glmcount.design.measure import Measured
from glmcount.design.rows import Rows
from glmcount.errors import (
    BoundaryError,
    BoundaryWarning,
    ConvergenceWarning,
    DroppedColumnWarning,
    GlmcountWarning,
    IllConditionedWarning,
    NameWarning,
    SampleWarning,
    SeparationError,
    SeparationWarning,
    some,
)
from glmcount.fitting.digits import PRECISE, lost_digits
from glmcount.fitting.estimates import Estimates, parameters
from glmcount.fitting.rank import Dependence
from glmcount.fitting.run import Fit
from glmcount.fitting.sums import by_row

__all__ = ["fit_warnings"]

ILL = 1e9
UNTOLD = 1e-12
MANY = 5  # columns left out up to which it is said of each what it is


def fit_warnings(
    rows: Rows, fit: Fit, found: Estimates, measured: Measured, separation: str
) -> list[GlmcountWarning]:
    """Warnings of what the fit came to.

    Raises
    ------
    SeparationError
        Under ``separation="raise"``.
    BoundaryError
        If the mean ran into the edge of its domain.
    """
    notes: list[GlmcountWarning] = []
    if fit.falling is not None:
        notes += _separated(fit, found, separation)
        notes += _untold(fit, found, measured)
    if fit.status in ("edge", "unbounded"):
        notes.append(_at_wall(fit))
    elif not (fit.converged or fit.endless):
        notes.append(_unfinished(rows, fit))
    if found.renamed:
        notes += _renamed(found)
    if fit.dependences:
        notes += _dropped_columns(fit, parameters(fit.family, rows.spec).names)
    if rows.spec.single_levels:
        notes.append(_single_levels(rows))
    for limit in fit.limits:
        notes.append(
            BoundaryWarning(
                f"The largest likelihood found lies at {limit.label}, where the model is "
                f"{limit.becomes}: that is what is reported. r.certificate.tried says where "
                "else it was looked for.",
                kind=f"{limit.name}_boundary",
            )
        )
    if len(fit.kept) >= measured.n:
        notes.append(
            SampleWarning(
                f"As many parameters ({len(fit.kept)}) as rows ({measured.n}): the model repeats "
                "the data, and nothing is left to judge it by. To judge a term, an interaction "
                "first, leave it out and write r.score_test('a:b') of that fit."
            )
        )
    if measured.sums.largest > PRECISE and fit.layout.q > 1:
        notes += _lost_digits(rows, fit, measured.sums.largest)
    condition = fit.condition if fit.falling is None else 1.0
    if condition > ILL:
        notes.append(
            IllConditionedWarning(
                f"The information matrix has condition number {condition:.0e}: about "
                f"{max(0, 15 - int(np.log10(min(condition, 1e15))))} digits of the standard errors "
                "are left. Centre columns that lie far from zero, or leave out near copies."
            )
        )
    return notes


def _separated(fit: Fit, found: Estimates, separation: str) -> list[GlmcountWarning]:
    assert fit.falling is not None
    far = np.flatnonzero((found.infinite != 0) | found.undetermined)
    told = some(_runs_off(found, int(j)) for j in far)
    if not fit.separated:
        return [
            BoundaryWarning(
                f"The likelihood goes on growing, ever less, as {told}: its maximum is at "
                f"infinity, where {fit.family.label} becomes another family. The other "
                "coefficients and llf are those of that limit. Leave the part out that runs "
                "off, or hold it.",
                kind="boundary",
            )
        ]
    count = int(fit.falling.rows.sum())
    rows = "1 row" if count == 1 else f"{count} rows"
    parts = {int(found.equations[j]) for j in far}
    whole = count == len(fit.falling.rows)
    message = (
        f"Separation: {'all ' if whole and count > 1 else ''}{rows} "
        f"{_what_is_certain(fit, parts, count)}, "
        f"so the maximum likelihood estimate is infinite: {told}. Rows (counted from 0): "
        f"{some(fit.falling.where)}. {_advice(fit, parts, whole)} r.separation has all of them."
        f"{_of_reference(found)}"
    )
    if separation == "raise":
        raise SeparationError(message)
    return [] if separation == "ignore" else [SeparationWarning(message)]


def _untold(fit: Fit, found: Estimates, measured: Measured) -> list[GlmcountWarning]:
    """Ancillary parameters of which only rows without doubt could have told."""
    if not fit.separated:
        return []
    told = fit.information.diagonal() / np.maximum(fit.layout.sizes[fit.kept], 1e-300) ** 2
    free = found.natural & (found.infinite == 0) & ~found.fixed
    nothing = np.flatnonzero(free[: len(told)] & (told < UNTOLD * measured.sums.weight))
    if not len(nothing):
        return []
    names = some(repr(found.names[j]) for j in nothing)
    return [
        SampleWarning(
            f"{names} cannot be told: all rows that would tell are without doubt whatever the "
            "value, so that the one reported means nothing. Choose a family without it.",
            kind="not_identified",
        )
    ]


def _lost_digits(rows: Rows, fit: Fit, largest: float) -> list[GlmcountWarning]:
    return [
        IllConditionedWarning(
            f"Counts as large as {largest:.0e} leave about {digits} digits of {name}: the mean of "
            "such a count is rounded by more than what tells this parameter. Where the counts are "
            "measurements, fit them in larger units by family='quasipoisson'.",
            kind="large_counts",
        )
        for name, digits in lost_digits(rows, fit, largest).items()
    ]


def _at_wall(fit: Fit) -> GlmcountWarning:
    end = "the end of the support, where parameters make a count that was seen impossible"
    found = (
        f"The likelihood is largest at {end}: that is what is reported, and standard errors are "
        "not those of a maximum."
        if fit.converged
        else f"The likelihood grows without bound towards {end}: there is no maximum."
    )
    return BoundaryWarning(
        f"{found} Probabilities of {fit.family.label} do not add up to one there. Use "
        "family='compoisson' for counts that vary less than Poisson ones.",
        kind="support_boundary",
    )


def _runs_off(found: Estimates, j: int) -> str:
    if found.undetermined[j]:
        return f"{found.names[j]} has no limit"
    return f"{found.names[j]} -> {'+' if found.infinite[j] > 0 else '-'}inf"


def _what_is_certain(fit: Fit, parts: set[int], count: int) -> str:
    """What the rows are, in words that fit the equations that run off."""
    verb = "is" if count == 1 else "are"
    if parts == {0} and fit.family.flat is None:
        return f"with response 0 {verb} predicted to be 0 without doubt"
    leave = "leaves" if count == 1 else "leave"
    return f"{leave} no doubt in the {_part_names(fit, parts)}"


def _advice(fit: Fit, parts: set[int], whole: bool) -> str:
    """What to do: rows that are certain in one part of a model may be needed in another."""
    if parts == {0}:
        return "Leave these rows out and drop or merge the columns;"
    headings = " and the ".join(fit.family.equations[k].name for k in sorted(parts - {0}))
    if whole:
        return f"Nothing is left to estimate in the {headings} part: fit without it;"
    return (
        f"Keep these rows, of which the other part may tell, and drop or merge the columns of the "
        f"{headings} part;"
    )


def _of_reference(found: Estimates) -> str:
    """What to do where it is the reference level of a factor that has no events."""
    signs = dict(zip(found.names, found.infinite.tolist(), strict=True))
    rising = [name for name, sign in signs.items() if sign > 0]
    factors = {name.partition("[T.")[0] for name in rising}
    # Else it may be a corner of several columns that has none.
    falling = [name for name, sign in signs.items() if sign < 0]
    single = all("[T." in name and ":" not in name for name in rising)
    if falling != ["Intercept"] or len(factors) != 1 or not single:
        return ""
    bare = re.sub(r"^C\((.*?)(?:, .*)?\)$", r"\1", factors.pop())
    return (
        f" It is the reference of {bare} that has no events: name another level in "
        f"C({bare}, Treatment(...)) for finite coefficients of the others, or compare these by "
        f"r.contrasts({bare!r})."
    )


def _part_names(fit: Fit, parts: set[int]) -> str:
    own = "mean" if fit.family.mean_equation else "count part"
    edges = "all its counts are at the edge of what there can be"
    names = {0: f"{own} ({edges})"}
    headings = [names.get(k, fit.family.equations[k].name + " part") for k in sorted(parts)]
    return " and the ".join(headings)


def _unfinished(data: Rows, fit: Fit) -> GlmcountWarning:
    if not fit.family.mean_log and fit.family.domain == "log" and fit.falling is None:
        means = by_row(data, fit, lambda s, rows: fit.family.moments(rows.etas)[0].value)
        lowest = int(np.argmin(means))
        if means[lowest] < 1e-3 * means.mean():
            raise BoundaryError(
                f"The likelihood grows as the mean of row {lowest} (of the rows used, counted "
                f"from 0) goes to 0, where the {fit.family.link} link ends: there is no maximum "
                "inside. Use link='log', or leave the row out."
            )
    return ConvergenceWarning(
        f"The fit did not converge ({fit.stopped} after {fit.passes} passes): the estimates are "
        "not those of a maximum, and r.certificate says how far from one. Try another method=, "
        "start=, or more iterations by control=glmcount.Control(maxiter=...)."
    )


def _dropped_columns(fit: Fit, names: tuple[str, ...]) -> list[GlmcountWarning]:
    count = len(fit.dependences)
    if count == 1:
        one = fit.dependences[0]
        text = (
            f"Column {_placed(fit, one, names)} was left out: it is {_why_dropped(one, names)}. "
            "r.aliased has the combination."
        )
    elif count <= MANY:
        each = (f"{_placed(fit, d, names)} is {_why_dropped(d, names)}" for d in fit.dependences)
        text = f"{count} columns were left out: {'; '.join(each)}. r.aliased has the combinations."
    else:
        told = some(repr(names[one.column]) for one in fit.dependences)
        text = (
            f"{count:,} columns were left out, each a combination of earlier ones or zero in all "
            f"rows that tell of it: {told}. r.aliased has the combinations."
        )
    return [DroppedColumnWarning(text)]


def _placed(fit: Fit, one: Dependence, names: tuple[str, ...]) -> str:
    """A column's name, and its part where a model of several has no part in the name."""
    name = repr(names[one.column])
    slices = fit.layout.slices
    several = sum(own.stop > own.start for own in slices) > 1
    first = slices[0].start <= one.column < slices[0].stop
    return (
        f"{name} of the {'mean' if fit.family.mean_equation else 'count part'}"
        if first and several
        else name
    )


def _why_dropped(one: Dependence, names: tuple[str, ...]) -> str:
    parts = [names[j] for j in np.flatnonzero(np.abs(one.combination) > 1e-8)]
    nothing = "constant or zero in all rows that tell of it"
    given = f"a combination of {some(parts)}" if parts else nothing
    return given if one.exact else f"{given} (nearly: what is left is {one.residual:.0e} of it)"


def _renamed(found: Estimates) -> list[GlmcountWarning]:
    return [
        NameWarning(
            f"{name!r} is both a column and a parameter of this family: the column keeps the name, "
            f"and the parameter is called {own!r} in tables and hypotheses. Rename the column to "
            "get the parameter's own name back."
        )
        for name, own in found.renamed
    ]


def _single_levels(rows: Rows) -> GlmcountWarning:
    codes, variables = rows.spec.single_levels, rows.spec.variables
    if len(codes) == 1:
        (level,) = variables[codes[0]].levels or ("",)
        text = f"{codes[0]} has the single level {level!r} in the rows used, so no coefficient"
        return DroppedColumnWarning(f"{text} of its own.")
    each = (f"{code} ({(variables[code].levels or ('',))[0]!r})" for code in codes)
    return DroppedColumnWarning(
        f"{some(each)} have a single level in the rows used, so no coefficients of their own."
    )
