"""A family with its ancillary parameters held at values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glmcount.allowed import refuse
from glmcount.errors import counted
from glmcount.families.base import Etas, Family, a_family
from glmcount.families.recipe import recorded
from glmcount.numerics.jets import Jet

__all__ = ["hold"]


@recorded
def hold(family: Family, values: Sequence[float]) -> Family:
    """The family of the mean alone, its other predictors held at `values`.

    Raises
    ------
    UsageError
        If that is no family, or there are not as many numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from glmcount.families.base import resolve
    >>> held = hold(resolve("negbin"), [0.0])
    >>> len(held.equations), float(held.moments((np.zeros(1),))[1].value[0])
    (1, 2.0)
    """
    given, count = np.asarray(values), a_family("family", family).q - 1
    if count == 0:
        return family
    if given.shape != (count,) or given.dtype.kind not in "iuf" or not np.isfinite(given).all():
        allowed = f"{counted(count, 'finite number')}, one for each predictor after the mean's"
        refuse("values", values, allowed, "held_values")
    rest = tuple(np.array([value]) for value in given.astype(np.float64))

    def alone(jet: Jet) -> Jet:
        return Jet(jet.value, jet.d1[:1], ((jet.d2[0][0],),))

    def moments(etas: Etas) -> tuple[Jet, Jet]:
        mean, variance = family.moments((*etas, *rest))
        return alone(mean), alone(variance)

    expected, deviance = family.expected, family.deviance
    return family.derived(
        **family.described,
        proper=family.proper,
        mean_equation=family.mean_equation,
        mean_log=family.mean_log,
        equations=family.equations[:1],
        terms=lambda y, etas: alone(family.terms(y, (*etas, *rest))),
        moments=moments,
        expected=expected and (lambda etas: ((expected((*etas, *rest))[0][0],),)),
        deviance=deviance and (lambda y, etas: deviance(y, (*etas, *rest))),
        sample=lambda rng, etas: family.sample(rng, (*etas, *rest)),
        start=lambda sums: family.start(sums)[:1],
    )
