"""What is known of the end of a fit: how near the maximum, how many digits, what failed.

With |l'''| <= M |l''|, kappa = max_i sqrt(x_i'H^-1 x_i) and M kappa lambda < 1 a finite
maximum exists, no further than -log(1 - M kappa lambda) / (M kappa) standard errors away
(the local norm bound for generalised self-concordant functions: Bach 2010, Electronic
Journal of Statistics 4, proposition 2). The decrement lambda is that of the score at the
estimate itself, in extended precision, with what may be wrong with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import scipy

from glmcount.numerics import Array
from glmcount.numerics.blas import solving
from glmcount.printed import Lines, Printed
from glmcount.records import dataclass

__all__ = ["Certificate", "certify"]


@dataclass(frozen=True, repr=False)
class Certificate(Printed):
    """The end of a fit; it prints in words.

    Parameters
    ----------
    rho : float
        Bound on how far the last full step moved any linear predictor.
    decrement : float
        Newton decrement lambda, in standard errors.
    floor : float
        What rounding makes of lambda at the maximum.
    condition_number : float
        Of the equilibrated information.
    kappa : float or None
        Largest standard error of a linear predictor.
    error_bound : float or None
        No estimate is further than this many standard errors from the maximum; None where
        nothing is proved, and the decrement is an estimate.
    rank : int
        Columns kept.
    separation, boundary : str
        Verdicts in words; empty where there is nothing to say.
    maximum : {"proven", "best found", ""}
        Whether no larger likelihood exists, since it is concave, or none was found; empty
        where the fit did not come to an end.
    tried : str
        What that rests on, in words.

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
    >>> r.certificate.maximum, r.certificate.rank, r.certificate.error_bound < 1e-10
    ('proven', 2, True)
    """

    rho: float
    decrement: float
    floor: float
    condition_number: float
    kappa: float | None
    error_bound: float | None
    rank: int
    separation: str = ""
    boundary: str = ""
    maximum: str = ""
    tried: str = ""

    def _lines(self) -> Lines:
        """What is known, what it rests on, and the numbers."""
        reached = f"{self.maximum}: {self.tried}" if self.maximum else "not reached"
        far = f"about {self.decrement:.1e} standard errors, which is not proved"
        if self.error_bound is not None:
            far = f"at most {self.error_bound:.1e} standard errors"
        facts = (
            ("maximum", reached),
            ("at infinity", "rows without doubt: see r.separation" if self.separation else ""),
            ("boundary", self.boundary),
            ("distance from it", far if self.maximum else ""),
            ("last step (rho)", f"moved no linear predictor by more than {self.rho:.1e}"),
            (
                "decrement",
                f"{self.decrement:.1e} standard errors; rounding alone makes {self.floor:.1e}",
            ),
            ("condition number", f"{self.condition_number:.3g} of the information"),
            ("columns kept", self.rank),
        )
        return Lines("Certificate of the fit", facts)


def certify(
    information: Array,
    sizes: Array,
    curvature: float | None,
    reached: tuple[float, float, float],
    exact_kappa: Callable[[], float],
    left: Callable[[], float],
    verdicts: tuple[str, str, str, str],
) -> Certificate:
    """Certificate of a fit whose last step, decrement and floor are `reached`.

    `left` gives at most what the decrement at the estimate is, infinity where nothing is known.
    """
    rho, decrement, floor = reached
    diagonal = np.diag(information)
    condition, kappa, bound = float("inf") if len(diagonal) else 1.0, None, None
    if np.all(diagonal > 0):
        scale = 1.0 / np.sqrt(diagonal)
        with solving(len(diagonal)):
            values = scipy.linalg.eigvalsh(scale[:, None] * information * scale, check_finite=False)
        if values.size and values[0] > 0:
            condition = float(values[-1] / values[0])
            kappa = float(np.sqrt(np.sum(np.square(sizes * scale)) / values[0]))
    separated = bool(verdicts[0])
    if condition < float("inf") and kappa is not None and curvature is not None and not separated:
        most = left()
        bound = _bound(curvature * kappa, most)
        if bound is None and most < float("inf"):
            kappa = exact_kappa()
            bound = _bound(curvature * kappa, most)
    return Certificate(rho, decrement, floor, condition, kappa, bound, len(diagonal), *verdicts)


def _bound(steepness: float, decrement: float) -> float | None:
    product = steepness * decrement
    return -math.log1p(-product) / steepness if product < 1.0 and steepness > 0 else None
