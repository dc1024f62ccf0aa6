"""What the study of coverage draws: data sets of four models, and what their estimates tend to."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd
from scipy import signal, special, stats

import glmcount as gc

SLOPE = 0.3
STEP = 0.2
MODELS = {
    "Poisson": {},
    "NB2": {"family": "negbin"},
    "ZIP": {"inflate": "1"},
    "hurdle": {"hurdle": "x"},
}
ZEROS = {"ZIP": 0.25, "hurdle": 0.3}
# Autoregressions of first order.
MEMORY = 0.5
# Of quadratures, and the largest count.
NODES = 40
MOST = 250


def counts(model: str, mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Counts of the model with these means of its count part."""
    if model == "NB2":
        mean = mean * rng.gamma(2.0, 0.5, len(mean))
    y = rng.poisson(mean)
    if model == "hurdle":
        while (y == 0).any():
            y = np.where(y == 0, rng.poisson(mean), y)
    return np.where(rng.random(len(y)) < ZEROS.get(model, 0.0), 0, y)


def remembered(shape: int | tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Autoregressions along the first axis."""
    return np.asarray(signal.lfilter([1.0], [1.0, -MEMORY], rng.normal(size=shape), axis=0))


def drawn(model: str, kind: str, n: int, rng: np.random.Generator, groups: int) -> pd.DataFrame:
    """A data set: what is in its columns depends on how its rows hang together."""
    g, other = np.arange(n) % groups, rng.permutation(n) % groups
    x, effect = rng.normal(size=n), np.zeros(n)
    if kind in {"clusters", "two ways"}:
        x = 0.7 * x + 0.7 * rng.normal(size=groups)[g]
        effect = np.log(rng.gamma(10.0, 0.1, groups))[g]
    if kind == "two ways":
        x += 0.7 * rng.normal(size=groups)[other]
        effect += np.log(rng.gamma(10.0, 0.1, groups))[other]
    if kind == "time":
        x, effect = remembered(n, rng), 0.3 * remembered(n, rng)
    if kind == "panels":
        # Rows g, g + groups, ... are of one time, whose shock they have in common.
        x = 0.7 * x + 0.7 * remembered(groups, rng)[g]
        effect = 0.3 * remembered(groups, rng)[g]
    if kind == "missing":
        x = (rng.random(n) < 0.5).astype(float)
    frame = pd.DataFrame({"x": x, "z": rng.normal(size=n), "g": g, "k": other, "t": np.arange(n)})
    frame["f"] = np.resize(list("abc"), n)
    frame["h"] = rng.choice(list("pqrs"), n)
    step = 0.0 if kind == "time" else STEP
    frame["y"] = counts(model, np.exp(0.6 + SLOPE * x + step * (frame.f == "b") + effect), rng)
    return frame


@cache
def limit(model: str, kind: str) -> float:
    """What the slope of x tends to: its value in a fit to all counts by their probabilities.

    Effects of clusters or of the past leave Poisson and NB2 the mean they have, and so the slope;
    the likelihoods of a zero-inflated and of a truncated law take them for zeros or for a slope.
    """
    if kind not in {"clusters", "two ways", "time", "panels"}:
        return SLOPE
    node, share = special.roots_hermitenorm(NODES)
    spread = {"clusters": 2 * 0.49, "two ways": 3 * 0.49, "time": 1 / (1 - MEMORY**2)}
    spread["panels"] = 0.49 + 0.49 * spread["time"]
    x, effects, odds = node * np.sqrt(spread[kind]), *effect_law(kind)
    y, parts = np.arange(MOST), []
    for f in "abc":
        step = 0.0 if kind == "time" else STEP * (f == "b")
        mean = np.exp(0.6 + SLOPE * x + step)[:, None, None] * effects[:, None]
        chances = np.einsum("xey,e->xy", probabilities(model, mean, y), odds)
        weight = (chances * share[:, None] / share.sum() / 3).ravel()
        at = pd.DataFrame({"x": np.repeat(x, MOST), "y": np.tile(y, NODES), "f": f, "w": weight})
        parts.append(at[at.w > 1e-25])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = gc.fit(
            "y ~ x + f",
            pd.concat(parts).assign(w=lambda all_: 1e4 * all_.w),
            weights="w",
            weights_type="importance",
            **MODELS[model],
        )
    return float(r.params["x"])


def effect_law(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Values of the effects that multiply means, and their probabilities."""
    if kind in {"time", "panels"}:
        node, odds = special.roots_hermitenorm(NODES)
        return np.exp(0.3 * node / np.sqrt(1 - MEMORY**2)), odds / odds.sum()
    node, odds = special.roots_genlaguerre(NODES // 2, 9.0)
    node, odds = 0.1 * node, odds / odds.sum()
    if kind == "two ways":
        return np.outer(node, node).ravel(), np.outer(odds, odds).ravel()
    return node, odds


def probabilities(model: str, mean: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of counts, given the means of the count part."""
    law = stats.nbinom(2, 2 / (2 + mean)) if model == "NB2" else stats.poisson(mean)
    found = law.pmf(y)
    if model == "hurdle":
        found = np.where(y == 0, 0.0, found / (1.0 - law.pmf(0)))
    zeros = ZEROS.get(model, 0.0)
    return np.asarray((1.0 - zeros) * found + zeros * (y == 0))


def expected(model: str, x: np.ndarray, f: str | np.ndarray) -> np.ndarray:
    """Means of independent counts."""
    mean = np.exp(0.6 + SLOPE * np.asarray(x) + STEP * (np.asarray(f) == "b"))
    truncated = mean / -np.expm1(-mean) if model == "hurdle" else mean
    return np.asarray((1.0 - ZEROS.get(model, 0.0)) * truncated)


def slope_of_mean(model: str, x: np.ndarray, f: np.ndarray) -> np.ndarray:
    """Derivatives of `expected` by x."""
    mean = np.exp(0.6 + SLOPE * np.asarray(x) + STEP * (np.asarray(f) == "b"))
    inner = np.ones_like(mean)
    if model == "hurdle":
        above = -np.expm1(-mean)
        inner = (above - mean * np.exp(-mean)) / above**2
    return np.asarray((1.0 - ZEROS.get(model, 0.0)) * SLOPE * mean * inner)
