"""What a covariance estimator needs of the rows, and how it is handed that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from glmcount.allowed import refuse
from glmcount.cells.compress import Cells
from glmcount.design.given import plain_name
from glmcount.design.measure import measure
from glmcount.design.rows import Rows
from glmcount.design.spec import DesignSpec
from glmcount.engine.scores import chunks, row_scores
from glmcount.engine.strip import Strip
from glmcount.errors import NoRowsError, some
from glmcount.fitted import Fitted
from glmcount.fitting.restrict import restricted
from glmcount.fitting.run import Fit, Settings
from glmcount.fitting.sums import mean_inverse, row_leverage, rows_of
from glmcount.numerics import Array
from glmcount.numerics.control import Control
from glmcount.records import dataclass, field, replace

__all__ = ["NOTHING_MORE", "Needs", "Seen", "Setting", "with_needed", "without_arrays"]

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

    Examples
    --------
    >>> from glmcount.covariances import Needs
    >>> Needs(scores=True, groups=("district",)).order
    ()
    """

    scores: bool = False
    leverages: bool = False
    groups: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    refits: bool = False
    given: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what in ("groups", "order"):
            own = getattr(self, what)
            if not (isinstance(own, tuple) and all(isinstance(name, str) for name in own)):
                refuse(f"{what} of Needs", own, "a tuple of names of columns", "own_covariance")

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "given": {}}


NOTHING_MORE = Needs()


def with_needed(rows: Rows, needs: Needs) -> Rows:
    """Rows with the columns beside them that an estimator reads.

    Raises
    ------
    NoRowsError
        If one was an array that did not come along.
    """
    return rows.with_roles(needs.groups, needs.order, needs.given)


def without_arrays(needs: Needs, found: Fitted) -> tuple[Needs, DesignSpec]:
    """What the covariance reads, and the fit's design without arrays that are not at hand.

    Raises
    ------
    NoRowsError
        If rows were left out that miss a value of such an array.
    """
    spec = found.asked_spec
    arrays = [role.name for role in spec.roles if role.name.startswith("<")]
    gone = [name for name in arrays if name not in needs.given]
    if not gone:
        return needs, spec
    lacking = {reason.removesuffix(" missing") for reason in found.account.reasons}
    lost = some(sorted({plain_name(name) for name in gone} & lacking))
    if lost:
        raise NoRowsError(
            f"The covariance of the fit was given {lost} as an array, by which rows were left "
            "out, and a result from another process or from a file does not have it. Pass the "
            "covariance again, with its arrays as they were: r.with_data(data, cov=...), such as "
            "cov=glmcount.cluster(array)."
        )
    groups, order = (
        tuple(name for name in own if name not in gone) for own in (needs.groups, needs.order)
    )
    roles = tuple(role for role in spec.roles if role.name not in gone)
    return replace(needs, groups=groups, order=order), replace(spec, roles=roles)


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
    groups : tuple of ndarray, each of shape (n,)
        Codes for each column: numbers of the values that used rows have, from 0 on.
    order : tuple of ndarray, each of shape (n,)
        Values of each column: numbers, or dates as datetime64.

    Examples
    --------
    >>> import numpy as np
    >>> from glmcount.covariances import Seen
    >>> part = Seen(2, None, np.array([[0.5], [-0.5]]), None, (np.array([0, 1]),), ())
    >>> np.bincount(part.groups[0], part.scores[:, 0], minlength=2).tolist()
    [0.5, -0.5]
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

    What reads rows is refused where these are not at hand.

    Parameters
    ----------
    found : Fitted
        The fit, a part of the house.
    scale_of : callable
        Gives the scale, or refuses where it has no degrees of freedom.
    needs : Needs
        What of each row `fold` hands over.

    Examples
    --------
    >>> import glmcount as gc
    >>> def compute(setting, bread):
    ...     assert (setting.nobs, setting.scale, setting.importance) == (4.0, 1.0, False)
    ...     return bread
    >>> own = gc.covariances.Estimator("own", "own", compute)
    >>> r = gc.fit("y ~ 1", {"y": [1, 3, 2, 6]}, cov=own)
    >>> round(float(r.bse["Intercept"]), 6)
    0.288675
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
        """The same, of which an estimator needs so much.

        Parameters
        ----------
        needs : Needs

        Returns
        -------
        Setting

        Examples
        --------
        >>> import numpy as np
        >>> import glmcount as gc
        >>> from glmcount.covariances import Needs
        >>> def compute(setting, bread):
        ...     scored = setting.told(Needs(scores=True))
        ...     return bread * scored.fold(lambda seen: np.sum(seen.scores**2), np.add)
        >>> own = gc.covariances.Estimator("own", "own", compute)
        >>> r = gc.fit("y ~ 1", {"y": [1, 3, 2, 6]}, cov=own)
        >>> round(float(r.bse["Intercept"] ** 2) * 12, 6)
        14.0
        """
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

        Examples
        --------
        The sum of products of the scores, between two inverse informations (HC0):

        >>> import numpy as np
        >>> import glmcount as gc
        >>> from glmcount.covariances import Needs
        >>> def compute(setting, bread):
        ...     meat = setting.fold(lambda seen: np.dot(seen.scores.T, seen.scores), np.add)
        ...     return np.dot(np.dot(bread, meat), bread)
        >>> own = gc.covariances.Estimator("own", "own", compute, Needs(scores=True))
        >>> r = gc.fit("y ~ 1", {"y": [1, 3, 2, 6]})
        >>> bool(np.isclose(r.with_cov(own).bse, r.with_cov("HC0").bse, rtol=1e-12).all())
        True
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
        threads: int | None = None,
    ) -> T:
        """Fold ``work(rows, roles)`` over the used rows in order, some encoded rows at a time.

        Parameters
        ----------
        work : callable
            ``(Strip, roles)`` -> what some rows come to; `roles` holds an array of shape (n,) for
            each column needed: codes of groups, then values of what orders rows.
        add : callable
            Two of these -> one.
        whole : bool
            Whether all rows of a strip are handed over, of which no matrix must be made.
        threads : int, optional
            That share the work where the user named none.

        Returns
        -------
        object
            What all rows come to.

        Examples
        --------
        >>> import numpy as np
        >>> import glmcount as gc
        >>> from glmcount.covariances import Needs
        >>> def compute(setting, bread):
        ...     counts = setting.runs(lambda rows, roles: np.bincount(roles[0]), np.add)
        ...     assert counts.tolist() == [2, 2]
        ...     return bread
        >>> own = gc.covariances.Estimator("own", "own", compute, Needs(groups=("g",)))
        >>> gc.fit("y ~ 1", {"y": [1, 3, 2, 6], "g": list("aabb")}, cov=own).bse.shape
        (1,)
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

        return self.rows.fold(one, add, threads)

    def refitted(self, some: NDArray[np.bool_]) -> Array:
        """The kept parameters, in shifted columns, of a fit to some of the used rows.

        It begins at the estimate; columns that were kept stay.

        Parameters
        ----------
        some : ndarray of bool, shape (rows used,)
            True for the rows to fit.

        Returns
        -------
        ndarray, shape (k,)
            As they are estimated, alpha as its logarithm; of an estimator that said
            ``refits=True``.

        Examples
        --------
        >>> import numpy as np
        >>> import glmcount as gc
        >>> from glmcount.covariances import Needs
        >>> def compute(setting, bread):
        ...     without_last = setting.refitted(np.array([True, True, True, False]))
        ...     assert np.isclose(without_last[0], np.log(2.0))
        ...     return bread
        >>> own = gc.covariances.Estimator("own", "own", compute, Needs(refits=True))
        >>> gc.fit("y ~ 1", {"y": [1, 3, 2, 6]}, cov=own).bse.shape
        (1,)
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
