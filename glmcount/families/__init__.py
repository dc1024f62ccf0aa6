"""Families of count distributions, each a frozen value."""

from __future__ import annotations

from glmcount.families.base import Equation, Family, Limit, StartSums, families, register, resolve
from glmcount.families.compoisson import compoisson
from glmcount.families.links import Link, compose, links, register_link
from glmcount.families.negbin import geometric, negbin
from glmcount.families.poisson import poisson, quasipoisson

__all__ = [
    "Equation",
    "Family",
    "Limit",
    "Link",
    "StartSums",
    "compoisson",
    "compose",
    "families",
    "geometric",
    "links",
    "negbin",
    "poisson",
    "quasipoisson",
    "register",
    "register_link",
    "resolve",
]
