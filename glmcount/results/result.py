"""`Results`: the one thing a user holds; each method is a line or two onto a room below.

Its figures, what it says of rows, its predictions and tests are in files of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

import pandas as pd

from glmcount.allowed import choice, truth
from glmcount.diagnostics import verdicts
from glmcount.errors import UsageError
from glmcount.figures import Figures
from glmcount.fits import Changes, attached, refitted
from glmcount.fitted import Described, Fitted
from glmcount.fitting.certificate import Certificate
from glmcount.fitting.problem import Iteration
from glmcount.fitting.separation import Separation
from glmcount.front import fronted
from glmcount.inference import drawn
from glmcount.inference.covariance.estimator import Estimator, warn_of
from glmcount.inference.intervals import conf_int, judged, marked
from glmcount.records import cached_property
from glmcount.report.comparisons import exponentials
from glmcount.request import chosen_estimator, warn_of_size
from glmcount.results.contrasting import Contrasting
from glmcount.results.effects import Effects
from glmcount.results.figured import Figured
from glmcount.results.held import Held
from glmcount.results.predicting import Predicting
from glmcount.results.reporting import Reporting
from glmcount.results.rowwise import RowWise
from glmcount.results.termwise import TermByTerm

__all__ = ["Described", "Results"]


@fronted
class Results(Figured, RowWise, Predicting, Effects, Contrasting, TermByTerm, Reporting):
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
        self._held = Held(state, cov, Figures(state) if figures is None else figures, matrix)
        self._state = state
        self._figures = self._held.figures

    def __reduce__(self) -> tuple[Any, ...]:
        return Results, (self._state, self._held.cov, self._figures, self._held.known())

    def __deepcopy__(self, memo: Any = None) -> Results:
        # Of what never changes a copy in the same process needs none.
        return Results(self._state, self._held.cov, self._figures, self._held.given)

    __copy__ = __deepcopy__

    # Estimates ------------------------------------------------------------------------

    @cached_property
    def params(self) -> pd.Series:
        """Estimates by name, shape (k,); ancillary parameters on their natural scale.

        Those of the mean come first, in the order in which the formula writes its terms, then those
        of a zero part (``inflate_``, ``hurdle_``) and of the dispersion.

        Where the maximum is at infinity, inf or -inf, and NaN for a coefficient that has no
        limit there.
        """
        return self._held.named(self._state.estimates.values)

    @cached_property
    def bse(self) -> pd.Series:
        """Standard errors, shape (k,): inf of an infinite coefficient, NaN of one on its boundary.

        NaN too for a coefficient that has no limit on the way to infinity.
        """
        return self._held.named(self._held.errors)

    @cached_property
    def tvalues(self) -> pd.Series:
        """params / bse, shape (k,)."""
        return self._held.named(
            judged(self._state.estimates, self._held.errors, self._held.each_df)[0]
        )

    @cached_property
    def pvalues(self) -> pd.Series:
        """Two-sided Wald p-values, shape (k,); NaN for a parameter whose null is a boundary."""
        return self._held.named(
            judged(self._state.estimates, self._held.errors, self._held.each_df)[1]
        )

    def conf_int(
        self,
        alpha: float = 0.05,
        method: str = "wald",
        nuisance: str = "estimated",
        parameters: Any = None,
        kind: str | None = None,
        exponentiate: bool = False,
    ) -> pd.DataFrame:
        """Intervals of level 1 - alpha, columns 0 and 1.

        Wald: estimate -+ z SE, of alpha the exponentials of those of its logarithm. Profile: all
        values b with 2 (l - l(b)) at most the quantile of chi2(1), l(b) the largest log-likelihood
        with the parameter held at b (Venzon & Moolgavkar 1988, Applied Statistics 37); their ends
        are found to 1e-6, and where the likelihood falls too little to have one it is infinite,
        which a warning says with its reason.

        Parameters
        ----------
        alpha : float
        method : {"wald", "profile", "bootstrap"}
            Bootstrap takes the draws of a covariance made by `glmcount.bootstrap`.
        nuisance : {"estimated", "held"}
            Of a profile, whether dispersion parameters are estimated anew at every value, or held
            at their estimates as R's MASS has them.
        parameters : str or list of str, optional
            Some of the names of `params`; a profile takes fits for each.
        kind : {"percentile", "bca", "studentised"}, optional
            Of a bootstrap: quantiles of the draws (the default), corrected for bias and
            acceleration (Efron 1987), or of draws in their own standard errors.
        exponentiate : bool
            Ends of rate ratios under a log link and of odds ratios under a logit link: exp of
            those of the coefficients; others stay as they are.

        Returns
        -------
        DataFrame, (k, 2)

        Raises
        ------
        NoLikelihoodError, NotDefinedError
            A profile of a quasi-likelihood, under probability weights or a robust covariance.
        ConvergenceError
            Where the profile meets a larger likelihood than the fit has; it offers a start.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ 1", {"y": [1, 0, 2, 1]})
        >>> [round(float(end), 6) for end in r.conf_int(method="profile").loc["Intercept"]]
        [-1.169732, 0.842891]
        """
        choice("method", method, ("wald", "profile", "bootstrap"), "unknown_method")
        which = self._chosen(parameters)
        if kind is not None and method != "bootstrap":
            raise UsageError("kind= is of method='bootstrap'.", kind="interval_kind")
        held = choice("nuisance", nuisance, ("estimated", "held"), "unknown_nuisance") == "held"
        if held and method != "profile":
            raise UsageError(
                "nuisance='held' is of method='profile', which fits again with a parameter held; "
                "other intervals fit nothing again. Leave it out.",
                kind="wald_nuisance",
            )
        if method == "profile":
            ends = self._profiled(which, alpha, held)
        elif method == "bootstrap":
            state, draws = self._state, self._held.found.draws
            ends = drawn.drawn_intervals(draws, state.estimates, state.family, alpha, kind)[which]
        else:
            ends = conf_int(self._state.estimates, self._held.errors, alpha, self._held.each_df)[
                which
            ]
        if truth("exponentiate", exponentiate):
            ends = exponentials(self._state.estimates, self._state.family, ends, which)
        return pd.DataFrame(ends, index=self.params.index[which])

    def cov_params(self) -> pd.DataFrame:
        """Covariance of `params`; NaN for a parameter on its boundary.

        The variance of an infinite coefficient is infinite.

        Returns
        -------
        DataFrame, (k, k)

        Raises
        ------
        CovarianceError
            If the covariance cannot be computed.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> r.cov_params().round(4).to_numpy().tolist()
        [[0.3333, -0.3333], [-0.3333, 0.4444]]
        """
        out = marked(self._state.estimates, self._held.covariance)
        return pd.DataFrame(out, index=self.params.index, columns=self.params.index)

    @property
    def cov_type(self) -> str:
        """Name of the covariance."""
        return self._held.cov.name

    def with_cov(self, cov: Any) -> Results:
        """The same fit with another covariance; nothing is fitted again.

        Parameters
        ----------
        cov : str, dict or Estimator
            As `fit` takes it: ``"HC1"``, ``{"cluster": "g"}``, ``gc.hac("day")``.

        Returns
        -------
        Results
            Standard errors, tests, intervals and summary are by that covariance.

        Raises
        ------
        UsageError
            If there is none of that name.
        NotDefinedError, CovarianceError
            If the family or the clusters tell that there is none; others where it is computed.
        NoRowsError
            If it takes the rows, and the result came without them.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> robust = r.with_cov("HC0")
        >>> robust.cov_type, round(float(robust.bse["x"]), 4)
        ('HC0', 0.3333)
        """
        chosen = chosen_estimator(cov, self._state.weights_type)
        if self._state.weights_type == "probability":
            warn_of_size(chosen, self._state.family)
        needs = chosen.needs
        state = self._state.opened(needs.groups, needs.order, needs.given)
        if state.held is not None and chosen.refuses is not None:
            chosen.refuses(state.fit.family, state.rows.spec)
        found = Results(state, chosen, self._figures)
        if state.held is None:
            found._held.refuse_rowless()
        elif chosen.doubts is not None:
            warn_of(chosen.doubts(state))
        return found

    def with_data(self, data: Any = None, **arrays: Any) -> Results:
        """A result that came from another process or a file, with its rows at hand again.

        Parameters
        ----------
        data : DataFrame, dict or other table
            That of the fit, all rows in their order.
        **arrays
            What the fit was given beside a table: ``X=`` and ``y=`` of `fit_arrays`, and
            whatever offset, exposure, weights or limit of censoring was an array. A covariance of
            arrays, such as ``cov=gc.cluster(array)``, is given once more where rows were left out
            by them, or to be computed again.

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
        cov = self._held.cov
        # One that came later than the fit is another.
        cov = state.again.cov if cov is self._state.again.cov else cov
        return Results(state, cov, figures, self._held.known())

    def refit(self, **changes: Unpack[Changes]) -> Results:
        """Fit again with some arguments of `fit` changed, such as ``data=`` or ``family=``.

        Parameters
        ----------
        **changes
            Arguments of `fit` or `fit_arrays`; without ``cov=`` the covariance stays that of this
            result, as `with_cov` left it. Besides, ``y`` replaces the response: one value
            for each row of the data (a Series has their index). With ``y`` alone the rows
            used, the design, offsets, weights and all options stay as they are and nothing
            that does not depend on the response is made again, so that simulations and
            bootstraps are fast; values in rows that were left out are not looked at.

        Returns
        -------
        Results
            Of a new fit, in every digit.

        Raises
        ------
        DataChangedError
            If the data were edited after the fit, and are not passed again as ``data=``.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", data={"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> [round(float(b), 4) for b in r.refit(y=[2, 6, 4, 12]).params]
        [1.0986, 1.0986]
        """
        found = Results(*refitted(self._state, changes))
        cov = self._held.cov
        # The last covariance that was asked for, of the rows of the fit all the same.
        if "cov" in changes or cov is self._state.again.cov:
            return found
        return found.with_cov(cov)

    # How it went ----------------------------------------------------------------------

    @property
    def method(self) -> str:
        """Name of the solver."""
        return self._state.options.method

    @property
    def converged(self) -> bool:
        """Whether the stop rule was met; so it is too where the estimate is infinite."""
        return self._state.fit.converged or self._state.fit.endless

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
