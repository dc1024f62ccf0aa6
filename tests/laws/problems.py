"""Problems that the laws are tried on: random data, families with links, strips of few rows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from glmcount.families import Family, compose, families, links

QUICK = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
SEEDS = st.integers(0, 2**32 - 1)
LIKELIHOODS = [name for name, family in families.items() if family.likelihood]
ONE_EQUATION = [name for name, family in families.items() if len(family.equations) == 1]


def composed() -> Iterator[tuple[str, str]]:
    """Every family with every link."""
    for family in families:
        for link in links:
            yield family, link


def with_link(name: str, link: str) -> Family:
    return compose(families[name], link)


def typical_etas(name: str, link: str, seed: int, n: int) -> tuple[np.ndarray, ...]:
    """Predictors from the family's typical ranges; the first on the link's own scale."""
    rng = np.random.default_rng(seed)
    etas = [rng.uniform(low, high, n) for low, high in families[name].typical]
    etas[0] = np.array([links[link].inverse(np.exp(value)) for value in etas[0]])
    return tuple(etas)


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
