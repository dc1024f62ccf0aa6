"""A family in other predictors: the chain rule, once, for everything a family knows.

A map gives each predictor of the family as a jet in new ones; derivatives then follow as

    l_a = sum_i l_i m_i,a        l_ab = sum_ij l_ij m_i,a m_j,b + sum_i l_i m_i,ab
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from glmcount.allowed import finite, takes
from glmcount.families.base import Curvature, Etas, Family, Limit, a_family
from glmcount.families.recipe import recorded
from glmcount.numerics import Array
from glmcount.numerics.jets import ONE, Jet, eta_jet, mirrored, plus, product
from glmcount.records import replace

__all__ = ["Map", "power_of_mean", "reparametrise", "terms_of"]

Map = Callable[[Etas], tuple[Jet, ...]]
Entry = Array | None


def _chained(jet: Jet, inner: tuple[Jet, ...]) -> Jet:
    """The jet of a function of `inner`, given its derivatives in them."""
    q = inner[0].q
    slopes = [[(b, d) for b, d in enumerate(own.d1) if d is not None] for own in inner]
    first: list[Entry] = [None] * q
    # l_i' s gradient, once: a matrix-vector product in which None is zero.
    turned: list[list[Entry]] = [[None] * q for _ in inner]
    for j, own in enumerate(slopes):
        for b, d in own:
            first[b] = plus(first[b], product(jet.d1[j], d))
            for row, bends in zip(turned, jet.d2, strict=True):
                row[b] = plus(row[b], product(bends[j], d))
    second: list[list[Entry]] = [[None] * q for _ in range(q)]
    for own, row in zip(slopes, turned, strict=True):
        for a, d in own:
            for b in range(a + 1):
                second[a][b] = plus(second[a][b], product(d, row[b]))
    for slope, each in zip(jet.d1, inner, strict=True):
        for a, bent in enumerate(each.d2):
            for b in range(a + 1):
                if bent[b] is not None:
                    second[a][b] = plus(second[a][b], product(slope, bent[b]))
    return Jet(jet.value, tuple(first), mirrored(q, lambda a, b: second[a][b]))


def _values(inner: tuple[Jet, ...]) -> Etas:
    return tuple(jet.value for jet in inner)


def terms_of(y: Array, etas: Etas, family: Family, inner: Map) -> Jet:
    """Terms of a family in the predictors that a map takes."""
    jets = inner(etas)
    return _chained(family.terms(y, _values(jets)), jets)


def _moments(etas: Etas, family: Family, inner: Map) -> tuple[Jet, Jet]:
    jets = inner(etas)
    mean, variance = family.moments(_values(jets))
    return _chained(mean, jets), _chained(variance, jets)


def _binary(etas: Etas, family: Family, inner: Map) -> tuple[Jet, Jet]:
    jets = inner(etas)
    assert family.binary is not None
    none, some = family.binary(_values(jets))
    return _chained(none, jets), _chained(some, jets)


def _above(etas: Etas, count: Array, family: Family, inner: Map) -> Jet:
    jets = inner(etas)
    assert family.above is not None
    return _chained(family.above(_values(jets), count), jets)


def _slack(y: Array, etas: Etas, family: Family, inner: Map) -> Jet:
    jets = inner(etas)
    assert family.slack is not None
    return _chained(family.slack(y, _values(jets)), jets)


def _part(etas: Etas, name: str, family: Family, inner: Map) -> Jet:
    jets = inner(etas)
    return _chained(family.parts[name](_values(jets)), jets)


def _expected(etas: Etas, family: Family, inner: Map) -> Curvature:
    # The score has mean zero, so the bend of the map drops out. An entry that takes an
    # unknown one is unknown.
    jets = inner(etas)
    assert family.expected is not None
    known, old, new = family.expected(_values(jets)), range(len(jets)), range(len(etas))

    def entry(a: int, b: int) -> Entry:
        total = np.zeros(1)
        for i in old:
            for j in old:
                slope, held = product(jets[i].d1[a], jets[j].d1[b]), known[i][j]
                if slope is not None and held is None:
                    return None
                part = product(slope, held)
                total = total if part is None else total + part
        return total

    return tuple(tuple(entry(a, b) for b in new) for a in new)


def _limit(limit: Limit, inner: Map, lost: Mapping[int, float]) -> Limit:
    def score(y: Array, etas: Etas) -> tuple[Array, Array]:
        full = list(etas)
        for k in sorted((limit.equation, *lost)):
            full.insert(k, np.array([lost.get(k, 0.0)]))
        slope, information = limit.score(y, etas)
        scale = np.exp(inner(full)[limit.equation].value)
        return slope * scale, information * scale * scale

    return replace(limit, score=score, lost=(*limit.lost, *lost))


@recorded
def reparametrise(
    family: Family, inner: Map, *, lost: Mapping[int, float] | None = None, **changes: Any
) -> Family:
    """The family in other predictors.

    Parameters
    ----------
    family : Family
    inner : callable
        ``new predictors -> the family's own, each a Jet in the new ones``. The mean's
        predictor stays the first. A predictor with a limit is a logarithm and enters its own
        as an addend: log a_i = log a + g(others).
    lost : mapping of int to float, optional
        New predictors that mean nothing at the family's limits, and where the one-sided
        score there holds them.
    **changes
        Fields of the result: names, `equations`, `typical`, `start`, and `deviance=None`
        where a predictor of the family moves with the mean, since then the mean that fits
        a count best is no longer the count.

    Returns
    -------
    Family

    Raises
    ------
    UsageError
        If these are no family, function and fields.

    Examples
    --------
    >>> import numpy as np
    >>> from glmcount.families import power_of_mean, reparametrise, resolve
    >>> family = reparametrise(resolve("negbin"), power_of_mean(1.0), deviance=None)
    >>> mean, variance = family.moments((np.log([3.0]), np.log([0.5])))
    >>> round(float(variance.value[0]), 12)
    4.5
    """
    takes("inner", a_family("family", family) and inner, 1, "own_function")
    bound: dict[str, Any] = {"family": family, "inner": inner}
    deviance, tails, sample = family.deviance, family.tails, family.sample
    mass, pooled = family.mass, family.pooled
    fields: dict[str, Any] = {
        "terms": partial(terms_of, **bound),
        "moments": partial(_moments, **bound),
        "expected": family.expected and partial(_expected, **bound),
        "binary": family.binary and partial(_binary, **bound),
        "deviance": deviance and (lambda y, etas: deviance(y, _values(inner(etas)))),
        "tails": tails and (lambda y, etas: tails(y, _values(inner(etas)))),
        "mass": mass and (lambda y, etas: mass(y, _values(inner(etas)))),
        "above": family.above and partial(_above, **bound),
        "pooled": pooled and (lambda rng, etas, w: pooled(rng, _values(inner(etas)), w)),
        "sample": lambda rng, etas: sample(rng, _values(inner(etas))),
        "slack": family.slack and partial(_slack, **bound),
        "limits": tuple(_limit(limit, inner, lost or {}) for limit in family.limits),
        "parts": {name: partial(_part, name=name, **bound) for name in family.parts},
        "mean_equation": family.mean_equation,
    }
    return family.derived(**(family.described | fields | changes))


def power_of_mean(power: float | None = None) -> Map:
    """log alpha_i = log alpha + (power - 2) log mu: variance in mu^power instead of mu^2.

    Parameters
    ----------
    power : float, optional
        None takes it as a third predictor.

    Returns
    -------
    callable
        From new predictors to those of the negative binomial, as `reparametrise` takes it.

    Raises
    ------
    UsageError
        If power is not a finite number.

    Examples
    --------
    >>> import numpy as np
    >>> from glmcount.families import power_of_mean
    >>> mean, spread = power_of_mean(1.0)((np.array([0.5]), np.array([0.2])))
    >>> float(spread.value[0]), float(spread.d1[0][0])
    (-0.3, -1.0)
    """
    if power is None:
        return _estimated_power
    return partial(_held_power, power=finite("power", power, "None estimates it."))


def _held_power(etas: Etas, power: float) -> tuple[Jet, ...]:
    held = np.array([power - 2.0])
    bent = Jet(etas[1] + held * etas[0], (held, ONE), ((None, None), (None, None)))
    return eta_jet(etas, 0), bent


def _estimated_power(etas: Etas) -> tuple[Jet, ...]:
    gap = etas[2] - 2.0
    bends = (None, None, ONE), (None, None, None), (ONE, None, None)
    return eta_jet(etas, 0), Jet(etas[1] + gap * etas[0], (gap, ONE, etas[0]), bends)
