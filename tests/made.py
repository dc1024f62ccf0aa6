"""Designs and runs of small data, made by the functions that a fit makes them by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import patsy

from glmcount.design.build import Roles, formula_design
from glmcount.design.layout import layout_of
from glmcount.design.measure import Measured, measure
from glmcount.design.rows import Rows
from glmcount.engine.layout import Layout
from glmcount.families import Family, resolve
from glmcount.fitting.run import Run, Settings
from glmcount.inference.setting import Seen, Setting
from glmcount.numerics.control import USUAL, Control
from glmcount.sources.base import open_source


def patsy_design(formula: str, data: Any) -> pd.DataFrame:
    """patsy's columns of a right-hand side, its terms in the order in which they are written."""
    found = patsy.dmatrix(formula, pd.DataFrame(data), return_type="dataframe")
    terms = patsy.ModelDesc.from_formula(formula).rhs_termlist
    slices = found.design_info.term_slices
    order = [place for term in terms for place in range(*slices[term].indices(found.shape[1]))]
    assert sorted(order) == list(range(found.shape[1]))
    return found.iloc[:, order]


def design_of(
    formula: str,
    data: Any,
    parts: Any = (),
    env: Any = None,
    control: Control = USUAL,
    **roles: Any,
) -> Rows:
    """The rows of a formula over a table; `parts` are (name, right-hand side) or None."""
    return formula_design(open_source(data), formula, Roles(roles, tuple(parts)), env, control)


def ready(
    formula: str, data: Any, family: str | Family = "poisson", parts: Any = None, **roles: Any
) -> tuple[Rows, Layout, Measured, Family]:
    """Rows, layout, what was measured and the family; further equations are constants."""
    own = resolve(family)
    rows = design_of(formula, data, [None] * (own.q - 1) if parts is None else parts, **roles)
    measured, layout = measure(rows, layout_of(rows.spec), own)
    return rows, layout, measured, own


def run_of(
    formula: str,
    data: Any,
    family: str | Family = "poisson",
    parts: Any = None,
    settings: Settings | None = None,
    **roles: Any,
) -> Run:
    """A run that has not begun."""
    return Run(*ready(formula, data, family, parts, **roles), settings or Settings())


def counts(n: int = 60, seed: int = 0) -> dict[str, Any]:
    """A table of counts, two numeric columns, a factor of three levels, weights, exposures."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.uniform(1.0, 3.0, n)
    g = rng.permutation(np.resize(["a", "b", "c"], n))
    y = rng.poisson(np.exp(0.5 + 0.3 * x - 0.1 * z + 0.4 * (g == "b")) * rng.gamma(2.0, 0.5, n))
    w, t = rng.integers(1, 4, n).astype(float), rng.uniform(0.5, 2.0, n)
    return {"y": y.astype(float), "x": x, "z": z, "g": g, "w": w, "t": t}


def sums_by_group(setting: Setting, bread: Any) -> Any:
    """Liang & Zeger's sandwich of the sums of scores by group, without a factor."""
    (count,) = setting.sizes

    def sums(seen: Seen) -> Any:
        table = np.zeros((count, len(bread)))
        np.add.at(table, seen.groups[0], seen.scores)
        return table

    half = setting.fold(sums, np.add) @ bread
    return half.T @ half


def columns_of_kinds() -> pd.DataFrame:
    """Columns of doubles, whole numbers, short floats and text."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame(rng.normal(3.0, 2.0, (300, 2)), columns=["x", "z"])
    data["k"] = rng.integers(5, size=300)
    data["f"] = rng.normal(size=300).astype(np.float32)
    data["g"] = np.where(data["z"] > 3.0, "a", "b")
    data["y"] = rng.poisson(2.0, 300)
    return data


# Takes each of them, one beside a factor and one in an expression.
OF_KINDS = "y ~ x + k + f + z:g + np.log(x**2 + 1)"
