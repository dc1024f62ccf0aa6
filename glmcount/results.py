"""`Results`: the one thing a user holds; each method is a line or two onto a room below."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Unpack

import numpy as np
import pandas as pd

from glmcount.diagnostics import residuals, verdicts
from glmcount.diagnostics.influence import Influence, influence
from glmcount.engine.passes import Unweighed
from glmcount.errors import GlmcountError, NoRowsError, NotDefinedError
from glmcount.figures import Figures, attempt
from glmcount.fits import Changes, attached, refitted
from glmcount.fitted import Described, Fitted
from glmcount.fitting.certificate import Certificate
from glmcount.fitting.separation import Separation
from glmcount.fitting.solvers import Iteration
from glmcount.fitting.sums import by_row
from glmcount.inference.covariance import Estimator, Setting, covariance
from glmcount.inference.hypotheses import linear_constraints
from glmcount.inference.intervals import conf_int, judged, marked, reported, standard_errors
from glmcount.inference.tests import Tested, TestResult, single, wald
from glmcount.numerics import Array
from glmcount.numerics.tails import chi2_tail
from glmcount.prediction.predict import Prediction, predict, with_errors
from glmcount.prediction.simulate import generator, simulate
from glmcount.records import replace
from glmcount.report.facts import equation_rows, summary_facts, unjudged
from glmcount.report.summary import EquationRows, Summary, SummaryFacts, summarise
from glmcount.report.tidy import glance_frame, tidy_frame
from glmcount.request import chosen_estimator

__all__ = ["Described", "Results"]


class Results:
    """A fitted count model.

    Made by `glmcount.fit` and `glmcount.fit_arrays`. Attributes have statsmodels' names
    where it has one. Row-wise results are Series over the used rows with the data's index.

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ 1", data={"y": [1, 2, 3]})
    >>> round(float(r.fittedvalues[0]), 12)
    2.0
    """

    def __init__(
        self, state: Fitted, cov: Estimator, figures: Figures | None = None, matrix: Any = None
    ) -> None:
        self._state = state
        self._cov = cov
        self._figures = Figures(state) if figures is None else figures
        self._matrix = matrix

    def __reduce__(self) -> tuple[Any, ...]:
        return Results, (self._state, self._cov, self._figures, self._known_matrix())

    def _known_matrix(self) -> Any:
        """The covariance, why there is none, or None where it takes rows."""
        matrix = attempt(lambda: self._covariance)
        return None if isinstance(matrix, NoRowsError) else matrix

    def __deepcopy__(self, memo: Any = None) -> Results:
        # Of what never changes a copy in the same process needs none.
        return Results(self._state, self._cov, self._figures, self._matrix)

    __copy__ = __deepcopy__

    # Estimates ------------------------------------------------------------------------

    @cached_property
    def params(self) -> pd.Series:
        """Estimates by name; ancillary parameters on their natural scale.

        Where the maximum is at infinity, inf or -inf, and NaN for a coefficient that has no
        limit there.
        """
        return self._named(self._state.estimates.values)

    @cached_property
    def _covariance(self) -> Array:
        if isinstance(self._matrix, GlmcountError):
            raise self._matrix
        if self._matrix is not None:
            return self._matrix
        return covariance(self._cov, Setting(self._state, lambda: self.scale))

    @cached_property
    def _errors(self) -> Array:
        return standard_errors(self._state.estimates, self._covariance)

    @cached_property
    def bse(self) -> pd.Series:
        """Standard errors: inf for an infinite coefficient, NaN for one on its boundary.

        NaN too for a coefficient that has no limit on the way to infinity.
        """
        return self._named(self._errors)

    @cached_property
    def tvalues(self) -> pd.Series:
        """params / bse."""
        return self._named(judged(self._state.estimates, self._errors, self._df)[0])

    @cached_property
    def pvalues(self) -> pd.Series:
        """Two-sided Wald p-values; none for a parameter whose null is a boundary."""
        return self._named(judged(self._state.estimates, self._errors, self._df)[1])

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Wald intervals of level 1 - alpha, columns 0 and 1."""
        ends = conf_int(self._state.estimates, self._errors, alpha, self._df)
        return pd.DataFrame(ends, index=self.params.index)

    def cov_params(self) -> pd.DataFrame:
        """Covariance of `params`; NaN for a parameter on its boundary.

        The variance of an infinite coefficient is infinite.
        """
        out = marked(self._state.estimates, self._covariance)
        return pd.DataFrame(out, index=self.params.index, columns=self.params.index)

    @property
    def cov_type(self) -> str:
        """Name of the covariance."""
        return self._cov.name

    def with_cov(self, cov: str | Estimator | None) -> Results:
        """The same fit with another covariance; nothing is fitted again."""
        chosen = chosen_estimator(cov, self._state.weights_type)
        needs = chosen.needs
        state = self._state.opened(needs.groups, needs.order)
        return Results(state, chosen, self._figures)

    def with_data(self, data: Any = None, **arrays: Any) -> Results:
        """A result that came from another process or a file, with its rows at hand again.

        Parameters
        ----------
        data : DataFrame, dict or other table
            That of the fit, all rows in their order.
        **arrays
            What the fit was given beside a table: ``X=`` and ``y=`` of `fit_arrays`, and
            whatever offset, exposure, weights or limit of censoring was an array.

        Returns
        -------
        Results
            The same, in every digit; residuals, other covariances and `refit` as before.

        Raises
        ------
        DataChangedError
            If they are not the data that were fitted.

        Examples
        --------
        >>> import glmcount as gc
        >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
        >>> r = gc.fit("y ~ x", data)
        >>> [round(float(m), 4) for m in r.with_data(data).fittedvalues]
        [1.5, 4.5, 1.5, 4.5]
        """
        given = arrays if data is None else {"data": data, **arrays}
        state = attached(self._state, given)
        figures = Figures(state, self._figures.known())
        return Results(state, self._cov, figures, self._known_matrix())

    def refit(self, **changes: Unpack[Changes]) -> Results:
        """Fit again with some arguments of `fit` changed, such as ``data=`` or ``family=``.

        Parameters
        ----------
        **changes
            Arguments of `fit` or `fit_arrays`. Besides, ``y`` replaces the response: one value
            for each row of the data (a Series has their index). With ``y`` alone the rows
            used, the design, offsets, weights and all options stay as they are and nothing
            that does not depend on the response is made again, so that simulations and
            bootstraps are fast; values in rows that were left out are not looked at.

        Returns
        -------
        Results
            Of a new fit, in every digit.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", data={"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> [round(float(b), 4) for b in r.refit(y=[2, 6, 4, 12]).params]
        [1.0986, 1.0986]
        """
        return Results(*refitted(self._state, changes))

    # Figures of the fit ---------------------------------------------------------------

    @property
    def nobs(self) -> float:
        """Number of observations; the sum of frequency weights."""
        return self._state.nobs

    @property
    def df_model(self) -> int:
        """Coefficients of the mean without its constant."""
        return self._state.k_mean - int(self._figures.constant)

    @property
    def df_resid(self) -> float:
        """nobs minus the coefficients of the mean."""
        return self._state.df_resid

    @property
    def llf(self) -> float:
        """Log-likelihood at the estimate."""
        return self._state.likelihood("llf")

    @property
    def llnull(self) -> float:
        """Log-likelihood with every equation a constant; offsets stay."""
        return self._figures.llnull

    @property
    def llr(self) -> float:
        """2 (llf - llnull)."""
        self._state.information_criterion("llr", 0.0)
        return 2.0 * (self.llf - self.llnull)

    @property
    def llr_df(self) -> int:
        """Degrees of freedom of `llr`: columns of every equation beyond its constant.

        `df_model` has those of the mean alone.
        """
        return self._figures.llr_df

    @property
    def llr_pvalue(self) -> float:
        """Chi-squared p-value of `llr` with `llr_df` degrees of freedom."""
        return chi2_tail(self.llr, self.llr_df)

    @property
    def prsquared(self) -> float:
        """McFadden's 1 - llf / llnull."""
        if self.llnull == 0.0:
            raise NotDefinedError(
                "prsquared divides by llnull, which is 0: constants alone fit the counts exactly.",
                kind="no_null",
            )
        return 1.0 - self.llf / self.llnull

    @property
    def aic(self) -> float:
        """-2 llf + 2 k, k every estimated parameter."""
        return self._state.information_criterion("aic", 2.0)

    @property
    def bic(self) -> float:
        """-2 llf + log(nobs) k."""
        return self._state.information_criterion("bic", float(np.log(self.nobs)))

    @property
    def aicc(self) -> float:
        """AIC with its small-sample correction (Hurvich & Tsai 1989)."""
        return self._state.aicc()

    @property
    def deviance(self) -> float:
        """2 (saturated - fitted), at the fitted ancillary parameters."""
        return self._figures.deviance

    @property
    def null_deviance(self) -> float:
        """Deviance of a constant mean at this model's ancillary parameters."""
        return self._figures.null_deviance

    @property
    def pearson_chi2(self) -> float:
        """Sum of squared Pearson residuals."""
        return self._figures.pearson_chi2

    @property
    def scale(self) -> float:
        """1, or Pearson chi-squared / df_resid for quasi-likelihoods."""
        return self._figures.scale

    @property
    def _df(self) -> float | None:
        return self._state.spread_df if self._state.scaled else None

    # How it went ----------------------------------------------------------------------

    @property
    def method(self) -> str:
        """Name of the solver."""
        return self._state.options.method

    @property
    def converged(self) -> bool:
        """Whether the stop rule was met."""
        return self._state.fit.converged or self._state.fit.status == "recession"

    @property
    def n_cells(self) -> int | None:
        """Weighted cells of equal rows that were fitted; None where it was the rows."""
        return self._figures.n_cells

    @property
    def history(self) -> tuple[Iteration, ...]:
        """Each iteration: log-likelihood, rho, decrement, step, halvings, pilot."""
        return self._state.fit.history

    @property
    def certificate(self) -> Certificate:
        """What is known of how near the maximum this is."""
        return self._figures.certificate

    @property
    def warnings(self) -> tuple[Warning, ...]:
        """Every warning the fit gave."""
        return self._state.warnings

    @cached_property
    def separation(self) -> Separation | None:
        """Rows predicted to be zero without doubt, and their infinite coefficients; or None."""
        return verdicts.separation(self._state)

    @cached_property
    def aliased(self) -> Mapping[str, dict[str, float]]:
        """Columns left out, each with the combination of others that gives it."""
        return verdicts.aliased(self._state)

    @property
    def dropped(self) -> Mapping[str, int]:
        """Rows left out, by reason; one row can have several."""
        return dict(self._state.account.reasons)

    @property
    def n_dropped(self) -> int:
        """Rows left out."""
        return self._state.account.n_dropped

    @property
    def model(self) -> Described:
        """Names of response and parameters, formula, family."""
        return self._state.model

    # Row by row -----------------------------------------------------------------------

    def _rows(self, residual: Callable[..., Array], weighted: bool = False) -> pd.Series:
        root = weighted and self._state.importance

        def one(strip: Any, rows: Unweighed) -> Array:
            values = residual(self._state.fit.family, rows)
            return values * np.sqrt(rows.weights) if root and rows.weights is not None else values

        values = by_row(self._state.rows, self._state.fit, one)
        return pd.Series(values, index=self._state.labels())

    def _named(self, values: Array) -> pd.Series:
        # A copy: what is written into it changes nothing else.
        return pd.Series(values.copy(), index=self._state.estimates.index)

    @cached_property
    def fittedvalues(self) -> pd.Series:
        """Means of the used rows."""
        return self._rows(residuals.mean)

    @cached_property
    def resid_response(self) -> pd.Series:
        """y - mu; of a censored count y up to its limit, less the mean of that."""
        return self._rows(residuals.response)

    @cached_property
    def resid_pearson(self) -> pd.Series:
        """resid_response / sqrt(variance), times sqrt(w) under importance weights."""
        return self._rows(residuals.pearson, weighted=True)

    @cached_property
    def resid_deviance(self) -> pd.Series:
        """Signed root of the unit deviance, times sqrt(w) under importance weights."""
        return self._rows(residuals.deviance, weighted=True)

    @cached_property
    def resid_working(self) -> pd.Series:
        """(y - mu) d eta / d mu."""
        return self._rows(residuals.working)

    @cached_property
    def resid_anscombe(self) -> pd.Series:
        """Anscombe residuals, times sqrt(w) under importance weights."""
        return self._rows(residuals.anscombe, weighted=True)

    def resid_quantile(self, rng: int | np.random.Generator | None = None) -> pd.Series:
        """Randomised quantile residuals (Dunn & Smyth 1996), standard normal if all is well."""
        values = residuals.quantiles(self._state, generator(rng))
        return pd.Series(values, index=self._state.labels())

    def get_influence(self) -> Influence:
        """Leverages and Cook's distances."""
        pearson = self._rows(residuals.pearson, weighted=True).to_numpy()
        return influence(self._state, pearson, self.scale)

    # Prediction -----------------------------------------------------------------------

    def predict(
        self,
        newdata: Any = None,
        *,
        which: str = "mean",
        at: float | Sequence[float] | None = None,
        offset: Any = None,
        exposure: Any = None,
    ) -> pd.Series | pd.DataFrame:
        """Predict for new rows, or the fitted ones; NaN where a row has NaN.

        Parameters
        ----------
        newdata : DataFrame or dict, optional
        which : str
            "mean", "linear" (the mean's predictor), "var"; "prob" P(Y = at), "cdf"
            P(Y <= at), "quantile" (at a probability); "prob-zero", "prob-positive",
            "mean-nonzero" E[Y | Y > 0]; "zero" P(structural zero), "mean-main" the mean of
            the count part.
        at : float or list of float, optional
            The count of "prob" and "cdf", the probability of "quantile". A list gives a
            DataFrame with a column each.
        offset, exposure : array, optional
            Only where the fit was given them as arrays; else they come from `newdata`.
        """
        given = {"offset": offset, "exposure": exposure}
        return predict(self._state, newdata, which, at, given, self._scale_of(which))

    def get_prediction(
        self,
        newdata: Any = None,
        *,
        which: str = "mean",
        at: float | None = None,
        offset: Any = None,
        exposure: Any = None,
    ) -> Prediction:
        """As `predict`, with standard errors by the delta method and intervals.

        Intervals are made where they are most nearly symmetric: on the linear predictor of
        a mean, else on the logarithm of means and variances and the logit of probabilities.
        """
        given, matrix = {"offset": offset, "exposure": exposure}, self._covariance
        scale = self._scale_of(which)
        return with_errors(self._state, newdata, which, at, given, scale, matrix, self._df)

    def _scale_of(self, which: Any) -> float:
        return self.scale if isinstance(which, str) and which == "var" else 1.0

    def simulate(self, n: int = 1, rng: int | np.random.Generator | None = None) -> pd.DataFrame:
        """Draw n new responses for the fitted rows, one column each.

        A row with a frequency weight w gets the sum of w counts.
        """
        return simulate(self._state, n, rng)

    # Tests ----------------------------------------------------------------------------

    def _tested(self) -> Tested:
        state = self._state
        matrix = reported(state.estimates, self._covariance)
        return Tested(state.estimates, matrix, state.family, self._df)

    def wald_test(self, hypothesis: Any) -> TestResult:
        """Test linear hypotheses jointly, such as ``"x1 = 0, x2 = x3"`` or a matrix R.

        What they say of an ancillary parameter alone, such as ``"alpha = 1"``, is tested on the
        scale on which it is estimated (log alpha); a value on its boundary is refused.
        """
        r, q = linear_constraints(hypothesis, verdicts.names(self._state))
        return wald(self._tested(), r, q, str(hypothesis))

    def t_test(self, hypothesis: Any, alpha: float = 0.05) -> pd.DataFrame:
        """Test each linear hypothesis alone: estimate, std_error, statistic, p_value, interval.

        The estimate is that of the combination of parameters, whatever value the hypothesis
        gives it.
        """
        r, q = linear_constraints(hypothesis, verdicts.names(self._state))
        found = single(self._tested(), r, q, alpha, str(hypothesis))
        return tidy_frame([EquationRows("", *found)], False, alpha).drop(columns="equation")

    # Reports --------------------------------------------------------------------------

    def _equations(self, alpha: float) -> tuple[EquationRows, ...]:
        state = self._state
        return equation_rows(
            state.estimates,
            state.family,
            self._errors,
            *judged(state.estimates, self._errors, self._df),
            self.conf_int(alpha).to_numpy(),
        )

    def _maybe(self, name: str) -> float | None:
        try:
            return float(getattr(self, name))
        except GlmcountError:
            return None

    def _facts(self, alpha: float = 0.05) -> SummaryFacts:
        self._figures.prepare()
        figures = ("llf", "llnull", "aic", "bic", "deviance", "null_deviance", "prsquared")
        return summary_facts(
            self._state,
            self._figures.constant,
            {name: self._maybe(name) for name in figures},
            self._figures.limits,
            self.pearson_chi2,
            self._maybe("scale"),
            self._cov.label,
            self._equations(alpha) if self._state.judged else unjudged(self._state),
        )

    def summary(self, *, exponentiate: bool = False, alpha: float = 0.05) -> Summary:
        """The printed summary; ``exponentiate=True`` shows rate ratios (IRR)."""
        return summarise(self._facts(alpha), exponentiate=exponentiate, alpha=alpha)

    def tidy(self, *, exponentiate: bool = False, alpha: float = 0.05) -> pd.DataFrame:
        """One row a coefficient."""
        # Infinite numbers are there as such; marks are for print.
        equations = [replace(each, marks=()) for each in self._equations(alpha)]
        return tidy_frame(equations, exponentiate, alpha)

    def glance(self) -> pd.DataFrame:
        """One row for the fit."""
        return glance_frame(self._facts())

    def augment(self) -> pd.DataFrame:
        """One row an observation: fitted value, residuals, leverage, Cook's distance.

        The last two only where the mean has one equation of its own.
        """
        columns = {
            "fitted": self._rows(residuals.mean),
            "resid": self._rows(residuals.response),
            "resid_pearson": self._rows(residuals.pearson, weighted=True),
        }
        if self._state.family.mean_equation:
            influence = self.get_influence()
            columns["hat"] = influence.hat_matrix_diag
            columns["cooksd"] = influence.cooks_distance[0]
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary().as_html()
