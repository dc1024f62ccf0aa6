"""The log-likelihood of large counts to its last digits, which doubles as predictors do not carry.

At a mean of 1e15 the logarithm 34.5 is rounded by 3.5e-15, that is by 3.5 counts, and a count one
standard deviation away is then 1e-7 less or more likely. What predictors, and the means made of
them, lost by rounding is known from predictors of extended precision; to first order the
log-likelihood lost its slope times that. Where the machine has no such precision, nothing is found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glmcount.design.rows import Rows
from glmcount.engine.block import Block, BlockRows
from glmcount.engine.layout import Layout
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import Unweighed
from glmcount.fitting.falling import sent
from glmcount.fitting.run import Fit, Run
from glmcount.fitting.sums import inverse_information, total
from glmcount.numerics import EPS, Array
from glmcount.records import dataclass

__all__ = ["LONG_EPS", "PRECISE", "Remainder", "lost_digits", "precise", "remainder"]

Long = NDArray[np.longdouble]
# Counts from which that is more than 1e-13 of a log-likelihood.
PRECISE = 1e5
# Of an ancillary constant, what may be lost in silence.
LOST = 1e-8
# Predictors below have means of zero, which weigh nothing.
LEAST = -700.0
ZERO = np.longdouble(0.0)
LONG_EPS = np.finfo(np.longdouble).eps


def precise(run: Run, theta: Array) -> float:
    """Sum of the log-likelihood at theta, over all columns, without its y-only part."""
    family, layout = run.family, run.layout

    def work(strip: Strip) -> float:
        strip = strip if run.gone is None else sent(layout, strip, theta, run.gone)
        exact = [_predictor(layout, strip, theta, k) for k in range(layout.q)]
        etas = [each.astype(np.float64) for each in exact]
        jet = family.terms(strip.y, etas)
        # A mean is the exponential's rounding away from where its predictor says.
        held = [np.log(np.exp(etas[0]).astype(np.longdouble))] if family.mean_log else []
        total = jet.value.astype(np.longdouble)
        for whole, eta, slope in zip(exact, [*held, *etas[len(held) :]], jet.d1, strict=True):
            if slope is not None:
                lost = slope * (whole - eta)
                total = total + np.where(np.isfinite(lost), lost, 0.0)
        total = np.broadcast_to(total, (strip.n,))
        return float(total.sum() if strip.weights is None else (total * strip.weights).sum())

    return run.rows.fold(work, lambda a, b: a + b)


def _predictor(
    layout: Layout, strip: Strip, theta: Array, equation: int, absolute: bool = False
) -> Long:
    """A predictor, offset included; (1,) where it is the same in all rows.

    Or the sum of its addends without their signs.
    """
    sized = np.abs if absolute else np.positive
    offset = strip.offsets[equation]
    eta = np.zeros(1, dtype=np.longdouble) if offset is None else sized(offset) + ZERO
    for i, block in layout.of(equation):
        rows = strip.blocks[i]
        table = None if block.table is None else block.table.spread(np.eye(block.table.width))
        for k in range(block.v):
            own = theta[block.positions[k :: block.v]] + ZERO
            part = own if table is None else sized(table * own).sum(axis=1)[rows.codes]
            column = _column(block, rows, k)
            eta = eta + sized(part if column is None else part * column)
    return eta


def _column(block: Block, rows: BlockRows, k: int) -> Long | None:
    """A numeric column, shifted and scaled: the difference of two doubles is rounded too."""
    row = rows.rows[k]
    if row is None:
        return None
    shifted = row.astype(np.longdouble) - np.longdouble(block.shift[k])
    return shifted if block.scale is None else shifted * block.scale[k]


@dataclass(frozen=True)
class Remainder:
    """The score at an estimate, and what is known of its own error.

    Parameters
    ----------
    score : ndarray, shape (p,)
        Over all columns.
    curved : float
        Sum of w |l''| d^2, d the most by which a predictor may be wrong.
    pearson : float
        Sum of w l'^2 / |l''|.
    weight : float
        Sum of w |l''|.
    """

    score: Array
    curved: float
    pearson: float
    weight: float

    def __add__(self, other: Remainder) -> Remainder:
        return Remainder(
            self.score + other.score,
            self.curved + other.curved,
            self.pearson + other.pearson,
            self.weight + other.weight,
        )


def remainder(rows: Rows, fit: Fit) -> Remainder:
    """The score of a family of one predictor, a logarithm, at its estimate.

    To first order its slope at the predictor as it is, from that at the predictor rounded.
    """
    family, layout = fit.family, fit.layout

    def work(strip: Strip) -> Remainder:
        exact = np.broadcast_to(_predictor(layout, strip, fit.theta, 0), (strip.n,))
        eta = exact.astype(np.float64)
        jet = family.terms(strip.y, (eta,))
        slope, bend = jet.d1[0], jet.d2[0][0]
        assert slope is not None and bend is not None
        slope, curve = np.broadcast_arrays(slope, -bend)
        held = np.log(np.exp(np.maximum(eta, LEAST)).astype(np.longdouble))
        w = np.ones(1) if strip.weights is None else strip.weights
        size = np.abs(_predictor(layout, strip, fit.theta, 0, absolute=True))
        wrong = (LONG_EPS * (len(fit.theta) + 4.0) * (size + 1.0)).astype(np.float64)
        curved = curve > 0
        return Remainder(
            _score(layout, strip, ZERO + w * (slope - curve * (exact - held))),
            float((w * curve * wrong * wrong).sum()),
            float((w * slope * slope / np.where(curved, curve, np.inf)).sum()),
            float((w * curve).sum()),
        )

    return rows.fold(work, lambda a, b: a + b)


def _score(layout: Layout, strip: Strip, slope: Long) -> Array:
    out = np.zeros(layout.size, dtype=np.longdouble)
    for i, block in layout.of(0):
        rows = strip.blocks[i]
        for k in range(block.v):
            column = _column(block, rows, k)
            part = slope if column is None else slope * column
            if block.table is None or rows.codes is None:
                out[block.positions[k]] = part.sum()
                continue
            order = np.argsort(rows.codes, kind="stable")
            codes = rows.codes[order]
            starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1])[: len(codes)])
            table = block.table.spread(np.eye(block.table.width))[codes[starts]]
            sums = np.add.reduceat(part[order], starts) if len(starts) else part[:0]
            out[block.positions[k :: block.v]] = (table * sums[:, None]).sum(axis=0)
    return out.astype(np.float64)


def lost_digits(data: Rows, fit: Fit, largest: float) -> dict[str, int]:
    """Digits left of each ancillary constant of which rounding of the means takes more than eight.

    A row's slope in the constant moves by the mixed derivative times what the mean's predictor is
    wrong by; the constant by the sum of those times its variance.
    """
    inverse = inverse_information(fit)
    if inverse is None or fit.falling is not None:
        return {}
    out = {}
    for k, own in enumerate(fit.layout.slices):
        place = np.flatnonzero(fit.kept == own.start)
        if k == 0 or own.stop - own.start != 1 or not len(place):
            continue

        def mixed(rows: Unweighed, k: int = k) -> Array:
            entry = fit.family.terms(rows.y, rows.etas).d2[0][k]
            return np.zeros(1) if entry is None else entry * entry

        wrong = EPS * np.log(largest) * np.sqrt(total(data, fit, mixed))
        wrong *= inverse[place[0], place[0]]
        if wrong > LOST:
            out[fit.family.equations[k].name] = max(0, int(-np.log10(wrong)))
    return out
