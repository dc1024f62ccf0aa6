"""Families of count distributions, each a frozen value."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from glmcount.families.base import Equation, Family, Limit, StartSums, families, register, resolve
from glmcount.families.bernoulli import bernoulli
from glmcount.families.canonical import negbin_canonical
from glmcount.families.combine.censored import censored
from glmcount.families.combine.hurdle import hurdle
from glmcount.families.combine.inflated import zero_inflated
from glmcount.families.combine.links import Link, compose, links, register_link
from glmcount.families.combine.reparametrise import power_of_mean, reparametrise
from glmcount.families.combine.truncated import truncated
from glmcount.families.compoisson import compoisson
from glmcount.families.genpoisson import genpoisson, genpoisson2
from glmcount.families.negbin import geometric, negbin
from glmcount.families.negbinp import negbin1, negbinp
from glmcount.families.pig import pig
from glmcount.families.poisson import poisson, quasipoisson
from glmcount.front import public, refuse_name

if not TYPE_CHECKING:

    @public
    def __getattr__(name: str) -> NoReturn:
        refuse_name("glmcount.families", name, __all__)


__all__ = [
    "Equation",
    "Family",
    "Limit",
    "Link",
    "StartSums",
    "bernoulli",
    "censored",
    "compoisson",
    "compose",
    "families",
    "genpoisson",
    "genpoisson2",
    "geometric",
    "hurdle",
    "links",
    "negbin",
    "negbin1",
    "negbin_canonical",
    "negbinp",
    "pig",
    "poisson",
    "power_of_mean",
    "quasipoisson",
    "register",
    "register_link",
    "reparametrise",
    "resolve",
    "truncated",
    "zero_inflated",
]
