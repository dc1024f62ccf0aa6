"""The summary of one fitted model: records in, a `Table` out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from glmcount.allowed import proportion, truth
from glmcount.errors import NotDefinedError, some
from glmcount.front import fronted
from glmcount.numerics.tails import chi2_tail
from glmcount.records import dataclass, replace
from glmcount.report.comparisons import heading_of
from glmcount.report.render import render
from glmcount.report.rows import EquationRows, Fold, selected
from glmcount.report.table import (
    Cell,
    Fact,
    Group,
    Row,
    Table,
    TableColumn,
    fixed,
    four_decimals,
    p_shown,
    p_value,
    three_decimals,
)

__all__ = ["Summary", "SummaryFacts", "exponentiated", "infinite", "summarise"]

# Facts have more room than a cell of a column.
FACT_WIDTH = 14


@dataclass(frozen=True)
class SummaryFacts:
    """All that a summary says about a fit; a line whose value is None is left out.

    Parameters
    ----------
    title, formula : str
        As ``"Poisson regression, log link"`` and ``"visits ~ hospital"``.
    statistic : {"z", "t"}
        What the tests of the rows are called.
    nobs : float
        Observations: the sum of the weights where these are frequencies.
    n_rows : int
        Rows of the data as they were given.
    dropped : mapping of str to int
        Rows left out, by reason.
    llf, llnull, aic, bic, deviance, null_deviance, pearson_chi2, prsquared : float or None
        The figures of the fit.
    df_resid, df_null : float
        Degrees of freedom of the deviance and of the null deviance.
    scale : float or None
        The estimated scale of a quasi-likelihood; None for a likelihood.
    cov_label : str
        The covariance the standard errors are of.
    converged : bool
        Whether the stop rule was met.
    ended : str
        How the fit ended, in words, as ``"yes, 7 passes"`` over the data.
    equations : tuple of EquationRows
        The mean equation first.
    footnotes : tuple of str
        Offset, rows dropped, dispersion, tests, warnings: whole sentences.
    n_dropped : int or None
        Rows left out in all, where one row can have several reasons; None adds up
        `dropped`.
    constant : bool
        Whether the null model has one: else its mean is the offset alone.
    llr_df : int or None
        Degrees of freedom of the likelihood ratio against it; None where it has no law.
    """

    title: str
    formula: str
    statistic: str
    nobs: float
    n_rows: int
    dropped: Mapping[str, int]
    llf: float | None
    llnull: float | None
    aic: float | None
    bic: float | None
    deviance: float | None
    df_resid: float
    null_deviance: float | None
    df_null: float | None
    pearson_chi2: float | None
    prsquared: float | None
    scale: float | None
    cov_label: str
    converged: bool
    ended: str
    equations: tuple[EquationRows, ...]
    footnotes: tuple[str, ...] = ()
    n_dropped: int | None = None
    constant: bool = True
    llr_df: int | None = None

    @property
    def rows_dropped(self) -> int:
        """Rows left out in all."""
        return sum(self.dropped.values()) if self.n_dropped is None else self.n_dropped


@fronted
@dataclass(frozen=True)
class Summary:
    """A summary that prints as text and shows itself as HTML in a notebook.

    Parameters
    ----------
    tables : tuple of Table
        What is printed, one below the other: values, with how each column shows them.

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
    >>> [row.name for row in r.summary().tables[0].groups[0].rows]
    ['Intercept', 'x']
    """

    tables: tuple[Table, ...]

    def render(self, format: str = "text") -> str:
        """The summary in one of the formats there are.

        Parameters
        ----------
        format : {"text", "html", "markdown", "latex"}

        Returns
        -------
        str

        Raises
        ------
        UsageError
            If there is no such format.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> r.summary().render("markdown").splitlines()[0]
        '**Poisson regression, log link**'
        """
        return "\n\n".join(render(table, format) for table in self.tables)

    def as_text(self) -> str:
        """The summary as plain text, 79 columns wide unless its names need more.

        Returns
        -------
        str

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> r.summary().as_text().splitlines()[0].strip()
        'Poisson regression, log link'
        """
        return self.render("text")

    def as_html(self) -> str:
        """The summary as an HTML table.

        Returns
        -------
        str
            That brings its styles along, for a notebook or a page.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> "<caption" in r.summary().as_html()
        True
        """
        return self.render("html")

    def as_latex(self) -> str:
        """The summary as a LaTeX tabular; the document needs the package booktabs.

        Returns
        -------
        str

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> "tabular" in r.summary().as_latex()
        True
        """
        return self.render("latex")

    def as_markdown(self) -> str:
        """The summary as GitHub-flavoured Markdown.

        Returns
        -------
        str

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> r.summary().as_markdown().splitlines()[0]
        '**Poisson regression, log link**'
        """
        return self.render("markdown")

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_html_(self) -> str:
        return self.as_html()


def summarise(
    facts: SummaryFacts,
    *,
    exponentiate: bool = False,
    alpha: float = 0.05,
    keep: Any = None,
    drop: Any = None,
    full: bool = False,
) -> Summary:
    """The summary of a fit.

    Parameters
    ----------
    facts : SummaryFacts
        Its `lower` and `upper` are limits of intervals of level 1 - `alpha`.
    exponentiate : bool
        Show exp(b), rate ratios (IRR) under a log link and odds ratios (OR) under a logit one,
        with standard errors exp(b) SE(b) by the delta method and the exponentials of the limits
        of b; statistics and p-values stay those of b. Other equations stay as they are.
    alpha : float
        One minus the level of the intervals, for the headings.
    keep, drop : str or list of str, optional
        The coefficients to be shown, or those to be left out, as `selected` takes them.
    full : bool
        Show each coefficient of a large factor.

    Raises
    ------
    NotDefinedError
        If ratios are asked of a model that has no equation with a log or logit link.
    UsageError
        If `alpha` is not between 0 and 1, `exponentiate` or `full` neither True nor False, or
        `keep` and `drop` name no coefficients.

    Examples
    --------
    >>> zero, one = np.zeros(1), np.ones(1)
    >>> ends = -2 * one, 2 * one
    >>> mean = EquationRows("", ("Intercept",), zero, one, zero, one, *ends, "rate ratio")
    >>> facts = SummaryFacts(
    ...     title="Poisson regression, log link", formula="y ~ 1", statistic="z", nobs=1,
    ...     n_rows=1, dropped={}, llf=-1.0, llnull=-1.0, aic=4.0, bic=2.0, deviance=None,
    ...     df_resid=0, null_deviance=None, df_null=0, pearson_chi2=None, prsquared=None,
    ...     scale=None, cov_label="nonrobust", converged=True, ended="yes, 1 pass",
    ...     equations=(mean,),
    ... )
    >>> table = summarise(facts, exponentiate=True).tables[0]
    >>> table.columns[0].heading, table.groups[0].rows[0].cells[:2]
    ('IRR', (1.0, 1.0))
    """
    alpha, as_ratio = proportion("alpha", alpha), truth("exponentiate", exponentiate)
    equations, notes = facts.equations, facts.footnotes
    if keep is not None or drop is not None:
        equations, hidden = selected(equations, keep, drop)
        notes = (*notes, hidden) if hidden else notes
    if as_ratio:
        _refuse_without_ratios(facts)
        notes = (*notes, *_ratio_notes(equations, facts.statistic))
        equations = tuple(exponentiated(e) if e.ratio else e for e in equations)
    if truth("full", full):
        equations = tuple(replace(equation, folds=()) for equation in equations)
    elif any(equation.folds for equation in equations):
        notes = (*notes, _fold_note(equations))
    headings = [heading_of(each.ratio) if as_ratio else "coef" for each in equations]
    columns = [_columns(heading, facts.statistic, alpha) for heading in headings]
    left, right = _facts_in_columns(facts)
    dropped = facts.rows_dropped
    table = Table(
        title=facts.title,
        columns=columns[0],
        groups=tuple(
            Group(each.heading, tuple(_rows(each, own[0])), own if own != columns[0] else None)
            for each, own in zip(equations, columns, strict=True)
        ),
        lead=(facts.formula, f"{facts.n_rows - dropped} rows used, {dropped} dropped"),
        left=left,
        right=right,
        footnotes=notes,
    )
    return Summary((table,))


def infinite(mark: str) -> bool:
    """Whether the mark of a row says that its coefficient is infinite.

    Examples
    --------
    >>> infinite("-inf"), infinite("dropped"), infinite("")
    (True, False, False)
    """
    return mark in ("inf", "-inf")


def exponentiated(equation: EquationRows) -> EquationRows:
    """The equation on the scale of ratios: exp(b), exp(b) SE(b), exp of the limits.

    Examples
    --------
    >>> zero, one = np.zeros(1), np.ones(1)
    >>> ratio = exponentiated(EquationRows("", ("x",), zero, one, zero, one, -one, one, "odds"))
    >>> float(ratio.coef[0]), float(ratio.bse[0])
    (1.0, 1.0)
    """
    # The ratio of a coefficient beyond 709 is infinite in double precision, and shown so.
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = np.exp(equation.coef)
        # An infinite coefficient has an infinite error, whatever its ratio.
        return replace(
            equation,
            coef=ratio,
            bse=np.where(np.isinf(equation.bse), np.inf, ratio * equation.bse),
            lower=np.exp(equation.lower),
            upper=np.exp(equation.upper),
            marks=tuple("0" if mark == "-inf" else mark for mark in equation.marks),
        )


def _refuse_without_ratios(facts: SummaryFacts) -> None:
    if not any(equation.ratio for equation in facts.equations):
        raise NotDefinedError(
            f"{facts.title}: exp(coef) is a ratio only under a log or logit link, and no equation "
            "of this model has one. Use exponentiate=False.",
            kind="no_rate_ratio",
        )


def _ratio_notes(equations: Sequence[EquationRows], statistic: str) -> Iterator[str]:
    ratios = dict.fromkeys(equation.ratio for equation in equations if equation.ratio)
    told = "; ".join(f"{heading_of(ratio)} = exp(coef), {ratio}" for ratio in ratios)
    yield (
        f"{told}; std err by the delta method; limits: exp of those of coef; {statistic} and P "
        "are for coef = 0."
    )
    kept = [equation.heading for equation in equations if not equation.ratio]
    if kept:
        yield f"Not exponentiated: {', '.join(heading or 'the mean' for heading in kept)}."


def _fold_note(equations: Sequence[EquationRows]) -> str:
    folds = [fold for equation in equations for fold in equation.folds]
    joint = ", with the joint Wald test that they are 0" if any(f.test for f in folds) else ""
    return (
        f"{some(fold.term for fold in folds)}: one line for all coefficients{joint}; "
        f"summary(full=True) or summary(keep={folds[0].term!r}) shows each."
    )


def _columns(estimate: str, statistic: str, alpha: float) -> tuple[TableColumn, ...]:
    return (
        TableColumn(estimate, four_decimals),
        TableColumn("std err", four_decimals),
        TableColumn(statistic, three_decimals),
        TableColumn(f"P>|{statistic}|", p_value),
        TableColumn(f"[{alpha / 2:.4g}", four_decimals),
        TableColumn(f"{1 - alpha / 2:.4g}]", four_decimals),
    )


def _rows(equation: EquationRows, column: TableColumn) -> Iterator[Row]:
    marks = equation.marks or ("",) * len(equation.names)
    figures = zip(
        equation.coef,
        equation.bse,
        equation.statistic,
        equation.pvalues,
        equation.lower,
        equation.upper,
        strict=True,
    )
    rows = []
    for name, mark, values in zip(equation.names, marks, figures, strict=True):
        cells: tuple[Cell, ...] = tuple(map(float, values))
        # Of an infinite coefficient a profile may tell one end.
        rows.append(Row(name, (mark, None, None, None, *cells[4:]) if mark else cells))
    start = 0
    for fold in equation.folds:
        yield from rows[start : fold.start]
        yield Row(fold.term, (), _in_one_line(equation, fold, column))
        start = fold.stop
    yield from rows[start:]


def _in_one_line(equation: EquationRows, fold: Fold, column: TableColumn) -> str:
    own = slice(fold.start, fold.stop)
    coef, far = equation.coef[own], np.array([bool(mark) for mark in equation.marks[own]])
    ends = coef[~far] if len(far) else coef
    parts = [fold.test]
    if far.any():
        parts.insert(0, f"{far.sum()} infinite")
    if ends.size:
        low, high = map(column.show, (float(ends.min()), float(ends.max())))
        parts.insert(0, f"{column.heading} {low} to {high}")
    return f"{fold.told}: {', '.join(part for part in parts if part)}"


def _facts_in_columns(facts: SummaryFacts) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
    """Labels and values; where one side is short of lines the other gives it some."""
    left, right = list(_likelihood_facts(facts)), list(_deviance_facts(facts))
    while len(right) > len(left) + 1:
        left.append(right.pop())
    while len(left) > len(right) + 1:
        right.insert(0, left.pop())
    return (*left, ("Covariance", facts.cov_label)), (*right, ("Converged", facts.ended))


def _likelihood_facts(facts: SummaryFacts) -> Iterator[Fact]:
    if facts.nobs != facts.n_rows - facts.rows_dropped:
        yield "Observations", _count(facts.nobs)
    yield from _present("Log-likelihood", facts.llf, _two_decimals)
    null = "  intercept only" if facts.constant else "  no constant: offset only"
    yield from _present(null, facts.llnull, _two_decimals)
    yield from _present("AIC", facts.aic, _two_decimals)
    yield from _present("BIC", facts.bic, _two_decimals)
    yield from _present("Scale", facts.scale, _six_digits)


def _deviance_facts(facts: SummaryFacts) -> Iterator[Fact]:
    for label, value, df in (
        ("Deviance", facts.deviance, facts.df_resid),
        ("Null deviance", facts.null_deviance, facts.df_null),
    ):
        degrees = "" if df is None else f" on {_count(df)} df"
        yield from ((name, shown + degrees) for name, shown in _present(label, value, _six_digits))
    yield from _present("Pearson chi2", facts.pearson_chi2, _six_digits)
    mcfadden = _present("Pseudo-R2", facts.prsquared, four_decimals)
    yield from ((name, f"{shown} (McFadden)") for name, shown in mcfadden)
    yield from _ratio(facts)


def _ratio(facts: SummaryFacts) -> Iterator[Fact]:
    """The likelihood ratio against the null model, where there is something to test."""
    df, llf, llnull = facts.llr_df, facts.llf, facts.llnull
    if df and llf is not None and llnull is not None:
        value = 2.0 * (llf - llnull)
        tail = chi2_tail(value, df)
        yield f"LR chi2({df})", f"{_two_decimals(value)}, {p_shown(tail)}"


def _present(label: str, value: float | None, show: Callable[[float], str]) -> Iterator[Fact]:
    """The fact, unless its value does not exist."""
    if value is not None and not math.isnan(value):
        yield label, show(float(value))


def _two_decimals(value: float) -> str:
    return fixed(value, 2, FACT_WIDTH)


def _six_digits(value: float) -> str:
    """Six significant digits, with at least one and at most four decimals."""
    whole = len(f"{abs(value):.0f}") if math.isfinite(value) else 1
    return fixed(value, min(4, max(1, 6 - whole)), FACT_WIDTH)


def _count(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.10g}"
