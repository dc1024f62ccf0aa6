"""Rows that share what the model sees, fitted as one weighted row.

What they must share is the family's to say (`Family.collapse`). A Poisson log-likelihood under
the log link is, over the rows of one design,

    sum w (y (x'b + o) - exp(x'b + o)) = E (y* (x'b + c) - exp(x'b + c)) + sum w y (o - c),

with y* = sum w y / E, E = sum w exp(o - c). In other families linear in y apart from its
constant, rows that share the offset too are one row of their mean count, and in every family
rows that share the count are copies of one. (Wong, Forsell, Lewis, Mao & Wardrop 2021,
arXiv:2102.11297, for linear models.)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.cells.group import Crowded, Grouping, Values, group
from glmcount.cells.key import Field, Key, Unsuited, fields_of
from glmcount.design.measure import Measured
from glmcount.design.rows import Rows
from glmcount.engine.layout import Layout
from glmcount.engine.strip import Strip
from glmcount.families.base import Family
from glmcount.families.large import LARGE
from glmcount.numerics import Array
from glmcount.records import dataclass, replace

__all__ = ["Cells", "compressed", "residual_sums"]

# Fewer rows are fitted before a sample of them has been looked at.
LEAST = 100_000
SHARE = 1.0 / 16.0
STRIPS = 8
DRAWS = 5.0
TINY = 1e-250


@dataclass(frozen=True)
class Cells:
    """Rows as cells.

    Parameters
    ----------
    rows : Rows
        Over the cells, as weighted rows.
    measured : Measured
        That of the rows, the constant being what the log-likelihood of the cells lacks.
    grouping : Grouping
    linear : bool
        Whether a cell is the mean of its rows; else they are copies.
    level : float or None
        The offset c of the cells, where the rows have offsets of their own.
    """

    rows: Rows
    measured: Measured
    grouping: Grouping
    linear: bool
    level: float | None

    def gated(self, rows: Rows) -> Cells:
        """The same cells, of rows that are looked at whenever they are read."""
        cells, grouping = replace(self.rows, behind=rows), replace(self.grouping, rows=rows)
        return replace(self, rows=cells, grouping=grouping)


def compressed(
    rows: Rows, layout: Layout, measured: Measured, family: Family, asked: str | bool
) -> Cells | None:
    """The rows as cells; None where the rows themselves are to be fitted.

    Parameters
    ----------
    rows, layout, measured, family
    asked : {"auto", True, False}
        "auto" groups large data of which a sample says that the cells are few.
    """
    auto = asked == "auto"
    if not asked or (auto and measured.n < LEAST):
        return None
    shared = family.collapse
    every = fields_of(rows, layout, measured, shared != "mean", shared == "value")
    look = _sample(rows, measured.n)
    sample = [next(look)]
    if auto and _varied(every, sample, SHARE * measured.n):
        return None
    sample += look
    fields = tuple(each if _whole(each, sample) else _bits(each) for each in every)
    most = int(2 * SHARE * measured.n) if auto else measured.n
    for key in (Key(fields), *(Key(tuple(map(_bits, fields)), salt) for salt in range(3))):
        if auto and not _promising(key, sample, measured.n):
            return None
        try:
            return _cells(rows, key, measured, family, most)
        except Crowded:
            return None
        except Unsuited:
            continue
    return None


Sample = list[tuple[Strip, NDArray[np.intp]]]


def _sample(rows: Rows, n: int) -> Iterator[tuple[Strip, NDArray[np.intp]]]:
    """Rows of a few strips, one at random in each stretch of equal length."""
    rng = np.random.default_rng(0)
    strips = rows.source.n_strips
    chosen = np.unique(np.linspace(0, strips - 1, min(STRIPS, strips)).astype(int))
    draws = int(DRAWS * np.sqrt(n) / len(chosen)) + 1
    for strip in rows.several(chosen.tolist()):
        places = (np.arange(draws) + rng.uniform(size=draws)) * (strip.n / draws)
        yield strip, np.unique(places.astype(np.intp)) if strip.n else np.arange(0)


def _bits(each: Field) -> Field:
    return replace(each, levels=0)


def _whole(each: Field, sample: Sample) -> bool:
    """Whether a column holds whole numbers, as far as the sample tells."""
    for strip, rows in sample:
        values = each.read(strip)
        if each.levels and values is not None and values.dtype.kind == "f":
            some = values[rows]
            if not np.array_equal(some, np.floor(some)):
                return False
    return True


def _varied(fields: tuple[Field, ...], sample: Sample, most: float) -> bool:
    """Whether one column has more values than there may be cells."""
    plain = (each for each in fields if not each.levels and each.read(sample[0][0]) is not None)
    return any(_estimated(Key((each,)), sample) > most for each in plain)


def _promising(key: Key, sample: Sample, n: int) -> bool:
    """Whether the cells are few for the rows that there are."""
    most = SHARE * n
    return 0 < key.space <= most or _estimated(key, sample) <= most


def _estimated(key: Key, sample: Sample) -> float:
    """How many different keys there are, from those seen once and twice (Chao 1984)."""
    codes, found = pd.factorize(np.concatenate([key.of(*part)[0] for part in sample]))
    counts = np.bincount(codes)
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return len(found) + once * (once - 1) / (2.0 * (twice + 1))


def _cells(rows: Rows, key: Key, measured: Measured, family: Family, most: int) -> Cells:
    linear = family.collapse != "value"
    spec = rows.spec
    sums = measured.sums
    apart = family.collapse == "mean" and bool(spec.equations[0].offsets or spec.exposure)
    level = float(sums.log_exposure - np.log(sums.weight)) if apart else None

    def values_of(strip: Strip) -> tuple[Values, float]:
        w, y = strip.weights, strip.y[0]
        if not linear:
            return (w,), 0.0
        counted = y if w is None else w * y
        gap = _gap(strip, level)
        if gap is None:
            return (w, counted), 0.0
        exposed = np.exp(gap)
        return (exposed if w is None else w * exposed, counted), float(np.dot(counted, gap))

    grouping = group(rows, key, values_of, most)
    weights = grouping.sums[0]
    if weights.min(initial=1.0) < TINY:
        # An exposure so far below the others' that its rows are a cell of no weight.
        raise Crowded
    mean = grouping.sums[1] / weights if linear else None
    lacking = grouping.constant
    if mean is not None and max(sums.largest, mean.max(initial=0.0)) > LARGE:
        lacking = _within(grouping, family, mean, level)
    return Cells(
        grouping.as_rows(mean, weights, level),
        replace(measured, constant=measured.constant + lacking),
        grouping,
        linear,
        level,
    )


def _within(grouping: Grouping, family: Family, mean: Array, level: float | None) -> float:
    """What the rows' log-likelihood has more than their cells', each at the cell's mean.

    It is the same at every mean, being linear in it; there nothing of it cancels.
    """
    eta = family.lift(np.where(mean > 0, mean, 1.0))

    def values_of(strip: Strip, places: NDArray[np.intp]) -> Values:
        w, gap = strip.weights, _gap(strip, level)
        own = eta[places] if gap is None else eta[places] + gap
        value = family.terms(strip.y, (own,)).value
        return (value if w is None else w * value,)

    rows = grouping.totals(values_of)
    cells = grouping.sums[0] * family.terms(mean[None], (eta,)).value
    return float((rows - cells).sum())


def _gap(strip: Strip, level: float | None) -> Array | None:
    """Offsets less that of the cells; None where cells keep the rows' own."""
    offset = strip.offsets[0]
    return None if level is None or offset is None else offset - level


def residual_sums(cells: Cells, square: bool) -> Array:
    """Sums that make the scores' second moments in every cell, (n_cells, 1 or 3).

    With c = w, or w^2 where `square`, e = exp(o - c) or 1 and m the mean of a cell: sum c of
    copies, and else sum c (y - e m)^2, sum c e (y - e m) and sum c e^2, of which

        sum c (y - e mu)^2 = A + 2 (m - mu) B + (m - mu)^2 C.

    Squares of the counts themselves would lose all digits where counts are large.
    """
    grouping = cells.grouping
    if not cells.linear and not (square and grouping.rows.spec.weights):
        return grouping.sums[:1].T
    mean = grouping.sums[1] / grouping.sums[0] if cells.linear else np.zeros(0)

    def values_of(strip: Strip, places: NDArray[np.intp]) -> Values:
        w = strip.weights
        c = np.ones(strip.n) if w is None else w * w if square else w
        if not cells.linear:
            return (c,)
        gap = _gap(strip, cells.level)
        e = np.ones(1) if gap is None else np.exp(gap)
        rest = strip.y[0] - e * mean[places]
        return c * rest * rest, c * e * rest, c * e * e

    return np.ascontiguousarray(grouping.totals(values_of).T)
