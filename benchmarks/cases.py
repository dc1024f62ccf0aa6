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
    of one and two threads; `external` marks a peer in a process of its own, whose memory is
    not measured.
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
    external: bool = False


ZIP = {"inflate": fits.PARTS_RIGHT}
ZINB = {"inflate": fits.PARTS_RIGHT, "family": "negbin"}
HURDLE = {"hurdle": fits.PARTS_RIGHT, "family": "negbin"}

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
    **{
        name: Case(
            f"1e5 rows x 8 columns, {title}",
            frames.parts(zeros, dispersion),
            fits.ours(fits.PARTS_FORMULA, **options),
            peer,
            peer_name,
            # Their optimisers stop at a gradient, which leaves more than ours does.
            agreement=0.05,
            ratio=ratio,
            threads=name in ("negbin", "zip", "zinb", "hurdle"),
            external=external,
        )
        for name, title, zeros, dispersion, options, peer, peer_name, ratio, external in (
            (
                *("negbin", "NB2", False, 0.5, {"family": "negbin"}),
                *(fits.statsmodels_negbin, "statsmodels NegativeBinomial", 5.0, False),
            ),
            (
                *("zip", "ZIP, all in both parts", True, 0.0, ZIP),
                *(fits.statsmodels_inflated("ZeroInflatedPoisson", False),),
                *("statsmodels ZeroInflatedPoisson", 10.0, False),
            ),
            (
                *("zinb", "ZINB, all in both parts", True, 0.5, ZINB),
                *(fits.statsmodels_inflated("ZeroInflatedNegativeBinomialP", True),),
                *("statsmodels ZeroInflatedNegativeBinomialP", 20.0, False),
            ),
            (
                *("zinb-pscl", "ZINB, all in both parts", True, 0.5, ZINB),
                *(fits.r_package("pscl", "zinb"), "pscl zeroinfl", 20.0, True),
            ),
            (
                *("zinb-glmmtmb", "ZINB, all in both parts", True, 0.5, ZINB),
                *(fits.r_package("glmmtmb", "zinb"), "glmmTMB nbinom2", 40.0, True),
            ),
            (
                *("hurdle", "hurdle NB2, all in both parts", True, 0.5, HURDLE),
                *(fits.r_package("pscl", "hurdle"), "pscl hurdle", 8.0, True),
            ),
        )
    },
}
