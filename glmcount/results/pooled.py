"""Results of several completed data sets as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy

from glmcount.allowed import shown, truth
from glmcount.errors import NotDefinedError, UsageError, some
from glmcount.fitting.estimates import Estimates
from glmcount.front import fronted, public
from glmcount.inference.covariance.estimator import Estimator, shown_name
from glmcount.inference.intervals import significance
from glmcount.inference.pooling import Rubin, rubin
from glmcount.numerics import Array
from glmcount.printed import Lines, Printed
from glmcount.records import cached_property, dataclass
from glmcount.report.comparisons import heading_of, ratio_of, ratios
from glmcount.results.result import Results

__all__ = ["Pooled", "pool"]


@fronted
@dataclass(frozen=True, eq=False, repr=False)
class Pooled(Printed):
    """Estimates pooled over completed data sets by Rubin's rules.

    Each parameter has degrees of freedom of its own. An ancillary one, such as alpha, is pooled on
    the scale on which it is estimated (log alpha) and shown on its own.

    Parameters
    ----------
    rubin : Rubin
        On the scales of estimation.
    found : Estimates
        Of the first result: names and scales.
    values, slopes : ndarray, shape (k,)
        The pooled parameters as they are shown, and d shown / d estimated.
    m : int
        Data sets.
    nobs : float
        Observations of each.
    ratios : tuple of str
        What exp of each parameter is, ``"rate ratio"`` or ``"odds ratio"``; empty for no ratio.

    Examples
    --------
    >>> import glmcount as gc
    >>> x = [[0, 1, 0, 1, 2], [0, 1, 0, 2, 2], [0, 1, 1, 1, 2]]
    >>> pooled = gc.pool([gc.fit("y ~ x", {"y": [1, 3, 2, 6, 9], "x": own}) for own in x])
    >>> pooled.m, bool((pooled.fmi > 0).all())
    (3, True)
    """

    rubin: Rubin
    found: Estimates
    values: Array
    slopes: Array
    m: int
    nobs: float
    ratios: tuple[str, ...] = ()

    def _named(self, values: Array) -> pd.Series:
        return pd.Series(np.array(values), index=self.found.index)

    @cached_property
    def params(self) -> pd.Series:
        """Pooled estimates, shape (k,)."""
        return self._named(self.values)

    @cached_property
    def bse(self) -> pd.Series:
        """Standard errors, shape (k,): roots of the diagonal of T."""
        return self._named(np.sqrt(self.rubin.total.diagonal()) * np.abs(self.slopes))

    @cached_property
    def df(self) -> pd.Series:
        """Degrees of freedom of each parameter, shape (k,) (Barnard & Rubin 1999)."""
        return self._named(self.rubin.df)

    @cached_property
    def fmi(self) -> pd.Series:
        """Fraction of missing information of each parameter, shape (k,)."""
        return self._named(self.rubin.missing)

    @cached_property
    def riv(self) -> pd.Series:
        """Relative increase in variance due to what is missing, shape (k,)."""
        return self._named(self.rubin.increase)

    @cached_property
    def tvalues(self) -> pd.Series:
        """params / bse, shape (k,)."""
        return self.params / self.bse

    @cached_property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values by Student's t, shape (k,); NaN where the null is a boundary."""
        tails = 2.0 * scipy.special.stdtr(self.rubin.df, -np.abs(self.tvalues.to_numpy()))
        return self._named(np.where(self.found.natural, np.nan, tails))

    def cov_params(self) -> pd.DataFrame:
        """Covariance of `params`: T of Rubin's rules.

        Returns
        -------
        DataFrame, (k, k)

        Examples
        --------
        >>> import numpy as np
        >>> import glmcount as gc
        >>> x = [[0, 1, 0, 1, 2], [0, 1, 0, 2, 2], [0, 1, 1, 1, 2]]
        >>> pooled = gc.pool([gc.fit("y ~ x", {"y": [1, 3, 2, 6, 9], "x": own}) for own in x])
        >>> bool(np.allclose(np.sqrt(np.diag(pooled.cov_params())), pooled.bse))
        True
        """
        matrix = self.rubin.total * np.multiply.outer(self.slopes, self.slopes)
        return pd.DataFrame(matrix, index=self.found.index, columns=self.found.index)

    def conf_int(self, alpha: float = 0.05, *, exponentiate: bool = False) -> pd.DataFrame:
        """Intervals of level 1 - alpha, columns 0 and 1; of alpha exp of those of log alpha.

        Parameters
        ----------
        alpha : float
            One minus the level.
        exponentiate : bool
            Those of rate ratios and odds ratios; other parameters stay as they are.

        Returns
        -------
        DataFrame, (k, 2)
            estimate -+ t SE, t of Student with the degrees of freedom of each parameter.

        Raises
        ------
        UsageError
            If `alpha` is not between 0 and 1, or `exponentiate` neither True nor False.
        NotDefinedError
            If no parameter has a ratio.

        Examples
        --------
        >>> import glmcount as gc
        >>> x = [[0, 1, 0, 1, 2], [0, 1, 0, 2, 2], [0, 1, 1, 1, 2]]
        >>> pooled = gc.pool([gc.fit("y ~ x", {"y": [1, 3, 2, 6, 9], "x": own}) for own in x])
        >>> bool((pooled.conf_int()[0] < pooled.params).all())
        True
        """
        if truth("exponentiate", exponentiate):
            found = self.summary(alpha, exponentiate=True)
            return pd.DataFrame({0: found["conf_low"], 1: found["conf_high"]})
        reach = -scipy.special.stdtrit(self.rubin.df, significance(alpha) / 2.0)
        errors = np.sqrt(self.rubin.total.diagonal())
        inner = [self.rubin.estimates + sign * reach * errors for sign in (-1.0, 1.0)]
        plain = [self.values + sign * reach * self.bse.to_numpy() for sign in (-1.0, 1.0)]
        ends = [
            np.where(self.found.logged, np.exp(own), other)
            for own, other in zip(inner, plain, strict=True)
        ]
        return pd.DataFrame({0: ends[0], 1: ends[1]}, index=self.found.index)

    def summary(self, alpha: float = 0.05, *, exponentiate: bool = False) -> pd.DataFrame:
        """One row a parameter: estimate, error, test, interval, df and what was missing.

        Parameters
        ----------
        alpha : float
            One minus the level of the intervals.
        exponentiate : bool
            Rate ratios under a log link and odds ratios under a logit one, with standard errors by
            the delta method and exp of the ends of intervals; other parameters stay as they are.

        Returns
        -------
        DataFrame, (k, 8)
            ``estimate std_error statistic df p_value conf_low conf_high fmi``; with
            ``exponentiate=True`` also `scale`: ``"IRR"``, ``"OR"``, ``"ratio"`` or ``"coef"``.

        Raises
        ------
        UsageError
            If `alpha` is not between 0 and 1, or `exponentiate` neither True nor False.
        NotDefinedError
            If no parameter has a ratio.

        Examples
        --------
        >>> import glmcount as gc
        >>> x = [[0, 1, 0, 1, 2], [0, 1, 0, 2, 2], [0, 1, 1, 1, 2]]
        >>> pooled = gc.pool([gc.fit("y ~ x", {"y": [1, 3, 2, 6, 9], "x": own}) for own in x])
        >>> pooled.summary().columns.tolist()[:4]
        ['estimate', 'std_error', 'statistic', 'df']
        """
        as_ratio, ends = truth("exponentiate", exponentiate), self.conf_int(alpha)
        found = pd.DataFrame(
            {
                "estimate": self.params,
                "std_error": self.bse,
                "statistic": self.tvalues.where(~self.found.natural),
                "df": self.df,
                "p_value": self.pvalues,
                "conf_low": ends[0],
                "conf_high": ends[1],
                "fmi": self.fmi,
            }
        )
        return self._as_ratios(found) if as_ratio else found

    def _as_ratios(self, frame: pd.DataFrame) -> pd.DataFrame:
        chosen = np.array([bool(ratio) for ratio in self.ratios])
        if not chosen.any():
            raise NotDefinedError(
                "exp of a coefficient is a ratio only under a log or logit link, and no equation "
                "of this model has one. Use exponentiate=False.",
                kind="no_rate_ratio",
            )
        out = pd.concat([ratios(frame[chosen]), frame[~chosen]]).loc[frame.index]
        return out.assign(scale=[heading_of(ratio) for ratio in self.ratios])

    def _lines(self) -> Lines:
        """The table of the pooled parameters."""
        head = f"Pooled over {self.m} data sets of {self.nobs:g} observations (Rubin's rules)"
        return Lines(head, (), self.summary(), "{:.4f}".format)


@public
def pool(results: Sequence[Results]) -> Pooled:
    """Pool fits of one model to several completed data sets (multiple imputation).

    Q = mean q_i, T = mean u_i + (1 + 1/m) B, with B the variance of the q_i (Rubin 1987), and
    Student's t with the degrees of freedom of Barnard & Rubin (1999) for each parameter. Standard
    errors are those of each fit's own covariance, robust ones too, and the complete data's degrees
    of freedom those of its tests, of each parameter its own where these have such, or else of its
    residuals.

    Parameters
    ----------
    results : list or tuple of Results
        Two or more, of the same model.

    Returns
    -------
    Pooled
        With `params bse tvalues pvalues df fmi riv`, `conf_int()`, `cov_params()`, `summary()`.

    Raises
    ------
    UsageError
        If there are fewer than two, or they are not of one model.
    NotDefinedError
        If some coefficient is infinite or on its boundary in one of them.

    Examples
    --------
    >>> import glmcount as gc
    >>> x = [[0, 1, 0, 1, 2], [0, 1, 0, 2, 2], [0, 1, 1, 1, 2]]
    >>> fits = [gc.fit("y ~ x", {"y": [1, 3, 2, 6, 9], "x": own}) for own in x]
    >>> pooled = gc.pool(fits)
    >>> [round(float(b), 4) for b in pooled.params]
    [0.3888, 0.886]
    """
    fits = _fits(results)
    first = fits[0]._state.estimates
    estimates = np.stack([fit._state.estimates.internal for fit in fits])
    matrices = np.stack([fit._held.covariance for fit in fits])
    complete = np.min([_complete(fit) for fit in fits], axis=0)
    if not np.all(complete > 0.0):
        raise NotDefinedError(
            "The complete data would leave no degrees of freedom: there are no more rows than "
            "coefficients.",
            kind="no_degrees_of_freedom",
        )
    found = rubin(estimates, matrices, complete)
    values, slopes = found.estimates.copy(), np.ones(len(found.estimates))
    family = fits[0]._state.family
    for j in np.flatnonzero(first.natural):
        natural = family.equations[int(first.equations[j])].natural
        assert natural is not None
        values[j : j + 1], slopes[j : j + 1] = natural(found.estimates[j : j + 1])
    told = tuple(
        "" if own else ratio_of(family, int(k))
        for own, k in zip(first.natural, first.equations, strict=True)
    )
    return Pooled(found, first, values, slopes, len(fits), fits[0].nobs, told)


def _complete(fit: Results) -> Array:
    """Degrees of freedom that complete data would leave each parameter."""
    own = fit._held.each_df
    number = len(fit._state.estimates.internal)
    return np.fmin(float(fit.df_resid), np.full(number, np.inf) if own is None else own)


def _fits(results: Any) -> Sequence[Results]:
    fits = list(results) if isinstance(results, list | tuple) else []
    if len(fits) < 2 or not all(isinstance(each, Results) for each in fits):
        raise UsageError(
            "pool takes a list of two or more results of fit, one for each completed data set; got "
            f"{shown(results)}.",
            kind="pool",
        )
    model, names = fits[0].model, fits[0]._state.estimates.names
    for number, each in enumerate(fits):
        own, found = each.model, each._state.estimates
        if (own.family, own.link) != (model.family, model.link) or found.names != names:
            odd = sorted(set(found.names) ^ set(names))
            raise UsageError(
                f"Result {number} (counted from 0) is not of the same model as the first: "
                f"{own.family}, {own.link} link, {own.formula}"
                + (f"; parameters of one alone: {some(odd, 6)}." if odd else "."),
                kind="pool",
            )
        if each.nobs != fits[0].nobs:
            raise UsageError(
                f"Result {number} (counted from 0) has {each.nobs:,.6g} observations, the first "
                f"{fits[0].nobs:,.6g}: completed data sets have the same rows. Fill in, or leave "
                "out, the same rows in all.",
                kind="pool",
            )
        kinds = [_in_words(fit._held.cov) for fit in (each, fits[0])]
        if kinds[0] != kinds[1]:
            raise UsageError(
                f"Result {number} (counted from 0) has the covariance {kinds[0]}, the first "
                f"{kinds[1]}. Use r.with_cov(...) so that all have one.",
                kind="pool",
            )
        gone = np.flatnonzero(~np.isfinite(found.values) | found.fixed)
        far = [found.names[j] for j in gone]
        if far:
            raise NotDefinedError(
                f"In result {number} (counted from 0) {some(far)} is infinite or on its boundary, "
                "where it has no standard error to pool. Fit a smaller model to all data sets.",
                kind="pool_boundary",
            )
    return fits


def _in_words(cov: Estimator) -> str:
    """What a covariance is, and by which columns."""
    columns = [shown_name(name) for name in (*cov.needs.groups, *cov.needs.order)]
    return f"{cov.label}{' by ' + some(columns) if columns else ''}"
