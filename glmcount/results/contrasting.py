"""Of a result the comparisons that are made of its parameters."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from glmcount.allowed import choice, proportion, shown, truth
from glmcount.diagnostics import dispersion, verdicts
from glmcount.errors import (
    GlmcountWarning,
    IntervalWarning,
    NotDefinedError,
    UsageError,
    near,
    outside,
    some,
)
from glmcount.figures import Figures
from glmcount.fitted import Fitted
from glmcount.inference import (
    contrasts,
    equivalence,
    hypotheses,
    levels,
    multiplicity,
    tests,
    words,
)
from glmcount.inference.intervals import tail, width
from glmcount.prediction import standardise
from glmcount.report.comparisons import comparison_frame, ratio_of, ratios, refuse_without_ratio
from glmcount.results.testing import Testing, tested

__all__ = ["Contrasting"]


class Contrasting(Testing):
    """Of a result comparisons."""

    _state: Fitted
    _figures: Figures
    conf_int: Callable[[float], pd.DataFrame]
    refit: Callable[..., Any]

    def contrasts(
        self,
        term: str,
        *,
        kind: str = "pairwise",
        adjust: str = "none",
        reference: Any = None,
        exponentiate: bool = False,
        alpha: float = 0.05,
    ) -> pd.DataFrame:
        """Compare the levels of a factor.

        A contrast is a difference of linear predictors, with exposures and offsets equal. Where
        the factor interacts with others, these have equal weights over their levels, and numbers
        are at their means (weighted by frequency and probability weights).

        Parameters
        ----------
        term : str
            A factor, as a column ``"g"`` or as the formula has it, ``"C(g)"``; that of another
            equation with its prefix, ``"inflate_g"``, ``"hurdle_g"``, ``"dispersion_g"``.
        kind : {"pairwise", "reference", "sequential", "mean"}
            Each later level with each earlier one; each with the reference; each with the one
            before; each with the mean of all.
        adjust : {"none", "holm", "bonferroni", "sidak", "single-step", "fdr"}
            Of p-values and intervals for there being several contrasts. Intervals under "holm"
            are Bonferroni's; under "fdr" they hold their false coverage rate (Benjamini &
            Yekutieli 2005) and leave out zero where the adjusted p-value is at most `alpha`.
            Where contrasts have degrees of freedom of their own "single-step" takes the smallest.
        reference : level, optional
            For ``kind="reference"``; by default the one the formula codes against, or the first.
        exponentiate : bool
            Ratios, of rates or odds, with standard errors by the delta method.
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        DataFrame
            Columns `term contrast estimate std_error statistic p_value conf_low conf_high`. In
            ``attrs``: `conf_level`, `adjust`, `intervals`, and `error`, the largest standard error
            of an integral among the p-values of "single-step" (Hothorn, Bretz & Westfall 2008).

        Raises
        ------
        UsageError
            If there is no such factor, kind, adjustment or reference.
        NotDefinedError
            If ratios are asked of an equation under a link without them.
        MemoryLimitError
            If there are more contrasts than memory, or "single-step" time, for them.

        Examples
        --------
        >>> import glmcount as gc
        >>> data = {"y": [2, 4, 3, 9, 8, 4], "g": list("aabbcc")}
        >>> r = gc.fit("y ~ g", data)
        >>> found = r.contrasts("g", exponentiate=True)
        >>> list(found.contrast), [round(float(b), 4) for b in found.estimate]
        (['b / a', 'c / a', 'c / b'], [2.0, 2.0, 1.0])
        """
        chosen = choice("kind", kind, contrasts.KINDS, "contrast_kind")
        how = choice("adjust", adjust, multiplicity.ADJUSTMENTS, "contrast_adjust")
        level, as_ratio = proportion("alpha", alpha), truth("exponentiate", exponentiate)
        if not isinstance(term, str):
            raise UsageError(f"term is the name of a factor; got {shown(term)}.", kind="no_factor")
        own = levels.factor_levels(self._state, term)
        if as_ratio:
            refuse_without_ratio(self._state.fit.family, [own.equation])
        contrasts.refuse_large(self._state, own, chosen, how)
        compared = contrasts.comparison(chosen, own.labels, _base(own, reference, chosen))
        found, told = contrasts.compare(self._state, tested(self._held), own, compared, how, level)
        if told is not None:
            warnings.warn(told, stacklevel=outside())
        made = found.adjusted
        attrs = {
            "conf_level": 1 - level,
            "adjust": how,
            "intervals": made.intervals,
            "error": made.error,
            "scale": ratio_of(self._state.fit.family, own.equation) if as_ratio else "link",
        }
        names = compared.ratios if as_ratio else compared.differences
        columns = (
            found.estimate, found.errors, found.statistic, made.pvalues, found.low, found.high
        )  # fmt: skip
        frame = comparison_frame(term, names, columns, attrs)
        return ratios(frame) if as_ratio else frame

    def test_dispersion(
        self, kind: str = "nb1", *, alternative: str = "greater", alpha: float = 0.05
    ) -> tests.TestResult:
        """Test whether counts vary more than their mean, as a Poisson model has it.

        With d = (y - mu)^2 - y, which has mean zero where Var(Y) = mu:

        * "nb1", "nb2": z of alpha in Var(Y) = mu + alpha mu or mu + alpha mu^2, by regression
          (Cameron & Trivedi 1990; R's AER::dispersiontest with trafo NULL and 2);
        * "dean": sum(d) / sqrt(2 sum mu^2), and "dean_c" with h mu added to d, h the leverage
          (Dean 1992, P_B and P_B');
        * "lm_nb1", "lm_nb2", "katz": score tests as chi2(1), "lm_nb2" the square of "dean"; that
          of Katz' law is that of NB1, and two-sided by nature;
        * "pearson": sum (y - mu)^2 / mu less its degrees of freedom in standard deviations under
          the null, the estimated mean accounted for;
        * "lr": twice the log-likelihood gained by the negative binomial, half chi2(1).

        Parameters
        ----------
        kind : str
        alternative : {"greater", "two-sided", "less"}
        alpha : float
            One minus the level of the interval.

        Returns
        -------
        TestResult
            Its `estimate` is 1 + alpha, the dispersion, for "nb1", "lm_nb1" and "katz", Pearson's
            ratio for "pearson", else alpha; its `conf_int` does not take the null for granted.

        Raises
        ------
        NotDefinedError
            Of a model whose variance is not its mean ("lr": which has no alpha either), and of
            kinds that weights do not allow.

        Examples
        --------
        >>> import glmcount as gc
        >>> data = gc.datasets.load("biochemists")
        >>> r = gc.fit("art ~ fem + mar + kid5 + phd + ment", data)
        >>> test = r.test_dispersion()
        >>> round(test.statistic, 5), round(test.estimate, 6)
        (5.78246, 1.82454)
        """
        chosen = choice("kind", kind, dispersion.KINDS, "dispersion_kind")
        against = choice("alternative", alternative, dispersion.ALTERNATIVES, "alternative")
        level = proportion("alpha", alpha)
        if chosen != dispersion.LR:
            return dispersion.dispersion_test(self._state, chosen, against, level)
        dispersion.refuse_alternative(against)
        return self._gain(level)

    def equivalence(
        self,
        term: Any,
        low: float,
        high: float,
        *,
        exponentiate: bool = False,
        alpha: float = 0.05,
    ) -> tests.TestResult:
        """Test that a coefficient is too small to matter: two one-sided tests.

        With estimate b and standard error s, the statistic is the smaller of (b - low) / s and
        (high - b) / s, and p its upper tail. It is at most `alpha` just where the interval of
        level 1 - 2 alpha lies within the bounds.

        Parameters
        ----------
        term : str or array
            A parameter, or a combination of several, ``"x1 - x2"``.
        low, high : float
            Between which the effect does not matter; ratios with ``exponentiate=True``. A warning
            says where no effect, a coefficient of 0 or a ratio of 1, is not between them.
        exponentiate : bool
            Whether bounds, estimate and interval are ratios, as ``low=0.8, high=1.25``.
        alpha : float
            Of the test.

        Returns
        -------
        TestResult
            With `estimate`, and in `conf_int` the interval of level 1 - 2 alpha.

        Raises
        ------
        UsageError
            If the bounds are none.
        NotDefinedError
            If the coefficient is infinite or ancillary, or has no ratio.

        References
        ----------
        Schuirmann (1987), Journal of Pharmacokinetics and Biopharmaceutics 15.

        Examples
        --------
        >>> import glmcount as gc
        >>> data = {"y": [98, 103, 99, 100, 101, 99], "x": [0, 0, 0, 1, 1, 1]}
        >>> found = gc.fit("y ~ x", data).equivalence("x", 0.8, 1.25, exponentiate=True)
        >>> found.pvalue < 0.05, round(found.estimate, 6)
        (True, 1.0)
        """
        as_ratio, level = truth("exponentiate", exponentiate), proportion("alpha", alpha)
        bounds = equivalence.bounds_of(low, high, as_ratio)
        if level >= 0.5:
            raise UsageError(
                "alpha of an equivalence test, the level of each of its one-sided tests, is below "
                f"0.5, such as 0.05; got {level:g}.",
                kind="alpha",
            )
        rows, right = hypotheses.linear_constraints(term, verdicts.names(self._state))
        if len(rows) != 1 or right[0] != 0.0:
            raise UsageError(
                f"equivalence tests one combination of parameters, such as 'x' or 'x1 - x2'; got "
                f"{shown(term)}. Its bounds are low= and high=.",
                kind="one_combination",
            )
        if as_ratio:
            self._refuse_without_ratio(rows)
        found, family = self._state.estimates, self._state.family
        name = words.sums(rows, found.names)[0]
        test = equivalence.equivalence(tested(self._held), rows[0], bounds, name, level, as_ratio)
        used = found.equations[(rows != 0.0).any(axis=0)]
        ratio = all(ratio_of(family, int(k)) for k in used)
        if doubt := equivalence.doubt_of(float(low), float(high), as_ratio, ratio):
            warnings.warn(IntervalWarning(doubt, kind="one_sided_bounds"), stacklevel=outside())
        return test

    def standardised_rate(
        self,
        reference: Any,
        *,
        by: str,
        weights: str = "weight",
        groups: Sequence[Any] | None = None,
        compare: str | None = None,
        alpha: float = 0.05,
    ) -> pd.DataFrame:
        """Rates of groups, directly standardised to a reference population.

        R(g) = sum_s w_s r_s(g): the mean per unit of exposure, its offsets left out, of each
        stratum s of the reference were all of it in group g, weighted by the reference's shares.

        Parameters
        ----------
        reference : DataFrame, dict or other table
            A row for each stratum: the columns of the model except `by`, and the weights.
        by : str
            The column of the groups to be compared.
        weights : str
            The reference's column of weights, of any total.
        groups : sequence, optional
            Values of `by`, the first that with which the others are compared; by default the
            levels of a factor.
        compare : {None, "ratio", "difference"}
            The rates themselves, or each against the first.
        alpha : float

        Returns
        -------
        DataFrame
            Columns `term contrast estimate std_error statistic p_value conf_low conf_high`.
            Standard errors by the delta method, the reference taken as known; intervals of rates
            and ratios by those of their logarithms.

        Raises
        ------
        UnknownColumnError, DataError
            If the reference lacks a column, or its weights are none.
        NotDefinedError
            If some stratum has no rate in the model.

        Examples
        --------
        >>> import glmcount as gc
        >>> data = {"d": [2, 12, 28, 32, 104, 206], "n": [19, 11, 6, 52, 43, 29]}
        >>> data |= {"age": list("abcabc"), "smoke": [0, 0, 0, 1, 1, 1]}
        >>> r = gc.fit("d ~ age + C(smoke)", data, exposure="n")
        >>> found = r.standardised_rate({"age": list("abc"), "weight": [2, 1, 1]}, by="smoke")
        >>> [round(float(rate), 4) for rate in found.estimate]
        [1.4069, 2.6895]
        """
        how = choice("compare", compare, (None, "ratio", "difference"), "compare")
        alpha = proportion("alpha", alpha)
        found = standardise.standardised(self._state, reference, by, weights, groups)
        matrix, law = self._state.reshifted(self._held.covariance), self._held.law
        labels, attrs = [str(group) for group in found.groups], {"conf_level": 1 - alpha}
        if how is None:
            df = law.each(found.slopes)
            reach = width(alpha, df)
            rate, errors, low, high = found.table(matrix, reach)
            none = np.full(len(rate), np.nan)
            return comparison_frame(by, labels, (rate, errors, none, none, low, high), attrs)
        as_ratio = how == "ratio"
        gap, errors, slopes = found.compared(matrix, as_ratio)
        df = law.each(slopes)
        reach = width(alpha, df)
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = gap / errors
        ends = gap - reach * errors, gap + reach * errors
        columns = (gap, errors, statistic, tail(statistic, df), *ends)
        sign = "/" if as_ratio else "-"
        names = [f"{label} {sign} {labels[0]}" for label in labels[1:]]
        frame = comparison_frame(by, names, columns, attrs)
        return ratios(frame) if as_ratio else frame

    def _gain(self, alpha: float) -> tests.TestResult:
        """The likelihood ratio: of a model that has an alpha, or against one that has."""
        state: Any = self._state
        if state.importance and state.spec.weights is not None:
            state.information_criterion("test_dispersion(kind='lr')", 0.0)
            raise NotDefinedError(
                "Under importance weights rows do not count once, and a likelihood ratio of alpha "
                "is not half chi-squared. Take another kind, which goes by the rows.",
                kind="weighted_ratio",
            )
        found = state.estimates
        limits = {limit.label: limit for limit in state.fit.family.limits}
        for label, _, llf in self._figures.limits:
            limit = limits[label]
            scale = state.fit.family.equations[limit.equation].scale
            if scale == "log" and limit.name in found.names and llf is not None:
                value = float(found.values[found.names.index(limit.name)])
                low, high = self.conf_int(alpha).loc[limit.name]
                return dispersion.likelihood_ratio(
                    state.fit.llf - llf, value, (low, high), limit.name
                )
        for limit in state.fit.limits:
            if state.family.equations[limit.equation].scale == "log":
                return dispersion.likelihood_ratio(0.0, 0.0, None, limit.name)
        dispersion.refuse_dispersed(state)
        self._state.information_criterion("test_dispersion(kind='lr')", 0.0)
        with warnings.catch_warnings():
            # What a fit on the boundary warns of is what is told here.
            warnings.simplefilter("ignore", GlmcountWarning)
            # A link of its own leaves a law without a name for what is wider.
            return self.refit(family=state.family.wider or "negbin", start=None)._gain(alpha)


def _base(own: levels.FactorLevels, reference: Any, kind: str) -> int:
    if reference is None:
        return own.base
    if kind != "reference":
        raise UsageError(
            f"reference= is for kind='reference'; got kind={kind!r}.", kind="contrast_reference"
        )
    if str(reference) not in own.labels:
        raise UsageError(
            f"{own.term!r} has no level {shown(reference)}.{near(str(reference), own.labels)} "
            f"Levels: {some(own.labels, 12)}.",
            kind="contrast_reference",
        )
    return own.labels.index(str(reference))
