"""Contrast tables: what the levels of a factor are coded as, sparse where they mostly are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["LevelTable"]

Index = NDArray[np.intp]
# Rows beside the unit vectors up to which a table is kept without its zeros.
FEW = 8


@dataclass(frozen=True)
class LevelTable:
    """Contrast table T, (levels, width), of a factor or of an interaction of factors.

    A table of which every column has a level that is coded by that column alone is the list of
    those levels, and the few rows that are left: one for sums; none for treatment coding, where a
    factor of 5,000 levels would otherwise carry 200 MB of zeros and ones.

    Parameters
    ----------
    levels, width : int
    picked : ndarray of int, shape (width,), or None
        The level whose row is the unit vector of each column; None where rows are too many.
    dense : ndarray, shape (levels, width), or None
        The table as it is; None where it is picked levels alone.
    rest, rows : ndarray, shapes (r,) and (r, width)
        Levels beside the picked ones whose rows are not zero, and those rows.
    """

    levels: int
    width: int
    picked: Index | None
    dense: Array | None
    rest: Index
    rows: Array

    @staticmethod
    def of(matrix: Array) -> LevelTable:
        """LevelTable of a contrast matrix, (levels, width)."""
        levels, width = matrix.shape
        entries = np.count_nonzero(matrix, axis=1)
        units = matrix == 1.0
        units[entries != 1] = False
        # The first of the levels that a column alone codes; 0 where it has none.
        first = units.argmax(axis=0) if levels else np.zeros(width, dtype=np.intp)
        alone = units[first, np.arange(width)] if levels else np.zeros(width, dtype=bool)
        left = entries > 0
        left[first[alone]] = False
        others = np.flatnonzero(left)
        sparse = width > 0 and bool(alone.all()) and len(others) <= FEW
        picked = first if sparse else None
        whole = sparse and not len(others)
        dense = None if whole else np.ascontiguousarray(matrix, dtype=np.float64)
        return LevelTable(levels, width, picked, dense, others, matrix[others])

    @property
    def full(self) -> Array:
        """All of the table, which is held where rows are too many to be picked."""
        assert self.dense is not None
        return self.dense

    def spread(self, beta: Array) -> Array:
        """T beta, from (width, v) to (levels, v)."""
        if self.picked is None:
            return np.dot(self.full, beta)
        out = np.zeros((self.levels, beta.shape[1]))
        out[self.picked] = beta
        if len(self.rest):
            out[self.rest] = np.dot(self.rows, beta)
        return out

    def sizes(self, beta: Array) -> Array:
        """|T| beta, of beta without signs: how large the terms of T beta are, (levels, v)."""
        if self.picked is None:
            return np.dot(np.abs(self.full), beta)
        out = np.zeros((self.levels, beta.shape[1]))
        out[self.picked] = beta
        if len(self.rest):
            out[self.rest] = np.dot(np.abs(self.rows), beta)
        return out

    def between(self, sums: Array, other: LevelTable) -> Array:
        """T' diag(sums) T_other for each pair of columns, (width, va, width of other, vb)."""
        _, va, vb = sums.shape
        if va == vb == 1:
            return self._product(sums[:, 0, 0], other)[:, None, :, None]
        out = np.empty((self.width, va, other.width, vb))
        for a in range(va):
            for b in range(vb):
                out[:, a, :, b] = self._product(sums[:, a, b], other)
        return out

    def _product(self, sums: Array, other: LevelTable) -> Array:
        if self.picked is not None and other.picked is not None:
            return self._sparse_product(sums, other)
        if self.picked is not None:
            return self.fold(other.full * sums[:, None])
        if other.picked is not None:
            return other.fold(self.full.T * sums, axis=1)
        if self is other and sums.min(initial=0.0) >= 0.0:
            # BLAS makes half of a product of a matrix with itself.
            weighted = self.full * np.sqrt(sums)[:, None]
            return np.dot(weighted.T, weighted)
        return np.dot(self.full.T * sums, other.full)

    def _sparse_product(self, sums: Array, other: LevelTable) -> Array:
        assert self.picked is not None
        assert other.picked is not None
        out = np.zeros((self.width, other.width))
        full = np.union1d(self.rest, other.rest)
        place = np.full(self.levels, -1)
        place[other.picked] = np.arange(other.width)
        place[full] = -1
        partner = place[self.picked]
        mine = np.flatnonzero(partner >= 0)
        out[mine, partner[mine]] = sums[self.picked[mine]]
        if len(full):
            # A level without entries, as that of reference, tells of no pair of columns.
            own, theirs = self._at(full), other._at(full)
            told = np.flatnonzero(own.any(axis=1) & theirs.any(axis=1))
            if len(told):
                out += np.dot(own[told].T * sums[full[told]], theirs[told])
        return out

    def _at(self, levels: Index) -> Array:
        """The rows of some levels."""
        assert self.picked is not None
        out = np.zeros((len(levels), self.width))
        place = np.full(self.levels, -1)
        place[self.picked] = np.arange(self.width)
        own = place[levels]
        out[own >= 0, own[own >= 0]] = 1.0
        out[np.searchsorted(levels, self.rest)] = self.rows
        return out

    def fold(self, sums: Array, axis: int = 0) -> Array:
        """T' along `axis`, from levels to width."""
        if self.picked is None:
            return np.moveaxis(np.tensordot(self.full, sums, axes=(0, axis)), 0, axis)
        out = np.take(sums, self.picked, axis=axis)
        if len(self.rest):
            left = np.take(sums, self.rest, axis=axis)
            out += np.moveaxis(np.tensordot(self.rows, left, axes=(0, axis)), 0, axis)
        return out
