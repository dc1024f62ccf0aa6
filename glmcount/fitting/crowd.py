"""Many points climbed at once over few rows: each pass is one call of the family for all of them.

With few rows a pass costs what its calls cost, so that sixteen points take not twice as long as
one. A step is Newton's along the eigenvectors of the equilibrated information with its absolute
eigenvalues (Nocedal & Wright 2006, section 3.4), along each of which no predictor moves further
than a radius of the point's own. Nothing here is certified: what ends well is solved again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glmcount.engine.spread import Small
from glmcount.engine.weigh import Weigh, weighing
from glmcount.families.base import Family
from glmcount.fitting.solvers import HOPE
from glmcount.numerics import Array
from glmcount.records import cached_property, dataclass

__all__ = ["Climbed", "Crowd", "Known", "climb"]

RADIUS = 1.0
GROW = 4.0
LEAST = 1e-6
# A step that ends so near to what is known, beside its own length, leads there.
HOME = 0.3
# Passes before a point is judged by its step alone, and what is left to gain at the top.
PATIENCE = 1
TOP = 1e-4
# Share of what is to be surpassed that is nothing beside it.
NOTHING = 0.01
# Passes after which a point is left that lacks a unit of log-likelihood for each row: in 500
# designs of each of nine models (docs/study_boundaries.md) no converged fit ended elsewhere by it.
LATE = 6
# By how much of what lacks the way to what is known may differ from a smooth one.
SMOOTH, SURELY = 0.1, 0.02
# Passes under random weights.
TRIAL = 2
# Further passes of points that still promise more: a certified solve costs more than these.
FURTHER = 5

Bools = NDArray[np.bool_]


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
    def held(self) -> dict[str, Array]:
        """The response repeated, for as many points as were asked for."""
        return {}

    @cached_property
    def weigh(self) -> Weigh:
        """What is added up, that of every pass."""
        return weighing(self.family, expected=False)

    @cached_property
    def rows(self) -> float:
        """How many rows there are, by their weights."""
        weights = self.small.strip.weights
        return float(self.y.shape[1] if weights is None else weights.sum())

    @cached_property
    def moments(self) -> list[tuple[Array, Array]]:
        """`spread` of the columns of each equation."""
        return [self.spread(columns) for columns in self.small.columns]

    def spread(self, columns: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of each column, the latter 1 where it is a constant."""
        weights = self.small.strip.weights
        n = columns.shape[1]
        shares = np.full(n, 1.0 / n) if weights is None else weights / weights.sum()
        mean = columns.dot(shares)
        size = np.sqrt(np.square(columns - mean[:, None]).dot(shares))
        return mean, np.where(size > 1e-12, size, 1.0)

    def repeated(self, count: int) -> Array:
        """The response for so many points one after the other."""
        wide, size = self.held.get("y"), count * self.y.shape[1]
        if wide is None or wide.shape[1] < size:
            wide = self.held["y"] = np.tile(self.y, (1, count))
        return wide[:, :size]

    def predictors(self, points: Array) -> Array:
        """Predictors, (equations, points, n)."""
        out = self.small.moves(points)
        for each, offset in zip(out, self.small.strip.offsets, strict=True):
            if offset is not None:
                each += offset
        return out

    def sums(self, etas: Array, weights: Array | None) -> tuple[Array, Array, Array]:
        """Log-likelihood, score and information of each point; -inf where not all is finite."""
        if weights is not None:
            weights = np.broadcast_to(weights, etas.shape[1:]).reshape(-1)
        return self.small.many(self.weigh, self.repeated(etas.shape[1]), weights, etas)


@dataclass(frozen=True)
class Climbed:
    """Where points came to.

    Parameters
    ----------
    points : ndarray, shape (points, p)
    llf : ndarray, shape (points,)
        Log-likelihood there, without its y-only part.
    hoped : ndarray, shape (points,)
        What a further step would add by its quadratic model.
    """

    points: Array
    llf: Array
    hoped: Array


@dataclass(frozen=True)
class Steps:
    """What the quadratic models of some points tell.

    Parameters
    ----------
    parts : ndarray, shape (points, p, p)
        The step of each point, an addend along each eigenvector.
    hoped : ndarray, shape (points,)
        What it hopes to gain.
    top : ndarray of bool, shape (points,)
        Whether the model has a top.
    """

    parts: Array
    hoped: Array
    top: Bools

    def of(self, some: Bools) -> Steps:
        """Those of some points."""
        return Steps(self.parts[some], self.hoped[some], self.top[some])


def _steps(score: Array, information: Array) -> Steps:
    """Steps along the eigenvectors of the equilibrated information."""
    size = np.abs(information.diagonal(axis1=1, axis2=2))
    size[size == 0.0] = 1.0
    scale = 1.0 / np.sqrt(size)
    scaled = information * (scale[:, :, None] * scale[:, None, :])
    score = scale * score
    if not np.isfinite(np.add.reduce(scaled, axis=None)):
        # Beside a curvature that has all but vanished others overflow: such a point stays.
        lost = ~np.isfinite(scaled).all(axis=(1, 2))
        scaled[lost], score[lost] = 0.0, 0.0
    values, vectors = np.linalg.eigh(scaled)
    turned = np.einsum("sij,si->sj", vectors, score)
    part = turned / np.maximum(np.abs(values), LEAST)
    parts = (vectors * scale[:, :, None] * part[:, None, :]).swapaxes(1, 2)
    return Steps(parts, 0.5 * np.einsum("si,si->s", turned, part), values[:, 0] > LEAST)


@dataclass(frozen=True)
class Known:
    """What is to be surpassed.

    Parameters
    ----------
    llf : float
        A log-likelihood; -inf for nothing.
    at : ndarray, shape (p,), or None
        Where that is.
    least : float
        By how much it is to be surpassed.
    """

    llf: float = -np.inf
    at: Array | None = None
    least: float = 0.0

    @property
    def top(self) -> float:
        """What a step at a top still hopes for, where it is nothing beside `least`."""
        return max(TOP, NOTHING * self.least)

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
        self.model, self.moved = _steps(self.score, self.information), np.zeros(len(points), bool)
        self.end = Climbed(points.copy(), self.llf.copy(), np.zeros(len(points)))

    def left(self, stay: Bools) -> None:
        """Go on without the others."""
        if stay.all():
            return
        self.told()
        self.points, self.etas, self.llf = self.points[stay], self.etas[:, stay], self.llf[stay]
        self.score, self.information = self.score[stay], self.information[stay]
        self.radius, self.numbers = self.radius[stay], self.numbers[stay]
        self.model, self.moved = self.model.of(stay), self.moved[stay]
        if self.weights is not None and self.weights.ndim > 1:
            self.weights = self.weights[stay]

    def told(self) -> Climbed:
        """Where all points are."""
        self.end.points[self.numbers], self.end.llf[self.numbers] = self.points, self.llf
        return self.end

    def steps(self) -> Steps:
        """What each point's model tells; of one that stayed where it was that is known."""
        moved = self.moved
        if moved.all():
            self.model = _steps(self.score, self.information)
        elif moved.any():
            told = _steps(self.score[moved], self.information[moved])
            for own, part in ((self.model.parts, told.parts), (self.model.hoped, told.hoped)):
                own[moved] = part
            self.model.top[moved] = told.top
        self.moved = np.zeros(len(moved), dtype=bool)
        return self.model

    def forward(self) -> None:
        """A step of all points, whatever it promises."""
        self.step(self.steps().parts)

    def turned(self, count: int, weights: Array | None) -> None:
        """A step of all points, of which so many, the last, have had weights of their own.

        Whether these rise is not asked: that would take a further pass under either weights.
        """
        self.weights, self.llf[-count:] = weights, -np.inf
        self.forward()
        self.radius[:] = RADIUS

    def step(self, parts: Array) -> None:
        """Go a step where that leads up, in each direction as far as the point's radius.

        Along a valley the way is long, and across it short: the one does not hold the other back.
        """
        small, shape = self.crowd.small, parts.shape
        reach = _reach(small.moves(parts.reshape(-1, shape[2]))).reshape(shape[:2])
        share = np.minimum(1.0, self.radius[:, None] / np.maximum(reach, 1e-300))
        step = np.einsum("si,sij->sj", share, parts)
        moves = small.moves(step)
        points, ahead = self.points + step, self.etas + moves
        found = self.crowd.sums(ahead, self.weights)
        self.moved = risen = found[0] >= self.llf
        moved = np.minimum(_reach(moves), self.radius)
        self.radius = np.where(risen, np.maximum(self.radius, GROW * moved), 0.25 * moved)
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


class _Home:
    """What is known, and how the likelihood bends there; the first point of a party."""

    def __init__(self, known: Known, party: _Party) -> None:
        assert known.at is not None
        self.llf, self.at = known.llf, known.at
        self.etas, self.information = party.etas[:, :1], party.information[0]
        own = party.model
        # A boundary has no top.
        near = abs(known.llf - float(party.llf[0])) <= known.top
        self.top = near and bool(own.top[0]) and float(own.hoped[0]) <= known.top
        party.left(party.numbers > 0)

    def near(self, party: _Party, parts: Array) -> Bools:
        """Whether a point's step ends beside what is known."""
        moves = party.crowd.small.moves(parts.sum(axis=1))
        found: Bools = _reach(party.etas + moves - self.etas) <= HOME * _reach(moves)
        return found

    def leads(self, party: _Party, top: Bools) -> Bools:
        """Whether all that is known of the way from a point to what is known tells of one hill.

        Both ends bend downwards, the rise between them is what their slopes and bends make of it
        (the trapezoidal rule with its correction, Davis & Rabinowitz 1984, section 2.9), and the
        slope that these tell of falls all along (Fritsch & Carlson 1980). Where a point bends
        upwards in another direction more of that is asked.
        """
        if not self.top:
            return np.zeros(len(top), dtype=bool)
        away = self.at - party.points
        slope = np.einsum("si,si->s", party.score, away)
        here = np.einsum("si,sij,sj->s", away, party.information, away)
        there = np.einsum("si,ij,sj->s", away, self.information, away)
        lack = self.llf - party.llf
        rise = 0.5 * slope + (there - here) / 12.0
        smooth = np.abs(rise - lack) <= np.where(top, SMOOTH, SURELY) * lack
        found: Bools = smooth & (here > 0.0) & (np.maximum(here, there) <= 3.0 * slope)
        return found


def climb(
    crowd: Crowd,
    points: Array,
    weights: Array | None,
    known: Known,
    passes: int,
    trial: Array | None = None,
) -> Climbed:
    """Climb from each point for so many passes, until it is at the top, hopeless or known.

    Parameters
    ----------
    crowd : Crowd
    points : ndarray, shape (points, p)
    weights : ndarray, shape (n,), or None
    known : Known
        Points that cannot surpass it, or that lead to where it is, are left.
    passes : int
        And some more of points that promise to surpass what is known.
    trial : ndarray, shape (points, n), or None
        By what to multiply the weights in the first `TRIAL` passes of the last so many points.
    """
    first = weights
    if known.at is not None:
        # What is known goes along for a pass, to tell how the likelihood bends there.
        points = np.concatenate([known.at[None], points])
    if trial is not None:
        first = np.ones((len(points), crowd.y.shape[1]))
        first[-len(trial) :] = trial
        first = first if weights is None else first * weights
    party = _Party(crowd, points, first)
    home = None if known.at is None else _Home(known, party)
    if trial is not None:
        for _ in range(TRIAL - 1):
            party.forward()
        party.turned(len(trial), weights)
    party.left(np.isfinite(party.llf))
    _ascend(party, known, home, passes)
    end = party.told()
    return end if home is None else Climbed(end.points[1:], end.llf[1:], end.hoped[1:])


def _ascend(party: _Party, known: Known, home: _Home | None, passes: int) -> None:
    """The passes of a climb."""
    hopes, most = party.end.hoped, passes if home is None else passes + FURTHER
    for number in range(most):
        if number == passes:
            party.left(known.promised(party.llf, hopes[party.numbers]) > 0.0)
        steps = party.steps()
        hopes[party.numbers] = steps.hoped
        going, parts = _going(party, steps.hoped, known, number), steps.parts
        if home is not None:
            homing = home.leads(party, steps.top)
            if number >= PATIENCE:
                homing |= home.near(party, parts)
            # Nothing more is hoped of what is known.
            hopes[party.numbers[going & homing]] = 0.0
            going &= ~homing
        if not going.all():
            party.left(going)
            parts = parts[going]
        if not len(parts):
            return
        party.step(parts)
    # What takes its time may gain more than its last step hoped for.
    hopes[party.numbers] *= HOPE


def _reach(moves: Array) -> Array:
    """Largest move of a predictor of each point."""
    found: Array = np.abs(moves).max(axis=2, initial=0.0).max(axis=0)
    return found


def _going(party: _Party, hoped: Array, known: Known, number: int) -> Bools:
    """Which points go on: those that are not at a top, and may surpass what is known."""
    going, least = np.isfinite(hoped) & (hoped > known.top), known.llf + known.least
    if number >= PATIENCE:
        going &= party.llf + HOPE * hoped > least
    return going & (least - party.llf <= party.crowd.rows) if number >= LATE else going
