"""Time against size: the polynomial that comes nearest to the medians, relative to each."""

from statistics import median

import numpy as np
from scipy.optimize import nnls

POWERS = {"growth-rows": (0, 1), "growth-columns": (0, 1, 2)}


def medians(entry):
    """Sizes and the medians of their seconds."""
    seconds = entry["growth"]["seconds"]
    return np.array([int(size) for size in seconds]), np.array(
        [median(each) for each in seconds.values()]
    )


def terms(name, entry):
    """Coefficients by power, none negative: a part of the time cannot be."""
    sizes, seconds = medians(entry)
    unit = sizes.max()
    powers = POWERS[name]
    columns = np.column_stack([(sizes / unit) ** power / seconds for power in powers])
    found, _ = nnls(columns, np.ones(len(sizes)))
    return {power: value / unit**power for power, value in zip(powers, found, strict=True)}


def value(coefficients, size):
    """The polynomial at a size."""
    return sum(c * np.asarray(size, float) ** power for power, c in coefficients.items())


def share(coefficients, power, size):
    """The part of the time at a size that grows with that power."""
    return coefficients[power] * size**power / value(coefficients, size)


def at(entry, size):
    """The median at a size that was measured."""
    return median(entry["growth"]["seconds"][str(size)])
