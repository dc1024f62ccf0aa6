"""What a covariance estimator needs of the rows, and how it is handed that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from glmcount.cells.compress import Cells
from glmcount.design.measure import measure
from glmcount.design.rows import Rows
from glmcount.engine.scores import chunks, row_scores
from glmcount.engine.strip import Strip
from glmcount.fitted import Fitted
from glmcount.fitting.restrict import restricted
from glmcount.fitting.run import Fit, Settings
from glmcount.fitting.sums import mean_inverse, row_leverage, rows_of
from glmcount.numerics import Array
from glmcount.numerics.control import Control
from glmcount.records import dataclass, field, replace

__all__ = ["NOTHING_MORE", "Needs", "Seen", "Setting"]

T = TypeVar("T")


@dataclass(frozen=True)
class Needs:
    """What an estimator looks at of each row: that alone is made, or read.

    Parameters
    ----------
    scores, leverages : bool
    groups, order : tuple of str
        Columns of the data by which rows are grouped and ordered.
    refits : bool
        Whether it fits some of the rows again, by `Setting.refitted`.
    given : mapping
        By name those of the columns that were given as arrays; they stay in this process.
    """

    scores: bool = False
    leverages: bool = False
    groups: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    refits: bool = False
    given: Mapping[str, Any] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "given": {}}


NOTHING_MORE = Needs()


@dataclass(frozen=True)
class Seen:
    """A run of rows as an estimator sees them.

    Parameters
    ----------
    n : int
    weights : ndarray, shape (n,), or None
    scores : ndarray, shape (n, k), or None
        Weighted, over the kept columns; they add up to zero.
    leverages : ndarray, shape (n,), or None
    groups : tuple of ndarray
        Codes for each column: numbers of the values that used rows have, from 0 on.
    order : tuple of ndarray
        Values of each column: numbers, or dates as datetime64.
    """

    n: int
    weights: Array | None
    scores: Array | None
    leverages: Array | None
    groups: tuple[NDArray[Any], ...]
    order: tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class Setting:
    """What an estimator may use.

    `scale_of` gives the scale, or refuses where it has no degrees of freedom. What reads rows is
    refused where these are not at hand.
    """

    found: Fitted
    scale_of: Callable[[], float]
    needs: Needs = NOTHING_MORE

    @property
    def fit(self) -> Fit:
        """The fit."""
        return self.found.fit

    @property
    def rows(self) -> Rows:
        """Its rows, and beside them the columns that are needed."""
        return self.found.opened(self.needs.groups, self.needs.order, self.needs.given).rows

    @property
    def fitted(self) -> Rows:
        """What was fitted: the rows, or cells of them."""
        return self.found.seen_here[0]

    @property
    def cells(self) -> Cells | None:
        """The cells."""
        return self.found.cells

    @property
    def importance(self) -> bool:
        """Whether a weight stands for the importance of one row, not for copies."""
        return self.found.importance

    @property
    def nobs(self) -> float:
        """Number of observations."""
        return self.found.nobs

    @property
    def control(self) -> Control:
        """The numerical knobs."""
        return self.found.options.control

    @property
    def scale(self) -> float:
        """The factor of the variance that a quasi-likelihood estimates; else 1."""
        return self.scale_of()

    def told(self, needs: Needs) -> Setting:
        """The same, of which an estimator needs so much."""
        return self if needs is self.needs else replace(self, needs=needs)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many groups each column has among the used rows."""
        roles = self.rows.spec.roles
        levels = (roles[place].levels for place in self._places("group", self.needs.groups))
        return tuple(0 if own is None else len(own) for own in levels)

    def _places(self, what: str, names: tuple[str, ...]) -> list[int]:
        known = [(role.name, role.what) for role in self.rows.spec.roles]
        return [known.index((name, what)) for name in names]

    def fold(self, work: Callable[[Seen], T], add: Callable[[T, T], T]) -> T:
        """Fold ``work(seen)`` over the used rows in order, some at a time.

        Parameters
        ----------
        work : callable
            `Seen` -> what some rows come to: an array, a list, whatever `add` takes.
        add : callable
            Two of these -> one, such as ``operator.add``.

        Returns
        -------
        object
            What all rows come to.
        """
        fit, needs = self.fit, self.needs
        inverse = mean_inverse(self.rows, fit) if needs.leverages else None
        groups = self._places("group", needs.groups)
        order = self._places("order", needs.order)

        def seen(part: Strip) -> Seen:
            scores = leverages = None
            if needs.scores:
                scores = row_scores(fit.layout, part, fit.theta, fit.family)
                scores = scores if len(fit.kept) == fit.layout.size else scores[:, fit.kept]
            if inverse is not None:
                rows = rows_of(fit.layout, part, fit.theta)
                leverages = row_leverage(fit, inverse, part, rows, self.importance)
            return Seen(
                part.n,
                part.weights,
                scores,
                leverages,
                tuple([part.roles[place] for place in groups]),
                tuple([part.roles[place] for place in order]),
            )

        def whole(strip: Strip) -> T:
            first, *others = chunks(fit.layout, strip)
            total = work(seen(first))
            for part in others:
                total = add(total, work(seen(part)))
            return total

        return self.rows.fold(whole, add)

    def runs(
        self,
        work: Callable[[Strip, tuple[NDArray[Any], ...]], T],
        add: Callable[[T, T], T],
        whole: bool = False,
    ) -> T:
        """Fold ``work(rows, roles)`` over the used rows in order, some encoded rows at a time.

        `roles` holds the codes of groups, then the values of what orders rows. `whole` hands
        over all rows of a strip, of which no matrix must be made.
        """
        places = self._places("group", self.needs.groups)
        places += self._places("order", self.needs.order)
        layout = self.fit.layout

        def one(strip: Strip) -> T:
            parts = (
                work(part, tuple([part.roles[place] for place in places]))
                for part in ([strip] if whole else chunks(layout, strip))
            )
            return reduce(add, parts)

        return self.rows.fold(one, add)

    def refitted(self, some: NDArray[np.bool_]) -> Array:
        """The kept parameters, in shifted columns, of a fit to some of the used rows.

        It begins at the estimate; columns that were kept stay.
        """
        assert self.needs.refits
        rows, fit = self.rows, self.fit
        mask = np.zeros(rows.source.n_rows, dtype=bool)
        mask[rows.numbers()[some]] = True
        fewer = rows.keeping(mask)
        measured, _ = measure(fewer, fit.layout, fit.family)
        free = np.zeros((0, fit.layout.size)), np.zeros(0)
        options = Settings(control=self.control)
        return restricted(fewer, measured, fit, options, free, fit.theta).theta[fit.kept]
