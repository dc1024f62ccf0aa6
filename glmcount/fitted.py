"""What a result is made of, and the one gate to its rows.

All but `AtHand` is plain: the learnt design, the fit, its estimates, what was asked. That travels
to another process; the rows do not. Whatever reads them there is refused until they are attached
again, which asks whether they are those that were fitted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.cells.compress import Cells
from glmcount.design.measure import Measured
from glmcount.design.prints import Prints, prints_of
from glmcount.design.rows import Rows
from glmcount.design.spec import Account, DesignSpec
from glmcount.errors import NoLikelihoodError, NoRowsError, NotDefinedError, some
from glmcount.families.base import Family
from glmcount.fitting.estimates import Estimates
from glmcount.fitting.run import Fit, Settings
from glmcount.numerics import Array
from glmcount.numerics.blas import solving
from glmcount.printed import Lines, Printed
from glmcount.records import dataclass, replace

__all__ = ["AtHand", "Described", "Fitted"]


@dataclass(frozen=True, repr=False)
class Described(Printed):
    """What was fitted, in words: names of response and parameters, formula, family.

    Parameters
    ----------
    endog_names : str
        The response.
    exog_names : tuple of str
        As in statsmodels all that `params` has, ancillary parameters too, so that its `summary_col`
        reads a result.
    formula : str
    family : str
        The name of the family.
    link : str
        The name of the link of its mean.

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
    >>> r.model.endog_names, r.model.exog_names, r.model.family
    ('y', ('Intercept', 'x'), 'poisson')
    """

    endog_names: str
    exog_names: tuple[str, ...]
    formula: str
    family: str
    link: str

    def _lines(self) -> Lines:
        """The model, line by line."""
        facts = (
            ("formula", self.formula),
            ("response", self.endog_names),
            ("family", f"{self.family}, {self.link} link"),
            ("parameters", some(self.exog_names, 12)),
        )
        return Lines("Model", facts)


@dataclass(frozen=True)
class AtHand:
    """The rows of a fit, where they are at hand.

    Parameters
    ----------
    rows : Rows
        As the fit's own family sees them: without equations gone at a boundary.
    asked : Rows
        As the family asked for sees them.
    index : object
        Labels of the data's rows, or None.
    cells : Cells or None
        What was fitted in the place of the rows.
    """

    rows: Rows
    asked: Rows
    index: Any
    cells: Cells | None = None


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """All that was asked and found.

    Parameters
    ----------
    spec, asked_spec : DesignSpec
        The learnt design, as the fit's own family and as the family asked for sees it.
    account : Account
        Which rows were left out.
    measured, fit : what the rows are like, and the fit to them
    family : Family
        As asked for; `fit.family` is its limit where the maximum is on a boundary.
    estimates : Estimates
    options : Settings
    weights_type : str
    again : object
        What was asked and what was made ready for it, of which another fit is made.
    warnings : tuple of Warning
    held : AtHand or None
        The rows; None in another process.
    prints : tuple of Marks or None
        Of all strips, by which the rows are known again where they are not held.
    """

    spec: DesignSpec
    asked_spec: DesignSpec
    account: Account
    measured: Measured
    fit: Fit
    family: Family
    estimates: Estimates
    options: Settings
    weights_type: str
    again: Any
    warnings: tuple[Warning, ...]
    held: AtHand | None
    prints: Prints | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "prints": self.known_prints(), "held": None}

    def known_prints(self) -> Prints:
        """By what the rows are known again: by the columns that they were encoded to."""
        if self.held is None and self.prints is not None:
            return self.prints
        return prints_of(self.asked)

    @property
    def at_hand(self) -> AtHand:
        """The rows.

        Raises
        ------
        NoRowsError
            Where they did not come along.
        """
        if self.held is None:
            raise NoRowsError(
                "This takes the rows that were fitted, and a result that comes from another "
                "process, or from a file, has none. Call r = r.with_data(data), with the data of "
                "the fit; parameters, their covariance, wald_test, summary() and predict(newdata) "
                "need no rows."
            )
        return self.held

    @property
    def rows(self) -> Rows:
        """The rows as the fit's own family sees them."""
        return self.at_hand.rows

    @property
    def asked(self) -> Rows:
        """The rows as the family asked for sees them: with equations gone at a boundary."""
        return self.at_hand.asked

    @property
    def cells(self) -> Cells | None:
        """What was fitted in the place of the rows."""
        return self.at_hand.cells

    @property
    def seen(self) -> tuple[Rows, Measured]:
        """What was fitted, as the family asked for sees it: cells, or the rows."""
        if self.cells is None:
            return self.asked, self.measured
        return self.cells.rows, self.cells.measured

    @property
    def seen_here(self) -> tuple[Rows, Measured]:
        """What was fitted, as the fit's own family sees it."""
        rows, measured = self.seen
        return self.fit.narrowed(rows), measured

    @property
    def model(self) -> Described:
        """Names of response and parameters, formula, family."""
        spec, family = self.spec, self.family
        return Described(
            spec.response, self.estimates.names, spec.formula, family.name, family.link
        )

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
        """nobs minus the coefficients of the mean, those of a zero part included."""
        fit = self.fit
        ends = [own.stop for own in fit.layout.slices]
        part = np.searchsorted(ends, fit.kept, side="right")
        # What has a natural scale is dispersion.
        means = [own.natural is None for own in fit.family.equations]
        return self.nobs - int(np.asarray(means)[part].sum())

    @property
    def k_parts(self) -> dict[str, int]:
        """Estimated parameters of each equation asked for, by its name; those on boundaries too."""
        counts = np.bincount(self.estimates.equations, minlength=self.family.q).tolist()
        return dict(zip((own.name for own in self.family.equations), counts, strict=True))

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
        what = "the sum of the weights" if self.spec.weights else "rows"
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

    @property
    def columns(self) -> tuple[int, ...]:
        """Columns of each equation asked for."""
        return tuple(len(equation.names) for equation in self.asked_spec.equations)

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
        self.refuse_sampled(what)
        return -2.0 * llf + penalty * self.k_all

    def refuse_sampled(self, what: str, instead: str = "") -> None:
        """Refuse what takes the weighted sum for the likelihood of the rows.

        Raises
        ------
        NoLikelihoodError
            Under probability weights.
        """
        if self.weights_type == "probability":
            raise NoLikelihoodError(
                f"{what} is not defined under probability weights: the weighted sum is not the "
                f"likelihood of the sample.{instead}"
            )

    def aicc(self) -> float:
        """AIC + 2 k (k + 1) / (nobs - k - 1); inf where that denominator is not positive."""
        k, rest = self.k_all, self.nobs - self.k_all - 1
        aic = self.information_criterion("aicc", 2.0)
        return aic + 2.0 * k * (k + 1) / rest if rest > 0 else math.inf

    def solving(self) -> AbstractContextManager[None]:
        """For solves, which BLAS need not share between threads."""
        size = self.fit.layout.size
        return solving(size) if self.held is None else self.held.rows.solving(size)

    def opened(
        self, groups: Sequence[str], order: Sequence[str], given: Mapping[str, Any] | None = None
    ) -> Fitted:
        """The same with columns read beside the rows, which a covariance names."""
        if not groups and not order:
            return self
        held = self.at_hand
        asked = held.asked.with_roles(tuple(groups), tuple(order), given)
        if asked is held.asked:
            return self
        return replace(self, held=replace(held, asked=asked, rows=self.fit.narrowed(asked)))

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
        index = self.at_hand.index
        every = pd.RangeIndex(self.rows.source.n_rows) if index is None else index
        return every if self.measured.n == len(every) else every[self.used_rows()]

    def reshifted(self, matrix: Array) -> Array:
        """A covariance in the user's columns, carried to all shifted columns."""
        fit = self.fit
        grid = np.ix_(fit.kept, fit.kept)
        full = np.zeros((fit.layout.size, fit.layout.size))
        full[grid] = fit.layout.reshifted(matrix, fit.kept)
        return full
