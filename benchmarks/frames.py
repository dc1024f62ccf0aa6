"""The data of the cases, drawn strip by strip so that drawing leaves no memory behind."""

from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 1_000_000
STRIP = 65_536
DENSE = tuple(f"x{j}" for j in range(1, 21))
LEVELS = {"a": 10, "b": 50, "c": 300}
PARTS_ROWS = 100_000
PARTS = tuple(f"x{j}" for j in range(1, 9))
WARPBREAKS = Path(__file__).parents[1] / "glmcount" / "datasets" / "warpbreaks.csv"


def _strips():
    return [slice(first, min(first + STRIP, ROWS)) for first in range(0, ROWS, STRIP)]


def _frame(columns):
    # copy=False: the columns drawn are those of the frame, never held twice.
    return pd.DataFrame(columns, copy=False)


def dense():
    """20 numeric columns of different location and scale, as measurements have them."""
    rng = np.random.default_rng(20)
    location, scale = rng.normal(0.0, 3.0, 20), np.exp(rng.normal(0.0, 1.0, 20))
    effects = rng.normal(0.0, 0.1, 20)
    columns = {"y": np.empty(ROWS, np.int64)} | {name: np.empty(ROWS) for name in DENSE}
    for rows in _strips():
        eta = np.full(rows.stop - rows.start, -0.1)
        for name, m, s, effect in zip(DENSE, location, scale, effects, strict=True):
            drawn = rng.standard_normal(len(eta))
            eta += effect * drawn
            columns[name][rows] = m + s * drawn
        columns["y"][rows] = rng.poisson(np.exp(eta))
    return _frame(columns)


def factors():
    """Factors of 10, 50 and 300 levels, two numeric columns, an exposure."""
    rng = np.random.default_rng(360)
    effects = {name: rng.normal(0.0, 0.3, levels) for name, levels in LEVELS.items()}
    codes = {name: np.empty(ROWS, np.int16) for name in LEVELS}
    columns = {"y": np.empty(ROWS, np.int64)} | {name: np.empty(ROWS) for name in ("u", "v", "t")}
    for rows in _strips():
        n = rows.stop - rows.start
        u, v, t = rng.standard_normal(n), rng.uniform(0.0, 2.0, n), rng.uniform(0.1, 1.0, n)
        eta = np.log(t) + 0.2 * u - 0.1 * v
        for name, levels in LEVELS.items():
            codes[name][rows] = rng.integers(levels, size=n)
            eta += effects[name][codes[name][rows]]
        columns["u"][rows], columns["v"][rows], columns["t"][rows] = u, v, t
        columns["y"][rows] = rng.poisson(np.exp(eta))
    for name, levels in LEVELS.items():
        labels = [f"{name}{level}" for level in range(levels)]
        columns[name] = pd.Categorical.from_codes(codes.pop(name), labels)
    return _frame(columns)


def warpbreaks():
    """54 looms, two factors: R's `warpbreaks`."""
    return pd.read_csv(WARPBREAKS)


def parts(zeros=True, dispersion=0.5):
    """100,000 rows of 8 numeric columns; a third of the zeros are structural."""

    def draw():
        rng = np.random.default_rng(8)
        x = rng.standard_normal((PARTS_ROWS, len(PARTS)))
        mean = np.exp(0.5 + x @ np.linspace(-0.2, 0.2, len(PARTS)))
        if dispersion:
            mean = mean * rng.gamma(1.0 / dispersion, dispersion, PARTS_ROWS)
        y = rng.poisson(mean)
        if zeros:
            logit = -0.7 + x @ np.linspace(0.3, -0.3, len(PARTS))
            y[rng.uniform(size=PARTS_ROWS) < 1.0 / (1.0 + np.exp(-logit))] = 0
        return _frame({"y": y} | {name: x[:, j].copy() for j, name in enumerate(PARTS)})

    return draw
