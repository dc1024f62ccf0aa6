"""Which fits stand side by side, and what is asked of them."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import fits, floors, frames, peers

BOTH = ("ours", "peer")


@dataclass(frozen=True)
class Case:
    """One comparison.

    `ratio` is the least the peer's time must be over ours, `most` the most that ours may be
    over the peer's, `megabytes` the most that our fit may add to the DataFrame, `agreement` the
    largest difference of coefficients in standard errors; None asks nothing, and compares no
    coefficients. A timing is that of `repeats` runs. `memory` names the sides whose memory is
    measured, `threads` compares the digits of one and two threads, `grouping` measures which
    share of our fit groups the rows. `r_package` names the R package that is the peer.
    """

    title: str
    frame: Callable
    ours: Callable
    peer: Callable
    peer_name: str
    agreement: float | None = None
    ratio: float | None = None
    most: float | None = None
    megabytes: float | None = None
    repeats: int = 1
    memory: tuple[str, ...] = ()
    threads: bool = False
    grouping: bool = False
    r_package: str | None = None


@dataclass(frozen=True)
class Growth:
    """Our fit at several sizes of one frame; `fit` makes the side for a frame and a size."""

    title: str
    axis: str
    frame: Callable
    sizes: tuple[int, ...]
    fit: Callable


def _dense(count, peer, peer_name, agreement=1e-6, **asked):
    formula = fits.dense_formula(count)
    title = f"1e6 rows x {count} numeric columns"
    draw, ours = frames.dense(count), fits.ours(formula)
    return Case(title, draw, ours, peer, peer_name, agreement=agreement, **asked)


def _factors(peer, peer_name, **asked):
    title = "1e6 rows, factors of 10, 50, 300 levels, 2 numeric columns, exposure"
    ours = fits.ours(fits.FACTORS_FORMULA, exposure="t")
    return Case(title, frames.factors, ours, peer, peer_name, agreement=1e-6, **asked)


def _cells(peer, peer_name, **asked):
    title = "1e7 rows, 6 factors of 2 to 8 levels"
    return Case(title, frames.cells, fits.ours(fits.CELLS_FORMULA), peer, peer_name, **asked)


def _strings(title, dtype, **asked):
    return Case(
        f"3e6 rows, one column of 3 strings, {title}",
        frames.strings(dtype),
        fits.ours("y ~ s"),
        peers.patsy_matrix("s"),
        "patsy, design matrix only",
        **asked,
    )


def _looms(title, ours, peer, peer_name, repeats=20, **asked):
    title = f"54 rows, two crossed factors, {title}"
    return Case(
        title,
        frames.warpbreaks,
        ours,
        peer,
        peer_name,
        agreement=1e-6,
        repeats=repeats,
        **asked,
    )


def _parts(title, frame, options, peer, peer_name, memory=BOTH, **asked):
    """A case on 1e5 rows whose peer stops at a gradient, further from the maximum than ours."""
    return Case(
        f"1e5 rows x 8 numeric columns, {title}",
        frame,
        fits.ours(fits.PARTS_FORMULA, **options),
        peer,
        peer_name,
        agreement=0.01,
        memory=memory,
        **asked,
    )


def _import(peer, **asked):
    return Case(
        "import of the package",
        frames.nothing,
        fits.imports("glmcount"),
        fits.imports(peer),
        f"import of {peer}",
        repeats=3,
        **asked,
    )


DENSE = fits.dense_formula(20)
NO_ERRORS = "no standard errors"
TUNED = f"glum, fastest thread setting, {NO_ERRORS}"
ARRAYS = "statsmodels, no formula"
ZINB = {"family": "negbin", "inflate": fits.PARTS_TERMS}
CELLS_GLUM = peers.glum(frames.CELL_LEVELS, tol=peers.GLUM_TOL_CELLS)
REFIT = fits.WARPBREAKS_FORMULA

CASES = {
    "dense-glum": _dense(
        20,
        peers.glum_array(20),
        f"glum, from an array, {NO_ERRORS}",
        ratio=4.0,
        megabytes=64.0,
        memory=BOTH,
        threads=True,
    ),
    "dense-glum-tuned": _dense(
        20,
        peers.tuned(peers.glum_array(20)),
        TUNED,
        ratio=4.0,
    ),
    "dense-statsmodels": _dense(
        20,
        peers.statsmodels_glm(DENSE),
        "statsmodels GLM, formula",
        ratio=20.0,
        memory=("peer",),
    ),
    "dense-arrays": _dense(
        20,
        peers.statsmodels_arrays(20),
        "statsmodels GLM, no formula",
        ratio=10.0,
        memory=("peer",),
    ),
    "dense-discrete": _dense(
        20,
        peers.statsmodels_discrete(DENSE),
        "statsmodels discrete Poisson, formula",
        ratio=7.0,
        memory=("peer",),
    ),
    "dense-discrete-arrays": _dense(
        20,
        peers.statsmodels_columns("Poisson", frames.numbered(20)),
        "statsmodels discrete Poisson, no formula",
        ratio=7.0,
        memory=("peer",),
    ),
    "dense-sklearn": _dense(
        20,
        peers.sklearn_array(20),
        f"scikit-learn, from an array, {NO_ERRORS}",
        ratio=2.5,
        memory=("peer",),
    ),
    "dense-floor": _dense(
        20, floors.dense_pass(20), "one bare numpy pass", agreement=None, most=6.0
    ),
    "dense-slopes": Case(
        "1e6 rows x 20 numeric columns, average slopes by all of them",
        frames.dense(20),
        fits.ours_slopes(DENSE),
        fits.ours(DENSE),
        "our own fit",
        most=1.5,
    ),
    "dense-cluster": Case(
        "1e6 rows x 20 numeric columns, 100,000 clusters in a column of whole numbers",
        frames.clustered(20, 100_000),
        fits.ours_clustered(DENSE, lambda gc: gc.cluster("g")),
        fits.ours(DENSE),
        "our own fit without",
        most=1.3,
    ),
    "dense-cluster-category": Case(
        "1e6 rows x 20 numeric columns, 100,000 clusters in a categorical column",
        frames.clustered(20, 100_000),
        fits.ours_clustered(DENSE, lambda gc: gc.cluster("c")),
        fits.ours(DENSE),
        "our own fit without",
        most=1.3,
    ),
    "dense-hc3": Case(
        "1e6 rows x 20 numeric columns, HC3 after the fit",
        frames.dense(20),
        fits.ours_covariance(DENSE, lambda gc: "HC3"),
        fits.ours(DENSE),
        "our own fit",
        most=1.0,
    ),
    "cr3": Case(
        "1e5 rows x 20 numeric columns, CR3 of 1,000 clusters",
        frames.clustered(20, 1_000, 100_000),
        fits.ours_clustered(DENSE, lambda gc: gc.cluster("g", "CR3")),
        fits.ours(DENSE),
        "our own fit without",
        most=3.0,
    ),
    "score-bootstrap": Case(
        "1e5 rows x 20 numeric columns, 50 clusters, 9,999 draws",
        frames.clustered(20, 50, 100_000),
        fits.ours_score_bootstrap(DENSE, "x1 = 0", "g"),
        fits.ours(DENSE),
        "our own fit",
    ),
    "pairs-bootstrap": Case(
        "4,406 visits, NB2, 5 columns; ours is a bootstrap of 999 draws, the peer fits 50",
        frames.visits,
        fits.ours_covariance(
            fits.VISITS_FORMULA, lambda gc: gc.bootstrap(999, rng=1), family="negbin"
        ),
        peers.statsmodels_resampled("NegativeBinomial", "visits", fits.VISITS, 50),
        "statsmodels, a loop over 50 draws",
        # 999 draws in the time of 50, and twenty times that.
        ratio=20 * 50 / 999,
    ),
    "dense100-glum": _dense(
        100,
        peers.glum_array(100),
        f"glum, from an array, {NO_ERRORS}",
        ratio=3.0,
        megabytes=64.0,
        memory=BOTH,
        threads=True,
    ),
    "dense100-glum-tuned": _dense(
        100,
        peers.tuned(peers.glum_array(100)),
        TUNED,
        ratio=3.0,
    ),
    "dense100-sklearn": _dense(
        100,
        peers.sklearn_array(100),
        f"scikit-learn, from an array, {NO_ERRORS}",
        ratio=2.0,
        memory=("peer",),
    ),
    "dense100-floor": _dense(100, floors.dense_pass(100), "one bare numpy pass", agreement=None),
    "factors-glum": _factors(
        peers.glum(fits.FACTORS, "t"),
        f"glum, {NO_ERRORS}",
        ratio=4.0,
        megabytes=64.0,
        memory=BOTH,
        threads=True,
    ),
    "factors-glum-tuned": _factors(peers.tuned(peers.glum(fits.FACTORS, "t")), TUNED, ratio=4.0),
    "factors-pyfixest": _factors(
        peers.pyfixest, "pyfixest, factors absorbed", ratio=6.0, memory=("peer",)
    ),
    "cells-glum": _cells(
        CELLS_GLUM,
        f"glum, {NO_ERRORS}",
        agreement=1e-6,
        ratio=10.0,
        memory=BOTH,
        threads=True,
        grouping=True,
    ),
    "cells-floor": _cells(floors.grouping_pass, "one bare numpy grouping pass"),
    "strings": _strings("pandas' dtype of strings", "str", ratio=15.0, memory=BOTH),
    "strings-object": _strings("dtype object", object, ratio=15.0, memory=BOTH),
    "warpbreaks-first": _looms(
        "a formula not seen before",
        fits.ours_first,
        peers.statsmodels_first,
        "statsmodels GLM, the same formula",
        ratio=2.0,
    ),
    "warpbreaks-later": _looms(
        "the same formula again",
        fits.ours(fits.WARPBREAKS_FORMULA),
        peers.statsmodels_glm(fits.WARPBREAKS_FORMULA),
        "statsmodels GLM, formula",
        ratio=6.0,
        memory=BOTH,
    ),
    "warpbreaks-refit": _looms(
        "another response by refit",
        fits.ours_refit(REFIT),
        peers.statsmodels_refit(REFIT),
        "statsmodels GLM, formula",
        repeats=50,
        ratio=40.0,
    ),
    "warpbreaks-refit-additive": _looms(
        "another response by refit, no interaction",
        fits.ours_refit(fits.ADDITIVE_FORMULA),
        peers.statsmodels_refit(fits.ADDITIVE_FORMULA),
        "statsmodels GLM, formula",
        repeats=50,
        ratio=40.0,
    ),
    "warpbreaks-refit-arrays": _looms(
        "another response by refit",
        fits.ours_refit(REFIT),
        peers.statsmodels_refit_arrays(REFIT),
        "statsmodels GLM, the design of an earlier fit",
        repeats=50,
    ),
    "negbin": _parts(
        "NB2",
        frames.parts(False, 0.5),
        {"family": "negbin"},
        peers.statsmodels_columns("NegativeBinomial", frames.PARTS),
        ARRAYS,
        ratio=5.0,
        threads=True,
    ),
    "negbin-profile": Case(
        "1e5 rows x 8 numeric columns, negative binomial, profile interval of one slope",
        frames.parts(False, 0.5),
        fits.ours_profile(fits.PARTS_FORMULA, "x1", family="negbin"),
        fits.ours(fits.PARTS_FORMULA, family="negbin"),
        "our own fit",
        most=6.0,
    ),
    "zip": _parts(
        "ZIP, all in both parts",
        frames.parts(True, 0.0),
        {"inflate": fits.PARTS_TERMS},
        peers.statsmodels_inflated("ZeroInflatedPoisson"),
        ARRAYS,
        ratio=10.0,
        threads=True,
    ),
    "zinb": _parts(
        "ZINB, all in both parts",
        frames.parts(True, 0.5),
        ZINB,
        peers.statsmodels_inflated("ZeroInflatedNegativeBinomialP"),
        ARRAYS,
        ratio=20.0,
        threads=True,
    ),
    "zinb-pscl": _parts(
        "ZINB, all in both parts",
        frames.parts(True, 0.5),
        ZINB,
        peers.r_fit("pscl", "zinb"),
        "pscl, zeroinfl",
        ratio=20.0,
        memory=(),
        r_package="pscl",
    ),
    "zinb-glmmtmb": _parts(
        "ZINB, all in both parts",
        frames.parts(True, 0.5),
        ZINB,
        peers.r_fit("glmmTMB", "zinb"),
        "glmmTMB",
        ratio=40.0,
        memory=(),
        r_package="glmmTMB",
    ),
    "hurdle": _parts(
        "hurdle NB2, all in both parts",
        frames.parts(True, 0.5),
        {"family": "negbin", "hurdle": fits.PARTS_TERMS},
        peers.r_fit("pscl", "hurdle"),
        "pscl, hurdle",
        ratio=8.0,
        memory=("ours",),
        threads=True,
        r_package="pscl",
    ),
    "import-statsmodels": _import("statsmodels.formula.api", ratio=2.2),
    "import-patsy": _import("pandas, patsy", most=1.6),
}

GROWTH = {
    "growth-rows": Growth(
        "Growth in the number of rows, 10 numeric columns",
        "rows",
        frames.dense(10, 10_000_000),
        (100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000),
        lambda frame, size: fits.growing(10)(frame.head(size)),
    ),
    "growth-columns": Growth(
        "Growth in the number of columns, 5e5 rows",
        "columns",
        frames.dense(200, 500_000),
        (10, 20, 40, 70, 100, 140, 200),
        lambda frame, size: fits.growing(size)(frame),
    ),
}
