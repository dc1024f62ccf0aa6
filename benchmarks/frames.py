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


def _strips(count=ROWS):
    return [slice(first, min(first + STRIP, count)) for first in range(0, count, STRIP)]


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


def parts(zeros, dispersion):
    """Draws 8 numeric columns and NB2 or Poisson counts, of which a third may be made zero."""

    def draw():
        rng = np.random.default_rng(8)
        mean_effects = np.linspace(-0.2, 0.2, len(PARTS))
        zero_effects = np.linspace(0.3, -0.3, len(PARTS))
        columns = {"y": np.empty(PARTS_ROWS, np.int64)}
        columns |= {name: np.empty(PARTS_ROWS) for name in PARTS}
        for rows in _strips(PARTS_ROWS):
            x = rng.standard_normal((rows.stop - rows.start, len(PARTS)))
            mean = np.exp(0.5 + x @ mean_effects)
            if dispersion:
                mean *= rng.gamma(1.0 / dispersion, dispersion, len(x))
            y = rng.poisson(mean)
            if zeros:
                y[rng.uniform(size=len(x)) < 1.0 / (1.0 + np.exp(0.7 - x @ zero_effects))] = 0
            columns["y"][rows] = y
            for j, name in enumerate(PARTS):
                columns[name][rows] = x[:, j]
        return _frame(columns)

    return draw
