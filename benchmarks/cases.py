"""Which fits stand side by side, and what is asked of them."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import fits, frames


@dataclass(frozen=True)
class Case:
    """One comparison.

    `ratio` is the least the peer's time must be over ours, `megabytes` the most that our fit
    may add to the DataFrame, `agreement` the largest difference of coefficients in standard
    errors; None asks nothing. A timing is that of `repeats` fits. `threads` compares the digits
    of one and two threads.
    """

    title: str
    frame: Callable
    ours: Callable
    peer: Callable
    peer_name: str
    agreement: float
    ratio: float | None = None
    megabytes: float | None = None
    repeats: int = 1
    threads: bool = True


CASES = {
    "dense": Case(
        "1e6 rows x 20 numeric columns",
        frames.dense,
        fits.ours(fits.DENSE_FORMULA),
        fits.statsmodels_glm(fits.DENSE_FORMULA),
        "statsmodels, formula",
        agreement=1e-6,
        ratio=10.0,
        megabytes=64.0,
    ),
    "dense-arrays": Case(
        "1e6 rows x 20 numeric columns",
        frames.dense,
        fits.ours(fits.DENSE_FORMULA),
        fits.statsmodels_arrays,
        "statsmodels, no formula",
        agreement=1e-6,
        ratio=10.0,
        megabytes=64.0,
        threads=False,
    ),
    "factors": Case(
        "1e6 rows, factors of 10, 50, 300 levels, 2 numeric columns, exposure",
        frames.factors,
        fits.ours(fits.FACTORS_FORMULA, exposure="t"),
        fits.glum_factors,
        "glum, no standard errors",
        agreement=1e-6,
        ratio=1.0,
    ),
    "factors-tuned": Case(
        "1e6 rows, factors of 10, 50, 300 levels, 2 numeric columns, exposure",
        frames.factors,
        fits.ours(fits.FACTORS_FORMULA, exposure="t"),
        fits.glum_tuned,
        "glum with BLAS on one thread, no standard errors",
        agreement=1e-6,
        ratio=1.0,
        threads=False,
    ),
    "warpbreaks": Case(
        "54 rows, two crossed factors",
        frames.warpbreaks,
        fits.ours(fits.WARPBREAKS_FORMULA),
        fits.statsmodels_glm(fits.WARPBREAKS_FORMULA),
        "statsmodels, formula",
        agreement=1e-6,
        repeats=20,
        threads=False,
    ),
}
