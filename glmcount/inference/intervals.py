"""Standard errors, tests and intervals of estimates, on the scales on which users read these."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from glmcount.allowed import proportion
from glmcount.errors import IntervalWarning, outside
from glmcount.fitting.estimates import Estimates
from glmcount.numerics import Array
from glmcount.numerics.tails import normal_quantile, normal_tail, student_quantile, student_tail
from glmcount.records import dataclass

__all__ = [
    "OwnFreedom",
    "Student",
    "conf_int",
    "confidence",
    "each_freedom",
    "interval",
    "judged",
    "marked",
    "reported",
    "significance",
    "standard_errors",
    "tail",
    "width",
]

# Above, alpha is probably meant as the level, and below a level as alpha.
HALF = 0.5


class Linear(Protocol):
    """Degrees of freedom of linear functions of the kept parameters, as they are estimated.

    Examples
    --------
    >>> import numpy as np
    >>> class Four:
    ...     def single(self, function):
    ...         return 4.0
    ...
    ...     def joint(self, functions):
    ...         return 4.0
    >>> Four().single(np.array([1.0]))
    4.0
    """

    def single(self, function: Array) -> float:
        """Of one, alone.

        Parameters
        ----------
        function : ndarray, shape (k,)
            Its coefficients.

        Returns
        -------
        float

        Examples
        --------
        >>> import numpy as np
        >>> import glmcount as gc
        >>> cov = gc.cluster("g", kind="CR2", df="satterthwaite")
        >>> def compute(setting, bread):
        ...     found = cov.compute(setting, bread)
        ...     print(round(found.freedom.of.single(np.array([1.0])), 6))
        ...     return found
        >>> own = gc.covariances.Estimator("own", "own", compute, cov.needs)
        >>> data = {"y": [1, 3, 2, 6], "g": list("abcd")}
        >>> _ = gc.fit("y ~ 1", data, cov=own).bse
        3.0
        """

    def joint(self, functions: Array) -> float:
        """Of several at once, nu of Hotelling's T^2.

        Parameters
        ----------
        functions : ndarray, shape (q, k)
            Their coefficients.

        Returns
        -------
        float

        Examples
        --------
        >>> import numpy as np
        >>> import glmcount as gc
        >>> cov = gc.cluster("g", kind="CR2", df="satterthwaite")
        >>> def compute(setting, bread):
        ...     found = cov.compute(setting, bread)
        ...     print(round(found.freedom.of.joint(np.array([[1.0]])), 6))
        ...     return found
        >>> own = gc.covariances.Estimator("own", "own", compute, cov.needs)
        >>> data = {"y": [1, 3, 2, 6], "g": list("abcd")}
        >>> _ = gc.fit("y ~ 1", data, cov=own).bse
        3.0
        """


@dataclass(frozen=True)
class OwnFreedom:
    """Degrees of freedom that a covariance brings along, where they are not one number for all.

    Parameters
    ----------
    own : ndarray, shape (p,)
        Of each parameter alone; NaN for one on its boundary.
    of : Linear

    Examples
    --------
    >>> import numpy as np
    >>> import glmcount as gc
    >>> from glmcount.inference.intervals import OwnFreedom
    >>> class Four:
    ...     def single(self, function):
    ...         return 4.0
    ...
    ...     def joint(self, functions):
    ...         return 4.0
    >>> def compute(setting, bread):
    ...     return gc.covariances.Covariance(bread, freedom=OwnFreedom(np.array([4.0]), Four()))
    >>> own = gc.covariances.Estimator("own", "own", compute)
    >>> r = gc.fit("y ~ 1", {"y": [1, 3, 2, 6]}, cov=own)
    >>> round(float((r.conf_int()[1] - r.params)["Intercept"] / r.bse["Intercept"]), 3)
    2.776
    """

    own: Array
    of: Linear


@dataclass(frozen=True)
class Student:
    """By what distribution estimates are judged that are functions of the parameters.

    Parameters
    ----------
    df : float or None
        Of Student's t; None for the normal distribution. Where each has its own, the smallest of
        the parameters.
    of : Linear or None
        Tells each its own.
    inner : callable or None
        From derivatives by all shifted parameters, (m, p), to those by the kept ones, as the user
        has these.
    """

    df: float | None
    of: Linear | None = None
    inner: Callable[[Array], Array] | None = None

    def each(self, slopes: Array) -> float | Array | None:
        """Degrees of freedom of each of several, by their derivatives (m, p): the delta method."""
        if self.of is None or self.inner is None:
            return self.df
        found = each_freedom(self.of, self.inner(slopes))
        # What does not move with the parameters is so without doubt.
        least = np.nan if self.df is None else self.df
        return np.where(np.isnan(found) & np.isfinite(slopes).all(axis=1), least, found)


def each_freedom(of: Linear, functions: Array) -> Array:
    """Degrees of freedom of each of several linear functions alone."""
    several = getattr(of, "each", None)
    if several is not None:
        return np.asarray(several(functions))
    return np.array([of.single(row) for row in functions])


def reported(found: Estimates, matrix: Array) -> Array:
    """Covariance on the reported scale; of a maximum at infinity that of the limit."""
    k = len(found.names)
    out = np.full((k, k), np.nan)
    free = k - int(found.fixed.sum())
    slope = found.slope[:free]
    out[:free, :free] = slope[:, None] * matrix * slope
    return out


def marked(found: Estimates, matrix: Array) -> Array:
    """The same with infinite variances where coefficients are, and NaN where they have no limit."""
    out = reported(found, matrix)
    far = np.flatnonzero((found.infinite != 0) | found.undetermined)
    out[far, :] = out[:, far] = np.nan
    out[far, far] = np.where(found.undetermined[far], np.nan, np.inf)
    return out


def standard_errors(found: Estimates, matrix: Array) -> Array:
    """Standard errors: inf for an infinite coefficient, NaN for one on its boundary."""
    errors = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
    fixed = found.fixed.tolist().count(True)
    if fixed:
        errors = np.append(errors, np.full(fixed, np.nan))
    with np.errstate(invalid="ignore", over="ignore"):
        errors *= np.abs(found.slope)
    if found.moves is not None:
        errors[found.infinite != 0] = np.inf
        errors[found.undetermined] = np.nan
    return errors


def tail(statistic: Array, df: float | Array | None) -> Array:
    """Two-sided p-values: normal, or Student with `df`."""
    return normal_tail(statistic) if df is None else student_tail(statistic, df)


def significance(alpha: Any) -> float:
    """One minus the level of an interval; a warning says where it was probably the level.

    Raises
    ------
    UsageError
        If alpha is not between 0 and 1.

    Examples
    --------
    >>> significance(0.05)
    0.05
    """
    found = proportion("alpha", alpha)
    if found > HALF:
        _warn_of_level(1.0 - found, "alpha", found, ": alpha is one minus the level")
    return found


def confidence(level: Any) -> float:
    """The level of an interval; a warning says where it was probably one minus that.

    Raises
    ------
    UsageError
        If it is not between 0 and 1.

    Examples
    --------
    >>> confidence(0.95)
    0.95
    """
    found = proportion("level", level, "level")
    if found < HALF:
        _warn_of_level(found, "level", found)
    return found


def _warn_of_level(level: float, name: str, given: float, why: str = "") -> None:
    """Warn of a level for which one minus it is probably meant."""
    warnings.warn(
        IntervalWarning(
            f"{name}={given:g} gives intervals of {100.0 * level:g} %{why}. For "
            f"{100.0 * (1.0 - level):g} % write {name}={1.0 - given:g}.",
            kind="unusual_level",
        ),
        stacklevel=outside(),
    )


def width(alpha: float, df: float | Array | None) -> Any:
    """Standard errors on each side of an interval of level 1 - alpha.

    Raises
    ------
    UsageError
        If alpha is not between 0 and 1.
    """
    level = significance(alpha)
    return normal_quantile(level) if df is None else student_quantile(level, df)


def judged(found: Estimates, bse: Array, df: float | Array | None) -> tuple[Array, Array]:
    """Estimates in standard errors, and p-values.

    These are NaN where the null is a boundary or nothing was estimated.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        statistics = found.values / bse
        out = tail(statistics, df)
    untested = found.natural | found.fixed | (found.infinite != 0)
    return statistics, np.where(untested, np.nan, out)


def conf_int(found: Estimates, bse: Array, alpha: float, df: float | Array | None) -> Array:
    """Wald intervals, (k, 2); of the exponential of a predictor exp of the predictor's interval."""
    out = interval(found, slice(None), bse, width(alpha, df)).T
    return out if found.moves is None else np.where(found.infinite[:, None] != 0, np.nan, out)


def interval(found: Estimates, which: int | slice, bse: Any, reach: Any) -> Array:
    """Lower and upper ends for some parameters with those standard errors."""
    values, signs = found.values[which], (-1.0, 1.0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        plain = np.stack([values + sign * reach * bse for sign in signs])
        if not found.logged[which].any():
            return plain
        log = np.stack([values * np.exp(sign * reach * bse / values) for sign in signs])
    return np.where(found.logged[which], log, plain)
