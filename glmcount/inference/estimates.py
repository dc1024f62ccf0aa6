"""Estimates as the user reads them: names, natural scales, intervals."""

from __future__ import annotations

from collections.abc import Container
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.design.spec import DesignSpec
from glmcount.errors import UsageError
from glmcount.families.base import Family
from glmcount.fitting.run import Fit
from glmcount.numerics import (
    Array,
    normal_quantile,
    normal_tail,
    student_quantile,
    student_tail,
)
from glmcount.records import dataclass

__all__ = [
    "Estimates",
    "conf_int",
    "estimates",
    "interval",
    "names",
    "parameters",
    "pvalues",
    "standard_errors",
    "tail",
    "width",
]


@lru_cache(maxsize=64)
def _index(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(names)


@dataclass(frozen=True)
class Estimates:
    """Reported parameters, in order: the mean's, then the ancillary ones.

    Parameters
    ----------
    names : tuple of str
    values : ndarray
        On the reported scale; ``internal`` on the estimated one.
    internal, slope : ndarray
        Estimates and d reported / d internal.
    equations : ndarray of int
        Equation of each parameter.
    natural : ndarray of bool
        True where reported on a natural scale: no Wald test, interval by transformation.
    infinite : ndarray
        Sign of infinity where separation makes a coefficient infinite, else 0.
    fixed : ndarray of bool
        True for a parameter on its boundary, which has no standard error.
    renamed : tuple of (str, str)
        Names that columns have too, and by what the parameters go instead.
    """

    names: tuple[str, ...]
    values: Array
    internal: Array
    slope: Array
    equations: NDArray[np.int_]
    natural: NDArray[np.bool_]
    infinite: NDArray[np.int_]
    fixed: NDArray[np.bool_]
    renamed: tuple[tuple[str, str], ...] = ()

    @cached_property
    def index(self) -> pd.Index:
        """The names as an index: a view, so that naming it names no other result's."""
        return _index(self.names).view()


@lru_cache(maxsize=64, typed=True)
def _constant(value: float, size: int) -> NDArray[Any]:
    """So many times one value, the same for all who ask."""
    found = np.full(size, value)
    found.flags.writeable = False
    return found


@dataclass(frozen=True)
class Parameters:
    """Name and equation of every parameter, and whether it is shown on its natural scale."""

    names: tuple[str, ...]
    equations: NDArray[np.int_]
    natural: NDArray[np.bool_]
    renamed: tuple[tuple[str, str], ...]


def parameters(family: Family, spec: DesignSpec) -> Parameters:
    """The parameters of a family in the columns of a design."""
    described = [
        (
            own.name,
            own.prefix,
            design.names,
            bool(own.natural) and design.names == ("Intercept",) and not design.offsets,
        )
        for own, design in zip(family.equations, spec.equations, strict=True)
    ]
    return _parameters(tuple(described))


def names(family: Family, spec: DesignSpec) -> tuple[str, ...]:
    """Names of the parameters of a family in the columns of a design."""
    return parameters(family, spec).names


@lru_cache(maxsize=64)
def _parameters(described: tuple[tuple[str, str, tuple[str, ...], bool], ...]) -> Parameters:
    """The same from each equation's name, prefix, columns and whether it is a plain constant."""
    names: dict[str, None] = {}
    number: list[int] = []
    natural: list[bool] = []
    renamed: list[tuple[str, str]] = []
    for k, (name, prefix, columns, plain) in enumerate(described):
        for wanted in [name] if plain else [prefix + column for column in columns]:
            own = _free(wanted, prefix, names)
            renamed += [(wanted, own)] if own != wanted else []
            names[own] = None
        number += [k] * len(columns)
        natural += [plain] * len(columns)
    found = np.asarray(number, dtype=np.int_), np.asarray(natural, dtype=bool)
    for shared in found:
        shared.flags.writeable = False
    return Parameters(tuple(names), *found, tuple(renamed))


def _free(name: str, prefix: str, taken: Container[str]) -> str:
    """A name that no parameter has: what was asked, else with its equation's behind it."""
    while name in taken:
        name = f"{name} ({prefix.rstrip('_') or 'parameter'})"
    return name


def estimates(fit: Fit, spec: DesignSpec, family: Family) -> Estimates:
    """Parameters of a fit in the user's columns and scales; `family` is what was asked for."""
    every = parameters(fit.family, spec)
    names, equations, natural = every.names, every.equations, every.natural
    internal = fit.layout.unshift(fit.theta)
    if len(fit.kept) < len(names):
        internal, equations, natural = internal[fit.kept], equations[fit.kept], natural[fit.kept]
        names = tuple([names[j] for j in fit.kept])
    values, slope = internal, _constant(1.0, len(internal))
    shown = [j for j, own in enumerate(natural.tolist()) if own]
    if shown:
        values, slope = values.copy(), slope.copy()
    for j in shown:
        transform = fit.family.equations[int(equations[j])].natural
        assert transform is not None
        values[j], slope[j] = transform(internal[j])
    free = Estimates(
        names,
        values,
        internal,
        slope,
        equations,
        natural,
        _infinite(fit),
        _constant(False, len(names)),
        every.renamed,
    )
    return _with_boundaries(free, fit, family)


def _with_boundaries(free: Estimates, fit: Fit, family: Family) -> Estimates:
    """The estimates with the parameters on their boundaries, last; equations as asked for."""
    if not fit.limits:
        return free
    fixed, names, renamed = [], list(free.names), list(free.renamed)
    left = list(range(family.q))
    for limit in fit.limits:
        fixed.append(left[limit.equation])
        own = _free(limit.name, family.equations[fixed[-1]].prefix, names)
        renamed += [(limit.name, own)] if own != limit.name else []
        names.append(own)
        left = [number for k, number in enumerate(left) if k not in limit.gone]
    count = len(fixed)
    return Estimates(
        tuple(names),
        np.append(free.values, [limit.value for limit in fit.limits]),
        np.append(free.internal, np.full(count, -np.inf)),
        np.append(free.slope, np.zeros(count)),
        np.append(np.asarray(left, dtype=np.int_)[free.equations], fixed).astype(np.int_),
        np.append(free.natural, np.ones(count, dtype=bool)),
        np.append(free.infinite, np.zeros(count, dtype=int)),
        np.append(free.fixed, np.ones(count, dtype=bool)),
        tuple(renamed),
    )


def _infinite(fit: Fit) -> NDArray[np.int_]:
    if fit.falling is None:
        return _constant(0, len(fit.kept))
    out = np.zeros(len(fit.kept), dtype=int)
    direction = fit.layout.unshift(fit.falling[2])[fit.kept]
    sizes = fit.layout.sizes[fit.kept]
    moved = np.abs(direction) * np.where(sizes > 0, sizes, 1.0)
    far = moved > 1e-3 * max(float(moved.max(initial=0.0)), 1e-300)
    out[far] = np.sign(direction[far]).astype(int)
    return out


def standard_errors(found: Estimates, matrix: Array) -> Array:
    """Standard errors: inf for an infinite coefficient, NaN for one on its boundary."""
    errors = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
    fixed = found.fixed.tolist().count(True)
    if fixed:
        errors = np.append(errors, np.full(fixed, np.nan))
    errors *= np.abs(found.slope)
    if any(found.infinite.tolist()):
        errors[found.infinite != 0] = np.inf
    return errors


def tail(statistic: Array, df: float | None) -> Array:
    """Two-sided p-values: normal, or Student with `df`."""
    return normal_tail(statistic) if df is None else student_tail(statistic, df)


def width(alpha: float, df: float | None) -> float:
    """Standard errors on each side of an interval of level 1 - alpha.

    Raises
    ------
    UsageError
        If alpha is not between 0 and 1.
    """
    if not 0.0 < alpha < 1.0:
        raise UsageError(f"alpha must be between 0 and 1, got {alpha!r}.", kind="alpha")
    return normal_quantile(alpha) if df is None else student_quantile(alpha, df)


def pvalues(found: Estimates, bse: Array, df: float | None) -> Array:
    """Wald p-values; NaN where the null is a boundary or nothing was estimated."""
    with np.errstate(invalid="ignore", divide="ignore"):
        out = tail(found.values / bse, df)
    return np.where(found.natural | found.fixed, np.nan, out)


def conf_int(found: Estimates, bse: Array, alpha: float, df: float | None) -> Array:
    """Wald intervals, (k, 2); of the exponential of a predictor exp of the predictor's interval."""
    reach = width(alpha, df)
    return interval(found, slice(None), bse, reach).T


def interval(found: Estimates, which: int | slice, bse: Any, reach: float) -> Array:
    """Lower and upper ends for some parameters with those standard errors."""
    values, signs = found.values[which], (-1.0, 1.0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        plain = np.stack([values + sign * reach * bse for sign in signs])
        log = np.stack([values * np.exp(sign * reach * bse / values) for sign in signs])
    return np.where((found.natural & (found.slope == found.values))[which], log, plain)
