"""The summary of one fitted model: records in, a `Table` out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from glmcount.allowed import proportion, truth
from glmcount.errors import NotDefinedError
from glmcount.numerics import Array
from glmcount.numerics.tails import chi2_tail
from glmcount.records import dataclass, replace
from glmcount.report.render import render
from glmcount.report.table import (
    Cell,
    Fact,
    Group,
    Row,
    Table,
    TableColumn,
    fixed,
    four_decimals,
    p_value,
    three_decimals,
)

__all__ = ["EquationRows", "Summary", "SummaryFacts", "exponentiated", "infinite", "summarise"]

# Facts have more room than a cell of a column.
FACT_WIDTH = 14


@dataclass(frozen=True)
class EquationRows:
    """The coefficients of one equation with their standard errors, tests and intervals.

    Parameters
    ----------
    heading : str
        Empty for the mean equation, else what the rows are, as ``"Dispersion (alpha)"``.
    names : tuple of str
        One name for each of the k rows.
    coef, bse, statistic, pvalues, lower, upper : ndarray of shape (k,)
        NaN where a quantity does not exist: it is shown as nothing.
    exponentiable : bool
        Whether exp(coef) is an incidence rate ratio.
    marks : tuple of str
        Empty, or for each row ``""`` or the text shown instead of the estimate, with
        nothing after it: ``"-inf"`` for a coefficient that is infinite.

    Examples
    --------
    >>> one = np.ones(1)
    >>> EquationRows("", ("x",), one, one, one, one, one, one).exponentiable
    True
    """

    heading: str
    names: tuple[str, ...]
    coef: Array
    bse: Array
    statistic: Array
    pvalues: Array
    lower: Array
    upper: Array
    exponentiable: bool = True
    marks: tuple[str, ...] = ()


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

    @property
    def rows_used(self) -> int:
        """Rows that were fitted."""
        return self.n_rows - self.rows_dropped


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


def summarise(facts: SummaryFacts, *, exponentiate: bool = False, alpha: float = 0.05) -> Summary:
    """The summary of a fit.

    Parameters
    ----------
    facts : SummaryFacts
        Its `lower` and `upper` are limits of intervals of level 1 - `alpha`.
    exponentiate : bool
        Show incidence rate ratios exp(b), with standard errors exp(b) SE(b) by the delta
        method and the exponentials of the limits of b; statistics and p-values stay
        those of b. Equations without a log link stay as they are.
    alpha : float
        One minus the level of the intervals, for the headings.

    Raises
    ------
    NotDefinedError
        If ratios are asked of a model that has no equation with a log link.
    UsageError
        If `alpha` is not between 0 and 1, or `exponentiate` neither True nor False.

    Examples
    --------
    >>> zero, one = np.zeros(1), np.ones(1)
    >>> mean = EquationRows("", ("Intercept",), zero, one, zero, one, -2 * one, 2 * one)
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
    alpha, exponentiate = proportion("alpha", alpha), truth("exponentiate", exponentiate)
    equations, notes = facts.equations, facts.footnotes
    if exponentiate:
        _refuse_without_ratios(facts)
        equations = tuple(exponentiated(e) if e.exponentiable else e for e in equations)
        notes = (*notes, *_ratio_notes(facts))
    ratios = [exponentiate and equation.exponentiable for equation in equations]
    columns = [_columns("IRR" if ratio else "coef", facts.statistic, alpha) for ratio in ratios]
    left, right = _facts_in_columns(facts)
    table = Table(
        title=facts.title,
        columns=columns[0],
        groups=tuple(
            Group(equation.heading, tuple(_rows(equation)), own if own != columns[0] else None)
            for equation, own in zip(equations, columns, strict=True)
        ),
        lead=(facts.formula, f"{facts.rows_used} rows used, {facts.rows_dropped} dropped"),
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
    >>> ratio = exponentiated(EquationRows("", ("x",), zero, one, zero, one, -one, one))
    >>> float(ratio.coef[0]), float(ratio.bse[0])
    (1.0, 1.0)
    """
    # The ratio of a coefficient beyond 709 is infinite in double precision, and shown so.
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = np.exp(equation.coef)
        return replace(
            equation,
            coef=ratio,
            bse=ratio * equation.bse,
            lower=np.exp(equation.lower),
            upper=np.exp(equation.upper),
            marks=tuple("0" if mark == "-inf" else mark for mark in equation.marks),
        )


def _refuse_without_ratios(facts: SummaryFacts) -> None:
    if not any(equation.exponentiable for equation in facts.equations):
        raise NotDefinedError(
            f"{facts.title}: exp(coef) is a rate ratio only under a log link, and no equation "
            "of this model has one. Use exponentiate=False.",
            kind="no_rate_ratio",
        )


def _ratio_notes(facts: SummaryFacts) -> Iterator[str]:
    yield (
        "IRR: incidence rate ratio exp(coef), std err by the delta method; limits: exp of those "
        f"of coef; {facts.statistic} and P are for coef = 0."
    )
    kept = [equation.heading for equation in facts.equations if not equation.exponentiable]
    if kept:
        yield f"Not exponentiated: {', '.join(heading or 'the mean' for heading in kept)}."


def _columns(estimate: str, statistic: str, alpha: float) -> tuple[TableColumn, ...]:
    return (
        TableColumn(estimate, four_decimals),
        TableColumn("std err", four_decimals),
        TableColumn(statistic, three_decimals),
        TableColumn(f"P>|{statistic}|", p_value),
        TableColumn(f"[{alpha / 2:.4g}", four_decimals),
        TableColumn(f"{1 - alpha / 2:.4g}]", four_decimals),
    )


def _rows(equation: EquationRows) -> Iterator[Row]:
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
    for name, mark, values in zip(equation.names, marks, figures, strict=True):
        cells: tuple[Cell, ...] = (mark, *[None] * 5) if mark else tuple(map(float, values))
        yield Row(name, cells)


def _facts_in_columns(facts: SummaryFacts) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
    """Labels and values; where one side is short of lines the other gives it some."""
    left, right = list(_likelihood_facts(facts)), list(_deviance_facts(facts))
    while len(right) > len(left) + 1:
        left.append(right.pop())
    while len(left) > len(right) + 1:
        right.insert(0, left.pop())
    return (*left, ("Covariance", facts.cov_label)), (*right, ("Converged", facts.ended))


def _likelihood_facts(facts: SummaryFacts) -> Iterator[Fact]:
    if facts.nobs != facts.rows_used:
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
        shown = "p <0.001" if tail < 0.001 else f"p {tail:.3f}"
        yield f"LR chi2({df})", f"{_two_decimals(value)}, {shown}"


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
