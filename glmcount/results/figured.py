"""The figures of a fit: likelihoods, criteria, deviances."""

from __future__ import annotations

import numpy as np

from glmcount.allowed import counted
from glmcount.figures import Figures
from glmcount.fitted import Fitted
from glmcount.numerics.tails import chi2_tail

__all__ = ["Figured"]


class Figured:
    """Of a result the figures of its fit."""

    _state: Fitted
    _figures: Figures

    @property
    def nobs(self) -> float:
        """Number of observations, or the sum of frequency weights: an int where it is whole."""
        return counted(self._state.nobs)

    @property
    def df_model(self) -> int:
        """Coefficients of the mean without its constant."""
        return self._state.k_mean - int(self._figures.constant)

    @property
    def df_resid(self) -> float:
        """nobs minus the coefficients of the mean and of a zero part; dispersion does not count."""
        return counted(self._state.df_resid)

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
        return self._figures.prsquared

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
