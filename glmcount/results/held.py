"""What every part of a result looks at: a fit, its covariance, its figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from glmcount.errors import GlmcountError, NoRowsError
from glmcount.figures import Figures, attempt
from glmcount.fitted import Fitted
from glmcount.inference.covariance.estimator import (
    Covariance,
    Estimator,
    Setting,
    covariance,
)
from glmcount.inference.intervals import OwnFreedom, Student, standard_errors
from glmcount.numerics import Array
from glmcount.records import cached_property

__all__ = ["Held"]


class Held:
    """A fit, its covariance and its figures.

    Parameters
    ----------
    state : Fitted
    cov : Estimator
    figures : Figures
    given : Covariance, GlmcountError or None
        The covariance where it is known, or why there is none.
    """

    def __init__(self, state: Fitted, cov: Estimator, figures: Figures, given: Any = None) -> None:
        self.state = state
        self.cov = cov
        self.figures = figures
        self.given = given

    @property
    def covariance(self) -> Array:
        """Of the kept columns, as the user has these."""
        return self.found.matrix

    @cached_property
    def found(self) -> Covariance:
        """The covariance, and what is to be said of it."""
        if isinstance(self.given, GlmcountError):
            raise self.given
        if self.given is not None:
            return self.given
        return covariance(self.cov, Setting(self.state, lambda: self.figures.scale))

    @cached_property
    def errors(self) -> Array:
        """Standard errors of the parameters."""
        return standard_errors(self.state.estimates, self.found.matrix)

    @property
    def each_df(self) -> float | Array | None:
        """Of Student's t, of each parameter where they differ; None for the normal distribution."""
        freedom = self.found.freedom
        if freedom is None:
            return self.state.spread_df if self.state.scaled else None
        return freedom.own if isinstance(freedom, OwnFreedom) else freedom

    @property
    def df(self) -> float | None:
        """As `each_df`; the smallest where they differ."""
        own = self.each_df
        return float(np.nanmin(own, initial=np.inf)) if isinstance(own, np.ndarray) else own

    @property
    def law(self) -> Student:
        """By what functions of the parameters are judged: each by its own degrees of freedom."""
        freedom, fit = self.found.freedom, self.state.fit
        if not isinstance(freedom, OwnFreedom):
            return Student(self.df)

        def inner(slopes: Array) -> Array:
            return fit.layout.unshifted_scores(slopes)[:, fit.kept]

        return Student(self.df, freedom.of, inner)

    def known(self) -> Any:
        """The covariance, why there is none, or None where it takes rows."""
        matrix = attempt(lambda: self.found)
        return None if isinstance(matrix, NoRowsError) else matrix

    def refuse_rowless(self) -> None:
        """Make the covariance now, where later there would be no rows for it either.

        Raises
        ------
        NoRowsError
            If it takes them.
        """
        matrix = attempt(lambda: self.covariance)
        if isinstance(matrix, NoRowsError):
            raise matrix

    def named(self, values: Array) -> pd.Series:
        """One value for each parameter."""
        # A copy, and one alone: what is written into it changes nothing else.
        return pd.Series(values.copy(), index=self.state.estimates.index, copy=False)
