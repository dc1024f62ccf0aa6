"""Links of the mean, as values, and their composition with a family.

A link is (h, h', h'') from the linear predictor to the family's own log-mean; `compose`
applies the chain rule once, so that the engine meets a family whose predictors are linear.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from glmcount.errors import UsageError, near, some
from glmcount.families.base import Curvature, Etas, Family, Limit, StartSums
from glmcount.numerics import Array, Jet

__all__ = ["Link", "compose", "links", "register_link"]


@dataclass(frozen=True)
class Link:
    """A map from the linear predictor to the log of the mean.

    Parameters
    ----------
    name : str
    log_mean : callable
        ``lp -> (h, h', h'')`` with h = log(mean); NaN outside the domain.
    inverse : callable
        ``mean -> lp``, for starting values.
    log : bool
        True for the log link, where h is the identity.
    """

    name: str
    log_mean: Callable[[Array], tuple[Array, Array, Array]]
    inverse: Callable[[Array], Array]
    log: bool = False


links: dict[str, Link] = {}


def register_link(link: Link) -> Link:
    """Make a link known by its name; returns it."""
    links[link.name] = link
    return link


def _log(lp: Array) -> tuple[Array, Array, Array]:
    return lp, np.ones(1), np.zeros(1)


def _identity(lp: Array) -> tuple[Array, Array, Array]:
    safe = np.where(lp > 0, lp, np.nan)
    return np.log(safe), 1.0 / safe, -1.0 / safe**2


def _sqrt(lp: Array) -> tuple[Array, Array, Array]:
    safe = np.where(lp > 0, lp, np.nan)
    return 2.0 * np.log(safe), 2.0 / safe, -2.0 / safe**2


register_link(Link("log", _log, np.log, log=True))
register_link(Link("identity", _identity, np.asarray))
register_link(Link("sqrt", _sqrt, np.sqrt))


def _own(link: Link, etas: Etas) -> tuple[Etas, Array, Array]:
    h, h1, h2 = link.log_mean(etas[0])
    return (h, *etas[1:]), h1, h2


def _chained(jet: Jet, h1: Array, h2: Array) -> Jet:
    """Chain rule for the first predictor."""
    first = jet.d1[0]
    if first is None:
        return jet
    q = jet.q
    d2 = [list(row) for row in jet.d2]
    for k in range(1, q):
        entry = d2[0][k]
        d2[0][k] = d2[k][0] = None if entry is None else entry * h1
    second = d2[0][0]
    curve = first * h2
    d2[0][0] = curve if second is None else second * h1 * h1 + curve
    return Jet(jet.value, (first * h1, *jet.d1[1:]), tuple(tuple(row) for row in d2))


def _terms(y: Array, etas: Etas, family: Family, link: Link) -> Jet:
    own, h1, h2 = _own(link, etas)
    return _chained(family.terms(y, own), h1, h2)


def _moments(etas: Etas, family: Family, link: Link) -> tuple[Jet, Jet]:
    own, h1, h2 = _own(link, etas)
    mean, variance = family.moments(own)
    return _chained(mean, h1, h2), _chained(variance, h1, h2)


def _expected(etas: Etas, family: Family, link: Link) -> Curvature:
    own, h1, _ = _own(link, etas)
    if family.expected is None:
        return ((None,) * len(etas),) * len(etas)
    rows = [list(row) for row in family.expected(own)]
    for k in range(len(rows)):
        for j, i in {(0, k), (k, 0)}:
            entry = rows[j][i]
            rows[j][i] = None if entry is None else entry * (h1 * h1 if k == 0 else h1)
    return tuple(tuple(row) for row in rows)


def _start(sums: StartSums, family: Family, link: Link) -> tuple[float, ...]:
    return (
        float(link.inverse(np.array(sums.mean))) - sums.offset / sums.weight,
        *family.start(sums)[1:],
    )


def compose(family: Family, link: str | Link | None) -> Family:
    """The family with another link for its mean; None and "log" return it as it is.

    Raises
    ------
    UsageError
        Unknown link.

    Examples
    --------
    >>> from glmcount.families.base import resolve
    >>> compose(resolve("poisson"), "sqrt").title
    'Poisson regression, sqrt link'
    """
    if link is None:
        return family
    if isinstance(link, str):
        if link not in links:
            raise UsageError(
                f"There is no link {link!r}.{near(link, links)} Links: {some(links)}.",
                kind="unknown_link",
            )
        link = links[link]
    if link.log:
        return family
    bound: dict[str, Any] = {"family": family, "link": link}
    deviance, tails, sample = family.deviance, family.tails, family.sample
    return family.with_(
        link=link.name,
        terms=partial(_terms, **bound),
        moments=partial(_moments, **bound),
        expected=partial(_expected, **bound),
        start=partial(_start, **bound),
        deviance=deviance and (lambda y, etas: deviance(y, _own(link, etas)[0])),
        tails=tails and (lambda y, etas: tails(y, _own(link, etas)[0])),
        sample=lambda rng, etas: sample(rng, _own(link, etas)[0]),
        limits=tuple(_limit(limit, link) for limit in family.limits),
        collapse="eta" if family.collapse == "mean" else family.collapse,
        curvature=None,
        mean_log=False,
        lift=link.inverse,
    )


def _limit(limit: Limit, link: Link) -> Limit:
    return replace(
        limit,
        family=compose(limit.family, link),
        score=lambda y, etas: limit.score(y, _own(link, etas)[0]),
    )
