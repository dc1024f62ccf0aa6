"""Many points climbed at once over few rows: each pass is one call of the family for all of them.

With few rows a pass costs what its calls cost, so that sixteen points take not twice as long as
one. A step is Newton's along the eigenvectors of the equilibrated information with its absolute
eigenvalues (Nocedal & Wright 2006, section 3.4), shortened so that no predictor moves further
than a radius of the point's own. Nothing here is certified: what ends well is solved again.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from glmcount.engine.spread import Small
from glmcount.families.base import Family
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Climbed", "Crowd", "Known", "climb"]

RADIUS = 2.0
LEAST = 1e-6
# A point is left where even so many times what its next step hopes for would not do.
HOPE = 3.0
# A step that ends so near to what is known, beside its own length, leads there.
HOME = 0.3
# Passes before a point is judged, and what is left to gain at the top.
PATIENCE = 2
TOP = 1e-4


@dataclass(frozen=True)
class Crowd:
    """The rows of a small problem, for many points.

    Parameters
    ----------
    family : Family
    small : Small
    y : ndarray, shape (m, n)
    """

    family: Family
    small: Small
    y: Array

    @cached_property
    def products(self) -> list[list[Array]]:
        """Products of the columns of equations j and k, (n, p_j p_k), for k >= j."""
        columns, n = self.small.columns, self.y.shape[1]
        return [
            [(a[:, None, :] * b[None, :, :]).reshape(-1, n).T for b in columns[j:]]
            for j, a in enumerate(columns)
        ]

    def moves(self, points: Array) -> list[Array]:
        """What each predictor of each row is at some parameters, offsets apart."""
        small = self.small
        return [
            points[:, own].dot(columns)
            for own, columns in zip(small.slices, small.columns, strict=True)
        ]

    def predictors(self, points: Array) -> list[Array]:
        """Predictors, (points, n) each."""
        offsets = self.small.strip.offsets
        return [
            move if offset is None else move + offset
            for move, offset in zip(self.moves(points), offsets, strict=True)
        ]

    def sums(self, etas: list[Array], weights: Array | None) -> tuple[Array, Array, Array]:
        """Log-likelihood, score and information of each point; -inf where not all is finite."""
        small = self.small
        count, n = etas[0].shape
        jet = self.family.terms(np.tile(self.y, (1, count)), [eta.ravel() for eta in etas])

        def rows(entry: Array) -> Array:
            own = entry.reshape(count, n) if entry.size > 1 else entry
            return np.broadcast_to(own, (count, n)) if weights is None else own * weights

        size = small.slices[-1].stop
        score, information = np.zeros((count, size)), np.zeros((count, size, size))
        for j, own in enumerate(small.slices):
            slope = jet.d1[j]
            if slope is not None:
                score[:, own] = rows(slope).dot(small.columns[j].T)
            for k, (other, product) in enumerate(
                zip(small.slices[j:], self.products[j], strict=True), j
            ):
                bend = jet.d2[j][k]
                if bend is not None:
                    part = -rows(bend).dot(product)
                    part = part.reshape(count, own.stop - own.start, other.stop - other.start)
                    information[:, own, other] = part
                    information[:, other, own] = part.transpose(0, 2, 1)
        value = rows(jet.value).sum(axis=1)
        fine = np.isfinite(value + score.sum(axis=1) + information.sum(axis=(1, 2)))
        score[~fine], information[~fine] = 0.0, 0.0
        return np.where(fine, value, -np.inf), score, information


@dataclass(frozen=True)
class Climbed:
    """Where points came to.

    Parameters
    ----------
    points : ndarray, shape (points, p)
    llf : ndarray
        Log-likelihood there, without its y-only part.
    hoped : ndarray
        What a further step would add by its quadratic model.
    """

    points: Array
    llf: Array
    hoped: Array


def _steps(score: Array, information: Array) -> tuple[Array, Array]:
    """The step of each point and what its quadratic model hopes to gain."""
    diagonal = np.abs(np.einsum("sii->si", information))
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = scale[:, :, None] * information * scale[:, None, :]
    # Beside a curvature that has all but vanished others overflow: such a point stays.
    lost = np.logical_not(np.isfinite(scaled).all(axis=(1, 2)))
    scaled[lost] = 0.0
    score = np.where(lost[:, None], 0.0, score)
    values, vectors = np.linalg.eigh(scaled)
    turned = np.einsum("sij,si->sj", vectors, scale * score)
    sizes = np.maximum(np.abs(values), LEAST)
    step = scale * np.einsum("sij,sj->si", vectors, turned / sizes)
    return step, 0.5 * (turned * turned / sizes).sum(axis=1)


@dataclass(frozen=True)
class Known:
    """What is to be surpassed: a log-likelihood, and where that is; -inf and None for nothing."""

    llf: float = -np.inf
    at: Array | None = None


def climb(crowd: Crowd, points: Array, weights: Array | None, known: Known, passes: int) -> Climbed:
    """Climb from each point for so many passes, until it is at the top, hopeless or known.

    Parameters
    ----------
    crowd : Crowd
    points : ndarray, shape (points, p)
    weights : ndarray, shape (points, n) or (n,), or None
    known : Known
        Points that cannot surpass it, or that step right to where it is, are left.
    passes : int
    """
    points = points.copy()
    etas = crowd.predictors(points)
    llf, score, information = crowd.sums(etas, weights)
    hoped, radius = np.zeros(len(points)), np.full(len(points), RADIUS)
    live = np.flatnonzero(np.isfinite(llf))
    for number in range(passes):
        step, own = _steps(score[live], information[live])
        hoped[live] = own
        going = _going(llf[live], own, known.llf, number)
        live, step, own = live[going], step[going], own[going]
        moves = crowd.moves(step)
        reach = _reach(moves)
        if known.at is not None and number >= PATIENCE:
            gap = _reach(crowd.moves(points[live] + step - known.at))
            home = gap <= HOME * reach
            # Nothing more is hoped of what is known.
            hoped[live[home]] = 0.0
            away = np.flatnonzero(~home)
            live, step, own, reach = live[away], step[away], own[away], reach[away]
            moves = [move[away] for move in moves]
        if not len(live):
            break
        share = np.minimum(1.0, radius[live] / np.maximum(reach, 1e-300))
        ahead = [eta[live] + share[:, None] * move for eta, move in zip(etas, moves, strict=True)]
        own_weights = weights if weights is None or weights.ndim == 1 else weights[live]
        found = crowd.sums(ahead, own_weights)
        gained = found[0] - llf[live]
        risen = gained >= 0.0
        moved = share * reach
        held = (share < 1.0) & (gained > 0.5 * share * (2.0 - share) * own)
        longer = np.maximum(np.where(held, 2.5, 1.0) * radius[live], 2.5 * moved)
        radius[live] = np.where(risen, longer, 0.25 * moved)
        up = live[risen]
        points[up] += (share[:, None] * step)[risen]
        for eta, new in zip(etas, ahead, strict=True):
            eta[up] = new[risen]
        llf[up], score[up], information[up] = (part[risen] for part in found)
    return Climbed(points, llf, hoped)


def _reach(moves: list[Array]) -> Array:
    """Largest move of a predictor of each point."""
    return np.max([np.abs(move).max(axis=1, initial=0.0) for move in moves], axis=0)


def _going(llf: Array, hoped: Array, known: float, number: int) -> NDArray[np.bool_]:
    """Which points go on."""
    going = np.isfinite(hoped) & (hoped > TOP)
    return going & (llf + HOPE * hoped > known) if number >= PATIENCE else going
