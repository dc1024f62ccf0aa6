"""The linear programmes of separation: which rows can run off, and which way a function goes.

Both are over directions z that move no row upwards: C z <= 0. The programme of the rows,

    min sum (C z)_i,  -1 <= (C z)_i <= 0 for the rows i that are left,

is repeated without the rows it moves until it moves none: directions add up, so that their sum
moves every row that any moves (compare Correia, Guimaraes & Zylkin 2019, arXiv:1903.01633).
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from glmcount.numerics import Array

__all__ = ["apart", "combined", "distinct", "strictest", "ways"]

# Entries of the rows that one programme takes.
MOST = 200_000
# By how much a programme may miss, of rows whose entries are at most 1, and a move that is one.
FEASIBLE = 1e-7
STRICT = 1e-6
# Different functions that are looked into one by one.
FUNCTIONS = 2_000
BITS = 2.0**40
ROUNDING = 1e-12
SPARSE = 1e-11
# An entry of which a correction leaves no more was rounding.
SHARE = 1e-3
# Condition number up to which as many edges as columns are solved with.
SOLVED = 1e10


def distinct(rows: Array) -> NDArray[np.intp]:
    """Numbers of rows that differ by more than rounding."""
    part, power = np.frexp(rows)
    key = np.ldexp(np.round(part * BITS), power)
    found: NDArray[np.intp] = np.unique(key + 0.0, axis=0, return_index=True)[1]
    return found


def _unit(rows: Array) -> Array:
    """Rows that are not zero, each with largest entry 1 in size."""
    size = np.abs(rows).max(axis=1, initial=0.0)
    moved = size > 0
    return rows[moved] / size[moved, None]


def combined(ways: Array, z: Array) -> Array:
    """``ways z``, what cancels to rounding left out.

    Examples
    --------
    >>> combined(np.array([[1.0, -1.0], [0.0, 1.0]]), np.array([0.1 + 0.2, 0.3]))
    array([0. , 0.3])
    """
    out: Array = np.dot(ways, z)
    out[np.abs(out) < ROUNDING * np.dot(np.abs(ways), np.abs(z))] = 0.0
    return out


def apart(cone: Array) -> tuple[Array, Array]:
    """A change of basis and the cone in it, in which rows that share nothing share no column.

    The moves of as many rows as there are columns are the new coordinates: rows of groups that
    go each their own way then have only those of their group.
    """
    k = cone.shape[1]
    rows = _unit(cone)
    _, triangle, order = scipy.linalg.qr(rows.T, mode="economic", pivoting=True)
    sizes = np.abs(np.diag(triangle))
    if len(sizes) < k or sizes[-1] < 1e-9 * sizes[0]:
        return np.eye(k), cone
    change = _inverse(rows[order[:k]])
    out = np.dot(cone, change)
    out[np.abs(out) < SPARSE * np.dot(np.abs(cone), np.abs(change))] = 0.0
    return change, out


def _inverse(rows: Array) -> Array:
    """The inverse, in which an entry that is zero is zero.

    An entry of rounding beside large ones would move a row that stays where no other moves it.
    """
    first = np.linalg.inv(rows)
    # A step of Newton's leaves errors of each entry's own terms.
    out: Array = first + np.dot(first, np.eye(len(rows)) - np.dot(rows, first))
    out[np.abs(out) < SHARE * np.abs(first)] = 0.0
    return out


def _components(cone: Array) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Columns that rows join, directly or by others, each with the rows that have them."""
    moved = cone != 0.0
    patterns, which = np.unique(moved, axis=0, return_inverse=True)
    which = which.reshape(-1)
    label = np.arange(cone.shape[1])
    for pattern in patterns:
        joined = np.unique(label[pattern])
        if len(joined) > 1:
            label[np.isin(label, joined)] = joined[0]
    first = np.array([label[np.argmax(pattern)] for pattern in patterns], dtype=np.intp)
    first[~patterns.any(axis=1)] = -1
    own = first[which]
    return [(np.flatnonzero(label == one), np.flatnonzero(own == one)) for one in np.unique(label)]


def _edges(cone: Array) -> Array | None:
    """Distinct rows of which all others are sums; None where no direction is left.

    In the plane these are two, on either side of the widest gap between the rows.
    """
    rows = _unit(cone)
    rows = rows[distinct(rows)] if len(rows) else rows
    if rows.shape[1] != 2 or len(rows) < 3:
        return rows
    angles = np.arctan2(rows[:, 1], rows[:, 0])
    order = np.argsort(angles)
    gaps = np.diff(np.append(angles[order], angles[order[0]] + 2.0 * np.pi))
    widest = int(np.argmax(gaps))
    if gaps[widest] < np.pi - 1e-9:
        return None
    round_ = np.roll(order, -widest - 1)
    ends = [round_[0], round_[-1]]
    # Of opposite rows one between tells which side is free.
    flat = gaps[widest] < np.pi + 1e-9
    return rows[[*ends, round_[len(round_) // 2]]] if flat else rows[ends]


def strictest(cone: Array) -> Array | None:
    """z with ``cone z <= 0``, less than 0 in as many rows as can be; None where in no row.

    Examples
    --------
    >>> strictest(np.array([[1.0], [3.0]]))
    array([-1.])
    >>> strictest(np.array([[1.0], [-3.0]])) is None
    True
    """
    z = np.zeros(cone.shape[1])
    for columns, rows in _components(cone):
        found = _strictest(cone[np.ix_(rows, columns)]) if len(rows) else None
        if found is not None:
            z[columns] = found
    return z if z.any() else None


def _strictest(cone: Array) -> Array | None:
    """The same where all columns are joined."""
    rows = _edges(cone)
    if rows is None or not len(rows):
        return None
    k = rows.shape[1]
    if k == 1:
        return -rows[0] if np.all(rows == rows[0]) else None
    if len(rows) == k and np.linalg.cond(rows) < SOLVED:
        # Edges that are almost opposite leave directions thinner than a programme's tolerance.
        inside: Array = np.linalg.solve(rows, -np.ones(k)).astype(np.float64)
        return inside
    if len(rows) * k > MOST:
        rows = rows[np.linspace(0, len(rows) - 1, MOST // k).astype(np.intp)]
    z, moved = _furthest(rows)
    if not moved.any():
        return None
    z = _within(rows[~moved], z)
    z[np.abs(z) < ROUNDING * np.abs(z).max()] = 0.0
    moves = np.dot(rows, z)
    return z if moves[moved].max() < 0.0 and moves.max() <= FEASIBLE else None


def _furthest(rows: Array) -> tuple[Array, NDArray[np.bool_]]:
    """A sum of directions that leaves no row behind which any moves, and the rows it moves."""
    from scipy.optimize import linprog

    total, left = np.zeros(rows.shape[1]), np.ones(len(rows), dtype=bool)
    while left.any():
        some, moved = rows[left], rows[~left]
        found = linprog(
            some.sum(axis=0),
            A_ub=np.concatenate([some, -some, moved]),
            b_ub=np.concatenate([np.zeros(len(some)), np.ones(len(some)), np.zeros(len(moved))]),
            bounds=(None, None),
            method="highs",
        )
        if found.x is None or not np.any(np.dot(some, found.x) < -STRICT):
            break
        total = total + found.x
        left &= ~(np.dot(rows, found.x) < -STRICT)
    return total, ~left


def _within(still: Array, z: Array) -> Array:
    """z without what moves the rows that stay: to rounding, not to a programme's tolerance."""
    if not len(still):
        return z
    _, sizes, turned = scipy.linalg.svd(still, full_matrices=False)
    held = turned[sizes > 1e-9 * max(float(sizes[0]), 1e-300)]
    return z - np.dot(held.T, np.dot(held, z))


def ways(cone: Array, functions: Array) -> Array:
    """Where each linear function goes along the directions of a cone, one number a row.

    0 where it is zero, 1 or -1 where it runs one way along every direction inside, NaN where
    the direction decides.

    Examples
    --------
    >>> ways(np.eye(2), np.array([[0.0, 0.0], [1.0, 2.0], [-1.0, 0.0], [1.0, -1.0]])).tolist()
    [0.0, -1.0, 1.0, nan]
    """
    down = np.zeros(len(functions), dtype=bool)
    up, neither = down.copy(), down.copy()
    for columns, rows in _components(cone):
        own = _ways(cone[np.ix_(rows, columns)], functions[:, columns])
        down, up, neither = down | (own < 0), up | (own > 0), neither | np.isnan(own)
    out = up.astype(np.float64) - down
    out[neither | (up & down)] = np.nan
    return out


def _ways(cone: Array, functions: Array) -> Array:
    """The same where all columns are joined."""
    out = np.zeros(len(functions))
    moved = np.flatnonzero(np.any(functions != 0.0, axis=1))
    if not len(moved):
        return out
    wanted = functions[moved] / np.abs(functions[moved]).max(axis=1)[:, None]
    edges = _edges(cone)
    if edges is None or not len(edges):
        out[moved] = np.nan
        return out
    k = functions.shape[1]
    if len(edges) == k and np.linalg.cond(edges) < SOLVED:
        shares = np.linalg.solve(edges.T, wanted.T).T
        down, up = np.all(shares >= -FEASIBLE, axis=1), np.all(shares <= FEASIBLE, axis=1)
        out[moved] = np.where(down, -1.0, np.where(up, 1.0, np.nan))
        return out
    out[moved] = _by_sums(edges, wanted)
    return out


def _by_sums(edges: Array, wanted: Array) -> Array:
    """Where functions go, one by one: what a few directions inside tell, and what is an edge.

    Of very many different functions those at the end are not looked into.
    """
    out = np.full(len(wanted), np.nan)
    inside = _some_inside(edges)
    moves = np.dot(wanted, inside.T)
    steady = np.all(moves <= FEASIBLE, axis=1) | np.all(moves >= -FEASIBLE, axis=1)
    rows = np.flatnonzero(steady)
    if not len(rows):
        return out
    keys = np.round(wanted[rows], 10)
    first = distinct(keys)[:FUNCTIONS]
    known = {row.tobytes() for row in np.round(edges, 10) + 0.0}
    told = np.array(
        [
            -1.0 if (keys[i] + 0.0).tobytes() in known else _way(edges, wanted[rows[i]])
            for i in first
        ]
    )
    number = {(keys[i] + 0.0).tobytes(): way for i, way in zip(first, told, strict=True)}
    out[rows] = [number.get((key + 0.0).tobytes(), np.nan) for key in keys]
    return out


def _some_inside(edges: Array) -> Array:
    """Directions of the cone, far from each other: ends of it for some functions."""
    from scipy.optimize import linprog

    rng, out = np.random.default_rng(0), []
    for _ in range(2 * edges.shape[1]):
        found = linprog(
            rng.normal(size=edges.shape[1]),
            A_ub=edges,
            b_ub=np.zeros(len(edges)),
            bounds=(-1.0, 1.0),
            method="highs",
        )
        out += [] if found.x is None else [found.x]
    return np.array(out).reshape(-1, edges.shape[1])


def _way(edges: Array, function: Array) -> float:
    """Where one function goes: minus infinity where it is a sum of edges, and so on."""
    from scipy.optimize import nnls

    for sign in (-1.0, 1.0):
        _, left = nnls(edges.T, -sign * function)
        if left <= FEASIBLE:
            return sign
    return float("nan")
