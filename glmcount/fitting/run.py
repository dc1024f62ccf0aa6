"""What a fit is made of: options in, a frozen `Fit` out, and the moving parts between."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from glmcount.design.measure import Measured
from glmcount.design.rows import Rows
from glmcount.engine.information import Information
from glmcount.engine.layout import Layout, linear
from glmcount.engine.passes import Pass, Raw, Sums, add, few_dense, likelihood_sums
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import Likelihood, Unweighed, Weigh, Weighed, weighing
from glmcount.families.base import Boundary, Family
from glmcount.fitting.bend import Bend, bend_of
from glmcount.fitting.falling import Falling, sent
from glmcount.fitting.guide import Guide
from glmcount.fitting.problem import LEFT, SURELY, Iteration, Problem
from glmcount.fitting.rank import Dependence
from glmcount.fitting.solvers import solver
from glmcount.numerics import Array
from glmcount.numerics.control import Control
from glmcount.records import dataclass, field, replace
from glmcount.sources.folds import processors

__all__ = ["Fit", "Looked", "Run", "Settings", "fold_sums"]

SCORING = 1e-11
RADIUS = 3.0
# So many times the decrement a predictor hardly moves.
AMPLE = 1e3
# Columns from which a pass over two strips pays for a second thread.
WIDE = 16
# Largest move of a predictor by the step before the last one, from which the pass after that may
# be the end.
NEARLY = 1.0
# How a solver stopped that came to no end.
STOPPED = {
    "maxiter": "out of iterations",
    "stuck": "no step gains any more",
    "unbounded": "there is no maximum",
    "recession": "still on its way",
}


@dataclass(frozen=True)
class Settings:
    """How to fit, and whether the last pass hands on the slopes of the rows."""

    method: str = "newton"
    information: str = "expected"
    start: Array | None = None
    control: Control = field(default_factory=Control)
    slopes: bool = False


@dataclass(frozen=True)
class Looked:
    """Where a maximum of a log-likelihood that need not be concave was looked for.

    Parameters
    ----------
    starts : int
        Points far from the fit from which it was climbed.
    rows : int
        Unweighed of these climbs: a share of many.
    limits : tuple of str
        Boundaries that were fitted.
    """

    starts: int
    rows: int
    limits: tuple[str, ...]


@dataclass(frozen=True)
class Fit:
    """A finished fit, in shifted columns.

    Parameters
    ----------
    family : Family
        The family estimated; the limit family where the maximum is on a boundary.
    layout : Layout
    theta : ndarray, shape (p,)
        Zero where a column was left out.
    kept : ndarray of int, shape (k,)
    llf : float
        Log-likelihood, complete.
    information : Information
        Over the kept columns.
    condition : float
        Estimated condition number of the equilibrated information; an upper bound where that
        is below `WELL`.
    reached : tuple of float
        rho and decrement at the end.
    last : Sums
        Of the pass at the end, which works out its rounding when it is asked for that.
    status : str
        How the solver ended: "final", "recession", "stuck" or "maxiter"; "edge" at the end of the
        support, "unbounded" where the likelihood has no upper bound there.
    passes : int
    history : tuple of Iteration
    dependences : tuple of Dependence
    falling : Falling or None
        Where the maximum is at infinity, the way there.
    limits : tuple of Boundary
        The boundaries the maximum lies on, each one of the family that the one before left.
    looked : Looked or None
        Where else a larger likelihood was looked for; None where it is concave.
    """

    family: Family
    layout: Layout
    theta: Array
    kept: NDArray[np.intp]
    llf: float
    information: Information
    condition: float
    reached: tuple[float, float]
    last: Sums
    status: str
    passes: int
    history: tuple[Iteration, ...]
    dependences: tuple[Dependence, ...] = ()
    falling: Falling | None = None
    limits: tuple[Boundary, ...] = ()
    looked: Looked | None = None

    @property
    def floor(self) -> float:
        """Rounding floor of the decrement at the end."""
        return self.last.floor

    @property
    def converged(self) -> bool:
        """Whether the stop rule was met."""
        return self.status in ("final", "edge")

    @property
    def stopped(self) -> str:
        """Why it came to no end, in words; empty where it did."""
        return STOPPED.get(self.status, "")

    @property
    def endless(self) -> bool:
        """Whether it ended in the limit to which parameters run off."""
        return self.falling is not None and self.status == "recession"

    @property
    def separated(self) -> bool:
        """Whether rows are fitted without doubt by a parameter at infinity."""
        return self.falling is not None and bool(self.falling.rows.any())

    @property
    def settled(self) -> Array:
        """The parameters, those of the limit where the maximum is at infinity."""
        far = self.falling
        return self.theta if far is None or far.settled is None else far.settled

    @property
    def left(self) -> tuple[int, ...]:
        """Equations of the family asked for that the fit's own still has."""
        asked = list(range(self.family.q + sum(len(limit.gone) for limit in self.limits)))
        for limit in self.limits:
            asked = [number for k, number in enumerate(asked) if k not in limit.gone]
        return tuple(asked)

    def columns(self) -> tuple[int, ...]:
        """How many columns were kept in each of its own equations."""
        slices = self.layout.slices
        return tuple(int(((self.kept >= s.start) & (self.kept < s.stop)).sum()) for s in slices)

    def narrowed(self, rows: Rows) -> Rows:
        """The rows as the fit's own family sees them: without equations gone at a boundary."""
        for limit in self.limits:
            rows = rows.without(limit.gone)
        return rows


def fold_sums(
    rows: Rows,
    layout: Layout,
    theta: Array,
    weigh: Callable[[Unweighed], Weighed],
    control: Control,
    gone: Falling | None = None,
    slopes: bool = False,
) -> Raw:
    """One pass of any weighing function over all rows, of which those that have `gone` are far."""
    one = Pass(layout, theta, weigh, control.block_rows, slopes)

    def thinned(strip: Strip) -> Raw:
        assert gone is not None
        return one(sent(layout, strip, theta, gone))

    work = one if gone is None else thinned
    wide = processors() if layout.dense_columns >= WIDE else None
    return rows.fold(work, add, 1 if few_dense(layout) else wide)


class Run:
    """The moving parts of one fit: passes counted, history kept."""

    def __init__(
        self, rows: Rows, layout: Layout, measured: Measured, family: Family, options: Settings
    ) -> None:
        self.rows, self.layout, self.measured = rows, layout, measured
        self.family, self.options, self.control = family, options, options.control
        self.size = layout.size
        self.kept = np.arange(self.size)
        self.history: list[Iteration] = []
        self.passes = 0
        self.pilot = False
        self.searches = True
        self.looked = Looked(0, 0, ())
        self.memo: tuple[tuple[bool, bool, bytes], Sums] | None = None
        # The way on which rows have gone to infinity.
        self.gone: Falling | None = None
        # A log-likelihood that a climb from elsewhere is to surpass.
        self.known = -np.inf
        # Whether the solver works with the expected information.
        self.scoring = solver(options.method).expected and family.expected is not None
        # Whether the information asked for at the end is the expected one.
        self.wanted = options.information == "expected" and family.expected is not None
        # What the last step may leave, as a share of what it may where curvature bounds the third
        # derivative: where none does a digit more is asked of it.
        self.digits = 1.0 if family.curvature else 0.1
        self.small = rows.small(layout)
        self.guide: Guide | Bend | None = bend_of(rows, layout, self.small, family, self.control)
        self.weigh: dict[tuple[bool, bool], Weigh] = {}

    def tell(self, iteration: Iteration) -> None:
        """Keep and show an iteration."""
        self.history.append(iteration)
        progress = self.control.progress
        if not progress:
            return
        if callable(progress):
            progress(iteration)
        else:
            print(
                f"{'pilot ' if iteration.pilot else ''}iteration {iteration.iteration}: "
                f"llf {iteration.llf:.6f}, rho {iteration.rho:.1e}"
            )

    def evaluate(self, theta: Array, second: bool = True, *, expected: bool) -> Sums:
        """Sums at full parameters."""
        if self.small is not None:
            self.passes += 1
            small, y = self.small, self.rows.cache.strips[0].y
            if self.gone is not None:
                small = replace(small, strip=sent(self.layout, small.strip, theta, self.gone))
            if (expected, second) not in self.weigh:
                self.weigh[expected, second] = weighing(self.family, expected, second)
            return small.sums(self.weigh[expected, second], y, theta)
        weigh = Likelihood(self.family, expected, second)
        raw = fold_sums(self.rows, self.layout, theta, weigh, self.control, self.gone, self._ending)
        self.passes += 1
        return likelihood_sums(self.layout, raw)

    @property
    def _ending(self) -> bool:
        """Whether slopes of the rows are wanted, and the next pass may be the last.

        A step is told when the pass after it is done.
        """
        if not self.options.slopes or self.pilot or not self.history:
            return False
        before = self.history[-1]
        return not before.pilot and before.rho < NEARLY

    def reduced(self, theta: Array, second: bool, *, expected: bool) -> Sums:
        """Sums over the kept columns; the last pass is remembered."""
        whole = len(self.kept) == self.size
        full = theta if whole else self.widened(theta)
        key = (second, expected, full.tobytes())
        held = self.memo
        if held is None or held[0] != key:
            held = self.memo = key, self.evaluate(full, second, expected=expected)
        sums = held[1]
        return sums if whole else sums.kept(self.kept)

    def widened(self, theta: Array) -> Array:
        """Parameters over the kept columns as all, zero elsewhere."""
        if len(self.kept) == self.size:
            return theta
        full = np.zeros(self.size)
        full[self.kept] = theta
        return full

    def reach(self, step: Array, decrement: float = np.inf) -> float:
        """Bound on the move of any predictor; the move itself where columns say too much.

        Their own parts cancel where they are nearly copies.
        """
        full = step if len(step) == self.size else self.widened(step)
        bound = self.layout.reach(full) if self.small is None else self.small.reach(full)
        if bound <= self.control.tol or bound <= AMPLE * decrement:
            return bound
        layout = self.layout

        def largest(strip: Strip) -> float:
            moves = [linear(layout, strip, full, k) for k in range(layout.q)]
            return max((float(np.abs(move).max(initial=0.0)) for move in moves), default=0.0)

        return min(bound, self.rows.fold(largest, max))

    def problem(self, expected: bool, recession: float = 1e-4) -> Problem:
        """What the solver is given."""
        control = replace(self.control, maxiter=8) if self.pilot else self.control
        again = self.wanted != expected and not self.family.canonical
        if expected and not self.pilot:
            # Scoring converges by a factor a step where it is not Newton's method, so a
            # small step does not yet say that the next is smaller by far.
            control = replace(control, tol=min(control.tol, SCORING))
        if self.guide is not None:
            self.guide.kept = self.kept
        return Problem(
            partial(self.reduced, expected=expected),
            self.reach,
            control,
            self.tell,
            self.pilot,
            recession,
            np.inf if self.layout.q == 1 else RADIUS,
            self.measured.constant,
            self.guide,
            known=self.known - self.measured.constant,
            # Beside a pass that follows anyhow the last step may leave more.
            left=SURELY * control.tol if again else LEFT * self.digits,
        )
