"""What can be predicted: quantities as jets of the predictors, for every family."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from glmcount.errors import NotDefinedError, UsageError, near, some
from glmcount.families.base import Family
from glmcount.families.distribution import log_zero, mass_jet, up_to
from glmcount.families.jets import log_complement, times
from glmcount.numerics import Array, Jet, constant_jet, eta_jet, exp_jet
from glmcount.records import dataclass

__all__ = ["QUANTILE", "WHICH", "Quantity", "quantity"]

QUANTILE = "quantile"


@dataclass(frozen=True)
class Quantity:
    """Something to predict: a jet of the predictors.

    Parameters
    ----------
    name : str
    jet : callable
        ``(family, etas, at) -> Jet``.
    scale : {"plain", "log", "logit"}
        On which intervals are symmetric: logarithms of means, logits of probabilities.
    at : {"", "count"}
        What the quantity is asked at, besides the row.
    """

    name: str
    jet: Callable[[Family, Sequence[Array], float], Jet]
    scale: str = "plain"
    at: str = ""


def _positive(family: Family, etas: Sequence[Array]) -> Jet:
    return log_complement(log_zero(family, etas))


def _mean_positive(family: Family, etas: Sequence[Array]) -> Jet:
    if family.support[0] > 0:
        return family.moments(etas)[0]
    return family.moments(etas)[0] * exp_jet(times(_positive(family, etas), -1.0))


def _probability_of_zero(family: Family, etas: Sequence[Array]) -> Jet:
    if family.support[0] > 0:
        return constant_jet(np.zeros(1), len(etas))
    return exp_jet(log_zero(family, etas))


def _probability_positive(family: Family, etas: Sequence[Array]) -> Jet:
    if family.support[0] > 0:
        return constant_jet(np.ones(1), len(etas))
    return exp_jet(_positive(family, etas))


def _up_to(family: Family, etas: Sequence[Array], at: float) -> Jet:
    return up_to(family, etas, np.full(max(eta.size for eta in etas), at))


def _part(family: Family, etas: Sequence[Array], name: str) -> Jet:
    if name in family.parts:
        return family.parts[name](etas)
    if name == "mean-main":
        return family.moments(etas)[0]
    raise NotDefinedError(
        f"which={name!r} is the probability of a structural zero, and {family.label} has none: "
        "fit with inflate=. The probability of any zero is which='prob-zero'.",
        kind="no_zero_part",
    )


WHICH: dict[str, Quantity] = {
    q.name: q
    for q in (
        Quantity("mean", lambda family, etas, at: family.moments(etas)[0], "log"),
        Quantity("linear", lambda family, etas, at: eta_jet(etas, 0)),
        Quantity("var", lambda family, etas, at: family.moments(etas)[1], "log"),
        Quantity("prob", mass_jet, "logit", "count"),
        Quantity("cdf", lambda family, etas, at: _up_to(family, etas, at), "logit", "count"),
        Quantity("prob-zero", lambda family, etas, at: _probability_of_zero(family, etas), "logit"),
        Quantity("zero", lambda family, etas, at: _part(family, etas, "zero"), "logit"),
        Quantity(
            "prob-positive", lambda family, etas, at: _probability_positive(family, etas), "logit"
        ),
        Quantity("mean-main", lambda family, etas, at: _part(family, etas, "mean-main"), "log"),
        Quantity("mean-nonzero", lambda family, etas, at: _mean_positive(family, etas), "log"),
    )
}


def quantity(which: str, at: float | None, family: Family) -> Quantity:
    """The quantity of that name, checked with what it is asked at.

    Raises
    ------
    UsageError
        With the names there are, or what `at` must be.
    NotDefinedError
        For probabilities of a family that has none.
    """
    if which not in WHICH:
        raise UsageError(
            f"which={which!r} cannot be predicted.{near(which, (*WHICH, QUANTILE))} which takes: "
            f"{some((*WHICH, QUANTILE), 12)}.",
            kind="unknown_which",
        )
    found = WHICH[which]
    if found.at == "count" and (at is None or at < 0 or at != int(at)):
        raise UsageError(
            f"which={which!r} is asked at a count: pass at=0, 1, 2 ...; got at={at!r}.", kind="at"
        )
    if not found.at and at is not None:
        raise UsageError(f"which={which!r} takes no at=.", kind="at")
    if found.scale == "logit" and not family.likelihood:
        raise NotDefinedError(
            f"{family.label} has a mean and a variance but no probabilities; fit "
            "family='poisson' or 'negbin'.",
            kind="no_likelihood",
        )
    return found
