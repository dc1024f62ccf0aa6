"""Estimates as the user reads them: names, natural scales, infinite ones."""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.design.spec import DesignSpec
from glmcount.families.base import Family
from glmcount.fitting.programme import ways
from glmcount.fitting.run import Fit
from glmcount.numerics import Array
from glmcount.records import cached_property, dataclass, replace

__all__ = ["Estimates", "Moves", "Parameters", "estimates", "names", "parameters"]


# Moves of parameters below such a share of the largest are rounding; of a numerical direction.
ROUNDING = 1e-10
ALONE = 1e-3


@lru_cache(maxsize=64)
def _index(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(names)


@dataclass(frozen=True)
class Moves:
    """How the kept parameters, in the user's columns, move on the ways to infinity.

    Parameters
    ----------
    along : ndarray, shape (k, w)
        By how much each moves on each way, rounding left out.
    cone : ndarray, shape (m, w)
        Combinations z of the ways lead to infinity where ``cone z <= 0``.
    sizes : ndarray, shape (k,)
        What a move of each parameter is relative to.
    """

    along: Array
    cone: Array
    sizes: Array

    @staticmethod
    def of(fit: Fit) -> Moves:
        """Of a fit whose maximum is at infinity."""
        assert fit.falling is not None
        far, sizes = fit.falling, fit.falling.layout.sizes[fit.kept]
        sizes = np.where(sizes > 0, sizes, 1.0)
        if far.null is None or far.cone is None:
            along = far.layout.unshift(far.direction)[fit.kept, None]
            moved = np.abs(along) * sizes[:, None]
            along = np.where(moved > ALONE * moved.max(initial=0.0), along, 0.0)
            return Moves(along, -np.ones((1, 1)), sizes)
        along = np.stack([far.layout.unshift(way)[fit.kept] for way in far.null.T], axis=1)
        moved = np.abs(along) * sizes[:, None]
        along = np.where(moved > ROUNDING * moved.max(axis=0, initial=0.0), along, 0.0)
        return Moves(along, far.cone, sizes)

    @property
    def own(self) -> Array:
        """Where each parameter goes by itself, as `ways` of one at a time."""
        return ways(self.cone, self.along)

    def ways(self, functions: Array) -> Array:
        """Where linear functions of the parameters go: 0, 1, -1, or NaN for nowhere."""
        moves = np.dot(functions, self.along)
        size = np.dot(np.abs(functions), np.abs(self.along))
        return ways(self.cone, np.where(np.abs(moves) > ROUNDING * size, moves, 0.0))


@dataclass(frozen=True)
class Estimates:
    """Reported parameters, in order: the mean's, then the ancillary ones.

    Parameters
    ----------
    names : tuple of str
    values : ndarray, shape (k,)
        On the reported scale; ``internal`` on the estimated one.
    internal, slope : ndarray, shape (k,)
        Estimates and d reported / d internal.
    equations : ndarray of int, shape (k,)
        Equation of each parameter.
    natural : ndarray of bool, shape (k,)
        True where reported on a natural scale: no Wald test.
    logged : ndarray of bool, shape (k,)
        True where that is the exponential of what is estimated, and so is its interval.
    infinite : ndarray, shape (k,)
        Sign of infinity where separation makes a coefficient infinite, else 0.
    undetermined : ndarray of bool, shape (k,)
        True where a coefficient has no limit: ways to infinity move it up and down.
    settled : ndarray, shape (k,)
        As `values`, with a finite number for each: estimates in the limit.
    moves : Moves or None
        Where the maximum is at infinity, how the parameters move on the way there.
    fixed : ndarray of bool, shape (k,)
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
    logged: NDArray[np.bool_]
    infinite: NDArray[np.int_]
    fixed: NDArray[np.bool_]
    undetermined: NDArray[np.bool_]
    settled: Array
    moves: Moves | None = None
    renamed: tuple[tuple[str, str], ...] = ()

    def ways(self, functions: Array) -> Array:
        """Where linear functions of the parameters go: 0, 1, -1, or NaN for nowhere."""
        if self.moves is None:
            return np.zeros(len(functions))
        return self.moves.ways(functions[:, : len(self.moves.along)])

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
    """Name and equation of every parameter, and whether it is shown on its natural scale.

    `logged` says that its predictor is the logarithm of that.
    """

    names: tuple[str, ...]
    equations: NDArray[np.int_]
    natural: NDArray[np.bool_]
    logged: NDArray[np.bool_]
    renamed: tuple[tuple[str, str], ...]


def parameters(family: Family, spec: DesignSpec) -> Parameters:
    """The parameters of a family in the columns of a design."""
    described = [
        (
            own.name,
            own.prefix,
            design.names,
            bool(own.natural) and design.names == ("Intercept",) and not design.offsets,
            own.scale == "log",
        )
        for own, design in zip(family.equations, spec.equations, strict=True)
    ]
    return _parameters(tuple(described))


def names(family: Family, spec: DesignSpec) -> tuple[str, ...]:
    """Names of the parameters of a family in the columns of a design."""
    return parameters(family, spec).names


@lru_cache(maxsize=64)
def _parameters(described: tuple[tuple[str, str, tuple[str, ...], bool, bool], ...]) -> Parameters:
    """The same from each equation's name, prefix, columns and whether it is a plain constant."""
    names: dict[str, None] = {}
    number: list[int] = []
    natural: list[bool] = []
    logged: list[bool] = []
    renamed: list[tuple[str, str]] = []
    for k, (name, prefix, columns, plain, log) in enumerate(described):
        for wanted in [name] if plain else [prefix + column for column in columns]:
            own = _free(wanted, prefix, names)
            renamed += [(wanted, own)] if own != wanted else []
            names[own] = None
        number += [k] * len(columns)
        natural += [plain] * len(columns)
        logged += [plain and log] * len(columns)
    marks = np.asarray(natural, dtype=bool), np.asarray(logged, dtype=bool)
    found = np.asarray(number, dtype=np.int_), *marks
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
    names, equations, natural, logged = every.names, every.equations, every.natural, every.logged
    internal = fit.layout.unshift(fit.settled)
    if len(fit.kept) < len(names):
        internal, equations = internal[fit.kept], equations[fit.kept]
        natural, logged = natural[fit.kept], logged[fit.kept]
        names = tuple([names[j] for j in fit.kept])
    values, slope = internal, _constant(1.0, len(internal))
    shown = [j for j, own in enumerate(natural.tolist()) if own]
    if shown:
        values, slope = values.copy(), slope.copy()
    for j in shown:
        transform = fit.family.equations[int(equations[j])].natural
        assert transform is not None
        values[j], slope[j] = transform(internal[j])
    moves = None if fit.falling is None else Moves.of(fit)
    ways = _constant(0.0, len(names)) if moves is None else moves.own
    lost = np.isnan(ways) if moves is not None else _constant(False, len(names))
    ends, infinite = values, _constant(0, len(names))
    if moves is not None:
        ends = np.where(ways == 0.0, values, _at(fit, ways, shown, equations))
        infinite = np.nan_to_num(ways).astype(int)
    free = Estimates(
        names=names,
        values=ends,
        internal=internal,
        slope=slope,
        equations=equations,
        natural=natural,
        logged=logged,
        infinite=infinite,
        fixed=_constant(False, len(names)),
        undetermined=lost,
        settled=values,
        moves=moves,
        renamed=every.renamed,
    )
    return _with_boundaries(free, fit, family) if fit.limits else free


def _at(fit: Fit, ways: Array, shown: list[int], equations: NDArray[np.int_]) -> Array:
    """Infinity with its sign, or what a parameter on its natural scale is there."""
    out = np.zeros(len(ways))
    out[ways != 0.0] = ways[ways != 0.0] * np.inf
    for j in shown:
        transform = fit.family.equations[int(equations[j])].natural
        assert transform is not None
        out[j] = transform(out[j])[0]
    return out


def _with_boundaries(free: Estimates, fit: Fit, family: Family) -> Estimates:
    """The estimates with the parameters on their boundaries, last; equations as asked for."""
    fixed, names, renamed = [], list(free.names), list(free.renamed)
    left = list(range(family.q))
    for limit in fit.limits:
        fixed.append(left[limit.equation])
        own = _free(limit.name, family.equations[fixed[-1]].prefix, names)
        renamed += [(limit.name, own)] if own != limit.name else []
        names.append(own)
        left = [number for k, number in enumerate(left) if k not in limit.gone]
    count = len(fixed)
    none, every = np.zeros(count, dtype=bool), np.ones(count, dtype=bool)
    return replace(
        free,
        names=tuple(names),
        values=np.append(free.values, [limit.value for limit in fit.limits]),
        internal=np.append(free.internal, np.full(count, -np.inf)),
        slope=np.append(free.slope, np.zeros(count)),
        equations=np.append(np.asarray(left, dtype=np.int_)[free.equations], fixed).astype(np.int_),
        natural=np.append(free.natural, every),
        logged=np.append(free.logged, none),
        infinite=np.append(free.infinite, np.zeros(count, dtype=int)),
        fixed=np.append(free.fixed, every),
        undetermined=np.append(free.undetermined, none),
        settled=np.append(free.settled, [limit.value for limit in fit.limits]),
        renamed=tuple(renamed),
    )
