"""The data of the cases, drawn strip by strip so that drawing leaves no memory behind."""

from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 1_000_000
STRIP = 65_536
LEVELS = {"a": 10, "b": 50, "c": 300}
CELLS_ROWS = 10_000_000
# 5,760 combinations, all of which occur.
CELL_LEVELS = {"a": 2, "b": 3, "c": 4, "d": 5, "e": 6, "f": 8}
STRINGS_ROWS = 3_000_000
PARTS_ROWS = 100_000
VISITS = Path(__file__).parents[1] / "glmcount" / "datasets" / "nmes1988.csv.gz"
WARPBREAKS = Path(__file__).parents[1] / "glmcount" / "datasets" / "warpbreaks.csv"


def numbered(count):
    """Names of that many numeric columns."""
    return tuple(f"x{j}" for j in range(1, count + 1))


PARTS = numbered(8)


def _strips(count):
    return [slice(first, min(first + STRIP, count)) for first in range(0, count, STRIP)]


def _frame(columns):
    # copy=False: the columns drawn are those of the frame, never held twice.
    return pd.DataFrame(columns, copy=False)


def dense(count, size=ROWS):
    """Draws numeric columns of different location and scale, as measurements have them."""
    names = numbered(count)

    def draw():
        rng = np.random.default_rng(count)
        location, scale = rng.normal(0.0, 3.0, count), np.exp(rng.normal(0.0, 1.0, count))
        # The linear predictor varies alike whatever the number of columns.
        effects = rng.normal(0.0, 0.1 * np.sqrt(20 / count), count)
        columns = {"y": np.empty(size, np.int64)} | {name: np.empty(size) for name in names}
        for rows in _strips(size):
            eta = np.full(rows.stop - rows.start, -0.1)
            for name, m, s, effect in zip(names, location, scale, effects, strict=True):
                drawn = rng.standard_normal(len(eta))
                eta += effect * drawn
                columns[name][rows] = m + s * drawn
            columns["y"][rows] = rng.poisson(np.exp(eta))
        return _frame(columns)

    return draw


def clustered(count, clusters, size=ROWS):
    """The same with a column of clusters, whole numbers and as a category."""
    plain = dense(count, size)

    def draw():
        frame = plain()
        rng = np.random.default_rng(clusters)
        frame["g"] = rng.integers(clusters, size=size)
        frame["c"] = frame["g"].astype("category")
        return frame

    return draw


def visits():
    """Visits of 4,406 patients (Deb & Trivedi 1997), with numbers for factors."""
    frame = pd.read_csv(VISITS)
    frame["private"] = (frame["insurance"] == "yes").astype(float)
    frame["male"] = (frame["gender"] == "male").astype(float)
    return frame[["visits", "hospital", "chronic", "school", "private", "male"]]


def factors():
    """Factors of 10, 50 and 300 levels, two numeric columns, an exposure."""
    rng = np.random.default_rng(360)
    effects = {name: rng.normal(0.0, 0.3, levels) for name, levels in LEVELS.items()}
    codes = {name: np.empty(ROWS, np.int16) for name in LEVELS}
    columns = {"y": np.empty(ROWS, np.int64)} | {name: np.empty(ROWS) for name in ("u", "v", "t")}
    for rows in _strips(ROWS):
        n = rows.stop - rows.start
        u, v, t = rng.standard_normal(n), rng.uniform(0.0, 2.0, n), rng.uniform(0.1, 1.0, n)
        eta = np.log(t) + 0.2 * u - 0.1 * v
        for name, levels in LEVELS.items():
            codes[name][rows] = rng.integers(levels, size=n)
            eta += effects[name][codes[name][rows]]
        columns["u"][rows], columns["v"][rows], columns["t"][rows] = u, v, t
        columns["y"][rows] = rng.poisson(np.exp(eta))
    return _frame(columns | _categories(codes, LEVELS))


def cells():
    """Six small factors over 1e7 rows."""
    rng = np.random.default_rng(6)
    effects = {name: rng.normal(0.0, 0.3, levels) for name, levels in CELL_LEVELS.items()}
    codes = {name: np.empty(CELLS_ROWS, np.int8) for name in CELL_LEVELS}
    y = np.empty(CELLS_ROWS, np.int64)
    for rows in _strips(CELLS_ROWS):
        eta = np.zeros(rows.stop - rows.start)
        for name, levels in CELL_LEVELS.items():
            codes[name][rows] = rng.integers(levels, size=len(eta))
            eta += effects[name][codes[name][rows]]
        y[rows] = rng.poisson(np.exp(eta))
    return _frame({"y": y} | _categories(codes, CELL_LEVELS))


def _categories(codes, sizes):
    return {
        name: pd.Categorical.from_codes(codes[name], [f"{name}{level}" for level in range(levels)])
        for name, levels in sizes.items()
    }


def strings(dtype):
    """Draws counts and one column of strings, three different ones."""

    def draw():
        rng = np.random.default_rng(3)
        levels = np.array(["high", "low", "medium"], dtype=object)
        codes = rng.integers(3, size=STRINGS_ROWS)
        y = rng.poisson(np.array([1.5, 0.7, 1.0])[codes])
        return _frame({"y": y, "s": pd.Series(levels[codes], dtype=dtype)})

    return draw


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


def nothing():
    """No data: of cases that fit none."""
    return None
