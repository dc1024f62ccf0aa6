"""Scales on which intervals of what is predicted are symmetric: plain, logarithms, logits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glmcount.numerics import Array
from glmcount.numerics.special import expit, logit

__all__ = ["OUTER", "inner_of"]


def inner_of(values: Array, errors: Array, scale: str) -> tuple[Array, Array]:
    """A quantity and its standard error on the scale of its intervals."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "log":
            inner, own = np.log(values), errors / values
        elif scale == "logit":
            inner, own = logit(values), errors / (values * (1.0 - values))
        else:
            inner, own = values, errors
    # What is 0, 1 or infinite to the last digit is so without a doubt that a digit could show,
    # but where it is a limit, of which no error is known.
    return inner, np.where(np.isinf(inner) & ~np.isnan(errors), 0.0, own)


def _plain(values: Array) -> Array:
    return values


def _exponential(values: Array) -> Array:
    found: Array = np.exp(values)
    return found


def _share(values: Array) -> Array:
    found: Array = expit(values)
    return found


# By name, which other processes know them by too.
OUTER: dict[str, Callable[[Array], Array]] = {
    "plain": _plain,
    "log": _exponential,
    "logit": _share,
}
