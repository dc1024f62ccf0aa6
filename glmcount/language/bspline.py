"""B-splines, which are R's ``bs``: their knots, and their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glmcount.language.knots import Span, Tally, check_within, column, ends, given_knots, quantiles
from glmcount.numerics import Array
from glmcount.records import dataclass

__all__ = ["Knots", "bspline", "bspline_knots", "bspline_seen", "bspline_slopes"]

Settings = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Knots:
    """Degree and knots of B-splines, each outermost one as often as degree + 1 says."""

    degree: int
    all_knots: Array


def _inner_count(settings: Settings) -> int | None:
    """Inner knots of B-splines that df= asks for."""
    df, degree = settings.get("df"), settings.get("degree", 3)
    if degree is None or degree < 0:
        raise ValueError(f"degree={degree!r} must be a whole number, 0 or more.")
    if df is None and settings.get("knots") is None:
        raise ValueError("give either df= or knots=.")
    if df is None:
        return None
    count = int(df) - degree - bool(settings.get("include_intercept", False))
    if count < 0:
        raise ValueError(
            f"df={df!r} is too small for degree={degree!r} and include_intercept="
            f"{settings.get('include_intercept', False)!r}; it must be {df - count} or more."
        )
    return count


def bspline_seen(settings: Settings, arrays: Sequence[Array]) -> Span | Tally:
    """What ``bs`` keeps of a strip: all values only where quantiles are asked for."""
    values = column(arrays)
    many = settings.get("knots") is None and _inner_count(settings) != 0
    return Tally.of(values) if many else Span.of(values)


def bspline_knots(settings: Settings, seen: Span | Tally) -> Knots:
    """The knots of ``bs``: inner ones at quantiles of the values, if they are not given."""
    count, inner, degree = _inner_count(settings), given_knots(settings), settings.get("degree", 3)
    low, high = ends(settings, seen.span)
    if inner is None:
        shares = 100 * np.linspace(0, 1, (count or 0) + 2)[1:-1] / 100
        inner = _at_quantiles(seen, shares) if isinstance(seen, Tally) else shares
    elif inner.ndim != 1:
        raise ValueError("knots must be a list of numbers.")
    elif count is not None and len(inner) != count:
        raise ValueError(
            f"df={settings['df']} with degree={degree!r} implies {count} knots, but {len(inner)} "
            "are given."
        )
    check_within(inner, low, high)
    return Knots(degree, np.sort(np.concatenate([[low, high] * (degree + 1), inner])))


def _at_quantiles(seen: Tally, shares: Array) -> Array:
    values, counts = seen.whole().runs[0]
    if not len(values):
        raise ValueError("there are no values to place its knots by.")
    return quantiles(values, counts, shares)


def bspline(settings: Settings, learnt: Knots, arrays: Sequence[Array]) -> Array:
    """Columns of ``bs``, by de Boor's recursion as FITPACK has it, for all rows at once."""
    values, knots, degree = column(arrays), learnt.all_knots, learnt.degree
    count = len(knots) - degree - 1
    if degree < 0 or count <= degree:
        raise ValueError(f"degree {degree} needs more knots than {len(knots)}.")
    place = np.clip(np.searchsorted(knots, values, "right") - 1, degree, count - 1)
    # The knots left and right of each value, `degree` of them on each side.
    window = knots[place + np.arange(1 - degree, degree + 1)[:, None]]
    heights = np.ones((1, len(values)))
    for order in range(1, degree + 1):
        left, right = window[degree - order : degree], window[degree : degree + order]
        gap = right - left
        part = np.divide(heights, gap, out=np.zeros_like(heights), where=gap != 0.0)
        heights = np.zeros((order + 1, len(values)))
        np.multiply(part, values - left, out=heights[1:])
        heights[:-1] += part * (right - values)
    out = np.zeros((count, len(values)))
    out[place + np.arange(-degree, 1)[:, None], np.arange(len(values))] = heights
    return out.T if settings.get("include_intercept", False) else out[1:].T


def bspline_slopes(
    settings: Settings, learnt: Knots, arrays: Sequence[Array], slopes: Sequence[Array]
) -> Array:
    """How the columns of ``bs`` move: each is made of two of one degree less."""
    degree, knots = learnt.degree, learnt.all_knots
    count, values = len(knots) - degree - 1, column(arrays)
    out = np.zeros((len(values), count))
    if degree:
        whole = {"include_intercept": True}
        lower = bspline(whole, Knots(degree - 1, knots[1:-1]), [values])
        # Between knots that are one there is nothing.
        gaps = knots[degree + 1 : -1] - knots[1:count]
        shares = np.divide(degree, gaps, out=np.zeros_like(gaps), where=gaps != 0.0)
        out[:, 1:] += lower * shares
        out[:, :-1] -= lower * shares
    out *= column(slopes)[:, None]
    return out if settings.get("include_intercept", False) else out[:, 1:]
