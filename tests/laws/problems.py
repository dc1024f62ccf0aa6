"""Problems that the laws are tried on: random data, families with links, strips of few rows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from scipy import special

from glmcount.families import (
    Family,
    censored,
    compose,
    families,
    hurdle,
    links,
    negbin_canonical,
    truncated,
    zero_inflated,
)

QUICK = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(QUICK, max_examples=4)


def _made() -> Iterator[tuple[str, Family]]:
    """Every combinator over every count family."""
    for name, family in families.items():
        if family.likelihood and family.support[1] > 1:
            yield f"zero-inflated {name}", zero_inflated(family)
            yield f"hurdle {name}", hurdle(family)
            yield f"truncated {name}", truncated(family)
            yield f"truncated2 {name}", truncated(family, 2)
            yield f"censored {name}", censored(family)
    yield "canonical", negbin_canonical()
    yield "hurdle probit", hurdle(families["poisson"], compose(families["bernoulli"], "probit"))
    yield "hurdle negbin-zero", hurdle(families["poisson"], families["negbin"])
    yield (
        "inflated cloglog",
        zero_inflated(families["negbin"], compose(families["bernoulli"], "cloglog")),
    )


MADE = dict(_made())
EVERY = {**families, **MADE}
LIKELIHOODS = [name for name, family in EVERY.items() if family.likelihood]
ONE_EQUATION = [name for name, family in families.items() if len(family.equations) == 1]
# Fits are tried with every family, and with every combinator.
FITTED = [
    *families,
    "zero-inflated poisson",
    "zero-inflated negbin",
    "hurdle poisson",
    "hurdle negbin",
    "truncated negbin",
    "truncated2 poisson",
    "censored poisson",
    "censored negbin",
]


def composed() -> Iterator[tuple[str, str]]:
    """Every family with every link of its own; every combination as it is."""
    for name, family in families.items():
        for link in links.values():
            if link.domain == family.domain:
                yield name, link.name
    for name in MADE:
        yield name, "log"


def with_link(name: str, link: str) -> Family:
    return MADE[name] if name in MADE else compose(families[name], link)


def typical_etas(name: str, link: str, seed: int, n: int) -> tuple[np.ndarray, ...]:
    """Predictors from the family's typical ranges; the first on the link's own scale."""
    rng = np.random.default_rng(seed)
    etas = [rng.uniform(low, high, n) for low, high in EVERY[name].typical]
    from_own = {"log": np.exp, "logit": special.expit}[links[link].domain]
    etas[0] = np.array([links[link].inverse(from_own(value)) for value in etas[0]])
    return tuple(etas)


def counts(name: str, seed: int, n: int = 20) -> np.ndarray:
    """A response the family can have, with the further rows it reads."""
    family, rng = EVERY[name], np.random.default_rng(seed)
    low, high = family.support
    y = np.clip(rng.integers(0, 25, n), low, high).astype(float)
    return np.stack([y, *(rng.choice([3.0, 9.0, np.inf], n) for _ in family.columns)])


def suited(name: str, data: pd.DataFrame) -> pd.DataFrame:
    """The data with a response the family can have."""
    family = EVERY[name]
    if family.support[1] == 1:
        return data.assign(y=(data["y"] > data["y"].median()).astype(int))
    if "inflate" in name or "hurdle" in name or "inflated" in name:
        return data.assign(y=np.where(data.index % 4 == 0, 0, data["y"]))
    return data.assign(y=np.maximum(data["y"], int(family.support[0])))


def mixed_data(seed: int, n: int = 120) -> pd.DataFrame:
    """Overdispersed positive counts, three numeric columns, two factors, no empty level."""
    rng = np.random.default_rng(seed)
    x, z, u = rng.normal(size=n), rng.uniform(1, 3, n), rng.normal(5, 2, n)
    g = rng.permutation(np.resize(["a", "b", "c"], n))
    h = rng.permutation(np.resize(["p", "q"], n))
    mean = np.exp(1.2 + 0.3 * x - 0.2 * z + 0.4 * (g == "b") + 0.2 * (h == "q"))
    y = rng.poisson(mean * rng.gamma(2.0, 0.5, n)) + rng.integers(1, 3, n)
    t = rng.uniform(0.5, 4.0, n)
    w = rng.integers(1, 4, n)
    return pd.DataFrame({"y": y, "x": x, "z": z, "u": u, "g": g, "h": h, "t": t, "w": w})


def small_strips(monkeypatch: Any, rows: int) -> None:
    """Cut data into strips of few rows, in every module that knows their size."""
    for name, module in list(sys.modules.items()):
        if name.startswith("glmcount") and hasattr(module, "STRIP_ROWS"):
            monkeypatch.setattr(module, "STRIP_ROWS", rows)
