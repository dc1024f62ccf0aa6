"""Separation: when it is suspected, how it is decided, and the fit in the limit it leads to.

A maximum does not exist when a direction d has x_i'd = 0 wherever y > 0 and x_i'd <= 0
wherever y = 0, with at least one strict sign: along it the likelihood grows for ever
(Correia, Guimaraes & Zylkin 2019, arXiv:1903.01633). Other parts of a model have other rows
that lose nothing as their predictor runs off; the family says which.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from glmcount.engine.layout import linear
from glmcount.engine.strip import Strip
from glmcount.engine.sums import Sums
from glmcount.errors import some
from glmcount.fitting.falling import Falling
from glmcount.fitting.problem import Outcome
from glmcount.fitting.rank import Dependence
from glmcount.fitting.recession import Freedom, Ways, gone_by, leading_to, recession
from glmcount.fitting.run import Run
from glmcount.fitting.solvers import newton
from glmcount.numerics import Array
from glmcount.printed import Lines, Printed
from glmcount.records import dataclass, replace

__all__ = [
    "Separation",
    "by_curvature",
    "doubtful",
    "emptied",
    "foreseen",
    "freedom",
    "further",
    "limit_outcome",
    "separated",
]

SHOWN = 12
FLAT = 1e-4
MOVES = 1e-2
# Of several parts the direction settles more slowly; its longest move is 1.
PARTS_FLAT = 2e-2
# Iterations from which an end is looked into, and standard errors that are large.
LONG = 12
LARGE = 30.0
# Columns from which a first pass is asked for empty levels, and how exactly it has to tell.
MANY = 100
EMPTY = 1e-5


@dataclass(frozen=True, repr=False)
class Separation(Printed):
    """Rows without doubt, and the coefficients that run to infinity; it prints in words.

    Parameters
    ----------
    rows : ndarray of bool, shape (nobs,)
        One for each fitted row, in order: True where the direction moves the row. Every row
        that any direction sends off is among them.
    where : tuple of int
        Their numbers in the data, counted from 0.
    columns : tuple of str
        Coefficients that are infinite.
    direction : ndarray, shape (k,)
        d over the kept columns of all equations, largest entry 1 in size.
    signs : tuple of int
        Sign of infinity for each of `columns`; 0 where it has no limit, since ways to infinity
        move it up and down.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 0, 0], "g": list("aaabb")}
    >>> r = gc.fit("y ~ g", data, separation="ignore")
    >>> r.separation.columns, r.separation.signs, r.separation.where
    (('g[T.b]',), (-1,), (3, 4))
    """

    rows: NDArray[np.bool_]
    where: tuple[int, ...]
    columns: tuple[str, ...]
    direction: Array
    signs: tuple[int, ...]

    def _lines(self) -> Lines:
        """How many rows, which, and where the coefficients go."""
        count, total = int(self.rows.sum()), len(self.rows)
        words = {1: "-> +inf", -1: "-> -inf", 0: "has no limit"}
        signs = zip(self.columns, self.signs, strict=True)
        facts = (
            ("rows (counted from 0)", some(self.where, SHOWN)),
            ("coefficients", some((f"{name} {words[sign]}" for name, sign in signs), SHOWN)),
        )
        told = "1 row is" if count == 1 else f"{count:,} rows are"
        return Lines(f"Separation: {told} without doubt, of {total:,}", facts)


def freedom(run: Run, found: tuple[Dependence, ...]) -> Freedom:
    """Which way the rows of a run may go."""
    known = tuple(one.column for one in found)
    return Freedom(run.rows, run.layout, run.family, known).centred()


def by_curvature(run: Run, outcome: Outcome) -> tuple[Outcome, bool]:
    """What Newton's method makes of where scoring stopped, and whether that remains scoring.

    Scoring converges by a factor a step, which may be near 1: steps that hardly shrink say
    nothing of a recession there.
    """
    end = newton(run.problem(False), outcome.theta)
    better = end.status in ("final", "recession") or end.sums.llf >= outcome.sums.llf
    return (end, False) if better else (outcome, True)


def doubtful(run: Run, outcome: Outcome) -> bool:
    """Whether a fit may have run away, even where it came to an end.

    Along a recession every step takes the decrement down by the square root of e, so that it
    takes many to get lost in rounding; far away some standard error is large.
    """
    if outcome.status != "final":
        return True
    if len(run.history) < LONG or not outcome.sums.information.definite:
        return False
    variances = np.diag(outcome.sums.information.inverse())
    sizes = run.layout.sizes[run.kept]
    return bool(np.max(variances * sizes * sizes, initial=0.0) > LARGE**2)


def emptied(run: Run, first: Sums) -> bool:
    """Whether the first pass shows a level of a factor of which every count is 0.

    Its slope is then the curvature of its means, without their counts. Of few columns a step costs
    less than to ask.
    """
    if run.layout.q > 1 or run.size < MANY:
        return False
    diagonal = first.information.diagonal()
    for _, block in run.layout.of(0):
        if block.table is None or block.table.dense is not None or any(block.numeric):
            continue
        own, constant = block.positions, run.layout.constants[0]
        slopes, curves = first.score[own], diagonal[own]
        if constant is not None and len(own) == block.table.levels - 1:
            # The level without a column of its own has what the others leave of all rows.
            every = first.information.quadratic(constant)
            slopes = np.append(slopes, np.dot(constant, first.score) - slopes.sum())
            curves = np.append(curves, every - curves.sum())
        if np.any((curves > 0.0) & (np.abs(slopes + curves) <= EMPTY * curves)):
            return True
    return False


def foreseen(run: Run, found: tuple[Dependence, ...]) -> Falling | None:
    """The way to infinity that the signs of the rows decide, without a fit that goes there."""
    own = freedom(run, found)
    direction = _direction(run, own)
    if direction is None:
        return None
    return leading_to(own, run.rows.single, gone_by(own, direction), direction)


def separated(run: Run, outcome: Outcome, found: tuple[Dependence, ...]) -> Falling | None:
    """The way to infinity that rows stand for; None where there is none.

    What the signs of the rows decide is decided by them. In a mixture they do not decide all:
    there the last step of a fit that runs away tells the direction.
    """
    own = freedom(run, found)
    direction = _direction(run, own)
    if direction is not None:
        return leading_to(own, run.rows.single, gone_by(own, direction), direction)
    going = _told(run, own, outcome, None)
    return None if going is None else leading_to(own, run.rows.single, going)


def _direction(run: Run, own: Freedom) -> Array | None:
    """The direction of recession that the signs of the rows decide; None where there is none."""
    found = recession(own)
    return None if found is None else _without_limits(run, own, found)


def _without_limits(run: Run, own: Freedom, direction: Array) -> Array | None:
    """A direction without equations in which every row goes along to a limit of the family.

    That limit is then the answer.
    """
    limited = {limit.equation for limit in run.family.limits}
    if not limited:
        return direction

    def look(strip: Strip) -> Array:
        ways = gone_by(own, direction)(strip)
        told = [tells for _, tells in own.of(strip)]
        return np.array([np.all(way[one] != 0.0) for way, one in zip(ways, told, strict=True)])

    whole = run.rows.fold(look, np.logical_and)
    out = direction.copy()
    for k in limited:
        if whole[k]:
            out[own.layout.slices[k]] = 0.0
    return out if out.any() else None


def further(
    run: Run, outcome: Outcome, found: tuple[Dependence, ...], falling: Falling
) -> Falling | None:
    """Where the limit itself runs away, the way on from there; None where it does not."""
    own = freedom(run, found)
    going = _told(run, own, outcome, falling)
    return None if going is None else leading_to(own, run.rows.single, going)


def limit_outcome(run: Run, expected: bool, starts: Iterable[Array]) -> Outcome:
    """The fit of what is kept in the limit, from the first start at which it is finite."""
    if not len(run.kept):
        nothing = np.zeros(0)
        sums = run.reduced(nothing, True, expected=expected)
        return Outcome(nothing, nothing, sums, nothing, 0.0, 0.0, "final", 1)
    theta = np.zeros(0)
    for start in starts:
        theta = start[run.kept]
        if math.isfinite(run.reduced(theta, True, expected=expected).llf):
            break
    return newton(run.problem(expected), theta)


def _told(run: Run, own: Freedom, outcome: Outcome, gone: Falling | None) -> Ways | None:
    """The way each row goes by the last step of a fit that runs away, or has gone before.

    None where it does not, or is no mixture.
    """
    if outcome.status != "recession" or run.family.certain is None:
        return None
    step = run.widened(outcome.step)
    step = step / (1.0 if run.layout.q == 1 else max(outcome.rho, 1e-300))
    return _moved(run, own, step, gone)


def _moved(run: Run, own: Freedom, step: Array, gone: Falling | None) -> Ways | None:
    """The way each row goes by `step`, if it is a direction of recession.

    None where some row would lose, or where every row goes along in an equation that has a
    limit, which is then the answer.
    """
    layout, family = run.layout, run.family
    moving = [k for k in range(layout.q) if layout.within(k).reach(step) > MOVES]
    least = MOVES if layout.q == 1 else 2.0 * PARTS_FLAT

    def before(strip: Strip) -> Sequence[Array]:
        if gone is None:
            return [np.zeros(strip.n)] * layout.q
        return gone_by(replace(own, layout=gone.layout), gone.direction)(strip)

    def ways(strip: Strip) -> list[Array]:
        told = [tells for _, tells in own.of(strip)]
        out = list(before(strip))
        for k in moving:
            move = linear(layout, strip, step, k)
            goes = told[k] & (np.abs(move) > least) & (out[k] == 0.0)
            out[k] = np.where(goes, np.sign(move), out[k])
        return out

    def look(strip: Strip) -> tuple[float, Array]:
        free = family.runs_off(strip.y)
        told = [tells for _, tells in own.of(strip)]
        held, whole, stays = 0.0, np.ones(layout.q, dtype=bool), before(strip)
        for k in moving:
            move = linear(layout, strip, step, k)
            down, up = free[k]
            whole[k] = bool((np.abs(move) > least).all())
            mine = told[k] & (stays[k] == 0.0)
            move = move[mine]
            held = max(held, _held(-move, _of(down, mine)), _held(move, _of(up, mine)))
        return held, whole

    held, whole = run.rows.fold(look, lambda a, b: (max(a[0], b[0]), a[1] & b[1]))
    limited = {limit.equation for limit in family.limits} if gone is None else set()
    flat = FLAT if layout.q == 1 else PARTS_FLAT
    if held > flat or any(whole[k] for k in moving if k in limited):
        return None
    return ways


def _of(free: NDArray[np.bool_] | None, rows: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    return None if free is None else free[rows]


def _held(move: Array, free: NDArray[np.bool_] | None) -> float:
    """Largest move, in one direction, of a row that is not free to go there."""
    held = move if free is None else move[~free]
    return float(held.max(initial=0.0))
