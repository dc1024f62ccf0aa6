"""The negative binomial under its canonical link, eta = log(alpha mu / (1 + alpha mu)).

The link takes alpha, which has an equation of its own, so it is no link of the mean but
another set of predictors: log mu = eta - log(alpha) - log(1 - exp(eta)), eta < 0
(Hilbe 2011, Negative Binomial Regression, section 8.3).
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from glmcount.families.base import Etas, Family, StartSums
from glmcount.families.combine.reparametrise import reparametrise
from glmcount.families.negbin import negbin
from glmcount.families.recipe import recorded
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, constant_jet, eta_jet

__all__ = ["negbin_canonical"]


def _inner(etas: Etas, alpha: float | None) -> tuple[Jet, ...]:
    eta = eta_jet(etas, 0)
    inside = np.where(etas[0] < 0, etas[0], np.nan)
    rest = -np.expm1(inside)
    odds = np.exp(inside) / rest
    # -log(1 - exp(eta)) has derivatives odds and odds (1 + odds).
    spread = eta + eta.chain(-np.log(rest), odds, odds * (1.0 + odds))
    if alpha is not None:
        return (spread + constant_jet(np.array([-math.log(alpha)]), 1),)
    log_alpha = eta_jet(etas, 1)
    return spread + log_alpha * constant_jet(np.array([-1.0]), 2), log_alpha


def _start(sums: StartSums, family: Family, alpha: float | None) -> tuple[float, ...]:
    rest = family.start(sums)[1:]
    held = math.exp(rest[0]) if alpha is None else alpha
    return (float(_lift(np.array(sums.mean), held)) - sums.offset / sums.weight, *rest)


def _lift(mean: Array, alpha: float) -> Array:
    return -np.log1p(1.0 / (alpha * mean))


@recorded
def negbin_canonical(alpha: float | None = None) -> Family:
    """Negative binomial family (NB2) under its canonical link.

    Parameters
    ----------
    alpha : float, optional
        The dispersion, held at this value; None estimates it.

    Returns
    -------
    Family
        With predictors of the mean and, where alpha is estimated, of log alpha.

    Raises
    ------
    UsageError
        If alpha is not a positive number.

    Examples
    --------
    >>> import numpy as np
    >>> from glmcount.families import negbin_canonical
    >>> family = negbin_canonical(alpha=2.0)
    >>> round(float(family.moments((np.log([0.75]),))[0].value[0]), 12)
    1.5
    """
    family = negbin(alpha)
    return reparametrise(
        family,
        partial(_inner, alpha=alpha),
        name=f"{family.name}_canonical",
        aliases=(),
        link="canonical",
        start=partial(_start, family=family, alpha=alpha),
        lift=partial(_lift, alpha=1.0 if alpha is None else alpha),
        limits=(),
        several=family.several,
        concave_links=() if alpha is None else ("canonical",),
        flat=None,
        typical=((-2.0, -0.5), *family.typical[1:]),
    )
