"""What a result is made of: the frozen record behind the façade, and what derives from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.cells.compress import Cells
from glmcount.design.measure import Measured
from glmcount.design.recall import planned_layout
from glmcount.design.rows import Rows
from glmcount.errors import NoLikelihoodError, NotDefinedError
from glmcount.families.base import Family
from glmcount.fitting.constant import spans_constant
from glmcount.fitting.run import Fit, Settings
from glmcount.inference.covariance import Setting
from glmcount.inference.estimates import Estimates
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Model", "State"]


@dataclass(frozen=True)
class Model:
    """What was fitted, in words: names of response and parameters, formula, family.

    As in statsmodels the parameters of `exog_names` are all that `params` has, ancillary ones
    too, so that its `summary_col` reads a result.
    """

    endog_names: str
    exog_names: tuple[str, ...]
    formula: str
    family: str
    link: str


@dataclass(frozen=True)
class State:
    """All that was asked and found.

    Parameters
    ----------
    rows, measured, fit : the rows, what they are like, and the fit to them
        The rows as the fit's own family sees them.
    family : Family
        As asked for; `fit.family` is its limit where the maximum is on a boundary.
    estimates : Estimates
    options : Settings
    weights_type : str
    index : object
        Labels of the data's rows, or None.
    again : object
        What was asked and what was made ready for it, of which another fit is made.
    warnings : tuple of Warning
    asked : Rows
        The rows as the family asked for sees them: with equations gone at a boundary.
    cells : Cells or None
        What was fitted in the place of the rows.
    """

    rows: Rows
    measured: Measured
    fit: Fit
    family: Family
    estimates: Estimates
    options: Settings
    weights_type: str
    index: Any
    again: Any
    warnings: tuple[Warning, ...]
    asked: Rows
    cells: Cells | None = None

    @property
    def fitted(self) -> tuple[Rows, Measured]:
        """What was fitted, as the family asked for sees it: cells, or the rows."""
        if self.cells is None:
            return self.asked, self.measured
        return self.cells.rows, self.cells.measured

    @property
    def fitted_here(self) -> tuple[Rows, Measured]:
        """What was fitted, as the fit's own family sees it."""
        rows, measured = self.fitted
        return self.fit.narrowed(rows), measured

    @property
    def model(self) -> Model:
        """Names of response and parameters, formula, family."""
        spec = self.rows.spec
        family = self.family
        return Model(spec.response, self.estimates.names, spec.formula, family.name, family.link)

    @property
    def importance(self) -> bool:
        """Whether a weight stands for the importance of one row, not for copies."""
        return self.weights_type != "frequency"

    @property
    def nobs(self) -> float:
        """Observations: sum of frequency weights, else rows."""
        return float(self.measured.n) if self.importance else self.measured.sums.weight

    @property
    def k_mean(self) -> int:
        """Coefficients of the mean that were kept."""
        return int((self.fit.kept < self.fit.layout.slices[0].stop).sum())

    @property
    def df_resid(self) -> float:
        """nobs minus the mean's coefficients."""
        return self.nobs - self.k_mean

    @property
    def scaled(self) -> bool:
        """Whether the variance has a scale that is estimated."""
        return self.family.scale == "pearson"

    @property
    def judged(self) -> bool:
        """Whether there are standard errors: a scale takes degrees of freedom."""
        return not self.scaled or self.df_resid > 0

    @property
    def spread_df(self) -> float:
        """df_resid where a scale and Student's t ask for it.

        Raises
        ------
        NotDefinedError
            If it is not positive.
        """
        if self.df_resid > 0:
            return self.df_resid
        what = "the sum of the weights" if self.rows.spec.weights else "rows"
        raise NotDefinedError(
            f"The scale of a {self.family.label} model, and with it standard errors, tests and "
            f"intervals, takes degrees of freedom: {self.nobs:g} ({what}) - {self.k_mean} "
            f"(coefficients) leaves {self.df_resid:g}. Fit fewer coefficients or more rows; a "
            "likelihood such as family='poisson' has no scale.",
            kind="no_degrees_of_freedom",
        )

    @property
    def k_all(self) -> int:
        """Every estimated parameter, one on its boundary included."""
        return len(self.estimates.names)

    def has_constant(self) -> bool:
        """Whether the mean equation spans a constant."""
        return self._constant

    @cached_property
    def _constant(self) -> bool:
        return spans_constant(self.fitted_here[0], self.fit.layout, 0, self.options.control)

    @cached_property
    def constants(self) -> tuple[bool, ...]:
        """Whether each equation asked for spans a constant."""
        rows, layout = self.fitted[0], planned_layout(self.asked.spec)
        control = self.options.control
        others = (spans_constant(rows, layout, k, control) for k in range(1, layout.q))
        return (self.has_constant(), *others)

    @property
    def columns(self) -> tuple[int, ...]:
        """Columns of each equation asked for."""
        return tuple(len(equation.names) for equation in self.asked.spec.equations)

    def likelihood(self, what: str) -> float:
        """The log-likelihood, or a refusal that names what was asked."""
        if not self.family.likelihood:
            raise NoLikelihoodError(
                f"{what} needs a likelihood, and {self.family.label} has only a mean and a "
                "variance. Compare by wald_test, or fit family='poisson' or 'negbin'."
            )
        return self.fit.llf

    def information_criterion(self, what: str, penalty: float) -> float:
        """-2 llf + penalty k."""
        llf = self.likelihood(what)
        if self.weights_type == "probability":
            raise NoLikelihoodError(
                f"{what} is not defined under probability weights: the weighted sum is not the "
                "likelihood of the sample."
            )
        return -2.0 * llf + penalty * self.k_all

    def aicc(self) -> float:
        """AIC + 2 k (k + 1) / (nobs - k - 1); inf where that denominator is not positive."""
        k, rest = self.k_all, self.nobs - self.k_all - 1
        aic = self.information_criterion("aicc", 2.0)
        return aic + 2.0 * k * (k + 1) / rest if rest > 0 else math.inf

    def setting(self, scale: Callable[[], float]) -> Setting:
        """What a covariance estimator is given."""
        return Setting(
            self.rows,
            self.fit,
            self.importance,
            self.nobs,
            scale,
            self.options.control,
            self.fitted_here[0],
            self.cells,
        )

    def used_rows(self) -> NDArray[np.intp]:
        """Numbers of the used rows."""
        source, plan = self.rows.source, self.rows.plan
        out = []
        for number in range(source.n_strips):
            first, last = source.span(number)
            n = last - first
            where = plan.where(number, n)
            out.append(first + (np.arange(n) if where is None else where))
        return np.concatenate(out)

    def labels(self) -> pd.Index:
        """Index over the used rows."""
        every = pd.RangeIndex(self.rows.source.n_rows) if self.index is None else self.index
        return every if self.measured.n == len(every) else every[self.used_rows()]

    def reshifted(self, matrix: Array) -> Array:
        """A covariance in the user's columns, carried to all shifted columns."""
        fit = self.fit
        grid = np.ix_(fit.kept, fit.kept)
        full = np.zeros((fit.layout.size, fit.layout.size))
        full[grid] = fit.layout.reshifted(matrix, fit.kept)
        return full
