"""Negative binomials with variance mu + alpha mu^P: NB1, and NB-P with P estimated or fixed.

NB-P is NB2 with a dispersion that follows the mean, alpha_i = alpha mu_i^(P - 2)
(Cameron & Trivedi 1986, Journal of Applied Econometrics 1; Greene 2008, Economics Letters
99, equation 9). P = 2 is NB2; P = 1 is NB1, whose variance is mu (1 + alpha).
"""

from __future__ import annotations

import math

import numpy as np

from glmcount.allowed import finite
from glmcount.families.base import Equation, Family, StartSums, register
from glmcount.families.combine.reparametrise import power_of_mean, reparametrise
from glmcount.families.negbin import negbin
from glmcount.families.recipe import named, recorded
from glmcount.numerics import Array

__all__ = ["negbin1", "negbinp"]

# Half way between NB1 and NB2: alpha = 0 is asked about there, where P means nothing.
POWER_START = 1.5
# Logarithms of alpha by which such dispersions differ between the ends and the other rows.
STEEP = 3.0


def _natural_power(value: Array) -> tuple[Array, Array]:
    return value, np.ones_like(value)


POWER = Equation("power", "Power (P)", "power_", _natural_power)


def _start(sums: StartSums, power: float) -> tuple[float, ...]:
    # NB2's moments, carried to another power at the overall mean.
    mean, spread = negbin().start(sums)
    return mean, spread + (2.0 - power) * math.log(sums.mean)


def _further(y: Array, eta: Array) -> list[tuple[float, ...]]:
    """Powers so large that the dispersion is that of the largest means alone, or the smallest.

    alpha is about 1 at the end of the means; or so large at the first mean beyond those of all
    counts above zero that it makes the zeros from there on certain.
    """
    steps: list[tuple[float, ...]] = []
    ends: list[tuple[float, ...]] = []
    for sign, near in ((-1.0, (1, 2, 4)), (1.0, (1,))):
        at = np.unique(sign * eta)
        counted = sign * eta[y[0] > 0]
        beyond = at[at > counted.max()] if len(counted) else at[:0]
        if len(beyond):
            # A zero is certain where alpha is large and alpha mu is.
            certain = STEEP + max(-sign * beyond[0], 0.0)
            gap = beyond[0] - counted.max()
            steps.append((sign, beyond[0], gap, certain + STEEP, certain))
            ends.append((sign, beyond[0], 0.5 * gap, STEEP, 0.0))
        ends += [(sign, at[-1], at[-1] - at[-1 - k], STEEP, 0.0) for k in near if len(at) > k]
    return [
        (log_alpha - rise / gap * end, 2.0 + sign * rise / gap)
        for sign, end, gap, rise, log_alpha in (*steps, *ends)
        if gap > 1e-6
    ]


_estimated = register(
    reparametrise(
        negbin(),
        power_of_mean(),
        lost={2: POWER_START},
        name="negbinp",
        aliases=("nbp",),
        label="Negative binomial (NB-P)",
        mean_log=True,
        equations=(*negbin().equations, POWER),
        start=lambda sums: (*_start(sums, POWER_START), POWER_START),
        expected=None,
        deviance=None,
        further=_further,
        recipe=named("negbinp"),
        typical=(*negbin().typical, (1.0, 2.2)),
    )
)


@recorded
def negbinp(power: float | None = None) -> Family:
    """Negative binomial family, variance mu + alpha mu^P.

    Its deviance refuses: with P other than 2 (which is NB2) the mean that fits a count best is
    not the count.

    Parameters
    ----------
    power : float, optional
        P, held at this value; None estimates it, as a third equation named ``"power"``. The
        question whether alpha = 0 is then put at P = 1.5, since there P means nothing.

    Returns
    -------
    Family
        With predictors of the mean, of log alpha and, where it is estimated, of P.

    Raises
    ------
    UsageError
        If power is not a finite number.

    Examples
    --------
    >>> from glmcount.families import negbinp
    >>> negbinp(power=1.5).label
    'Negative binomial (NB-P, P = 1.5)'
    """
    if power is None:
        return _estimated
    advice = (
        "family='negbin1' is power 1, family='negbin' is power 2, family='negbinp' estimates it."
    )
    held = finite("power", power, advice)
    label = f"Negative binomial (NB-P, P = {held:g})"
    if held == 2.0:
        # NB2 itself, so that all that is known of it is known here too.
        return negbin().with_(name="negbinp_fixed", aliases=(), label=label)
    return reparametrise(
        negbin(),
        power_of_mean(held),
        name="negbinp_fixed",
        aliases=(),
        label=label,
        mean_log=True,
        start=lambda sums: _start(sums, held),
        expected=None,
        deviance=None,
        several=False,
    )


negbin1 = register(
    negbinp(power=1.0).with_(
        name="negbin1",
        aliases=("nb1", "negativebinomial1"),
        label="Negative binomial (NB1)",
        recipe=named("negbin1"),
    )
)
