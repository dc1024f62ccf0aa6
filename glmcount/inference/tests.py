"""Wald tests of linear hypotheses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy

from glmcount.errors import CovarianceError, NotDefinedError
from glmcount.families.base import Family, Limit
from glmcount.fitting.estimates import Estimates
from glmcount.front import fronted
from glmcount.inference.hypotheses import shortened
from glmcount.inference.intervals import OwnFreedom, each_freedom, interval, tail, width
from glmcount.inference.words import sentences
from glmcount.numerics import Array
from glmcount.numerics.factor import factor
from glmcount.numerics.tails import chi2_tail
from glmcount.printed import Lines, Printed
from glmcount.records import dataclass

__all__ = ["Posed", "TestResult", "Tested", "posed", "single", "wald"]


@fronted
@dataclass(frozen=True, repr=False)
class TestResult(Printed):
    """A test: its statistic, p-value and degrees of freedom; it prints as a sentence.

    Parameters
    ----------
    statistic, pvalue : float
    df : float
    distribution : str
        "chi2" or "F"; "half chi2" where the null is a boundary; "normal", "t", "bootstrap".
    hypothesis : str
    df_denom : float or None
        Second degrees of freedom of an F.
    title : str
        What the test is called.
    conf_int : (float, float) or None
        Of what is tested, where the test has an interval.
    note : str
        What else is to be known of it: which information, how many draws.
    estimate : float or None
        Of what the test is about, where that is one number.

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
    >>> print(r.wald_test("x = 0"))
    Wald test of x = 0: chi2(1) = 2.7156, p = 0.0994
    """

    statistic: float
    pvalue: float
    df: float
    distribution: str
    hypothesis: str = ""
    df_denom: float | None = None
    title: str = "Wald test"
    conf_int: tuple[float, float] | None = None
    note: str = ""
    estimate: float | None = None

    __test__ = False

    @property
    def _law(self) -> str:
        second = "" if self.df_denom is None else f", {self.df_denom:g}"
        # The draws have no degrees of freedom.
        free = {"normal": "z", "bootstrap": "T"}.get(self.distribution)
        return free or f"{self.distribution}({self.df:g}{second})"

    def __str__(self) -> str:
        shown = "p < 0.001" if self.pvalue < 0.001 else f"p = {self.pvalue:.4f}"
        note = f" ({self.note})" if self.note else ""
        return (
            f"{self.title} of {shortened(self.hypothesis)}: "
            f"{self._law} = {self.statistic:.4f}, {shown}{self._effect()}{note}"
        )

    def _lines(self) -> Lines:
        """The test as a table, for notebooks."""
        ends = None if self.conf_int is None else "{:.4g} to {:.4g}".format(*self.conf_int)
        facts = (
            ("hypothesis", shortened(self.hypothesis)),
            (self._law, f"{self.statistic:.4f}"),
            ("p-value", "< 0.001" if self.pvalue < 0.001 else f"{self.pvalue:.4f}"),
            ("estimate", None if self.estimate is None else f"{self.estimate:.4g}"),
            ("interval", ends),
            ("note", self.note),
        )
        return Lines(self.title, facts)

    def _effect(self) -> str:
        ends = "" if self.conf_int is None else " [{:.4g}, {:.4g}]".format(*self.conf_int)
        if self.estimate is None:
            return f", interval{ends}" if ends else ""
        return f", estimate {self.estimate:.4g}{ends}"


@dataclass(frozen=True)
class Tested:
    """What hypotheses are about: parameters, their covariance, and the family they belong to.

    Parameters
    ----------
    found : Estimates
    matrix : ndarray, shape (k, k)
        Covariance of the reported parameters; of a maximum at infinity that of the limit.
    family : Family
    df : float or None
        Of Student's t, or the second of an F.
    freedom : OwnFreedom or None
        Where each hypothesis has its own.
    rank : int or None
        Dimensions that the covariance has at most; None for all.
    """

    found: Estimates
    matrix: Array
    family: Family
    df: float | None
    freedom: OwnFreedom | None = None
    rank: int | None = None

    def inside(self, functions: Array) -> Array:
        """Functions of the reported parameters as those of the kept ones, as they are estimated."""
        free = len(self.found.names) - int(self.found.fixed.sum())
        return (functions * self.found.slope)[..., :free]

    def each_df(self, functions: Array) -> float | Array | None:
        """Degrees of freedom of each of several functions alone; None for the normal law."""
        if self.freedom is None:
            return self.df
        return each_freedom(self.freedom.of, self.inside(functions))

    def on_boundary(self, j: int, value: float, hypothesis: str) -> float:
        """The predictor at which an ancillary parameter has that value.

        Raises
        ------
        NotDefinedError
            If the value is on the boundary of the parameter, or beyond.
        """
        name, number = self.found.names[j], int(self.found.equations[j])
        natural = self.family.equations[number].natural
        assert natural is not None
        with np.errstate(over="ignore"):
            low, high = natural(np.array([-np.inf, np.inf]))[0]
            if low < value < high:
                return _inverse(natural, value)
        if value not in (low, high):
            raise NotDefinedError(
                f"{name} is between {low:g} and {high:g}, and the hypothesis {hypothesis!r} asks "
                f"about {value:g}.",
                kind="boundary_hypothesis",
            )
        limit = next((one for one in self.family.limits if one.equation == number), None)
        raise NotDefinedError(
            f"{name} = {value:g} is on the boundary of what {name} can be. There a Wald statistic "
            f"has no chi-squared distribution, so the hypothesis {hypothesis!r} has no Wald test. "
            + _instead(limit, value),
            kind="boundary_hypothesis",
        )


def _instead(limit: Limit | None, value: float) -> str:
    if limit is None or limit.value != value:
        return "Compare the log-likelihood with that of the model it stands for."
    half = "" if limit.lost else ", half chi2(1), which r.summary() prints"
    return (
        f"The likelihood-ratio test compares the log-likelihood with that of a "
        f"{limit.family.label} model{half}. Leave this parameter out of other tests."
    )


def _inverse(natural: Callable[[Array], tuple[Array, Array]], value: float) -> float:
    """The predictor that an increasing map takes to a value inside its range."""
    low, high = -745.0, 745.0
    while natural(np.array([low]))[0][0] > value:
        low *= 2.0
    while natural(np.array([high]))[0][0] < value:
        high *= 2.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        below = natural(np.array([middle]))[0][0] < value
        low, high = (middle, high) if below else (low, middle)
    at, slope = natural(np.array([high]))
    return float(high - (at[0] - value) / slope[0]) if slope[0] > 0 else high


@dataclass(frozen=True)
class Posed:
    """Hypotheses with every parameter that they pin down on the scale of its predictor."""

    coefficients: Array
    constants: Array
    values: Array
    scale: Array


def posed(about: Tested, coefficients: Array, constants: Array, hypothesis: str) -> Posed:
    """Rows R b = r for a Wald test, one fewer for each that follows from the others.

    An ancillary parameter is nearly normal on the scale on which it is estimated, the logarithm
    of alpha say. What follows from the hypotheses for one such parameter alone is therefore
    asked there; where others come in as well, its natural scale and the delta method remain.
    """
    found = about.found
    sizes = np.abs(coefficients).max(axis=1, initial=0.0)
    sizes[sizes == 0] = 1.0
    rows, right = coefficients / sizes[:, None], constants / sizes
    pinned, at = [], []
    for j in np.flatnonzero(found.natural & rows.any(axis=0)).tolist():
        unit = np.zeros(len(found.names))
        unit[j] = 1.0
        mix = np.linalg.lstsq(rows.T, unit, rcond=1e-12)[0]
        if np.allclose(np.dot(mix, rows), unit, rtol=0.0, atol=1e-10):
            pinned.append(j)
            at.append(_sum(mix * right))
    values, scale = found.settled.copy(), np.ones(len(found.names))
    if not pinned:
        return Posed(rows, right, values, scale)
    units = np.zeros((len(pinned), len(found.names)))
    units[range(len(pinned)), pinned] = 1.0
    inner = [about.on_boundary(j, value, hypothesis) for j, value in zip(pinned, at, strict=True)]
    rest = rows.copy()
    rest[:, pinned] = 0.0
    gap = right - np.dot(rows[:, pinned], at)
    mixes, lengths, _ = np.linalg.svd(rest, full_matrices=False)
    mixes = mixes[:, lengths > 1e-10]
    values[pinned], scale[pinned] = found.internal[pinned], 1.0 / found.slope[pinned]
    return Posed(
        np.vstack([units, np.dot(mixes.T, rest)]),
        np.concatenate([inner, np.dot(mixes.T, gap)]),
        values,
        scale,
    )


def _sum(parts: Array) -> float:
    """Their sum; 0 where it is but the rounding of several."""
    total, most = float(parts.sum()), float(np.abs(parts).max())
    return total if abs(total) > 1e-13 * most else 0.0


def wald(about: Tested, coefficients: Array, constants: Array, hypothesis: str) -> TestResult:
    """W = (R b - r)' (R V R')^-1 (R b - r), chi-squared with rank(R) df, or W / df as F.

    Raises
    ------
    CovarianceError
        If R V R' is singular: hypotheses repeat each other, or were not estimated.
    NotDefinedError
        If a parameter is infinite or on its boundary, or is asked to be there.
    """
    quoted = shortened(hypothesis)
    with np.errstate(divide="ignore"):
        asked = posed(about, coefficients, constants, quoted)
    used = np.any(asked.coefficients != 0, axis=0)
    scale, rows = asked.scale[used], asked.coefficients[:, used]
    with np.errstate(invalid="ignore"):
        matrix = about.matrix[np.ix_(used, used)] * np.multiply.outer(scale, scale)
    if not np.all(np.isfinite(matrix)) or np.any(about.found.ways(coefficients) != 0.0):
        raise _no_test(quoted)
    gap = np.dot(rows, asked.values[used]) - asked.constants
    count = len(coefficients)
    # Rounding may hide that a matrix is singular.
    many = about.rank is not None and count > about.rank
    whole = len(rows) == count and not many
    found = factor(np.dot(np.dot(rows, matrix), rows.T)) if whole else None
    if found is None:
        raise _singular(quoted, rows, count)
    statistic = float(np.dot(gap, found.solve(gap)))
    if about.freedom is not None:
        functions = np.zeros((count, len(about.found.names)))
        functions[:, used] = rows * scale
        return _hotelling(about.freedom, about.inside(functions), statistic, hypothesis)
    if about.df is None:
        return TestResult(statistic, chi2_tail(statistic, count), count, "chi2", hypothesis)
    ratio = statistic / count
    pvalue = float(scipy.special.fdtrc(count, about.df, ratio))
    return TestResult(ratio, pvalue, count, "F", hypothesis, about.df)


def _singular(quoted: str, rows: Array, count: int) -> CovarianceError:
    lengths = np.linalg.norm(rows, axis=1)
    if len(rows) == count and lengths.all():
        rank = int(np.linalg.matrix_rank(rows / lengths[:, None]))
        if rank == count:
            return CovarianceError(
                f"The covariance leaves no joint test of {quoted!r}: it has fewer dimensions than "
                "these hypotheses, as one of so many clusters, times or draws has. Test fewer at a "
                "time, or use another covariance.",
                kind="singular_covariance",
            )
    return CovarianceError(
        f"The hypotheses {quoted!r} repeat or contradict each other, or concern a parameter "
        "without a standard error, so there is no joint test of them.",
        kind="singular_hypothesis",
    )


def _hotelling(
    freedom: OwnFreedom, functions: Array, statistic: float, hypothesis: str
) -> TestResult:
    """HTZ of Pustejovsky & Tipton 2018 (JBES 36, section 3.2): Hotelling's T^2 as an F.

    Raises
    ------
    NotDefinedError
        If fewer degrees of freedom are left than hypotheses take.
    """
    count = len(functions)
    nu = freedom.of.joint(functions)
    left = nu - count + 1.0
    if not left > 0:
        raise NotDefinedError(
            f"Of the hypotheses {shortened(hypothesis)!r} the clusters tell with {nu:.3g} degrees "
            f"of freedom, and a joint test of {count} takes more. Test fewer at once, or use "
            "r.with_cov(glmcount.cluster(..., df='t')).",
            kind="no_degrees_of_freedom",
        )
    ratio = left / (nu * count) * statistic
    pvalue = float(scipy.special.fdtrc(count, left, ratio))
    return TestResult(ratio, pvalue, count, "F", hypothesis, left)


def _no_test(hypothesis: str) -> NotDefinedError:
    return NotDefinedError(
        f"The hypothesis {hypothesis!r} concerns a parameter that is infinite or on its "
        "boundary, of which there is no Wald test.",
        kind="no_wald_test",
    )


def single(
    about: Tested, coefficients: Array, constants: Array, alpha: float, hypothesis: str
) -> tuple[tuple[str, ...], Array, Array, Array, Array, Array, Array]:
    """Each hypothesis alone: in words, R b, its errors, statistics, p-values and intervals."""
    df, quoted = about.each_df(coefficients), shortened(hypothesis)
    reach = np.broadcast_to(width(alpha, df), len(coefficients))
    out = [
        _alone(about, row, float(value), own, quoted)
        for row, value, own in zip(coefficients, constants, reach.tolist(), strict=True)
    ]
    estimate, errors, statistic, low, high = np.array(out).T
    names = sentences(coefficients, constants, about.found.names)
    return (names, estimate, errors, statistic, tail(statistic, df), low, high)


def _alone(
    about: Tested, row: Array, value: float, reach: float, hypothesis: str
) -> tuple[float, float, float, float, float]:
    """Estimate, error, statistic and interval of one combination."""
    found, used = about.found, np.flatnonzero(row)
    if found.fixed[used].any():
        raise _no_test(hypothesis)
    (way,) = found.ways(row[None])
    if way != 0.0:
        return way * np.inf, abs(way) * np.inf, np.nan, np.nan, np.nan
    variance = np.dot(np.dot(row[used], about.matrix[np.ix_(used, used)]), row[used])
    estimate, error = float(np.dot(row[used], found.settled[used])), float(np.sqrt(variance))
    if len(used) == 1 and found.natural[used[0]]:
        j = int(used[0])
        inner = about.on_boundary(j, value / row[j], hypothesis)
        of_predictor = error / (found.slope[j] * row[j])
        ends = row[j] * interval(found, j, error / abs(row[j]), reach)
        statistic = (found.internal[j] - inner) / of_predictor
        return estimate, error, float(statistic), float(ends.min()), float(ends.max())
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.float64(estimate - value) / error
    return estimate, error, float(statistic), estimate - reach * error, estimate + reach * error
