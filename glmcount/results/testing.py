"""Of a result its tests."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from glmcount.allowed import generator, shown, truth
from glmcount.design.rows import Rows
from glmcount.diagnostics import verdicts
from glmcount.errors import (
    IntervalWarning,
    NotDefinedError,
    UsageError,
    outside,
    some,
)
from glmcount.fitted import Fitted
from glmcount.fitting import nested
from glmcount.fitting.run import Fit
from glmcount.further import added
from glmcount.inference import hypotheses, profiled, ratio, score, score_bootstrap, tests, words
from glmcount.inference.intervals import OwnFreedom, reported, significance
from glmcount.inference.naming import nearest_parameter
from glmcount.numerics import Array
from glmcount.records import replace
from glmcount.report.comparisons import ratios, refuse_without_ratio
from glmcount.report.rows import EquationRows
from glmcount.report.tidy import tidy_frame
from glmcount.results.held import Held

__all__ = ["Testing", "scored_test", "tested"]

# Ends that one warning tells of.
SHOWN = 8


def tested(held: Held) -> tests.Tested:
    """What hypotheses about a result are about."""
    state, freedom = held.state, held.found.freedom
    matrix = reported(state.estimates, held.covariance)
    own = freedom if isinstance(freedom, OwnFreedom) else None
    return tests.Tested(state.estimates, matrix, state.family, held.df, own, held.found.rank)


def scored_test(held: Held, models: tuple[Fit, Rows, Rows], name: str) -> tests.TestResult:
    """The score test of a larger model: a fit of the smaller, and the rows as both see them."""
    state, cov = held.state, held.cov
    options = replace(state.options, information="outer") if cov.outer else state.options
    found = nested.scored(*models, options, importance=state.importance)
    freedom = state.spread_df if state.scaled else None
    return score.score_result(state, found, cov, (held.figures.scale, freedom, name))


class Testing:
    """Of a result its tests of hypotheses."""

    _state: Fitted
    _held: Held

    def _chosen(self, parameters: Any) -> list[int]:
        """Places of some parameters, by their names."""
        known = list(self._state.estimates.names)
        if parameters is None:
            return list(range(len(known)))
        several = isinstance(parameters, list | tuple | pd.Index)
        asked = list(parameters) if several else [parameters]
        for name in asked:
            if not isinstance(name, str) or name not in known:
                raise UsageError(
                    f"There is no parameter {shown(name)}.{nearest_parameter(str(name), known)} "
                    f"r.params has: {some(known, 20)}.",
                    kind="unknown_parameter",
                )
        return [known.index(name) for name in asked]

    def _profiled(self, which: list[int], alpha: float, held: bool) -> Array:
        """Ends of profile intervals; a warning says why some are infinite."""
        self._state.information_criterion("A profile likelihood interval", 0.0)
        instead = "Take r.conf_int(), which has that covariance"
        ratio.refuse_robust("A profile likelihood interval", self._held.cov, instead)
        level = significance(alpha)
        ends, told = profiled.profile_intervals(self._state, which, level, held)
        if told:
            more = f"; and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
            text = f"Intervals without an end: {'; '.join(told[:SHOWN])}{more}."
            warnings.warn(IntervalWarning(text), stacklevel=outside())
        return ends

    def wald_test(self, hypothesis: Any) -> tests.TestResult:
        """Test linear hypotheses jointly, such as ``"x1 = 0, x2 = x3"`` or a matrix R.

        W = (R b - r)' (R V R')^-1 (R b - r), V the covariance of the result, is chi-squared with a
        degree of freedom for each of q hypotheses; W / q is an F where the covariance brings
        degrees of freedom, as that of a quasi-likelihood does (where it brings them for each
        hypothesis, by Pustejovsky & Tipton 2018, Journal of Business & Economic Statistics 36).

        What they say of an ancillary parameter alone, such as ``"alpha = 1"``, is tested on the
        scale on which it is estimated (log alpha); a value on its boundary is refused.

        Parameters
        ----------
        hypothesis : str, mapping or array, shape (q, k)
            Equations of the names of `params`; ``{"x": 0.5}``, what each is said to be; or R, of
            R b = 0.

        Returns
        -------
        TestResult
            With `statistic`, `pvalue`, `df` and the `distribution` they are of, of an F also
            `df_denom`; of other tests an `estimate`, its `conf_int` and a `note`.

        Raises
        ------
        CovarianceError
            If the hypotheses repeat each other, or the covariance has fewer dimensions than they.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", data={"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> test = r.wald_test("x = 0")
        >>> round(test.statistic, 4), test.df, test.distribution
        (2.7156, 1, 'chi2')
        """
        r, q = hypotheses.linear_constraints(hypothesis, verdicts.names(self._state))
        text = words.in_words(hypothesis, r, q, self._state.estimates.names)
        return tests.wald(tested(self._held), r, q, text)

    def score_test(self, terms: Any) -> tests.TestResult:
        """Rao's score test of terms that the mean does not have.

        Nothing is fitted again: with s the score and H the information of the larger model at
        this one's estimates, T = s' H^-1 s is chi-squared with the rank that is added (Rao 1948,
        Mathematical Proceedings of the Cambridge Philosophical Society 44). Under a robust or
        clustered covariance it is the sandwich form (Boos 1992, The American Statistician 46);
        of a quasi-likelihood an F.

        Parameters
        ----------
        terms : str or array, shape (n, k)
            Terms of a formula, such as ``"z1 + z2"`` or ``"a:b"``; after `fit_arrays` columns
            with a row for each row of X.

        Returns
        -------
        TestResult
            Its `note` says which information served: the expected one, or the outer product of
            the scores, where the observed one is not positive definite there.

        Raises
        ------
        DataError
            If a row that was fitted has no value in the terms.
        NotDefinedError
            If they add nothing to what the model has.

        Examples
        --------
        >>> import glmcount as gc
        >>> quine = gc.datasets.load("quine")
        >>> test = gc.fit("Days ~ Eth", quine, family="negbin").score_test("Sex + Age + Lrn")
        >>> test.df, round(test.pvalue, 4)
        (5, 0.0047)
        """
        state = self._state
        state.rows.check()
        large = state.fit.narrowed(added(state, terms))
        name = str(terms) if isinstance(terms, str) else shown(terms)
        return scored_test(self._held, (state.fit, state.rows, large), name)

    def score_bootstrap(
        self,
        hypothesis: Any,
        groups: Any = None,
        *,
        reps: int = 9_999,
        rng: int | np.random.Generator | None = None,
        alpha: float | None = None,
    ) -> tests.TestResult:
        """Test linear hypotheses with few clusters, by a bootstrap of the scores under them.

        The hypothesis is imposed by one fit under it; its efficient scores are summed by
        cluster, their signs drawn, and T = S'V^-1 S made anew in each draw (Kline & Santos 2012).
        Efficient by the information of the fit: of a negative binomial the observed one moves with
        the score, and ``information="expected"`` comes nearer to the level with few clusters.

        Parameters
        ----------
        hypothesis : str, mapping or array
            As for `wald_test`.
        groups : str or array, optional
            The clusters; those of the covariance where it is clustered.
        reps : int
            Draws: of signs from 12 clusters on, of Webb's six points below. All patterns of
            signs are taken where these are no more.
        rng : int or Generator, optional
            The seed.
        alpha : float, optional
            Give the interval of level 1 - alpha too, which inverts the test: some forty fits
            under values of what one hypothesis tests.

        Returns
        -------
        TestResult
            With `conf_int` where `alpha` is given.

        Raises
        ------
        UsageError, NotDefinedError
            Without clusters; for a parameter on its boundary.

        Examples
        --------
        >>> import glmcount as gc
        >>> data = {"y": [1, 3, 2, 6, 4, 5, 2, 2], "x": [0, 1] * 4, "g": list("aabbccdd")}
        >>> r = gc.fit("y ~ x", data)
        >>> round(r.score_bootstrap("x = 0", "g", rng=0).pvalue, 2)
        0.13
        """
        about = tested(self._held)
        r, q = hypotheses.linear_constraints(hypothesis, verdicts.names(self._state))
        needs = score_bootstrap.clusters_of(self._held.cov, groups)
        asked = r, q, words.in_words(hypothesis, r, q, self._state.estimates.names)
        return score_bootstrap.score_bootstrap(
            about, self._state, needs, asked, reps, generator(rng), alpha
        )

    def t_test(
        self, hypothesis: Any, alpha: float = 0.05, *, exponentiate: bool = False
    ) -> pd.DataFrame:
        """Test each linear hypothesis alone.

        Parameters
        ----------
        hypothesis : str, mapping, matrix
            As `wald_test` takes it.
        alpha : float
            One minus the level of the intervals.
        exponentiate : bool
            Ratios, of rates or odds, with standard errors by the delta method and exp of the ends
            of intervals; tests stay those of the hypotheses as they are.

        Returns
        -------
        DataFrame
            Rows named by their hypothesis in `term`; `estimate` is that of the combination of
            parameters, whatever value the hypothesis gives it; `std_error statistic p_value
            conf_low conf_high`.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", data={"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> r.t_test([[0, 1]]).term[0]
        'x = 0'
        """
        r, q = hypotheses.linear_constraints(hypothesis, verdicts.names(self._state))
        as_ratio = truth("exponentiate", exponentiate)
        if as_ratio:
            self._refuse_without_ratio(r)
        text = words.in_words(hypothesis, r, q, self._state.estimates.names)
        found = tests.single(tested(self._held), r, q, alpha, text)
        frame = tidy_frame([EquationRows("", *found)], False, alpha).drop(columns="equation")
        return ratios(frame) if as_ratio else frame

    def _refuse_without_ratio(self, coefficients: Array) -> None:
        found = self._state.estimates
        used = np.any(coefficients != 0.0, axis=0)
        if (used & found.natural).any():
            names = [found.names[j] for j in np.flatnonzero(used & found.natural)]
            raise NotDefinedError(
                f"exp of {some(names)} is no ratio: it is shown on its natural scale already. Ask "
                "for it without exponentiate=True.",
                kind="no_rate_ratio",
            )
        refuse_without_ratio(self._state.family, found.equations[used].tolist())
