"""One fit each of ours and of a peer: from the DataFrame to estimates as arrays.

Every function here imports what it needs and returns the fit, so that neither timing nor
memory includes an import, and memory of one side is measured without the other loaded.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.frames import DENSE, LEVELS, PARTS

DENSE_FORMULA = "y ~ " + " + ".join(DENSE)
FACTORS = [*LEVELS, "u", "v"]
FACTORS_FORMULA = "y ~ " + " + ".join(FACTORS)
PARTS_TERMS = " + ".join(PARTS)
PARTS_FORMULA = f"y ~ {PARTS_TERMS}"
WARPBREAKS_FORMULA = "breaks ~ wool * tension"
# glum stops on its mean gradient. At its default, 1e-4, coefficients are 3e-4 standard errors
# off; this is the loosest power of ten that brings them within 1e-6.
GLUM_TOL = 1e-6
R_SCRIPT = Path(__file__).with_name("peers.R")


class Estimates(NamedTuple):
    """What a fit is compared by."""

    coefficients: np.ndarray
    errors: np.ndarray | None
    converged: bool = True
    # Of a fit that timed itself in a process of its own: starting it and reading do not count.
    seconds: float | None = None


def ours(formula, **options):
    """Our fit of a formula, with standard errors."""

    def load():
        import glmcount

        def fit(frame, threads=None):
            control = glmcount.Control(threads=threads)
            result = glmcount.fit(formula, data=frame, control=control, **options)
            return Estimates(result.params.to_numpy(), result.bse.to_numpy())

        return fit

    return load


def statsmodels_glm(formula):
    """The GLM of statsmodels with the same formula, with standard errors."""

    def load():
        import statsmodels.api as sm
        import statsmodels.formula.api as smf

        def fit(frame):
            result = smf.glm(formula, data=frame, family=sm.families.Poisson()).fit()
            return Estimates(result.params.to_numpy(), result.bse.to_numpy())

        return fit

    return load


def statsmodels_arrays():
    """The GLM of statsmodels from columns alone, which spares it the formula."""
    import statsmodels.api as sm

    def fit(frame):
        design = sm.add_constant(frame[list(DENSE)])
        result = sm.GLM(frame["y"], design, family=sm.families.Poisson()).fit()
        return Estimates(result.params.to_numpy(), result.bse.to_numpy())

    return fit


def glum_factors():
    """Unpenalised glum on categorical columns with an offset, without standard errors."""
    from glum import GeneralizedLinearRegressor

    def fit(frame):
        model = GeneralizedLinearRegressor(
            family="poisson", alpha=0, drop_first=True, gradient_tol=GLUM_TOL
        )
        model.fit(frame[FACTORS], frame["y"], offset=np.log(frame["t"]))
        return Estimates(np.r_[model.intercept_, model.coef_], None)

    return fit


def glum_tuned():
    """The same with BLAS on one thread, its fastest setting on two cores."""
    several = glum_factors()

    def fit(frame):
        with threadpool_limits(1, user_api="blas"):
            return several(frame)

    return fit


def statsmodels_negbin():
    """NB2 of statsmodels from columns, at its default settings."""
    import statsmodels.api as sm

    def fit(frame):
        result = sm.NegativeBinomial(frame["y"], sm.add_constant(frame[list(PARTS)])).fit(disp=0)
        converged = result.mle_retvals["converged"]
        return Estimates(result.params.to_numpy(), result.bse.to_numpy(), bool(converged))

    return fit


def statsmodels_inflated(name):
    """A zero-inflated model of statsmodels from columns, all in both parts, at its defaults."""

    def load():
        import statsmodels.api as sm

        def fit(frame):
            design = sm.add_constant(frame[list(PARTS)])
            result = getattr(sm, name)(frame["y"], design, exog_infl=design).fit(disp=0)
            values, errors = result.params.to_numpy(), result.bse.to_numpy()
            # The zero part comes first there, and between the count part and alpha here.
            k = design.shape[1]
            order = [*range(k, 2 * k), *range(k), *range(2 * k, len(values))]
            converged = bool(result.mle_retvals["converged"])
            return Estimates(values[order], errors[order], converged)

        return fit

    return load


def r_fit(package, model):
    """A fit of an R package at its defaults, in a process of its own that times itself."""

    def load():
        def fit(frame):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "frame.csv"
                frame.to_csv(path, index=False, float_format="%.17g")
                command = ["Rscript", str(R_SCRIPT), package, model, str(path)]
                done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            found = json.loads(done.stdout.splitlines()[-1])
            values, errors = np.array(found["coefficients"]), np.array(found["errors"])
            return Estimates(values, errors, found["converged"], found["seconds"])

        return fit

    return load


def r_versions():
    """Versions of R and of the R packages that are fitted, as far as they are installed."""
    if shutil.which("Rscript") is None:
        return {}
    command = ["Rscript", str(R_SCRIPT), "versions"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return dict(line.split() for line in done.stdout.splitlines())
