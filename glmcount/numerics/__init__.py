"""Numbers without models: jets, stable special functions, tails, symmetric factors, `Control`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["EPS", "Array"]

Array = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)
