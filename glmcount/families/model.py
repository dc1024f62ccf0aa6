"""The family a model asks for: link, zero part, truncation and censoring put together."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from glmcount.errors import UsageError, some
from glmcount.families.base import Family, families, resolve
from glmcount.families.bernoulli import bernoulli
from glmcount.families.combine.censored import censored
from glmcount.families.combine.hurdle import hurdle
from glmcount.families.combine.inflated import zero_inflated
from glmcount.families.combine.links import Link, compose, links
from glmcount.families.combine.truncated import truncated
from glmcount.spellings.lookup import instead
from glmcount.spellings.options import VALUES

__all__ = ["COUNT_ZERO_PARTS", "model_family"]

COUNT_ZERO_PARTS = ("poisson", "negbin", "geometric")


def model_family(
    family: str | Family,
    *,
    link: str | Link | None = None,
    part: str | None = None,
    zero: str | Family | None = None,
    above: int | None = None,
    limited: bool = False,
) -> Family:
    """Family of a count part with what is made of it.

    Parameters
    ----------
    family, link : of the count part
    part : {"inflate", "hurdle"}, optional
        The second part, of the zeros.
    zero : str or Family, optional
        Link of the second part; of a hurdle also a count family.
    above : int, optional
        Truncation: only greater counts are seen.
    limited : bool
        Whether counts are right-censored.

    Raises
    ------
    UsageError
        For combinations that are no model.
    """
    count = resolve(family)
    if link is not None:
        count = compose(count, link)
    if count.columns and not limited:
        raise UsageError(
            f"{count.label} reads a limit for each row: give it by censored=.", kind="censored"
        )
    limited = limited and not count.columns
    if part is not None or above is not None or limited:
        _check_together(count, part, above, limited)
    if zero is not None and part is None:
        raise UsageError(
            "zero= is the link of the zero part of inflate= or hurdle=, and neither is given.",
            kind="zero_without_part",
        )
    if above is not None:
        return truncated(count, above)
    if limited:
        return censored(count)
    if part is None:
        return count
    own = _zero_part(zero, part)
    if families.get(count.name) is count and own is bernoulli:
        return _usual(count.name, part)
    return (hurdle if part == "hurdle" else zero_inflated)(count, own)


@lru_cache
def _usual(name: str, part: str) -> Family:
    """A registered family with a logit: that many values are made once."""
    return (hurdle if part == "hurdle" else zero_inflated)(families[name], bernoulli)


def _check_together(count: Family, part: str | None, above: int | None, limited: bool) -> None:
    asked = [
        name
        for name, wanted in (
            (f"{part}=", part is not None),
            ("truncated=", above is not None),
            ("censored=", limited),
        )
        if wanted
    ]
    if len(asked) > 1:
        raise UsageError(
            f"{' and '.join(asked)} cannot be asked for together: each says in its own way what "
            "becomes of some counts. Choose one.",
            kind="incompatible_parts",
        )
    if asked and not count.likelihood:
        raise UsageError(
            f"{asked[0]} needs a likelihood, and {count.label} has only a mean and a variance. Use "
            "family='poisson' or 'negbin'.",
            kind="no_likelihood",
        )
    if asked and not (count.support == (0.0, math.inf) and count.mean_equation):
        raise UsageError(
            f"{asked[0]} is made of a family whose counts are 0, 1, 2 and so on without end; "
            f"{count.label} is none.",
            kind="incompatible_parts",
        )


def _zero_part(zero: Any, part: str) -> Family:
    if isinstance(zero, Family):
        return zero
    own = [name for name, link in links.items() if link.domain == "logit"]
    allowed = (*own, *COUNT_ZERO_PARTS) if part == "hurdle" else tuple(own)
    name = "logit" if zero is None else zero
    if name not in allowed:
        hint = instead(VALUES["zero"], str(zero), allowed)
        raise UsageError(
            f"zero={zero!r} is no zero part of {part}=.{hint} It takes: {some(allowed, 20)}.",
            kind="unknown_zero",
        )
    return compose(bernoulli, name) if name in own else resolve(name)
