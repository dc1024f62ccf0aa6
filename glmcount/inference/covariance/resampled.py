"""Covariances by fitting again: the jackknife, and bootstraps.

Each refit begins at the estimate and reads the same rows with other weights, or with another
response; nothing is encoded again. A draw whose likelihood has no maximum at finite parameters, or
that has lost all rows of a level, is counted and told, and takes no part.
"""

from __future__ import annotations

import operator
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.allowed import choice, generator, shown, truth, whole
from glmcount.design.build import with_response
from glmcount.design.measure import Measured, measure, remeasure
from glmcount.design.rows import Rows
from glmcount.engine.scores import each_column
from glmcount.engine.strip import Strip, one_strip
from glmcount.engine.weigh import weighing
from glmcount.errors import CovarianceError, CovarianceWarning, NotDefinedError, UsageError, outside
from glmcount.fitting.restrict import Restricted, restricted
from glmcount.fitting.run import Fit, Settings
from glmcount.fitting.sums import rows_of
from glmcount.front import public
from glmcount.inference import responses
from glmcount.inference.covariance.cluster import named
from glmcount.inference.covariance.draws import Draws, Units, acceleration, products
from glmcount.inference.covariance.estimator import Covariance, Estimator, shown_name
from glmcount.inference.covariance.grouped import groups_of
from glmcount.inference.setting import Needs, Setting
from glmcount.inference.watch import Watch
from glmcount.numerics import Array
from glmcount.records import dataclass, replace
from glmcount.sources.folds import by_threads, processors

__all__ = ["Resampled", "bootstrap", "jackknife"]

BOOTSTRAPS = ("pairs", "cluster", "parametric", "bayesian")
# Of the information, below which there is rounding only.
NOTHING = 1e-10
# Rows from which threads share the draws.
MANY = 20_000
# Move of a predictor that a draw's last step may make: what it leaves is the square of that, of
# predictors whose draws differ by hundredths.
LAST = 3e-5
# Move of a predictor by which a draw may begin beside the estimate.
NEAR = 1.0
# Of all draws that must have a fit.
FEWEST = 0.5


Slopes = dict[int, tuple[Array | None, ...]]


@dataclass(frozen=True)
class Redrawn:
    """What one draw came to: rows and how they are measured, where their fit begins.

    `shares` say how often each unit was drawn, None where the response was.
    """

    rows: Rows
    measured: Measured
    begin: Array
    shares: Array | None = None


# One draw, by its number and its random numbers.
Draw = Callable[[int, np.random.Generator], Redrawn]


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """What `jackknife` or `bootstrap` was asked for."""

    kind: str
    groups: str | None
    reps: int
    seed: int
    studentised: bool

    def __call__(self, setting: Setting, bread: Array) -> Covariance:
        """The covariance of the refits, and what is said of it."""
        units = self._units(setting)
        control = setting.control
        rows = setting.rows
        rows.check()
        # Rows have been looked at: those in between need not be.
        rows = replace(rows, marks=None)
        count = len(units) if self.kind == "jackknife" else self.reps
        if self.kind == "jackknife" and count < 2:
            raise CovarianceError(
                "A jackknife leaves one out, and there is but one. Group by another column.",
                kind="one_cluster",
            )
        parametric = self.kind == "parametric"
        draw = (
            _drawing(setting, rows) if parametric else self._weighing(setting, rows, units, bread)
        )
        watch = Watch(count, "refits", sys.stderr if control.progress else None)

        def one(number: int) -> tuple[Restricted, Array | None]:
            return self._refit(setting, units, draw(number, self._stream(number)))

        # Of few rows a fit is mostly calls, which keep the interpreter lock: a second thread then
        # costs more than it gains (4,406 rows: 4.8 ms a fit by two, 2.9 ms by one).
        single = rows.source.n_strips > 1 or rows.n_used < MANY
        workers = 1 if single else control.threads or processors()
        found = []
        for fitted in by_threads(one, ((number,) for number in range(count)), workers):
            found.append(fitted)
            watch.tell(len(found))
        return self._told(setting, units, found, bread)

    def _units(self, setting: Setting) -> Units:
        """What is drawn.

        Raises
        ------
        NotDefinedError
            Where frequency weights are no numbers of copies.
        """
        rows = setting.rows
        weights = rows.by_row(lambda strip: np.ones(1) if strip.weights is None else strip.weights)
        numbers = rows.numbers()
        places = np.zeros(rows.source.n_rows, dtype=np.intp)
        places[numbers] = np.arange(len(numbers))
        if self.groups is not None:
            groups = groups_of(setting, (0,))
            of = setting.runs(lambda strip, roles: groups.codes(roles), _joined)
            return Units(of, weights, None, numbers, places, groups)
        copies = None
        weighted = setting.found.spec.weights is not None
        if not setting.importance and weighted:
            copies = weights
        if self.kind != "parametric" and copies is not None and np.any(copies != np.rint(copies)):
            raise NotDefinedError(
                "Bootstraps draw, and the jackknife leaves out, the copies that frequency weights "
                "stand for, and these are no whole numbers. weights_type='importance' takes rows.",
                kind="weighted_bootstrap",
            )
        return Units(np.arange(len(numbers)), weights, copies, numbers, places)

    def _stream(self, number: int) -> np.random.Generator:
        """Random numbers of one draw."""
        return np.random.default_rng([self.seed, number])

    def _weighing(self, setting: Setting, rows: Rows, units: Units, bread: Array) -> Draw:
        """What draws, or leaves out, some of the rows: these with other weights."""
        slopes = _slopes(setting, rows)

        def of(number: int, rng: np.random.Generator) -> Redrawn:
            leave = self.kind == "jackknife"
            shares = units.without(number) if leave else units.shares(self.kind, rng)
            weights = np.zeros(rows.source.n_rows)
            weights[units.numbers] = units.weights * shares[units.of]
            own = rows.reweighted(weights)
            begin = _one_step(setting.fit, own, slopes, bread)
            # Measured with the fit's own weights: of a draw no log-likelihood is asked.
            return Redrawn(own, setting.found.measured, begin, shares)

        return of

    def _refit(
        self, setting: Setting, units: Units, drawn: Redrawn
    ) -> tuple[Restricted, Array | None]:
        """One draw, fitted, and standard errors of it where they are asked for."""
        fit = setting.fit
        free = np.zeros((0, fit.layout.size)), np.zeros(0)
        information = setting.found.options.information
        # The jackknife lives on differences of fits that hardly differ.
        loose = LAST if self.kind != "jackknife" else 0.0
        control = replace(setting.control, threads=1, tol=max(setting.control.tol, loose))
        options = Settings(information=information, control=control)
        found = restricted(
            drawn.rows, drawn.measured, fit, options, free, drawn.begin, ends=self.studentised
        )
        errors = None
        if self.studentised and _end(found) == "usable":
            bread = found.information.inverse()
            errors = self._spread(setting, units, found.theta, bread, drawn.shares)
        return found, errors

    def _spread(
        self, setting: Setting, units: Units, theta: Array, bread: Array, shares: Array | None
    ) -> Array:
        """Standard errors at a fit: of a drawn response by the information, else robust."""
        fit, matrix = setting.fit, bread
        if shares is not None:
            middle = products(setting, units, theta, shares)
            matrix = np.dot(np.dot(bread, middle), bread)
        return np.sqrt(fit.layout.unshifted(matrix, fit.kept).diagonal())

    def _told(
        self,
        setting: Setting,
        units: Units,
        found: list[tuple[Restricted, Array | None]],
        bread: Array,
    ) -> Covariance:
        fit = setting.fit
        ends = [_end(one) for one, _ in found]
        usable = [pair for pair, end in zip(found, ends, strict=True) if end == "usable"]
        lost = ends.count("lost")
        failed = len(found) - len(usable) - lost
        inner = np.array([one.theta[fit.kept] for one, _ in usable])
        ones = None if self.kind == "parametric" else np.ones(len(units))
        draws = Draws(
            values=np.array([one.estimate[fit.kept] for one, _ in usable]),
            errors=np.array([own for _, own in usable]) if self.studentised else None,
            asked=len(found),
            lost=lost,
            failed=failed,
            acceleration=acceleration(setting, units, bread),
            own_errors=self._spread(setting, units, fit.theta, bread, ones)
            if self.studentised
            else None,
            jackknife=self.kind == "jackknife",
        )
        if len(usable) < max(2, FEWEST * len(found)):
            advice = (
                "The fit itself has an infinite coefficient, which nearly every refit has too: "
                "leave out what r.separation names"
                if fit.separated
                else "Draw by glmcount.bootstrap(kind='bayesian'), which leaves no row out"
            )
            raise CovarianceError(
                f"Too few refits have a maximum at finite parameters: {draws.told}. {advice}, or "
                "use cov='HC1'.",
                kind="bootstrap_failed",
            )
        if lost or failed:
            warnings.warn(_left_out(draws), stacklevel=outside())
        matrix = _spread_of(inner)
        if self.kind == "jackknife":
            kept = np.array(ends) == "usable"
            copies = None if units.copies is None else units.copies[kept]
            matrix = _jackknifed(inner, copies)
        of = f" of clusters of {shown_name(self.groups)}" if self.groups else ""
        what = "Jackknife" if self.kind == "jackknife" else f"Bootstrap ({self.kind})"
        return Covariance(matrix, f"{what}{of}: {draws.told}.", None, draws, len(usable) - 1)


def _slopes(setting: Setting, rows: Rows) -> Slopes:
    """Derivatives of the rows' log-likelihoods by each predictor at the estimate, by strip."""
    fit = setting.fit
    weigh = weighing(fit.family, False, second=False)

    def work(strip: Strip) -> Slopes:
        plain = replace(strip, weights=None)
        return {strip.number: weigh(rows_of(fit.layout, plain, fit.theta)).first}

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return rows.fold(work, operator.or_)


def _one_step(fit: Fit, own: Rows, slopes: Slopes, bread: Array) -> Array:
    """Where a draw begins: a step from the estimate, to what its scores there lead to.

    With the information of all rows that is as good as Newton's first step, whose error is of the
    same order, and takes a product with each column instead of a pass. A long step is not taken:
    rows that are left out may have held what it runs into.
    """

    def work(strip: Strip) -> Array:
        assert strip.weights is not None
        out = np.zeros(fit.layout.size)
        weighed = [None if each is None else each * strip.weights for each in slopes[strip.number]]
        for equation, position, made in each_column(fit.layout, strip):
            slope = weighed[equation]
            if slope is not None:
                column = made()
                out[position] = slope.sum() if column is None else column.dot(slope)
        return out

    theta = fit.theta.copy()
    theta[fit.kept] += np.dot(bread, own.fold(work, operator.add)[fit.kept])
    near = fit.layout.reach(theta - fit.theta) <= NEAR
    return theta if near else fit.theta


def _left_out(draws: Draws) -> CovarianceWarning:
    return CovarianceWarning(
        f"Some refits take no part: {draws.told}. In these a coefficient is infinite or not "
        "identified, and standard errors and intervals, made of the others alone, may be far too "
        "small for coefficients that few rows decide. Merge levels with few rows, or leave them "
        "out; profile intervals need no refits to drawn rows.",
        kind="refits_left_out",
    )


def _spread_of(values: Array) -> Array:
    gaps = values - values.mean(axis=0)
    return np.dot(gaps.T, gaps) / (len(values) - 1)


def _jackknifed(values: Array, copies: Array | None) -> Array:
    """(N - 1) / N sum (b - mean)(b - mean)', each as often as its row has copies."""
    weights = np.ones(len(values)) if copies is None else copies
    total = weights.sum()
    gaps = values - np.average(values, axis=0, weights=weights)
    return (total - 1.0) / total * np.dot(gaps.T * weights, gaps)


def _joined(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([a, b])


def _end(found: Restricted) -> str:
    """Whether a refit is usable, "lost" without rows that tell of a direction, or has "failed"."""
    matrix = found.information.matrix
    size = np.sqrt(np.abs(matrix.diagonal()))
    if not np.isfinite(matrix).all():
        return "failed"
    if not size.all():
        return "lost"
    # Rounding may leave an information definite that says nothing in some direction.
    values = np.linalg.eigvalsh(matrix / np.multiply.outer(size, size))
    if abs(values[0]) <= NOTHING * values[-1]:
        return "lost"
    return "usable" if found.status == "final" and found.information.definite else "failed"


def _drawing(setting: Setting, rows: Rows) -> Draw:
    """What draws responses of the fit.

    Raises
    ------
    NotDefinedError
        Under probability weights, and as `responses` raises.
    """
    found, fit = setting.found, setting.fit
    if found.weights_type == "probability" and found.spec.weights is not None:
        raise NotDefinedError(
            "Probability weights say that rows were sampled unevenly, and a parametric bootstrap "
            "draws counts as if each row were one of an even sample. Use kind='pairs', or "
            "kind='cluster' with groups= of the units that were sampled.",
            kind="weighted_bootstrap",
        )
    drawing = responses.responses(found, rows)
    if drawing.copies is not None:
        whole = one_strip(rows.fold(lambda strip: [strip], operator.add))

        def of_copies(number: int, rng: np.random.Generator) -> Redrawn:
            own = rows.holding(drawing.counted(rng).of(whole))
            return Redrawn(own, measure(own, fit.layout, fit.family)[0], fit.theta)

        return of_copies
    numbers = rows.numbers()

    def of_rows(number: int, rng: np.random.Generator) -> Redrawn:
        values = np.full(rows.source.n_rows, np.nan)
        values[numbers] = drawing.drawn(rng)
        own = with_response(rows, values)
        return Redrawn(own, remeasure(own, found.measured, fit.family), fit.theta)

    return of_rows


@public
def jackknife(groups: Any = None) -> Estimator:
    """The jackknife: every row, or every cluster, left out once.

    V = (R - 1) / R sum_r (b_r - mean b)(b_r - mean b)' over R refits (Efron 1982, chapter 3).
    Under frequency weights one copy of a row is left out, as often as it has copies.

    Parameters
    ----------
    groups : str or array, optional
        Clusters that are left out together; single rows otherwise.

    Returns
    -------
    Estimator

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ 1", {"y": [1, 3, 2, 6]}, cov=gc.jackknife())
    >>> round(float(r.bse["Intercept"]), 4)
    0.4
    """
    columns, given = _one_column(groups)
    made = Resampled(kind="jackknife", groups=columns, reps=0, seed=0, studentised=False)
    needs = Needs(groups=() if columns is None else (columns,), refits=True, given=given)
    return Estimator("jackknife", "jackknife", made, needs)


@public
def bootstrap(
    reps: int = 999,
    kind: str = "pairs",
    groups: Any = None,
    rng: int | np.random.Generator | None = None,
    studentised: bool = False,
) -> Estimator:
    """A covariance of refits to resampled data.

    Parameters
    ----------
    reps : int
    kind : {"pairs", "cluster", "parametric", "bayesian"}
        Draw rows (under frequency weights their copies), clusters, responses from the fitted
        model, or weights of a flat Dirichlet distribution over rows or clusters (Rubin 1981).
        "parametric" draws w counts of a row with a whole frequency weight w, one of a row with an
        importance weight, and cuts censored counts at the limit of their row.
    groups : str or array, optional
        The clusters: needed by "cluster", possible with "bayesian".
    rng : int or Generator, optional
        The seed; each draw has its own stream, so that threads change nothing.
    studentised : bool
        Keep standard errors of each draw, for ``conf_int(method="bootstrap",
        kind="studentised")``.

    Returns
    -------
    Estimator
        Its draws give ``r.conf_int(method="bootstrap")`` too. ``Control(progress=True)`` shows
        how far it is.

    Raises
    ------
    UsageError
        If kind and groups do not fit together.
    NotDefinedError
        Once draws are made: by "parametric" for quasi-likelihoods, probability weights, and limits
        that are known only of the counts that reached them; for frequency weights that are no
        whole numbers.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6, 4, 5, 2, 2], "x": [0, 1] * 4}
    >>> r = gc.fit("y ~ x", data, cov=gc.bootstrap(99, kind="bayesian", rng=1))
    >>> bool(0.1 < r.bse["x"] < 0.5)
    True
    """
    choice("kind", kind, BOOTSTRAPS, "bootstrap_kind")
    count = whole("reps", reps, 20, "reps", "Covariances take some hundreds.")
    truth("studentised", studentised)
    columns, given = _one_column(groups)
    if (kind == "cluster") != (columns is not None) and kind != "bayesian":
        raise UsageError(
            "kind='cluster' draws the clusters of groups='g', and other kinds draw rows; got "
            f"kind={kind!r} and groups={shown(groups)}.",
            kind="bootstrap_kind",
        )
    seed = int(generator(rng).integers(1 << 62))
    made = Resampled(kind=kind, groups=columns, reps=count, seed=seed, studentised=studentised)
    needs = Needs(groups=() if columns is None else (columns,), refits=True, given=given)
    return Estimator("bootstrap", f"bootstrap ({kind})", made, needs)


def _one_column(groups: Any) -> tuple[str | None, dict[str, Any]]:
    if groups is None:
        return None, {}
    columns, given = named("groups", groups)
    if len(columns) > 1:
        raise UsageError(
            f"One way of clusters can be drawn or left out; {len(columns)} are named.",
            kind="several_clusters",
        )
    return columns[0], given
