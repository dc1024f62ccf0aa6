"""The log-likelihood of large counts to its last digits, which doubles as predictors do not carry.

At a mean of 1e15 the logarithm 34.5 is rounded by 3.5e-15, that is by 3.5 counts, and a count one
standard deviation away is then 1e-7 less or more likely. What predictors, and the means made of
them, lost by rounding is known from predictors of extended precision; to first order the
log-likelihood lost its slope times that. Where the machine has no such precision, nothing is found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glmcount.design.blocks import Layout, Strip
from glmcount.fitting.run import Run
from glmcount.numerics import Array

__all__ = ["PRECISE", "precise"]

Long = NDArray[np.longdouble]
# Counts from which that is more than 1e-13 of a log-likelihood.
PRECISE = 1e5


def precise(run: Run, theta: Array) -> float:
    """Sum of the log-likelihood at theta, over all columns, without its y-only part."""
    family, layout = run.family, run.layout

    def work(strip: Strip) -> float:
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

    return run.encoder.fold(work, lambda a, b: a + b)


def _predictor(layout: Layout, strip: Strip, theta: Array, equation: int) -> Long:
    """A predictor, offset included; (1,) where it is the same in all rows."""
    offset = strip.offsets[equation]
    eta = np.zeros(1, dtype=np.longdouble) if offset is None else offset.astype(np.longdouble)
    for i, block in layout.of(equation):
        rows = strip.blocks[i]
        table = None if block.table is None else block.table.spread(np.eye(block.table.width))
        for k in range(block.v):
            own = theta[block.positions[k :: block.v]].astype(np.longdouble)
            part = own if table is None else (table * own).sum(axis=1)[rows.codes]
            row = rows.rows[k]
            if row is not None:
                # The difference of two doubles is rounded too.
                column = row.astype(np.longdouble) - np.longdouble(block.shift[k])
                part = part * (column if block.scale is None else column * block.scale[k])
            eta = eta + part
    return eta
