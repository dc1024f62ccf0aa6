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
    of one and two threads. `r_package` names the R package that is the peer: it runs in a
    process of its own, whose memory is not measured.
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
    r_package: str | None = None


ZINB = {"family": "negbin", "inflate": fits.PARTS_TERMS}


def _parts(title, frame, options, peer, peer_name, **asked):
    """A case on 1e5 rows whose peer stops at a gradient, further from the maximum than ours."""
    return Case(
        f"1e5 rows x 8 numeric columns, {title}",
        frame,
        fits.ours(fits.PARTS_FORMULA, **options),
        peer,
        peer_name,
        agreement=0.01,
        **asked,
    )


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
    "negbin": _parts(
        "NB2",
        frames.parts(False, 0.5),
        {"family": "negbin"},
        fits.statsmodels_negbin,
        "statsmodels, no formula",
        ratio=5.0,
    ),
    "zip": _parts(
        "ZIP, all in both parts",
        frames.parts(True, 0.0),
        {"inflate": fits.PARTS_TERMS},
        fits.statsmodels_inflated("ZeroInflatedPoisson"),
        "statsmodels, no formula",
        ratio=10.0,
    ),
    "zinb": _parts(
        "ZINB, all in both parts",
        frames.parts(True, 0.5),
        ZINB,
        fits.statsmodels_inflated("ZeroInflatedNegativeBinomialP"),
        "statsmodels, no formula",
        ratio=20.0,
    ),
    "zinb-pscl": _parts(
        "ZINB, all in both parts",
        frames.parts(True, 0.5),
        ZINB,
        fits.r_fit("pscl", "zinb"),
        "pscl, zeroinfl",
        ratio=20.0,
        threads=False,
        r_package="pscl",
    ),
    "zinb-glmmtmb": _parts(
        "ZINB, all in both parts",
        frames.parts(True, 0.5),
        ZINB,
        fits.r_fit("glmmTMB", "zinb"),
        "glmmTMB",
        ratio=40.0,
        threads=False,
        r_package="glmmTMB",
    ),
    "hurdle": _parts(
        "hurdle NB2, all in both parts",
        frames.parts(True, 0.5),
        {"family": "negbin", "hurdle": fits.PARTS_TERMS},
        fits.r_fit("pscl", "hurdle"),
        "pscl, hurdle",
        ratio=8.0,
        r_package="pscl",
    ),
}
