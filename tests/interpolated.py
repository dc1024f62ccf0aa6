"""Profile intervals as R's MASS prints them: a profile at a few values, interpolated.

The likelihood ratio's ends are where z(b) = sign(b - estimate) sqrt(2 (l - l(b))) is a quantile of
the normal law. MASS (`profile.glm`, `confint.profile.glm`) takes z at steps of a fifth of the
quantile of level 1 - alpha / 4 in standard errors, until that is passed on each side; draws a cubic
spline through the points, at whose ends the third derivative is that of the cubic through the four
points there (Forsythe, Malcolm & Moler 1977, Computer Methods for Mathematical Computations); takes
the spline at three times as many values; and joins these by straight lines.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

import glmcount as gc

STEPS = 9


def printed(result: gc.Results, name: str, **options: Any) -> np.ndarray:
    """The two ends of the 95 % interval of a coefficient; `options` are those of `fit_arrays`."""
    values, roots = profile(result, name, **options)
    grid = np.linspace(values[0], values[-1], 3 * len(values))
    return np.interp(stats.norm.ppf([0.025, 0.975]), spline(values, roots, grid), grid)


def profile(result: gc.Results, name: str, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    """Values of a coefficient and signed roots of the fits that hold it there."""
    design = result.design_matrix()
    response = result.resid_response + result.fittedvalues
    offset = options.pop("offset", np.zeros(len(design)))
    last = np.sqrt(stats.chi2.ppf(1 - 0.05 / 4, 1))
    found = {float(result.params[name]): 0.0}
    for sign in (-1.0, 1.0):
        for step in range(1, STEPS + 1):
            value = result.params[name] + sign * step * last / 5.0 * result.bse[name]
            held = gc.fit_arrays(
                np.rint(response),
                design.drop(columns=name),
                offset=offset + value * design[name].to_numpy(),
                **options,
            )
            found[float(value)] = sign * np.sqrt(2.0 * max(result.llf - held.llf, 0.0))
            if abs(found[float(value)]) >= last:
                break
    values = np.array(sorted(found))
    return values, np.array([found[value] for value in values])


def spline(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The cubic spline through four points or more, by its second derivatives m at these."""
    n, steps = len(x), np.diff(x)
    slopes = np.diff(y) / steps
    matrix, right = np.zeros((n, n)), np.zeros(n)
    for i in range(1, n - 1):
        matrix[i, i - 1 : i + 2] = steps[i - 1], 2.0 * (steps[i - 1] + steps[i]), steps[i]
        right[i] = 6.0 * (slopes[i] - slopes[i - 1])
    for row, first, points in ((0, 0, slice(0, 4)), (n - 1, n - 2, slice(n - 4, n))):
        matrix[row, first : first + 2] = -1.0, 1.0
        right[row] = 6.0 * np.polyfit(x[points] - x[first], y[points], 3)[0] * steps[first]
    m = np.linalg.solve(matrix, right)
    i = np.clip(np.searchsorted(x, at) - 1, 0, n - 2)
    before, after, step = at - x[i], x[i + 1] - at, steps[i]
    cubes = (m[i] * after**3 + m[i + 1] * before**3) / (6.0 * step)
    return (
        cubes
        + (y[i] / step - m[i] * step / 6.0) * after
        + (y[i + 1] / step - m[i + 1] * step / 6.0) * before
    )
