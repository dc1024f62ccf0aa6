"""Families of count distributions, each a frozen value."""

from __future__ import annotations

from glmcount.families.base import Equation, Family, Limit, StartSums, families, register, resolve
from glmcount.families.bernoulli import bernoulli
from glmcount.families.compoisson import compoisson
from glmcount.families.links import Link, compose, links, register_link
from glmcount.families.negbin import geometric, negbin
from glmcount.families.poisson import poisson, quasipoisson
from glmcount.families.truncated import censored, truncated
from glmcount.families.twopart import hurdle, zero_inflated

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
    "geometric",
    "hurdle",
    "links",
    "negbin",
    "poisson",
    "quasipoisson",
    "register",
    "register_link",
    "resolve",
    "truncated",
    "zero_inflated",
]
