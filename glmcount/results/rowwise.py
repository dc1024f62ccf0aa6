"""What a result says of each row it was fitted to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from glmcount.allowed import generator
from glmcount.diagnostics import influence as influences
from glmcount.diagnostics import openness, residuals
from glmcount.engine.weigh import Unweighed
from glmcount.figures import Figures
from glmcount.fitted import Fitted
from glmcount.fitting.sums import by_row
from glmcount.numerics import Array
from glmcount.records import cached_property
from glmcount.results.augmented import augmented

__all__ = ["RowWise"]


class RowWise:
    """Of a result what it says of each row: Series over the used rows."""

    _state: Fitted
    _figures: Figures

    def _rows(self, residual: Callable[..., Array], weighted: bool = False) -> pd.Series:
        root = weighted and self._state.importance

        def one(strip: Any, rows: Unweighed) -> Array:
            values = residual(self._state.fit.family, rows)
            return values * np.sqrt(rows.weights) if root and rows.weights is not None else values

        values = by_row(self._state.rows, self._state.fit, one)
        return pd.Series(values, index=self._state.labels())

    @cached_property
    def fittedvalues(self) -> pd.Series:
        """Means of the used rows, in counts; shape (rows used,)."""
        return self._rows(residuals.mean)

    @cached_property
    def resid_response(self) -> pd.Series:
        """y - mu, shape (rows used,).

        Of a censored count y up to its limit, less the mean of that.
        """
        return self._rows(residuals.response)

    @cached_property
    def resid_pearson(self) -> pd.Series:
        """resid_response / sqrt(variance), shape (rows used,).

        Times sqrt(w) under importance weights.
        """
        return self._rows(residuals.pearson, weighted=True)

    @cached_property
    def resid_deviance(self) -> pd.Series:
        """Signed root of the unit deviance, shape (rows used,).

        Times sqrt(w) under importance weights.
        """
        return self._rows(residuals.deviance, weighted=True)

    @cached_property
    def resid_working(self) -> pd.Series:
        """(y - mu) d eta / d mu, shape (rows used,)."""
        return self._rows(residuals.working)

    @cached_property
    def resid_anscombe(self) -> pd.Series:
        """Anscombe residuals, shape (rows used,).

        The integral from mu to y of V(t)^(-1/3) dt / V(mu)^(1/6), V the variance function (Hilbe
        2011, Negative Binomial Regression). Times sqrt(w) under importance weights.
        """
        return self._rows(residuals.anscombe, weighted=True)

    def resid_quantile(self, rng: int | np.random.Generator | None = None) -> pd.Series:
        """Randomised quantile residuals (Dunn & Smyth 1996), standard normal if all is well.

        The normal quantile of a number drawn evenly between F(y - 1) and F(y) (Journal of
        Computational and Graphical Statistics 5).

        Parameters
        ----------
        rng : int or Generator, optional
            The seed; another draw each time where not given.

        Returns
        -------
        Series, (rows used,)

        Raises
        ------
        NotDefinedError
            For a quasi-likelihood, which has no distribution.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> bool(r.resid_quantile(rng=1).between(-3, 3).all())
        True
        """
        values = residuals.quantiles(self._state, generator(rng))
        return pd.Series(values, index=self._state.labels())

    def get_influence(self) -> influences.Influence:
        """Leverages and Cook's distances.

        Returns
        -------
        Influence

        Raises
        ------
        NotDefinedError
            Where the mean has no equation of its own, as in models of two parts.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> r.get_influence().cooks_distance[0].round(4).tolist()
        [0.1667, 0.5, 0.1667, 0.5]
        """
        pearson = self._rows(residuals.pearson, weighted=True).to_numpy()
        return influences.influence(self._state, pearson, self._figures.scale)

    def score_obs(self) -> pd.DataFrame:
        """Scores by row: derivatives of each used row's log-likelihood by the parameters.

        s_i = w_i d log f(y_i; theta) / d theta, theta as in `params`: ancillary parameters on their
        natural scale. With B = `cov_params` of ``cov="nonrobust"`` the sum of (B s_i)(B s_i)' is
        the covariance HC0 (White 1982, Econometrica 50).

        Returns
        -------
        DataFrame, (rows used, parameters that are not on a boundary)
            Its columns add up to zero.

        Raises
        ------
        MemoryLimitError
            If it takes more than `Control.memory`.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> r.score_obs().round(6).to_numpy().tolist()
        [[-0.5, 0.0], [-1.5, -1.5], [0.5, 0.0], [1.5, 1.5]]
        """
        return openness.score_obs(self._state)

    def design_matrix(self) -> pd.DataFrame:
        """The columns of the design over the used rows, with the names that parameters have.

        Those of zero parts and dispersion regressions are there too, and so are columns that were
        left out since others give them (`aliased`); offsets are not.

        Returns
        -------
        DataFrame, (rows used, columns)

        Raises
        ------
        MemoryLimitError
            If it takes more than `Control.memory`.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ g", {"y": [1, 3, 2, 6], "g": ["a", "b", "a", "b"]})
        >>> r.design_matrix().to_dict("list")
        {'Intercept': [1.0, 1.0, 1.0, 1.0], 'g[T.b]': [0.0, 1.0, 0.0, 1.0]}
        """
        return openness.design_matrix(self._state)

    def augment(self, data: Any = None) -> pd.DataFrame:
        """One row an observation: fitted value, residuals, leverage, Cook's distance.

        Parameters
        ----------
        data : DataFrame, dict or other table, optional
            The table that was fitted, to which the columns are added.

        Returns
        -------
        DataFrame
            Of the rows used `fitted resid resid_pearson hat cooksd`, the last two only where the
            mean has one equation of its own. With `data` all of its columns and rows, in its own
            order, and behind them `.fitted .resid` and so on, NaN in rows that were left out.

        Raises
        ------
        DataChangedError
            If the table is not the one that was fitted.

        Examples
        --------
        >>> import glmcount as gc
        >>> data = {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]}
        >>> gc.fit("y ~ x", data).augment(data)[["y", ".fitted"]].round(2).to_numpy().tolist()
        [[1.0, 1.5], [3.0, 4.5], [2.0, 1.5], [6.0, 4.5]]
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
        found = pd.DataFrame(columns)
        return found if data is None else augmented(self._state, found, data)
