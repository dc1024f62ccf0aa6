"""Of a result what it predicts, with and without standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from glmcount.fitted import Fitted
from glmcount.prediction import predict as prediction
from glmcount.prediction import simulate
from glmcount.results.held import Held

__all__ = ["Predicting"]


class Predicting:
    """Of a result its predictions."""

    _state: Fitted
    _held: Held

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
        newdata : DataFrame, dict, Series or array, optional
            Single values in a dict are those of all rows, or one row, as a Series is. An array has
            the columns of `fit_arrays`, whose further parts go along in a dict:
            ``{"X": X, "inflate": Z}``.
        which : str
            "mean", "rate" (the mean at an exposure of 1, without exposure and offset of the mean:
            that per unit where means are in proportion to it, as a hurdle's are not), "linear"
            (the mean's predictor), "var"; "prob" P(Y = at), "cdf" P(Y <= at), "quantile" (at a
            probability); "prob-zero", "prob-positive",
            "mean-nonzero" E[Y | Y > 0]; "zero" P(structural zero), "mean-main" the mean of
            the count part.
        at : float or list of float, optional
            The count of "prob" and "cdf", the probability of "quantile". A list gives a
            DataFrame with a column each.
        offset, exposure : float or array, optional
            One for all new rows, or one for each, in the place of the fit's; a column of the
            fit is else found in `newdata`.

        Returns
        -------
        Series or DataFrame, (rows,) or (rows, len(at))
            With the index of `newdata`, or of the fitted rows.

        Raises
        ------
        UnknownColumnError
            If a column that the model reads is missing.
        UsageError
            If there is no such quantity, or `at` or an array does not fit.
        NotDefinedError
            For what the model has not, such as probabilities of a quasi-likelihood.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> r.predict({"x": [0, 1]}).round(6).tolist()
        [1.5, 4.5]
        >>> r.predict({"x": [0]}, which="prob", at=0).round(6).tolist()
        [0.22313]
        """
        given = {"offset": offset, "exposure": exposure}
        return prediction.predict(self._state, newdata, which, at, given, self._scale_of(which))

    def get_prediction(
        self,
        newdata: Any = None,
        *,
        which: str = "mean",
        at: float | Sequence[float] | None = None,
        offset: Any = None,
        exposure: Any = None,
    ) -> prediction.Prediction:
        """As `predict`, with standard errors by the delta method and intervals.

        For several `at` the Series have the point before the row in their index.

        Intervals are made where they are most nearly symmetric: on the linear predictor of
        a mean, else on the logarithm of means and variances and the logit of probabilities.

        Parameters
        ----------
        newdata, which, at, offset, exposure
            As `predict` takes them.

        Returns
        -------
        Prediction
            With `predicted`, `se` and `conf_int(alpha)`, as one table `summary_frame(alpha)`; of
            means `count_interval(level)`, in which a new count of each row lies.

        Raises
        ------
        UsageError, UnknownColumnError, NotDefinedError
            As `predict`.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ 1", {"y": [1, 3, 2, 6, 0, 4, 2, 3]})
        >>> r.get_prediction().summary_frame().iloc[0].round(3).tolist()
        [2.625, 0.573, 1.712, 4.026]
        >>> r.get_prediction().count_interval(0.9).iloc[0].round(3).tolist()
        [0.0, 6.0, 0.971]
        """
        given, matrix = {"offset": offset, "exposure": exposure}, self._held.covariance
        scale = self._scale_of(which)
        return prediction.with_errors(
            self._state, newdata, which, at, given, scale, matrix, self._held.law
        )

    def _scale_of(self, which: Any) -> float:
        return self._held.figures.scale if isinstance(which, str) and which == "var" else 1.0

    def simulate(self, n: int = 1, rng: int | np.random.Generator | None = None) -> pd.DataFrame:
        """Draw n new responses for the fitted rows, one column each: whole numbers.

        A row with a frequency weight w gets the sum of w counts. Beyond 2^53, where doubles do not
        tell all whole numbers apart, draws are doubles.

        Parameters
        ----------
        n : int
            Draws.
        rng : int or Generator, optional
            The seed; another draw each time where not given.

        Returns
        -------
        DataFrame, (rows used, n)
            With the index of the fitted rows.

        Raises
        ------
        UsageError
            If n is not a whole number of 1 or more, or rng no source of random numbers.
        MemoryLimitError
            If the draws would take more than `Control.memory_limit`.
        NotDefinedError
            For a quasi-likelihood, and for weighted rows whose sum has no law of the family.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> r.simulate(3, rng=1).shape
        (4, 3)
        """
        return simulate.simulate(self._state, n, rng)
