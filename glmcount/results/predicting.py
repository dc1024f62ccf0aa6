"""Of a result what it predicts, with and without standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from glmcount.fitted import Fitted
from glmcount.prediction.predict import Prediction, predict, with_errors
from glmcount.prediction.simulate import simulate
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
            "mean", "rate" (the mean per unit of exposure: without exposure and offset of the
            mean), "linear" (the mean's predictor), "var"; "prob" P(Y = at), "cdf"
            P(Y <= at), "quantile" (at a probability); "prob-zero", "prob-positive",
            "mean-nonzero" E[Y | Y > 0]; "zero" P(structural zero), "mean-main" the mean of
            the count part.
        at : float or list of float, optional
            The count of "prob" and "cdf", the probability of "quantile". A list gives a
            DataFrame with a column each.
        offset, exposure : float or array, optional
            One for all new rows, or one for each, in the place of the fit's; a column of the
            fit is else found in `newdata`.
        """
        given = {"offset": offset, "exposure": exposure}
        return predict(self._state, newdata, which, at, given, self._scale_of(which))

    def get_prediction(
        self,
        newdata: Any = None,
        *,
        which: str = "mean",
        at: float | Sequence[float] | None = None,
        offset: Any = None,
        exposure: Any = None,
    ) -> Prediction:
        """As `predict`, with standard errors by the delta method and intervals.

        For several `at` the Series have the point before the row in their index.

        Intervals are made where they are most nearly symmetric: on the linear predictor of
        a mean, else on the logarithm of means and variances and the logit of probabilities.

        Returns
        -------
        Prediction
            With `predicted`, `se` and `conf_int(alpha)`, as one table `summary_frame(alpha)`; of
            means `count_interval(level)`, in which a new count of each row lies.

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
        return with_errors(self._state, newdata, which, at, given, scale, matrix, self._held.df)

    def _scale_of(self, which: Any) -> float:
        return self._held.figures.scale if isinstance(which, str) and which == "var" else 1.0

    def simulate(self, n: int = 1, rng: int | np.random.Generator | None = None) -> pd.DataFrame:
        """Draw n new responses for the fitted rows, one column each.

        A row with a frequency weight w gets the sum of w counts.
        """
        return simulate(self._state, n, rng)
