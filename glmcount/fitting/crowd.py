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
# A point is left where even so many times what its next step hopes for would not do: along a
# curved valley a step hopes for a small share of what is left.
HOPE = 10.0
# A step that ends so near to what is known, beside its own length, leads there.
HOME = 0.3
# Passes before a point is judged, and what is left to gain at the top.
PATIENCE = 2
TOP = 1e-4
# Further passes of points that still promise more: a certified solve costs more than these.
FURTHER = 5


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

    @cached_property
    def held(self) -> dict[str, Array]:
        """The response repeated, for as many points as were asked for."""
        return {}

    def repeated(self, count: int) -> Array:
        """The response for so many points one after the other."""
        wide, size = self.held.get("y"), count * self.y.shape[1]
        if wide is None or wide.shape[1] < size:
            wide = self.held["y"] = np.tile(self.y, (1, count))
        return wide[:, :size]

    def moves(self, points: Array) -> Array:
        """What each predictor of each row is at some parameters, offsets apart."""
        small = self.small
        out = np.empty((len(small.slices), len(points), self.y.shape[1]))
        for each, own, columns in zip(out, small.slices, small.columns, strict=True):
            np.dot(points[:, own], columns, out=each)
        return out

    def predictors(self, points: Array) -> Array:
        """Predictors, (equations, points, n)."""
        out = self.moves(points)
        for each, offset in zip(out, self.small.strip.offsets, strict=True):
            if offset is not None:
                each += offset
        return out

    def sums(self, etas: Array, weights: Array | None) -> tuple[Array, Array, Array]:
        """Log-likelihood, score and information of each point; -inf where not all is finite."""
        slices, columns = self.small.slices, self.small.columns
        count, n = etas.shape[1:]
        jet = self.family.terms(self.repeated(count), [eta.ravel() for eta in etas])

        def rows(entry: Array) -> Array:
            own = entry.reshape(count, n) if entry.size == count * n else entry
            if weights is not None:
                return own * weights
            return own if own.ndim > 1 else np.broadcast_to(own, (count, n))

        size = slices[-1].stop
        score, information = np.zeros((count, size)), np.zeros((count, size, size))
        for j, own in enumerate(slices):
            slope = jet.d1[j]
            if slope is not None:
                score[:, own] = rows(slope).dot(columns[j].T)
            for k, product in enumerate(self.products[j], j):
                bend, other = jet.d2[j][k], slices[k]
                if bend is not None:
                    part = rows(bend).dot(product).reshape(count, len(columns[j]), len(columns[k]))
                    information[:, own, other] = part
                    if k > j:
                        information[:, other, own] = part.transpose(0, 2, 1)
        np.negative(information, out=information)
        value, add = np.add.reduce(rows(jet.value), axis=1), np.add.reduce
        told = value + add(score, axis=1) + add(information.reshape(count, -1), axis=1)
        fine = np.isfinite(told)
        if not fine.all():
            score[~fine], information[~fine] = 0.0, 0.0
            value = np.where(fine, value, -np.inf)
        return value, score, information


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
    diagonal = np.abs(information.diagonal(axis1=1, axis2=2))
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = scale[:, :, None] * information * scale[:, None, :]
    score = scale * score
    if not np.isfinite(scaled.sum()):
        # Beside a curvature that has all but vanished others overflow: such a point stays.
        lost = ~np.isfinite(scaled).all(axis=(1, 2))
        scaled[lost], score[lost] = 0.0, 0.0
    values, vectors = np.linalg.eigh(scaled)
    turned = np.einsum("sij,si->sj", vectors, score)
    sizes = np.maximum(np.abs(values), LEAST)
    part = turned / sizes
    return scale * np.einsum("sij,sj->si", vectors, part), 0.5 * np.einsum("si,si->s", turned, part)


@dataclass(frozen=True)
class Known:
    """What is to be surpassed.

    Parameters
    ----------
    llf : float
        A log-likelihood; -inf for nothing.
    at : ndarray or None
        Where that is.
    least : float
        By how much it is to be surpassed.
    """

    llf: float = -np.inf
    at: Array | None = None
    least: float = 0.0

    def promised(self, llf: Array, hoped: Array) -> Array:
        """How much more there is than what is to be surpassed, or may be one step further."""
        return llf + np.minimum(hoped, 1.0) - (self.llf + self.least)


class _Party:
    """The points that still climb, and what is known where they are."""

    def __init__(self, crowd: Crowd, points: Array, weights: Array | None) -> None:
        self.crowd, self.points, self.weights = crowd, points, weights
        self.etas = crowd.predictors(points)
        self.llf, self.score, self.information = crowd.sums(self.etas, weights)
        self.radius, self.numbers = np.full(len(points), RADIUS), np.arange(len(points))
        self.end = Climbed(points.copy(), self.llf.copy(), np.zeros(len(points)))

    def left(self, stay: NDArray[np.bool_]) -> None:
        """Go on without the others."""
        self.told()
        self.points, self.etas, self.llf = self.points[stay], self.etas[:, stay], self.llf[stay]
        self.score, self.information = self.score[stay], self.information[stay]
        self.radius, self.numbers = self.radius[stay], self.numbers[stay]
        if self.weights is not None and self.weights.ndim > 1:
            self.weights = self.weights[stay]

    def told(self) -> Climbed:
        """Where all points are."""
        self.end.points[self.numbers], self.end.llf[self.numbers] = self.points, self.llf
        return self.end

    def step(self, step: Array, moves: Array, reach: Array, hoped: Array) -> None:
        """Go a step, each point as far as its radius, where that leads up."""
        share = np.minimum(1.0, self.radius / np.maximum(reach, 1e-300))
        points, ahead = self.points + share[:, None] * step, self.etas + share[:, None] * moves
        found = self.crowd.sums(ahead, self.weights)
        gained = found[0] - self.llf
        risen = gained >= 0.0
        moved = share * reach
        held = (share < 1.0) & (gained > 0.5 * share * (2.0 - share) * hoped)
        longer = np.maximum(np.where(held, 2.5, 1.0) * self.radius, 2.5 * moved)
        self.radius = np.where(risen, longer, 0.25 * moved)
        if risen.all():
            self.points, self.etas = points, ahead
            self.llf, self.score, self.information = found
            return
        one, two = risen[:, None], risen[:, None, None]
        self.points, self.etas = np.where(one, points, self.points), np.where(one, ahead, self.etas)
        self.llf, self.score = (
            np.where(risen, found[0], self.llf),
            np.where(one, found[1], self.score),
        )
        self.information = np.where(two, found[2], self.information)


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
        And some more of points that promise to surpass what is known.
    """
    party = _Party(crowd, points, weights)
    fine = np.isfinite(party.llf)
    if not fine.all():
        party.left(fine)
    hopes, most, target = party.end.hoped, passes, party.etas
    if known.at is not None:
        most, target = passes + FURTHER, crowd.predictors(known.at[None])
    for number in range(most):
        if number == passes:
            party.left(known.promised(party.llf, hopes[party.numbers]) > 0.0)
        step, hoped = _steps(party.score, party.information)
        hopes[party.numbers] = hoped
        going = _going(party.llf, hoped, known.llf, number)
        moves = crowd.moves(step)
        reach = _reach(moves)
        if known.at is not None and number >= PATIENCE:
            away = _reach(party.etas + moves - target) > HOME * reach
            # Nothing more is hoped of what is known.
            hopes[party.numbers[going & ~away]] = 0.0
            going &= away
        if not going.all():
            party.left(going)
            step, hoped, reach, moves = step[going], hoped[going], reach[going], moves[:, going]
        if not len(step):
            return party.told()
        party.step(step, moves, reach, hoped)
    # What takes its time may gain more than its last step hoped for.
    hopes[party.numbers] *= HOPE
    return party.told()


def _reach(moves: Array) -> Array:
    """Largest move of a predictor of each point."""
    found: Array = np.abs(moves).max(axis=2, initial=0.0).max(axis=0)
    return found


def _going(llf: Array, hoped: Array, known: float, number: int) -> NDArray[np.bool_]:
    """Which points go on."""
    going = np.isfinite(hoped) & (hoped > TOP)
    return going & (llf + HOPE * hoped > known) if number >= PATIENCE else going
