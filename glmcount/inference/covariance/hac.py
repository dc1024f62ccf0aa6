"""Covariances robust to autocorrelation: HAC within series and panels, Driscoll & Kraay.

With u_t the sum of the scores of one time the filling is sum_l k(l / b) (G_l + G_l'), G_l the sum
of u_t u_{t+l}' over all pairs that lie l apart (Newey & West 1987, Econometrica 55), within panels
only. Driscoll & Kraay 1998 (REStat 80) sum over all panels first.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.allowed import choice, real, truth, whole
from glmcount.errors import CovarianceError, CovarianceWarning, UsageError, counted, outside
from glmcount.front import public
from glmcount.inference.covariance.cluster import named
from glmcount.inference.covariance.estimator import Covariance, Estimator, shown_name
from glmcount.inference.covariance.kernels import KERNELS, andrews, newey_west, prewhitened
from glmcount.inference.covariance.robust import between, filled
from glmcount.inference.covariance.series import (
    Clock,
    clock_of,
    lagged,
    runs_of_keys,
    scores_in_time,
)
from glmcount.inference.setting import Needs, Setting
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["driscoll_kraay", "hac"]

ORDER = "order"
RULES = ("newey-west", "andrews")
# What columns of times are called.
WORDS = ("date", "day", "hour", "month", "period", "quarter", "time", "week", "year")


@dataclass(frozen=True, kw_only=True)
class Autocorrelated:
    """What `hac` or `driscoll_kraay` was asked for."""

    time: str
    panel: str | None
    lags: int | None
    bandwidth: float | str | None
    kernel: str
    prewhiten: int
    adjust: bool
    summed: bool = False

    @property
    def ordered(self) -> bool:
        """Whether a column orders the rows."""
        return self.time != ORDER

    def __call__(self, setting: Setting, bread: Array) -> Covariance:
        """The covariance, and what is said of it."""
        clock = clock_of(setting)
        self._refuse_beyond(clock)
        used = setting.rows.n_used
        if not self.summed:
            self._doubt_series(used, len(clock.keys))
            self._doubt_order(setting)
        if (self.prewhiten or self.bandwidth == "andrews") and not clock.regular:
            self._refuse_irregular(clock)
        by_rule = self.lags is None and self.bandwidth is None and not self.panel
        if self.prewhiten or self.bandwidth in RULES or (by_rule and not self.summed):
            filling, told = self._whole(setting, clock)
        else:
            filling, told = self._by_runs(setting, clock)
        factor = 1.0
        if self.adjust:
            nobs, k = setting.nobs, setting.found.k_mean
            if nobs <= k:
                raise CovarianceError(
                    f"adjust=True divides by nobs - k, which is {nobs:g} - {k}; leave it out.",
                    kind="saturated",
                )
            factor = nobs / (nobs - k)
        matrix = filled(setting, between(bread, filling), bread) * factor
        by = shown_name(self.panel or "")
        panels = f" in {counted(clock.panels, 'panel')} by {by}" if by else ""
        kernel = KERNELS[self.kernel].label
        times = f"{len(clock.times):,} times" if self.ordered else f"{len(clock.times):,} rows"
        of = f" of {shown_name(self.time)}" if self.ordered else ""
        note = (
            f"Autocorrelation-robust over {times}{of}{panels}: {kernel} "
            f"kernel, {told}{f', times {factor:.6g}' if self.adjust else ''}."
        )
        if self.panel and used > len(clock.keys):
            note += (
                f" {used:,} rows have {len(clock.keys):,} times in their panels: scores of one "
                "time were added up."
            )
        # Score sums add up to zero; what is left of an autoregression of them need not.
        rank = len(clock.keys) - (self.prewhiten or 1)
        return Covariance(matrix, note, rank=rank)

    def _refuse_beyond(self, clock: Clock) -> None:
        longest, told = int(clock.steps[-1]), ""
        if self.lags is not None and self.lags > longest:
            told = f"lags={self.lags}"
        elif isinstance(self.bandwidth, float) and self.bandwidth > longest + 1:
            told = f"bandwidth={self.bandwidth:g}"
        if told:
            raise CovarianceError(
                f"{told} is longer than the times, of which the last is {longest} units after the "
                "first: with weights as long the scores, which add up to zero, would leave hardly "
                "any variance. Take a shorter one; the default is a rule.",
                kind="lags",
            )

    def _doubt_series(self, rows: int, sums: int) -> None:
        """Warn where rows of one time are added up, or time and panel look exchanged."""
        time, of = shown_name(self.time), shown_name(self.panel or "")
        own, text = _written(self.time), ""
        if of.lower() in WORDS and time.lower() not in WORDS:
            text = (
                f"Lags are of {time}, within panels by {of}, which by its name is the time. Write "
                f"glmcount.hac({of!r}, panel={own})."
            )
        elif rows > sums and not of:
            text = (
                f"{rows:,} rows have {sums:,} times of {time}, {rows / sums:.3g} each: without "
                "panel= rows of one time are added up and taken as one series. Write "
                f"glmcount.hac({own}, panel=...) with the column that names the series, or "
                f"glmcount.driscoll_kraay({own}) if the sum is meant."
            )
        if text:
            warnings.warn(CovarianceWarning(text, kind="rows_of_one_time"), stacklevel=outside())

    def _doubt_order(self, setting: Setting) -> None:
        """Warn where the order of the rows is taken, and a column has its name."""
        if not self.ordered and ORDER in setting.rows.source.names:
            text = (
                "glmcount.hac('order') takes rows in the order in which the data have them, and "
                "these have a column 'order'. If that is the time pass it as an array, "
                "glmcount.hac(data['order']), or rename it."
            )
            warnings.warn(CovarianceWarning(text, kind="order_column"), stacklevel=outside())

    def _doubt_reach(self, clock: Clock, weights: Array) -> None:
        """Warn where no two times are as near as the lags reach."""
        reach = int(np.flatnonzero(weights)[-1])
        gaps = np.diff(clock.keys)
        if reach and len(gaps) and gaps.min() > reach:
            nearest = int(gaps.min())
            apart, instead = (
                f"times of one series are {nearest} of them apart or more",
                ("Take longer lags=, or times on a grid: months, or whole numbers 0, 1, 2 ..."),
            )
            if nearest > int(clock.steps[-1]):
                apart, instead = "no series has two times", "Name the column of the series."
            text = (
                f"The lags reach {reach} (in units of {clock.unit}), and {apart}, so that no "
                f"autocorrelation is looked at and errors are those of independent times. {instead}"
            )
            warnings.warn(CovarianceWarning(text, kind="no_lags"), stacklevel=outside())

    def _refuse_irregular(self, clock: Clock) -> None:
        what = "prewhiten=" if self.prewhiten else "bandwidth='andrews'"
        why = f"{clock.panels:,} panels" if clock.panels > 1 else "a series with gaps"
        raise CovarianceError(
            f"{what} takes one series without gaps, and these rows are {why} (a unit of time is "
            f"{clock.unit}). Give lags=, and leave out prewhiten= and bandwidth=.",
            kind="irregular_series",
        )

    def _whole(self, setting: Setting, clock: Clock) -> tuple[Array, str]:
        """The filling of one regular series, of which all scores are looked at together."""
        for _, last, _ in runs_of_keys(setting, clock, clock.width):
            assert last == len(clock.keys)
        series, keys = scores_in_time(setting, clock, 0, len(clock.keys)), clock.keys
        kernel, back = KERNELS[self.kernel], np.eye(series.shape[1])
        if self.prewhiten:
            if len(series) <= self.prewhiten * (series.shape[1] + 1):
                raise CovarianceError(
                    f"prewhiten={self.prewhiten} takes more than {len(series)} times for "
                    f"{series.shape[1]} parameters; leave it out.",
                    kind="prewhiten",
                )
            series, back = prewhitened(series, self.prewhiten)
            keys = keys[self.prewhiten :]
        if self.lags is not None:
            bandwidth, told = self.lags + 1.0, f"lags up to {self.lags}"
        elif isinstance(self.bandwidth, float):
            bandwidth, told = self.bandwidth, f"bandwidth {self.bandwidth:.6g}"
        else:
            own, chosen = _in_users_columns(setting, series)
            if self.bandwidth == "andrews":
                bandwidth = andrews(kernel, own, chosen)
            else:
                bandwidth = newey_west(kernel, own, keys, chosen, self.prewhiten)
            _refuse_bandwidth(bandwidth, len(series))
            if self.bandwidth is None and self.kernel == "bartlett":
                lags = math.floor(bandwidth)
                bandwidth, told = lags + 1.0, f"lags up to {lags} by the rule of Newey and West"
            else:
                rule = "Andrews" if self.bandwidth == "andrews" else "Newey and West"
                told = f"bandwidth {bandwidth:.6g} by the rule of {rule}"
        weights = kernel.weights(bandwidth, int(keys[-1] - keys[0]))
        self._doubt_reach(clock, weights)
        filling = lagged(keys, series, weights, len(series))
        filling = np.dot(np.dot(back, filling), back.T)
        white = f", prewhitened by {self.prewhiten}" if self.prewhiten else ""
        return filling, f"{told}{white}"

    def _by_runs(self, setting: Setting, clock: Clock) -> tuple[Array, str]:
        """The filling of series with gaps or in panels, a run of times after the other."""
        kernel, longest = KERNELS[self.kernel], int(clock.steps[-1])
        lags = self.lags
        if isinstance(self.bandwidth, float):
            bandwidth, told = self.bandwidth, f"bandwidth {self.bandwidth:.6g}"
        else:
            lags = math.floor(len(clock.times) ** 0.25) if lags is None else lags
            unit = "" if clock.unit == "1" else f" (units of {clock.unit})"
            bandwidth, told = lags + 1.0, f"lags up to {lags}{unit}"
        weights = kernel.weights(bandwidth, longest)
        self._doubt_reach(clock, weights)
        total = np.zeros((len(setting.fit.kept), len(setting.fit.kept)))
        for first, last, beyond in runs_of_keys(setting, clock, len(weights) - 1):
            scores = scores_in_time(setting, clock, first, beyond)
            total += lagged(clock.keys[first:beyond], scores, weights, last - first)
        return total, told


def _refuse_bandwidth(bandwidth: float, times: int) -> None:
    if not bandwidth < times:
        raise CovarianceError(
            f"The rule gives a bandwidth of {bandwidth:.6g} for a series of {times} times, which "
            "is too short for it. Give lags= as a number.",
            kind="bandwidth",
        )


def _written(name: str) -> str:
    """A column as a call has it."""
    return "..." if name.startswith("<") else repr(name)


def _in_users_columns(setting: Setting, series: Array) -> tuple[Array, NDArray[Any]]:
    """Scores by the user's parameters, and which of them are no constants."""
    fit = setting.fit
    full = np.zeros((len(series), fit.layout.size))
    full[:, fit.kept] = series
    own = fit.layout.unshifted_scores(full)[:, fit.kept]
    chosen = np.ones(len(fit.kept), dtype=bool)
    for constant in fit.layout.constants:
        if constant is not None and np.count_nonzero(constant) == 1:
            chosen[fit.kept == int(np.flatnonzero(constant)[0])] = False
    return own, np.flatnonzero(chosen) if chosen.any() else np.arange(len(fit.kept))


@public
def hac(
    time: Any,
    panel: Any = None,
    lags: int | None = None,
    bandwidth: float | str | None = None,
    kernel: str = "bartlett",
    prewhiten: int = 0,
    adjust: bool = False,
) -> Estimator:
    """A covariance robust to heteroscedasticity and autocorrelation.

    V = B (sum_l k(l / b) (G_l + G_l')) B with G_l = sum_t u_t u_{t+l}', u_t the sum of the scores
    of one time.

    Parameters
    ----------
    time : str or array
        The column of times, numbers or dates: a lag is a difference of these, whatever the order
        of the rows, in units of what all differences are multiples of: months for dates that
        are one day of the month, or its last. "order" takes the rows of the data as they come.
        A fit that is asked for it leaves out rows that miss their time or panel.
    panel : str or array, optional
        Series within which lags are taken, never across. Scores of rows that share a time within
        their panel are added up, and the summary says how many times there are.
    lags : int, optional
        L lags in units of time, with weights k(l / (L + 1)). By default, in panels
        floor(T^(1/4)) of T times; of one series by the rule of Newey & West 1994.
    bandwidth : float or {"newey-west", "andrews"}, optional
        b of k(l / b) instead; the rules take one series, that of Andrews one
        without gaps.
    kernel : {"bartlett", "parzen", "qs"}
        qs is the quadratic spectral one, which weighs all lags.
    prewhiten : int
        Order of an autoregression taken out of the scores first (Andrews & Monahan 1992); one
        series without gaps.
    adjust : bool
        Multiply by nobs / (nobs - k), k the coefficients of the mean.

    Returns
    -------
    Estimator
        For ``cov=`` and ``r.with_cov()``.

    Raises
    ------
    UsageError
        For options that do not fit together.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6, 4, 5], "x": [0, 1, 0, 1, 0, 1], "year": range(1990, 1996)}
    >>> r = gc.fit("y ~ x", data, cov=gc.hac("year", lags=1))
    >>> round(float(r.bse["x"]), 4)
    0.2586
    """
    column, given = _time(time)
    panels, more = ((), {}) if panel is None else named("panel", panel)
    if len(panels) > 1:
        raise UsageError(
            "panel= takes one column: make one of several that names each series.", kind="panel"
        )
    choice("kernel", kernel, KERNELS, "kernel")
    truth("adjust", adjust)
    if lags is not None and bandwidth is not None:
        raise UsageError("Give lags= or bandwidth=, not both.", kind="lags")
    made = Autocorrelated(
        time=column,
        panel=panels[0] if panels else None,
        lags=None if lags is None else whole("lags", lags, 0, "lags"),
        bandwidth=_bandwidth(bandwidth),
        kernel=kernel,
        prewhiten=whole("prewhiten", prewhiten, 0, "prewhiten"),
        adjust=adjust,
    )
    if panel is not None and (made.prewhiten or made.bandwidth in RULES):
        raise UsageError(
            "prewhiten= and the rules for bandwidth= take one series; with panel= give lags=.",
            kind="irregular_series",
        )
    needs = Needs(
        groups=panels,
        order=() if column == ORDER else (column,),
        given={**given, **more},
    )
    return Estimator("hac", "HAC", made, needs)


def _time(given: Any) -> tuple[str, dict[str, Any]]:
    """The column of times, and by its name the array that was given in its place."""
    columns, arrays = named("time", given)
    if len(columns) > 1:
        raise UsageError(
            "time= takes one column: make one of several, such as dates of years and months.",
            kind="time",
        )
    return columns[0], arrays


def _bandwidth(given: Any) -> float | str | None:
    if given is None or (isinstance(given, str) and given in RULES):
        return given
    allowed = "a positive number, 'newey-west', 'andrews' or None"
    return float(real("bandwidth", given, allowed, "bandwidth", above=0.0))


@public
def driscoll_kraay(time: Any, lags: int | None = None, adjust: bool = False) -> Estimator:
    """A covariance robust to autocorrelation, and to correlation between all rows of one time.

    The scores of one time are summed over all panels, and these sums treated as one series by
    Bartlett's kernel (Driscoll & Kraay 1998).

    Parameters
    ----------
    time : str or array
        As for `hac`.
    lags : int, optional
        floor(T^(1/4)) of T times by default.
    adjust : bool
        Multiply by nobs / (nobs - k).

    Returns
    -------
    Estimator

    Raises
    ------
    UsageError
        If the times are those of the order of the data, or lags is not a whole number of 0 or more.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = {"y": [1, 3, 2, 6, 4, 5], "x": [0, 1, 0, 1, 0, 1], "year": [1, 1, 2, 2, 3, 3]}
    >>> r = gc.fit("y ~ x", data, cov=gc.driscoll_kraay("year", lags=1))
    >>> round(float(r.bse["x"]), 4)
    0.2259
    """
    column, given = _time(time)
    truth("adjust", adjust)
    if column == ORDER:
        raise UsageError(
            "driscoll_kraay sums the rows of one time, and in the order of the data each has its "
            "own. Name the column of times.",
            kind="time",
        )
    made = Autocorrelated(
        time=column,
        panel=None,
        lags=None if lags is None else whole("lags", lags, 0, "lags"),
        bandwidth=None,
        kernel="bartlett",
        prewhiten=0,
        adjust=adjust,
        summed=True,
    )
    return Estimator("driscoll_kraay", "Driscoll-Kraay", made, Needs(order=(column,), given=given))
