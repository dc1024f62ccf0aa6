"""Families in which parameters can make a count impossible: maxima at the end of the support.

There the log-likelihood ends with a slope, and Newton's steps are refused at the wall. With
tau sum w log(slack) added, slack being what keeps a count possible, the maximum lies inside;
as tau falls it follows a path to the best point of the wall, or shows that there is none
(Nocedal & Wright 2006, Numerical Optimization, section 19.6).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from glmcount.engine.passes import predictors
from glmcount.engine.strip import Strip
from glmcount.errors import ConvergenceError
from glmcount.families.base import Etas, Family
from glmcount.fitting.run import Fit, Run
from glmcount.fitting.solvers import newton
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, times
from glmcount.records import replace

__all__ = ["at_wall", "touching"]

STEPS = 10.0 ** -np.arange(1.0, 11.0)
# Of which the maxima are inside: where the likelihood has no bound, there are none.
CLEARLY = 1e-3
# What is left of a count's possibility at the wall.
NOTHING = 1e-8


def at_wall(run: Run, fit: Fit, start: Array) -> Fit:
    """The end of the path along a wall, from a start inside it; the fit itself if that is better.

    Its status is "edge", or "unbounded" where the likelihood has no upper bound there.
    """
    theta, found, status = start[run.kept], -np.inf, "edge"
    for tau in STEPS:
        inner = Run(run.rows, run.layout, run.measured, _walled(run.family, tau), run.options)
        inner.kept = run.kept
        try:
            outcome = newton(inner.problem(False), theta)
        except ConvergenceError:
            break
        run.passes += inner.passes
        if tau >= CLEARLY and outcome.status != "final":
            status = "unbounded"
        # The last step is not looked at, and may lead outside.
        for end in (outcome.theta, outcome.at):
            llf = run.reduced(end, False, expected=False).llf
            if np.isfinite(llf):
                theta, found = end, llf
                break
        if status == "unbounded":
            break
    full = found + run.measured.constant
    if not full > (fit.llf if fit.status == "final" else -np.inf) + 1e-6 and np.isfinite(fit.llf):
        return fit
    sums = run.reduced(theta, True, expected=False)
    return replace(
        fit,
        theta=run.widened(theta),
        llf=full,
        information=sums.information,
        condition=1.0,
        status=status,
        passes=run.passes,
        falling=None,
    )


def touching(run: Run, theta: Array) -> bool:
    """Whether parameters leave next to nothing of some count's possibility."""
    slack = run.family.slack
    assert slack is not None

    def least(strip: Strip) -> float:
        return float(slack(strip.y, predictors(run.layout, strip, theta)).value.min(initial=0.0))

    return not run.rows.fold(least, min) > np.log(NOTHING)


def _walled(family: Family, tau: float) -> Family:
    return family.with_(terms=partial(_terms, family=family, tau=tau), expected=None)


def _terms(y: Array, etas: Etas, family: Family, tau: float) -> Jet:
    assert family.slack is not None
    return family.terms(y, etas) + times(family.slack(y, etas), tau)
