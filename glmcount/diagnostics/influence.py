"""Leverage and Cook's distance, of one copy of each row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy

from glmcount.fitted import Fitted
from glmcount.fitting.sums import by_row, mean_inverse, row_leverage
from glmcount.front import fronted
from glmcount.numerics import Array
from glmcount.printed import Lines, Printed
from glmcount.records import dataclass

__all__ = ["Influence", "cooks", "influence"]

SHOWN = 10


def cooks(pearson: Array, leverage: Array, scale: float, k: int) -> Array:
    """r^2 h / (phi k (1 - h)^2), r the Pearson residual (Williams 1987); NaN at leverage 1.

    A row with leverage 1 decides a coefficient alone: without it there is no fit to compare.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.square(pearson / (1.0 - leverage)) * leverage / (scale * k)
    return np.where(leverage >= 1.0 - 1e-10, np.nan, out)


@fronted
@dataclass(frozen=True, repr=False)
class Influence(Printed):
    """Influence of each fitted row; Series over the data's index.

    It prints as the rows of the largest Cook's distances.

    Parameters
    ----------
    hat_matrix_diag : Series
        Leverages: diagonal of W^1/2 X (X'WX)^-1 X'W^1/2 with expected weights.
    cooks_distance : tuple of Series
        Distances r^2 h / (phi k (1 - h)^2), r the Pearson residual and h the leverage (Williams
        1987, Applied Statistics 36), and their p-values in F(k, df_resid), as statsmodels returns
        them.
    resid_studentized : Series
        Pearson residuals over sqrt(phi (1 - h)).

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
    >>> r.get_influence().hat_matrix_diag.round(6).tolist()
    [0.5, 0.5, 0.5, 0.5]
    """

    hat_matrix_diag: pd.Series
    cooks_distance: tuple[pd.Series, pd.Series]
    resid_studentized: pd.Series

    def _lines(self) -> Lines:
        """The rows that move the fit most."""
        count = len(self.hat_matrix_diag)
        frame = self.summary_frame().sort_values("cooks_d", ascending=False, kind="stable")
        told = "" if count <= SHOWN else f"; the {SHOWN} of the largest Cook's distance"
        return Lines(f"Influence of {count:,} rows{told}", (), frame.head(SHOWN))

    def summary_frame(self) -> pd.DataFrame:
        """All columns as a DataFrame.

        Returns
        -------
        DataFrame, (rows used, 3)
            ``hat_diag cooks_d standard_resid``, named as statsmodels names them.

        Examples
        --------
        >>> import glmcount as gc
        >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
        >>> r.get_influence().summary_frame().columns.tolist()
        ['hat_diag', 'cooks_d', 'standard_resid']
        """
        return pd.DataFrame(
            {
                "hat_diag": self.hat_matrix_diag,
                "cooks_d": self.cooks_distance[0],
                "standard_resid": self.resid_studentized,
            }
        )


def influence(state: Fitted, pearson: Array, scale: float) -> Influence:
    """Leverages and distances of the fitted rows."""
    inverse = mean_inverse(state.rows, state.fit)
    leverage = by_row(
        state.rows,
        state.fit,
        lambda strip, rows: row_leverage(state.fit, inverse, strip, rows, state.importance),
    )
    index = state.labels()
    distance = cooks(pearson, leverage, scale, state.k_mean)
    tails = scipy.special.fdtrc(state.k_mean, max(state.df_resid, 1), distance)
    with np.errstate(divide="ignore", invalid="ignore"):
        studentized = pearson / np.sqrt(scale * np.maximum(1.0 - leverage, 0.0))
    return Influence(
        pd.Series(leverage, index=index),
        (pd.Series(distance, index=index), pd.Series(tails, index=index)),
        pd.Series(studentized, index=index),
    )
