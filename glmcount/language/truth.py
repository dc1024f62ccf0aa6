"""True, false and missing: how conditions are computed where data are missing.

A condition is an array of booleans, or, where some are missing, a Categorical of False and True
with code -1 for what is missing. ``&`` and ``|`` are Kleene's, as in R: what one side decides
alone does not depend on the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["certain", "chosen", "holds_truth", "is_boolean", "joined", "negated", "with_missing"]

Array = np.ndarray[Any, np.dtype[Any]]
_DTYPE = pd.CategoricalDtype(pd.Index([False, True]))


def is_boolean(value: pd.Categorical) -> bool:
    """Whether every level of a Categorical is true or false."""
    return all(isinstance(level, bool | np.bool_) for level in value.categories)


def holds_truth(value: Any) -> bool:
    """Whether a value is true or false (or missing) everywhere."""
    if isinstance(value, pd.Categorical):
        return is_boolean(value)
    return isinstance(value, bool) or getattr(value, "dtype", None) == np.bool_


def with_missing(value: Any, missing: Any) -> Any:
    """Booleans of which some are missing."""
    if not np.any(missing):
        return value
    codes = np.where(missing, np.int8(-1), np.asarray(value, dtype=np.int8))
    return pd.Categorical.from_codes(codes, dtype=_DTYPE, validate=False)


def _parts(value: Any) -> tuple[Any, Any]:
    """Where a condition is true, and where it is false."""
    if not isinstance(value, pd.Categorical):
        true = np.asarray(value, dtype=bool)
        return true, ~true
    table = np.array([*value.categories, False], dtype=bool)
    true = table.take(value.codes)
    return true, ~true & (value.codes >= 0)


def certain(value: Any) -> Any:
    """Where a condition is true for certain, as plain booleans."""
    return _parts(value)[0]


def negated(value: Any) -> Any:
    """``~value``."""
    true, false = _parts(value)
    return with_missing(false, ~(true | false))


def joined(name: str, left: Any, right: Any) -> Any:
    """``left & right`` or ``left | right``."""
    (left_true, left_false), (right_true, right_false) = _parts(left), _parts(right)
    if name == "&":
        true, false = left_true & right_true, left_false | right_false
    else:
        true, false = left_true | right_true, left_false & right_false
    return with_missing(true, ~(true | false))


def chosen(condition: Any, branches: Iterable[Any], nothing: Any) -> Any:
    """The first branch where the condition is true, the second where false, else ``nothing``."""
    true, false = _parts(condition)
    out = np.where(true, *branches)
    lost = ~(true | false)
    return np.where(lost, nothing, out) if np.any(lost) else out
