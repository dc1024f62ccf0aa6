"""Profile likelihood intervals, all other parameters estimated anew at every value.

The ends are the values v with 2 (l - l(v)) equal to a quantile of chi2(1), l(v) the largest
log-likelihood with the parameter held at v (Venzon & Moolgavkar 1988, doi:10.2307/2347496). They
are found on the signed root z(v) = sqrt(2 (l - l(v))), which is nearly linear: the score at each
constrained maximum gives its slope, and v as a cubic in z between two values the next one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from glmcount.design.measure import Measured
from glmcount.design.rows import Rows
from glmcount.engine.information import Information
from glmcount.errors import ConvergenceError, GlmcountError
from glmcount.fitting.restrict import restricted
from glmcount.fitting.run import Fit, Settings
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Constrained", "Curve", "End", "Point", "end", "reached"]

# Move in standard errors after which Newton's correction leaves nothing.
CLOSE = 1e-4
MOST = 80
# Fits that may fail on the way.
PATIENCE = 6
# How often another maximum is gone on from, and by how much its root is then less.
ROUNDS, APART = 3, 1e-4
# Log-likelihoods closer than this are one.
SAME = 1e-5
# How much further than it has come a value may be looked for at once, and how often that is not
# enough before there is no end.
STRETCH = 2.5
FLAT = "since the likelihood falls too little on the way there"
ENDLESS = 1e7
FAR = 1e3


@dataclass(frozen=True)
class Constrained:
    """What is fitted under constraints: rows, a fit to them, and the function held at a value.

    Parameters
    ----------
    rows, measured, fit
    functions : ndarray, shape (m, p)
        In the user's columns: the first is held at the value, the others at `at`.
    at : ndarray, shape (m - 1,)
    elsewhere : callable or None
        ``value -> (llf, theta)`` of a fit that looks for the maximum anew, where there may be
        several; None where it cannot.
    """

    rows: Rows
    measured: Measured
    fit: Fit
    functions: Array
    at: Array
    elsewhere: Callable[[float], tuple[float, Array] | None] | None = None


@dataclass(frozen=True)
class Point:
    """The profile at one value.

    Parameters
    ----------
    value : float
    root : float
        sqrt(2 (l - l(v))), without sign.
    slope : float
        Its derivative, by the value.
    theta : ndarray, shape (p,)
        In shifted columns, with `way` by which it moves with the value.
    """

    value: float
    root: float
    slope: float
    theta: Array
    way: Array


@dataclass(frozen=True)
class End:
    """One end of an interval; infinite with a reason."""

    value: float
    reason: str = ""


@dataclass(frozen=True)
class Curve:
    """The profile of one function of the parameters.

    Parameters
    ----------
    models : tuple of Constrained
        One; or, at a boundary, the limit and the family that has it: the larger likelihood counts.
    options : Settings
    llf : float
        The largest log-likelihood.
    """

    models: tuple[Constrained, ...]
    options: Settings
    llf: float

    def top(self) -> Point:
        """The profile at the estimate itself."""
        own = self.models[0]
        theta = own.fit.settled
        way = _way(own, own.fit.information)
        value = float(np.dot(own.functions[0], own.fit.layout.unshift(theta)))
        return Point(value, 0.0, 0.0, theta, way)

    def at(self, value: float, near: Point | None) -> Point | None:
        """The profile at a value, from a point nearby; None where there is no such fit.

        Raises
        ------
        ConvergenceError
            If the likelihood is larger there than at the fit.
        """
        found = [
            self._one(own, value, near if i == 0 else None) for i, own in enumerate(self.models)
        ]
        known = [each for each in found if each is not None]
        if not known:
            return None
        llf, theta, way, slope, model = max(known, key=lambda each: each[0])
        if llf > self.llf + SAME + 1e-11 * abs(self.llf):
            raise _better(model, theta, llf, self.llf)
        root = math.sqrt(max(2.0 * (self.llf - llf), 0.0))
        steep = -slope / root if root > 0 else 0.0
        first = self.models[0]
        own = (
            (theta, way) if model is first else (first.fit.settled, np.zeros(first.fit.layout.size))
        )
        return Point(value, root, steep, *own)

    def other(self, value: float) -> Point | None:
        """The profile at a value by a maximum looked for anew; None where there is no other."""
        own = self.models[0]
        found = None if own.elsewhere is None else own.elsewhere(value)
        if found is None:
            return None
        llf, theta = found
        if llf > self.llf + SAME + 1e-11 * abs(self.llf):
            raise _better(own, theta, llf, self.llf)
        root = math.sqrt(max(2.0 * (self.llf - llf), 0.0))
        return Point(value, root, 0.0, theta, np.zeros_like(theta))

    def _one(
        self, own: Constrained, value: float, near: Point | None
    ) -> tuple[float, Array, Array, float, Constrained] | None:
        constraints = own.functions, np.append(value, own.at)
        starts = [None] if near is None else [near.theta + (value - near.value) * near.way, None]
        for start in starts:
            try:
                found = restricted(
                    own.rows, own.measured, own.fit, self.options, constraints, start
                )
            except ConvergenceError:
                continue
            if found.status in ("final", "recession") and math.isfinite(found.llf):
                way = _way(own, found.information)
                slope = float(np.dot(found.score, way[own.fit.kept]))
                return found.llf, found.theta, way, slope, own
            if found.status == "maxiter":
                # From elsewhere the way is as long.
                break
        return None


def _way(own: Constrained, information: Information) -> Array:
    """How the constrained maximum moves with the value."""
    kept, layout = own.fit.kept, own.fit.layout
    inside = layout.functions(own.functions, kept)
    out = np.zeros(layout.size)
    if not information.definite:
        # Any way that meets the constraints: the score is a combination of these.
        out[kept] = np.linalg.lstsq(inside, np.eye(len(inside))[0], rcond=None)[0]
        return out
    moves = information.solve(inside.T)
    small = np.dot(inside, moves)
    out[kept] = np.dot(moves, np.linalg.solve(small, np.eye(len(small))[0]))
    return out


def _better(own: Constrained, theta: Array, llf: float, known: float) -> GlmcountError:
    start = [float(f"{value:.8g}") for value in own.fit.layout.unshift(theta)]
    return ConvergenceError(
        f"A larger log-likelihood lies on the way of the profile: {llf:.6f}, where the fit has "
        f"{known:.6f}. The fit is no maximum, and has no profile intervals. Take "
        f"r.refit(start={start}) and ask again.",
        kind="better_optimum",
    )


def _cubic(first: Point, second: Point, root: float) -> float:
    """The value at a root, by the cubic that has both points and their slopes."""
    width = second.root - first.root
    if width == 0.0 or first.slope == 0.0 or second.slope == 0.0:
        return math.nan
    t = (root - first.root) / width
    bend = (2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t, -2 * t**3 + 3 * t**2, t**3 - t**2)
    return (
        bend[0] * first.value
        + bend[1] * width / first.slope
        + bend[2] * second.value
        + bend[3] * width / second.slope
    )


def end(curve: Curve, inside: Point, side: int, root: float, begin: float) -> End:
    """Where the root of the profile reaches a value, on one side of a point at which it is less.

    Parameters
    ----------
    curve : Curve
    inside : Point
    side : {-1, 1}
    root : float
        Standard normal quantile.
    begin : float
        Where to look first.
    """
    low, high, value, origin = inside, None, begin, inside.value
    longest, failures, looked, last = math.inf, 0, 0, inside
    for _ in range(MOST):
        found = curve.at(value, _nearer(low, high, value))
        if found is None:
            # It may have been too far for a start: the way is gone in shorter steps.
            failures += 1
            if failures > PATIENCE:
                break
            longest = 0.5 * abs(value - low.value)
            value = low.value + side * longest
            continue
        last, longest = found, 1.5 * longest
        gap, steep = root - found.root, side * found.slope
        if steep > 0.0 and abs(gap / steep) <= CLOSE * abs(found.value - origin) / root:
            value = found.value + side * gap / steep
            further = curve.other(value) if looked < ROUNDS else None
            if further is None or further.root >= root - APART:
                return End(value)
            # The way led along a maximum that is not the largest here.
            low, high, origin, looked = further, None, further.value - side * 0.1, looked + 1
            value = low.value + side * 0.2 * abs(low.value - inside.value)
            continue
        if gap > 0.0:
            low = found
            if high is None and _endless(found, origin, gap, steep):
                return End(side * math.inf, FLAT)
        else:
            high = found
        if high is not None and abs(high.value - low.value) <= 1e-9 * (1.0 + abs(value)):
            return End(0.5 * (low.value + high.value))
        value = _next(low, high, (origin, side, root), longest)
    return End(math.nan, f"since the profile cannot be followed beyond {last.value:g}")


def _nearer(low: Point, high: Point | None, value: float) -> Point:
    """The one of two points from which the way to a value is shorter."""
    if high is None or abs(value - low.value) < abs(value - high.value):
        return low
    return high


def _endless(found: Point, origin: float, gap: float, steep: float) -> bool:
    """Whether a profile has become flat before its end."""
    come = abs(found.value - origin)
    flat = abs(steep) * come * ENDLESS <= gap
    return flat or (come > FAR * (1.0 + abs(origin)) and abs(steep) * come * FAR <= gap)


def _next(low: Point, high: Point | None, about: tuple[float, int, float], longest: float) -> float:
    """Which value to look at next, within what is known to hold the end."""
    origin, side, root = about
    if high is not None:
        value = _cubic(low, high, root)
        inside = side * (value - low.value) > 0.0 and side * (high.value - value) > 0.0
        return value if inside else 0.5 * (low.value + high.value)
    come = max(side * (low.value - origin), 1e-8)
    steep = side * low.slope
    step = (root - low.root) / steep if steep > 0.0 else math.inf
    return low.value + side * min(step, STRETCH * come, longest)


def reached(curve: Curve, value: float, side: int, root: float) -> Point | None:
    """A point at which the root is less, on the way to infinity or to a boundary."""
    step, near = 1.0, None
    for _ in range(MOST):
        found = curve.at(value, near)
        if found is not None and found.root < root:
            return found
        near = found
        value, step = value + side * step, min(2.0 * step, 16.0)
    return None
