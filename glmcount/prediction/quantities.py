"""What can be predicted: quantities as jets of the predictors, for every family."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from glmcount.allowed import plain, shown
from glmcount.errors import NotDefinedError, UsageError, some
from glmcount.families.base import Boundary, Family
from glmcount.families.distribution import (
    log_above,
    log_masses,
    log_zero,
    mass_jet,
    stacked,
    tails,
    up_to,
)
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet, constant_jet, eta_jet, exp_jet, times
from glmcount.records import dataclass, replace
from glmcount.spellings.lookup import instead, or_listed
from glmcount.spellings.options import VALUES

__all__ = ["QUANTILE", "WHICH", "Quantity", "asked", "leaves_offset", "quantity"]

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
    law : bool
        Whether it takes a distribution, which a quasi-likelihood does not have.
    value : callable, optional
        The values alone, where they cost less than the jet.
    mean : bool
        Whether it is the mean, whose interval is made on its predictor where it has one.
    bare : bool
        Whether the offset and exposure of the mean are left out.
    """

    name: str
    jet: Callable[[Family, Sequence[Array], float], Jet]
    scale: str = "plain"
    at: str = ""
    law: bool = False
    value: Callable[[Family, Sequence[Array], float], Array] | None = None
    mean: bool = False
    bare: bool = False

    def values(self, family: Family, etas: Sequence[Array], at: float) -> Array:
        """Values without derivatives."""
        if self.value is not None:
            return self.value(family, etas, at)
        return self.jet(family, etas, at).value


def _mean(family: Family, etas: Sequence[Array], at: float) -> Jet:
    return family.moments(etas)[0]


def _positive(family: Family, etas: Sequence[Array]) -> Jet:
    # Not 1 - P(Y = 0), of which nothing is left where nearly all zeros are structural or the mean
    # is small.
    return log_above(family, etas, np.zeros(1))


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


def _counts(etas: Sequence[Array], at: float) -> Array:
    return np.full(max(eta.size for eta in etas), at)


def _mass_value(family: Family, etas: Sequence[Array], at: float) -> Array:
    return np.exp(np.minimum(log_masses(family, etas, _counts(etas, at))[0], 0.0))


def _cdf_value(family: Family, etas: Sequence[Array], at: float) -> Array:
    return np.exp(tails(family, stacked(family, _counts(etas, at)), etas)[1])


def _up_to(family: Family, etas: Sequence[Array], at: float) -> Jet:
    return up_to(family, etas, _counts(etas, at))


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


def _probability(
    name: str,
    jet: Callable[[Family, Sequence[Array], float], Jet],
    at: str = "",
    value: Callable[[Family, Sequence[Array], float], Array] | None = None,
) -> Quantity:
    return Quantity(name, jet, "logit", at, True, value)


WHICH: dict[str, Quantity] = {
    q.name: q
    for q in (
        Quantity("mean", _mean, "log", mean=True),
        Quantity("rate", _mean, "log", mean=True, bare=True),
        Quantity("linear", lambda family, etas, at: eta_jet(etas, 0)),
        Quantity("var", lambda family, etas, at: family.moments(etas)[1], "log"),
        _probability("prob", mass_jet, "count", _mass_value),
        _probability("cdf", _up_to, "count", _cdf_value),
        _probability("prob-zero", lambda family, etas, at: _probability_of_zero(family, etas)),
        _probability("zero", lambda family, etas, at: _part(family, etas, "zero")),
        _probability("prob-positive", lambda family, etas, at: _probability_positive(family, etas)),
        Quantity("mean-main", lambda family, etas, at: _part(family, etas, "mean-main"), "log"),
        Quantity(
            "mean-nonzero", lambda family, etas, at: _mean_positive(family, etas), "log", law=True
        ),
    )
}


def leaves_offset(which: str) -> bool:
    """Whether a quantity leaves out the offset and exposure of the mean."""
    return which in WHICH and WHICH[which].bare


def _known(which: Any) -> str:
    names = (*WHICH, QUANTILE)
    if isinstance(which, str) and which in names:
        return which
    listed = f" which takes one of: {some(names, 20)}."
    hint = instead(VALUES["which"], which, names) if isinstance(which, str) else ""
    raise UsageError(
        f"which={shown(which)} cannot be predicted.{or_listed(hint, listed)}",
        kind="unknown_which",
    )


def asked(which: Any, at: Any) -> list[float | None]:
    """What a quantity is asked at: several for a list, [None] for what is asked at nothing.

    Raises
    ------
    UsageError
        With the names there are, or what `at` must be.
    """
    name = _known(which)
    several = isinstance(at, list | tuple | range | np.ndarray | pd.Series | pd.Index)
    # Of an array the shape is its own; a list of lists of any lengths holds no number.
    if several and getattr(at, "ndim", 1) == 1:
        if not len(at):
            raise UsageError("at= is an empty list: name a count at least.", kind="at")
        return [_at(name, each) for each in at]
    return [_at(name, at)]


def _at(which: str, at: Any) -> float | None:
    found = WHICH.get(which)
    if found is not None and not found.at:
        if at is not None:
            raise UsageError(f"which={which!r} takes no at=.", kind="at")
        return None
    number = _number(at)
    if found is None:
        if number is None or not 0.0 < number < 1.0:
            raise UsageError(
                f"which='quantile' is asked at a probability: pass at=0.5 or another number "
                f"between 0 and 1; got at={shown(at)}.",
                kind="at",
            )
    elif number is None or not (number >= 0 and number == math.floor(number)):
        raise UsageError(
            f"which={which!r} is asked at a count: pass at=0, 1, 2 ..., or a list of counts; "
            f"got at={shown(at)}.",
            kind="at",
        )
    return number


def _number(at: Any) -> float | None:
    at = plain(at)
    if isinstance(at, bool) or not isinstance(at, int | float):
        return None
    try:
        number = float(at)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _never(family: Family, etas: Sequence[Array], at: float) -> Jet:
    return constant_jet(np.zeros(1), len(etas))


def quantity(
    which: str, family: Family, scale: float = 1.0, limits: Sequence[Boundary] = ()
) -> Quantity:
    """The quantity of that name, for a family; variances of a quasi-likelihood times `scale`.

    `limits` are those at which another family became this one: a zero part that went there is
    one of no structural zeros.

    Raises
    ------
    NotDefinedError
        For what takes a distribution, of a family that has none.
    """
    found = WHICH["prob" if which == QUANTILE else which]
    if found.law and not family.likelihood:
        raise NotDefinedError(
            f"which={which!r} takes a distribution, and {family.label} has a mean and a variance "
            "but no probabilities; fit family='poisson' or 'negbin'.",
            kind="no_likelihood",
        )
    if which == "zero" and any(limit.name == "inflation" for limit in limits):
        return replace(found, jet=_never)
    if which != "var" or scale == 1.0:
        return found
    jet = found.jet
    return replace(found, jet=lambda family, etas, at: times(jet(family, etas, at), scale))
