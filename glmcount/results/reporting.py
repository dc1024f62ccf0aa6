"""Of a result its reports: the printed summary, and tables in broom's columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from glmcount.allowed import truth
from glmcount.errors import CovarianceError, NotDefinedError
from glmcount.figures import Figures
from glmcount.fitted import Fitted
from glmcount.inference import tests
from glmcount.inference.intervals import conf_int, judged
from glmcount.records import replace
from glmcount.report.facts import equation_rows, folded, row_terms, summary_facts, unjudged
from glmcount.report.rows import LARGE, EquationRows
from glmcount.report.summary import Summary, SummaryFacts, summarise
from glmcount.report.table import p_shown
from glmcount.report.tidy import glance_frame, tidy_frame
from glmcount.results.held import Held
from glmcount.results.testing import tested

__all__ = ["Reporting"]

# Coefficients up to which their joint test is made for a line of a table: it takes their cube.
MOST = 2_000


class Reporting:
    """Of a result its reports."""

    _state: Fitted
    _figures: Figures
    _held: Held
    conf_int: Callable[..., pd.DataFrame]

    def _equations(
        self, alpha: float, method: str = "wald", kind: str | None = None
    ) -> tuple[EquationRows, ...]:
        found, bse, df = self._state.estimates, self._held.errors, self._held.each_df
        statistics, pvalues = judged(found, bse, df)
        if isinstance(method, str) and method == "wald" and kind is None:
            ends = conf_int(found, bse, alpha, df)
        else:
            ends = self.conf_int(alpha, method=method, kind=kind).to_numpy()
        return equation_rows(found, self._state.family, bse, statistics, pvalues, ends)

    def _facts(
        self, alpha: float = 0.05, method: str = "wald", kind: str | None = None
    ) -> SummaryFacts:
        self._figures.prepare()
        # Where nothing is left to judge by, the covariance has no scale.
        found = self._held.found if self._state.judged else None
        rows = unjudged(self._state) if found is None else self._equations(alpha, method, kind)
        by_t = self._state.scaled or (found is not None and found.freedom is not None)
        note = "t" if by_t else "z", "" if found is None else found.note
        facts = summary_facts(self._figures, self._held.cov.label, rows, note)
        # A likelihood ratio takes the likelihood at its word, which such a covariance does not.
        return facts if self._held.cov.trusting else replace(facts, llr_df=None)

    def summary(
        self,
        *,
        exponentiate: bool = False,
        alpha: float = 0.05,
        method: str = "wald",
        kind: str | None = None,
        keep: str | Sequence[str] | None = None,
        drop: str | Sequence[str] | None = None,
        full: bool = False,
    ) -> Summary:
        """The printed summary: figures of the fit, and a row for each coefficient.

        Equation by equation they stand in the order in which the formula writes its terms, as in
        `params`.

        Parameters
        ----------
        exponentiate : bool
            Show exp(coef): rate ratios (IRR) of equations under a log link, odds ratios (OR) of
            those under a logit link, each under its own heading; others stay as they are.
        alpha : float
            One minus the level of the intervals.
        method, kind : str
            Of the intervals, as `conf_int` takes them.
        keep, drop : str or list of str, optional
            Coefficients to show, or to leave out: names, terms (a factor for all of its levels),
            or patterns in which ``*`` stands for anything.
        full : bool
            A factor of more than 20 levels has one line, with its joint Wald test; show all.

        Returns
        -------
        Summary
            With `as_text as_html as_latex as_markdown`.

        Raises
        ------
        UsageError
            If `keep` or `drop` name no coefficient.
        NotDefinedError
            If ratios are asked of a model that has none.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> print(r.summary(exponentiate=True, keep="x").as_text().splitlines()[12])
        x               3.0000     2.0000      1.648      0.099      0.8122    11.0813
        """
        facts = self._facts(alpha, method, kind)
        if method != "wald":
            facts = replace(facts, footnotes=(_method_told(method, kind), *facts.footnotes))
        wide = len(self._state.estimates.names) > LARGE
        if wide or keep is not None or drop is not None:
            terms = row_terms(self._state)
            test = _no_test if keep is not None or truth("full", full) else self._joint
            rows = folded(self._state, facts.equations, terms, test)
            facts = replace(facts, equations=rows)
        return summarise(
            facts, exponentiate=exponentiate, alpha=alpha, keep=keep, drop=drop, full=full
        )

    def _joint(self, places: Sequence[int]) -> str:
        """The Wald test that some parameters are 0, in words; nothing where there is none."""
        if len(places) > MOST:
            return ""
        functions = np.zeros((len(places), len(self._state.estimates.names)))
        functions[range(len(places)), places] = 1.0
        try:
            found = tests.wald(tested(self._held), functions, np.zeros(len(places)), "")
        except (CovarianceError, NotDefinedError):
            return ""
        second = "" if found.df_denom is None else f", {found.df_denom:.4g}"
        law = f"{found.distribution}({found.df:g}{second})"
        return f"{law} {found.statistic:.2f}, {p_shown(found.pvalue)}"

    def tidy(
        self,
        *,
        exponentiate: bool = False,
        alpha: float = 0.05,
        method: str = "wald",
        kind: str | None = None,
    ) -> pd.DataFrame:
        """One row a coefficient, in broom's columns.

        Parameters
        ----------
        exponentiate, alpha, method, kind
            As `summary` takes them.

        Returns
        -------
        DataFrame
            `term estimate std_error statistic p_value conf_low conf_high equation`, and with
            ``exponentiate=True`` a `scale`, which says what the estimate is: ``"IRR"``, ``"OR"``,
            ``"ratio"`` or ``"coef"``.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 0, 2, 6], "x": [0, 1, 0, 1]}, hurdle="1")
        >>> r.tidy(exponentiate=True).scale.tolist()
        ['IRR', 'IRR', 'OR']
        """
        # Infinite numbers are there as such; marks are for print.
        equations = [replace(each, marks=()) for each in self._equations(alpha, method, kind)]
        return tidy_frame(equations, exponentiate, alpha)

    def glance(self) -> pd.DataFrame:
        """One row for the fit: its figures, and how many parameters each part has.

        Returns
        -------
        DataFrame
            `null_deviance df_null logLik AIC BIC deviance df_residual nobs pearson_chi2 pseudo_r2
            scale converged n_dropped cov_type df_model k`, then `k_mean` and, of other equations,
            `k_inflate`, `k_hurdle`, `k_alpha`: estimated parameters, which add up to `k`.

        Examples
        --------
        >>> import glmcount as gc
        >>> data = {"y": [0, 3, 2, 6, 0, 1], "x": [0, 1, 0, 1, 0, 1]}
        >>> gc.fit("y ~ x", data, hurdle="1").glance()[["df_residual", "k", "k_hurdle"]].loc[0]
        df_residual    3
        k              3
        k_hurdle       1
        Name: 0, dtype: int64
        """
        df_model = self._state.k_mean - int(self._figures.constant)
        return glance_frame(self._facts(), self._state.k_parts, df_model)

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary().as_html()


def _no_test(places: Sequence[int]) -> str:
    """For rows that are shown one by one."""
    return ""


def _method_told(method: str, kind: str | None) -> str:
    """What is said of intervals that are not Wald's."""
    if method == "profile":
        return "Intervals: profile likelihood."
    return f"Intervals: bootstrap, {kind or 'percentile'}."
