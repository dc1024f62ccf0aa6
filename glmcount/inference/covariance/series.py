"""Scores in the order of time: sums of the rows of one time, within panels, and their lags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.columns.whole import EXACT
from glmcount.engine.scores import row_scores
from glmcount.engine.strip import Strip
from glmcount.errors import CovarianceError, MemoryLimitError
from glmcount.inference.covariance.estimator import shown_name
from glmcount.inference.covariance.grouped import Roles, summed
from glmcount.inference.setting import Setting
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Clock", "clock_of", "lagged", "scores_in_time"]

Keys = NDArray[np.int64]
MONTH = "M8[M]"
# How many of them a second has: dates come in these, and in coarser units.
SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
SHORT = {"ms": "millisecond", "us": "microsecond", "ns": "nanosecond"}
# Lags from which a transform is quicker, and by how much a grid may be longer than its times.
MANY = 128
SPARSE = 8
# Of a step of numbers: what is left of another below it is rounding.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Clock:
    """The times of the rows as whole numbers of one unit, and the panels.

    Parameters
    ----------
    times : ndarray, shape (times,)
        Distinct times, ascending.
    steps : ndarray of int, shape (times,)
        Of each the number of units since the first.
    unit : str
        In words.
    panels : int
        How many there are; 1 where none are named.
    keys : ndarray of int64, shape (score sums,)
        What tells panel and time of the score sums apart, ascending; a panel's times follow each
        other, and a later time of it is as many keys on as units.
    """

    times: NDArray[Any]
    steps: Keys
    unit: str
    panels: int
    keys: Keys

    @property
    def width(self) -> int:
        """Keys between the first times of two panels: no lag is as long."""
        return 2 * int(self.steps[-1]) + 2

    @property
    def regular(self) -> bool:
        """Whether this is one series without gaps."""
        return self.panels == 1 and len(self.keys) == int(self.steps[-1]) + 1

    def key(self, setting: Setting, strip: Strip, roles: Roles) -> Keys:
        """Of the rows of a strip."""
        step = self.steps[np.searchsorted(self.times, times_of(setting, strip, roles))]
        return roles[0].astype(np.int64) * self.width + step if setting.needs.groups else step


def times_of(setting: Setting, strip: Strip, roles: Roles) -> NDArray[Any]:
    """Times of a strip's rows: the column's, or their numbers in the data."""
    if setting.needs.order:
        return roles[-1]
    own = np.arange(strip.n) if strip.where is None else strip.where
    return strip.first + own


def clock_of(setting: Setting) -> Clock:
    """Go over the rows for their times and panels.

    Raises
    ------
    CovarianceError
        If there is one time only, or times are on no common grid.
    """

    def seen(strip: Strip, roles: Roles) -> NDArray[Any]:
        return np.unique(times_of(setting, strip, roles))

    times = setting.runs(seen, _union)
    if times.dtype.kind == "f" and not np.isfinite(times).all():
        raise CovarianceError(
            f"{shown_name(setting.needs.order[0])} orders the rows, and holds infinite times. "
            "Leave these rows out, or correct them.",
            kind="time_grid",
        )
    if len(times) < 2:
        raise CovarianceError(
            "All rows have one time, so that nothing comes before anything else. Name the column "
            "that orders the rows.",
            kind="one_time",
        )
    steps, unit = _steps(times)
    panels = setting.sizes[0] if setting.needs.groups else 1
    clock = Clock(times, steps, unit, panels, np.zeros(0, dtype=np.int64))
    if panels * clock.width >= 1 << 62:
        raise CovarianceError(
            "The times span too many units to number. Round them to days or months.",
            kind="time_grid",
        )

    def keyed(strip: Strip, roles: Roles) -> Keys:
        return np.unique(clock.key(setting, strip, roles))

    keys = setting.runs(keyed, _union)
    return Clock(times, steps, unit, panels, keys)


def _union(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    return np.unique(np.concatenate([a, b]))


def _steps(times: NDArray[Any]) -> tuple[Keys, str]:
    """Times as whole numbers of the largest unit that they are all multiples of."""
    if times.dtype.kind == "M":
        return _dated(times)
    # Beside missing ones whole numbers come as doubles.
    if times.dtype.kind in "iu" or (np.abs(times).max() < EXACT and (times % 1 == 0).all()):
        return _by_unit(times.astype(np.int64), "")
    gaps = np.diff(times)
    size = float(gaps.min())
    found = np.rint((times - times[0]) / size)
    if np.abs(found * size - (times - times[0])).max() > ROUNDING * size:
        raise CovarianceError(
            "Lags are differences of times, and these are no multiples of their smallest "
            f"difference, {size:g}. Give whole numbers, or dates.",
            kind="time_grid",
        )
    return found.astype(np.int64), f"{size:g}"


def _dated(times: NDArray[Any]) -> tuple[Keys, str]:
    """Of dates and times: months where all are the same day of a month, or its last one."""
    unit = np.datetime_data(times.dtype)[0]
    second = SECOND.get(unit, 1)
    stamps = times.astype(f"M8[{unit if unit in SECOND else 's'}]").astype(np.int64)
    days = _days(stamps, 3_600 * second)
    if days is None:
        size = int(np.gcd.reduce(stamps - stamps[0]))
        for name, of in (("hour", 3_600), ("minute", 60), ("second", 1)):
            if size % (of * second) == 0:
                return _by_unit((stamps - stamps[0]) // (of * second), name)
        return _by_unit(stamps, SHORT[unit])
    # The day after the last one is the first of a month, however many days the month has.
    for shift in (0, 1):
        dates = (days + shift).astype("M8[D]")
        months = dates.astype(MONTH)
        if len(np.unique(dates - months)) == 1:
            return _by_unit(months.astype(np.int64), "month")
    return _by_unit(days, "day")


def _days(stamps: Keys, hour: int) -> Keys | None:
    """Days of stamps at one time of day, which summer time may move by an hour; None for others."""
    day = 24 * hour
    hours = np.unique(stamps % day)
    if len(hours) > 2:
        return None
    apart = int(hours[-1] - hours[0])
    if hour < apart < day - hour:
        return None
    # An hour to either side of midnight is one day, and not two.
    days = (stamps + (day - hours[-1] if apart > hour else 0)) // day
    return days if len(np.unique(days)) == len(stamps) else None


def _by_unit(numbers: Keys, name: str) -> tuple[Keys, str]:
    gaps = numbers - numbers[0]
    size = int(np.gcd.reduce(gaps))
    unit = f"{size} {name}{'s' if name and size > 1 else ''}".strip()
    return gaps // size, unit


def scores_in_time(setting: Setting, clock: Clock, first: int, last: int) -> Array:
    """Sums of the scores by panel and time, (keys, k), for a run of keys."""
    fit = setting.fit
    keys = clock.keys[first:last]
    whole = len(keys) == len(clock.keys)

    def work(strip: Strip, roles: Roles) -> Array:
        own = clock.key(setting, strip, roles)
        scores = row_scores(fit.layout, strip, fit.theta, fit.family)[:, fit.kept]
        if not whole:
            inside = (own >= keys[0]) & (own <= keys[-1])
            own, scores = own[inside], scores[inside]
        return summed(scores, np.searchsorted(keys, own), len(keys))

    return setting.runs(work, _plus)


def _plus(total: Array, part: Array) -> Array:
    total += part
    return total


def runs_of_keys(setting: Setting, clock: Clock, longest: int) -> Iterator[tuple[int, int, int]]:
    """Runs of keys whose scores the memory allowed holds: first, last, and last with its lags.

    Raises
    ------
    MemoryLimitError
        If lags are so long that no run is short.
    """
    count, k = len(clock.keys), len(setting.fit.kept)
    step = max(1, setting.control.memory // (24 * k))
    if count > step and longest >= clock.width // 2:
        if 24 * k * count > setting.control.memory_limit:
            raise MemoryLimitError(
                f"Lags without an end take the scores of all {count:,} times at once. Use "
                "kernel='bartlett' or 'parzen' with lags=, or raise Control(memory_limit=...)."
            )
        step = count
    for first in range(0, count, step):
        last = min(first + step, count)
        beyond = int(np.searchsorted(clock.keys, clock.keys[last - 1] + longest, side="right"))
        yield first, last, beyond


def lagged(keys: Keys, scores: Array, weights: Array, own: int) -> Array:
    """sum_l w_l (G_l + G_l') of the first `own` scores with those a lag of l later."""
    span = int(keys[-1] - keys[0]) + 1
    if len(weights) > MANY and own == len(keys) and span <= SPARSE * len(keys):
        return _by_transform(keys - keys[0], scores, weights, span)
    head = scores[:own]
    total = 0.5 * weights[0] * np.dot(head.T, head)
    for lag, weight in enumerate(weights[1:], start=1):
        later = np.searchsorted(keys, keys[:own] + lag)
        later[later == len(keys)] = 0
        there = keys[later] == keys[:own] + lag
        total += weight * np.dot(head[there].T, scores[later[there]])
    return total + total.T


def _by_transform(places: Keys, scores: Array, weights: Array, span: int) -> Array:
    """The same where lags are many: U' W U with the Toeplitz matrix W by Fourier's transform."""
    size = 1 << (span + len(weights)).bit_length()
    kernel = np.zeros(size)
    kernel[: len(weights)] = weights
    kernel[size - len(weights) + 1 :] = weights[:0:-1]
    grid = np.zeros((size, scores.shape[1]))
    grid[places] = scores
    smoothed = np.fft.irfft(np.fft.rfft(kernel)[:, None] * np.fft.rfft(grid, axis=0), size, axis=0)
    total = np.dot(scores.T, smoothed[places])
    return 0.5 * (total + total.T)
