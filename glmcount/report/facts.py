"""Records of a fit to the facts and footnotes that a summary prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np

from glmcount.errors import GlmcountError, some
from glmcount.families.base import Family
from glmcount.families.proportion import where_zeros_are
from glmcount.figures import Figures, attempt
from glmcount.fitted import Fitted
from glmcount.fitting.estimates import Estimates
from glmcount.fitting.run import Fit
from glmcount.numerics import Array
from glmcount.numerics.tails import chi2_tail
from glmcount.records import replace
from glmcount.report.comparisons import ratio_of
from glmcount.report.rows import LARGE, EquationRows, Fold
from glmcount.report.summary import SummaryFacts

__all__ = ["equation_rows", "folded", "row_terms", "summary_facts", "unjudged"]

# Of `SummaryFacts`, those that `Figures` has.
FIGURES = ("llnull", "deviance", "null_deviance", "prsquared")


def equation_rows(
    found: Estimates, family: Family, bse: Array, statistics: Array, tests: Array, ends: Array
) -> tuple[EquationRows, ...]:
    """Coefficients grouped by equation."""
    out = []
    # Where every column was left out the mean's equation has no rows.
    for k in np.unique(found.equations) if len(found.equations) else (0,):
        own = np.flatnonzero(found.equations == k)
        equation = family.equations[k]
        heading = equation.heading
        if equation.scale == "log" and not found.natural[own].any():
            heading = f"{heading}: log({equation.name})"
        marks = tuple(
            "no limit"
            if found.undetermined[j]
            else {0: "", 1: "inf", -1: "-inf"}[int(found.infinite[j])]
            for j in own
        )
        out.append(
            EquationRows(
                heading,
                tuple(found.names[j] for j in own),
                found.values[own],
                bse[own],
                np.where(found.natural, np.nan, statistics)[own],
                tests[own],
                ends[own, 0],
                ends[own, 1],
                "" if found.natural[own].any() else ratio_of(family, int(k)),
                marks if any(marks) else (),
            )
        )
    return tuple(out)


def row_terms(state: Fitted) -> tuple[str, ...]:
    """The term that each parameter belongs to, with the prefix of its equation."""
    names = [
        own.prefix + part.term
        for own, design in zip(state.fit.family.equations, state.spec.equations, strict=True)
        for part in design.parts
        for _ in part.names
    ]
    kept = [names[j] for j in state.fit.kept]
    return (*kept, *state.estimates.names[len(kept) :])


def folded(
    state: Fitted,
    equations: Sequence[EquationRows],
    terms: Sequence[str],
    test: Callable[[Sequence[int]], str],
) -> tuple[EquationRows, ...]:
    """The same rows with their terms, and what a table may say of a large factor in one line."""
    factors = _factors(state)
    places = {name: place for place, name in enumerate(state.estimates.names)}
    out = []
    for rows in equations:
        every = [places[name] for name in rows.names]
        own, folds, start = tuple([terms[place] for place in every]), [], 0
        for term, run in groupby(own):
            stop = start + len(list(run))
            if term in factors and stop - start > LARGE:
                told = factors[term] or f"{stop - start} coefficients"
                folds.append(Fold(term, start, stop, told, test(every[start:stop])))
            start = stop
        out.append(replace(rows, terms=own, folds=tuple(folds)))
    return tuple(out)


def _factors(state: Fitted) -> dict[str, str]:
    """How many levels each factor has; of interactions nothing is said."""
    variables, out = state.spec.variables, {}
    for own, design in zip(state.fit.family.equations, state.spec.equations, strict=True):
        for part in design.parts:
            if part.categorical:
                alone = len(part.categorical) == 1 and not part.numeric
                levels = variables[part.categorical[0]].levels or ()
                out[own.prefix + part.term] = f"{len(levels)} levels" if alone else ""
    return out


def unjudged(state: Fitted) -> tuple[EquationRows, ...]:
    """The coefficients of a fit that leaves nothing to judge them by."""
    none = np.full(len(state.estimates.names), np.nan)
    ends = np.stack([none, none], axis=1)
    return equation_rows(state.estimates, state.family, none, none, none, ends)


def _known(figures: Figures) -> dict[str, Any]:
    """Figures of a fit by name; None where there is none."""
    state = figures.found
    names = (*FIGURES, "scale") if state.scaled else FIGURES
    makers: dict[str, Callable[[], float]] = {
        "llf": partial(state.likelihood, "llf"),
        "aic": partial(state.information_criterion, "aic", 2.0),
        "bic": partial(state.information_criterion, "bic", float(np.log(state.nobs))),
        **{name: partial(getattr, figures, name) for name in names},
    }
    if state.weights_type != "probability":
        makers["llr_df"] = partial(getattr, figures, "llr_df")
    found = {name: attempt(make) for name, make in makers.items()}
    told = {n: None if isinstance(one, GlmcountError) else one for n, one in found.items()}
    return {"scale": None} | told


def summary_facts(
    figures: Figures, cov_label: str, equations: tuple[EquationRows, ...], note: tuple[str, str]
) -> SummaryFacts:
    """All that a summary prints of a fit, its figures and its equations.

    `note` holds what statistics are called, and what is said of the covariance.
    """
    state, constant, pearson_chi2 = figures.found, figures.constant, figures.pearson_chi2
    account = state.account
    return SummaryFacts(
        title=state.family.title,
        formula=state.spec.formula,
        statistic=note[0],
        nobs=state.nobs,
        n_rows=account.n_rows,
        dropped=dict(account.reasons),
        n_dropped=account.n_dropped,
        df_resid=state.df_resid,
        df_null=state.nobs - int(constant),
        constant=constant,
        pearson_chi2=pearson_chi2,
        cov_label=cov_label,
        converged=state.fit.converged or state.fit.endless,
        ended=_ended(state.fit),
        equations=equations,
        footnotes=(
            *([note[1]] if note[1] else []),
            *_design_notes(state),
            *_ancillary_notes(state, figures.limits, equations),
            *_dispersion(state, pearson_chi2),
        ),
        **_known(figures),
    )


def _ended(fit: Fit) -> str:
    """Whether a fit converged, in words."""
    if fit.endless:
        return "the estimate is infinite"
    counted = "1 pass" if fit.passes == 1 else f"{fit.passes} passes"
    return f"yes, {counted}" if fit.converged else f"no: {fit.stopped}"


def _ancillary_notes(
    state: Fitted,
    limits: Sequence[tuple[str, str, float | None]],
    equations: tuple[EquationRows, ...],
) -> list[str]:
    """Each ancillary parameter on its scales, with their intervals, and its boundary test."""
    found, out = state.estimates, []
    ends = {
        name: (low, high)
        for rows in equations
        for name, low, high in zip(rows.names, rows.lower, rows.upper, strict=True)
    }
    free = found.natural & ~found.fixed & (found.infinite == 0)
    for j in np.flatnonzero(free & (found.slope == found.values)):
        name, value = found.names[j], float(found.values[j])
        low, high = ends[name]
        # An end at 0 or infinity is that of 1/alpha the other way round.
        with np.errstate(divide="ignore"):
            inverse = [1.0 / np.float64(each) for each in (value, high, low)]
            logs = [np.log(each) for each in (value, low, high)]
        out.append(
            f"1/{name} = {inverse[0]:.6g} [{inverse[1]:.6g}, {inverse[2]:.6g}], log({name}) = "
            f"{logs[0]:.6g} [{logs[1]:.6g}, {logs[2]:.6g}]."
        )
    for boundary, family, llf in limits:
        if llf is None:
            out.append(f"No LR test of {boundary}: the {family} fit cannot begin.")
            continue
        statistic = max(0.0, 2.0 * (state.fit.llf - llf))
        pvalue = 0.5 * chi2_tail(statistic, 1)
        shown = "p < 0.001" if pvalue < 0.001 else f"p = {pvalue:.3f}"
        out.append(f"LR test of {boundary}: half chi2(1) = {statistic:.2f}, {shown}.")
    return out


def _dispersion(state: Fitted, pearson_chi2: float) -> list[str]:
    if not state.judged:
        return [
            f"No standard errors: {state.df_resid:g} degrees of freedom are left to estimate the "
            "scale."
        ]
    wider = state.family.wider
    ratio, how = pearson_chi2 / state.df_resid if state.df_resid > 0 else 0.0, "Pearson/df"
    if state.importance and state.spec.weights is not None:
        # Such weights have no scale of their own, and what is said of the rows must have none.
        ratio *= state.nobs / state.measured.sums.weight
        how += ", by weights that average 1"
    if not wider or ratio < 1.5:
        return []
    return [
        f"Dispersion ({how}) {ratio:.2f}: more variance than {state.family.label}; compare "
        f'family="{wider}".'
    ]


def _design_notes(state: Fitted) -> list[str]:
    """Offset, weights, rows dropped, information and warnings, as sentences."""
    spec, dropped = state.spec, state.account.reasons
    notes = []
    offsets = [_named(code) for code in spec.equations[0].offsets]
    if spec.exposure is not None:
        offsets.append(f"log({_named(spec.exposure)})")
    line = []
    if offsets:
        line.append(f"Offset: {' + '.join(offsets)}{_unseen(state)}.")
    if spec.weights is not None:
        line.append(f"Weights ({state.weights_type}): {_named(spec.weights)}.")
    if dropped:
        counted = some((f"{reason} {count:,}" for reason, count in dropped.items()), 12)
        line.append(f"Rows dropped: {counted}.")
    if line:
        notes.append("  ".join(line))
    if len(state.fit.family.equations) > 1:
        notes.append(f"Standard errors from the {state.options.information} information.")
    # Rows dropped have their own line above.
    told = [w for w in state.warnings if getattr(w, "kind", "") != "missing_rows"]
    shown = (str(w).split("\n")[0] for w in told)
    notes += [f"Warning: {text}" for text in shown]
    return notes


def _unseen(state: Fitted) -> str:
    """What is said where zeros do not see the offset of the mean, nor have one of their own."""
    where = where_zeros_are(state.fit.family)
    if not where or 0 in where or any(state.spec.equations[k].offsets for k in where):
        return ""
    return ", in the count part alone: P(y > 0) does not depend on it"


def _named(code: str) -> str:
    inner = code.removeprefix("Q('").removesuffix("')") if code.startswith("Q('") else code
    return "given as an array" if inner.startswith("<") else inner
