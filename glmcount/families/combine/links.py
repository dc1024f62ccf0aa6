"""Links of the mean, as values, and their composition with a family.

A link is (h, h', h'') from the linear predictor to the family's own predictor, a log-mean or
the logit of a probability; `compose` applies the chain rule once, so that the engine meets a
family whose predictors are linear.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
import scipy

from glmcount.allowed import choice, refuse, refuse_nameless, shown
from glmcount.errors import UsageError, some
from glmcount.families.base import Etas, Family, Limit, StartSums, a_family
from glmcount.families.combine.reparametrise import reparametrise
from glmcount.families.probe import STEP, called, is_slope, rows_given
from glmcount.families.recipe import recorded
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, eta_jet
from glmcount.numerics.special import logit, probit
from glmcount.records import cached_property, dataclass, replace
from glmcount.spellings.lookup import instead
from glmcount.spellings.models import LINKS

__all__ = ["Link", "compose", "links", "register_link"]


@dataclass(frozen=True)
class Link:
    """A map from the linear predictor to the log of the mean, or to the logit of it.

    Parameters
    ----------
    name : str
    own : callable
        ``lp -> (h, h', h'')`` with h = log(mean), or its logit; NaN outside the domain.
    inverse : callable
        ``mean -> lp``, for starting values.
    plain : bool
        True where h is the identity.
    domain : {"log", "logit"}
        What h is; a link serves the families whose predictor that is.

    Raises
    ------
    UsageError
        Where it is used or registered, if its functions do not lead to each other and back, or
        h' and h'' are not the derivatives of h.

    Examples
    --------
    Mean = lp**3:

    >>> import numpy as np
    >>> import glmcount as gc
    >>> from glmcount.families import Link
    >>> def own(lp):
    ...     safe = np.where(lp > 0, lp, np.nan)
    ...     return 3.0 * np.log(safe), 3.0 / safe, -3.0 / safe**2
    >>> cube_root = Link("cube root", own, np.cbrt)
    >>> r = gc.fit("y ~ 1", {"y": [7, 9]}, link=cube_root)
    >>> round(float(r.params["Intercept"]), 6)
    2.0
    """

    name: str
    own: Callable[[Array], tuple[Array, Array, Array]]
    inverse: Callable[[Array], Array]
    plain: bool = False
    domain: Literal["log", "logit"] = "log"

    @cached_property
    def tried(self) -> Link:
        """The link, of which functions of a user's own were called at a harmless point.

        Raises
        ------
        UsageError
            That names what is not as it must be.
        """
        if _own.get(self.name) is not self:
            _probe(self)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if _own.get(self.name) is self:
            return _own_link, (self.name,)
        for what in ("own", "inverse"):
            refuse_nameless(f"{what} of the link {self.name!r}", getattr(self, what))
        return _rebuilt, ({name: getattr(self, name) for name in self.__dataclass_fields__},)


# Means, or probabilities, that every link can have.
HARMLESS = {"log": np.array([0.75, 1.5, 3.0]), "logit": np.array([0.2, 0.45, 0.7])}


def _probe(link: Link) -> None:
    if not (isinstance(link.name, str) and link.name):
        refuse("name of a link", link.name, "a text", "own_link")
    whose = f"of the link {link.name!r}"
    domain = choice(f"domain {whose}", link.domain, HARMLESS, "own_link")
    plain = choice(f"plain {whose}", link.plain, (True, False), "own_link")
    mean = HARMLESS[domain]
    wanted = np.log(mean) if domain == "log" else logit(mean)
    what = f"inverse {whose}"
    lp = np.asarray(rows_given(what, called(what, link.inverse, mean), (mean,)), dtype=np.float64)
    here, low, high = (_own_jet(link, whose, lp + step) for step in (0.0, -STEP, STEP))
    told = "the logarithm of the mean" if domain == "log" else "the logit of the mean"
    if not np.allclose(here[0], wanted, rtol=1e-6, atol=1e-6) or (plain and (lp != here[0]).any()):
        raise UsageError(
            f"own {whose} must begin with {told}, and inverse lead back to it: for means "
            f"{mean.tolist()}, of which inverse makes {lp.tolist()}, it gave {here[0].tolist()}, "
            f"not {np.round(wanted, 6).tolist()}."
            + (" Where plain=True that is the predictor itself." if plain else ""),
            kind="own_function",
        )
    is_slope(f"h' in own {whose}", here[1], low[0], high[0], (lp,))
    is_slope(f"h'' in own {whose}", here[2], low[1], high[1], (lp,))


def _own_jet(link: Link, whose: str, lp: Array) -> tuple[Array, ...]:
    found = called(f"own {whose}", link.own, lp)
    if not (isinstance(found, tuple) and len(found) == 3):
        raise UsageError(
            f"own {whose} must give three arrays, (h, h', h''); it gave {shown(found)}.",
            kind="own_function",
        )
    return tuple(
        rows_given(f"{name} in own {whose}", each, (lp,), alike=name != "h")
        for name, each in zip(("h", "h'", "h''"), found, strict=True)
    )


def _own_link(name: str) -> Link:
    return _own[name]


def _rebuilt(fields: dict[str, Any]) -> Link:
    return Link(**fields)


def register_link(link: Link) -> Link:
    """Make a link known by its name; returns it.

    Parameters
    ----------
    link : Link

    Returns
    -------
    Link
        The same one.

    Raises
    ------
    UsageError
        If its functions do not give what they must, or a link of ours has its name.

    Examples
    --------
    >>> import numpy as np
    >>> from glmcount.families import Link, links, register_link
    >>> def own(lp):
    ...     return 2.0 * lp, np.full(1, 2.0), np.zeros(1)
    >>> doubled = Link("log twice", own, lambda mean: np.log(mean) / 2.0)
    >>> register_link(doubled) is links.pop("log twice")
    True
    """
    if not isinstance(link, Link):
        refuse("link", link, "a value made by glmcount.families.Link(...)", "own_link")
    _ = link.tried
    if link.name in _own:
        raise UsageError(
            f"A link named {link.name!r} comes with glmcount; choose another name.",
            kind="link_taken",
        )
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


def _probit(lp: Array) -> tuple[Array, Array, Array]:
    """logit(Phi(lp)): with m = phi / Phi, h' = m(lp) + m(-lp)."""
    right, left = scipy.special.log_ndtr(lp), scipy.special.log_ndtr(-lp)
    log_density = -0.5 * lp * lp - 0.5 * np.log(2.0 * np.pi)
    above, below = np.exp(log_density - right), np.exp(log_density - left)
    second = -above * (lp + above) + below * (below - lp)
    return right - left, above + below, second


def _cloglog(lp: Array) -> tuple[Array, Array, Array]:
    """logit(1 - exp(-exp(lp))) = log(expm1(t)), t = exp(lp)."""
    t = np.exp(lp)
    share = -np.expm1(-t)
    first = np.where(t < 1e-8, 1.0 + 0.5 * t, t / np.where(share > 0, share, 1.0))
    # h'' = h' (1 - t exp(-t) / share): 1 - t / (exp(t) - 1) = t/2 - t^2/12 + ... near zero.
    gap = np.where(t < 1e-3, 0.5 * t - t * t / 12.0, 1.0 - t * np.exp(-t) / np.maximum(share, 1e-9))
    return (
        np.where(t > 1.0, t + np.log(share), np.log(np.expm1(np.minimum(t, 2.0)))),
        first,
        first * gap,
    )


# Those that every process has, whatever else is registered.
_own = {
    each.name: each
    for each in (
        Link("log", _log, np.log, plain=True),
        Link("logit", _log, logit, plain=True, domain="logit"),
        Link("probit", _probit, probit, domain="logit"),
        Link("cloglog", _cloglog, lambda p: np.log(-np.log1p(-p)), domain="logit"),
        Link("identity", _identity, np.asarray),
        Link("sqrt", _sqrt, np.sqrt),
    )
}
links: dict[str, Link] = dict(_own)


def _inner(etas: Etas, link: Link) -> tuple[Jet, ...]:
    """The family's own predictors as jets in the linear ones."""
    first = eta_jet(etas, 0).chain(*link.own(etas[0]))
    return (first, *(eta_jet(etas, k) for k in range(1, len(etas))))


def _start(sums: StartSums, family: Family, link: Link) -> tuple[float, ...]:
    mean = sums.mean
    if link.domain == "logit":
        # A probability of 0 or 1 is at infinity.
        mean = min(max(mean, 1e-3), 1.0 - 1e-3)
    return (
        float(link.inverse(np.array(mean))) - sums.offset / sums.weight,
        *family.start(sums)[1:],
    )


def _link(link: Any, family: Family) -> Link:
    own = [name for name, each in links.items() if each.domain == family.domain]
    if isinstance(link, str):
        if link not in links:
            raise UsageError(
                f"There is no link {link!r}.{instead(LINKS, link, own)} Links: {some(own)}.",
                kind="unknown_link",
            )
        link = links[link]
    if not isinstance(link, Link):
        refuse("link", link, "a name or a Link", "unknown_link", f"Links: {some(own)}.")
    if link.domain != family.domain:
        raise UsageError(
            f"link={link.name!r} does not serve {family.label}. Links it has: {some(own)}.",
            kind="unknown_link",
        )
    return link.tried


@recorded
def compose(family: Family, link: str | Link | None) -> Family:
    """The family with another link for its mean; None and "log" return it as it is.

    Parameters
    ----------
    family : Family
    link : str, Link or None
        The name of a registered link, or a link.

    Returns
    -------
    Family
        Whose first predictor is linear: h(lp) stands where the family's own predictor was.

    Raises
    ------
    UsageError
        If that is no family, or the link is unknown.

    Examples
    --------
    >>> from glmcount.families import compose, resolve
    >>> compose(resolve("poisson"), "sqrt").title
    'Poisson regression, sqrt link'
    """
    if link is None and isinstance(family, Family):
        return family
    link = _link(link, a_family("family", family))
    if link.plain:
        return family
    return reparametrise(
        family,
        partial(_inner, link=link),
        link=link.name,
        start=partial(_start, family=family, link=link),
        proper=family.proper,
        flat=family.flat,
        certain=family.certain,
        limits=tuple(_limit(limit, link) for limit in family.limits),
        collapse="eta" if family.collapse == "mean" else family.collapse,
        concave_links=family.concave_links,
        lift=link.inverse,
    )


def _limit(limit: Limit, link: Link) -> Limit:
    return replace(
        limit,
        family=compose(limit.family, link),
        score=lambda y, etas: limit.score(y, (link.own(etas[0])[0], *etas[1:])),
    )
