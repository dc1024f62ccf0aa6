"""Of a result its effects: slopes, comparisons and averages of what it predicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from glmcount.fitted import Fitted
from glmcount.prediction import choices, grid, margins
from glmcount.prediction import variables as comparing
from glmcount.results.held import Held

__all__ = ["Effects"]

Variables = str | Sequence[str] | Mapping[str, Any] | None
By = bool | str | Sequence[str]


class Effects:
    """Of a result its effects."""

    _state: Fitted
    _held: Held

    def _margins(self, which: Any) -> choices.Margins:
        held, cov = self._held, self._held.cov
        return choices.Margins(
            self._state,
            held.covariance,
            held.law,
            cov.label,
            cov.needs,
            cov.trusting,
            held.figures.scale if isinstance(which, str) and which == "var" else 1.0,
        )

    def slopes(
        self,
        variables: Variables = None,
        *,
        by: By = True,
        newdata: Any = None,
        which: str = "mean",
        at: float | Sequence[float] | None = None,
        slope: str = "dydx",
        hypothesis: Any = None,
        unconditional: bool = False,
        alpha: float = 0.05,
    ) -> pd.DataFrame:
        """Marginal effects: derivatives of what is predicted by the columns of the data.

        The slope of a quantity Q by a column x in row i is sum_k dQ/d eta_k * d eta_k/d x, whatever
        transforms and interactions x stands in; averages are weighted by frequency and probability
        weights. Standard errors by the delta method (Greene 2012, Econometric Analysis, 17.3.2). A
        column with levels has no slope: each level is compared with the first.

        Parameters
        ----------
        variables : str or list of str, optional
            Columns of the data; all that the equations are made of where not given.
        by : bool, str or list of str
            True for averages over all rows, False for each row, columns for averages within
            groups.
        newdata : table, optional
            Other rows than those fitted, such as ``r.grid(x=[0, 1])``.
        which, at
            What is predicted, as for `predict`; "rate" leaves out offset and exposure.
        slope : {"dydx", "eyex", "eydx", "dyex"}
            Elasticities: of the quantity (ey) and by the column (ex) in shares of themselves.
        hypothesis : str, float, array or None
            Of the rows b1, b2, ... of the table: ``"b1 = b2"``, "pairwise", "reference",
            "sequential", a matrix with a column for each; a number is the value tested. Estimates
            are those of the combinations, whatever value they are tested against.
        unconditional : bool
            Whether the sampling of the fitted rows adds to standard errors.
        alpha : float
            One minus the level of the intervals.

        Returns
        -------
        DataFrame
            term, contrast, columns of `by` and `at`, estimate, std_error, statistic, p_value,
            conf_low, conf_high; ``.attrs["caption"]`` says what they are, and ``.attrs["df"]`` has
            degrees of freedom where each row has its own.

        Raises
        ------
        UnknownColumnError, UsageError
            For names and options there are not.
        DataError
            Of kind ``no_derivative`` where the formula makes levels of the column.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> round(float(r.slopes("x").estimate[0]), 6) == round(float(r.params["x"]) * 3, 6)
        True
        """
        options = choices.Choices(by, newdata, which, at, hypothesis, unconditional, alpha)
        want = partial(comparing.sloped, variables=variables, slope=slope)
        return margins.effects(
            self._margins(which),
            want,
            options,
            _SLOPE.get(slope if isinstance(slope, str) else "", "Slopes"),
        )

    def comparisons(
        self,
        variables: Variables = None,
        *,
        comparison: str = "difference",
        by: By = True,
        newdata: Any = None,
        which: str = "mean",
        at: float | Sequence[float] | None = None,
        hypothesis: Any = None,
        unconditional: bool = False,
        alpha: float = 0.05,
    ) -> pd.DataFrame:
        """What is predicted with a column changed, compared with it unchanged.

        Numbers: f(x + 1) against f(x). Levels: each against the first, both in every row. Ratios
        of averages are ratios of the two averages.

        Parameters
        ----------
        variables : str, list or dict, optional
            ``{"x": 5}`` for 5 more, ``{"x": (0, 1)}`` for 1 against 0, ``{"g": "pairwise"}``,
            "sequential", or ``{"g": ("a", "b")}`` for b against a.
        comparison : {"difference", "ratio", "lift", "lnratio"}
            b - a, b / a (tested against 1), b / a - 1, log(b / a). Intervals are symmetric about
            each; of a ratio that is far from certain take exp of that of "lnratio".
        by, newdata, which, at, hypothesis, unconditional, alpha
            As `slopes` takes them.

        Returns
        -------
        DataFrame
            With the columns that `slopes` gives.

        Raises
        ------
        UnknownColumnError, UsageError
            For names and options there are not.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ g", {"y": [1, 3, 2, 6], "g": ["a", "b", "a", "b"]})
        >>> r.comparisons("g", comparison="ratio").estimate.round(6).tolist()
        [3.0]
        """
        options = choices.Choices(by, newdata, which, at, hypothesis, unconditional, alpha)
        want = partial(comparing.compared, variables=variables, comparison=comparison)
        return margins.effects(self._margins(which), want, options, f"Comparisons ({comparison})")

    def predictions(
        self,
        variables: Variables = None,
        *,
        by: By = True,
        newdata: Any = None,
        which: str = "mean",
        at: float | Sequence[float] | None = None,
        hypothesis: Any = None,
        unconditional: bool = False,
        alpha: float = 0.05,
    ) -> pd.DataFrame:
        """What is predicted, on average, in groups or row by row, with standard errors.

        Intervals are made as those of `get_prediction` are, on the logarithm of means and the logit
        of probabilities.

        Parameters
        ----------
        variables : str or dict, optional
            A column that is set to values in all rows: the name of one with levels, or
            ``{"x": [0, 1]}``.
        by, newdata, which, at, hypothesis, unconditional, alpha
            As `slopes` takes them.

        Returns
        -------
        DataFrame
            With the columns that `slopes` gives.

        Raises
        ------
        UnknownColumnError, UsageError
            For names and options there are not.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ g", {"y": [1, 3, 2, 6], "g": ["a", "b", "a", "b"]})
        >>> r.predictions(by="g").estimate.round(6).tolist()
        [1.5, 4.5]
        """
        options = choices.Choices(by, newdata, which, at, hypothesis, unconditional, alpha)
        want = partial(comparing.predicted, variables=variables)
        return margins.effects(self._margins(which), want, options, "Predictions")

    def grid(self, **values: Any) -> pd.DataFrame:
        """Rows with columns at given values, all combinations of them, the others held.

        Numbers are held at their mean over the fitted rows, levels at the most frequent one,
        exposures and offsets included; frequency and probability weights count.

        Parameters
        ----------
        **values
            For a column a value or a list of values.

        Returns
        -------
        DataFrame
            One row a combination, a column for each that the model reads.

        Raises
        ------
        UnknownColumnError
            For a column that the model does not read.
        DataError
            For a level that it does not have.
        NoRowsError
            Where the rows that were fitted are not at hand.
        MemoryLimitError
            If the combinations take more than `Control.memory_limit`.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x + g", {"y": [1, 3, 2, 6], "x": [0, 1, 3, 4], "g": list("abab")})
        >>> r.grid(g=["a", "b"]).to_dict("list")
        {'x': [2.0, 2.0], 'g': ['a', 'b']}
        """
        return grid.grid(self._state, values)


_SLOPE = {
    "dydx": "Slopes dY/dX",
    "eyex": "Elasticities eY/eX",
    "eydx": "Semi-elasticities eY/dX",
    "dyex": "Semi-elasticities dY/eX",
}
